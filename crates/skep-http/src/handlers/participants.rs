//! Participants, their cards, observations and consents.

use axum::response::Response;
use skep_api::page::{Page, PageQuery};
use skep_api::participant as wire;
use skep_app::{CardEdit, ListObservations, Observe, Say, Whom};
use skep_authz::{Authorized, Right, rights};
use skep_domain::{Id, MemoryKind, ParticipantId, ParticipantKind, Visibility};

use super::page;
use crate::call::{Call, ok};
use crate::convert::{self, names, people, word};
use crate::error::ApiError;

const PARTICIPANTS: &str = "participants";

/// A second right, for those who have it.
pub(super) fn also<P: Right>(call: &Call) -> Option<Authorized<P>> {
    call.caller.authorize().ok()
}

pub(crate) async fn list(
    authorized: Authorized<rights::SessionRead>,
    call: Call,
) -> Result<Response, ApiError> {
    let query: wire::ParticipantQuery = call.query()?;
    let whom = match (query.own, query.name) {
        (true, _) => Whom::Me,
        (false, Some(name)) => Whom::Named(name),
        (false, None) => Whom::All,
    };
    let asked = PageQuery {
        limit: query.limit,
        cursor: query.cursor,
    };
    let page = page::wanted(&call, &asked, PARTICIPANTS)?;
    let found = call
        .app()
        .list_participants(authorized, also(&call), whom, page)
        .await?;
    let next = found
        .items
        .last()
        .filter(|_| found.more)
        .map(|last| page::seal(&call, &last.id.to_bytes(), PARTICIPANTS));
    let items = found.items.into_iter();
    ok(&Page {
        items: items.map(|one| people::participant(&call, one)).collect(),
        next,
    })
}

pub(crate) async fn get(
    authorized: Authorized<rights::SessionRead>,
    call: Call,
) -> Result<Response, ApiError> {
    let id = call.path_id()?;
    let found = call
        .app()
        .get_participant(authorized, also(&call), id)
        .await?;
    ok(&people::participant(&call, found))
}

pub(crate) async fn add(
    authorized: Authorized<rights::ParticipantSpeak>,
    call: Call,
) -> Result<Response, ApiError> {
    let request: wire::AddParticipantRequest = call.body()?;
    let kind = word(
        "kind",
        request.kind.as_deref().unwrap_or("outside"),
        ParticipantKind::parse,
        &names(ParticipantKind::ALL, ParticipantKind::as_str),
    )?;
    let added = call
        .app()
        .add_participant(authorized, &request.name, kind)
        .await?;
    ok(&people::participant(&call, added))
}

pub(crate) async fn name_self(
    authorized: Authorized<rights::ParticipantSelf>,
    call: Call,
) -> Result<Response, ApiError> {
    let request: wire::NameSelfRequest = call.body()?;
    let named = call.app().name_self(authorized, &request.name).await?;
    ok(&people::participant(&call, named))
}

pub(crate) async fn merge(
    authorized: Authorized<rights::MemberManage>,
    call: Call,
) -> Result<Response, ApiError> {
    let id = call.path_id()?;
    let request: wire::MergeRequest = call.body()?;
    let into = call.id(&request.into)?;
    let merged = call.app().merge_participant(authorized, id, into).await?;
    ok(&people::participant(&call, merged))
}

pub(crate) async fn unmerge(
    authorized: Authorized<rights::MemberManage>,
    call: Call,
) -> Result<Response, ApiError> {
    let id = call.path_id()?;
    let apart = call.app().unmerge_participant(authorized, id).await?;
    ok(&people::participant(&call, apart))
}

pub(crate) async fn delete(
    authorized: Authorized<rights::ParticipantSelf>,
    call: Call,
) -> Result<Response, ApiError> {
    let id = call.path_id()?;
    let erased = call
        .app()
        .delete_participant(authorized, also(&call), id)
        .await?;
    ok(&wire::DeleteResponse {
        participants: erased.participants,
        memories: erased.memories,
    })
}

pub(crate) async fn card(
    authorized: Authorized<rights::MemoryRead>,
    call: Call,
) -> Result<Response, ApiError> {
    let card = call.app().get_card(authorized, call.path_id()?).await?;
    ok(&people::card(&call, card))
}

