//! Keys that organizations keep themselves.

use axum::response::Response;
use skep_api::Instant;
use skep_api::own_key::{OwnKey, OwnKeyRequest, OwnKeys};
use skep_app::{KeyChange, Whose};
use skep_authz::{Authorized, rights};

use crate::call::{Call, ok};
use crate::error::ApiError;

pub(crate) async fn get(
    authorized: Authorized<rights::OrgManage>,
    call: Call,
) -> Result<Response, ApiError> {
    ok(&shown(call.app().own_key(authorized).await?))
}

pub(crate) async fn withdraw(
    authorized: Authorized<rights::OrgManage>,
    call: Call,
) -> Result<Response, ApiError> {
    ok(&shown(call.app().withdraw_key(authorized).await?))
}

pub(crate) async fn restore(
    authorized: Authorized<rights::OrgManage>,
    call: Call,
) -> Result<Response, ApiError> {
    ok(&shown(call.app().restore_key(authorized).await?))
}

pub(crate) async fn list(call: Call) -> Result<Response, ApiError> {
    let found = call.app().own_keys(&call.caller).await?;
    let items = found.into_iter().map(|view| told(view.name, view.key));
    ok(&OwnKeys {
        items: items.collect(),
    })
}

pub(crate) async fn enclose(call: Call) -> Result<Response, ApiError> {
    change(call, KeyChange::Enclose).await
}

pub(crate) async fn replace(call: Call) -> Result<Response, ApiError> {
    change(call, KeyChange::Change).await
}

pub(crate) async fn release(call: Call) -> Result<Response, ApiError> {
    change(call, KeyChange::Release).await
}

async fn change(call: Call, what: fn(String) -> KeyChange) -> Result<Response, ApiError> {
    let request: OwnKeyRequest = call.body()?;
    let own = call.caller.organization();
    let whose = match &request.organization {
        None => Whose::Id(own),
        Some(text) => match call.id(text) {
            Ok(id) => Whose::Id(id),
            // Ids of other organizations mean nothing here; they have their names.
            Err(_) => Whose::Name(text.clone()),
        },
    };
    let place = request.place.or(request.organization);
    let place = place.unwrap_or_else(|| call.text(own));
    let changed = call
        .app()
        .change_own_key(&call.caller, whose, what(place))
        .await?;
    ok(&told(changed.name, changed.key))
}

/// What an organization is told: what the daemon's host has where is not its business.
fn shown(key: skep_app::OwnKey) -> OwnKey {
    let told = told(None, key);
    OwnKey {
        provider: None,
        trouble: None,
        ..told
    }
}

fn told(organization: Option<String>, key: skep_app::OwnKey) -> OwnKey {
    let state = match (key.in_force, key.closing) {
        (_, Some(closing)) => closing.as_str(),
        (true, None) => "open",
        (false, None) => "released",
    };
    OwnKey {
        organization,
        state: state.into(),
        in_force: key.in_force,
        place: (!key.place.is_empty()).then_some(key.place),
        provider: key.shown,
        trouble: key.trouble,
        asked_at: key.asked_at.map(Instant),
        withdrawn_at: key.withdrawn_at.map(Instant),
        ask_every_seconds: key.age_seconds,
        enclosed: key.enclosed,
        workspaces: key.workspaces,
    }
}
