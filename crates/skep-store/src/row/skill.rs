//! What a backend stores about skills.

use skep_crypto::Sealed;
use skep_domain::{Principal, SkillId, SkillState, Timestamp};

use super::Fingerprint;

/// A version of a skill; its files are read apart.
#[derive(Clone, Debug)]
pub struct SkillRow {
    /// Its id.
    pub id: SkillId,
    /// Of the skill's name.
    pub name: Fingerprint,
    /// Which of the versions under this name; unique among them.
    pub version: u32,
    /// How far it has come.
    pub state: SkillState,
    /// Who proposed it.
    pub proposer: Principal,
    /// When.
    pub at: Timestamp,
    /// Who decided last, and when.
    pub decided: Option<(Principal, Timestamp)>,
    /// Name, description, note, digest and findings.
    pub body: Sealed,
    /// Why, and the approval.
    pub decision: Option<Sealed>,
}
