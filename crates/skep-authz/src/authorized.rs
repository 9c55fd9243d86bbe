//! The proof that a caller may do one thing, once.

use std::marker::PhantomData;

use skep_domain::{AgentId, OrganizationId, Principal, Reader, ReadingRing, WorkspaceId};

use crate::right::Right;

/// A caller holds right `P` in one workspace. Consumed by the transaction it opens.
///
/// Not `Clone`, not `Copy`, not serializable, and without a public constructor: the only ways to
/// one are [`crate::Caller::authorize`] and, for the daemon itself, [`crate::upkeep`] and
/// [`crate::survey`].
#[must_use = "an authorization that opens nothing is a decision thrown away"]
#[derive(Debug)]
pub struct Authorized<P: Right> {
    organization: OrganizationId,
    workspace: WorkspaceId,
    principal: Option<Principal>,
    ring: ReadingRing,
    right: PhantomData<fn() -> P>,
}

impl<P: Right> Authorized<P> {
    pub(crate) fn mint(
        organization: OrganizationId,
        workspace: WorkspaceId,
        principal: Principal,
        ring: ReadingRing,
    ) -> Self {
        Self {
            organization,
            workspace,
            principal: Some(principal),
            ring,
            right: PhantomData,
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

    /// Who acts; `None` for upkeep, which acts for nobody.
    #[must_use]
    pub fn principal(&self) -> Option<Principal> {
        self.principal
    }

    /// The agent behind the credential, if it is bound to one.
    #[must_use]
    pub fn agent(&self) -> Option<AgentId> {
        match self.principal() {
            Some(Principal::Agent(agent)) => Some(agent),
            Some(Principal::User(_)) | None => None,
        }
    }

    /// What the caller may read; nothing at all for upkeep, which serves nobody.
    #[must_use]
    pub fn ring(&self) -> ReadingRing {
        self.ring
    }

    pub(crate) fn upkeep(organization: OrganizationId, workspace: WorkspaceId) -> Self {
        let ring = ReadingRing::new(Reader::Nobody);
        Self {
            organization,
            workspace,
            principal: None,
            ring,
            right: PhantomData,
        }
    }
}
