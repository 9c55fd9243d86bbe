//! Bad bodies for every route of the table that takes one, made of the body that it accepts: each
//! part of that is bent in turn. A route is covered as soon as it is in the table.

use serde_json::{Value, json};
use skep_api::{BodyLimit, Gate, ROUTES, Route, RouteId};
use skep_domain::Limits;
use skep_test_support::{Reply, Request, TestDaemon};

use crate::bodies::{Ids, body, counts, path, seed, takes_json};

/// A body, and what it has to be refused with.
struct Bad {
    what: String,
    bytes: Vec<u8>,
    refusal: (u16, &'static str),
}

const JSON: (u16, &str) = (400, "INVALID_JSON");
const FIELD: (u16, &str) = (400, "VALIDATION_ERROR");
const LARGE: (u16, &str) = (413, "PAYLOAD_TOO_LARGE");

/// Longer than anything but a turn may be.
const LONG: usize = 200_000;

/// What is cut and not refused when it is too long.
const CUT: &[(RouteId, &str)] = &[
    (RouteId::Capture, "/turns/0/text"),
    (RouteId::Inject, "/prompt"),
];

fn bad(what: impl Into<String>, bytes: impl Into<Vec<u8>>, refusal: (u16, &'static str)) -> Bad {
    let (what, bytes) = (what.into(), bytes.into());
    Bad {
        what,
        bytes,
        refusal,
    }
}

/// What is wrong whatever the route.
fn shapes(route: &Route, good: &Value) -> Vec<Bad> {
    let text = good.to_string();
    let open = &text[..text.len() - 1];
    let comma = if open.len() > 1 { "," } else { "" };
    let limit = route.body.bytes();
    let with = |more: &str| format!("{open}{comma}{more}}}");
    let first = |value: &str| {
        let key = good.as_object().and_then(|fields| fields.keys().next());
        key.map(|key| format!("{{{}:{value}}}", json!(key)))
    };
    let padded = |to: usize| {
        let bent = with("\"colour\":\"red\"");
        format!("{bent}{}", " ".repeat(to - bent.len()))
    };
    let deep = |levels: usize| {
        let (down, up) = ("[".repeat(levels - 1), "]".repeat(levels - 1));
        with(&format!("\"colour\":{down}{up}"))
    };
    let keys: Vec<String> = (0..60_000).map(|key| format!("\"k{key}\":0")).collect();
    let mut bent = vec![
        bad("nothing", "", JSON),
        bad("blanks", " \n\t", JSON),
        bad("cut short", open, JSON),
        bad("two values", format!("{text}{text}"), JSON),
        bad("not UTF-8", b"{\"\xFF\xFE\":1}".to_vec(), JSON),
        bad("too deep", deep(Limits::JSON_DEPTH + 1), JSON),
        bad("very deep", deep(100_000), JSON),
        bad("as deep as may be", deep(Limits::JSON_DEPTH), FIELD),
        bad("an unknown field", with("\"colour\":\"red\""), FIELD),
        bad("very many fields", with(&keys.join(",")), FIELD),
        bad("as large as may be", padded(limit), FIELD),
        bad("too large", padded(limit + 1), LARGE),
    ];
    for (what, value) in [
        ("half a character", "\"\\ud800\""),
        ("a huge number", "1e400"),
    ] {
        bent.extend(first(value).map(|body| bad(what, body, JSON)));
    }
    for other in ["null", "[]", "[[]]", "7", "true", "\"text\""] {
        bent.push(bad(format!("{other} alone"), other, FIELD));
    }
    if let Some((key, value)) = good.as_object().and_then(|fields| fields.iter().next()) {
        let twice = with(&format!("{}:{value}", json!(key)));
        bent.push(bad(format!("{key} twice"), twice, FIELD));
    }
    bent
}

/// Every part of a body with something of another kind in its place, and every text far too long.
fn parts(route: &Route, good: &Value) -> Vec<Bad> {
    let mut bent = Vec::new();
    for at in pointers(good) {
        let put = |value: Value| {
            let mut body = good.clone();
            *body.pointer_mut(&at).unwrap() = value;
            body.to_string()
        };
        let now = good.pointer(&at).unwrap();
        let other = if now.is_object() {
            json!([])
        } else {
            json!({ "colour": "red" })
        };
        bent.push(bad(format!("{at} of another kind"), put(other), FIELD));
        if now.is_string() {
            bent.push(bad(format!("{at} as a number"), put(json!(-1.5)), FIELD));
            if !CUT.contains(&(route.id, at.as_str())) {
                let long = put(json!("x".repeat(LONG)));
                bent.push(bad(format!("{at} too long"), long, FIELD));
            }
        }
        if now.is_u64() {
            for number in [json!(-1), json!(u64::MAX), json!("1")] {
                bent.push(bad(format!("{at} as {number}"), put(number), FIELD));
            }
        }
    }
    bent
}

/// The parts of a value, from the outside in.
fn pointers(value: &Value) -> Vec<String> {
    let inner: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(key, value)| (key.clone(), value))
            .collect(),
        Value::Array(items) => (0..).map(|at: usize| at.to_string()).zip(items).collect(),
        _ => Vec::new(),
    };
    let mut all = Vec::new();
    for (key, value) in inner {
        all.push(format!("/{key}"));
        all.extend(
            pointers(value)
                .into_iter()
                .map(|rest| format!("/{key}{rest}")),
        );
    }
    all
}

