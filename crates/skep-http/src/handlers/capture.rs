//! Capture, what people decide about it, and import positions.

use axum::response::Response;
use skep_api::capture::{
    Binding, BindingsResponse, CaptureRequest, CaptureResponse, CursorRequest, CursorResponse,
    PauseRequest, PausesResponse, ResumeRequest, RulesResponse, SessionCaptureRequest, ToolRule,
    UnbindRequest, UnbindResponse,
};
use skep_authz::{Authorized, rights};
use skep_domain::{SessionId, TurnOutcome};

use crate::call::{Call, ok};
use crate::convert;
use crate::error::ApiError;

pub(crate) async fn capture(
    authorized: Authorized<rights::SessionCapture>,
    call: Call,
) -> Result<Response, ApiError> {
    let request: CaptureRequest = call.body()?;
    let captured = call
        .app()
        .capture_as(
            authorized,
            call.caller.authorize().ok(),
            convert::capture(&call, request)?,
        )
        .await?;
    ok(&CaptureResponse {
        session: captured.session.map(|session| call.text(session)),
        stored: captured.count(TurnOutcome::is_new),
        duplicates: captured.count(|outcome| outcome == TurnOutcome::Duplicate),
        redacted: captured.redacted,
        cut: captured.count(|outcome| outcome == TurnOutcome::Cut),
        withheld: captured.count(|outcome| outcome == TurnOutcome::Withheld),
        refused: captured.count(TurnOutcome::is_refused),
        outcomes: captured
            .outcomes
            .iter()
            .map(|outcome| outcome.as_str().to_owned())
            .collect(),
        note: captured.note,
    })
}

pub(crate) async fn rules(
    authorized: Authorized<rights::SettingRead>,
    call: Call,
) -> Result<Response, ApiError> {
    let settings = call.app().capture_settings(&authorized);
    ok(&RulesResponse {
        enabled: settings.enabled,
        unbound: settings.unbound,
        paths: settings.deny.paths().to_vec(),
        tools: settings
            .deny
            .tools()
            .map(|rule| ToolRule {
                tool: rule.tool.clone(),
                drop: rule.drop.as_str().into(),
            })
            .collect(),
    })
}

pub(crate) async fn pause(
    authorized: Authorized<rights::SessionCapture>,
    call: Call,
) -> Result<Response, ApiError> {
    let request: PauseRequest = call.body()?;
    let everyone = over_everyone(&call, request.everyone)?;
    let session = convert::named_session(request.session)?;
    let pauses = call
        .app()
        .pause_capture(authorized, everyone, session, request.for_seconds)
        .await?;
    ok(&PausesResponse {
        pauses: convert::pauses(&pauses),
    })
}

pub(crate) async fn resume(
    authorized: Authorized<rights::SessionCapture>,
    call: Call,
) -> Result<Response, ApiError> {
    let request: ResumeRequest = call.body()?;
    let everyone = over_everyone(&call, request.everyone)?;
    let session = convert::named_session(request.session)?;
    let pauses = call
        .app()
        .resume_capture(authorized, everyone, session)
        .await?;
    ok(&PausesResponse {
        pauses: convert::pauses(&pauses),
    })
}

/// Deciding for everybody needs a right of its own.
fn over_everyone(
    call: &Call,
    everyone: bool,
) -> Result<Option<Authorized<rights::SettingWrite>>, ApiError> {
    Ok(everyone.then(|| call.caller.authorize()).transpose()?)
}

pub(crate) async fn session(
    authorized: Authorized<rights::SessionCapture>,
    call: Call,
) -> Result<Response, ApiError> {
    let id: SessionId = call.path_id()?;
    let request: SessionCaptureRequest = call.body()?;
    call.app()
        .set_session_capture(authorized, id, request.off)
        .await?;
    ok(&request)
}

pub(crate) async fn bindings(
    authorized: Authorized<rights::SettingRead>,
    call: Call,
) -> Result<Response, ApiError> {
    let bindings = call.app().list_bindings(authorized).await?;
    ok(&BindingsResponse {
        bindings: bindings.into_iter().map(binding).collect(),
    })
}

pub(crate) async fn bind(
    authorized: Authorized<rights::SettingWrite>,
    call: Call,
) -> Result<Response, ApiError> {
    let request: Binding = call.body()?;
    let bound = call
        .app()
        .bind_directory(authorized, &request.directory, &request.project)
        .await?;
    ok(&binding(bound))
}

pub(crate) async fn unbind(
    authorized: Authorized<rights::SettingWrite>,
    call: Call,
) -> Result<Response, ApiError> {
    let request: UnbindRequest = call.body()?;
    let was_bound = call
        .app()
        .unbind_directory(authorized, &request.directory)
        .await?;
    ok(&UnbindResponse { was_bound })
}

fn binding(bound: skep_app::Binding) -> Binding {
    Binding {
        directory: bound.directory,
        project: bound.project,
    }
}

pub(crate) async fn cursor(
    authorized: Authorized<rights::SessionCapture>,
    call: Call,
) -> Result<Response, ApiError> {
    let request: CursorRequest = call.body()?;
    let position = call
        .app()
        .import_cursor(authorized, &request.source)
        .await?;
    ok(&CursorResponse { position })
}
