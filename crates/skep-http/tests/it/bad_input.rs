//! Input at and past every limit: the envelope, the right code, and nothing stored.

use serde_json::{Value, json};
use skep_domain::Limits;
use skep_test_support::{Reply, Request, TestDaemon};

use crate::bodies::{Ids, body, counts, seed};
use skep_api::RouteId;

/// Name, path, body as sent, expected status and code.
type Case = (&'static str, &'static str, Vec<u8>, u16, &'static str);

fn nested(levels: usize) -> Vec<u8> {
    format!(
        "{{\"query\":{}1{}}}",
        "[".repeat(levels - 1),
        "]".repeat(levels - 1)
    )
    .into_bytes()
}

fn padded(total: usize) -> Vec<u8> {
    let empty = json!({ "query": "" }).to_string().len();
    json!({ "query": "x".repeat(total - empty) })
        .to_string()
        .into_bytes()
}

fn with(route: RouteId, field: &str, value: Value) -> Vec<u8> {
    let mut body = body(route, &Ids::default());
    body[field] = value;
    body.to_string().into_bytes()
}

fn turn_with(field: &str, value: Value) -> Vec<u8> {
    let mut body = body(RouteId::Capture, &Ids::default());
    body["turns"][0][field] = value;
    body.to_string().into_bytes()
}

fn cases() -> Vec<Case> {
    const MEMORIES: &str = "/api/v1/memories";
    const RECALL: &str = "/api/v1/recall";
    const CAPTURE: &str = "/api/v1/capture";
    let many = body(RouteId::Capture, &Ids::default())["turns"][0].clone();
    let too_many = vec![many; Limits::CAPTURE_TURNS + 1];
    vec![
        (
            "unknown field",
            MEMORIES,
            with(RouteId::MemoryCreate, "colour", json!("red")),
            400,
            "VALIDATION_ERROR",
        ),
        (
            "unknown field in a turn",
            CAPTURE,
            turn_with("colour", json!("red")),
            400,
            "VALIDATION_ERROR",
        ),
        (
            "body at the limit, query past its own",
            RECALL,
            padded(Limits::BODY),
            400,
            "VALIDATION_ERROR",
        ),
        (
            "body past the limit",
            RECALL,
            padded(Limits::BODY + 1),
            413,
            "PAYLOAD_TOO_LARGE",
        ),
        (
            "depth at the limit, wrong type",
            RECALL,
            nested(Limits::JSON_DEPTH),
            400,
            "VALIDATION_ERROR",
        ),
        (
            "depth past the limit",
            RECALL,
            nested(Limits::JSON_DEPTH + 1),
            400,
            "INVALID_JSON",
        ),
        (
            "invalid UTF-8",
            MEMORIES,
            b"{\"text\":\"\xFF\xFE\"}".to_vec(),
            400,
            "INVALID_JSON",
        ),
        (
            "lone surrogate",
            MEMORIES,
            br#"{"text":"\ud800"}"#.to_vec(),
            400,
            "INVALID_JSON",
        ),
        (
            "nothing that can be seen",
            MEMORIES,
            with(
                RouteId::MemoryCreate,
                "text",
                json!("\u{200b} \u{200b}\u{feff}"),
            ),
            400,
            "VALIDATION_ERROR",
        ),
        (
            "duplicate field",
            MEMORIES,
            br#"{"text":"a","text":"b"}"#.to_vec(),
            400,
            "VALIDATION_ERROR",
        ),
        (
            "truncated",
            MEMORIES,
            br#"{"text":"a"#.to_vec(),
            400,
            "INVALID_JSON",
        ),
        (
            "two values",
            MEMORIES,
            br#"{"text":"a"}{}"#.to_vec(),
            400,
            "INVALID_JSON",
        ),
        ("empty", MEMORIES, Vec::new(), 400, "INVALID_JSON"),
        (
            "missing field",
            MEMORIES,
            b"{}".to_vec(),
            400,
            "VALIDATION_ERROR",
        ),
        (
            "huge number",
            RECALL,
            br#"{"query":"a","k":1e400}"#.to_vec(),
            400,
            "INVALID_JSON",
        ),
        (
            "negative count",
            RECALL,
            br#"{"query":"a","k":-1}"#.to_vec(),
            400,
            "VALIDATION_ERROR",
        ),
        (
            "too many items",
            RECALL,
            br#"{"query":"a","k":51}"#.to_vec(),
            400,
            "VALIDATION_ERROR",
        ),
        (
            "blank text",
            MEMORIES,
            with(RouteId::MemoryCreate, "text", json!("  ")),
            400,
            "VALIDATION_ERROR",
        ),
        (
            "text past its limit",
            MEMORIES,
            with(
                RouteId::MemoryCreate,
                "text",
                json!("x".repeat(Limits::MEMORY_TEXT + 1)),
            ),
            400,
            "VALIDATION_ERROR",
        ),
        (
            "query past its limit",
            RECALL,
            with(
                RouteId::Recall,
                "query",
                json!("x".repeat(Limits::QUERY + 1)),
            ),
            400,
            "VALIDATION_ERROR",
        ),
        (
            "unknown kind",
            MEMORIES,
            with(RouteId::MemoryCreate, "kind", json!("rumour")),
            400,
            "VALIDATION_ERROR",
        ),
        (
            "unknown role",
            CAPTURE,
            turn_with("role", json!("oracle")),
            400,
            "VALIDATION_ERROR",
        ),
        (
            "bad time",
            CAPTURE,
            turn_with("at", json!("yesterday")),
            400,
            "VALIDATION_ERROR",
        ),
        (
            "event id past its limit",
            CAPTURE,
            turn_with("client_event_id", json!("x".repeat(257))),
            400,
            "VALIDATION_ERROR",
        ),
        (
            "empty event id",
            CAPTURE,
            turn_with("client_event_id", json!("")),
            400,
            "VALIDATION_ERROR",
        ),
        (
            "turns past their limit",
            CAPTURE,
            with(RouteId::Capture, "turns", json!(too_many)),
            400,
            "VALIDATION_ERROR",
        ),
        (
            "malformed id",
            "/api/v1/resolve",
            br#"{"id":"mem_short"}"#.to_vec(),
            400,
            "VALIDATION_ERROR",
        ),
        (
            "id of another kind",
            "/api/v1/resolve",
            br#"{"id":"ses_00000000000000000000000000000000"}"#.to_vec(),
            400,
            "VALIDATION_ERROR",
        ),
        (
            "foreign id",
            "/api/v1/resolve",
            br#"{"id":"mem_00000000000000000000000000000000"}"#.to_vec(),
            403,
            "PERMISSION_DENIED",
        ),
    ]
}

fn check_envelope(name: &str, reply: &Reply) {
    let body = reply.json();
    let error = body["error"]
        .as_object()
        .unwrap_or_else(|| panic!("{name}: no envelope: {}", reply.head));
    assert!(
        error["message"]
            .as_str()
            .is_some_and(|message| !message.is_empty()),
        "{name}"
    );
    assert_eq!(
        error["request_id"].as_str().map(str::len),
        Some(36),
        "{name}"
    );
    for detail in error
        .get("details")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        assert!(
            detail["field"].is_string() && detail["code"].is_string(),
            "{name}: {detail}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn n12_n13_bad_bodies_get_the_envelope_and_store_nothing() {
    let daemon = TestDaemon::start().await;
    seed(&daemon, &daemon.a).await;
    let before = counts(&daemon, &daemon.a).await;
    let token = daemon.a.token("owner");
    for (name, path, body, status, code) in cases() {
        let reply = Request::new("POST", path)
            .bearer(&token)
            .bytes(&body)
            .send(daemon.address)
            .await
            .unwrap();
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (status, code),
            "{name}: {:?}",
            reply.json()
        );
        check_envelope(name, &reply);
    }
    assert_eq!(counts(&daemon, &daemon.a).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn n12_other_shapes_of_request_get_the_envelope() {
    let daemon = TestDaemon::start().await;
    let token = daemon.a.token("owner");
    let plain = |method: &str, path: &str| Request::new(method, path).bearer(&token);
    let cases = [
        (
            "no such path",
            plain("GET", "/api/v1/nothing"),
            404,
            "NOT_FOUND",
        ),
        (
            "wrong method",
            plain("DELETE", "/api/v1/memories"),
            405,
            "METHOD_NOT_ALLOWED",
        ),
        (
            "wrong media type",
            plain("POST", "/api/v1/recall")
                .header("Content-Type", "text/plain")
                .header("Content-Length", "0"),
            415,
            "UNSUPPORTED_MEDIA_TYPE",
        ),
        (
            "compressed",
            plain("POST", "/api/v1/recall")
                .header("Content-Encoding", "gzip")
                .bytes(b"{}"),
            415,
            "UNSUPPORTED_MEDIA_TYPE",
        ),
        (
            "body where none belongs",
            plain("GET", "/api/v1/memories").bytes(b"{}"),
            413,
            "PAYLOAD_TOO_LARGE",
        ),
        (
            "two tokens",
            plain("GET", "/api/v1/memories").bearer(&token),
            401,
            "INVALID_CREDENTIAL",
        ),
        (
            "id with a slash",
            plain("GET", "/api/v1/memories/mem_%2F%2F"),
            400,
            "VALIDATION_ERROR",
        ),
    ];
    for (name, request, status, code) in cases {
        let reply = request.send(daemon.address).await.unwrap();
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (status, code),
            "{name}: {:?}",
            reply.json()
        );
        check_envelope(name, &reply);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn n10_smuggled_and_oversized_heads_are_refused_and_the_connection_closed() {
    let daemon = TestDaemon::start().await;
    let cases = [
        "POST /api/v1/recall HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n".to_owned(),
        "POST /api/v1/recall HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nContent-Length: 5\r\n".to_owned(),
        "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX : y\r\n".to_owned(),
        format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n", "x".repeat(Limits::HEADERS)),
    ];
    for head in cases {
        // The connection ends without a second answer; a status, if one came, is a refusal.
        match Request::verbatim(&head).send(daemon.address).await {
            Ok(reply) => {
                assert!(
                    (400..500).contains(&reply.status),
                    "{}: {}",
                    &head[..40],
                    reply.status
                );
                assert!(!String::from_utf8_lossy(&reply.body).contains("HTTP/1.1"));
            }
            Err(error) => assert_ne!(error.kind(), std::io::ErrorKind::TimedOut),
        }
    }
}
