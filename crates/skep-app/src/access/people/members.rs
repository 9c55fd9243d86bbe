//! The members of an organization: listed, given another role, suspended, removed.

use skep_authz::rights::MemberManage;
use skep_authz::{Authorized, Caller};
use skep_domain::{OrganizationRole, Principal, Role, Standing, Timestamp, UserId};
use skep_store::{Mode, OrgTx};

use crate::access::door;
use crate::{App, AppError};

/// A member, as administrators see them.
#[derive(Debug)]
pub struct MemberView {
    /// Who.
    pub user: UserId,
    /// What they are called.
    pub name: String,
    /// Where mail reaches them.
    pub address: Option<String>,
    /// What they are in the organization.
    pub role: OrganizationRole,
    /// What they may do in this workspace, beside what the organization lets them.
    pub workspace_role: Option<Role>,
    /// Whether they may act.
    pub standing: Standing,
    /// Since when they are a member.
    pub created_at: Timestamp,
}

/// What changes; what is absent stays.
#[derive(Clone, Copy, Debug, Default)]
pub struct MemberChange {
    /// What they are in the organization.
    pub role: Option<OrganizationRole>,
    /// What they may do in this workspace; nothing for `Some(None)`.
    pub workspace_role: Option<Option<Role>>,
    /// Whether they may act.
    pub standing: Option<Standing>,
}

impl App {
    /// A page of the members, oldest first.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn list_people(
        &self,
        authorized: Authorized<MemberManage>,
        after: Option<UserId>,
        limit: u32,
    ) -> Result<(Vec<MemberView>, bool), AppError> {
        let workspace = authorized.workspace();
        let mut tx = self.store.begin_org(authorized).await?;
        let mut found = tx.list_members(after, limit + 1).await?;
        let more = found.len() > limit as usize;
        found.truncate(limit as usize);
        let mut views = Vec::with_capacity(found.len());
        for member in found {
            let user = tx.get_user(member.user).await?;
            let body = user.map(|user| user.body).unwrap_or_default();
            let roles = tx.list_workspace_roles(member.user).await?;
            let here = roles.into_iter().find(|(id, _)| *id == workspace);
            views.push(MemberView {
                user: member.user,
                name: body.name,
                address: body
                    .address
                    .or(body.vouched)
                    .filter(|text| !text.is_empty()),
                role: member.role,
                workspace_role: here.map(|(_, role)| role),
                standing: member.standing,
                created_at: member.created_at,
            });
        }
        Ok((views, more))
    }

    /// Changes a member. It counts from their next request on.
    ///
    /// # Errors
    /// [`AppError::NotFound`], [`AppError::Forbidden`] when only an owner may,
    /// [`AppError::Conflict`] when no owner that may act would be left.
    pub async fn change_member(
        &self,
        authorized: Authorized<MemberManage>,
        caller: &Caller,
        user: UserId,
        change: MemberChange,
    ) -> Result<(), AppError> {
        let raised = change.role.is_some_and(OrganizationRole::administers);
        if raised || self.administers(caller, user).await? {
            self.is_there(caller).await?;
        }
        let mut tx = self.store.begin_org(authorized).await?;
        Self::may_manage(&mut tx, caller, user).await??;
        let owners = tx.count_owners().await?;
        if let Some(role) = change.role {
            Self::may_make(&mut tx, caller, role).await?;
            tx.put_member(user, role).await?;
        }
        if let Some(role) = change.workspace_role {
            tx.set_workspace_role(user, role).await?;
        }
        if let Some(standing) = change.standing {
            tx.set_member_standing(user, standing).await?;
        }
        // Who may less now may not go on by what they handed out before.
        tx.void_tickets_made_by(user).await?;
        owner_is_left(&mut tx, owners).await?;
        tx.commit().await?;
        self.verified.clear();
        Ok(())
    }

    /// Ends a membership, and everything that proves the member here.
    ///
    /// # Errors
    /// As [`App::change_member`].
    pub async fn remove_member(
        &self,
        authorized: Authorized<MemberManage>,
        caller: &Caller,
        user: UserId,
    ) -> Result<(), AppError> {
        if self.administers(caller, user).await? {
            self.is_there(caller).await?;
        }
        let mut tx = self.store.begin_org(authorized).await?;
        Self::may_manage(&mut tx, caller, user).await??;
        let owners = tx.count_owners().await?;
        tx.remove_member(user).await?;
        tx.void_tickets_made_by(user).await?;
        owner_is_left(&mut tx, owners).await?;
        tx.commit().await?;
        self.verified.clear();
        Ok(())
    }

    /// Whether somebody administers the caller's organization.
    async fn administers(&self, caller: &Caller, user: UserId) -> Result<bool, AppError> {
        let mut tx = door!(self, Mode::Read).await?;
        let roles = tx.list_organizations_of(user).await?;
        let here = roles
            .into_iter()
            .find(|(id, _)| *id == caller.organization());
        Ok(here.is_some_and(|(_, member)| member.role.administers()))
    }

    /// Whether the caller may change this member: only an owner changes an owner.
    pub(super) async fn may_manage(
        tx: &mut OrgTx<MemberManage>,
        caller: &Caller,
        user: UserId,
    ) -> Result<Result<(), AppError>, AppError> {
        let member = tx.get_member(user).await?;
        let member = member.ok_or(AppError::NotFound("member"))?;
        Ok(Self::may_make(tx, caller, member.role).await)
    }

    /// Whether the caller may make somebody that: only an owner makes an owner.
    pub(super) async fn may_make(
        tx: &mut OrgTx<MemberManage>,
        caller: &Caller,
        role: OrganizationRole,
    ) -> Result<(), AppError> {
        if role != OrganizationRole::Owner || caller.kind().is_of_the_installation() {
            return Ok(());
        }
        let own = match person(caller) {
            Some(user) => tx.get_member(user).await?,
            None => None,
        };
        match own {
            Some(own) if own.role == OrganizationRole::Owner => Ok(()),
            _ => Err(AppError::Forbidden(
                "only an owner makes or changes an owner",
            )),
        }
    }
}

/// An organization without an owner could not be put right from inside. Where nobody can log in yet,
/// whoever runs the daemon can.
async fn owner_is_left(tx: &mut OrgTx<MemberManage>, before: u64) -> Result<(), AppError> {
    if before == 0 || tx.count_owners().await? > 0 {
        Ok(())
    } else {
        Err(AppError::Conflict(
            "somebody has to stay owner: make another one first",
        ))
    }
}

/// The human who asks, if it is one.
pub(super) fn person(caller: &Caller) -> Option<UserId> {
    match caller.principal() {
        Principal::User(user) => Some(user),
        Principal::Agent(_) => None,
    }
}
