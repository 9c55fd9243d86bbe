//! Names, how they belong together, and proposals about them.

use axum::response::Response;
use skep_api::Instant;
use skep_api::ontology::{
    Decision, Entity, EntityList, EntityQuery, Naming, Proposal as WireProposal, ProposalQuery,
    ProposalRequest, Relation, RelationRequest, RelationResponse,
};
use skep_api::page::{Page, PageQuery};
use skep_app::{NameKind, Proposal, Propose, show_memory};
use skep_authz::{Authorized, rights};
use skep_domain::{Id, OntologyAction, ProposalState};

use super::explain::name as principal;
use super::page;
use crate::call::{Call, ok};
use crate::convert;
use crate::error::ApiError;

pub(crate) async fn entities(
    authorized: Authorized<rights::MemoryRead>,
    call: Call,
) -> Result<Response, ApiError> {
    let query: EntityQuery = call.query()?;
    let limit = page::limit(query.limit)? as usize;
    let names = call.app().list_names(authorized, limit).await?;
    let entity = |seen: skep_app::NameSeen| Entity {
        name: seen.name,
        kind: kind(seen.kind).into(),
        memories: seen.memories as u32,
        last: Instant(seen.last),
    };
    ok(&EntityList {
        items: names.into_iter().map(entity).collect(),
    })
}

pub(crate) async fn relations(
    authorized: Authorized<rights::MemoryRead>,
    call: Call,
) -> Result<Response, ApiError> {
    let request: RelationRequest = call.body()?;
    let told = call.app().name_told(authorized, &request.name).await?;
    let relation = |connection: skep_app::Connection| Relation {
        name: connection.name,
        kind: kind(connection.kind).into(),
        relation: connection.edge.as_str().into(),
        memories: connection.memories as u32,
        provenance: connection.cited.iter().map(|id| call.text(*id)).collect(),
    };
    let naming = |memory: skep_app::Memory| {
        show_memory(&memory);
        Naming {
            id: call.text(memory.id),
            key: memory.body.key,
        }
    };
    ok(&RelationResponse {
        name: told.name,
        kind: kind(told.kind).into(),
        memories: told.memories.into_iter().map(naming).collect(),
        relations: told.connections.into_iter().map(relation).collect(),
    })
}

pub(crate) async fn propose(
    authorized: Authorized<rights::MemoryWrite>,
    call: Call,
) -> Result<Response, ApiError> {
    let request: ProposalRequest = call.body()?;
    let wanted = Propose {
        action: convert::word(
            "action",
            &request.action,
            OntologyAction::parse,
            &["merge", "rename", "archive"],
        )?,
        name: request.name,
        other: request.other,
        reason: request.reason,
    };
    let made = call.app().propose(authorized, wanted).await?;
    ok(&wire(&call, made))
}

pub(crate) async fn list(
    authorized: Authorized<rights::OntologyWrite>,
    call: Call,
) -> Result<Response, ApiError> {
    let query: ProposalQuery = call.query()?;
    let state = query.state.as_deref().unwrap_or("waiting");
    let state = convert::word(
        "state",
        state,
        ProposalState::parse,
        &["waiting", "accepted", "rejected"],
    )?;
    let listing = format!("proposals {}", state.as_str());
    let page = PageQuery {
        limit: query.limit,
        cursor: query.cursor,
    };
    let page = page::wanted(&call, &page, &listing)?;
    let found = call.app().list_proposals(authorized, state, page).await?;
    let last = found.last().filter(|_| found.len() == page.limit as usize);
    let next = last.map(|last| page::seal(&call, &last.proposal.id.to_bytes(), &listing));
    ok(&Page {
        items: found.into_iter().map(|one| wire(&call, one)).collect(),
        next,
    })
}

pub(crate) async fn accept(
    authorized: Authorized<rights::OntologyWrite>,
    call: Call,
) -> Result<Response, ApiError> {
    decide(authorized, call, true).await
}

pub(crate) async fn reject(
    authorized: Authorized<rights::OntologyWrite>,
    call: Call,
) -> Result<Response, ApiError> {
    decide(authorized, call, false).await
}

async fn decide(
    authorized: Authorized<rights::OntologyWrite>,
    call: Call,
    accepted: bool,
) -> Result<Response, ApiError> {
    let id = call.path_id()?;
    call.app().decide_proposal(authorized, id, accepted).await?;
    let state = if accepted {
        ProposalState::Accepted
    } else {
        ProposalState::Rejected
    };
    ok(&Decision {
        id: call.text(id),
        state: state.as_str().into(),
    })
}

fn wire(call: &Call, made: Proposal) -> WireProposal {
    let Proposal {
        proposal,
        state,
        proposer,
        decided,
    } = made;
    WireProposal {
        id: call.text(proposal.id),
        action: proposal.action.as_str().into(),
        name: proposal.name,
        other: proposal.other,
        reason: proposal.reason,
        state: state.as_str().into(),
        proposer: principal(call, proposer),
        at: Instant(proposal.at),
        decided_by: decided.map(|(by, _)| principal(call, by)),
        decided_at: decided.map(|(_, at)| Instant(at)),
    }
}

fn kind(kind: NameKind) -> &'static str {
    match kind {
        NameKind::File => "file",
        NameKind::Symbol => "symbol",
        NameKind::Command => "command",
        NameKind::Error => "error",
        NameKind::Service => "service",
        NameKind::Issue => "issue",
        NameKind::Term => "term",
    }
}
