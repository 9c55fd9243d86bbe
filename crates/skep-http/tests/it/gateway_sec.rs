//! The security matrix of a gateway, as a table of those who must not get through: whoever they are, they are told so in the
//! dialect of their client, their token comes back nowhere, and no provider hears of them.

use std::sync::Arc;

use serde_json::{Value, json};
use skep_domain::{OrganizationRole, Role, Timestamp};
use skep_http::Limits;
use skep_limit::Limiter;
use skep_test_support::model::{ScriptedModel, Turn, openai};
use skep_test_support::{Newcomer, RedisServer, Reply, Request, Tenant, TestDaemon};

use crate::gateway::{CHAT, MESSAGES, call, keyed, own, owner, said, set};
use crate::gateway_limits::limited;
use crate::limits::{met, quotas};

/// The start of a test's clock.
const START: i64 = 1_767_225_600_000_000;

/// The owner of the second tenant.
pub(crate) async fn as_other(daemon: &TestDaemon, path: &str, body: &Value) -> Reply {
    let request = Request::new("POST", path).bearer(&daemon.b.token("owner"));
    request.json(body).send(daemon.address).await.unwrap()
}

async fn with(daemon: &TestDaemon, authorization: Option<&str>, path: &str) -> Reply {
    let mut request = Request::new("POST", path).json(&said("up/m", "x"));
    if let Some(authorization) = authorization {
        request = request.header("Authorization", authorization);
    }
    request.send(daemon.address).await.unwrap()
}

async fn house(calls: usize) -> (TestDaemon, ScriptedModel) {
    let answers = (0..calls).map(|_| Turn::Write(openai("ahoy", 1, 1)));
    let model = ScriptedModel::start(answers.collect());
    let daemon = TestDaemon::start_gateway(&[model.address]).await;
    keyed(&daemon, "compatible", model.address).await;
    daemon.own(&daemon.a).await;
    (daemon, model)
}

fn admin() -> Newcomer {
    Newcomer {
        organization: OrganizationRole::Admin,
        ..Newcomer::with(Role::Admin)
    }
}

/// A key of the first tenant's owner.
async fn key(daemon: &TestDaemon, mut body: Value) -> (Reply, String, String) {
    body["label"] = json!("of a test");
    let reply = owner(daemon, ("POST", "keys"), body).await;
    let made = reply.json();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (secret, id) = (text(&made["secret"]), text(&made["key"]["id"]));
    (reply, secret, id)
}

#[tokio::test(flavor = "multi_thread")]
async fn sec1_no_bearer_that_is_not_valid_now_reaches_a_provider() {
    let (daemon, model) = house(2).await;
    let place = (daemon.a.organization, daemon.a.workspace);
    let expired = Newcomer {
        expires_at: Some(Timestamp::from_micros(START - 1)),
        ..admin()
    };
    let expired = daemon.admit(place, expired).await.token;
    let revoked = daemon.admit(place, admin()).await;
    let valid = format!("Bearer {}", revoked.token);
    // SEC-1.7: until it is revoked it is as good as any; and that it was used a moment ago helps nobody (7.2).
    assert_eq!(with(&daemon, Some(&valid), CHAT).await.status, 200);
    daemon.revoke(&daemon.a, revoked.credential).await;
    let owner = daemon.a.token("owner");
    let cut = &owner[..owner.len() - 1];
    let cases = [
        ("1.1 missing", None),
        ("1.2 empty", Some("Bearer ".to_owned())),
        ("1.2 no scheme", Some(owner.clone())),
        ("1.3 malformed", Some("Bearer not a token".to_owned())),
        ("1.3 another scheme", Some(format!("Basic {owner}"))),
        ("1.3 cut", Some(format!("Bearer {cut}"))),
        ("1.4 unknown", Some(format!("Bearer {}", unknown(&owner)))),
        ("1.5 revoked", Some(format!("Bearer {}", revoked.token))),
        ("1.6 expired", Some(format!("Bearer {expired}"))),
        (
            "1.6 of a provider",
            Some("Bearer sk-proj-abcdefghij".to_owned()),
        ),
    ];
    for (case, authorization) in cases {
        for (path, kind) in [(CHAT, "openai"), (MESSAGES, "anthropic")] {
            let reply = with(&daemon, authorization.as_deref(), path).await;
            assert_eq!(reply.status, 401, "{case} at {path}");
            let body = reply.json();
            assert_eq!(
                body["error"]["type"], "authentication_error",
                "{case}: {body}"
            );
            assert_eq!(
                body["type"] == "error",
                kind == "anthropic",
                "{case}: {body}"
            );
            let token = authorization
                .as_deref()
                .and_then(|text| text.split(' ').nth(1));
            if let Some(token) = token.filter(|token| token.len() > 8) {
                let whole = format!("{}{body}", reply.head);
                assert!(!whole.contains(token), "{case}: echoed");
            }
        }
    }
    assert_eq!(model.asked().len(), 1, "only the valid one was heard of");
}

