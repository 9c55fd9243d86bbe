//! Connections that are handed out are checked like calls.

use std::sync::Arc;

use skep_egress::{EgressError, Offer, Origin, Reach, Target};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::network::{Network, OUTSIDE, Script, ok};

fn origin(url: &str) -> Origin {
    Target::parse(url).unwrap().origin().clone()
}

fn network() -> Arc<Network> {
    let network = Network::default()
        .name("site.example", &[&[OUTSIDE]])
        .name("inside.example", &[&["10.0.0.1"]])
        .name("turns.example", &[&[OUTSIDE], &["127.0.0.1"]])
        .name("both.example", &[&[OUTSIDE, "127.0.0.1"]])
        .server(
            &format!("{OUTSIDE}:80"),
            [ok("one"), ok("two"), ok("three")],
        )
        .server("10.0.0.1:9000", [ok("inside"), ok("inside")])
        .server("127.0.0.1:80", [Script::Say("never".into())]);
    Arc::new(network)
}

#[tokio::test]
async fn n05_what_is_listed_beside_the_public_opens_nothing_else() {
    let network = network();
    let listed = vec![origin("http://inside.example:9000")];
    let egress = network.egress(Reach::PublicAnd(listed));
    for (url, opens) in [
        ("http://site.example", true),
        ("http://inside.example:9000", true),
        ("http://inside.example", false),
        ("https://inside.example:9000", false),
        ("http://10.0.0.1:9000", false),
        ("http://127.0.0.1", false),
        ("http://169.254.169.254", false),
        ("http://site.example:22", false),
    ] {
        assert_eq!(egress.tunnel(&origin(url)).await.is_ok(), opens, "{url}");
    }
    assert_eq!(
        network.dialled(),
        [format!("{OUTSIDE}:80"), "10.0.0.1:9000".into()]
    );
}

#[tokio::test]
async fn n05_an_opened_connection_leads_to_what_was_checked() {
    let network = network();
    let egress = network.egress(Reach::Public);
    let turns = origin("http://turns.example");
    assert!(egress.open(&turns, Offer::Http2).await.is_ok());
    for name in [
        "http://turns.example",
        "http://both.example",
        "http://nobody.example",
    ] {
        let error = egress
            .open(&origin(name), Offer::Http1)
            .await
            .err()
            .unwrap();
        assert!(
            matches!(error, EgressError::Forbidden { .. }),
            "{name}: {error}"
        );
    }
    assert_eq!(network.dialled(), [format!("{OUTSIDE}:80")]);
}

#[tokio::test]
async fn a_tunnel_says_nothing_by_itself() {
    let network = network();
    let egress = network.egress(Reach::Public);
    let mut wire = egress.tunnel(&origin("http://site.example")).await.unwrap();
    wire.write_all(b"GET / HTTP/1.0\r\n\r\n").await.unwrap();
    let mut said = String::new();
    wire.read_to_string(&mut said).await.unwrap();
    assert!(said.ends_with("one"), "{said}");
    assert_eq!(network.asked(), ["GET / HTTP/1.0\r\n\r\n"]);
}
