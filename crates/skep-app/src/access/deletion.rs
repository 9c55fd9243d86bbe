//! Deleting a workspace.

use skep_authz::rights::WorkspaceManage;
use skep_authz::{Authorized, Caller, Denied};
use skep_domain::{CredentialKind, JobId, Permission, Principal, WorkspaceId};
use skep_store::{CredentialFilter, Mode, PageOf, StoreError};

use super::door;
use crate::{App, AppError};

/// What stands in the way of deleting the workspace that whoever runs the daemon comes in by.
const OWN_WAY_IN: &str = "whoever runs the daemon comes in by this workspace: to delete all that it has, stop \
                          the daemon and remove its data";

impl App {
    /// Deletes a workspace of the caller's organization: their own, or one that they administer. From
    /// here on it is found nowhere; the job erases what is left, and is its receipt.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; [`AppError::Denied`] for one that they do not administer;
    /// [`AppError::Conflict`] for the one that the daemon's own credentials are of;
    /// [`AppError::Overloaded`].
    pub async fn delete_workspace(
        &self,
        caller: &Caller,
        authorized: Authorized<WorkspaceManage>,
        id: WorkspaceId,
    ) -> Result<JobId, AppError> {
        self.check_deletion(caller, id).await?;
        let tenant = (caller.organization(), id);
        let job = match self.store.retire_workspace(authorized, id).await {
            Err(StoreError::Conflict(_)) => Err(AppError::Overloaded("jobs of this organization")),
            outcome => Ok(outcome?.ok_or(AppError::NotFound("workspace"))?),
        }?;
        self.drop_workspace(tenant);
        self.jobs.ring();
        Ok(job)
    }

    async fn check_deletion(&self, caller: &Caller, id: WorkspaceId) -> Result<(), AppError> {
        const DENIED: Denied = Denied::MissingPermission(Permission::WorkspaceManage);
        let organization = caller.organization();
        let mut tx = door!(self, Mode::Read).await?;
        let there = tx.list_workspaces_of(organization).await?;
        if there.iter().all(|workspace| workspace.id != id) {
            return Err(AppError::NotFound("workspace"));
        }
        // The right that was proved is one in the caller's own workspace.
        if id != caller.workspace() {
            let Principal::User(user) = caller.principal() else {
                return Err(DENIED.into());
            };
            let role = tx.role_in((organization, id), user).await?;
            let may = role.is_some_and(|role| {
                let permissions = role.permissions();
                permissions.contains(Permission::WorkspaceManage)
            });
            if !caller.kind().is_in_person() || !may {
                return Err(DENIED.into());
            }
        }
        let own = CredentialFilter {
            kinds: vec![CredentialKind::SocketOwner, CredentialKind::InstallToken],
            principal: None,
            workspace: Some(id),
        };
        let one = PageOf {
            limit: 1,
            before: None,
        };
        if tx.has_credentials(organization, &own, one).await? {
            return Err(AppError::Conflict(OWN_WAY_IN));
        }
        Ok(())
    }
}
