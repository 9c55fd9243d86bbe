//! TLS: whoever shows no certificate of the right authority asks nothing.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use skep_domain::Role;
use skep_grpc::protocol::auth_service_client::AuthServiceClient;
use skep_grpc::protocol::{ValidateTokenRequest, Validated};
use skep_grpc::{Destination, Listener, Server, TlsFiles, ask};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tonic::{Code, Status};

use crate::house::{House, Oddity};

struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        Self(CertifiedIssuer::self_signed(params, key).unwrap())
    }

    /// A certificate for this name, and whom its holder trusts.
    fn files(&self, name: &str, trusted: &Self) -> TlsFiles {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let made = params.signed_by(&key, &self.0).unwrap();
        TlsFiles {
            certificate: made.pem().into_bytes(),
            key: key.serialize_pem().into_bytes(),
            authority: trusted.0.pem().into_bytes(),
        }
    }
}

/// The service behind TLS.
async fn served(house: &House, files: &TlsFiles) -> (u16, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = Server::new(house.answering(&Oddity::default()));
    let mut serving = JoinSet::new();
    serving.spawn(server.run(Listener::tls(listener, files).unwrap()));
    (port, serving)
}

async fn validate(
    port: u16,
    host: &str,
    files: TlsFiles,
    token: &str,
) -> Result<Validated, Status> {
    let host = host.to_owned();
    let channel = ask(&Destination::Tls { host, port, files }).unwrap();
    let token = token.to_owned();
    let request = ValidateTokenRequest { token, proof: None };
    let answer = AuthServiceClient::new(channel)
        .validate_token(request)
        .await;
    answer.map(tonic::Response::into_inner)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_the_right_authority_opens_and_no_other_one_does() {
    let house = House::start().await;
    let pass = house.pass(Role::Operator).await;
    let (ours, others) = (Authority::new(), Authority::new());
    let (port, _serving) = served(&house, &ours.files("localhost", &ours)).await;
    let said = validate(port, "localhost", ours.files("node-2", &ours), &pass.token).await;
    assert_eq!(said.unwrap().role, "operator");
    let cases = [
        (
            "a client of another authority",
            "localhost",
            others.files("node-2", &ours),
        ),
        (
            "a server of another authority",
            "localhost",
            ours.files("node-2", &others),
        ),
        (
            "a server of another name",
            "127.0.0.1",
            ours.files("node-2", &ours),
        ),
    ];
    for (name, host, files) in cases {
        let refused = validate(port, host, files, &pass.token)
            .await
            .expect_err(name);
        // Cut off, not answered.
        let cut = [Code::Unavailable, Code::Unknown, Code::Cancelled];
        assert!(cut.contains(&refused.code()), "{name}: {refused:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_certificate_or_without_tls_nothing_is_answered() {
    let house = House::start().await;
    let ours = Authority::new();
    let (port, _serving) = served(&house, &ours.files("localhost", &ours)).await;
    // A client that checks the server and shows nothing of itself.
    let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let shown = anonymous(&ours, stream).await;
    assert!(shown.is_empty(), "{shown:?}");
    // HTTP/2 as if there were no TLS.
    let mut plain = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let _ = plain
        .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0")
        .await;
    let mut shown = Vec::new();
    let _ = plain.read_to_end(&mut shown).await;
    // At most an alert of TLS: content type 21.
    assert!(shown.first().is_none_or(|kind| *kind == 21), "{shown:?}");
}

/// What a server says to a client without a certificate, after the handshake.
async fn anonymous(authority: &Authority, stream: TcpStream) -> Vec<u8> {
    use std::sync::Arc;
    use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto, version};
    let mut roots = RootCertStore::empty();
    roots.add(authority.0.der().clone()).unwrap();
    let provider = Arc::new(crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&version::TLS13])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let Ok(mut stream) = connector
        .connect("localhost".try_into().unwrap(), stream)
        .await
    else {
        return Vec::new();
    };
    let _ = stream
        .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0")
        .await;
    let mut shown = Vec::new();
    let _ = stream.read_to_end(&mut shown).await;
    shown
}

#[test]
fn files_that_are_no_certificates_say_which() {
    type Spoil = fn(&mut TlsFiles);
    let ours = Authority::new();
    let good = ours.files("localhost", &ours);
    let cases: [(Spoil, &str); 4] = [
        (
            |files| files.certificate = b"nonsense".to_vec(),
            "the certificate cannot be read",
        ),
        (|files| files.key = Vec::new(), "the key cannot be read"),
        (
            |files| files.authority = b"-----BEGIN".to_vec(),
            "the authority cannot be read",
        ),
        (
            |files| files.key = KeyPair::generate().unwrap().serialize_pem().into(),
            "the certificate: ",
        ),
    ];
    for (spoil, says) in cases {
        let mut files = good.clone();
        spoil(&mut files);
        let host = "localhost".to_owned();
        let error = ask(&Destination::Tls {
            host,
            port: 1,
            files,
        })
        .unwrap_err();
        assert!(error.to_string().starts_with(says), "{error}");
    }
}
