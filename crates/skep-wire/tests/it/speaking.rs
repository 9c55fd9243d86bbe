//! HTTP that can be read in two ways, and connections that say two things.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper_util::rt::{TokioExecutor, TokioIo};
use skep_wire::Reason;
use tokio::io::AsyncWriteExt;

use crate::stand::{KEY, Stand, read_all};
use crate::values::VALUE;

/// The rest of a head, and what follows it.
const TWO_WAYS: &[(&str, &str)] = &[
    (
        "both lengths",
        "content-length: 6\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nX",
    ),
    (
        "the other order",
        "transfer-encoding: chunked\r\ncontent-length: 6\r\n\r\n0\r\n\r\nX",
    ),
    (
        "two lengths",
        "content-length: 0\r\ncontent-length: 5\r\n\r\nGET /hidden HTTP/1.1\r\nhost: api.test\r\n\r\n",
    ),
    (
        "a list of lengths",
        "content-length: 0, 5\r\n\r\nGET /hidden HTTP/1.1\r\nhost: api.test\r\n\r\n",
    ),
    (
        "a signed length",
        "content-length: +5\r\n\r\nGET /hidden HTTP/1.1\r\nhost: api.test\r\n\r\n",
    ),
    (
        "another coding",
        "transfer-encoding: xchunked\r\n\r\nGET /hidden HTTP/1.1\r\nhost: api.test\r\n\r\n",
    ),
    (
        "a blank before the colon",
        "content-length : 5\r\n\r\nGET /hidden HTTP/1.1\r\nhost: api.test\r\n\r\n",
    ),
    (
        "a folded line",
        "x-a: 1\r\n content-length: 5\r\n\r\nGET /hidden HTTP/1.1\r\nhost: api.test\r\n\r\n",
    ),
    (
        "a length that is none",
        "transfer-encoding: chunked\r\n\r\nzz\r\nab\r\n0\r\n\r\n",
    ),
    (
        "a length too long",
        "transfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\nab\r\n0\r\n\r\n",
    ),
    (
        "a chunk too long for its length",
        "transfer-encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n",
    ),
];

#[tokio::test]
async fn n10_no_second_request_is_smuggled() {
    for (what, head) in TWO_WAYS {
        let stand = Stand::new().await;
        let said = stand
            .inside(&format!("POST /seen HTTP/1.1\r\nhost: api.test\r\n{head}"))
            .await;
        let lines: Vec<String> = stand.origin.got().into_iter().map(|got| got.line).collect();
        assert!(
            lines.iter().all(|line| line == "POST /seen"),
            "{what}: {lines:?} {said}"
        );
        assert!(lines.len() <= 1, "{what}: {lines:?}");
        for got in stand.origin.got() {
            let both = got.headers.contains_key("content-length")
                && got.headers.contains_key("transfer-encoding");
            assert!(!both, "{what}: {got:?}");
        }
    }
}

#[tokio::test]
async fn n10_a_request_for_two_hosts_is_for_none() {
    for headers in [
        "host: api.test\r\nhost: evil.test\r\n",
        "host: api.test\r\nhost: api.test\r\n",
        "host: evil.test\r\n",
        "host: api.test:8443\r\n",
        "host: api.test@evil.test\r\n",
        "host: api.test/x\r\n",
        "host:\r\n",
        "",
    ] {
        let stand = Stand::new().await;
        let text =
            format!("GET /echo HTTP/1.1\r\n{headers}connection: close\r\nx-api-key: {KEY}\r\n\r\n");
        let said = stand.inside(&text).await;
        assert!(said.starts_with("HTTP/1.1 4"), "{headers:?}: {said}");
        assert_eq!(stand.origin.got().len(), 0, "{headers:?}");
        assert_eq!(stand.vault.sent_to(), [""; 0]);
    }
}

#[tokio::test]
async fn n10_an_absolute_url_and_its_host_are_one() {
    let stand = Stand::new().await;
    let password = stand.password();
    let text = format!(
        "GET http://api.test/echo HTTP/1.1\r\nhost: evil.test\r\nconnection: close\r\n\
         proxy-authorization: {password}\r\n\r\n"
    );
    let said = stand.say(&text).await;
    assert!(said.starts_with("HTTP/1.1 421"), "{said}");
    let text = format!(
        "CONNECT api.test:443 HTTP/1.1\r\nhost: evil.test:443\r\nconnection: close\r\n\
         proxy-authorization: {password}\r\n\r\n"
    );
    let said = stand.say(&text).await;
    assert!(said.starts_with("HTTP/1.1 400"), "{said}");
    assert_eq!(stand.origin.got().len(), 0);
}

