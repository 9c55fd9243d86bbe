//! Memories one by one.

use axum::response::Response;
use skep_api::memory::{
    EditRequest, ForgetRequest, MemoryQuery, RememberRequest, RememberResponse, ResolveRequest,
    ResolveResponse,
};
use skep_api::page::Page;
use skep_app::{ListMemories, Remembered};
use skep_authz::{Authorized, rights};
use skep_domain::{Id, Tier};

use super::page;
use crate::call::{Call, ok};
use crate::convert;
use crate::error::ApiError;

pub(crate) async fn create(
    authorized: Authorized<rights::MemoryWrite>,
    call: Call,
) -> Result<Response, ApiError> {
    let request: RememberRequest = call.body()?;
    let statement = convert::remember(request, authorized.agent().is_some())?;
    let kept = call.app().remember(authorized, statement).await?;
    ok(&remembered(&call, kept))
}

pub(crate) async fn edit(
    authorized: Authorized<rights::MemoryWrite>,
    call: Call,
) -> Result<Response, ApiError> {
    let id = call.path_id()?;
    let request: EditRequest = call.body()?;
    let edit = convert::edit(request)?;
    let kept = call.app().edit_memory(authorized, id, edit).await?;
    ok(&remembered(&call, kept))
}

fn remembered(call: &Call, kept: Remembered) -> RememberResponse {
    RememberResponse {
        memory: convert::memory(call, kept.memory),
        known: kept.known,
        redacted: kept.redacted,
        superseded: kept.superseded.iter().map(|id| call.text(*id)).collect(),
        conflicts: kept.conflicts.iter().map(|id| call.text(*id)).collect(),
    }
}

pub(crate) async fn list(
    authorized: Authorized<rights::MemoryRead>,
    call: Call,
) -> Result<Response, ApiError> {
    let query: MemoryQuery = call.query()?;
    let kind = query
        .kind
        .as_deref()
        .map(convert::memory_kind)
        .transpose()?;
    let listing = format!(
        "memories of kind {} as of {:?}",
        query.kind.as_deref().unwrap_or("any"),
        query.as_of
    );
    let wanted = ListMemories {
        kind,
        as_of: query.as_of.map(|instant| instant.0),
        page: page::wanted(&call, &query.page(), &listing)?,
    };
    let found = call.app().list_memories(authorized, wanted).await?;
    let next = found
        .items
        .last()
        .filter(|_| found.more)
        .map(|last| page::seal(&call, &last.id.to_bytes(), &listing));
    ok(&Page {
        items: found
            .items
            .into_iter()
            .map(|memory| convert::memory(&call, memory))
            .collect(),
        next,
    })
}

pub(crate) async fn get(
    authorized: Authorized<rights::MemoryRead>,
    call: Call,
) -> Result<Response, ApiError> {
    let memory = call.app().get_memory(authorized, call.path_id()?).await?;
    ok(&convert::memory(&call, memory))
}

pub(crate) async fn forget(
    authorized: Authorized<rights::MemoryDelete>,
    call: Call,
) -> Result<Response, ApiError> {
    let id = call.path_id()?;
    let request: ForgetRequest = call.body()?;
    let memory = call.app().forget(authorized, id, &request.reason).await?;
    ok(&convert::memory(&call, memory))
}

pub(crate) async fn resolve(
    authorized: Authorized<rights::MemoryRead>,
    call: Call,
) -> Result<Response, ApiError> {
    let request: ResolveRequest = call.body()?;
    let tier = convert::tier(request.tier.as_deref())?;
    let resolved = call
        .app()
        .resolve(authorized, call.id(&request.id)?, tier)
        .await?;
    ok(&ResolveResponse {
        tier: Tier::as_str(tier).into(),
        memory: convert::memory(&call, resolved.memory),
        turns: resolved
            .turns
            .into_iter()
            .map(|turn| convert::turn(&call, turn))
            .collect(),
    })
}
