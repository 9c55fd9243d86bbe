//! Capture from outside: gates, rules, outcomes, and what is left in no file.

use serde_json::{Value, json};
use skep_app::CaptureSettings;
use skep_test_support::{Request, TestDaemon};

use crate::bodies::counts;
use crate::canary::{forms, walk};

async fn strict() -> TestDaemon {
    TestDaemon::start_with(CaptureSettings::default()).await
}

async fn call(daemon: &TestDaemon, persona: &str, method: &str, path: &str, body: Value) -> Value {
    let request = Request::new(method, path).bearer(&daemon.a.token(persona));
    let request = if method == "GET" {
        request
    } else {
        request.json(&body)
    };
    let reply = request.send(daemon.address).await.unwrap();
    let mut answer = reply.json();
    if reply.status != 200 {
        answer["status"] = reply.status.into();
    }
    answer
}

async fn post(daemon: &TestDaemon, path: &str, body: Value) -> Value {
    call(daemon, "owner", "POST", path, body).await
}

async fn health(daemon: &TestDaemon) -> Value {
    let health = call(daemon, "owner", "GET", "/api/v1/system/health", Value::Null).await;
    health["workspace"]["capture"].clone()
}

fn turn(event: &str, role: &str, text: &str) -> Value {
    json!({ "client_event_id": event, "role": role, "at": "2026-01-01T00:00:00Z", "text": text })
}

fn tool(event: &str, role: &str, tool: &str, text: &str, paths: &[&str]) -> Value {
    json!({ "client_event_id": event, "role": role, "at": "2026-01-01T00:00:00Z", "text": text,
            "tool": tool, "paths": paths })
}

fn batch(session: &str, cwd: &str, origin: &str, turns: &[Value]) -> Value {
    json!({ "session": { "harness": "claude-code", "external_id": session, "cwd": cwd },
            "turns": turns, "origin": origin })
}

/// Received equals the sum of the outcomes, and what is stored is what the outcomes say.
async fn conserved(daemon: &TestDaemon) -> Value {
    let health = health(daemon).await;
    let outcomes = health["outcomes"].as_object().unwrap();
    let sum: u64 = outcomes.values().map(|turns| turns.as_u64().unwrap()).sum();
    assert_eq!(
        health["received"].as_u64().unwrap_or_default(),
        sum,
        "{health}"
    );
    let new: u64 = ["stored", "redacted", "cut", "withheld"]
        .iter()
        .filter_map(|name| outcomes.get(*name)?.as_u64())
        .sum();
    assert_eq!(counts(daemon, &daemon.a).await[1], json!(new), "{health}");
    health
}

