//! Every route of the table, for nobody and for each persona.

use serde_json::json;
use skep_api::{ROUTES, RouteId};
use skep_test_support::{Request, TestDaemon};

use crate::bodies::{is_oauth, is_public, request, seed};

#[tokio::test(flavor = "multi_thread")]
async fn t02_no_route_but_the_public_ones_answers_without_a_credential() {
    let daemon = TestDaemon::start_patient().await;
    let ids = seed(&daemon, &daemon.a).await;
    let mut bodies = Vec::new();
    for route in ROUTES {
        for token in [
            None,
            Some("skep_it_short"),
            Some("skep_it_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
        ] {
            let mut bare = request(route, &ids);
            if let Some(token) = token {
                bare = bare.bearer(token);
            }
            let reply = bare.send(daemon.address).await.unwrap();
            if is_oauth(route) {
                assert!(matches!(reply.status, 200 | 303 | 400), "{}", route.path);
                continue;
            }
            if matches!(route.id, RouteId::Healthz | RouteId::Readyz) {
                assert_eq!(reply.status, 200, "{}", route.path);
                assert_eq!(reply.body, br#"{"status":"ok"}"#);
                continue;
            }
            if is_public(route) {
                // A door: what it says to whom has tests of its own.
                assert!(reply.status < 500, "{} {}", route.path, reply.status);
                continue;
            }
            assert_eq!(reply.status, 401, "{} {token:?}", route.path);
            assert!(
                reply
                    .head
                    .to_lowercase()
                    .contains("www-authenticate: bearer"),
                "{}",
                reply.head
            );
            let mut body = reply.json();
            if route.is_gateway() {
                // In the dialect of the path, which wraps the same two.
                let error = &body["error"];
                body = json!({ "error": { "code": error["code"], "message": error["message"] } });
            }
            body["error"]["request_id"] = "".into();
            bodies.push((token.is_some(), body.to_string()));
        }
    }
    bodies.sort();
    bodies.dedup();
    assert_eq!(
        bodies.len(),
        2,
        "one body for no credential, one for every bad one: {bodies:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn n03_foreign_hosts_and_pages_are_turned_away_before_routing() {
    let daemon = TestDaemon::start().await;
    let token = daemon.a.token("owner");
    let cases = [
        ("Host: evil.example", ""),
        ("Host: localhost", "Origin: https://evil.example\r\n"),
        ("Host: localhost", "Origin: null\r\n"),
        ("Host: localhost", "Sec-Fetch-Site: cross-site\r\n"),
    ];
    for (host, extra) in cases {
        for path in ["/healthz", "/api/v1/memories", "/no/such/path"] {
            let head = format!(
                "GET {path} HTTP/1.1\r\n{host}\r\nConnection: close\r\n{extra}Authorization: Bearer {token}\r\n"
            );
            let reply = Request::verbatim(&head).send(daemon.address).await.unwrap();
            assert_eq!(
                (reply.status, reply.code().as_str()),
                (403, "PERMISSION_DENIED"),
                "{host} {extra} {path}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_has_a_request_id_and_takes_over_a_uuid() {
    let daemon = TestDaemon::start().await;
    let given = "0193b1f0-0000-7000-8000-0123456789ab";
    let cases = [
        (Some(given), true),
        (Some("not a uuid"), false),
        (None, false),
    ];
    for (sent, taken_over) in cases {
        let mut request = Request::new("GET", "/api/v1/memories");
        if let Some(sent) = sent {
            request = request.header("X-Request-Id", sent);
        }
        let reply = request.send(daemon.address).await.unwrap();
        let id = reply.json()["error"]["request_id"]
            .as_str()
            .unwrap()
            .to_owned();
        assert!(
            reply.head.contains(&format!("x-request-id: {id}")),
            "{}",
            reply.head
        );
        assert_eq!(id == given, taken_over);
        assert_eq!(id.len(), 36);
    }
}
