//! TLS between programs of one installation: 1.3 alone, and both ends show a certificate.

use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::version::TLS13;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// What TLS is set up with, as PEM.
#[derive(Clone)]
pub struct TlsFiles {
    /// Our own certificate, and those between it and its authority.
    pub certificate: Vec<u8>,
    /// Its key.
    pub key: Vec<u8>,
    /// Certificates of the authority that the other end must have one of.
    pub authority: Vec<u8>,
}

/// Why it cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// Not PEM, or without what it should hold.
    #[error("{0} cannot be read as PEM: {1}")]
    Pem(&'static str, String),
    /// Read, and of no use.
    #[error("{0}: {1}")]
    Unfit(&'static str, String),
}

const HTTP2: &[u8] = b"h2";

pub(crate) fn acceptor(files: &TlsFiles) -> Result<TlsAcceptor, TlsError> {
    let roots = Arc::new(roots(files)?);
    let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider())
        .build()
        .map_err(|error| TlsError::Unfit("the authority", error.to_string()))?;
    let (chain, key) = identity(files)?;
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])
        .map_err(|error| TlsError::Unfit("the ciphers", error.to_string()))?
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)
        .map_err(|error| TlsError::Unfit("the certificate", error.to_string()))?;
    config.alpn_protocols = vec![HTTP2.to_vec()];
    // A resumed session would outlive the certificate that began it.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

pub(crate) fn connector(files: &TlsFiles) -> Result<TlsConnector, TlsError> {
    let (chain, key) = identity(files)?;
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])
        .map_err(|error| TlsError::Unfit("the ciphers", error.to_string()))?
        .with_root_certificates(roots(files)?)
        .with_client_auth_cert(chain, key)
        .map_err(|error| TlsError::Unfit("the certificate", error.to_string()))?;
    config.alpn_protocols = vec![HTTP2.to_vec()];
    config.resumption = rustls::client::Resumption::disabled();
    Ok(TlsConnector::from(Arc::new(config)))
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// The system's authorities do not count: a certificate that anybody can buy proves no node.
fn roots(files: &TlsFiles) -> Result<RootCertStore, TlsError> {
    const WHAT: &str = "the authority";
    let mut roots = RootCertStore::empty();
    for certificate in certificates(WHAT, &files.authority)? {
        roots
            .add(certificate)
            .map_err(|error| TlsError::Unfit(WHAT, error.to_string()))?;
    }
    Ok(roots)
}

fn identity(
    files: &TlsFiles,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), TlsError> {
    let chain = certificates("the certificate", &files.certificate)?;
    let key = PrivateKeyDer::from_pem_slice(&files.key)
        .map_err(|error| TlsError::Pem("the key", error.to_string()))?;
    Ok((chain, key))
}

fn certificates(what: &'static str, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let read = read.map_err(|error| TlsError::Pem(what, error.to_string()))?;
    if read.is_empty() {
        return Err(TlsError::Pem(what, "it holds no certificate".into()));
    }
    Ok(read)
}

/// Shows nothing of the key.
impl std::fmt::Debug for TlsFiles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TlsFiles")
    }
}
