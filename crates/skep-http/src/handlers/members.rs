//! Who is in a session, and the last of it.

use axum::response::Response;
use skep_api::participant as wire;
use skep_api::{Instant, Limits};
use skep_app::Start;
use skep_authz::{Authorized, rights};

use super::participants::also;
use crate::call::{Call, ok};
use crate::convert::people;
use crate::error::ApiError;

/// Tokens of a session's last when nobody says how many.
const TOKENS: u32 = 2_000;

pub(crate) async fn list(
    authorized: Authorized<rights::SessionRead>,
    call: Call,
) -> Result<Response, ApiError> {
    let members = call.app().list_members(authorized, call.path_id()?).await?;
    ok(&people::members(&call, members))
}

pub(crate) async fn join(
    authorized: Authorized<rights::SessionCapture>,
    call: Call,
) -> Result<Response, ApiError> {
    let session = call.path_id()?;
    let request: wire::JoinRequest = call.body()?;
    let participant = call.id(&request.participant)?;
    let from = start("since", request.turn, request.since)?;
    let members = call
        .app()
        .join_session(authorized, also(&call), session, participant, from)
        .await?;
    ok(&people::members(&call, members))
}

pub(crate) async fn leave(
    authorized: Authorized<rights::SessionCapture>,
    call: Call,
) -> Result<Response, ApiError> {
    let session = call.path_id()?;
    let request: wire::LeaveRequest = call.body()?;
    let participant = request.participant.as_deref().map(|text| call.id(text));
    let to = start("until", request.turn, request.until)?;
    call.app()
        .leave_session(authorized, session, participant.transpose()?, to)
        .await?;
    let reading = call.caller.authorize()?;
    let members = call.app().list_members(reading, session).await?;
    ok(&people::members(&call, members))
}

fn start(field: &str, turn: Option<u64>, time: Option<Instant>) -> Result<Start, ApiError> {
    match (turn, time) {
        (None, None) => Ok(Start::Now),
        (Some(turn), None) => Ok(Start::Ordinal(turn)),
        (None, Some(time)) => Ok(Start::Time(time.0)),
        (Some(_), Some(_)) => Err(ApiError::field(
            field,
            "INVALID",
            format!("send turn or {field}, not both"),
        )),
    }
}

pub(crate) async fn recent(
    authorized: Authorized<rights::SessionRead>,
    call: Call,
) -> Result<Response, ApiError> {
    let id = call.path_id()?;
    let query: wire::RecentQuery = call.query()?;
    let tokens = query.tokens.unwrap_or(TOKENS);
    if !(1..=Limits::RECENT_TOKENS).contains(&tokens) {
        return Err(ApiError::field(
            "tokens",
            "INVALID",
            format!("tokens must be 1 to {}", Limits::RECENT_TOKENS),
        ));
    }
    let recent = call.app().recent(authorized, id, tokens).await?;
    ok(&people::recent(&call, recent))
}
