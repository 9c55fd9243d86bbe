//! The keys that only this crate can make: what a backend method may touch.

use skep_authz::{Authorized, Right};
use skep_domain::{OrganizationId, WorkspaceId};

/// One workspace of one organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ScopeKey {
    organization: OrganizationId,
    workspace: WorkspaceId,
}

/// The control data of the installation; no workspace's content.
#[derive(Debug)]
pub struct ControlKey(());

impl ScopeKey {
    pub(crate) fn of<P: Right>(authorized: &Authorized<P>) -> Self {
        Self {
            organization: authorized.organization(),
            workspace: authorized.workspace(),
        }
    }

    pub(crate) fn provision(organization: OrganizationId, workspace: WorkspaceId) -> Self {
        Self {
            organization,
            workspace,
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
}

impl ControlKey {
    pub(crate) const fn new() -> Self {
        Self(())
    }
}
