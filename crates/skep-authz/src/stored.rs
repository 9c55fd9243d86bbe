//! A credential's row, together with the standing of everybody it depends on.

use skep_crypto::{PasswordHash, Sealed};
use skep_domain::{
    CredentialId, CredentialKind, OrganizationId, OrganizationRole, PermissionSet, Principal,
    ReadPolicy, Role, Standing, Timestamp, WorkspaceId,
};

use crate::presented::CredentialKey;

/// What a backend read, in one look, of a credential and of whom it proves.
#[derive(Clone, Debug)]
pub struct CredentialFacts {
    /// The row.
    pub id: CredentialId,
    /// Its kind.
    pub kind: CredentialKind,
    /// What the secret is held against.
    pub proof: Proof,
    /// The tenant.
    pub organization: OrganizationId,
    /// The partition.
    pub workspace: WorkspaceId,
    /// Whom it proves.
    pub principal: Principal,
    /// What gives the principal a role.
    pub role: RoleSource,
    /// Reading what, for agents.
    pub policy: ReadPolicy,
    /// Of the organization, and of whoever is proved.
    pub standing: [Standing; 2],
    /// Permissions that the role is narrowed to.
    pub narrowed_to: Option<PermissionSet>,
    /// When it ends, for whatever reason that is known beforehand.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// When a second factor was last shown.
    pub stepped_up_at: Option<Timestamp>,
    /// When it was last used, as far as that was noted.
    pub used_at: Option<Timestamp>,
    /// Whether it came of the word of an issuer that one organization trusts.
    pub confined: bool,
    /// Whether the organization asks for a second factor, and the human has none.
    pub owes_factor: bool,
    /// Label and bindings, sealed.
    pub body: Option<Sealed>,
}

/// What a presented secret is held against.
#[derive(Clone, Debug)]
pub enum Proof {
    /// The row was found by what was presented, or by a signed token.
    Found,
    /// HMAC-SHA-256 under the pepper of this number.
    Peppered(u32, [u8; 32]),
    /// Argon2id.
    Stretched(PasswordHash),
}

/// Where a principal's role comes from.
#[derive(Clone, Copy, Debug)]
pub enum RoleSource {
    /// The row itself: the socket's owner and install tokens.
    Fixed(Role),
    /// Membership: none in the organization, or in it with or without a role in the workspace.
    Membership(Option<(OrganizationRole, Option<Role>)>),
    /// It is an agent or a runner of the workspace.
    Agent,
}

/// The stored row of a credential, as a backend read it.
#[derive(Clone, Debug)]
pub struct StoredCredential {
    pub(crate) key: CredentialKey,
    pub(crate) facts: CredentialFacts,
}

impl StoredCredential {
    /// Wraps what a backend read from its credential table. For backends only: `clippy.toml` bans
    /// the call elsewhere, because whoever can call it can make a principal up.
    #[must_use]
    pub fn from_row(key: CredentialKey, facts: CredentialFacts) -> Self {
        Self { key, facts }
    }

    /// Label and bindings, which the store opens.
    #[must_use]
    pub fn body(&self) -> Option<&Sealed> {
        self.facts.body.as_ref()
    }

    /// The row's id.
    #[must_use]
    pub fn id(&self) -> CredentialId {
        self.facts.id
    }

    /// Whose organization it is.
    #[must_use]
    pub fn organization(&self) -> OrganizationId {
        self.facts.organization
    }
}

impl RoleSource {
    pub(crate) fn role(self) -> Option<Role> {
        match self {
            Self::Fixed(role) => Some(role),
            Self::Membership(membership) => {
                membership.and_then(|(organization, role)| organization.in_workspace(role))
            }
            Self::Agent => Some(Role::Agent),
        }
    }
}