pub(crate) async fn edit_card(
    authorized: Authorized<rights::ParticipantSelf>,
    call: Call,
) -> Result<Response, ApiError> {
    let id = call.path_id()?;
    let request: wire::CardRequest = call.body()?;
    let hidden = request.hidden.iter().map(|text| call.id(text));
    let edit = CardEdit {
        hidden: hidden.collect::<Result<_, _>>()?,
        facts: request.facts,
    };
    let edited = call.app().edit_card(authorized, id, edit).await?;
    ok(&people::participant(&call, edited))
}

pub(crate) async fn observe(
    authorized: Authorized<rights::MemoryWrite>,
    call: Call,
) -> Result<Response, ApiError> {
    let subject = call.path_id()?;
    let request: wire::ObserveRequest = call.body()?;
    let kind = request.kind.as_deref().map(convert::statement_kind);
    let observer = request.observer.as_deref().map(|text| call.id(text));
    let observe = Observe {
        subject,
        observer: observer.transpose()?,
        kind: kind.transpose()?.unwrap_or(MemoryKind::Fact),
        visibility: word(
            "visibility",
            request.visibility.as_deref().unwrap_or("own"),
            Visibility::parse,
            &names(Visibility::ALL, Visibility::as_str),
        )?,
        text: request.text,
    };
    let kept = call.app().observe(authorized, also(&call), observe).await?;
    ok(&wire::ObserveResponse {
        observation: people::observation(&call, kept.observed, false, kept.memory),
        known: kept.known,
        redacted: kept.redacted,
    })
}

pub(crate) async fn observations(
    authorized: Authorized<rights::MemoryRead>,
    call: Call,
) -> Result<Response, ApiError> {
    let subject: ParticipantId = call.path_id()?;
    let query: wire::ObservationQuery = call.query()?;
    let seen_by = query.observer.as_deref().unwrap_or("anybody");
    let listing = format!("observations of {} by {seen_by}", call.text(subject));
    let asked = PageQuery {
        limit: query.limit,
        cursor: query.cursor,
    };
    let page = page::wanted(&call, &asked, &listing)?;
    let observer = query.observer.as_deref().map(|text| call.id(text));
    let list = ListObservations {
        subject,
        observer: observer.transpose()?,
        limit: page.limit,
        before: page.before,
    };
    let found = call.app().list_observations(authorized, list).await?;
    let next = found
        .items
        .last()
        .filter(|_| found.more)
        .map(|last| page::seal(&call, &last.memory.id.to_bytes(), &listing));
    let items = found.items.into_iter();
    ok(&Page {
        items: items
            .map(|one| people::observation(&call, one.observed, one.derived, one.memory))
            .collect(),
        next,
    })
}

pub(crate) async fn consents(
    authorized: Authorized<rights::SessionRead>,
    call: Call,
) -> Result<Response, ApiError> {
    let query: wire::ConsentQuery = call.query()?;
    let subject = query.subject.as_deref().map(|text| call.id(text));
    let history = call
        .app()
        .list_consents(authorized, also(&call), subject.transpose()?)
        .await?;
    ok(&people::consents(&call, history))
}

pub(crate) async fn give(
    authorized: Authorized<rights::ParticipantSelf>,
    call: Call,
) -> Result<Response, ApiError> {
    say(authorized, call, true).await
}

pub(crate) async fn revoke(
    authorized: Authorized<rights::ParticipantSelf>,
    call: Call,
) -> Result<Response, ApiError> {
    say(authorized, call, false).await
}

async fn say(
    authorized: Authorized<rights::ParticipantSelf>,
    call: Call,
    given: bool,
) -> Result<Response, ApiError> {
    let request: wire::ConsentRequest = call.body()?;
    let observer = request.observer.as_deref().map(|text| call.id(text));
    let say = Say {
        subject: call.id(&request.subject)?,
        observer: observer.transpose()?,
        given,
        note: request.note,
    };
    let history = call.app().say_consent(authorized, also(&call), say).await?;
    ok(&people::consents(&call, history))
}
