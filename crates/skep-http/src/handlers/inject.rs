//! What is put in front of models, and the record of it.

use std::collections::BTreeMap;

use axum::response::Response;
use skep_api::Instant;
use skep_api::inject::{InjectRequest, InjectResponse, InjectedItem, Injection as WireInjection};
use skep_api::page::{Page, PageQuery};
use skep_app::{Injection, InjectionPage};
use skep_authz::{Authorized, rights};
use skep_domain::{Id, SessionId};

use super::page;
use crate::call::{Call, ok};
use crate::convert;
use crate::error::ApiError;

const INJECTIONS: &str = "injections";

pub(crate) async fn inject(
    capturing: Authorized<rights::SessionCapture>,
    call: Call,
) -> Result<Response, ApiError> {
    let reading: Authorized<rights::MemoryRead> = call.caller.authorize()?;
    let request: InjectRequest = call.body()?;
    let injected = call
        .app()
        .inject((capturing, reading), convert::inject(request)?, &|id| {
            call.text(id)
        })
        .await?;
    let record = injected.record;
    ok(&InjectResponse {
        text: injected.text,
        id: record.map(|(id, ..)| call.text(id)),
        session: record.map(|(_, session, _)| call.text(session)),
        items: injected
            .items
            .into_iter()
            .map(|(memory, scores)| item(&call, memory.id, scores))
            .collect(),
        uncaptured: injected.uncaptured,
        degraded: !injected.degraded.is_empty(),
        degraded_reasons: injected.degraded,
    })
}

pub(crate) async fn list(
    authorized: Authorized<rights::MemoryRead>,
    call: Call,
) -> Result<Response, ApiError> {
    let query: PageQuery = call.query()?;
    let wanted = page::wanted(&call, &query, INJECTIONS)?;
    let found = call.app().list_injections(authorized, None, wanted).await?;
    answer(&call, found, INJECTIONS)
}

pub(crate) async fn context(
    authorized: Authorized<rights::MemoryRead>,
    call: Call,
) -> Result<Response, ApiError> {
    let session: SessionId = call.path_id()?;
    let query: PageQuery = call.query()?;
    let listing = format!("injections of {}", call.text(session));
    let wanted = page::wanted(&call, &query, &listing)?;
    let found = call
        .app()
        .list_injections(authorized, Some(session), wanted);
    answer(&call, found.await?, &listing)
}

fn answer(call: &Call, found: InjectionPage, listing: &str) -> Result<Response, ApiError> {
    let next = found
        .items
        .last()
        .filter(|_| found.more)
        .map(|last| page::seal(call, &last.id.to_bytes(), listing));
    ok(&Page {
        items: found
            .items
            .into_iter()
            .map(|injection| recorded(call, injection))
            .collect(),
        next,
    })
}

fn recorded(call: &Call, injection: Injection) -> WireInjection {
    let withheld = injection.content.is_none();
    let (body, items) = injection.content.unwrap_or_default();
    WireInjection {
        id: call.text(injection.id),
        session: call.text(injection.session),
        ordinal: injection.ordinal,
        at: Instant(injection.at),
        moment: injection.moment.as_str().into(),
        withheld,
        text: body.text,
        query: body.query,
        floor: body.floor,
        items: items
            .into_iter()
            .map(|stored| item(call, stored.memory, stored.scores))
            .collect(),
    }
}

fn item<I: Id>(call: &Call, memory: I, scores: Vec<(String, f32)>) -> InjectedItem {
    InjectedItem {
        memory: call.text(memory),
        scores: scores.into_iter().collect::<BTreeMap<_, _>>(),
    }
}
