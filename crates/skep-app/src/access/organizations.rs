//! Organizations and their workspaces.

use skep_authz::rights::{OrgManage, SettingRead, WorkspaceManage};
use skep_authz::{Authorized, Caller};
use skep_domain::{OrganizationId, OrganizationRole, Principal, Standing, Timestamp, WorkspaceId};
use skep_store::row::SECOND_FACTOR;
use skep_store::{Mode, NewWorkspace, Organization, StoreError, UserBody};

use super::agents::parse_name;
use super::door;
use crate::{App, AppError};

/// An organization, and what the caller is there.
#[derive(Clone, Debug)]
pub struct OrganizationView {
    /// The organization.
    pub organization: Organization,
    /// What the caller is there; `None` for a credential of the installation's own.
    pub role: Option<OrganizationRole>,
}

/// A workspace of the caller's organization.
#[derive(Clone, Debug)]
pub struct WorkspaceView {
    /// Its id.
    pub id: WorkspaceId,
    /// Its name.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
}

impl App {
    /// Sees to it that whoever runs the daemon is a user and an owner of their organization, so that
    /// what they make for themselves proves somebody.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn ensure_owner(&self, own: &Caller) -> Result<(), AppError> {
        own.require_installation()?;
        let Principal::User(user) = own.principal() else {
            return Ok(());
        };
        let mut tx = door!(self, Mode::Write).await?;
        if tx.get_user(user).await?.is_none() {
            let body = UserBody {
                name: "owner".into(),
                ..UserBody::default()
            };
            tx.put_user(user, &body).await?;
        }
        let organization = own.organization();
        let known = tx.list_organizations_of(user).await?;
        if known.iter().all(|(id, _)| *id != organization) {
            tx.put_member(organization, user, OrganizationRole::Owner)
                .await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// The organizations that the caller belongs to: for a credential of a human all of theirs, for
    /// every other one, and for whoever an issuer let in, its own.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn list_organizations(
        &self,
        caller: &Caller,
    ) -> Result<Vec<OrganizationView>, AppError> {
        if caller.is_vouched() {
            return Ok(Vec::new());
        }
        let mut tx = door!(self, Mode::Read).await?;
        let mut roles: Vec<(OrganizationId, Option<OrganizationRole>)> = Vec::new();
        if let Principal::User(user) = caller.principal() {
            let mut found = tx.list_organizations_of(user).await?;
            // A key and what came of one issuer's word know of their own organization alone.
            let everywhere = caller.kind().is_in_person() && !caller.is_confined();
            found.retain(|(id, _)| everywhere || *id == caller.organization());
            roles.extend(
                found
                    .into_iter()
                    .map(|(id, member)| (id, Some(member.role))),
            );
        }
        if roles.iter().all(|(id, _)| *id != caller.organization()) {
            roles.push((caller.organization(), None));
        }
        let mut views = Vec::with_capacity(roles.len());
        for (id, role) in roles {
            if let Some(organization) = tx.get_organization(id).await? {
                views.push(OrganizationView { organization, role });
            }
        }
        Ok(views)
    }

    /// Gives the organization a name, or another.
    ///
    /// # Errors
    /// [`AppError::Conflict`] for a name that is taken.
    pub async fn name_organization(
        &self,
        authorized: Authorized<OrgManage>,
        name: &str,
    ) -> Result<Organization, AppError> {
        let name = parse_name("name", name)?;
        let mut tx = self.store.begin_org(authorized).await?;
        match tx.name_organization(&name).await {
            Err(StoreError::Conflict(_)) => {
                return Err(AppError::Conflict(
                    "an organization has this name, or one that looks like it",
                ));
            }
            outcome => outcome?,
        }
        let organization = tx.get_organization().await?;
        tx.commit().await?;
        organization.ok_or(AppError::NotFound("organization"))
    }

    /// Whether the organization asks everybody for a second factor, and how many have none.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn factor_rule(
        &self,
        authorized: Authorized<OrgManage>,
    ) -> Result<(bool, u32), AppError> {
        let mut tx = self.store.begin_org(authorized).await?;
        let required = tx.get_setting(SECOND_FACTOR).await?.is_some();
        Ok((required, tx.count_without_factor().await?))
    }

    /// Asks every member for a second factor, or no longer. It counts from the next request on.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn set_factor_rule(
        &self,
        authorized: Authorized<OrgManage>,
        required: bool,
    ) -> Result<(bool, u32), AppError> {
        let mut tx = self.store.begin_org(authorized).await?;
        let value = required.then_some(&b"required"[..]);
        tx.put_setting(SECOND_FACTOR, value).await?;
        let without = tx.count_without_factor().await?;
        tx.commit().await?;
        Ok((required, without))
    }

    /// Suspends an organization, or lets it act again. For whoever runs the installation.
    ///
    /// # Errors
    /// [`AppError::Denied`] for anybody else, [`AppError::NotFound`].
    pub async fn set_organization_standing(
        &self,
        caller: &Caller,
        name: &str,
        standing: Standing,
    ) -> Result<Organization, AppError> {
        caller.require_installation()?;
        let name = parse_name("organization", name)?;
        let mut tx = door!(self, Mode::Write).await?;
        let found = tx.get_organization_named(&name).await?;
        let mut found = found.ok_or(AppError::NotFound("organization"))?;
        tx.set_organization_standing(found.id, standing).await?;
        tx.commit().await?;
        found.standing = standing;
        Ok(found)
    }

    /// The workspaces of the caller's organization.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn list_workspaces(
        &self,
        authorized: Authorized<SettingRead>,
    ) -> Result<Vec<WorkspaceView>, AppError> {
        let found = self.store.list_workspaces(authorized).await?;
        let views = found
            .into_iter()
            .map(|(id, name, created_at)| WorkspaceView {
                id,
                name,
                created_at,
            });
        Ok(views.collect())
    }

    /// Makes a workspace in the caller's organization.
    ///
    /// # Errors
    /// [`AppError::Conflict`] for a name that is taken.
    pub async fn create_workspace(
        &self,
        authorized: Authorized<WorkspaceManage>,
        name: &str,
    ) -> Result<WorkspaceView, AppError> {
        let name = parse_name("name", name)?;
        let workspace: WorkspaceId = self.store.mint();
        let new = NewWorkspace {
            organization: authorized.organization(),
            workspace,
            name: name.as_str().to_owned(),
            credentials: Vec::new(),
        };
        match self.store.put_workspace(new).await {
            Err(StoreError::Conflict(_)) => Err(AppError::Conflict(
                "a workspace has this name, or one that looks like it",
            )),
            outcome => {
                outcome?;
                Ok(WorkspaceView {
                    id: workspace,
                    name: name.as_str().to_owned(),
                    created_at: self.store.now(),
                })
            }
        }
    }
}
