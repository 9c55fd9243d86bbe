//! Keys of agents, connectors and runners, and the caller's own tokens.

use axum::response::Response;
use skep_api::Instant;
use skep_api::access::{CreateKeyRequest, CreateTokenRequest, CreatedKey, Key, Revoked};
use skep_api::page::{Page, PageQuery};
use skep_app::{Created, Credential, KeyKind, KeyPage, NewKey, NewToken};
use skep_authz::{Authorized, rights};
use skep_domain::{Bindings, CredentialId, Harness, Id, Permission, PermissionSet, ProjectBounds};

use super::{access, page};
use crate::call::{Call, ok};
use crate::convert;
use crate::error::ApiError;

const KEYS: &str = "keys";
const TOKENS: &str = "tokens";

pub(crate) async fn create(
    authorized: Authorized<rights::TokenManage>,
    call: Call,
) -> Result<Response, ApiError> {
    let request: CreateKeyRequest = call.body()?;
    let kind = match request.kind.as_deref() {
        None | Some("api") => KeyKind::Api,
        Some("runner") => KeyKind::Runner,
        Some(_) => {
            return Err(ApiError::field(
                "kind",
                "INVALID",
                "kind must be api or runner",
            ));
        }
    };
    let harness = request.harness.as_deref().map(|name| {
        let known = convert::names(Harness::ALL, Harness::as_str);
        convert::word("harness", name, Harness::parse, &known)
    });
    let new = NewKey {
        kind,
        agent: request.agent.as_deref().map(|id| call.id(id)).transpose()?,
        label: request.label,
        projects: request.projects,
        bindings: Bindings {
            connector: request.connector,
            harness: harness.transpose()?,
            projects: ProjectBounds::NONE,
            permissions: permissions(request.permissions.as_deref())?,
        },
        expires_at: request.expires_at.map(|end| end.0),
    };
    let created = call.app().create_key(authorized, &call.caller, new).await?;
    ok(&shown_once(&call, &created))
}

pub(crate) async fn list(
    authorized: Authorized<rights::TokenManage>,
    call: Call,
) -> Result<Response, ApiError> {
    let query: PageQuery = call.query()?;
    let wanted = page::wanted::<CredentialId>(&call, &query, KEYS)?;
    let found = call.app().list_keys(authorized, wanted).await?;
    ok(&listed(&call, &found, KEYS))
}

pub(crate) async fn revoke(
    authorized: Authorized<rights::TokenManage>,
    call: Call,
) -> Result<Response, ApiError> {
    let id: CredentialId = call.path_id()?;
    call.app().revoke_key(authorized, id).await?;
    ok(&Revoked { id: call.text(id) })
}

pub(crate) async fn create_token(call: Call) -> Result<Response, ApiError> {
    let request: CreateTokenRequest = call.body()?;
    let new = NewToken {
        permissions: permissions(request.permissions.as_deref())?,
        label: request.label,
        expires_at: request.expires_at.0,
    };
    let created = call.app().create_token(&call.caller, new).await?;
    ok(&shown_once(&call, &created))
}

pub(crate) async fn list_tokens(call: Call) -> Result<Response, ApiError> {
    let query: PageQuery = call.query()?;
    let wanted = page::wanted::<CredentialId>(&call, &query, TOKENS)?;
    let found = call.app().list_tokens(&call.caller, wanted).await?;
    ok(&listed(&call, &found, TOKENS))
}

pub(crate) async fn revoke_token(call: Call) -> Result<Response, ApiError> {
    let id: CredentialId = call.path_id()?;
    call.app().revoke_token(&call.caller, id).await?;
    ok(&Revoked { id: call.text(id) })
}

/// A permission that does not exist refuses the whole list.
fn permissions(names: Option<&[String]>) -> Result<Option<PermissionSet>, ApiError> {
    let Some(names) = names else { return Ok(None) };
    let each: Result<Vec<Permission>, ApiError> = names
        .iter()
        .map(|name| {
            Permission::parse(name).ok_or_else(|| {
                ApiError::field(
                    "permissions",
                    "INVALID",
                    "a permission is named as in docs/generated/permissions.md, such as memory:read",
                )
            })
        })
        .collect();
    Ok(Some(PermissionSet::of(&each?)))
}

fn shown_once(call: &Call, created: &Created) -> CreatedKey {
    CreatedKey {
        secret: created.secret.expose().clone(),
        key: key(call, &created.credential),
    }
}

fn listed(call: &Call, found: &KeyPage, listing: &str) -> Page<Key> {
    let last = found.items.last().filter(|_| found.more);
    Page {
        items: found.items.iter().map(|one| key(call, one)).collect(),
        next: last.map(|last| page::seal(call, &last.id.to_bytes(), listing)),
    }
}

fn key(call: &Call, credential: &Credential) -> Key {
    let bindings = &credential.body.bindings;
    Key {
        id: call.text(credential.id),
        kind: credential.kind.as_str().into(),
        label: credential.body.label.clone(),
        principal: access::within(call, credential.principal, Some(credential.workspace)),
        workspace: call.text(credential.workspace),
        connector: bindings.connector.clone(),
        harness: bindings.harness.map(|harness| harness.as_str().into()),
        projects: credential.body.project_names.clone(),
        permissions: bindings.permissions.map(access::names),
        created_at: Instant(credential.created_at),
        expires_at: credential.expires_at.map(Instant),
        used_at: credential.used_at.map(Instant),
        revoked_at: credential.revoked_at.map(Instant),
    }
}
