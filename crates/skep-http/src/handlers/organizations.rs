//! Organizations and their workspaces.

use axum::response::Response;
use skep_api::Instant;
use skep_api::access::{
    NameRequest, Organization, Organizations, StandingRequest, Workspace, Workspaces,
};
use skep_api::people::{FactorRule, FactorRuleRequest};
use skep_app::WorkspaceView;
use skep_authz::{Authorized, rights};
use skep_domain::OrganizationRole;

use super::agents::standing as parse_standing;
use crate::call::{Call, ok};
use crate::error::ApiError;

pub(crate) async fn list(call: Call) -> Result<Response, ApiError> {
    let found = call.app().list_organizations(&call.caller).await?;
    let items = found
        .into_iter()
        .map(|view| organization(&call, &view.organization, view.role));
    ok(&Organizations {
        items: items.collect(),
    })
}

pub(crate) async fn name(
    authorized: Authorized<rights::OrgManage>,
    call: Call,
) -> Result<Response, ApiError> {
    let request: NameRequest = call.body()?;
    let named = call
        .app()
        .name_organization(authorized, &request.name)
        .await?;
    ok(&organization(&call, &named, None))
}

pub(crate) async fn standing(call: Call) -> Result<Response, ApiError> {
    let request: StandingRequest = call.body()?;
    let standing = parse_standing(&request.standing)?;
    let changed = call
        .app()
        .set_organization_standing(&call.caller, &request.organization, standing)
        .await?;
    ok(&organization(&call, &changed, None))
}

pub(crate) async fn factor_rule(
    authorized: Authorized<rights::OrgManage>,
    call: Call,
) -> Result<Response, ApiError> {
    rule(call.app().factor_rule(authorized).await?)
}

pub(crate) async fn set_factor_rule(
    authorized: Authorized<rights::OrgManage>,
    call: Call,
) -> Result<Response, ApiError> {
    let request: FactorRuleRequest = call.body()?;
    let set = call.app().set_factor_rule(authorized, request.required);
    rule(set.await?)
}

fn rule((required, without): (bool, u32)) -> Result<Response, ApiError> {
    ok(&FactorRule { required, without })
}

pub(crate) async fn workspaces(
    authorized: Authorized<rights::SettingRead>,
    call: Call,
) -> Result<Response, ApiError> {
    let found = call.app().list_workspaces(authorized).await?;
    let items = found.into_iter().map(|view| workspace(&call, view));
    ok(&Workspaces {
        items: items.collect(),
    })
}

pub(crate) async fn create_workspace(
    authorized: Authorized<rights::WorkspaceManage>,
    call: Call,
) -> Result<Response, ApiError> {
    let request: NameRequest = call.body()?;
    let made = call
        .app()
        .create_workspace(authorized, &request.name)
        .await?;
    ok(&workspace(&call, made))
}

/// Ids are of their organization, and mean nothing in another: the others have their names.
fn organization(
    call: &Call,
    organization: &skep_app::Organization,
    role: Option<OrganizationRole>,
) -> Organization {
    let current = organization.id == call.caller.organization();
    Organization {
        id: current.then(|| call.text(organization.id)),
        name: organization.name.clone(),
        role: role.map(|role| role.as_str().into()),
        standing: organization.standing.as_str().into(),
        current,
    }
}

fn workspace(call: &Call, view: WorkspaceView) -> Workspace {
    Workspace {
        id: call.text(view.id),
        name: view.name,
        created_at: Instant(view.created_at),
        current: view.id == call.caller.workspace(),
    }
}
