//! Who may speak through a lease, and for how long.

use std::time::Duration;

use skep_wire::{Limits, Listen, Reason, Terms, WireError};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpStream, UnixStream};

use crate::stand::{Events, KEY, Stand, Vault, read_all, rules, terms};

const ASK: &str = "GET http://api.test/echo HTTP/1.1\r\nhost: api.test\r\nconnection: close\r\n";

#[tokio::test]
async fn x03_nobody_speaks_without_the_password_of_the_lease() {
    use base64ct::{Base64, Encoding};
    let stand = Stand::new().await;
    let right = stand.password();
    let basic = |text: &str| {
        format!(
            "proxy-authorization: Basic {}\r\n",
            Base64::encode_string(text.as_bytes())
        )
    };
    let whole = String::from_utf8(Base64::decode_vec(&right[6..]).unwrap()).unwrap();
    let longer = format!("{whole}0");
    for headers in [
        String::new(),
        basic("skep:"),
        basic("skep:00000000000000000000000000000000"),
        basic(&whole.replace("skep:", "other:")),
        basic(&whole[..whole.len() - 1]),
        basic(&longer),
        basic(&whole.replace(':', "")),
        format!("proxy-authorization: Bearer {}\r\n", &whole[5..]),
        format!("proxy-authorization: {right}\r\nproxy-authorization: {right}\r\n"),
        format!("authorization: {right}\r\n"),
    ] {
        let said = stand.say(&format!("{ASK}{headers}\r\n")).await;
        assert!(said.starts_with("HTTP/1.1 407"), "{headers}: {said}");
        assert!(said.contains("proxy-authenticate: Basic"), "{said}");
        let connect = "CONNECT api.test:443 HTTP/1.1\r\nconnection: close\r\n";
        let said = stand.say(&format!("{connect}{headers}\r\n")).await;
        assert!(said.starts_with("HTTP/1.1 407"), "{headers}: {said}");
    }
    let refused = stand.events.refused();
    assert_eq!(refused.len(), 20);
    assert!(
        refused
            .iter()
            .all(|reason| *reason == Reason::Unauthenticated)
    );
    let said = stand
        .say(&format!("{ASK}proxy-authorization: {right}\r\n\r\n"))
        .await;
    assert!(said.starts_with("HTTP/1.1 200"), "{said}");
    assert_eq!(stand.origin.got().len(), 1);
}

#[tokio::test]
async fn x03_one_leases_password_opens_no_other() {
    let stand = Stand::new().await;
    let (vault, events) = (
        std::sync::Arc::new(Vault::default()),
        std::sync::Arc::new(Events::default()),
    );
    let second = stand
        .wire
        .lease(terms(rules()), vault, events)
        .await
        .unwrap();
    let mut stream = TcpStream::connect(second.address().unwrap()).await.unwrap();
    let text = format!("{ASK}proxy-authorization: {}\r\n\r\n", stand.password());
    stream.write_all(text.as_bytes()).await.unwrap();
    assert!(read_all(&mut stream).await.starts_with("HTTP/1.1 407"));
}

#[tokio::test]
async fn x03_nothing_works_once_a_lease_has_ended() {
    let stand = Stand::new().await;
    let mut tunnel = stand
        .tunnel("api.test", "api.test", "http/1.1")
        .await
        .unwrap();
    let base = stand.lease.base_url("api", stand.address()).unwrap();
    assert!(base.starts_with("http://127.0.0.1:"));
    stand.lease.end();
    let text = format!("GET /echo HTTP/1.1\r\nhost: api.test\r\nx-api-key: {KEY}\r\n\r\n");
    let _broken = tunnel.write_all(text.as_bytes()).await;
    let mut said = Vec::new();
    let _broken = tokio::io::AsyncReadExt::read_to_end(&mut tunnel, &mut said).await;
    assert_eq!(said, b"");
    assert!(TcpStream::connect(stand.address()).await.is_err());
    assert_eq!(stand.origin.got().len(), 0);
    assert_eq!(stand.vault.sent_to(), [""; 0]);
}

#[tokio::test]
async fn x03_a_lease_ends_by_itself() {
    let terms = Terms::new("short", rules(), Duration::from_millis(50));
    let stand = Stand::with(terms, Limits::default()).await;
    let mut stream = stand.raw().await;
    assert_eq!(read_all(&mut stream).await, "");
    assert!(TcpStream::connect(stand.address()).await.is_err());
}

#[tokio::test]
async fn a_unix_socket_serves_alike_and_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wire.sock");
    let terms = terms(rules()).listen(Listen::Both(path.clone()));
    let stand = Stand::with(terms, Limits::default()).await;
    assert_eq!(
        std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let mut stream = UnixStream::connect(&path).await.unwrap();
    stream
        .write_all(format!("{ASK}\r\n").as_bytes())
        .await
        .unwrap();
    assert!(
        read_all(&mut stream).await.starts_with("HTTP/1.1 407"),
        "the password is asked for here too"
    );
    let mut stream = UnixStream::connect(&path).await.unwrap();
    let text = format!("{ASK}proxy-authorization: {}\r\n\r\n", stand.password());
    stream.write_all(text.as_bytes()).await.unwrap();
    assert!(read_all(&mut stream).await.starts_with("HTTP/1.1 200"));
    stand.lease.end();
    assert!(!path.exists());
}

#[tokio::test]
async fn a_path_that_is_taken_is_no_socket() {
    let stand = Stand::new().await;
    let path = stand.folder.path().join("taken");
    std::fs::write(&path, "mine").unwrap();
    let terms = terms(rules()).listen(Listen::Unix(path.clone()));
    let made = stand
        .wire
        .lease(terms, stand.vault.clone(), stand.events.clone())
        .await;
    assert!(matches!(made.err(), Some(WireError::Io { .. })));
    assert_eq!(std::fs::read_to_string(path).unwrap(), "mine");
}

#[tokio::test]
async fn n12_leases_are_bounded_and_make_room_when_they_end() {
    let limits = Limits {
        leases: 2,
        ..Limits::default()
    };
    let stand = Stand::with(terms(rules()), limits).await;
    let more = || {
        stand
            .wire
            .lease(terms(rules()), stand.vault.clone(), stand.events.clone())
    };
    let second = more().await.unwrap();
    assert!(matches!(more().await.err(), Some(WireError::Full(2))));
    drop(second);
    more().await.unwrap();
}
