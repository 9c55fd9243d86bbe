//! The proof that a caller may do one thing, once.

use std::marker::PhantomData;
use std::sync::Arc;

use skep_domain::{
    AgentId, Bindings, CredentialId, OrganizationId, Principal, Reader, ReadingRing, WorkspaceId,
};

use crate::caller::Caller;
use crate::right::Right;
use crate::right::rights::{SecretList, SecretUse};

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
    credential: Option<CredentialId>,
    ring: ReadingRing,
    bindings: Arc<Bindings>,
    right: PhantomData<fn() -> P>,
}

impl Authorized<SecretUse> {
    /// The right to be told what may be used, which goes with the right to use it. It opens what reads
    /// and nothing else, so looking something up again does not use this one up.
    pub fn to_look(&self) -> Authorized<SecretList> {
        Authorized {
            organization: self.organization,
            workspace: self.workspace,
            principal: self.principal,
            credential: self.credential,
            ring: self.ring,
            bindings: Arc::clone(&self.bindings),
            right: PhantomData,
        }
    }
}

impl<P: Right> Authorized<P> {
    pub(crate) fn mint(caller: &Caller) -> Self {
        Self {
            organization: caller.organization(),
            workspace: caller.workspace(),
            principal: Some(caller.principal()),
            credential: Some(caller.credential()),
            ring: caller.ring(),
            bindings: Arc::clone(caller.bindings()),
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

    /// The credential behind the right; `None` for upkeep.
    #[must_use]
    pub fn credential(&self) -> Option<CredentialId> {
        self.credential
    }

    /// What the credential is narrowed to beside its permissions.
    #[must_use]
    pub fn bindings(&self) -> &Bindings {
        &self.bindings
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
            credential: None,
            ring,
            bindings: Arc::default(),
            right: PhantomData,
        }
    }
}
