//! Model calls and money, from outside: what a call cost is said beside its answer, a budget that is used up
//! answers 402 in the caller's dialect before anything is sent, and what was used is recorded once.

use futures_util::future::join_all;
use serde_json::{Value, json};
use skep_test_support::TestDaemon;
use skep_test_support::model::{ScriptedModel, Turn, openai};

use crate::gateway::{CHAT, MESSAGES, call, own, said, set};
use crate::gateway_streams::streamed;

const MOST: u64 = 64;

/// A provider whose model costs a hundredth for what one call may write at most, and nothing for what it reads.
async fn priced(script: Vec<Turn>, limit: &str) -> (TestDaemon, ScriptedModel) {
    let model = ScriptedModel::start(script);
    let daemon = TestDaemon::start_gateway(&[model.address]).await;
    let url = format!("http://{}/v1", model.address);
    let up = json!({ "name": "up", "kind": "compatible", "base_url": url });
    set(&daemon, up).await;
    let card = json!({ "models": "up/*", "input": "0", "output": "156.25" });
    own(&daemon, ("POST", "rate-cards"), card).await;
    let budget =
        json!({ "scope": "organization", "period": "total", "kind": "hard", "limit": limit });
    own(&daemon, ("POST", "budgets"), budget).await;
    (daemon, model)
}

/// The lines of usage that an export has, newest last.
async fn used(daemon: &TestDaemon) -> Vec<Value> {
    let export = own(daemon, ("GET", "audit/export?log=usage"), Value::Null).await;
    let text = String::from_utf8(export.body).unwrap();
    let lines = text.lines().filter(|line| line.starts_with('{'));
    let lines = lines.map(|line| serde_json::from_str::<Value>(line).unwrap());
    let entries = lines.map(|mut line| line["entry"].take());
    entries.filter(Value::is_object).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn l08_of_two_hundred_calls_at_once_at_a_limit_of_a_hundred_a_hundred_go_upstream() {
    let answers = (0..200).map(|_| Turn::Write(openai("ahoy", 9, MOST)));
    let (daemon, model) = priced(answers.collect(), "1.00").await;
    let body = said("up/m", "x");
    let calls = (0..200).map(|_| call(&daemon, CHAT, &body));
    let replies = join_all(calls).await;
    let count = |status| {
        replies
            .iter()
            .filter(|reply| reply.status == status)
            .count()
    };
    assert_eq!((count(200), count(402)), (100, 100));
    assert_eq!(model.asked().len(), 100, "what is refused is not sent");
    let refused = replies.iter().find(|reply| reply.status == 402).unwrap();
    let error = refused.json();
    assert_eq!(error["error"]["type"], "insufficient_quota");
    assert_eq!(error["error"]["code"], "BUDGET_EXCEEDED");
    set(&daemon, json!({ "name": "mock", "kind": "mock" })).await;
    let card = json!({ "models": "mock/*", "input": "1", "output": "1" });
    own(&daemon, ("POST", "rate-cards"), card).await;
    let refused = call(&daemon, MESSAGES, &said("mock/echo", "x")).await;
    assert_eq!(refused.status, 402);
    assert_eq!(refused.json()["error"]["type"], "billing_error");
    let budgets = own(&daemon, ("GET", "budgets"), Value::Null).await.json();
    assert_eq!(budgets["items"][0]["spent"], "1.00");
    assert_eq!(budgets["items"][0]["reserved"], "0.00");
    assert_eq!(used(&daemon).await.len(), 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn l04_an_answer_says_what_it_cost_and_under_which_entry_it_is_recorded() {
    let chunks = "data: {\"choices\":[]}\n\ndata: {\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":16}}\n\n\
                  data: [DONE]\n\n";
    let (daemon, _model) = priced(
        vec![
            Turn::Write(openai("ahoy", 9, MOST / 2)),
            Turn::Write(streamed(chunks)),
        ],
        "1.00",
    )
    .await;
    let whole = call(&daemon, CHAT, &said("up/m", "x")).await;
    assert_eq!(whole.status, 200);
    assert_eq!(whole.header("x-skep-cost"), "0.005");
    assert_eq!(whole.header("x-skep-budget-remaining"), "0.995");
    // Whoever looks sees it settled; a call that comes sooner may count beside all that was set aside for this one.
    own(&daemon, ("GET", "budgets"), Value::Null).await;
    let mut body = said("up/m", "x");
    body["stream"] = json!(true);
    let stream = call(&daemon, CHAT, &body).await;
    assert_eq!(stream.header("x-skep-cost"), "");
    assert_eq!(stream.header("x-skep-cost-at-most"), "0.01");
    assert_eq!(stream.header("x-skep-budget-remaining"), "0.985");
    let entries = used(&daemon).await;
    let told = [&whole, &stream].map(|reply| reply.header("x-skep-usage"));
    let kept: Vec<_> = entries
        .iter()
        .map(|entry| entry["id"].as_str().unwrap())
        .collect();
    assert_eq!(kept, told);
    let costs: Vec<_> = entries
        .iter()
        .map(|entry| entry["usage"]["cost"].as_u64().unwrap())
        .collect();
    assert_eq!(costs, [5_000, 2_500]);
}
