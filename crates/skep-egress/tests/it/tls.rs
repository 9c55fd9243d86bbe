//! Who answers over TLS must show that it is who was asked for.
//!
//! The certificate in `fixtures` is for good.example and 93.184.216.34, signed by itself until 2126:
//! `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 36500`, with
//! `subjectAltName` of both and `CA:FALSE`.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use skep_egress::{Egress, EgressError, Reach, Request, Secret, Target};
use tokio_rustls::TlsAcceptor;

use crate::network::{Network, OUTSIDE, Script, moved};

const CERTIFICATE: &[u8] = include_bytes!("../fixtures/certificate.der");
const KEY: &[u8] = include_bytes!("../fixtures/key.der");

pub(crate) fn acceptor() -> TlsAcceptor {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from(CERTIFICATE)],
            PrivatePkcs8KeyDer::from(KEY).into(),
        )
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

fn network() -> Arc<Network> {
    let answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi";
    let network = Network::default()
        .name("good.example", &[&[OUTSIDE]])
        .name("evil.example", &[&[OUTSIDE]])
        .server(&format!("{OUTSIDE}:443"), [Script::Tls(answer.into())]);
    Arc::new(network)
}

fn trusting(network: &Arc<Network>) -> Egress {
    network
        .egress(Reach::Public)
        .trusting(vec![CERTIFICATE.to_vec()])
}

fn get(url: &str) -> Request {
    Request::get(Target::parse(url).unwrap())
}

#[tokio::test]
async fn a_name_and_an_address_are_shown_by_their_certificate() {
    for host in ["good.example", OUTSIDE] {
        let network = network();
        let request = get(&format!("https://{host}/"));
        let request = request
            .secret("authorization", &Secret::bearer("hunter2"))
            .unwrap();
        let answer = trusting(&network).send(&request).await.unwrap();
        assert_eq!(answer.body(), "hi");
        assert!(network.asked()[0].contains("authorization: Bearer hunter2"));
    }
}

#[tokio::test]
async fn n05_a_server_that_is_somebody_else_gets_no_request() {
    let network = network();
    let wrong_name = trusting(&network).send(&get("https://evil.example/")).await;
    let network = self::network();
    let nobody_signed = network
        .egress(Reach::Public)
        .send(&get("https://good.example/"))
        .await;
    for error in [wrong_name, nobody_signed] {
        let error = error.unwrap_err();
        assert!(matches!(error, EgressError::Tls { .. }), "{error}");
    }
    assert_eq!(network.asked(), [""; 0]);
}

#[tokio::test]
async fn n05_no_redirect_leads_out_of_tls() {
    let Script::Say(away) = moved(302, "http://good.example/") else {
        return;
    };
    let network = Network::default()
        .name("good.example", &[&[OUTSIDE]])
        .server(&format!("{OUTSIDE}:443"), [Script::Tls(away)]);
    let network = Arc::new(network);
    let error = trusting(&network)
        .send(&get("https://good.example/"))
        .await
        .unwrap_err();
    assert!(matches!(error, EgressError::Redirect(_)), "{error}");
    assert_eq!(network.dialled(), [format!("{OUTSIDE}:443")]);
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_is_told_apart() {
    let network = Network::default()
        .name("good.example", &[&[OUTSIDE]])
        .server(
            &format!("{OUTSIDE}:443"),
            [Script::Greet("HTTP/1.1 400 Plain\r\n\r\n".into())],
        );
    let network = Arc::new(network);
    let error = trusting(&network)
        .send(&get("https://good.example/"))
        .await
        .unwrap_err();
    assert!(matches!(error, EgressError::Tls { .. }), "{error}");
}
