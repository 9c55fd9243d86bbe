//! The proof that a caller may do one thing, once.

use std::marker::PhantomData;

use skep_domain::{AgentId, OrganizationId, Principal, ReadingRing, WorkspaceId};

use crate::right::{Maintain, Right};

/// A caller holds right `P` in one workspace. Consumed by the transaction it opens.
///
/// Not `Clone`, not `Copy`, not serializable, and without a public constructor: the only ways to
/// one are [`crate::Caller::authorize`] and [`crate::upkeep`].
#[must_use = "an authorization that opens nothing is a decision thrown away"]
#[derive(Debug)]
pub struct Authorized<P: Right> {
    organization: OrganizationId,
    workspace: WorkspaceId,
    reader: Option<(Principal, ReadingRing)>,
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
            reader: Some((principal, ring)),
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
        self.reader.map(|(principal, _)| principal)
    }

    /// The agent behind the credential, if it is bound to one.
    #[must_use]
    pub fn agent(&self) -> Option<AgentId> {
        match self.principal() {
            Some(Principal::Agent(agent)) => Some(agent),
            Some(Principal::User(_)) | None => None,
        }
    }

    /// What the caller may read; `None` for upkeep, which reads rows but serves nobody.
    #[must_use]
    pub fn ring(&self) -> Option<ReadingRing> {
        self.reader.map(|(_, ring)| ring)
    }
}

impl Authorized<Maintain> {
    pub(crate) fn upkeep(organization: OrganizationId, workspace: WorkspaceId) -> Self {
        Self {
            organization,
            workspace,
            reader: None,
            right: PhantomData,
        }
    }
}
