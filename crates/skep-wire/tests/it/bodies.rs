//! Values in bodies, where a rule allows it.

use skep_wire::{Body, Limits, Reason, Rule, Terms};
use std::time::Duration;

use crate::stand::{KEY, Stand};
use crate::values::{VALUE, assert_no_value};

fn rule(body: Body) -> Rule {
    Rule::new("key", &["api.test"])
        .unwrap()
        .headers(&["authorization"])
        .unwrap()
        .body(body)
}

#[tokio::test]
async fn x03_a_value_takes_its_place_and_the_length_follows() {
    for (kind, expected) in [
        ("text/plain", format!("key={VALUE}&a=1")),
        (
            "application/x-www-form-urlencoded",
            "key=cnry-7f3a9Q%2F%2Bx%2681%22Zt&a=1".to_owned(),
        ),
        (
            "application/json; charset=utf-8",
            "key=cnry-7f3a9Q/+x&81\\\"Zt&a=1".to_owned(),
        ),
        (
            "application/vnd.api+json",
            "key=cnry-7f3a9Q/+x&81\\\"Zt&a=1".to_owned(),
        ),
    ] {
        let stand = Stand::with_rules(vec![rule(Body::Replace)]).await;
        let header = format!("content-type: {kind}\r\n");
        let said = stand
            .ask("POST /echo", &header, &format!("key={KEY}&a=1"))
            .await;
        assert_no_value(kind, &said);
        let got = stand.origin.only();
        assert_eq!(got.body, expected, "{kind}");
        assert_eq!(got.header("content-length"), expected.len().to_string());
        assert_eq!(stand.vault.sent_to(), ["key to api.test:443"]);
    }
}

#[tokio::test]
async fn x03_a_placeholder_split_over_chunks_is_replaced() {
    let stand = Stand::with_rules(vec![rule(Body::Replace)]).await;
    let mut text = "POST /echo HTTP/1.1\r\nhost: api.test\r\nconnection: close\r\n\
                    transfer-encoding: chunked\r\n\r\n"
        .to_owned();
    for byte in format!("a{KEY}b__skep_k{KEY}").chars() {
        text.push_str(&format!("1\r\n{byte}\r\n"));
    }
    text.push_str("0\r\n\r\n");
    let said = stand.inside(&text).await;
    assert_eq!(
        stand.origin.only().body,
        format!("a{VALUE}b__skep_k{VALUE}")
    );
    assert_no_value("a chunked answer", &said);
}

#[tokio::test]
async fn x03_a_body_too_long_to_hold_is_sent_in_chunks() {
    let limits = Limits {
        held_body: 100,
        ..Limits::default()
    };
    let terms = Terms::new("lease", vec![rule(Body::Replace)], Duration::from_mins(1));
    let stand = Stand::with(terms, limits).await;
    let filler = "-".repeat(300);
    stand
        .ask("POST /echo", "", &format!("{filler}{KEY}{filler}"))
        .await;
    let got = stand.origin.only();
    assert_eq!(got.body, format!("{filler}{VALUE}{filler}"));
    assert_eq!(got.header("content-length"), "");
}

#[tokio::test]
async fn a_conversation_may_speak_of_placeholders() {
    let stand = Stand::with_rules(vec![rule(Body::Leave)]).await;
    let body = format!("use {KEY} in the header");
    let said = stand
        .ask(
            "POST /echo",
            "authorization: Bearer __skep_key__\r\n",
            &body,
        )
        .await;
    let got = stand.origin.only();
    assert_eq!(got.body, body);
    assert_eq!(got.header("authorization"), format!("Bearer {VALUE}"));
    assert_no_value("a conversation", &said);
}

#[tokio::test]
async fn x03_a_body_is_held_to_method_and_path_too() {
    let rule = rule(Body::Replace).methods(&["PUT"]).unwrap();
    let stand = Stand::with_rules(vec![rule]).await;
    let said = stand.ask("POST /echo", "", KEY).await;
    assert!(said.contains("placeholder_in_body"), "{said}");
    assert_eq!(
        stand.events.refused().last(),
        Some(&Reason::PlaceholderInBody)
    );
    assert_eq!(stand.origin.got().len(), 0);
}

#[tokio::test]
async fn a_body_that_is_expected_is_asked_for_once_it_may_come() {
    let stand = Stand::new().await;
    let text = "POST /echo HTTP/1.1\r\nhost: api.test\r\nconnection: close\r\nexpect: 100-continue\r\n\
                content-length: 5\r\n\r\nhello";
    let said = stand.inside(text).await;
    assert!(
        said.starts_with("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200"),
        "{said}"
    );
    let got = stand.origin.only();
    assert_eq!((got.body.as_str(), got.header("expect")), ("hello", ""));
    let text = "POST /__skep_key__ HTTP/1.1\r\nhost: api.test\r\nexpect: 100-continue\r\n\
                content-length: 5\r\n\r\n";
    let said = stand.inside(text).await;
    assert!(
        said.starts_with("HTTP/1.1 403"),
        "what is refused is not asked for: {said}"
    );
}
