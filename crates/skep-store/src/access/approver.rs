//! Whether there is somebody else to ask.

use skep_authz::rights::SecretApprove;
use skep_domain::{Permission, Standing, UserId};

use super::OrgTx;
use crate::StoreError;

/// Members that are read at a time.
const PAGE: u32 = 200;

impl OrgTx<SecretApprove> {
    /// Whether another human may approve what secrets are used for in this workspace, and can log in to do
    /// so.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn has_other_approver(&mut self, than: UserId) -> Result<bool, StoreError> {
        let (organization, workspace) = self.tenant();
        let mut after = None;
        loop {
            let rows = &mut self.door.rows;
            let members = rows.members_of(organization, after, PAGE).await?;
            after = members.last().map(|last| last.user);
            for member in &members {
                if member.user == than || member.standing != Standing::Active {
                    continue;
                }
                let roles = self.door.rows.workspace_roles(organization, member.user);
                let roles = roles.await?;
                let own = roles.into_iter().find(|(id, _)| *id == workspace);
                let role = member.role.in_workspace(own.map(|(_, role)| role));
                let may = |role: skep_domain::Role| {
                    role.permissions().contains(Permission::SecretApprove)
                };
                if !role.is_some_and(may) {
                    continue;
                }
                let user = self.door.get_user(member.user).await?;
                let comes_in = user.is_some_and(|user| {
                    let known = user.body.address.is_some() || user.body.vouched.is_some();
                    known && user.standing == Standing::Active
                });
                if comes_in {
                    return Ok(true);
                }
            }
            if members.len() < PAGE as usize {
                return Ok(false);
            }
        }
    }
}
