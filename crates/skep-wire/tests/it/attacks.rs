//! What a program could do to get at a value, and that none of it works.

use skep_wire::{Body, Reason, Rule};

use crate::clients::curl;
use crate::stand::{KEY, OTHER, Stand};
use crate::values::{PLAIN, VALUE, assert_no_value};

/// Nothing came back, nothing was sent, and this was recorded.
#[track_caller]
fn refused(stand: &Stand, what: &str, said: &str, reason: Reason) {
    assert_no_value(what, said);
    assert_eq!(
        stand.events.refused().last(),
        Some(&reason),
        "{what}: {said}"
    );
    assert_eq!(stand.vault.sent_to(), [""; 0], "{what}");
    for got in stand.origin.got() {
        let all = format!("{got:?}");
        assert!(
            !all.contains(VALUE) && !all.contains(PLAIN),
            "{what}: {all}"
        );
    }
}

/// What, the request line, headers, body, and why it is refused.
type Row = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    Reason,
);

const OUT_OF_PLACE: &[Row] = &[
    (
        "in the query",
        "GET /echo?key=__skep_key__",
        "",
        "",
        Reason::PlaceholderInUrl,
    ),
    (
        "in the path",
        "GET /__skep_key__/echo",
        "",
        "",
        Reason::PlaceholderInUrl,
    ),
    (
        "percent-encoded",
        "GET /echo?key=%5f%5Fskep%5fkey%5F%5f",
        "",
        "",
        Reason::PlaceholderInUrl,
    ),
    (
        "in capitals, in the query",
        "GET /?__SKEP_KEY__",
        "",
        "",
        Reason::PlaceholderInUrl,
    ),
    (
        "in another header",
        "GET /echo",
        "cookie: a=1; key=__skep_key__\r\n",
        "",
        Reason::PlaceholderInHeader,
    ),
    (
        "in a header's name",
        "GET /",
        "__skep_key__: 1\r\n",
        "",
        Reason::UnknownPlaceholder,
    ),
    (
        "in capitals",
        "GET /echo",
        "authorization: Bearer __SKEP_KEY__\r\n",
        "",
        Reason::UnknownPlaceholder,
    ),
    (
        "of nothing",
        "GET /echo",
        "authorization: Bearer __skep_nothing__\r\n",
        "",
        Reason::UnknownPlaceholder,
    ),
    (
        "of another host's",
        "GET /echo",
        "authorization: Bearer __skep_other__\r\n",
        "",
        Reason::PlaceholderToHost,
    ),
    (
        "of another host's, in Basic credentials", // user:__skep_other__
        "GET /echo",
        "authorization: Basic dXNlcjpfX3NrZXBfb3RoZXJfXw==\r\n",
        "",
        Reason::PlaceholderToHost,
    ),
    (
        "in a body",
        "POST /echo",
        "",
        "__skep_key__",
        Reason::PlaceholderInBody,
    ),
    (
        "with TRACE",
        "TRACE /echo",
        "authorization: Bearer __skep_key__\r\n",
        "",
        Reason::Method,
    ),
];

#[tokio::test]
async fn x03_a_placeholder_out_of_place_is_refused() {
    for (what, line, headers, body, reason) in OUT_OF_PLACE {
        let stand = Stand::new().await;
        let said = stand.ask(line, headers, body).await;
        assert!(said.contains("x-skep-refused"), "{what}: {said}");
        refused(&stand, what, &said, *reason);
        assert_eq!(stand.origin.got().len(), 0, "{what}");
    }
}

#[tokio::test]
async fn x03_a_body_that_is_refused_on_its_way_is_broken_off() {
    let stand = Stand::new().await;
    let text = "POST /echo HTTP/1.1\r\nhost: api.test\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n\
         5\r\nhello\r\n7\r\n__skep_\r\n5\r\nkey__\r\n0\r\n\r\n";
    let said = stand.inside(text).await;
    assert!(said.contains("placeholder_in_body"), "{said}");
    refused(
        &stand,
        "in a chunked body",
        &said,
        Reason::PlaceholderInBody,
    );
}

#[tokio::test]
async fn x03_methods_and_paths_are_held_to_the_rule() {
    let rule = || {
        let rule = Rule::new("key", &["api.test"])
            .unwrap()
            .headers(&["authorization"])
            .unwrap();
        rule.methods(&["GET"]).unwrap().paths(&["/v1/"]).unwrap()
    };
    let bearer = format!("authorization: Bearer {KEY}\r\n");
    for line in [
        "POST /v1/a",
        "GET /v2/a",
        "GET /v1/../v2/a",
        "GET /v1/%2e%2e/v2",
        "GET /V1/a",
    ] {
        let stand = Stand::with_rules(vec![rule()]).await;
        let said = stand.ask(line, &bearer, "").await;
        refused(&stand, line, &said, Reason::PlaceholderToPath);
    }
    let stand = Stand::with_rules(vec![rule()]).await;
    stand.ask("GET /v1/a?b=c", &bearer, "").await;
    assert_eq!(
        stand.origin.only().header("authorization"),
        format!("Bearer {VALUE}")
    );
}

