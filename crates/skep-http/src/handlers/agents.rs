//! Agents of the workspace.

use axum::response::Response;
use skep_api::Instant;
use skep_api::access::{Agent, CreateAgentRequest, EditAgentRequest};
use skep_api::page::{Page, PageQuery};
use skep_app::{AgentEdit, AgentView, Policy};
use skep_authz::{Authorized, rights};
use skep_domain::{AgentId, Id, Standing};

use super::page;
use crate::call::{Call, ok};
use crate::convert;
use crate::error::ApiError;

const AGENTS: &str = "agents";

pub(crate) async fn create(
    authorized: Authorized<rights::MemberManage>,
    call: Call,
) -> Result<Response, ApiError> {
    let request: CreateAgentRequest = call.body()?;
    let policy = policy(
        request.policy.as_deref().or(Some("isolated")),
        request.group,
    )?;
    let policy = policy.unwrap_or(Policy::Isolated);
    let made = call
        .app()
        .create_agent(authorized, &request.name, &policy)
        .await?;
    ok(&agent(&call, made))
}

pub(crate) async fn list(
    authorized: Authorized<rights::SettingRead>,
    call: Call,
) -> Result<Response, ApiError> {
    let query: PageQuery = call.query()?;
    let after = match &query.cursor {
        None => None,
        Some(text) => Some(AgentId::from_bytes(page::open(&call, text, AGENTS)?)),
    };
    let limit = page::limit(query.limit)?;
    let (found, more) = call.app().list_agents(authorized, after, limit).await?;
    let last = found.last().filter(|_| more);
    let next = last.map(|last| page::seal(&call, &last.id.to_bytes(), AGENTS));
    ok(&Page {
        items: found.into_iter().map(|one| agent(&call, one)).collect(),
        next,
    })
}

pub(crate) async fn edit(
    authorized: Authorized<rights::MemberManage>,
    call: Call,
) -> Result<Response, ApiError> {
    let id = call.path_id()?;
    let request: EditAgentRequest = call.body()?;
    let edit = AgentEdit {
        policy: policy(request.policy.as_deref(), request.group)?,
        standing: request.standing.as_deref().map(standing).transpose()?,
    };
    let edited = call.app().edit_agent(authorized, id, edit).await?;
    ok(&agent(&call, edited))
}

/// `active` or `suspended`.
pub(crate) fn standing(text: &str) -> Result<Standing, ApiError> {
    let known = convert::names(Standing::ALL, Standing::as_str);
    convert::word("standing", text, Standing::parse, &known)
}

/// A group and its policy come together or not at all: anything else would be a guess at what an
/// agent may read.
fn policy(name: Option<&str>, group: Option<String>) -> Result<Option<Policy>, ApiError> {
    match (name, group) {
        (None, None) => Ok(None),
        (Some("isolated"), None) => Ok(Some(Policy::Isolated)),
        (Some("shared"), None) => Ok(Some(Policy::Shared)),
        (Some("group"), Some(group)) => Ok(Some(Policy::Group(group))),
        (Some("group"), None) => Err(ApiError::field(
            "group",
            "REQUIRED",
            "the policy group needs the name of one",
        )),
        (_, Some(_)) => Err(ApiError::field(
            "group",
            "INVALID",
            "a group is named with the policy group only",
        )),
        (Some(_), None) => Err(ApiError::field(
            "policy",
            "INVALID",
            "policy must be one of isolated, shared, group",
        )),
    }
}

fn agent(call: &Call, view: AgentView) -> Agent {
    let (policy, group) = match view.policy {
        Policy::Isolated => ("isolated", None),
        Policy::Shared => ("shared", None),
        Policy::Group(name) => ("group", Some(name)),
    };
    Agent {
        id: call.text(view.id),
        name: view.name,
        policy: policy.into(),
        group,
        standing: view.standing.as_str().into(),
        created_at: Instant(view.created_at),
    }
}
