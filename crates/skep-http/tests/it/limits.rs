//! Rate limits over HTTP: headers, 429, whose calls count for whom, and the shared store gone.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use skep_domain::Quota;
use skep_http::Limits;
use skep_limit::{Limiter, Quotas, Shared, SharedConfig};
use skep_test_support::{RedisServer, Reply, Request, TestDaemon};

pub(crate) fn quotas(set: &[(&str, &str)]) -> Quotas {
    let mut quotas = Quotas::default();
    for (name, quota) in set {
        let quota = Quota::parse(quota).expect("a quota");
        assert!(quotas.set(name, quota), "{name}");
    }
    quotas
}

pub(crate) fn here(set: &[(&str, &str)]) -> Limits {
    Limits {
        limiter: Arc::new(Limiter::local()),
        quotas: quotas(set),
    }
}

/// What nodes share in this server.
fn shared(redis: &RedisServer) -> Shared {
    let config = SharedConfig {
        url: redis.url(),
        user: None,
        password: None,
        patience: Duration::from_millis(200),
    };
    Shared::new(config).expect("a URL")
}

/// The same, connected.
pub(crate) async fn met(redis: &RedisServer) -> Shared {
    let shared = shared(redis);
    assert!(shared.mend().await);
    shared
}

async fn get(daemon: &TestDaemon, token: &str) -> Reply {
    let request = Request::new("GET", "/api/v1/memories").bearer(token);
    request.send(daemon.address).await.expect("an answer")
}

/// The headers about limits, in the order of their names.
fn told(reply: &Reply) -> Vec<String> {
    let mut lines: Vec<String> = reply
        .head
        .lines()
        .map(str::to_lowercase)
        .filter(|line| line.contains("ratelimit") || line.starts_with("retry-after"))
        .collect();
    lines.sort();
    lines
}

#[tokio::test(flavor = "multi_thread")]
async fn every_limited_answer_says_what_is_left_and_429_says_when_to_come_back() {
    let daemon = TestDaemon::start_limited(here(&[("api_credential", "3/min")])).await;
    let owner = daemon.a.token("owner");
    let mut replies = Vec::new();
    for _ in 0..4 {
        replies.push(get(&daemon, &owner).await);
    }
    let statuses: Vec<u16> = replies.iter().map(|reply| reply.status).collect();
    assert_eq!(statuses, [200, 200, 200, 429]);
    assert_eq!(
        told(&replies[0]),
        [
            "ratelimit-limit: 3",
            "ratelimit-remaining: 2",
            "ratelimit-reset: 20",
            "x-ratelimit-limit: 3",
            "x-ratelimit-remaining: 2",
            // 2026-01-01T00:00:20Z and the microseconds that the clock has gone on
            "x-ratelimit-reset: 1767225621",
        ]
    );
    let last = &replies[3];
    assert_eq!(last.code(), "RATE_LIMITED");
    assert!(
        told(last).contains(&"retry-after: 20".to_owned()),
        "{}",
        last.head
    );
    assert!(told(last).contains(&"ratelimit-remaining: 0".to_owned()));
    let wait = last.json()["error"]["retry_after_ms"]
        .as_u64()
        .expect("a wait");
    assert!((19_000..=20_000).contains(&wait), "{wait}");

    daemon.clock.advance_seconds(20);
    assert_eq!(get(&daemon, &owner).await.status, 200);
    assert_eq!(get(&daemon, &owner).await.status, 429);
}

