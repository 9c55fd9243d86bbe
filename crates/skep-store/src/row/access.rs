//! Rows of the installation's own tables: who may enter, and what was decided.

use skep_crypto::Sealed;
use skep_domain::{
    AgentId, AuditId, CredentialId, CredentialKind, OrganizationId, OrganizationRole,
    PermissionSet, PolicyGroupId, Principal, ReadPolicy, Standing, Timestamp, UserId, WorkspaceId,
};

use skep_ledger::Hash;

use crate::row::Fingerprint;

/// What a credential's secret is held against, as it is kept.
#[derive(Clone, Debug)]
pub enum ProofRow {
    /// HMAC-SHA-256 under the pepper of this number.
    Peppered(u32, [u8; 32]),
    /// An Argon2id hash in PHC form.
    Stretched(String),
}

/// A credential to keep. Its id is what it is found by.
#[derive(Clone, Debug)]
pub struct NewCredentialRow {
    /// Its id.
    pub id: CredentialId,
    /// Its kind.
    pub kind: CredentialKind,
    /// What the secret is held against.
    pub proof: ProofRow,
    /// The tenant.
    pub organization: OrganizationId,
    /// The partition.
    pub workspace: WorkspaceId,
    /// Whom it proves.
    pub principal: Principal,
    /// Permissions that the role is narrowed to.
    pub permissions: Option<PermissionSet>,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: Option<UserId>,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
    /// When it ends unless it is used.
    pub idle_at: Option<Timestamp>,
    /// When a second factor was shown.
    pub stepped_up_at: Option<Timestamp>,
    /// Whether it came of the word of an issuer that one organization trusts.
    pub confined: bool,
    /// Label, bindings, client.
    pub body: Sealed,
}

/// What a pepper guards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PepperUse {
    /// Its number.
    pub number: u32,
    /// Credentials made under it that count.
    pub credentials: u64,
    /// When the last of them ends; `None` if one has no end.
    pub until: Option<Timestamp>,
}

/// The setting of an organization that asks all of its humans for a second factor. It is the one that
/// a backend looks for by name, with each check of a credential; what it holds says nothing.
pub const SECOND_FACTOR: &str = "second_factor";

/// A credential as it is listed.
#[derive(Clone, Debug)]
pub struct CredentialSummaryRow {
    /// Its id.
    pub id: CredentialId,
    /// Its kind.
    pub kind: CredentialKind,
    /// The partition.
    pub workspace: WorkspaceId,
    /// Whom it proves.
    pub principal: Principal,
    /// Permissions that the role is narrowed to.
    pub permissions: Option<PermissionSet>,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: Option<UserId>,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, as far as that was noted.
    pub used_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// Label, bindings, client.
    pub body: Option<Sealed>,
}

/// What came of putting a new proof in the place of a credential's old one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rotated {
    /// It is in place.
    Done,
    /// The old proof is not the present one: it was rotated before.
    Stale,
    /// There is no such credential, or no longer.
    Gone,
}

/// An organization.
#[derive(Clone, Debug)]
pub struct OrganizationRow {
    /// Its id.
    pub id: OrganizationId,
    /// Of its name's skeleton: unique in the installation.
    pub fingerprint: Option<Fingerprint>,
    /// Its name; none for one that was made before names were.
    pub name: Option<Sealed>,
    /// Whether it may act.
    pub standing: Standing,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A workspace as it is listed: its name is sealed under its own key.
#[derive(Clone, Debug)]
pub struct WorkspaceSummaryRow {
    /// Its id.
    pub id: WorkspaceId,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A human, whatever organizations they are in.
#[derive(Clone, Debug)]
pub struct UserRow {
    /// Their id.
    pub id: UserId,
    /// Of the normalised mail address: unique in the installation.
    pub fingerprint: Option<Fingerprint>,
    /// Whether they may act.
    pub standing: Standing,
    /// Raised by every change.
    pub version: u64,
    /// What is known of them.
    pub body: Option<Sealed>,
    /// When they came.
    pub created_at: Timestamp,
}

/// A human in an organization.
#[derive(Clone, Debug)]
pub struct OrganizationMemberRow {
    /// Who.
    pub user: UserId,
    /// As what.
    pub role: OrganizationRole,
    /// Whether they may act there.
    pub standing: Standing,
    /// Since when.
    pub created_at: Timestamp,
}

/// An agent of a workspace.
#[derive(Clone, Debug)]
pub struct AgentRow {
    /// Its id.
    pub id: AgentId,
    /// Of its name's skeleton: unique in the workspace.
    pub fingerprint: Fingerprint,
    /// Its name.
    pub name: Sealed,
    /// What it reads beside its own.
    pub policy: ReadPolicy,
    /// Whether it may act.
    pub standing: Standing,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A group of agents that read each other's shared memories.
#[derive(Clone, Debug)]
pub struct PolicyGroupRow {
    /// Its id.
    pub id: PolicyGroupId,
    /// Of its name's skeleton: unique in the workspace.
    pub fingerprint: Fingerprint,
    /// Its name.
    pub name: Sealed,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What a ticket lets its holder do. The number is stored and never changes its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TicketKind {
    /// Make the first administrator.
    Setup = 0,
    /// Join an organization.
    Invite = 1,
    /// Choose a new password.
    Reset = 2,
    /// A device waits to be approved.
    Device = 3,
    /// An authorization code waits to be redeemed.
    Code = 4,
    /// A password was right; a second factor is owed.
    PendingLogin = 5,
    /// A passkey ceremony has begun.
    PasskeyCeremony = 6,
    /// A login at another issuer has begun.
    SingleSignOn = 7,
    /// An access token that was revoked before its end.
    RevokedToken = 8,
    /// A proof of possession that was used.
    UsedProof = 9,
    /// An authorization request waits for its user to decide.
    Authorization = 10,
    /// A mail address waits to be confirmed.
    ConfirmAddress = 11,
}

/// A ticket to keep.
#[derive(Clone, Debug)]
pub struct TicketRow {
    /// What for.
    pub kind: TicketKind,
    /// Of the secret; unique for its kind.
    pub digest: [u8; 32],
    /// Of a second secret for the same ticket.
    pub second: Option<[u8; 32]>,
    /// Whose it is, if it is somebody's.
    pub organization: Option<OrganizationId>,
    /// Whose account it is about; it goes when what proves them does.
    pub user: Option<UserId>,
    /// The member who made it; it goes when they do.
    pub maker: Option<UserId>,
    /// When it ends.
    pub expires_at: Timestamp,
    /// How often it may be taken.
    pub uses_left: u32,
    /// Raised by every change.
    pub version: u64,
    /// What it is about.
    pub body: Sealed,
}

/// One decision.
#[derive(Clone, Debug)]
pub struct AuditRow {
    /// Its id.
    pub id: AuditId,
    /// Place in the organization's record, from 1, without gaps; given by the backend.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// Which action, by its name in the route table.
    pub action: String,
    /// What was decided.
    pub outcome: u8,
    /// So many the same within a moment.
    pub times: u32,
    /// Where.
    pub workspace: Option<WorkspaceId>,
    /// Who.
    pub principal: Option<Principal>,
    /// With what.
    pub credential: Option<CredentialId>,
    /// The hash of its line; none of an entry from before there was a tree, whose body has other bytes.
    pub leaf: Option<Hash>,
    /// Its line.
    pub body: Sealed,
}