#[tokio::test]
async fn x03_two_rules_of_a_secret_do_not_add_up() {
    let header = Rule::new("key", &["api.test"])
        .unwrap()
        .headers(&["authorization"])
        .unwrap();
    let header = header.paths(&["/v1/"]).unwrap();
    let body = Rule::new("key", &["api.test"]).unwrap().body(Body::Replace);
    let stand = Stand::with_rules(vec![header, body.paths(&["/v2/"]).unwrap()]).await;
    let bearer = format!("authorization: Bearer {KEY}\r\n");
    let said = stand.ask("GET /v2/a", &bearer, "").await;
    refused(
        &stand,
        "the header of one rule, the path of the other",
        &said,
        Reason::PlaceholderInHeader,
    );
}

#[tokio::test]
async fn x03_another_host_gets_nothing() {
    for host in ["evil.test", "api.test.evil.test", "wild.test"] {
        let stand = Stand::new().await;
        let url = format!("https://{host}/echo");
        let said = curl(&stand, &["-H", "Authorization: Bearer __skep_key__", &url]).await;
        assert!(said.contains("403"), "{said}");
        refused(&stand, host, &said, Reason::Host);
        assert_eq!(stand.network.dialled.lock().unwrap().len(), 0);
    }
}

#[tokio::test]
async fn x03_plain_http_carries_no_value() {
    let stand = Stand::new().await;
    for arguments in [
        &["http://api.test/echo"][..],
        &["--proxytunnel", "http://api.test:443/echo"],
    ] {
        let header = ["-H", "Authorization: Bearer __skep_key__"];
        let said = curl(&stand, &[&header[..], arguments].concat()).await;
        assert!(said.contains("skep refused"), "{said}");
        assert_no_value("plain http", &said);
    }
    assert_eq!(stand.vault.sent_to(), [""; 0]);
    assert_eq!(stand.origin.got().len(), 0);
    let said = curl(&stand, &["http://api.test/echo"]).await;
    assert!(
        said.contains("GET /echo"),
        "without a placeholder it goes through: {said}"
    );
}

#[tokio::test]
async fn x03_a_proxy_behind_the_proxy_gets_nothing() {
    let stand = Stand::new().await;
    for (line, host, reason) in [
        (
            "GET https://evil.test/echo",
            "evil.test",
            Reason::HostMismatch,
        ),
        (
            "GET https://evil.test/echo",
            "api.test",
            Reason::HostMismatch,
        ),
        ("GET /echo", "evil.test", Reason::HostMismatch),
        ("GET http://api.test/echo", "api.test", Reason::HostMismatch),
        (
            "CONNECT evil.test:443",
            "evil.test:443",
            Reason::HostMismatch,
        ),
        ("CONNECT api.test:443", "api.test:443", Reason::Method),
    ] {
        let text = format!(
            "{line} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\nauthorization: Bearer {KEY}\r\n\r\n"
        );
        let said = stand.inside(&text).await;
        refused(&stand, line, &said, reason);
    }
    let text = format!(
        "GET https://api.test/echo HTTP/1.1\r\nhost: api.test\r\nconnection: close\r\nauthorization: Bearer {KEY}\r\n\r\n"
    );
    assert!(
        stand.inside(&text).await.contains("200 OK"),
        "the same host in full is the same"
    );
}

#[tokio::test]
async fn x03_what_a_proxy_is_told_does_not_go_on() {
    let stand = Stand::new().await;
    let headers = "proxy-authorization: Basic x\r\nproxy-connection: keep-alive\r\nkeep-alive: 1\r\n\
                   connection: x-hop\r\nx-hop: 1\r\nte: gzip\r\n";
    stand.ask("GET /echo", headers, "").await;
    let got = stand.origin.only();
    for name in [
        "proxy-authorization",
        "proxy-connection",
        "keep-alive",
        "x-hop",
        "te",
        "connection",
    ] {
        assert_eq!(got.header(name), "", "{name}");
    }
}

#[tokio::test]
async fn n05_a_name_that_changes_its_mind_is_not_followed_inside() {
    let stand = Stand::new().await;
    stand
        .network
        .name("api.test", &["93.184.216.34", "127.0.0.1"]);
    stand.network.server("127.0.0.1:443", stand.origin.address);
    let bearer = format!("authorization: Bearer {KEY}\r\n");
    stand.ask("GET /echo", &bearer, "").await;
    assert_eq!(stand.origin.got().len(), 1);
    let said = stand.ask("GET /echo", &bearer, "").await;
    assert!(said.contains("\"reason\":\"address\""), "{said}");
    assert_eq!(stand.origin.got().len(), 1);
    let dialled = stand.network.dialled.lock().unwrap().clone();
    assert_eq!(dialled, ["93.184.216.34:443".parse().unwrap()]);
}

