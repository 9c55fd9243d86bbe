//! TLS: 1.2 and 1.3, nothing resumed, nothing that a caller could switch off.

use std::sync::Arc;

use rustls::client::Resumption;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, RootCertStore};

use crate::{EgressError, Host};

/// Whose signature under a certificate counts.
#[derive(Clone)]
pub(crate) enum Authorities {
    /// Those that this machine's system trusts.
    System,
    /// These, in DER.
    These(Vec<Vec<u8>>),
    /// Those of the system, and these.
    SystemAnd(Vec<Vec<u8>>),
}

const NONE: &str = "no certificate authority is known: install this system's ca-certificates";

/// Reads files when it asks the system, so it belongs on a thread that may wait.
pub(crate) fn config(authorities: Authorities) -> Result<ClientConfig, &'static str> {
    let certificates: Vec<CertificateDer<'static>> = match authorities {
        Authorities::System => rustls_native_certs::load_native_certs().certs,
        Authorities::These(these) => these.into_iter().map(Into::into).collect(),
        Authorities::SystemAnd(these) => {
            let mut all = rustls_native_certs::load_native_certs().certs;
            all.extend(these.into_iter().map(CertificateDer::from));
            all
        }
    };
    let mut roots = RootCertStore::empty();
    let (added, _unreadable) = roots.add_parsable_certificates(certificates);
    if added == 0 {
        return Err(NONE);
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13, &TLS12])
        .map_err(|_| "this build has no usable cipher")?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // A ticket is a cookie: it would tie one tenant's calls to another's.
    config.resumption = Resumption::disabled();
    Ok(config)
}

/// The certificates that stand in a PEM file, in DER; `None` when there are none, or one cannot be read.
#[must_use]
pub fn authorities_in(pem: &[u8]) -> Option<Vec<Vec<u8>>> {
    let found = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
    let found: Vec<Vec<u8>> = found.ok()?.iter().map(|one| one.to_vec()).collect();
    let readable = found.iter().all(|one| {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(one.as_slice())).is_ok()
    });
    (readable && !found.is_empty()).then_some(found)
}

/// The certificates of the authorities that this machine's system trusts, in DER. Reads files.
#[must_use]
pub fn system_authorities() -> Vec<Vec<u8>> {
    let found = rustls_native_certs::load_native_certs().certs;
    found
        .iter()
        .map(|certificate| certificate.to_vec())
        .collect()
}

/// Whom the certificate must be for.
pub(crate) fn server_name(host: &Host) -> Result<ServerName<'static>, EgressError> {
    match host {
        Host::Address(address) => Ok(ServerName::IpAddress((*address).into())),
        Host::Name(name) => ServerName::try_from(name.clone())
            .map_err(|_| EgressError::Url("its host is no name that a certificate can be for")),
    }
}
