//! Upgrades to `WebSocket`, tunnels that go through unread, and what is refused of both.

use skep_wire::{Hosts, Others, Outcome, Reason};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::clients::curl;
use crate::stand::{KEY, Stand, read_head};
use crate::values::{VALUE, assert_no_value};

const HANDSHAKE: &str = "GET /ws HTTP/1.1\r\nhost: api.test\r\nupgrade: websocket\r\nconnection: Upgrade\r\n\
                         sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n\
                         sec-websocket-extensions: permessage-deflate\r\n";

#[tokio::test]
async fn x03_a_websocket_has_the_value_in_its_handshake_and_none_in_its_frames() {
    let stand = Stand::new().await;
    let mut stream = stand
        .tunnel("api.test", "api.test", "http/1.1")
        .await
        .unwrap();
    let text = format!("{HANDSHAKE}authorization: Bearer {KEY}\r\n\r\n");
    stream.write_all(text.as_bytes()).await.unwrap();
    let head = read_head(&mut stream).await;
    assert!(head.starts_with("HTTP/1.1 101"), "{head}");
    assert!(
        head.to_ascii_lowercase().contains("upgrade: websocket"),
        "{head}"
    );
    // "[Bearer " and what is as long as the value, then the extensions that were asked for: none.
    let mut hello = vec![0; "[Bearer ".len() + VALUE.len() + "|]".len()];
    stream.read_exact(&mut hello).await.unwrap();
    let hello = String::from_utf8(hello).unwrap();
    assert_no_value("a frame", &hello);
    assert!(
        hello.starts_with("[Bearer __skep_key__") && hello.ends_with("|]"),
        "{hello}"
    );
    stream.write_all(b"ping").await.unwrap();
    let mut pong = [0; 4];
    stream.read_exact(&mut pong).await.unwrap();
    assert_eq!(&pong, b"ping");
    let got = stand.origin.only();
    assert_eq!(got.header("authorization"), format!("Bearer {VALUE}"));
    assert!(!got.is_http2);
}

#[tokio::test]
async fn x03_no_other_upgrade_is_asked_for() {
    let stand = Stand::new().await;
    for headers in [
        "upgrade: h2c\r\nconnection: upgrade, http2-settings\r\nhttp2-settings: AAMAAABk\r\n",
        "upgrade: websocket\r\n",
    ] {
        let said = stand.ask("GET /echo", headers, "").await;
        assert!(said.contains("200 OK"), "{said}");
    }
    for got in stand.origin.got() {
        assert_eq!(
            (got.header("upgrade"), got.header("connection")),
            ("", ""),
            "{got:?}"
        );
    }
    let said = stand.ask("GET /ws", "", "").await;
    assert!(!said.contains("HTTP/1.1 101"), "{said}");
}

#[tokio::test]
async fn other_hosts_go_through_untouched_where_the_lease_says_so() {
    let named = Others::Tunnel(vec![Hosts::parse("evil.test").unwrap()]);
    for others in [named, Others::TunnelAll] {
        let stand = Stand::with_others(others).await;
        let said = curl(
            &stand,
            &[
                "--insecure",
                "-H",
                "x-api-key: __skep_key__",
                "https://evil.test/echo",
            ],
        )
        .await;
        let got = stand.origin.only();
        assert_eq!(
            got.header("x-api-key"),
            KEY,
            "the placeholder is all that anybody gets: {said}"
        );
        assert_eq!(stand.vault.asked.lock().unwrap().len(), 0);
    }
    let stand = Stand::with_others(Others::Tunnel(vec![])).await;
    let said = curl(&stand, &["--insecure", "https://evil.test/echo"]).await;
    assert!(said.contains("403"), "{said}");
}

#[tokio::test]
async fn what_happened_is_recorded_with_names_and_bytes_and_no_value() {
    let stand = Stand::with_others(Others::TunnelAll).await;
    curl(
        &stand,
        &[
            "-d",
            "hello",
            "-H",
            "x-api-key: __skep_key__",
            "https://api.test/echo?q=1",
        ],
    )
    .await;
    curl(&stand, &["--insecure", "https://evil.test/echo"]).await;
    curl(&stand, &["https://api.test/__skep_key__"]).await;
    let events = stand.events.all(5).await;
    assert_no_value("the record", &format!("{events:?}"));
    let post = events.iter().find(|event| event.method == "POST").unwrap();
    assert_eq!(
        (post.host.as_str(), post.path.as_str(), post.status),
        ("api.test:443", "/echo", 200)
    );
    assert_eq!(
        (post.secrets.as_slice(), post.sent, post.outcome),
        (&["key".to_owned()][..], 5, Outcome::Answered)
    );
    assert!(post.received > 20 && post.scrubbed == 1, "{post:?}");
    let refused = events
        .iter()
        .find(|event| event.outcome == Outcome::Refused(Reason::PlaceholderInUrl));
    assert_eq!(refused.unwrap().status, 403);
    let tunnel = events
        .iter()
        .find(|event| event.outcome == Outcome::Tunnelled)
        .unwrap();
    assert_eq!(tunnel.host, "evil.test:443");
    assert!(tunnel.sent > 100 && tunnel.received > 100, "{tunnel:?}");
}