async fn send(daemon: &TestDaemon, route: &Route, ids: &Ids, bytes: &[u8]) -> Reply {
    let request = Request::new(route.method.as_str(), &path(route, ids));
    let request = request.bearer(&daemon.a.token("owner")).bytes(bytes);
    request.send(daemon.address).await.unwrap()
}

/// A door says of a form it can read no more than that it stays shut, whatever the values are.
fn stays_shut(route: &Route, bent: &Bad, status: u16) -> bool {
    let of_value = bent.what.ends_with("too long") || bent.what.ends_with("of another kind");
    route.gate == Gate::Public && of_value && [200, 401, 403].contains(&status)
}

#[tokio::test(flavor = "multi_thread")]
async fn n12_n13_every_route_refuses_every_bent_body_and_stores_nothing() {
    let daemon = TestDaemon::start_patient().await;
    let ids = seed(&daemon, &daemon.a).await;
    daemon.tend(&daemon.a).await;
    let before = counts(&daemon, &daemon.a).await;
    let mut wrong = Vec::new();
    let taking = ROUTES.iter().filter(|route| takes_json(route));
    for route in taking {
        let good = body(route.id, &ids);
        assert!(
            good.is_object(),
            "{:?} takes a body, and no case has one",
            route.id
        );
        for bent in shapes(route, &good).into_iter().chain(parts(route, &good)) {
            let reply = send(&daemon, route, &ids, &bent.bytes).await;
            let found = (reply.status, reply.code());
            let shut = stays_shut(route, &bent, found.0);
            if !shut && (found.0, found.1.as_str()) != bent.refusal {
                wrong.push(format!("{} {}: {found:?}", route.path, bent.what));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(counts(&daemon, &daemon.a).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn n12_a_route_without_a_body_takes_none() {
    let daemon = TestDaemon::start_patient().await;
    let ids = seed(&daemon, &daemon.a).await;
    let before = counts(&daemon, &daemon.a).await;
    for route in ROUTES.iter().filter(|route| route.body == BodyLimit::Empty) {
        let reply = send(&daemon, route, &ids, b"{}").await;
        assert_eq!(
            (reply.status, reply.code().as_str()),
            LARGE,
            "{}",
            route.path
        );
    }
    assert_eq!(counts(&daemon, &daemon.a).await, before);
}

/// What is strange and may be taken is taken or refused, never a failure of the daemon.
#[tokio::test(flavor = "multi_thread")]
async fn n13_strange_texts_and_numbers_fail_nowhere() {
    let daemon = TestDaemon::start_patient().await;
    let ids = seed(&daemon, &daemon.a).await;
    let strange = [
        json!(""),
        json!("\u{0}"),
        json!("\u{202E}\u{FEFF}\u{1b}[2J"),
        json!("🧭".repeat(40)),
        json!("../../etc/passwd"),
        json!("' OR 1=1 --"),
        json!(null),
        json!([]),
        json!(0),
        json!(i64::MIN),
        json!(u64::MAX),
    ];
    for route in ROUTES.iter().filter(|route| takes_json(route)) {
        let good = body(route.id, &ids);
        for at in pointers(&good) {
            for value in &strange {
                let mut bent = good.clone();
                *bent.pointer_mut(&at).unwrap() = value.clone();
                let reply = send(&daemon, route, &ids, bent.to_string().as_bytes()).await;
                assert!(
                    reply.status < 500,
                    "{} {at} {value}: {:?}",
                    route.path,
                    reply.json()
                );
                if reply.status >= 400 {
                    let message = reply.json()["error"]["message"].as_str().map(str::len);
                    assert!(message > Some(0), "{} {at} {value}", route.path);
                }
            }
        }
    }
}
