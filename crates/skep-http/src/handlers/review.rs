//! Quarantine, conflicts, histories.

use axum::response::Response;
use skep_api::Instant;
use skep_api::page::{Page, PageQuery};
use skep_api::review::{
    Conflict, Held, History, HistoryEntry, ResolveConflictRequest, ReviewRequest, Version,
};
use skep_authz::{Authorized, rights};
use skep_domain::{Id, Principal};

use super::page;
use crate::call::{Call, ok};
use crate::convert;
use crate::error::ApiError;

pub(crate) async fn quarantine(
    authorized: Authorized<rights::MemoryReview>,
    call: Call,
) -> Result<Response, ApiError> {
    let query: PageQuery = call.query()?;
    let wanted = page::wanted(&call, &query, QUARANTINE)?;
    let found = call.app().list_quarantine(authorized, wanted).await?;
    let next = found
        .items
        .last()
        .filter(|_| found.more)
        .map(|last| page::seal(&call, &last.memory.id.to_bytes(), QUARANTINE));
    let items = found.items.into_iter().map(|held| Held {
        memory: convert::memory(&call, held.memory),
        reasons: held.reasons,
    });
    ok(&Page {
        items: items.collect(),
        next,
    })
}

pub(crate) async fn accept(
    authorized: Authorized<rights::MemoryReview>,
    call: Call,
) -> Result<Response, ApiError> {
    review(authorized, call, true).await
}

pub(crate) async fn reject(
    authorized: Authorized<rights::MemoryReview>,
    call: Call,
) -> Result<Response, ApiError> {
    review(authorized, call, false).await
}

async fn review(
    authorized: Authorized<rights::MemoryReview>,
    call: Call,
    accepted: bool,
) -> Result<Response, ApiError> {
    let id = call.path_id()?;
    let request: ReviewRequest = call.body()?;
    let reason = request.reason.as_deref();
    let memory = call.app().review(authorized, id, accepted, reason).await?;
    ok(&convert::memory(&call, memory))
}

pub(crate) async fn conflicts(
    authorized: Authorized<rights::MemoryRead>,
    call: Call,
) -> Result<Response, ApiError> {
    let query: PageQuery = call.query()?;
    let wanted = page::wanted(&call, &query, CONFLICTS)?;
    let found = call.app().list_conflicts(authorized, wanted).await?;
    let next = found
        .next
        .map(|last| page::seal(&call, &last.to_bytes(), CONFLICTS));
    let items = found.items.into_iter();
    ok(&Page {
        items: items.map(|one| conflict(&call, one)).collect(),
        next,
    })
}

pub(crate) async fn resolve(
    authorized: Authorized<rights::MemoryDelete>,
    call: Call,
) -> Result<Response, ApiError> {
    let id = call.path_id()?;
    let request: ResolveConflictRequest = call.body()?;
    let resolution = convert::resolution(&request.resolution)?;
    let settled = call
        .app()
        .resolve_conflict(authorized, id, resolution)
        .await?;
    ok(&conflict(&call, settled))
}

pub(crate) async fn history(
    authorized: Authorized<rights::MemoryRead>,
    call: Call,
) -> Result<Response, ApiError> {
    let history = call
        .app()
        .memory_history(authorized, call.path_id()?)
        .await?;
    let versions = history.versions.into_iter().map(|version| Version {
        superseded_by: version.successor.map(|id| call.text(id)),
        entries: version
            .entries
            .into_iter()
            .map(|entry| HistoryEntry {
                at: Instant(entry.at),
                actor: entry.actor.map(|actor| who(&call, actor)),
                state: entry.state.as_str().into(),
                reasons: entry.reasons,
            })
            .collect(),
        memory: convert::memory(&call, version.memory),
    });
    ok(&History {
        versions: versions.collect(),
        edits: history.edits,
    })
}

const QUARANTINE: &str = "quarantine";
const CONFLICTS: &str = "conflicts";

fn who(call: &Call, principal: Principal) -> String {
    match principal {
        Principal::User(id) => call.text(id),
        Principal::Agent(id) => call.text(id),
    }
}

fn conflict(call: &Call, conflict: skep_app::Conflict) -> Conflict {
    Conflict {
        id: call.text(conflict.id),
        older: convert::memory(call, conflict.older),
        newer: convert::memory(call, conflict.newer),
        found_at: Instant(conflict.found_at),
        resolution: conflict.resolved.map(|(how, _)| how.as_str().into()),
        resolved_at: conflict.resolved.map(|(_, at)| Instant(at)),
    }
}
