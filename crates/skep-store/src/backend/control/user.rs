//! Humans and their memberships.

use async_trait::async_trait;
use skep_crypto::Sealed;
use skep_domain::{
    OrganizationId, OrganizationRole, Role, Standing, Timestamp, UserId, WorkspaceId,
};

use crate::StoreError;
use crate::row::{Fingerprint, OrganizationMemberRow, UserRow};

/// Humans and their memberships.
#[async_trait]
pub trait UserRows {
    /// Keeps a human; a mail address that is taken is [`StoreError::Conflict`].
    async fn put_user(&mut self, row: UserRow) -> Result<(), StoreError>;
    /// One human.
    async fn user(&mut self, id: UserId) -> Result<Option<UserRow>, StoreError>;
    /// The human of a mail address, or somebody else when nobody has it, by one and the same way; absent
    /// when nobody has an address.
    async fn nearest_user(
        &mut self,
        fingerprint: Fingerprint,
    ) -> Result<Option<UserRow>, StoreError>;
    /// Whether there is anybody who could log in.
    async fn has_users(&mut self) -> Result<bool, StoreError>;
    /// Puts another body in exactly this version of a human; `false` when it is of another.
    async fn update_user(
        &mut self,
        id: UserId,
        version: u64,
        fingerprint: Option<Fingerprint>,
        body: Sealed,
    ) -> Result<bool, StoreError>;

    /// Makes somebody a member, or changes as what.
    async fn put_member(
        &mut self,
        organization: OrganizationId,
        row: OrganizationMemberRow,
    ) -> Result<(), StoreError>;
    /// One member.
    async fn member(
        &mut self,
        organization: OrganizationId,
        user: UserId,
    ) -> Result<Option<OrganizationMemberRow>, StoreError>;
    /// The members of an organization, oldest first, after one.
    async fn members_of(
        &mut self,
        organization: OrganizationId,
        after: Option<UserId>,
        limit: u32,
    ) -> Result<Vec<OrganizationMemberRow>, StoreError>;
    /// The organizations of a human, with their standing there.
    async fn organizations_of(
        &mut self,
        user: UserId,
    ) -> Result<Vec<(OrganizationId, OrganizationMemberRow)>, StoreError>;
    /// How many owners an organization has who may act and can log in, by an address of their own or
    /// by its issuer.
    async fn count_owners(&mut self, organization: OrganizationId) -> Result<u64, StoreError>;
    /// Sets whether a member may act there; `false` when there is none.
    async fn set_member_standing(
        &mut self,
        organization: OrganizationId,
        user: UserId,
        standing: Standing,
    ) -> Result<bool, StoreError>;
    /// Ends a membership, and those of the workspaces; `false` when there was none.
    async fn remove_member(
        &mut self,
        organization: OrganizationId,
        user: UserId,
    ) -> Result<bool, StoreError>;

    /// Gives a member a role in a workspace, or takes it away.
    async fn set_workspace_role(
        &mut self,
        tenant: (OrganizationId, WorkspaceId),
        user: UserId,
        role: Option<Role>,
        at: Timestamp,
    ) -> Result<(), StoreError>;
    /// The roles of a member in the organization's workspaces.
    async fn workspace_roles(
        &mut self,
        organization: OrganizationId,
        user: UserId,
    ) -> Result<Vec<(WorkspaceId, Role)>, StoreError>;
    /// What a human is to an organization.
    async fn organization_role(
        &mut self,
        organization: OrganizationId,
        user: UserId,
    ) -> Result<Option<OrganizationRole>, StoreError>;
}
