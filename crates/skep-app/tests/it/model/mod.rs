//! The pass with a model, against a scripted endpoint on a real socket.

mod budget;
mod failing;
mod injected;
mod reading;

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value, json};
use skep_app::{
    App, Branch, Capture, ListMemories, ModelPort, ModelSettings, ModelState, NoAnswer, PageOf,
    TurnIn,
};
use skep_authz::rights;
use skep_domain::{CaptureOrigin, Harness, SessionId, Timestamp, TurnRole};
use skep_llm::{Cost, Dialect, Price, Request, Response, Target};
use skep_store::Memory;
use skep_test_support::Tenant;
use skep_test_support::model::{ScriptedModel, Turn, openai};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::world::World;

/// Speaks just enough HTTP to reach the scripted endpoint.
pub(super) struct Plain {
    address: std::net::SocketAddr,
}

#[async_trait]
impl ModelPort for Plain {
    async fn send(&self, request: Request) -> Result<Response, NoAnswer> {
        let mut stream = TcpStream::connect(self.address)
            .await
            .map_err(|error| NoAnswer::NotSent(error.kind().to_string()))?;
        let head = format!(
            "POST {} HTTP/1.1\r\nhost: model\r\ncontent-length: {}\r\n\r\n",
            request.path,
            request.body.len()
        );
        let lost = |error: std::io::Error| NoAnswer::Lost(error.kind().to_string());
        stream.write_all(head.as_bytes()).await.map_err(lost)?;
        stream.write_all(&request.body).await.map_err(lost)?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.map_err(lost)?;
        read(&answer).ok_or_else(|| NoAnswer::Lost("it broke off".into()))
    }
}

fn read(answer: &[u8]) -> Option<Response> {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&answer[..end]).ok()?.to_lowercase();
    Some(Response {
        status: head.get(9..12)?.parse().ok()?,
        retry_after: head
            .split("retry-after:")
            .nth(1)
            .and_then(|rest| skep_llm::retry_after(rest.lines().next()?)),
        body: answer[end + 4..].to_vec(),
    })
}

pub(super) fn settings(dialect: Dialect) -> ModelSettings {
    ModelSettings {
        target: Target {
            dialect,
            model: "scripted".into(),
            structured: true,
            reasoning: false,
        },
        endpoint: "model.example:443".into(),
        daily_tokens: 200_000,
        daily_cost: None,
        price: Price {
            input: Cost(1_000_000),
            output: Cost(4_000_000),
            ..Price::default()
        },
    }
}

pub(super) fn app(world: &World, server: &ScriptedModel, settings: ModelSettings) -> App {
    let address = server.address;
    world
        .start()
        .with_model(settings, Arc::new(Plain { address }))
}

pub(super) fn said(turns: &[(TurnRole, &str)]) -> Vec<TurnIn> {
    let turn = |(number, (role, text)): (usize, &(TurnRole, &str))| TurnIn {
        author: None,
        client_event_id: format!("event-{number}"),
        role: *role,
        at: Timestamp::from_millis(1_767_000_000_000 + number as i64 * 60_000),
        text: (*text).into(),
        tool: (*role == TurnRole::ToolCall).then(|| "WebFetch".into()),
        is_error: false,
        paths: Vec::new(),
        branch: Branch::Main,
    };
    turns.iter().enumerate().map(turn).collect()
}

pub(super) async fn capture(
    world: &World,
    app: &App,
    tenant: &Tenant,
    name: &str,
    turns: Vec<TurnIn>,
) -> SessionId {
    let batch = Capture {
        harness: Harness::ClaudeCode,
        external_id: name.into(),
        title: None,
        project: Some("harbour".into()),
        cwd: None,
        turns,
        cursor: None,
        origin: CaptureOrigin::Import,
        spool: None,
        ended: false,
    };
    let right = world.may::<rights::SessionCapture>(tenant).await;
    let captured = app.capture(right, batch).await.unwrap();
    captured.session.unwrap()
}

/// A session that has ended and that the rules have read.
pub(super) async fn closed(
    world: &World,
    app: &App,
    name: &str,
    turns: &[(TurnRole, &str)],
) -> SessionId {
    let session = capture(world, app, &world.a, name, said(turns)).await;
    end(world, app, session).await;
    session
}

pub(super) async fn end(world: &World, app: &App, session: SessionId) {
    let right = world.may::<rights::SessionCapture>(&world.a).await;
    app.end_session(right, world.may(&world.a).await, session)
        .await
        .unwrap();
    app.tend(tenant(world)).await.unwrap();
}

pub(super) fn tenant(world: &World) -> (skep_domain::OrganizationId, skep_domain::WorkspaceId) {
    (world.a.organization, world.a.workspace)
}

pub(super) async fn memories(world: &World, app: &App) -> Vec<Memory> {
    let page = PageOf {
        limit: 200,
        before: None,
    };
    let list = ListMemories {
        kind: None,
        as_of: None,
        page,
    };
    let right = world.may::<rights::MemoryRead>(&world.a).await;
    app.list_memories(right, list).await.unwrap().items
}

/// What of it a model made.
pub(super) async fn modelled(world: &World, app: &App) -> Vec<Memory> {
    let mut all = memories(world, app).await;
    all.retain(|memory| memory.body.derived_by == skep_domain::DerivedBy::Model);
    all
}

pub(super) async fn state(world: &World, app: &App, tenant: &Tenant) -> ModelState {
    let right = world.may::<rights::DiagnosticsRead>(tenant).await;
    app.status(right).await.unwrap().model.unwrap()
}

pub(super) fn items(items: &[(&str, &str, &[u64])]) -> Value {
    let item = |(kind, statement, turns): &(&str, &str, &[u64])| json!({ "kind": kind, "statement": statement, "turns": turns });
    json!({ "memories": items.iter().map(item).collect::<Vec<_>>() })
}

pub(super) fn reply(of: &[(&str, &str, &[u64])]) -> Turn {
    Turn::Write(openai(&items(of).to_string(), 900, 60))
}

pub(super) const USER: TurnRole = TurnRole::User;
pub(super) const AGENT: TurnRole = TurnRole::Assistant;

/// Nothing in it is worth a rule's while, and one thing is worth a model's.
pub(super) const HARBOUR: &[(TurnRole, &str)] = &[
    (
        USER,
        "Tell me something about the lights in the harbour, and how the two towers differ from each other at night, for somebody \
         who comes in by boat from the open sea.",
    ),
    (
        AGENT,
        "The north tower blinks red with 3 flashes each minute and the south tower `LT-4` shows a green light with 5 flashes.",
    ),
];
pub(super) const TOWER: &str = "The south tower `LT-4` shows a green light with 5 flashes.";
