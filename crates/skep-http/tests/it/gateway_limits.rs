//! How many calls of models, and how many tokens: what is refused goes nowhere, and what is left is said as each provider's
//! clients expect it.

use std::sync::Arc;

use serde_json::json;
use skep_app::ExchangeDesk;
use skep_test_support::model::{ScriptedModel, Turn, openai};
use skep_test_support::{Reply, Request, TestDaemon};

use crate::gateway::{CHAT, MESSAGES, call, said, set};
use crate::limits::here;

/// A daemon that counts like this in front of a provider that answers with so many tokens.
pub(crate) async fn limited(
    quotas: &[(&str, &str)],
    answers: &[(u64, u64)],
) -> (TestDaemon, ScriptedModel) {
    let answers = answers
        .iter()
        .map(|(input, output)| Turn::Write(openai("ahoy", *input, *output)));
    let model = ScriptedModel::start(answers.collect());
    let limits = here(quotas);
    let daemon = TestDaemon::start_gateway_limited(&[model.address], limits).await;
    let url = format!("http://{}/v1", model.address);
    let up = json!({ "name": "up", "kind": "compatible", "base_url": url });
    set(&daemon, up).await;
    set(&daemon, json!({ "name": "mock", "kind": "mock" })).await;
    (daemon, model)
}

/// The headers of this beginning, by the rest of their names.
fn told(reply: &Reply, beginning: &str) -> Vec<String> {
    let lines = reply.head.lines().map(str::to_lowercase);
    let mut lines: Vec<String> = lines
        .filter_map(|line| line.strip_prefix(beginning).map(str::to_owned))
        .collect();
    lines.sort();
    lines
}

/// Until so many calls are recorded: what they owe is counted before that.
async fn settle(daemon: &TestDaemon, calls: u64) {
    let usage = Request::new("GET", "/api/v1/usage").bearer(&daemon.a.token("owner"));
    loop {
        let told = usage.send(daemon.address).await.unwrap().json();
        let days = told["items"].as_array().unwrap();
        let sum: u64 = days.iter().map(|day| day["calls"].as_u64().unwrap()).sum();
        if sum >= calls {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_counted_as_they_were_and_whoever_is_in_debt_waits() {
    // The first reads little, and writes more than anybody expected.
    let (daemon, model) = limited(
        &[("tokens_credential", "1000/1000s")],
        &[(10, 1_190), (10, 10)],
    )
    .await;
    let body = said("up/m", "x");
    let first = call(&daemon, CHAT, &body).await;
    assert_eq!(first.status, 200);
    settle(&daemon, 1).await;
    let refused = call(&daemon, CHAT, &body).await;
    assert_eq!(refused.status, 429);
    assert_eq!(refused.json()["error"]["type"], "rate_limit_error");
    assert_eq!(model.asked().len(), 1, "what is refused is not sent");
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=200).contains(&wait), "{wait}");
    assert_eq!(refused.header("x-ratelimit-remaining-tokens"), "0");
    daemon.clock.advance_seconds(i64::try_from(wait).unwrap());
    assert_eq!(call(&daemon, CHAT, &body).await.status, 200);
    settle(&daemon, 2).await;
    // Another credential's tokens are its own.
    assert_eq!(
        crate::gateway_sec::as_other(&daemon, CHAT, &said("mock/echo", "x"))
            .await
            .status,
        404,
        "the other organization has no such provider, and is not held up"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn f03_nothing_is_searched_recorded_or_kept_for_a_call_that_is_one_too_many() {
    let (daemon, _model) = limited(&[("tokens_credential", "1000/1000s")], &[(10, 1_190)]).await;
    let body = said("up/m", "x");
    assert_eq!(call(&daemon, CHAT, &body).await.status, 200);
    settle(&daemon, 1).await;
    let token = daemon.a.token("owner");
    for name in ["X-Skep-Memory", "X-Skep-Capture"] {
        let value = if name.ends_with("Memory") {
            "on"
        } else {
            "tides"
        };
        let request = Request::new("POST", CHAT)
            .bearer(&token)
            .header(name, value);
        let refused = request.json(&body).send(daemon.address).await.unwrap();
        assert_eq!(refused.status, 429, "{name}");
    }
    ExchangeDesk::new(Arc::clone(&daemon.app)).write().await;
    let sessions = Request::new("GET", "/api/v1/sessions").bearer(&token);
    let sessions = sessions.send(daemon.address).await.unwrap().json();
    assert_eq!(
        sessions["items"],
        json!([]),
        "neither searched for nor kept"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_call_took_for_nothing_is_given_back() {
    let (daemon, _model) = limited(&[("tokens_credential", "1000/1000s")], &[]).await;
    // Its provider answers 500: nothing was read.
    let body = said("up/m", &"x".repeat(2_400));
    for calls in 1..5 {
        assert_eq!(call(&daemon, CHAT, &body).await.status, 500);
        settle(&daemon, calls).await;
    }
    // A body of more than there ever is passes when nothing is missing.
    let body = said("mock/echo", &"x".repeat(30_000));
    daemon.clock.advance_seconds(1_000);
    assert_eq!(call(&daemon, CHAT, &body).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_is_said_as_the_clients_of_each_provider_expect_it() {
    let quotas = [
        ("gateway_organization", "3/min"),
        ("tokens_organization", "6000/min"),
    ];
    let (daemon, _model) = limited(&quotas, &[(10, 5)]).await;
    let reply = call(&daemon, CHAT, &said("up/m", "x")).await;
    let tokens: u64 = reply
        .header("x-ratelimit-remaining-tokens")
        .parse()
        .unwrap();
    assert!((5_900..6_000).contains(&tokens), "{tokens}");
    assert_eq!(
        told(&reply, "x-ratelimit-")
            .iter()
            .filter(|line| line.contains("requests"))
            .collect::<Vec<_>>(),
        [
            "limit-requests: 3",
            "remaining-requests: 2",
            "reset-requests: 20s"
        ]
    );
    let reply = call(&daemon, MESSAGES, &said("mock/echo", "x")).await;
    let told = told(&reply, "anthropic-ratelimit-requests-");
    assert_eq!(told[..2], ["limit: 3", "remaining: 1"]);
    assert!(told[2].starts_with("reset: 2026-01-01t00:00:4"), "{told:?}");
    assert_eq!(reply.header("anthropic-ratelimit-tokens-limit"), "6000");
    // Our own routes speak to no client of a provider.
    let own = Request::new("GET", "/api/v1/memories");
    let own = own.bearer(&daemon.a.token("owner"));
    let own = own.send(daemon.address).await.unwrap();
    assert_eq!(own.header("x-ratelimit-limit-requests"), "");
}
