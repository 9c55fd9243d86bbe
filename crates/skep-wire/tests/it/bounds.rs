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
    let first = stand.tunnel("api.test", "api.test", "http/1.1").await;
    let second = stand.tunnel("api.test", "api.test", "http/1.1").await;
    assert!(first.is_ok() && second.is_ok());
    let (_third, said) = connect(&stand).await;
    assert!(said.starts_with("HTTP/1.1 503"), "{said}");
    assert_eq!(stand.events.refused(), [Reason::Exhausted]);
    // One that is gone leaves its place.
    drop(second);
    let mut answers = Vec::new();
    for _ in 0..100 {
        let (stream, said) = connect(&stand).await;
        answers.push(said.starts_with("HTTP/1.1 200"));
        if answers.ends_with(&[true]) {
            break;
        }
        drop(stream);
    }
    assert!(answers.ends_with(&[true]), "{answers:?}");
    drop(first);
}

/// Asks for a tunnel, and gives the head of the answer.
async fn connect(stand: &Stand) -> (TcpStream, String) {
    let mut stream = stand.raw().await;
    let password = stand.password();
    let ask = format!("CONNECT api.test:443 HTTP/1.1\r\nproxy-authorization: {password}\r\n\r\n");
    stream.write_all(ask.as_bytes()).await.unwrap();
    let mut said = Vec::new();
    while !said.ends_with(b"\r\n\r\n") {
        said.push(stream.read_u8().await.unwrap());
    }
    (stream, String::from_utf8(said).unwrap())
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
    let first = stand.tunnel("api.test", "api.test", "http/1.1").await;
    let held = stand.tunnel("api.test", "api.test", "http/1.1").await;
    assert!(first.is_ok() && held.is_ok());
    let address = second.address().unwrap();
    let url = second.base_url("api", address).unwrap();
    let (_, path) = url
        .strip_prefix("http://")
        .unwrap()
        .split_once('/')
        .unwrap();
    let mut third = TcpStream::connect(address).await.unwrap();
    let ask = format!("GET /{path}/echo HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    third.write_all(ask.as_bytes()).await.unwrap();
    assert!(read_all(&mut third).await.starts_with("HTTP/1.1 503"));
    assert_eq!(stand.events.refused(), [Reason::Exhausted]);
}

/// As many as somebody without a password opened, who wants to starve a lease.
const STRANGERS: usize = 200;

#[tokio::test]
async fn n12_strangers_take_no_place_of_a_lease() {
    let limits = Limits {
        connections: 2,
        strangers: 4,
        // Far away: it is their number that makes them go.
        stranger_time: Duration::from_mins(10),
        head_time: Duration::from_mins(10),
        ..Limits::default()
    };
    let stand = Stand::with(terms(rules()), limits).await;
    let mut idle = Vec::new();
    for nth in 0..STRANGERS {
        let mut stream = stand.raw().await;
        if nth % 2 == 0 {
            stream
                .write_all(b"CONNECT api.test:443 HTTP/1.1\r\nhost: ")
                .await
                .unwrap();
        }
        idle.push(stream);
    }
    let said = stand.ask("GET /echo", "", "").await;
    assert!(said.starts_with("HTTP/1.1 200"), "{said}");
    // The oldest went first.
    for stream in &mut idle[..STRANGERS - 5] {
        assert_eq!(read_all(stream).await, "");
    }
}

#[tokio::test]
async fn n12_strangers_have_little_time_and_who_is_known_has_more() {
    let limits = Limits {
        stranger_time: Duration::from_millis(300),
        ..Limits::default()
    };
    let stand = Stand::with(terms(rules()), limits).await;
    let mut known = stand
        .tunnel("api.test", "api.test", "http/1.1")
        .await
        .unwrap();
    let mut stranger = stand.raw().await;
    let wrong = "CONNECT api.test:443 HTTP/1.1\r\nproxy-authorization: Basic c2tlcDpub25l\r\n\r\n";
    let mut guessing = stand.raw().await;
    guessing.write_all(wrong.as_bytes()).await.unwrap();
    assert!(read_all(&mut guessing).await.starts_with("HTTP/1.1 407"));
    assert_eq!(read_all(&mut stranger).await, "");
    let ask = "GET /echo HTTP/1.1\r\nhost: api.test\r\nconnection: close\r\n\r\n";
    known.write_all(ask.as_bytes()).await.unwrap();
    let mut said = String::new();
    let _closed = known.read_to_string(&mut said).await;
    assert!(said.starts_with("HTTP/1.1 200"), "{said}");
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
