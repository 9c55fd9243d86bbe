//! TLS to a daemon on another machine: 1.2 and 1.3, whom the system trusts, no way around it.

use std::io;
use std::sync::{Arc, OnceLock};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::origin::Origin;

/// Speaks TLS over a connection, to whom the origin names and nobody else.
pub(crate) async fn secure(origin: &Origin, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
    static CONFIG: OnceLock<Arc<ClientConfig>> = OnceLock::new();
    let config = if let Some(config) = CONFIG.get() {
        config
    } else {
        let read = tokio::task::spawn_blocking(config).await;
        let read = read.map_err(io::Error::other)??;
        CONFIG.get_or_init(|| Arc::new(read))
    };
    let name = ServerName::try_from(origin.host().to_owned()).map_err(io::Error::other)?;
    TlsConnector::from(Arc::clone(config))
        .connect(name, stream)
        .await
}

/// `SSL_CERT_FILE` and `SSL_CERT_DIR` name other authorities than the system's, as for most programs.
fn config() -> io::Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    let (added, _unreadable) = roots.add_parsable_certificates(found.certs);
    if added == 0 {
        return Err(io::Error::other(
            "no certificate authority is known: install this system's ca-certificates",
        ));
    }
    let mut config = of(roots)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// Speaks TLS as a program behind the daemon's proxy does: trusting what these certificates in PEM name and
/// nobody else.
///
/// # Errors
/// When they hold none that can be used, and when whoever answers is not whom the name says.
pub async fn secure_with(
    certificates: &str,
    name: &str,
    stream: TcpStream,
) -> io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    let found = CertificateDer::pem_slice_iter(certificates.as_bytes());
    let (added, _unreadable) = roots.add_parsable_certificates(found.filter_map(Result::ok));
    if added == 0 {
        return Err(io::Error::other("no certificate can be read there"));
    }
    let name = ServerName::try_from(name.to_owned()).map_err(io::Error::other)?;
    TlsConnector::from(Arc::new(of(roots)?))
        .connect(name, stream)
        .await
}

fn of(roots: RootCertStore) -> io::Result<ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13, &TLS12])
        .map_err(io::Error::other)?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}
