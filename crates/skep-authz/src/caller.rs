//! A known principal: the second door, and the way through the third.

use skep_domain::{
    OrganizationId, Permission, PermissionSet, Principal, ReadPolicy, Reader, ReadingRing, Role,
    WorkspaceId,
};

use crate::authorized::Authorized;
use crate::presented::{CredentialKey, Presented};
use crate::right::Right;

/// Why somebody may not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// No credential came with the request.
    #[error("no credential")]
    MissingCredential,
    /// The credential is not one of ours, or no longer.
    #[error("invalid credential")]
    InvalidCredential,
    /// The principal is known and lacks the permission.
    #[error("missing permission {}", .0.as_str())]
    MissingPermission(Permission),
}

/// The stored row of a credential and its principal, as a backend read it.
#[derive(Clone, Debug)]
pub struct StoredPrincipal {
    credential: CredentialKey,
    organization: OrganizationId,
    workspace: WorkspaceId,
    principal: Principal,
    role: Role,
    policy: ReadPolicy,
    narrowed_to: Option<PermissionSet>,
}

impl StoredPrincipal {
    /// Wraps what a backend read from its credential table. For backends only: `clippy.toml` bans
    /// the call elsewhere, because whoever can call it can make a principal up.
    #[must_use]
    pub fn from_row(
        credential: CredentialKey,
        tenant: (OrganizationId, WorkspaceId),
        principal: Principal,
        role: Role,
        policy: ReadPolicy,
        narrowed_to: Option<PermissionSet>,
    ) -> Self {
        let (organization, workspace) = tenant;
        Self {
            credential,
            organization,
            workspace,
            principal,
            role,
            policy,
            narrowed_to,
        }
    }
}

/// Who is calling, proved.
#[derive(Clone, Debug)]
pub struct Caller {
    organization: OrganizationId,
    workspace: WorkspaceId,
    principal: Principal,
    permissions: PermissionSet,
    ring: ReadingRing,
}

/// Joins a presented credential to the row that was found for it.
///
/// # Errors
/// [`Denied::InvalidCredential`] when there is no row, or the row is another credential's.
pub fn authenticate(presented: &Presented, row: Option<StoredPrincipal>) -> Result<Caller, Denied> {
    let row = row
        .filter(|row| row.credential == presented.key())
        .ok_or(Denied::InvalidCredential)?;
    let role = row.role.permissions();
    let reader = match row.principal {
        Principal::User(user) => Reader::Human(user),
        Principal::Agent(agent) => Reader::Agent(agent, row.policy),
    };
    Ok(Caller {
        organization: row.organization,
        workspace: row.workspace,
        principal: row.principal,
        permissions: row
            .narrowed_to
            .map_or(role, |narrow| role.narrowed_to(narrow)),
        ring: ReadingRing::new(reader),
    })
}

impl Caller {
    /// Proves one right.
    ///
    /// # Errors
    /// [`Denied::MissingPermission`] names the missing permission, which the caller may know.
    pub fn authorize<P: Right>(&self) -> Result<Authorized<P>, Denied> {
        match P::PERMISSION {
            Some(permission) => {
                self.require(permission)?;
                Ok(Authorized::mint(
                    self.organization,
                    self.workspace,
                    self.principal,
                    self.ring,
                ))
            }
            // Upkeep is nobody's right; asking for it as a caller is refused whoever asks.
            None => Err(Denied::InvalidCredential),
        }
    }

    /// Checks a permission without opening anything, for a gate in front of a handler.
    ///
    /// # Errors
    /// [`Denied::MissingPermission`].
    pub fn require(&self, permission: Permission) -> Result<(), Denied> {
        if self.permissions.contains(permission) {
            Ok(())
        } else {
            Err(Denied::MissingPermission(permission))
        }
    }

    /// The tenant.
    #[must_use]
    pub fn organization(&self) -> OrganizationId {
        self.organization
    }

    /// The partition.
    #[must_use]
    pub fn workspace(&self) -> WorkspaceId {
        self.workspace
    }

    /// Who acts.
    #[must_use]
    pub fn principal(&self) -> Principal {
        self.principal
    }
}
