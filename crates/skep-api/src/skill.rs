//! Skills: folders of instructions that agents share once a human has approved them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Instant;

/// A file of a skill.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SkillFile {
    /// Where it lies in the skill's folder: ASCII, at most four levels, such as `scripts/check.py`.
    pub path: String,
    /// What it says.
    pub text: String,
}

/// `POST /skills`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SkillRequest {
    /// Its files, at most 64 and 256 KiB together; `SKILL.md` with `name` and `description` among them.
    pub files: Vec<SkillFile>,
    /// Why it should be had, at most 1,024 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// `GET /skills/review`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SkillQuery {
    /// Rows, 1 to 200; 50 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// `waiting` (if absent), `approved`, `rejected`, `superseded` or `withdrawn`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
}

/// A version of a skill.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Skill {
    /// `skl_…`
    pub id: String,
    /// What the skill is called, and its folder.
    pub name: String,
    /// Which of the versions that were proposed under this name, from 1.
    pub version: u32,
    /// `waiting`, `approved`, `rejected`, `superseded`, `withdrawn`.
    pub state: String,
    /// What it says it is for.
    pub description: String,
    /// Why it should be had, in the proposer's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// `sha256:…` over its files: for each, by path, the path, a zero byte and the SHA-256 of its text.
    pub digest: String,
    /// What was found in it that a reviewer should know.
    #[serde(default)]
    pub findings: Vec<String>,
    /// Who proposed it: `usr_…` or `agt_…`.
    pub proposer: String,
    /// When.
    pub at: Instant,
    /// Who decided on it last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<String>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<Instant>,
    /// Why, if it was rejected or withdrawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A version of a skill with its files.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct SkillFolder {
    /// The version.
    pub skill: Skill,
    /// In the order of their paths.
    pub files: Vec<SkillFile>,
    /// Of what is approved: a DSSE envelope with an in-toto statement that names each file by its SHA-256,
    /// signed by the workspace's key, which is the `keyid`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<String>,
}

/// `POST /skills/{id}/approve`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApprovalRequest {
    /// The digest of what was read.
    pub digest: String,
    /// That the findings were read too, and are fine.
    #[serde(default)]
    pub accept_findings: bool,
}

/// `POST /skills/{id}/reject` and `…/withdraw`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SkillReason {
    /// Why, 1 to 1,024 bytes.
    pub reason: String,
}
