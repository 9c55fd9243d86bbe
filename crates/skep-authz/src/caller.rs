//! A known principal, and the way through the third door.

use std::sync::Arc;

use skep_domain::{
    Bindings, CredentialId, CredentialKind, OrganizationId, Permission, PermissionSet, Principal,
    ReadingRing, Role, Timestamp, WorkspaceId,
};

use crate::authorized::Authorized;
use crate::right::Right;
use crate::stored::CredentialFacts;
use crate::vouched::{Vouched, VouchedTag};

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
    /// The route is for whoever runs the daemon.
    #[error("not the installation's own credential")]
    NotTheInstallation,
    /// It is for a human who logged in.
    #[error("this is for a human who logged in")]
    NotInPerson,
    /// The organization is suspended.
    #[error("the organization is suspended")]
    OrganizationSuspended,
    /// The agent is suspended.
    #[error("the agent is suspended")]
    AgentSuspended,
    /// A second factor has to be shown again first.
    #[error("a second factor is needed")]
    StepUpRequired,
    /// The organization asks for a second factor, and this human has none yet.
    #[error("the organization asks for a second factor")]
    FactorOwed,
    /// The request names another organization or workspace than the credential.
    #[error("the credential is of another organization or workspace")]
    OrganizationMismatch,
    /// Another daemon vouches for the caller, and keeps what is theirs.
    #[error("what is the caller's is kept by another daemon")]
    KeptElsewhere,
}

/// Minutes for which a second factor counts.
const STEP_UP_MINUTES: i64 = 5;

/// Who is calling, proved.
#[derive(Clone, Debug)]
pub struct Caller {
    organization: OrganizationId,
    workspace: WorkspaceId,
    principal: Principal,
    credential: CredentialId,
    kind: CredentialKind,
    role: Role,
    permissions: PermissionSet,
    ring: ReadingRing,
    bindings: Arc<Bindings>,
    stepped_up_at: Option<Timestamp>,
    expires_at: Option<Timestamp>,
    used_at: Option<Timestamp>,
    confined: bool,
    owes_factor: bool,
    /// Tags of ids, when another daemon vouches for them.
    vouched: Option<Arc<[VouchedTag]>>,
}

impl Caller {
    pub(crate) fn new(
        facts: &CredentialFacts,
        role: Role,
        permissions: PermissionSet,
        ring: ReadingRing,
        bindings: Arc<Bindings>,
    ) -> Self {
        Self {
            organization: facts.organization,
            workspace: facts.workspace,
            principal: facts.principal,
            credential: facts.id,
            kind: facts.kind,
            role,
            permissions,
            ring,
            bindings,
            stepped_up_at: facts.stepped_up_at,
            expires_at: facts.expires_at,
            used_at: facts.used_at,
            confined: facts.confined,
            owes_factor: facts.owes_factor && !facts.kind.is_of_the_installation(),
            vouched: None,
        }
    }

    pub(crate) fn elsewhere(facts: Vouched, ring: ReadingRing) -> Self {
        Self {
            organization: facts.organization,
            workspace: facts.workspace,
            principal: facts.principal,
            credential: facts.credential,
            kind: facts.kind,
            role: facts.role,
            permissions: facts.permissions,
            ring,
            bindings: facts.bindings,
            stepped_up_at: None,
            expires_at: facts.expires_at,
            used_at: None,
            // What is elsewhere is nobody's here: no other organization, no way in without a factor.
            confined: true,
            owes_factor: false,
            vouched: Some(facts.tags.into()),
        }
    }

    /// Proves one right.
    ///
    /// # Errors
    /// [`Denied::MissingPermission`] names the missing permission, which the caller may know;
    /// [`Denied::KeptElsewhere`] for one that another daemon vouches for.
    pub fn authorize<P: Right>(&self) -> Result<Authorized<P>, Denied> {
        match P::PERMISSION {
            Some(permission) => {
                self.require(permission)?;
                if self.is_vouched() {
                    return Err(Denied::KeptElsewhere);
                }
                Ok(Authorized::mint(self))
            }
            // Upkeep is nobody's right; asking for it as a caller is refused whoever asks.
            None => Err(Denied::InvalidCredential),
        }
    }