#[tokio::test(flavor = "multi_thread")]
async fn a19_letters_for_one_address_are_five_however_it_is_typed_and_wherever_it_is_asked() {
    let daemon = TestDaemon::start_limited(here(&[("login_address", "1000/h")])).await;
    let mut statuses = Vec::new();
    for n in 0..6 {
        let typed = ["maria@example.org", " Maria@Example.org "][n % 2];
        let request = if n < 3 {
            Request::new("POST", "/api/v1/auth/reset").json(&json!({ "address": typed }))
        } else {
            let typed = typed.trim().replace('@', "%40");
            let fields = format!("address={typed}");
            Request::new("POST", "/reset")
                .body("application/x-www-form-urlencoded", fields.as_bytes())
        };
        let reply = request.send(daemon.address).await.expect("an answer");
        statuses.push(reply.status);
    }
    assert_eq!(statuses, [200, 200, 200, 200, 200, 429]);
    let other =
        Request::new("POST", "/api/v1/auth/reset").json(&json!({ "address": "jo@example.org" }));
    let reply = other.send(daemon.address).await.expect("an answer");
    assert_eq!(reply.status, 200, "another address has its own");
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_count_and_are_told_too_but_nobody_without_a_credential_is_told_anything() {
    let daemon = TestDaemon::start_limited(here(&[("api_credential", "2/min")])).await;
    let reader = daemon.a.token("reader");
    let write = Request::new("POST", "/api/v1/memories").bearer(&reader);
    let write = write.json(&serde_json::json!({ "text": "no" }));
    for expected in [403, 403, 429] {
        let reply = write.send(daemon.address).await.expect("an answer");
        assert_eq!(reply.status, expected);
        assert_eq!(told(&reply).len(), 6 + usize::from(expected == 429));
    }
    for request in [
        Request::new("GET", "/healthz"),
        Request::new("GET", "/api/v1/memories"),
        Request::new("GET", "/api/v1/memories").bearer("skep_it_wrong"),
        Request::new("GET", "/no/such/path").bearer(&reader),
    ] {
        let reply = request.send(daemon.address).await.expect("an answer");
        assert_eq!(
            told(&reply),
            Vec::<String>::new(),
            "{}",
            request.first_line()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s06_what_an_organization_is_told_depends_on_its_own_calls_only() {
    let set = [("api_credential", "50/min"), ("api_organization", "60/min")];
    let daemon = TestDaemon::start_limited(here(&set)).await;
    let (ours, theirs) = (daemon.a.token("owner"), daemon.b.token("owner"));
    let mut heads = Vec::new();
    for _ in 0..5 {
        for _ in 0..20 {
            get(&daemon, &theirs).await;
        }
        let reply = get(&daemon, &ours).await;
        assert_eq!(reply.status, 200, "their flood is theirs");
        heads.push(told(&reply)[1].clone());
    }
    let expected: Vec<String> = (0..5)
        .map(|call| format!("ratelimit-remaining: {}", 49 - call))
        .collect();
    assert_eq!(heads, expected);
    assert_eq!(get(&daemon, &theirs).await.status, 429);

    // Within an organization the calls of all credentials count together.
    let colleague = daemon.a.token("colleague");
    let mut passed = 0;
    while get(&daemon, &colleague).await.status == 200 {
        passed += 1;
    }
    assert_eq!(passed, 50);
    let mut passed = 0;
    while get(&daemon, &ours).await.status == 200 {
        passed += 1;
    }
    assert_eq!(passed, 5, "60 of the organization, less 5 and 50");
}

#[tokio::test(flavor = "multi_thread")]
async fn f01_http_goes_on_with_its_part_when_the_shared_store_is_paused() {
    let redis = RedisServer::start();
    let shared = met(&redis).await;
    let daemon = TestDaemon::start_limited(Limits {
        limiter: Arc::new(Limiter::shared(shared, 2)),
        quotas: quotas(&[("api_credential", "20/h")]),
    })
    .await;
    let owner = daemon.a.token("owner");
    let reply = get(&daemon, &owner).await;
    assert_eq!(told(&reply)[0], "ratelimit-limit: 20");
    redis.pause();
    let mut statuses = Vec::new();
    for _ in 0..12 {
        let reply = get(&daemon, &owner).await;
        assert_eq!(
            told(&reply)
                .iter()
                .find(|line| line.starts_with("ratelimit-limit"))
                .expect("told"),
            "ratelimit-limit: 10"
        );
        statuses.push(reply.status);
    }
    assert_eq!(statuses, [vec![200; 10], vec![429; 2]].concat());
}

async fn set(daemon: &TestDaemon, token: &str, name: &str, quota: Option<&str>) -> Reply {
    let body = serde_json::json!({ "name": name, "quota": quota });
    let request = Request::new("POST", "/api/v1/limits")
        .bearer(token)
        .json(&body);
    request.send(daemon.address).await.expect("an answer")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organization_sets_its_own_limits_below_the_installations_and_for_itself_alone() {
    let daemon = TestDaemon::start_limited(here(&[("api_credential", "100/min")])).await;
    let (owner, theirs) = (daemon.a.token("owner"), daemon.b.token("owner"));
    for (name, quota, status) in [
        ("api_credential", Some("101/min"), 400),
        ("api_credential", Some("100/s"), 400),
        ("api_credential", Some("often"), 400),
        ("login_account", Some("1/h"), 400),
        ("nothing", Some("1/h"), 400),
        // What could not be undone before tomorrow.
        ("api_credential", Some("50/d"), 400),
        ("api_organization", Some("1/min"), 400),
        ("api_credential", Some("7/min"), 200),
    ] {
        let reply = set(&daemon, &owner, name, quota).await;
        assert_eq!(reply.status, status, "{name} {quota:?}");
    }
    let reader = daemon.a.token("reader");
    assert_eq!(
        set(&daemon, &reader, "api_credential", Some("1/h"))
            .await
            .status,
        403
    );

    let reply = get(&daemon, &owner).await;
    assert_eq!(told(&reply)[0], "ratelimit-limit: 7", "in force at once");
    assert_eq!(
        told(&get(&daemon, &theirs).await)[0],
        "ratelimit-limit: 100"
    );
    let list = Request::new("GET", "/api/v1/limits").bearer(&theirs);
    let shown = list.send(daemon.address).await.expect("an answer").json();
    let rows = shown["items"].as_array().expect("rows");
    assert!(rows.iter().all(|row| row["is_set"] == false), "{shown}");

    daemon.clock.advance_seconds(120);
    let reply = set(&daemon, &owner, "api_credential", None).await;
    assert_eq!(reply.status, 200);
    assert_eq!(told(&get(&daemon, &owner).await)[0], "ratelimit-limit: 100");
}

/// Another node of the same store: it looks again after a second.
#[tokio::test(flavor = "multi_thread")]
async fn what_an_organization_sets_is_in_force_on_other_nodes_within_a_second() {
    let daemon = TestDaemon::start_limited(here(&[])).await;
    let other = skep_app::App::new(
        Arc::clone(&daemon.store),
        Arc::new(skep_index::StaticEmbedder::built_in()),
        Arc::new(skep_test_support::StoppedWatch),
        skep_app::Settings::default(),
    );
    let organization = daemon.a.organization;
    assert!(other.own_quotas(organization).await.is_empty());
    let owner = daemon.a.token("owner");
    let reply = set(&daemon, &owner, "api_credential", Some("7/min")).await;
    assert_eq!(reply.status, 200);
    daemon.clock.advance_seconds(1);
    let quotas = other.own_quotas(organization).await;
    assert_eq!(quotas.get("api_credential"), Quota::parse("7/min").as_ref());
    assert!(other.own_quotas(daemon.b.organization).await.is_empty());
}

/// What strangers guess at is counted by where they come from, and closed when it cannot be counted.
#[tokio::test(flavor = "multi_thread")]
async fn f02_what_is_guessed_at_is_counted_by_address_on_every_door() {
    let doors = [
        "/api/v1/setup",
        "/api/v1/auth/login",
        "/api/v1/auth/login/second",
        "/api/v1/auth/passkey/begin",
        "/api/v1/auth/passkey/finish",
        "/api/v1/auth/invite",
        "/api/v1/auth/reset",
        "/login",
        "/login/second",
        "/setup",
        "/invite",
        "/reset",
        "/oauth/device",
    ];
    let daemon = TestDaemon::start_limited(here(&[("login_address", "13/h")])).await;
    let knock = async |door: &str| {
        let request = Request::new("POST", door);
        let request = if door.starts_with("/api/") {
            request.json(&serde_json::json!({}))
        } else {
            request.form(&[("a", "b")])
        };
        request.send(daemon.address).await.expect("an answer")
    };
    for (n, door) in doors.iter().enumerate() {
        let reply = knock(door).await;
        assert_ne!(reply.status, 429, "{door}");
        let left = format!("ratelimit-remaining: {}", 12 - n);
        assert!(told(&reply).contains(&left), "{door}: {}", reply.head);
    }
    for door in doors {
        let reply = knock(door).await;
        assert_eq!(reply.status, 429, "{door}");
        assert!(!reply.header("Retry-After").is_empty(), "{door}");
    }
    let owner = daemon.a.token("owner");
    assert_eq!(
        get(&daemon, &owner).await.status,
        200,
        "who is known goes on"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn f01_http_closes_the_doors_and_goes_on_elsewhere_when_the_shared_store_is_gone() {
    let redis = RedisServer::start();
    let shared = shared(&redis);
    drop(redis);
    assert!(!shared.mend().await);
    let daemon = TestDaemon::start_limited(Limits {
        limiter: Arc::new(Limiter::shared(shared, 1)),
        quotas: quotas(&[]),
    })
    .await;
    let body = serde_json::json!({ "address": "maria@hive.example", "password": "plover anvil" });
    for door in ["/api/v1/auth/login", "/api/v1/auth/reset"] {
        let request = Request::new("POST", door).json(&body);
        let reply = request.send(daemon.address).await.expect("an answer");
        let refused = (reply.status, reply.code());
        assert_eq!(refused, (503, "AUTH_UNAVAILABLE".to_owned()), "{door}");
        assert!(!reply.header("Retry-After").is_empty(), "{door}");
    }
    let owner = daemon.a.token("owner");
    assert_eq!(get(&daemon, &owner).await.status, 200);
    assert!(
        weaknesses(&daemon)
            .await
            .contains("is away: login and reset")
    );
}

/// What the posture report finds weak.
async fn weaknesses(daemon: &TestDaemon) -> String {
    let owner = daemon.a.token("owner");
    let request = Request::new("GET", "/api/v1/system/posture").bearer(&owner);
    let posture = request.send(daemon.address).await.expect("an answer");
    posture.json()["weaknesses"].to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn f02_wider_doors_than_by_default_are_called_weak() {
    for (quota, weak) in [
        ("30/h", false),
        ("31/h", true),
        ("300/h", true),
        ("3/h", false),
    ] {
        let daemon = TestDaemon::start_limited(here(&[("login_address", quota)])).await;
        let found = weaknesses(&daemon).await;
        assert_eq!(found.contains("more login attempts"), weak, "{quota}");
        assert!(!found.contains("is away") && !found.contains("not counted"));
    }
}