/// A token of the same form that nobody has.
fn unknown(token: &str) -> String {
    let mut letters: Vec<char> = token.chars().collect();
    let at = letters.len() / 2;
    letters[at] = if letters[at] == 'a' { 'b' } else { 'a' };
    letters.into_iter().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn sec2_an_agent_that_may_not_act_calls_no_model() {
    let (daemon, model) = house(1).await;
    let agent = own(&daemon, ("POST", "agents"), json!({ "name": "deckhand" }))
        .await
        .json();
    let id = agent["id"].as_str().unwrap().to_owned();
    let (_, secret, _) = key(&daemon, json!({ "agent": id })).await;
    let bearer = format!("Bearer {secret}");
    assert_eq!(with(&daemon, Some(&bearer), CHAT).await.status, 200);
    let path = format!("agents/{id}");
    own(
        &daemon,
        ("PATCH", &path),
        json!({ "standing": "suspended" }),
    )
    .await;
    for path in [CHAT, MESSAGES] {
        let reply = with(&daemon, Some(&bearer), path).await;
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (403, "AGENT_SUSPENDED")
        );
    }
    // SEC-2.3 and 2.4: no key is of an agent that is unknown, or another organization's.
    let theirs = Request::new("POST", "/api/v1/agents").bearer(&daemon.b.token("owner"));
    let theirs = theirs.json(&json!({ "name": "theirs" }));
    let theirs = theirs.send(daemon.address).await.unwrap().json();
    let mut unknown = id.clone();
    unknown.replace_range(unknown.len() - 4.., "zzzz");
    for agent in [theirs["id"].as_str().unwrap(), &unknown] {
        let (reply, ..) = key(&daemon, json!({ "agent": agent })).await;
        assert_eq!(reply.status, 403, "{agent}: one is as unknown as the other");
    }
    assert_eq!(model.asked().len(), 1);
}