#[tokio::test]
async fn x03_an_absolute_https_url_is_served_over_tls() {
    let stand = Stand::new().await;
    let text = format!(
        "GET https://api.test/echo HTTP/1.1\r\nhost: api.test\r\nconnection: close\r\n\
         x-api-key: {KEY}\r\nproxy-authorization: {}\r\n\r\n",
        stand.password()
    );
    let said = stand.say(&text).await;
    assert!(said.starts_with("HTTP/1.1 200"), "{said}");
    let got = stand.origin.only();
    assert_eq!(
        (got.header("x-api-key"), got.header("proxy-authorization")),
        (VALUE, "")
    );
}

#[tokio::test]
async fn n10_tls_that_names_another_host_is_closed() {
    let stand = Stand::new().await;
    for other in ["other.test", "evil.test"] {
        let tunnel = stand.tunnel("api.test", other, "http/1.1").await;
        assert!(tunnel.is_err(), "{other}");
    }
    tokio::task::yield_now().await;
    assert!(stand.events.refused().contains(&Reason::HostMismatch));
    assert_eq!(stand.network.dialled.lock().unwrap().len(), 0);
}

#[tokio::test]
async fn x03_requests_of_one_connection_are_each_judged() {
    let stand = Stand::new().await;
    let text = format!(
        "GET /1 HTTP/1.1\r\nhost: api.test\r\nx-api-key: {KEY}\r\n\r\n\
         GET /2 HTTP/1.1\r\nhost: api.test\r\nx-other: {KEY}\r\n\r\n\
         GET /3 HTTP/1.1\r\nhost: evil.test\r\nx-api-key: {KEY}\r\n\r\n\
         GET /4 HTTP/1.1\r\nhost: api.test\r\nconnection: close\r\n\r\n"
    );
    let said = stand.inside(&text).await;
    let statuses: Vec<&str> = said
        .lines()
        .filter_map(|line| Some(line.split_once("HTTP/1.1 ")?.1))
        .collect();
    let statuses: Vec<&str> = statuses
        .into_iter()
        .filter(|line| line.len() > 3)
        .map(|line| &line[..3])
        .collect();
    assert_eq!(statuses, ["200", "403", "421", "200"], "{said}");
    let lines: Vec<String> = stand.origin.got().into_iter().map(|got| got.line).collect();
    assert_eq!(lines, ["GET /1", "GET /4"]);
    assert_eq!(
        stand.network.dialled.lock().unwrap().len(),
        1,
        "the connection is used again"
    );
}

#[tokio::test]
async fn x03_requests_side_by_side_over_http2_are_each_judged() {
    let stand = Stand::new().await;
    let stream = stand.tunnel("api.test", "api.test", "h2").await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(async move {
        let _ended = connection.await;
    });
    let ask = |uri: &str, name: &'static str| {
        let mut sender = sender.clone();
        let request = Request::post(uri)
            .header(name, KEY)
            .body(Full::new(Bytes::from("body")))
            .unwrap();
        async move {
            let answer = sender.send_request(request).await.unwrap();
            let status = answer.status().as_u16();
            let body = answer.into_body().collect().await.unwrap().to_bytes();
            (status, String::from_utf8_lossy(&body).into_owned())
        }
    };
    let (good, misplaced, elsewhere, query) = tokio::join!(
        ask("https://api.test/echo", "x-api-key"),
        ask("https://api.test/echo", "x-other"),
        ask("https://evil.test/echo", "x-api-key"),
        ask("https://api.test/?__skep_key__", "x-api-key"),
    );
    assert_eq!(
        (good.0, misplaced.0, elsewhere.0, query.0),
        (200, 403, 421, 403)
    );
    crate::values::assert_no_value("an answer over HTTP/2", &good.1);
    assert!(good.1.contains(&format!("x-api-key: {KEY}")), "{}", good.1);
    let got = stand.origin.only();
    assert_eq!(
        (got.header("x-api-key"), got.body.as_str(), got.is_http2),
        (VALUE, "body", true)
    );
}

#[tokio::test]
async fn n12_a_head_too_long_is_refused() {
    let stand = Stand::new().await;
    for head in [
        format!("x-long: {}\r\n", "a".repeat(70 << 10)),
        "x-many: 1\r\n".repeat(101),
    ] {
        let mut stream = stand
            .tunnel("api.test", "api.test", "http/1.1")
            .await
            .unwrap();
        let text =
            format!("GET /echo HTTP/1.1\r\nhost: api.test\r\nconnection: close\r\n{head}\r\n");
        let _closed = stream.write_all(text.as_bytes()).await;
        let said = read_all(&mut stream).await;
        assert!(said.starts_with("HTTP/1.1 431"), "{said}");
        assert_eq!(stand.origin.got().len(), 0);
    }
}
