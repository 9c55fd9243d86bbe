//! What the model calls of agents are given.

use axum::response::Response;
use skep_api::context::{AgentContext, AgentContexts, SetAgentContextRequest};
use skep_app::{AgentContext as Context, AgentContextView, MemoryMode};
use skep_authz::{Authorized, rights};
use skep_domain::AgentId;

use crate::call::{Call, ok};
use crate::convert;
use crate::error::ApiError;

pub(crate) async fn list(
    authorized: Authorized<rights::GatewayConfigure>,
    call: Call,
) -> Result<Response, ApiError> {
    let found = call.app().list_agent_contexts(authorized).await?;
    ok(&AgentContexts {
        items: found.into_iter().map(|view| shown(&call, view)).collect(),
    })
}

pub(crate) async fn set(
    authorized: Authorized<rights::GatewayConfigure>,
    call: Call,
) -> Result<Response, ApiError> {
    let agent: AgentId = call.path_id()?;
    let asked: SetAgentContextRequest = call.body()?;
    let context = Context {
        memory: mode("memory", &asked.memory)?,
        capture: asked.capture,
    };
    let set = AgentContextView { agent, context };
    let set = call.app().set_agent_context(authorized, set).await?;
    ok(&shown(&call, set))
}

/// `on`, `directive` or `off`.
pub(super) fn mode(field: &str, text: &str) -> Result<MemoryMode, ApiError> {
    let known = convert::names(&MemoryMode::ALL, MemoryMode::as_str);
    convert::word(field, text, MemoryMode::parse, &known)
}

fn shown(call: &Call, view: AgentContextView) -> AgentContext {
    AgentContext {
        agent: call.text(view.agent),
        memory: view.context.memory.as_str().into(),
        capture: view.context.capture,
    }
}
