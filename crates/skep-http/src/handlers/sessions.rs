//! Sessions and their turns.

use axum::response::Response;
use skep_api::page::{Page, PageQuery};
use skep_api::session::EndResponse;
use skep_authz::{Authorized, rights};
use skep_domain::{Id, SessionId};

use super::page;
use crate::call::{Call, ok};
use crate::convert;
use crate::error::ApiError;

const SESSIONS: &str = "sessions";

pub(crate) async fn list(
    authorized: Authorized<rights::SessionRead>,
    call: Call,
) -> Result<Response, ApiError> {
    let query: PageQuery = call.query()?;
    let found = call
        .app()
        .list_sessions(authorized, page::wanted(&call, &query, SESSIONS)?)
        .await?;
    let next = found
        .items
        .last()
        .filter(|_| found.more)
        .map(|last| page::seal(&call, &last.id.to_bytes(), SESSIONS));
    ok(&Page {
        items: found
            .items
            .into_iter()
            .map(|session| convert::session(&call, session))
            .collect(),
        next,
    })
}

pub(crate) async fn get(
    authorized: Authorized<rights::SessionRead>,
    call: Call,
) -> Result<Response, ApiError> {
    let session = call.app().get_session(authorized, call.path_id()?).await?;
    ok(&convert::session(&call, session))
}

pub(crate) async fn turns(
    authorized: Authorized<rights::SessionRead>,
    call: Call,
) -> Result<Response, ApiError> {
    let id: SessionId = call.path_id()?;
    let query: PageQuery = call.query()?;
    let listing = format!("turns of {}", call.text(id));
    let from = match &query.cursor {
        None => 0,
        Some(text) => ordinal_of(page::open(&call, text, &listing)?),
    };
    let found = call
        .app()
        .list_turns(authorized, id, from, page::limit(query.limit)?)
        .await?;
    let next = found
        .next
        .map(|ordinal| page::seal(&call, &bytes_of(ordinal), &listing));
    ok(&Page {
        items: found
            .items
            .into_iter()
            .map(|turn| convert::turn(&call, turn))
            .collect(),
        next,
    })
}

pub(crate) async fn end(
    authorized: Authorized<rights::SessionCapture>,
    call: Call,
) -> Result<Response, ApiError> {
    let reading = call.caller.authorize()?;
    let ended = call
        .app()
        .end_session(authorized, reading, call.path_id()?)
        .await?;
    ok(&EndResponse {
        session: convert::session(&call, ended.session),
        memories: ended.memories,
        known: ended.known,
    })
}

fn bytes_of(ordinal: u64) -> [u8; 16] {
    u128::from(ordinal).to_be_bytes()
}

fn ordinal_of(bytes: [u8; 16]) -> u64 {
    u64::try_from(u128::from_be_bytes(bytes)).unwrap_or(u64::MAX)
}
