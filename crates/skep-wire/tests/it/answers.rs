//! Whatever an origin says back, the program gets no value.

use skep_wire::Reason;

use crate::stand::{KEY, Stand};
use crate::values::{PLAIN, assert_no_value};

const BEARER: &str = "authorization: Bearer __skep_key__\r\n";

/// The value without what cannot stand in a URL or in a name.
async fn plain() -> Stand {
    let stand = Stand::new().await;
    stand
        .vault
        .values
        .lock()
        .unwrap()
        .insert("key".into(), PLAIN.into());
    stand
}

#[tokio::test]
async fn x01_an_echo_gives_the_placeholder_back() {
    for path in [
        "/echo",
        "/echo-chunked",
        "/echo-error",
        "/echo-big",
        "/echo-header",
        "/echo-trailers",
    ] {
        let stand = plain().await;
        let headers = format!("{BEARER}te: trailers\r\n");
        let said = stand.ask(&format!("GET {path}"), &headers, "").await;
        assert!(said.starts_with("HTTP/1.1 "), "{said}");
        assert_no_value(path, &said);
        assert!(said.contains("__skep_key__"), "{path}: {said}");
        assert_eq!(
            stand.origin.only().header("authorization"),
            format!("Bearer {PLAIN}")
        );
        let events = stand.events.0.lock().unwrap();
        let scrubbed: u64 = events.iter().map(|event| event.scrubbed).sum();
        assert!(scrubbed >= 1, "{path}: {events:?}");
    }
}

#[tokio::test]
async fn x01_a_location_that_holds_a_value_leads_nowhere_with_it() {
    let stand = plain().await;
    let said = stand.ask("GET /echo-header", BEARER, "").await;
    assert!(
        said.contains("location: https://evil.test/?token=__skep_key__"),
        "{said}"
    );
}

#[tokio::test]
async fn x01_a_header_named_like_a_value_is_left_out() {
    let stand = plain().await;
    let said = stand.ask("GET /echo-in-name", BEARER, "").await;
    assert!(said.contains("see its head"), "{said}");
    assert_no_value("a header's name", &said);
}

#[tokio::test]
async fn x01_an_origin_that_remembers_is_looked_through_without_a_placeholder_too() {
    let stand = Stand::new().await;
    stand.ask("GET /echo", BEARER, "").await;
    let said = stand.ask("GET /echo-last", "", "").await;
    assert!(
        said.contains(&format!("authorization: Bearer {KEY}")),
        "{said}"
    );
    assert_no_value("a page without a placeholder", &said);
    assert_eq!(
        stand.vault.sent_to().len(),
        1,
        "to look through an answer is no use"
    );
}

#[tokio::test]
async fn x01_what_went_to_one_host_is_taken_out_of_anothers_answers() {
    let stand = Stand::new().await;
    stand.ask("GET /echo", BEARER, "").await;
    let mut stream = stand
        .tunnel("other.test", "other.test", "http/1.1")
        .await
        .unwrap();
    let text = "GET /echo-last HTTP/1.1\r\nhost: other.test\r\nconnection: close\r\n\r\n";
    tokio::io::AsyncWriteExt::write_all(&mut stream, text.as_bytes())
        .await
        .unwrap();
    let said = crate::stand::read_all(&mut stream).await;
    assert!(said.contains(KEY), "{said}");
    assert_no_value("another host's answer", &said);
}

#[tokio::test]
async fn x01_basic_credentials_are_taken_out_as_well() {
    let stand = Stand::new().await;
    // user:__skep_key__
    let said = stand
        .ask(
            "GET /echo",
            "authorization: Basic dXNlcjpfX3NrZXBfa2V5X18=\r\n",
            "",
        )
        .await;
    assert_no_value("Basic credentials", &said);
    assert!(said.contains(KEY), "{said}");
}

#[tokio::test]
async fn x01_a_compressed_answer_is_not_asked_for_and_not_let_through() {
    for how in ["gzip", "br", "zstd", "deflate"] {
        let stand = Stand::new().await;
        let headers = format!("{BEARER}accept-encoding: gzip, br, zstd\r\n");
        let said = stand.ask(&format!("GET /packed/{how}"), &headers, "").await;
        assert_eq!(stand.origin.only().header("accept-encoding"), "identity");
        assert!(said.contains("\"reason\":\"answer\""), "{how}: {said}");
        assert_no_value(how, &said);
    }
    let stand = Stand::new().await;
    let said = stand.ask("GET /packed/identity", BEARER, "").await;
    assert!(said.contains(KEY), "{said}");
}

#[tokio::test]
async fn x01_no_part_of_an_answer_is_asked_for() {
    let stand = Stand::new().await;
    let headers = format!("{BEARER}range: bytes=0-9\r\nif-range: x\r\n");
    stand.ask("GET /echo", &headers, "").await;
    let got = stand.origin.only();
    assert_eq!((got.header("range"), got.header("if-range")), ("", ""));
}

#[tokio::test]
async fn x01_lengths_stay_true() {
    let stand = plain().await;
    for path in ["/echo", "/echo-big"] {
        let said = stand.ask(&format!("GET {path}"), BEARER, "").await;
        let (head, body) = said.split_once("\r\n\r\n").unwrap();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .unwrap();
        assert_eq!(length.parse::<usize>().unwrap(), body.len(), "{path}");
    }
    let said = stand.ask("GET /echo-chunked", BEARER, "").await;
    assert!(said.contains("transfer-encoding: chunked"), "{said}");
}

#[tokio::test]
async fn answers_without_a_body_stay_as_they_are() {
    for (line, status) in [
        ("HEAD /echo", "200 OK"),
        ("GET /none", "204 No Content"),
        ("GET /unchanged", "304 Not Modified"),
        ("HEAD /packed/gzip", "200 OK"),
    ] {
        let stand = Stand::new().await;
        let said = stand.ask(line, BEARER, "").await;
        assert!(
            said.starts_with(&format!("HTTP/1.1 {status}")),
            "{line}: {said}"
        );
        assert!(said.ends_with("\r\n\r\n"), "{line}: {said}");
        assert_eq!(
            said.contains("content-length: "),
            line.starts_with("HEAD"),
            "{line}: {said}"
        );
    }
}

#[tokio::test]
async fn trailers_go_through_both_ways() {
    let stand = plain().await;
    let text = format!(
        "POST /echo-trailers HTTP/1.1\r\nhost: api.test\r\nconnection: close\r\n{BEARER}te: trailers\r\n\
         trailer: x-sum\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nx-sum: 7\r\n\r\n"
    );
    let said = stand.inside(&text).await;
    assert!(said.contains("x-echo: Bearer __skep_key__"), "{said}");
    let got = stand.origin.only();
    assert_eq!(got.body, "abc");
    assert_eq!(got.trailers.unwrap().get("x-sum").unwrap(), "7");
}

#[tokio::test]
async fn x03_a_placeholder_in_a_trailer_is_refused() {
    let stand = Stand::new().await;
    let text = "POST /echo HTTP/1.1\r\nhost: api.test\r\nconnection: close\r\ntrailer: x-sum\r\n\
                transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nx-sum: __skep_key__\r\n\r\n";
    let said = stand.inside(text).await;
    assert!(said.contains("skep refused"), "{said}");
    assert!(
        stand
            .events
            .refused()
            .contains(&Reason::PlaceholderInHeader)
    );
}
