//! Secrets and settings. No answer here has the value of a secret: none that is asked for gives one.

use axum::response::Response;
use serde::Deserialize;
use skep_api::Instant;
use skep_api::id;
use skep_api::vault::{
    RecordQuery, RemoveRecordRequest, RemovedRecord, Secret, Secrets, SetSecretRequest,
    SetSettingRequest, Setting, SettingsList,
};
use skep_app::{App, GivenSecret, RecordAt, RecordListed, RecordScope};
use skep_authz::{Authorized, Caller, rights};
use skep_domain::{RecordName, Reference};

use super::explain::name as principal;
use crate::call::{Call, Tags, ok};
use crate::error::ApiError;

pub(crate) async fn list_secrets(
    authorized: Authorized<rights::SecretList>,
    call: Call,
) -> Result<Response, ApiError> {
    let agent = asked(&call)?;
    let found = call.app().list_secrets(authorized, agent).await?;
    let items = found.items.into_iter();
    ok(&Secrets {
        items: items
            .map(|(scope, about)| secret(&call, scope, &about))
            .collect(),
        damaged: found.damaged,
    })
}

pub(crate) async fn set_secret(
    authorized: Authorized<rights::SecretWrite>,
    call: Call,
) -> Result<Response, ApiError> {
    let request: SetSecretRequest = call.body()?;
    let scope = scope(&call, request.scope.as_deref(), request.agent.as_deref())?;
    let at = at(&call, scope, request.name.clone())?;
    let held = match (&request.value, &request.reference) {
        (Some(value), None) => GivenSecret::Value(value.expose().as_bytes().to_vec()),
        (None, Some(text)) => GivenSecret::Elsewhere(reference(text)?),
        _ => {
            let expected = "expected either a value or a reference";
            return Err(ApiError::field("value", "INVALID", expected));
        }
    };
    let about = call.app().set_secret(authorized, at, held).await?;
    ok(&secret(&call, scope, &about))
}

pub(crate) async fn remove_secret(
    authorized: Authorized<rights::SecretWrite>,
    call: Call,
) -> Result<Response, ApiError> {
    let at = removed(&call)?;
    let removed = call.app().remove_secret(authorized, at).await?;
    ok(&RemovedRecord { removed })
}

pub(crate) async fn list_settings(
    authorized: Authorized<rights::SettingRead>,
    call: Call,
) -> Result<Response, ApiError> {
    let agent = asked(&call)?;
    let found = call.app().list_settings(authorized, agent).await?;
    let items = found.items.into_iter();
    ok(&SettingsList {
        items: items
            .map(|(scope, held)| setting(&call, scope, &held.about, held.value))
            .collect(),
        damaged: found.damaged,
    })
}

pub(crate) async fn set_setting(
    authorized: Authorized<rights::SettingWrite>,
    call: Call,
) -> Result<Response, ApiError> {
    let request: SetSettingRequest = call.body()?;
    let scope = scope(&call, request.scope.as_deref(), request.agent.as_deref())?;
    let at = at(&call, scope, request.name)?;
    let value = request.value.clone();
    let about = call.app().set_setting(authorized, at, value).await?;
    ok(&setting(&call, scope, &about, request.value))
}

pub(crate) async fn remove_setting(
    authorized: Authorized<rights::SettingWrite>,
    call: Call,
) -> Result<Response, ApiError> {
    let at = removed(&call)?;
    let removed = call.app().remove_setting(authorized, at).await?;
    ok(&RemovedRecord { removed })
}

fn reference(text: &str) -> Result<Reference, ApiError> {
    let read = Reference::parse(text);
    read.map_err(|error| ApiError::field("reference", "INVALID", error.to_string()))
}

fn asked(call: &Call) -> Result<Option<RecordScope>, ApiError> {
    let query: RecordQuery = call.query()?;
    let agent = query.agent.as_deref().map(|agent| call.id(agent));
    Ok(agent.transpose()?.map(RecordScope::Agent))
}

fn removed(call: &Call) -> Result<RecordAt, ApiError> {
    let request: RemoveRecordRequest = call.body()?;
    let scope = scope(call, request.scope.as_deref(), request.agent.as_deref())?;
    at(call, scope, request.name)
}

/// What every workspace of an organization shares is changed by who may manage it, and showed a second
/// factor lately, as with everything else that is the organization's.
fn at(call: &Call, scope: RecordScope, name: String) -> Result<RecordAt, ApiError> {
    let shared = call.caller.authorize().ok();
    if scope == RecordScope::Organization && shared.is_some() {
        call.caller.require_step_up(call.app().now())?;
    }
    Ok(RecordAt {
        scope,
        name,
        shared,
    })
}

/// Which record of this body something is done to, by its place and its name.
#[derive(Deserialize)]
struct Named {
    name: String,
    scope: Option<String>,
    agent: Option<String>,
}

/// What the record of decisions calls the secret that a request is about, before anything is done to it.
/// The value in the same body is passed over, not read.
pub(crate) fn mark(app: &App, caller: &Caller, body: &[u8]) -> Option<String> {
    let named: Named = serde_json::from_slice(body).ok()?;
    let name = RecordName::parse(&named.name).ok()?;
    let tags = Tags::of(app.id_tags(caller));
    let place = place(&tags, named.scope.as_deref(), named.agent.as_deref()).ok()?;
    let tenant = (caller.organization(), caller.workspace());
    Some(app.secret_mark(tenant, place, &name))
}

/// The place that a change is about.
fn scope(call: &Call, scope: Option<&str>, agent: Option<&str>) -> Result<RecordScope, ApiError> {
    place(&call.tags(), scope, agent)
}

fn place(
    tags: &Tags<'_>,
    scope: Option<&str>,
    agent: Option<&str>,
) -> Result<RecordScope, ApiError> {
    match (scope.unwrap_or("workspace"), agent) {
        ("workspace", None) => Ok(RecordScope::Workspace),
        ("organization", None) => Ok(RecordScope::Organization),
        ("agent", Some(agent)) => Ok(RecordScope::Agent(id::parse(tags, agent)?)),
        _ => Err(ApiError::field(
            "scope",
            "INVALID",
            "expected workspace, organization, or agent together with an agent's id",
        )),
    }
}

fn told(call: &Call, scope: RecordScope) -> (String, Option<String>) {
    match scope {
        RecordScope::Organization => ("organization".into(), None),
        RecordScope::Workspace => ("workspace".into(), None),
        RecordScope::Agent(agent) => ("agent".into(), Some(call.text(agent))),
    }
}

fn secret(call: &Call, scope: RecordScope, about: &RecordListed) -> Secret {
    let tenant = (call.caller.organization(), call.caller.workspace());
    let mark = call.app().secret_mark(tenant, scope, &about.name);
    let (scope, agent) = told(call, scope);
    Secret {
        mark,
        name: about.name.as_str().into(),
        scope,
        agent,
        created_at: Instant(about.created_at),
        changed_at: Instant(about.changed_at),
        changed_by: about.changed_by.map(|by| principal(call, by)),
        reference: about.reference.as_ref().map(ToString::to_string),
    }
}

fn setting(call: &Call, scope: RecordScope, about: &RecordListed, value: String) -> Setting {
    let about = secret(call, scope, about);
    Setting {
        name: about.name,
        value,
        scope: about.scope,
        agent: about.agent,
        created_at: about.created_at,
        changed_at: about.changed_at,
        changed_by: about.changed_by,
    }
}
