//! Background work: asked for, listed, looked at.

use axum::response::Response;
use skep_api::Instant;
use skep_api::job::{Accepted, Job};
use skep_api::page::{Page, PageQuery};
use skep_authz::{Authorized, rights};
use skep_domain::{Id, JobId, JobState};

use super::access::within;
use super::page;
use crate::call::{Call, accepted, ok};
use crate::error::ApiError;

const JOBS: &str = "jobs";

pub(crate) async fn delete_workspace(
    authorized: Authorized<rights::WorkspaceManage>,
    call: Call,
) -> Result<Response, ApiError> {
    let id = call.path_id()?;
    let app = call.app();
    let job = app.delete_workspace(&call.caller, authorized, id).await?;
    accepted(&Accepted {
        job: call.text(job),
    })
}

pub(crate) async fn inventory(
    authorized: Authorized<rights::WorkspaceManage>,
    call: Call,
) -> Result<Response, ApiError> {
    let job = call.app().ask_inventory(authorized).await?;
    accepted(&Accepted {
        job: call.text(job),
    })
}

pub(crate) async fn get(
    authorized: Authorized<rights::AuditRead>,
    call: Call,
) -> Result<Response, ApiError> {
    let id: JobId = call.path_id()?;
    let found = call.app().get_job(authorized, id).await?;
    ok(&shown(&call, &found))
}

pub(crate) async fn list(
    authorized: Authorized<rights::AuditRead>,
    call: Call,
) -> Result<Response, ApiError> {
    let query: PageQuery = call.query()?;
    let wanted = page::wanted(&call, &query, JOBS)?;
    let found = call.app().list_jobs(authorized, wanted).await?;
    let last = found.items.last().filter(|_| found.more);
    let next = last.map(|job| page::seal(&call, &job.facts.id.to_bytes(), JOBS));
    ok(&Page {
        items: found.items.iter().map(|job| shown(&call, job)).collect(),
        next,
    })
}

fn shown(call: &Call, job: &skep_app::Job) -> Job {
    let facts = &job.facts;
    let waits = facts.state == JobState::Queued;
    Job {
        id: call.text(facts.id),
        kind: facts.kind.as_str().into(),
        state: facts.state.as_str().into(),
        workspace: facts.workspace.map(|id| call.text(id)),
        principal: within(call, facts.principal, facts.workspace),
        credential: call.text(facts.credential),
        accepted_at: Instant(facts.created_at),
        finished_at: facts.finished_at.map(Instant),
        failures: facts.failures,
        not_before: waits.then_some(Instant(facts.not_before)),
        node: facts.node.map(|node| {
            let number = u128::from_be_bytes(node);
            format!("{number:032x}")
        }),
        lease_until: facts.lease_until.map(Instant),
        reason: job.note.clone(),
        rows: job.counts.iter().cloned().collect(),
        rows_total: job.counts.iter().map(|(_, rows)| rows).sum(),
    }
}
