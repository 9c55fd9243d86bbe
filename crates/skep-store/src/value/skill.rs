//! Skills: what was proposed, and what a human decided about it.

use skep_domain::{Principal, SkillId, SkillName, SkillState, Timestamp};

/// One file of a skill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkillFile {
    /// Where it lies in the skill's folder.
    pub path: String,
    /// What it says.
    pub text: String,
}

/// A version of a skill to keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSkill {
    /// Its id.
    pub id: SkillId,
    /// What the skill is called.
    pub name: SkillName,
    /// What it says it is for.
    pub description: String,
    /// Why it should be had, in the proposer's words.
    pub note: Option<String>,
    /// A digest of its files, by which a reviewer says what they read.
    pub digest: String,
    /// What was found in it that a reviewer should know.
    pub findings: Vec<String>,
    /// In the order of their paths.
    pub files: Vec<SkillFile>,
    /// When it was proposed.
    pub at: Timestamp,
}

/// A version of a skill as it is read, without its files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skill {
    /// Its id.
    pub id: SkillId,
    /// What the skill is called.
    pub name: SkillName,
    /// Which of the versions under this name.
    pub version: u32,
    /// How far it has come.
    pub state: SkillState,
    /// What it says it is for.
    pub description: String,
    /// Why it should be had, in the proposer's words.
    pub note: Option<String>,
    /// A digest of its files.
    pub digest: String,
    /// What was found in it that a reviewer should know.
    pub findings: Vec<String>,
    /// Who proposed it.
    pub proposer: Principal,
    /// When.
    pub at: Timestamp,
    /// What was decided, if it was.
    pub decided: Option<Decided>,
}

/// A decision about a version of a skill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    /// Whose.
    pub by: Principal,
    /// When.
    pub at: Timestamp,
    /// Why, if they said.
    pub reason: Option<String>,
    /// The signed approval, of what is or was approved.
    pub approval: Option<String>,
}
