//! What a backend stores about runs of programs.

use skep_crypto::Sealed;
use skep_domain::{CredentialId, ExecId, ExecState, Principal, TemplateId, Timestamp};

/// A run; its outcome is read apart.
#[derive(Clone, Debug)]
pub struct ExecRow {
    /// Its id.
    pub id: ExecId,
    /// Which host it is for: a secret is on one.
    pub host: [u8; 16],
    /// Its place among those of its host; lower ones are earlier.
    pub turn: i64,
    /// How far it has come.
    pub state: ExecState,
    /// Who asked for it.
    pub asker: Principal,
    /// With which credential.
    pub credential: CredentialId,
    /// What is run.
    pub template: TemplateId,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When its program started.
    pub started_at: Option<Timestamp>,
    /// When nothing more was to happen to it.
    pub ended_at: Option<Timestamp>,
    /// Whether somebody wants it to end.
    pub is_cancelled: bool,
    /// The template's name and digest, and what was filled in.
    pub body: Sealed,
}

/// A step of a run, which happens if it is in the state before.
#[derive(Clone, Debug)]
pub struct ExecChange {
    /// Which.
    pub id: ExecId,
    /// The state before.
    pub from: ExecState,
    /// The state after.
    pub to: ExecState,
    /// When.
    pub at: Timestamp,
    /// How it ended, when it did.
    pub outcome: Option<Sealed>,
}
