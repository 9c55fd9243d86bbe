//! Sinks of the ledger that an organization sets.

use axum::response::Response;
use skep_api::Instant;
use skep_api::sink::{SetSinkRequest, Sink, SinkRemoved, SinkRequest, SinkSet, SinkTested, Sinks};
use skep_app::{App, Marked, SetSink, SinkView, Wanted};
use skep_authz::{Authorized, rights};
use skep_domain::Permission;

use crate::call::{Call, ok};
use crate::error::ApiError;

/// What leaves is what an export would hold, so whoever says where to needs that right too.
const EXPORTS: Permission = Permission::AuditExport;

pub(crate) async fn list(
    authorized: Authorized<rights::OrgManage>,
    call: Call,
) -> Result<Response, ApiError> {
    let found = call.app().list_sinks(authorized).await?;
    ok(&Sinks {
        items: found.into_iter().map(|one| shown(&call, one)).collect(),
    })
}

pub(crate) async fn set(
    authorized: Authorized<rights::OrgManage>,
    call: Call,
) -> Result<Response, ApiError> {
    call.caller.require(EXPORTS)?;
    let asked: SetSinkRequest = call.body()?;
    let logs = asked.logs.iter().map(|name| App::log_of(Some(name)));
    let from_start = match asked.from.as_deref() {
        None | Some("now") => false,
        Some("start") => true,
        Some(_) => {
            return Err(ApiError::field("from", "INVALID", "expected now or start"));
        }
    };
    let set = SetSink {
        name: asked.name,
        url: asked.url,
        wanted: Wanted {
            logs: logs.collect::<Result<Vec<_>, _>>()?,
            events: asked.events,
        },
        from_start,
    };
    told(&call, call.app().set_sink(authorized, set).await?)
}

pub(crate) async fn remove(
    authorized: Authorized<rights::OrgManage>,
    call: Call,
) -> Result<Response, ApiError> {
    let asked: SinkRequest = call.body()?;
    let removed = call.app().remove_sink(authorized, &asked.name).await?;
    ok(&SinkRemoved { removed })
}

pub(crate) async fn resume(
    authorized: Authorized<rights::OrgManage>,
    call: Call,
) -> Result<Response, ApiError> {
    call.caller.require(EXPORTS)?;
    let asked: SinkRequest = call.body()?;
    let view = call.app().resume_sink(authorized, &asked.name).await?;
    ok(&shown(&call, view))
}

pub(crate) async fn renew_key(
    authorized: Authorized<rights::OrgManage>,
    call: Call,
) -> Result<Response, ApiError> {
    call.caller.require(EXPORTS)?;
    let asked: SinkRequest = call.body()?;
    let set = call.app().renew_sink_key(authorized, &asked.name).await?;
    told(&call, set)
}

pub(crate) async fn test(
    authorized: Authorized<rights::OrgManage>,
    call: Call,
) -> Result<Response, ApiError> {
    let asked: SinkRequest = call.body()?;
    let tested = call.app().test_sink(authorized, &asked.name).await?;
    ok(&SinkTested {
        delivered: tested.problem.is_none(),
        status: tested.status,
        problem: tested.problem,
    })
}

fn told(call: &Call, set: skep_app::SinkSet) -> Result<Response, ApiError> {
    ok(&SinkSet {
        sink: shown(call, set.view),
        secret: set.secret.map(|secret| secret.expose().clone()),
    })
}

fn shown(call: &Call, view: SinkView) -> Sink {
    let (state, turn) = (view.state(), view.turn);
    let waits = state == "failing" && turn.not_before > call.app().now();
    let tenant = (call.caller.organization(), call.caller.workspace());
    Sink {
        mark: call.app().mark(tenant, Marked::Sink(&view.name)),
        name: view.name,
        url: view.url,
        logs: view.wanted.logs.iter().map(ToString::to_string).collect(),
        events: view.wanted.events,
        state: state.into(),
        behind: view.behind,
        failures: turn.failures,
        failing_since: turn.failing_since.map(Instant),
        retry_at: waits.then_some(Instant(turn.not_before)),
        delivered_at: turn.delivered_at.map(Instant),
        problem: turn.problem,
        created_at: Instant(view.created_at),
        changed_at: Instant(view.changed_at),
    }
}
