//! The members of the organization, and whom it invites.

use axum::response::Response;
use skep_api::Instant;
use skep_api::page::{Page, PageQuery};
use skep_api::people::{
    Invite, InviteRequest, Invited, Invites, Member, MemberRequest, ResetToken, WithdrawRequest,
};
use skep_app::{MemberChange, MemberView, NewInvite};
use skep_authz::{Authorized, rights};
use skep_domain::{Id, OrganizationRole, Role, Standing, UserId};

use super::auth::done;
use super::page;
use crate::call::{Call, ok};
use crate::error::ApiError;

const MEMBERS: &str = "members";

pub(crate) async fn invite(
    authorized: Authorized<rights::MemberManage>,
    call: Call,
) -> Result<Response, ApiError> {
    let request: InviteRequest = call.body()?;
    let role = organization_role(request.role.as_deref().unwrap_or("member"))?;
    let workspace_role = match (role, request.workspace_role.as_deref()) {
        (OrganizationRole::Member, text) => Some(workspace_role(text.unwrap_or("operator"))?),
        (_, _) => None,
    };
    let new = NewInvite {
        address: request.address,
        role,
        workspace_role,
    };
    let made = call.app().invite(authorized, &call.caller, new).await?;
    ok(&Invited {
        token: made.token.expose().clone(),
        mailed: made.mailed,
        expires_at: Instant(made.expires_at),
    })
}

pub(crate) async fn invites(
    authorized: Authorized<rights::MemberManage>,
    call: Call,
) -> Result<Response, ApiError> {
    let found = call.app().list_invites(authorized).await?;
    let items = found.into_iter().map(|view| Invite {
        id: hex(view.handle),
        address: view.address,
        role: view.role.as_str().into(),
        expires_at: Instant(view.expires_at),
    });
    ok(&Invites {
        items: items.collect(),
    })
}

pub(crate) async fn withdraw(
    authorized: Authorized<rights::MemberManage>,
    call: Call,
) -> Result<Response, ApiError> {
    let request: WithdrawRequest = call.body()?;
    let bits = u128::from_str_radix(&request.id, 16);
    let handle =
        bits.map_err(|_| ApiError::field("id", "INVALID", "expected an invitation's id"))?;
    let handle = handle.to_be_bytes();
    call.app().withdraw_invite(authorized, handle).await?;
    done()
}

pub(crate) async fn list(
    authorized: Authorized<rights::MemberManage>,
    call: Call,
) -> Result<Response, ApiError> {
    let query: PageQuery = call.query()?;
    let wanted = page::wanted::<UserId>(&call, &query, MEMBERS)?;
    let found = call
        .app()
        .list_people(authorized, wanted.before, wanted.limit)
        .await?;
    let (views, more) = found;
    let last = views.last().filter(|_| more);
    let next = last.map(|view| page::seal(&call, &view.user.to_bytes(), MEMBERS));
    ok(&Page {
        items: views.into_iter().map(|view| shown(&call, view)).collect(),
        next,
    })
}

pub(crate) async fn edit(
    authorized: Authorized<rights::MemberManage>,
    call: Call,
) -> Result<Response, ApiError> {
    let request: MemberRequest = call.body()?;
    let standing = request.standing.as_deref().map(|text| {
        Standing::parse(text).ok_or_else(|| {
            ApiError::field(
                "standing",
                "INVALID",
                "standing must be active or suspended",
            )
        })
    });
    let workspace_role = request.workspace_role.as_deref().map(|text| match text {
        "none" => Ok(None),
        text => workspace_role(text).map(Some),
    });
    let change = MemberChange {
        role: request.role.as_deref().map(organization_role).transpose()?,
        workspace_role: workspace_role.transpose()?,
        standing: standing.transpose()?,
    };
    let user: UserId = call.path_id()?;
    call.app()
        .change_member(authorized, &call.caller, user, change)
        .await?;
    done()
}

pub(crate) async fn remove(
    authorized: Authorized<rights::MemberManage>,
    call: Call,
) -> Result<Response, ApiError> {
    let user: UserId = call.path_id()?;
    call.app()
        .remove_member(authorized, &call.caller, user)
        .await?;
    done()
}

pub(crate) async fn reset(
    authorized: Authorized<rights::MemberManage>,
    call: Call,
) -> Result<Response, ApiError> {
    let user: UserId = call.path_id()?;
    let made = call
        .app()
        .create_reset(authorized, &call.caller, user)
        .await?;
    ok(&ResetToken {
        token: made.token.expose().clone(),
        expires_at: Instant(made.expires_at),
    })
}

fn shown(call: &Call, view: MemberView) -> Member {
    Member {
        id: call.text(view.user),
        name: view.name,
        address: view.address,
        role: view.role.as_str().into(),
        workspace_role: view.workspace_role.map(|role| role.as_str().into()),
        standing: view.standing.as_str().into(),
        created_at: Instant(view.created_at),
    }
}

pub(super) fn organization_role(text: &str) -> Result<OrganizationRole, ApiError> {
    OrganizationRole::parse(text)
        .ok_or_else(|| ApiError::field("role", "INVALID", "role must be owner, admin or member"))
}

/// The role of an agent is no human's.
pub(super) fn workspace_role(text: &str) -> Result<Role, ApiError> {
    Role::parse(text)
        .filter(|role| *role != Role::Agent)
        .ok_or_else(|| {
            ApiError::field(
                "workspace_role",
                "INVALID",
                "workspace_role must be admin, operator or readonly",
            )
        })
}

fn hex(handle: [u8; 16]) -> String {
    format!("{:032x}", u128::from_be_bytes(handle))
}
