//! Bounds: what is slow, too much or too many ends.

use std::time::Duration;

use skep_wire::{Limits, Others, Reason};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::stand::{KEY, Stand, read_all, rules, terms};

fn quick() -> Limits {
    Limits {
        head_time: Duration::from_secs(1),
        answer_time: Duration::from_millis(500),
        idle_time: Duration::from_millis(500),
        ..Limits::default()
    }
}

#[tokio::test]
async fn n11_a_head_or_a_handshake_that_does_not_come_is_not_waited_for() {
    let stand = Stand::with(terms(rules()), quick()).await;
    let mut half = stand.raw().await;
    half.write_all(b"GET http://api.test/ HTTP/1.1\r\nhost: ")
        .await
        .unwrap();
    read_all(&mut half).await;
    let password = stand.password();
    for begun in [&b""[..], b"\x16\x03\x01"] {
        let mut stream = stand.raw().await;
        let ask =
            format!("CONNECT api.test:443 HTTP/1.1\r\nproxy-authorization: {password}\r\n\r\n");
        stream.write_all(ask.as_bytes()).await.unwrap();
        stream.write_all(begun).await.unwrap();
        assert!(read_all(&mut stream).await.starts_with("HTTP/1.1 200"));
    }
    let mut inside = stand
        .tunnel("api.test", "api.test", "http/1.1")
        .await
        .unwrap();
    inside.write_all(b"GET / HT").await.unwrap();
    let mut said = Vec::new();
    let _broken = inside.read_to_end(&mut said).await;
}

#[tokio::test]
async fn n11_a_body_that_stands_still_is_broken_off() {
    let stand = Stand::with(terms(rules()), quick()).await;
    for rest in [
        "content-length: 10\r\n\r\nhalf",
        "transfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n",
    ] {
        let text = format!("POST /echo HTTP/1.1\r\nhost: api.test\r\n{rest}");
        let said = stand.inside(&text).await;
        assert!(said.starts_with("HTTP/1.1 50") || said.is_empty(), "{said}");
        assert!(
            stand.events.refused().contains(&Reason::BrokenOff),
            "{rest}"
        );
    }
    assert_eq!(stand.vault.sent_to(), [""; 0]);
}

#[tokio::test]
async fn n11_a_tunnel_that_stands_still_is_closed() {
    let stand = Stand::with(terms(rules()).others(Others::TunnelAll), quick()).await;
    let mut stream = stand.raw().await;
    let ask = format!(
        "CONNECT evil.test:443 HTTP/1.1\r\nproxy-authorization: {}\r\n\r\n",
        stand.password()
    );
    stream.write_all(ask.as_bytes()).await.unwrap();
    assert!(read_all(&mut stream).await.starts_with("HTTP/1.1 200"));
    assert_eq!(stand.events.refused(), [Reason::BrokenOff]);
}

#[tokio::test]
async fn n12_connections_are_bounded_and_tunnels_count() {
    let limits = Limits {
        connections: 2,
        ..Limits::default()
    };
    let stand = Stand::with(terms(rules()), limits).await;
    let first = stand
        .tunnel("api.test", "api.test", "http/1.1")
        .await
        .unwrap();
    let second = stand.raw().await;
    // The second one is known to be there once a third one is turned away.
    let mut third = stand.raw().await;
    assert_eq!(read_all(&mut third).await, "");
    assert_eq!(stand.events.refused(), [Reason::Exhausted]);
    drop((first, second));
}

#[tokio::test]
async fn n12_connections_of_all_leases_are_bounded_together() {
    let limits = Limits {
        connections_together: 2,
        ..Limits::default()
    };
    let stand = Stand::with(terms(rules()), limits).await;
    let second = stand
        .wire
        .lease(terms(rules()), stand.vault.clone(), stand.events.clone())
        .await
        .unwrap();
    let first = stand
        .tunnel("api.test", "api.test", "http/1.1")
        .await
        .unwrap();
    let held = stand.raw().await;
    let mut third = TcpStream::connect(second.address().unwrap()).await.unwrap();
    assert_eq!(read_all(&mut third).await, "");
    assert_eq!(stand.events.refused(), [Reason::Exhausted]);
    drop((first, held));
}

#[tokio::test]
async fn n12_a_lease_has_so_many_bytes() {
    let limits = Limits {
        bytes: 1000,
        ..Limits::default()
    };
    let stand = Stand::with(terms(rules()), limits).await;
    let said = stand.ask("GET /echo-big", "", "").await;
    assert!(said.len() < 2000, "{}", said.len());
    assert!(stand.events.refused().contains(&Reason::Exhausted));
    let said = stand
        .ask("POST /echo", &format!("x-api-key: {KEY}\r\n"), "more")
        .await;
    assert!(!said.contains("200 OK"), "{said}");
}
