//! A daemon that says what it was told to, and keeps what it was asked; and a client in front of it.

use std::ops::Deref;
use std::sync::{Arc, Mutex};

use rmcp::model::{CallToolRequestParams, CallToolResult, ClientConfig, JsonObject};
use rmcp::service::RunningService;
use rmcp::{ClientLifecycleMode, ClientServiceExt, RoleClient, ServiceExt};
use serde_json::{Value, json};
use skep_api::RouteId;
use skep_mcp::{Ask, Daemon, Profile, Refusal, Server};
use tokio::sync::Notify;
use tokio::task::JoinSet;

/// What is answered, and what was asked.
#[derive(Default)]
pub(crate) struct Scripted {
    answers: Mutex<Vec<Result<Value, Refusal>>>,
    asked: Mutex<Vec<Ask>>,
    /// Questions that nobody answers.
    hangs: bool,
    pub(crate) begun: Notify,
    pub(crate) dropped: Arc<Notify>,
}

impl Scripted {
    pub(crate) fn saying(answers: impl IntoIterator<Item = Result<Value, Refusal>>) -> Self {
        let mut answers: Vec<_> = answers.into_iter().collect();
        answers.reverse();
        Self {
            answers: Mutex::new(answers),
            ..Self::default()
        }
    }

    /// One that never answers.
    pub(crate) fn hanging() -> Self {
        Self {
            hangs: true,
            ..Self::default()
        }
    }

    pub(crate) fn asked(&self) -> Vec<(RouteId, Option<String>, Value)> {
        let asked = self.asked.lock().unwrap();
        let each = asked.iter().map(|ask| {
            let query: JsonObject = ask
                .query
                .iter()
                .map(|(name, value)| ((*name).to_owned(), json!(value)))
                .collect();
            let body = ask.body.clone().unwrap_or(Value::Object(query));
            (ask.route, ask.id.clone(), body)
        });
        each.collect()
    }
}

/// Tells when it goes.
struct Told(Arc<Notify>);

impl Drop for Told {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

impl Daemon for Scripted {
    async fn ask(&self, ask: Ask) -> Result<Value, Refusal> {
        let _told = Told(Arc::clone(&self.dropped));
        self.asked.lock().unwrap().push(ask);
        self.begun.notify_one();
        if self.hangs {
            std::future::pending::<()>().await;
        }
        self.answers.lock().unwrap().pop().expect("an answer")
    }

    fn nonce(&self) -> [u8; 16] {
        [0xab; 16]
    }
}

/// A client, and the server that it speaks to.
pub(crate) struct Client {
    client: RunningService<RoleClient, ClientConfig>,
    _server: JoinSet<()>,
}

impl Deref for Client {
    type Target = RunningService<RoleClient, ClientConfig>;

    fn deref(&self) -> &Self::Target {
        &self.client
    }
}

/// A client that began as a revision has it.
pub(crate) async fn client(
    daemon: &Arc<Scripted>,
    profile: Profile,
    lifecycle: ClientLifecycleMode,
) -> Client {
    let (ours, theirs) = tokio::io::duplex(1 << 20);
    let server = Server::new(Arc::clone(daemon), profile, "1.2.3");
    let mut running = JoinSet::new();
    running.spawn(async move {
        let running = server.serve(ours).await.unwrap();
        running.waiting().await.unwrap();
    });
    let client = ClientConfig::default().serve_with_lifecycle(theirs, lifecycle);
    Client {
        client: client.await.unwrap(),
        _server: running,
    }
}

pub(crate) async fn call(client: &Client, tool: &'static str, arguments: Value) -> CallToolResult {
    let Value::Object(arguments) = arguments else {
        panic!("arguments are an object");
    };
    let request = CallToolRequestParams::new(tool).with_arguments(arguments);
    client.call_tool(request).await.unwrap()
}

/// The one text of a result.
pub(crate) fn text(result: &CallToolResult) -> &str {
    assert_eq!(result.content.len(), 1);
    &result.content[0].as_text().expect("a text").text
}

/// A memory as the daemon says it.
pub(crate) fn memory(id: &str, text: &str) -> Value {
    json!({
        "id": id, "kind": "gotcha", "key": text, "text": text, "trust": "tool", "state": "active",
        "visibility": "workspace", "project": "harbour", "valid_from": "2026-01-05T10:00:00Z",
        "recorded_at": "2026-01-05T10:00:00Z",
        "provenance": { "derived_by": "rules", "harness": "git", "references": ["5f1c0d9a7b2e44aa"] },
    })
}

/// A recall's answer.
pub(crate) fn recalled(memories: &[Value]) -> Value {
    let items: Vec<Value> = memories
        .iter()
        .map(|memory| {
            let scores =
                json!({ "lexical": 1.0, "vector": 0.5, "graph": 0.0, "fused": 1.0, "rank": 1.0 });
            json!({ "memory": memory, "scores": scores, "tokens": 9 })
        })
        .collect();
    json!({
        "items": items, "degraded": false, "visible": items.len(), "cut": 0,
        "timing": { "embed_us": 1, "catch_up_us": 1, "search_us": 1, "authorize_us": 1, "load_us": 1,
                    "rank_us": 1, "total_us": 6 },
    })
}
