//! A proxy that speaks TLS in front of a daemon, as a team has one.
//!
//! The certificate in `fixtures/tls` is for localhost and 127.0.0.1, signed by itself until 2126:
//! `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 36500`, with
//! `subjectAltName` of both and `CA:FALSE`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

const CERTIFICATE: &[u8] = include_bytes!("../fixtures/tls/certificate.der");
const KEY: &[u8] = include_bytes!("../fixtures/tls/key.der");

/// The proxy. Connections are refused while it is shut.
#[derive(Debug)]
pub struct TlsFront {
    address: SocketAddr,
    listener: Option<TcpListener>,
    secured: Arc<AtomicUsize>,
    serving: JoinSet<()>,
}

impl TlsFront {
    /// Takes a free port of this machine. Nobody is served yet.
    ///
    /// # Panics
    /// When there is none.
    #[expect(clippy::expect_used, reason = "a test without its proxy cannot go on")]
    pub async fn bind() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        Self {
            address: listener.local_addr().expect("an address"),
            listener: Some(listener),
            secured: Arc::default(),
            serving: JoinSet::new(),
        }
    }

    /// Its URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("https://localhost:{}", self.address.port())
    }

    /// The file of the certificate, for `SSL_CERT_FILE`.
    #[must_use]
    pub fn certificate() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/tls/certificate.pem")
    }

    /// Forwards to an address from now on.
    ///
    /// # Panics
    /// When somebody took its port meanwhile.
    #[expect(clippy::expect_used, reason = "a test without its proxy cannot go on")]
    pub async fn open(&mut self, to: SocketAddr) {
        let listener = match self.listener.take() {
            Some(listener) => listener,
            None => TcpListener::bind(self.address).await.expect("its port"),
        };
        let forwarding = forward(listener, acceptor(), to, Arc::clone(&self.secured));
        self.serving.spawn(forwarding);
    }

    /// Closes its port and every connection.
    pub async fn shut(&mut self) {
        self.serving.shutdown().await;
    }

    /// Connections on which somebody took the certificate for good.
    #[must_use]
    pub fn secured(&self) -> usize {
        self.secured.load(Ordering::Relaxed)
    }
}

#[expect(clippy::expect_used, reason = "the fixture is ours")]
fn acceptor() -> TlsAcceptor {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from(CERTIFICATE)],
            PrivatePkcs8KeyDer::from(KEY).into(),
        )
        .expect("a certificate");
    TlsAcceptor::from(Arc::new(config))
}

async fn forward(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    to: SocketAddr,
    secured: Arc<AtomicUsize>,
) {
    let mut open = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let (acceptor, secured) = (acceptor.clone(), Arc::clone(&secured));
        open.spawn(async move {
            let Ok(mut stream) = acceptor.accept(stream).await else {
                return;
            };
            secured.fetch_add(1, Ordering::Relaxed);
            if let Ok(mut inner) = TcpStream::connect(to).await {
                let _closed = copy_bidirectional(&mut stream, &mut inner).await;
            }
        });
    }
}
