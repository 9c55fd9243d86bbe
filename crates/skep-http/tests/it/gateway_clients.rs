//! The official SDKs of OpenAI and Anthropic, as they are, against this daemon. They are installed into the target
//! directory at the first run, from npm and from `PyPI`.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::json;
use skep_domain::Role;
use skep_test_support::model::{ScriptedModel, Turn, answer, openai};
use skep_test_support::{Newcomer, TestDaemon};
use tokio::process::Command;

use crate::gateway::{owner, set};
use crate::gateway_streams::{EVENT, streamed, talker};
use crate::third_party::{installed, script};

/// An event of Anthropic's.
const DELTA: &str = "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\
    \"delta\":{\"type\":\"text_delta\",\"text\":\"on\"}}\n\n";

/// A daemon with providers that do what a client has to cope with.
struct House {
    daemon: TestDaemon,
    key: String,
    models: Vec<ScriptedModel>,
    left: mpsc::Receiver<(Instant, usize)>,
}

/// Refuses once, and answers then.
fn busy(done: Vec<u8>) -> ScriptedModel {
    let late =
        br#"{"error":{"message":"slow down","type":"rate_limit_error","param":null,"code":null}}"#;
    let refused = Turn::Write(answer(429, "retry-after: 1\r\n", late));
    ScriptedModel::start(vec![refused, Turn::Write(done)])
}

/// Nobody pays for these models.
async fn unpaid(daemon: &TestDaemon, models: &str) {
    let rates = json!({ "models": models, "input": "1000.00", "output": "1000.00" });
    let budget = json!({ "scope": "model", "of": models, "period": "month", "kind": "hard", "limit": "0.01" });
    for (path, body) in [("rate-cards", rates), ("budgets", budget)] {
        let reply = owner(daemon, ("POST", path), body).await;
        assert_eq!(reply.status, 200, "{}", reply.json());
    }
}

async fn house(talk: &'static str) -> House {
    let message = json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "m", "stop_reason": "end_turn",
        "stop_sequence": null, "content": [{ "type": "text", "text": "at last" }],
        "usage": { "input_tokens": 1, "output_tokens": 1 },
    });
    let said = openai("at last", 1, 1);
    let models = vec![
        busy(said.clone()),
        busy(said),
        busy(answer(200, "", message.to_string().as_bytes())),
        ScriptedModel::start(vec![
            Turn::Write(streamed(EVENT)),
            Turn::Write(streamed(EVENT)),
        ]),
        ScriptedModel::start(vec![Turn::Write(streamed(DELTA))]),
    ];
    let (talker, left) = talker(talk, Duration::from_millis(20));
    let mut servers: Vec<_> = models.iter().map(|model| model.address).collect();
    servers.extend([talker, talker]);
    let daemon = TestDaemon::start_gateway(&servers).await;
    set(&daemon, json!({ "name": "mock", "kind": "mock" })).await;
    set(
        &daemon,
        json!({ "name": "few", "kind": "mock", "models": ["one*"] }),
    )
    .await;
    let kinds = [
        ("busy", "compatible"),
        ("busy-n", "compatible"),
        ("busy-a", "anthropic"),
        ("cut", "compatible"),
        ("cut-a", "anthropic"),
        ("talker", "compatible"),
        ("talker-a", "anthropic"),
    ];
    for ((name, kind), server) in kinds.into_iter().zip(servers) {
        let url = format!("http://{server}");
        let models = json!(["m"]);
        set(
            &daemon,
            json!({ "name": name, "kind": kind, "base_url": url, "models": models }),
        )
        .await;
    }
    set(&daemon, json!({ "name": "gone", "kind": "compatible", "base_url": "http://127.0.0.1:1", "models": ["m*"] })).await;
    set(
        &daemon,
        json!({ "name": "dear", "kind": "mock", "models": ["m"] }),
    )
    .await;
    unpaid(&daemon, "dear/*").await;
    let own = (daemon.a.organization, daemon.a.workspace);
    let key = daemon.admit(own, Newcomer::with(Role::Agent)).await.token;
    House {
        daemon,
        key,
        models,
        left,
    }
}

impl House {
    /// The stream that was left ended upstream, before the client itself did.
    fn hears_of_leaving(&self, ended: Instant) {
        let left = self.left.recv_timeout(Duration::from_secs(5));
        let (left, _) = left.expect("m09: the stream that was left ends upstream");
        assert!(left < ended, "m09: it ended with its client");
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "how soon a connection ends is wall time"
    )]
    async fn run(&self, client: &mut Command) {
        let base = format!("http://{}", self.daemon.address);
        let outcome = client
            .env("SKEP_BASE", base)
            .env("SKEP_KEY", &self.key)
            .kill_on_drop(true)
            .output()
            .await
            .unwrap();
        let ended = Instant::now();
        assert!(
            outcome.status.success(),
            "{}{}",
            String::from_utf8_lossy(&outcome.stdout),
            String::from_utf8_lossy(&outcome.stderr)
        );
        for model in &self.models {
            for asked in model.asked() {
                let whole = format!("{}{}", asked.head, asked.body);
                assert!(
                    !whole.contains("skep_sk_"),
                    "m06: no key of ours goes upstream: {whole}"
                );
            }
        }
        self.hears_of_leaving(ended);
        let busy = self.models[..3].iter().map(|model| model.asked().len());
        assert_eq!(busy.sum::<usize>(), 2, "refused once and asked again");
    }
}

async fn python(name: &str, package: &str) {
    let install = ["-m", "pip", "install", "--quiet", "--target", ".", package];
    let folder = installed(name, Command::new("python3").args(install)).await;
    let house = house(if name == "openai-sdk" { EVENT } else { DELTA }).await;
    let mut python = Command::new("python3");
    let file = format!("{}_sdk.py", name.trim_end_matches("-sdk"));
    house
        .run(python.arg(script(&file)).env("PYTHONPATH", &folder))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_python_client_of_openai_chats_streams_calls_tools_leaves_and_retries() {
    python("openai-sdk", "openai==3.52.0").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_python_client_of_anthropic_chats_streams_calls_tools_and_retries() {
    python("anthropic-sdk", "anthropic==2.11.0").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_node_client_of_openai_chats_streams_calls_tools_leaves_and_retries() {
    let packages = [
        "install",
        "--no-audit",
        "--no-fund",
        "--prefix",
        ".",
        "openai@7.57.0",
    ];
    let folder = installed("openai-node", Command::new("npm").args(packages)).await;
    let copy = folder.join("openai_sdk.mjs");
    std::fs::copy(script("openai_sdk.mjs"), &copy).unwrap();
    let house = house(EVENT).await;
    house.run(Command::new("node").arg(copy)).await;
}