    /// Checks a permission without opening anything, for a gate in front of a handler.
    ///
    /// # Errors
    /// [`Denied::MissingPermission`], [`Denied::FactorOwed`].
    pub fn require(&self, permission: Permission) -> Result<(), Denied> {
        self.require_factor()?;
        if self.permissions.contains(permission) {
            Ok(())
        } else {
            Err(Denied::MissingPermission(permission))
        }
    }

    /// Checks that they have a second factor, where their organization asks for one. Without it they
    /// may enrol one, and nothing else.
    ///
    /// # Errors
    /// [`Denied::FactorOwed`].
    pub fn require_factor(&self) -> Result<(), Denied> {
        if self.owes_factor {
            Err(Denied::FactorOwed)
        } else {
            Ok(())
        }
    }

    /// Checks that this is a human who logged in, or whoever runs the daemon.
    ///
    /// # Errors
    /// [`Denied::NotInPerson`].
    pub fn require_in_person(&self) -> Result<(), Denied> {
        if self.kind().is_in_person() {
            Ok(())
        } else {
            Err(Denied::NotInPerson)
        }
    }

    /// Checks that this is whoever runs the daemon.
    ///
    /// # Errors
    /// [`Denied::NotTheInstallation`].
    pub fn require_installation(&self) -> Result<(), Denied> {
        if self.kind.is_of_the_installation() && self.role == Role::Admin {
            Ok(())
        } else {
            Err(Denied::NotTheInstallation)
        }
    }

    /// Checks that a second factor was shown lately. Whoever runs the daemon is asked for none:
    /// they can read its memory.
    ///
    /// # Errors
    /// [`Denied::StepUpRequired`].
    pub fn require_step_up(&self, now: Timestamp) -> Result<(), Denied> {
        let since = now.as_micros() - STEP_UP_MINUTES * 60_000_000;
        let lately = self
            .stepped_up_at
            .is_some_and(|at| at.as_micros() >= since && at <= now);
        if lately || self.kind.is_of_the_installation() {
            Ok(())
        } else {
            Err(Denied::StepUpRequired)
        }
    }

    /// Whether another daemon vouches for them.
    #[must_use]
    pub fn is_vouched(&self) -> bool {
        self.vouched.is_some()
    }

    /// The tags of ids that another daemon gave with its word; `None` for a caller of our own.
    #[must_use]
    pub fn vouched_tags(&self) -> Option<&[VouchedTag]> {
        self.vouched.as_deref()
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

    /// The credential that proved them.
    #[must_use]
    pub fn credential(&self) -> CredentialId {
        self.credential
    }

    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> CredentialKind {
        self.kind
    }

    /// The role in this workspace.
    #[must_use]
    pub fn role(&self) -> Role {
        self.role
    }

    /// What they may do: the role, as far as the credential was not narrowed.
    #[must_use]
    pub fn permissions(&self) -> PermissionSet {
        self.permissions
    }

    /// What the credential is narrowed to.
    #[must_use]
    pub fn bindings(&self) -> &Arc<Bindings> {
        &self.bindings
    }

    /// What they may read.
    #[must_use]
    pub fn ring(&self) -> ReadingRing {
        self.ring
    }

    /// Whether an issuer that one organization trusts let them in: they are nobody in any other.
    #[must_use]
    pub fn is_confined(&self) -> bool {
        self.confined
    }

    /// When the credential ends.
    #[must_use]
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.expires_at
    }

    /// When the credential was last used, as far as that was noted.
    #[must_use]
    pub fn used_at(&self) -> Option<Timestamp> {
        self.used_at
    }
}
