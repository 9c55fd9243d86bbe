//! What the daemon says about itself.

use axum::response::Response;
use skep_api::capture::CaptureHealth;
use skep_api::system::{Health, IndexHealth, LimitsHealth, ModelHealth, Probe, WorkspaceHealth};
use skep_api::{ErrorCode, Instant};
use skep_app::{ModelState, Readiness};
use skep_authz::{Authorized, rights};
use skep_limit::Limits;

use super::exec;
use crate::call::{Call, ok};
use crate::convert;
use crate::error::ApiError;
use crate::visit::Visit;

pub(crate) async fn probe(_: Visit) -> Result<Response, ApiError> {
    ok(&Probe {
        status: "ok".into(),
    })
}

/// What keeps it from answering is said, and nothing of where that is.
pub(crate) async fn ready(visit: Visit) -> Result<Response, ApiError> {
    match visit.edge.app.readiness().await {
        Readiness::Ready => probe(visit).await,
        Readiness::WithoutStore => Err(ApiError::new(
            ErrorCode::StorageUnavailable,
            "The database does not answer.",
        )),
        Readiness::Unserved => Err(ApiError::new(
            ErrorCode::StorageUnavailable,
            "The database does not let this daemon do its work.",
        )),
        Readiness::Stopping => Err(ApiError::new(
            ErrorCode::Overloaded,
            "This daemon is about to stop.",
        )),
    }
}

pub(crate) async fn openapi(
    _: Authorized<rights::SettingRead>,
    _: Call,
) -> Result<Response, ApiError> {
    ok(&skep_api::openapi::document())
}

pub(crate) async fn health(
    authorized: Authorized<rights::DiagnosticsRead>,
    call: Call,
) -> Result<Response, ApiError> {
    let status = call.app().status(authorized).await?;
    let mut problems: Vec<String> = status.problem.into_iter().collect();
    problems.extend(call.edge.limits.as_ref().and_then(away));
    problems.extend(call.app().sink_problems(call.caller.authorize()?).await?);
    let exec = call.app().exec_state();
    problems.extend(exec.and_then(|exec| exec.problem));
    ok(&Health {
        version: call.edge.version.into(),
        mode: call.edge.site.mode.as_str().into(),
        status: if problems.is_empty() {
            "ok"
        } else {
            "degraded"
        }
        .into(),
        problems,
        started_at: Instant(status.started_at),
        pid: std::process::id(),
        listeners: call.edge.listeners.get().cloned().unwrap_or_default(),
        store: status.store.into(),
        embedder: status.embedder,
        workspace: WorkspaceHealth {
            name: status.workspace,
            sessions: status.counts.sessions,
            turns: status.counts.turns,
            memories: status.counts.memories,
            awaiting_vector: status.counts.awaiting_vector,
            awaiting_distil: status.counts.awaiting_distil,
            capture: CaptureHealth {
                enabled: status.capture.enabled,
                unbound: status.capture.unbound,
                pauses: convert::pauses(&status.capture.pauses),
                received: status.capture.received,
                outcomes: status
                    .capture
                    .outcomes
                    .iter()
                    .map(|(outcome, turns)| (outcome.as_str().to_owned(), *turns))
                    .collect(),
            },
            seq: status.seq,
        },
        model: status.model.as_ref().map(model),
        limits: call.edge.limits.as_ref().map(limits),
        exec: call.app().exec_state().map(exec::health),
        index: IndexHealth {
            workspaces: status.hot.workspaces,
            bytes: status.hot.bytes,
            budget: status.hot.budget,
        },
    })
}

fn limits(limits: &Limits) -> LimitsHealth {
    let state = limits.limiter.state();
    LimitsHealth {
        store_up: state.shared.as_ref().is_some_and(|(_, up)| *up),
        store: state.shared.map(|(address, _)| address),
        nodes: state.nodes,
        outages: state.outages,
        counted_alone: state.alone,
        refused: state.refused,
        keys: state.keys as u64,
    }
}

fn away(limits: &Limits) -> Option<String> {
    let (address, up) = limits.limiter.state().shared?;
    (!up).then(|| {
        format!(
            "the store of rate limits at {address} is away: each node counts alone, and what must not be guessed at is refused"
        )
    })
}

fn model(state: &ModelState) -> ModelHealth {
    let (settings, today) = (&state.settings, &state.today);
    ModelHealth {
        endpoint: settings.endpoint.clone(),
        dialect: settings.target.dialect.as_str().into(),
        model: settings.target.model.clone(),
        calls: today.calls,
        input_tokens: today.spent.input,
        output_tokens: today.spent.output,
        reserved_tokens: today.reserved.tokens,
        daily_tokens: settings.daily_tokens,
        cost_micros: today.cost(),
        daily_cost_micros: settings.daily_cost.map(|cost| cost.0),
        sessions_waiting: state.queue.due,
        sessions_given_up: state.queue.given_up,
        refused: today.refused.iter().cloned().collect(),
        paused_until: state.paused_until.map(Instant),
        problem: state.problem.clone(),
    }
}