#[tokio::test(flavor = "multi_thread")]
async fn x13_an_unbound_directory_captures_nothing_until_it_is_bound() {
    let daemon = strict().await;
    let live = batch(
        "s",
        "/srv/harbour/deep/down",
        "live",
        &[turn("e", "user", "qxunboundwvzk")],
    );
    let refused = post(&daemon, "/api/v1/capture", live.clone()).await;
    assert_eq!(
        refused["outcomes"],
        json!(["refused: unbound"]),
        "{refused}"
    );
    assert_eq!(
        (&refused["session"], &refused["stored"]),
        (&Value::Null, &json!(0))
    );
    assert!(
        refused["note"]
            .as_str()
            .unwrap()
            .contains("skep project bind")
    );
    assert_eq!(counts(&daemon, &daemon.a).await, json!([0, 0, 0]));
    conserved(&daemon).await;

    let bound = json!({ "directory": "/srv/harbour/", "project": "harbour" });
    let bound = post(&daemon, "/api/v1/projects/bind", bound).await;
    assert_eq!(bound["directory"], json!("/srv/harbour"), "{bound}");
    let kept = post(&daemon, "/api/v1/capture", live.clone()).await;
    assert_eq!(kept["outcomes"], json!(["stored"]), "{kept}");
    let path = format!("/api/v1/sessions/{}", kept["session"].as_str().unwrap());
    let session = call(&daemon, "owner", "GET", &path, Value::Null).await;
    assert_eq!(session["project"], json!("harbour"));
    for elsewhere in ["/srv/harbourmaster", "/srv", "", "/srv/harbour/../other"] {
        let live = batch("t", elsewhere, "live", &[turn("e", "user", "x")]);
        let refused = post(&daemon, "/api/v1/capture", live).await;
        assert_eq!(
            refused["outcomes"],
            json!(["refused: unbound"]),
            "{elsewhere}"
        );
    }
    let gone = post(
        &daemon,
        "/api/v1/projects/unbind",
        json!({ "directory": "/srv/harbour" }),
    )
    .await;
    assert_eq!(gone["was_bound"], json!(true));
    let refused = post(&daemon, "/api/v1/capture", live.clone()).await;
    assert_eq!(refused["refused"], json!(1));
    let import = batch(
        "s",
        "/srv/harbour/deep/down",
        "import",
        &[turn("e2", "user", "y")],
    );
    let imported = post(&daemon, "/api/v1/capture", import).await;
    assert_eq!(
        imported["outcomes"],
        json!(["stored"]),
        "an import is its own consent"
    );
    conserved(&daemon).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn x13_a_pause_stops_capture_visibly_and_ends() {
    let daemon = TestDaemon::start().await;
    let live = |event: &str| batch("s", "/w", "live", &[turn(event, "user", "hello")]);
    let paused = post(
        &daemon,
        "/api/v1/capture/pause",
        json!({ "for_seconds": 60 }),
    )
    .await;
    assert_eq!(paused["pauses"].as_array().unwrap().len(), 1, "{paused}");
    let refused = post(&daemon, "/api/v1/capture", live("1")).await;
    assert_eq!(refused["outcomes"], json!(["refused: paused"]));
    assert!(refused["note"].as_str().unwrap().contains("skep resume"));
    assert_eq!(
        conserved(&daemon).await["pauses"].as_array().unwrap().len(),
        1
    );
    daemon.clock.advance_seconds(61);
    let kept = post(&daemon, "/api/v1/capture", live("1")).await;
    assert_eq!(kept["outcomes"], json!(["stored"]));
    assert_eq!(conserved(&daemon).await["pauses"], json!([]));

    post(&daemon, "/api/v1/capture/pause", json!({})).await;
    assert_eq!(
        post(&daemon, "/api/v1/capture", live("2")).await["refused"],
        json!(1)
    );
    let agent = call(&daemon, "shared", "POST", "/api/v1/capture", live("2")).await;
    assert_eq!(
        agent["outcomes"],
        json!(["stored"]),
        "a pause is the caller's own"
    );
    post(&daemon, "/api/v1/capture/resume", json!({})).await;
    assert_eq!(
        post(&daemon, "/api/v1/capture", live("2")).await["stored"],
        json!(1)
    );

    post(
        &daemon,
        "/api/v1/capture/pause",
        json!({ "everyone": true }),
    )
    .await;
    let agent = call(&daemon, "shared", "POST", "/api/v1/capture", live("3")).await;
    assert_eq!(agent["outcomes"], json!(["refused: paused"]));
    for path in ["/api/v1/capture/pause", "/api/v1/capture/resume"] {
        let denied = call(&daemon, "shared", "POST", path, json!({ "everyone": true })).await;
        assert_eq!(
            denied["error"]["code"],
            json!("PERMISSION_DENIED"),
            "{path}"
        );
    }
    post(
        &daemon,
        "/api/v1/capture/resume",
        json!({ "everyone": true }),
    )
    .await;
    let agent = call(&daemon, "shared", "POST", "/api/v1/capture", live("3")).await;
    assert_eq!(agent["outcomes"], json!(["stored"]));
    for wrong in [0, 366 * 24 * 3_600 + 1] {
        let refused = post(
            &daemon,
            "/api/v1/capture/pause",
            json!({ "for_seconds": wrong }),
        )
        .await;
        assert_eq!(refused["status"], json!(400), "{wrong}");
    }
    conserved(&daemon).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn x13_a_session_opts_out_before_or_after_it_is_known() {
    let daemon = TestDaemon::start().await;
    let named = json!({ "session": { "harness": "claude-code", "external_id": "quiet" } });
    post(&daemon, "/api/v1/capture/pause", named.clone()).await;
    for origin in ["live", "import"] {
        let quiet = batch("quiet", "/w", origin, &[turn("e", "user", "x")]);
        let refused = post(&daemon, "/api/v1/capture", quiet).await;
        assert_eq!(refused["outcomes"], json!(["refused: session"]), "{origin}");
    }
    let other = batch("loud", "/w", "live", &[turn("e", "user", "x")]);
    let kept = post(&daemon, "/api/v1/capture", other).await;
    assert_eq!(kept["stored"], json!(1));
    let path = format!(
        "/api/v1/sessions/{}/capture",
        kept["session"].as_str().unwrap()
    );
    post(&daemon, &path, json!({ "off": true })).await;
    let again = batch("loud", "/w", "live", &[turn("e2", "user", "x")]);
    let refused = post(&daemon, "/api/v1/capture", again.clone()).await;
    assert_eq!(refused["outcomes"], json!(["refused: session"]));
    post(&daemon, &path, json!({ "off": false })).await;
    post(&daemon, "/api/v1/capture/resume", named).await;
    assert_eq!(
        post(&daemon, "/api/v1/capture", again).await["stored"],
        json!(1)
    );
    conserved(&daemon).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn x13_the_off_switch_stops_imports_as_well() {
    let daemon = TestDaemon::start_with(CaptureSettings {
        enabled: false,
        unbound: true,
        ..CaptureSettings::default()
    })
    .await;
    for origin in ["live", "import"] {
        let refused = post(
            &daemon,
            "/api/v1/capture",
            batch("s", "/w", origin, &[turn("e", "user", "x")]),
        )
        .await;
        assert_eq!(refused["outcomes"], json!(["refused: off"]), "{origin}");
    }
    assert_eq!(conserved(&daemon).await["enabled"], json!(false));
}

#[tokio::test(flavor = "multi_thread")]
async fn a12_what_a_rule_or_a_private_span_keeps_out_is_in_no_file() {
    let daemon = TestDaemon::start().await;
    let canaries = [
        "qxreadwvzk",
        "qxbashwvzk",
        "qxlaterwvzk",
        "qxspanwvzk",
        "qxvaultwvzk",
        "qxpausedwvzk",
    ];
    let first = batch(
        "s",
        "/w",
        "live",
        &[
            tool("1", "tool_call", "Read", "/w/.env", &["/w/.env"]),
            tool("2", "tool_result", "Read", "KEY=qxreadwvzk", &[]),
            turn("3", "user", "see <private>qxspanwvzk</private> here"),
            tool("4", "tool_call", "mcp__vault__read", "qxvaultwvzk", &[]),
            tool(
                "5",
                "tool_call",
                "Bash",
                "cat secrets/db.yml # qxbashwvzk",
                &[],
            ),
        ],
    );
    let answer = post(&daemon, "/api/v1/capture", first.clone()).await;
    assert_eq!(
        answer["outcomes"],
        json!(["withheld", "withheld", "redacted", "withheld", "withheld"]),
        "{answer}"
    );
    // The result of the last call comes in a batch of its own, as a hook would send it.
    let second = batch(
        "s",
        "/w",
        "live",
        &[tool("6", "tool_result", "Bash", "pw: qxlaterwvzk", &[])],
    );
    let answer = post(&daemon, "/api/v1/capture", second).await;
    assert_eq!(answer["outcomes"], json!(["withheld"]), "{answer}");
    let again = post(&daemon, "/api/v1/capture", first).await;
    assert_eq!(again["duplicates"], json!(5), "{again}");
    post(&daemon, "/api/v1/capture/pause", json!({})).await;
    post(
        &daemon,
        "/api/v1/capture",
        batch("p", "/w", "live", &[turn("1", "user", "qxpausedwvzk")]),
    )
    .await;
    conserved(&daemon).await;
    daemon.tend(&daemon.a).await;
    for canary in canaries {
        let query = json!({ "query": canary });
        let recalled = post(&daemon, "/api/v1/recall", query).await;
        assert!(!recalled.to_string().contains(canary), "{canary}");
    }
    let session = answer["session"].as_str().unwrap();
    let turns = call(
        &daemon,
        "owner",
        "GET",
        &format!("/api/v1/sessions/{session}/turns"),
        Value::Null,
    )
    .await;
    assert!(
        canaries
            .iter()
            .all(|canary| !turns.to_string().contains(canary)),
        "{turns}"
    );
    walk(&daemon.data(), &mut |path, bytes| {
        for canary in canaries {
            for needle in forms(canary) {
                let found = bytes.windows(needle.len()).any(|window| window == needle);
                assert!(!found, "{canary} stands in {}", path.display());
            }
        }
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn n12_a_spools_losses_count_once_however_often_they_are_told() {
    let daemon = TestDaemon::start().await;
    for (dropped, expected) in [(3, 3), (3, 3), (5, 5), (4, 5)] {
        let mut batch = batch("s", "/w", "live", &[]);
        batch["spool"] = json!({ "id": "spool-1", "dropped": dropped });
        post(&daemon, "/api/v1/capture", batch).await;
        let health = conserved(&daemon).await;
        assert_eq!(health["outcomes"]["overflow"], json!(expected));
    }
    let mut wrong = batch("s", "/w", "live", &[]);
    wrong["spool"] = json!({ "id": "spool-1", "dropped": u64::MAX });
    assert_eq!(
        post(&daemon, "/api/v1/capture", wrong).await["status"],
        json!(400)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn t01_pauses_bindings_and_counters_of_one_tenant_are_not_the_others() {
    let daemon = strict().await;
    let bound = json!({ "directory": "/srv/harbour", "project": "harbour" });
    post(&daemon, "/api/v1/projects/bind", bound).await;
    post(
        &daemon,
        "/api/v1/capture/pause",
        json!({ "everyone": true }),
    )
    .await;
    let live = batch("s", "/srv/harbour", "live", &[turn("e", "user", "x")]);
    let reply = Request::new("POST", "/api/v1/capture")
        .bearer(&daemon.b.token("owner"))
        .json(&live)
        .send(daemon.address)
        .await
        .unwrap();
    assert_eq!(
        reply.json()["outcomes"],
        json!(["refused: unbound"]),
        "unbound there, paused here"
    );
    assert_eq!(health(&daemon).await["received"], json!(0));
    let reply = Request::new("GET", "/api/v1/projects")
        .bearer(&daemon.b.token("owner"))
        .send(daemon.address)
        .await
        .unwrap();
    assert_eq!(reply.json()["bindings"], json!([]));
}
