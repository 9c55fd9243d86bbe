//! Single sign-on of an organization: shown, chosen, tried, given up.

use axum::response::Response;
use skep_api::sso::{SetSsoRequest, Sso, SsoReport};
use skep_app::{AppError, SsoChange, SsoView};
use skep_authz::{Authorized, rights};
use skep_domain::{OrganizationRole, Role};

use super::auth::done;
use super::people::{organization_role, workspace_role};
use crate::call::{Call, ok};
use crate::error::ApiError;

pub(crate) async fn get(
    authorized: Authorized<rights::OrgManage>,
    call: Call,
) -> Result<Response, ApiError> {
    let found = call.app().get_sso(authorized).await?;
    let found = found.ok_or(AppError::NotFound("single sign-on"))?;
    ok(&shown(found))
}

pub(crate) async fn set(
    authorized: Authorized<rights::OrgManage>,
    call: Call,
) -> Result<Response, ApiError> {
    let request: SetSsoRequest = call.body()?;
    let change = change(request)?;
    ok(&shown(call.app().set_sso(authorized, change).await?))
}

pub(crate) async fn test(
    authorized: Authorized<rights::OrgManage>,
    call: Call,
) -> Result<Response, ApiError> {
    let found = call.app().test_sso(authorized).await?;
    ok(&SsoReport {
        authorization_endpoint: found.authorization_endpoint,
        client_auth: found.client_auth.into(),
        names_itself: found.names_itself,
        keys: u32::try_from(found.keys).unwrap_or(u32::MAX),
    })
}

pub(crate) async fn remove(
    authorized: Authorized<rights::OrgManage>,
    call: Call,
) -> Result<Response, ApiError> {
    call.app().remove_sso(authorized).await?;
    done()
}

fn change(request: SetSsoRequest) -> Result<SsoChange, ApiError> {
    let role = organization_role(request.role.as_deref().unwrap_or("member"))?;
    let in_workspace = match request.workspace_role.as_deref() {
        Some("none") => None,
        text => Some(workspace_role(text.unwrap_or("operator"))?),
    };
    let claim = match (request.claim, request.value) {
        (Some(claim), Some(value)) => Some((claim, value)),
        (None, None) => None,
        _ => {
            return Err(ApiError::field(
                "value",
                "INVALID",
                "a claim and its value go together",
            ));
        }
    };
    Ok(SsoChange {
        issuer: request.issuer,
        client: request.client_id,
        secret: request.client_secret.map(SsoChange::secret),
        domains: request.domains,
        claim,
        role,
        workspace_role: in_workspace.filter(|_| role == OrganizationRole::Member),
        enabled: request.enabled.unwrap_or(true),
    })
}

fn shown(view: SsoView) -> Sso {
    let (claim, value) = view.claim.unzip();
    Sso {
        issuer: view.issuer,
        client_id: view.client,
        has_secret: view.has_secret,
        domains: view.domains,
        claim,
        value,
        role: view.role.as_str().into(),
        workspace_role: view.workspace_role.map(Role::as_str).map(Into::into),
        enabled: view.enabled,
        redirect_uri: view.redirect_uri,
    }
}
