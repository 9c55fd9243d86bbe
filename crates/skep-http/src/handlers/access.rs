//! Who the caller is, and the record of decisions.

use axum::response::Response;
use skep_api::Instant;
use skep_api::access::{AuditEntry, Whoami};
use skep_api::page::{Page, PageQuery};
use skep_app::{AuditOutcome, AuditPage, PageOf, Piece};
use skep_authz::{Authorized, rights};
use skep_domain::{MemoryId, PermissionSet, Principal, WorkspaceId};

use super::page;
use crate::call::{Call, ok};
use crate::error::ApiError;

const AUDIT: &str = "audit";
const ALERTS: &str = "alerts";

pub(crate) async fn whoami(call: Call) -> Result<Response, ApiError> {
    let organizations = call.app().list_organizations(&call.caller).await?;
    let own = organizations
        .into_iter()
        .find(|view| view.organization.id == call.caller.organization());
    let caller = &call.caller;
    ok(&Whoami {
        principal: who(&call, caller.principal()),
        organization: call.text(caller.organization()),
        organization_name: own.and_then(|view| view.organization.name),
        workspace: call.text(caller.workspace()),
        role: caller.role().as_str().into(),
        permissions: names(caller.permissions()),
        credential: call.text(caller.credential()),
        credential_kind: caller.kind().as_str().into(),
        expires_at: caller.expires_at().map(Instant),
    })
}

pub(crate) async fn audit(
    authorized: Authorized<rights::AuditRead>,
    call: Call,
) -> Result<Response, ApiError> {
    let wanted = entries(&call, AUDIT)?;
    let found = call.app().list_audit(authorized, wanted).await?;
    listed(&call, &found, AUDIT)
}

pub(crate) async fn alerts(
    authorized: Authorized<rights::AuditRead>,
    call: Call,
) -> Result<Response, ApiError> {
    let wanted = entries(&call, ALERTS)?;
    let found = call.app().list_alerts(authorized, wanted).await?;
    listed(&call, &found, ALERTS)
}

pub(crate) async fn seen(
    authorized: Authorized<rights::MemoryRead>,
    call: Call,
) -> Result<Response, ApiError> {
    let id: MemoryId = call.path_id()?;
    let listing = format!("who saw {}", call.text(id));
    let wanted = entries(&call, &listing)?;
    let rights = (authorized, call.caller.authorize().ok());
    let found = call.app().who_saw(rights, id, wanted).await?;
    listed(&call, &found, &listing)
}

/// Which page of entries is asked for.
fn entries(call: &Call, listing: &str) -> Result<PageOf<u64>, ApiError> {
    let query: PageQuery = call.query()?;
    let before = match &query.cursor {
        None => None,
        Some(text) => {
            let position = u128::from_be_bytes(page::open(call, text, listing)?);
            Some(u64::try_from(position).unwrap_or(u64::MAX))
        }
    };
    Ok(PageOf {
        limit: page::limit(query.limit)?,
        before,
    })
}

fn listed(call: &Call, found: &AuditPage, listing: &str) -> Result<Response, ApiError> {
    let last = found.items.last().filter(|_| found.more);
    let next = last.map(|entry| page::seal(call, &u128::from(entry.seq).to_be_bytes(), listing));
    let items = found.items.iter().map(|entry| shown(call, entry));
    ok(&Page {
        items: items.collect(),
        next,
    })
}

/// What an entry names as shown. Ids are of their workspace, and mean nothing in another.
fn pieces(call: &Call, entry: &skep_app::AuditEntry) -> Vec<String> {
    if entry.decision.workspace != Some(call.caller.workspace()) {
        return Vec::new();
    }
    let pieces = entry.decision.shown.iter().map(|piece| match piece {
        Piece::Memory(id) => call.text(*id),
        Piece::Session(id) => call.text(*id),
        Piece::Run(id) => call.text(*id),
        Piece::Recall(id) => call.text(*id),
    });
    pieces.collect()
}

fn shown(call: &Call, entry: &skep_app::AuditEntry) -> AuditEntry {
    let decision = &entry.decision;
    AuditEntry {
        id: call.text(entry.id),
        seq: entry.seq,
        at: Instant(decision.at),
        action: decision.action.clone(),
        outcome: match decision.outcome {
            AuditOutcome::Allowed => "allowed",
            AuditOutcome::Denied => "denied",
        }
        .into(),
        times: entry.times,
        reason: decision.reason.clone(),
        principal: entry
            .principal
            .and_then(|principal| within(call, principal, decision.workspace)),
        credential: decision.credential.map(|id| call.text(id)),
        workspace: decision.workspace.map(|id| call.text(id)),
        request: decision.request.clone(),
        target: decision.target.clone(),
        peer: decision.peer.clone(),
        shown: pieces(call, entry),
        erased: entry.is_erased,
    }
}

/// The text of a principal. Agents' ids are of their workspace, and mean nothing in another.
pub(crate) fn within(
    call: &Call,
    principal: Principal,
    workspace: Option<WorkspaceId>,
) -> Option<String> {
    let readable =
        matches!(principal, Principal::User(_)) || workspace == Some(call.caller.workspace());
    readable.then(|| who(call, principal))
}

fn who(call: &Call, principal: Principal) -> String {
    match principal {
        Principal::User(id) => call.text(id),
        Principal::Agent(id) => call.text(id),
    }
}

/// The names of a set of permissions.
pub(crate) fn names(set: PermissionSet) -> Vec<String> {
    set.iter().map(|one| one.as_str().to_owned()).collect()
}
