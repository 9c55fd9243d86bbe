//! Providers of models that an organization sets.

use axum::response::Response;
use skep_api::provider::{
    Provider, Providers, RemoveProviderRequest, RemovedProvider, SetProviderRequest,
};
use skep_app::{Marked, ProviderKind, ProviderView, SetProvider};
use skep_authz::{Authorized, rights};

use crate::call::{Call, ok};
use crate::error::ApiError;

pub(crate) async fn list(
    authorized: Authorized<rights::GatewayConfigure>,
    call: Call,
) -> Result<Response, ApiError> {
    let found = call.app().list_providers(authorized).await?;
    ok(&Providers {
        items: found.into_iter().map(|view| shown(&call, view)).collect(),
    })
}

pub(crate) async fn set(
    authorized: Authorized<rights::GatewayConfigure>,
    call: Call,
) -> Result<Response, ApiError> {
    let asked: SetProviderRequest = call.body()?;
    let kind = ProviderKind::parse(&asked.kind).ok_or_else(|| {
        let known = ProviderKind::ALL.map(ProviderKind::as_str).join(", ");
        ApiError::field("kind", "INVALID", format!("kind must be one of {known}"))
    })?;
    let set = SetProvider {
        name: asked.name,
        kind,
        base_url: asked.base_url,
        secret: asked.secret,
        models: asked.models,
        fallback: asked.fallback,
        max_output: asked.max_output,
        approves: call.caller.authorize().ok(),
    };
    // As with everything else that says where a secret may go.
    if set.sends_key_elsewhere() && set.approves.is_some() {
        call.caller.require_step_up(call.app().now())?;
    }
    ok(&shown(
        &call,
        call.app().set_provider(authorized, set).await?,
    ))
}

pub(crate) async fn remove(
    authorized: Authorized<rights::GatewayConfigure>,
    call: Call,
) -> Result<Response, ApiError> {
    let asked: RemoveProviderRequest = call.body()?;
    let removed = call.app().remove_provider(authorized, &asked.name).await?;
    ok(&RemovedProvider { removed })
}

fn shown(call: &Call, view: ProviderView) -> Provider {
    let tenant = (call.caller.organization(), call.caller.workspace());
    Provider {
        mark: call.app().mark(tenant, Marked::Provider(&view.name)),
        name: view.name,
        kind: view.kind.as_str().into(),
        base_url: view.base_url,
        secret: view.secret,
        models: view.models,
        fallback: view.fallback,
        max_output: view.max_output,
    }
}