/// The id of a tenant's organization, as outsiders write it.
async fn named(tenant: &Tenant, daemon: &TestDaemon) -> String {
    let request = Request::new("GET", "/api/v1/whoami").bearer(&tenant.token("owner"));
    let told = request.send(daemon.address).await.unwrap().json();
    told["organization"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn sec3_no_header_and_no_name_reaches_another_organizations_provider() {
    let (daemon, model) = house(2).await;
    let (ours, theirs) = (
        named(&daemon.a, &daemon).await,
        named(&daemon.b, &daemon).await,
    );
    for header in ["X-Org-Id", "X-Skep-Org", "OpenAI-Organization", "X-Tenant"] {
        let request = Request::new("POST", CHAT).bearer(&daemon.b.token("owner"));
        let request = request.header(header, &ours);
        let reply = request.json(&said("up/m", "x")).send(daemon.address).await;
        assert_eq!(reply.unwrap().status, 404, "{header}");
    }
    let request = Request::new("POST", CHAT).bearer(&daemon.a.token("owner"));
    let request = request.header("X-Skep-Org", &theirs);
    let reply = request.json(&said("up/m", "x")).send(daemon.address).await;
    assert_eq!(reply.unwrap().status, 200, "whose token it is decides");
    assert_eq!(model.asked().len(), 1);
    let listed = Request::new("GET", "/v1/models").bearer(&daemon.b.token("owner"));
    let listed = listed.send(daemon.address).await.unwrap().json();
    assert_eq!(listed["data"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn sec4_calls_beyond_the_allowance_are_told_when_to_come_back_and_go_nowhere() {
    let (daemon, model) = limited(&[("gateway_organization", "3/min")], &[(1, 1); 4]).await;
    let body = said("up/m", "x");
    let mut statuses = Vec::new();
    for _ in 0..5 {
        statuses.push(call(&daemon, CHAT, &body).await.status);
    }
    assert_eq!(statuses, [200, 200, 200, 429, 429]);
    let refused = call(&daemon, MESSAGES, &said("mock/echo", "x")).await;
    assert_eq!(refused.json()["error"]["type"], "rate_limit_error");
    assert_eq!(refused.header("retry-after"), "20");
    assert_eq!(
        refused.header("anthropic-ratelimit-requests-remaining"),
        "0"
    );
    assert_eq!(model.asked().len(), 3);
    // SEC-4.4: the other organization has its own.
    assert_eq!(as_other(&daemon, CHAT, &body).await.status, 404);
    daemon.clock.advance_seconds(20);
    assert_eq!(call(&daemon, CHAT, &body).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn sec4_without_the_shared_store_a_node_lets_its_own_part_through_and_no_more() {
    let redis = RedisServer::start();
    let shared = met(&redis).await;
    drop(redis);
    let quotas = quotas(&[("gateway_organization", "6/h")]);
    let limits = Limits {
        limiter: Arc::new(Limiter::shared(shared, 3)),
        quotas,
    };
    let answers = (0..6).map(|_| Turn::Write(openai("ahoy", 1, 1)));
    let model = ScriptedModel::start(answers.collect());
    let daemon = TestDaemon::start_gateway_limited(&[model.address], limits).await;
    let url = format!("http://{}/v1", model.address);
    let up = json!({ "name": "up", "kind": "compatible", "base_url": url });
    set(&daemon, up).await;
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(call(&daemon, CHAT, &said("up/m", "x")).await.status);
    }
    assert_eq!(statuses, [200, 200, 429, 429]);
    assert_eq!(model.asked().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn sec5_only_the_right_permission_opens_the_gateway() {
    let (daemon, model) = house(1).await;
    let (made, right, _) = key(&daemon, json!({ "permissions": ["gateway:use"] })).await;
    assert_eq!(made.status, 200, "{}", made.json());
    let bearer = format!("Bearer {right}");
    let reply = with(&daemon, Some(&bearer), CHAT).await;
    assert_eq!(reply.status, 200, "{}", reply.json());
    let wrong = [
        json!([]),
        json!(["memory:read"]),
        json!(["gateway:configure", "usage:read", "budget:manage"]),
    ];
    for permissions in wrong {
        let (made, secret, _) = key(&daemon, json!({ "permissions": permissions })).await;
        if made.status != 200 {
            continue;
        }
        let bearer = format!("Bearer {secret}");
        let reply = with(&daemon, Some(&bearer), CHAT).await;
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (403, "PERMISSION_DENIED"),
            "{permissions}"
        );
    }
    for unknown in ["gateway:everything", "17", "-1", "18446744073709551616", ""] {
        let (made, ..) = key(&daemon, json!({ "permissions": [unknown] })).await;
        assert_eq!(made.status, 400, "{unknown}");
    }
    assert_eq!(model.asked().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn sec7_what_is_too_large_is_refused_before_a_provider_hears_of_it() {
    let (daemon, model) = house(0).await;
    let token = daemon.a.token("owner");
    for path in [CHAT, MESSAGES] {
        let huge = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: 33554433\r\n"
        );
        let reply = Request::verbatim(&huge).send(daemon.address).await.unwrap();
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (413, "PAYLOAD_TOO_LARGE")
        );
    }
    assert_eq!(model.asked().len(), 0);
}