#[tokio::test]
async fn n05_inside_addresses_are_refused_however_they_are_named() {
    for (name, address) in [
        ("rebound.wild.test", "127.0.0.1"),
        ("metadata.wild.test", "169.254.169.254"),
        ("ten.wild.test", "10.0.0.1"),
        ("six.wild.test", "::1"),
        ("mapped.wild.test", "::ffff:127.0.0.1"),
    ] {
        let stand = Stand::new().await;
        stand.network.name(name, &[address]);
        let url = format!("https://{name}/echo");
        let said = curl(&stand, &["-H", "x-api-key: __skep_key__", &url]).await;
        assert!(said.contains("\"reason\":\"address\""), "{name}: {said}");
        assert!(
            !said.contains(address),
            "what a name leads to is not told: {said}"
        );
        assert_eq!(*stand.network.dialled.lock().unwrap(), []);
    }
    let all = Stand::with_others(skep_wire::Others::TunnelAll).await;
    for target in [
        "127.0.0.1:443",
        "169.254.169.254:80",
        "[::1]:443",
        "[::ffff:169.254.169.254]:443",
        "2130706433:443",
        "0x7f000001:443",
        "127.1:443",
        "localhost:443",
        "api.test.:443",
        "user@api.test:443",
        "api.test:22",
        "api.test",
    ] {
        let password = all.password();
        let text = format!(
            "CONNECT {target} HTTP/1.1\r\nproxy-authorization: {password}\r\nconnection: close\r\n\r\n"
        );
        let said = all.say(&text).await;
        assert!(said.starts_with("HTTP/1.1 40"), "{target}: {said}");
    }
    assert_eq!(*all.network.dialled.lock().unwrap(), []);
}

#[tokio::test]
async fn n17_an_origin_that_cannot_show_who_it_is_gets_nothing() {
    let rule = Rule::new("key", &["stranger.test"])
        .unwrap()
        .headers(&["authorization"])
        .unwrap();
    let stand = Stand::with_rules(vec![rule]).await;
    stand.network.name("stranger.test", &["93.184.216.34"]);
    let said = curl(
        &stand,
        &[
            "-H",
            "Authorization: Bearer __skep_key__",
            "https://stranger.test/echo",
        ],
    )
    .await;
    assert!(
        said.contains("\"reason\":\"origin\"") && said.contains("TLS"),
        "{said}"
    );
    assert_no_value("a wrong certificate", &said);
    assert_eq!(stand.origin.got().len(), 0);
}

#[tokio::test]
async fn x03_a_value_that_would_end_a_header_is_not_sent() {
    for value in ["one\r\nx-injected: 1", "one\ntwo", "nul\0", "abc"] {
        let stand = Stand::new().await;
        stand
            .vault
            .values
            .lock()
            .unwrap()
            .insert("key".into(), value.into());
        let said = stand
            .ask("GET /echo", &format!("x-api-key: {KEY}\r\n"), "")
            .await;
        assert!(said.contains("unusable_value"), "{value:?}: {said}");
        assert_eq!(stand.origin.got().len(), 0, "{value:?}");
    }
}

#[tokio::test]
async fn x03_what_the_vault_refuses_is_refused() {
    use skep_wire::Withheld;
    for (withheld, reason) in [
        (
            Withheld::Refused("its grant has ended".into()),
            "its grant has ended",
        ),
        (Withheld::Unavailable, "try again later"),
    ] {
        let stand = Stand::new().await;
        *stand.vault.refuses.lock().unwrap() = Some(withheld);
        let said = stand
            .ask("GET /echo", &format!("x-api-key: {KEY}\r\n"), "")
            .await;
        assert!(said.contains(reason), "{said}");
        assert_eq!(stand.origin.got().len(), 0);
    }
}

#[tokio::test]
async fn x03_a_value_is_asked_for_at_each_use() {
    let stand = Stand::new().await;
    for value in ["the first value", "the second value"] {
        stand
            .vault
            .values
            .lock()
            .unwrap()
            .insert("key".into(), value.into());
        stand
            .ask("GET /echo", &format!("x-api-key: {KEY}\r\n"), "")
            .await;
    }
    let got = stand.origin.got();
    assert_eq!(got[0].header("x-api-key"), "the first value");
    assert_eq!(got[1].header("x-api-key"), "the second value");
}

#[tokio::test]
async fn x03_placeholders_side_by_side_are_each_replaced() {
    let both = |name: &str| {
        Rule::new(name, &["api.test"])
            .unwrap()
            .headers(&["x-api-key"])
            .unwrap()
    };
    let stand = Stand::with_rules(vec![both("key"), both("other")]).await;
    stand
        .ask(
            "GET /echo",
            &format!("x-api-key: {KEY}{OTHER}\r\nx-api-key: a{KEY}b\r\n"),
            "",
        )
        .await;
    let got = stand.origin.only();
    let all: Vec<_> = got
        .headers
        .get_all("x-api-key")
        .iter()
        .map(|value| value.to_str().unwrap())
        .collect();
    assert_eq!(all, [format!("{VALUE}{PLAIN}"), format!("a{VALUE}b")]);
}
