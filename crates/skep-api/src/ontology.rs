//! Names that memories speak of, how they belong together, and proposals about them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Instant;

/// `GET /entities`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EntityQuery {
    /// Names wanted, 1 to 200; 50 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// The names in the newest 2,000 memories that the caller may see, the most named first.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct EntityList {
    /// The names.
    pub items: Vec<Entity>,
}

/// A name.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Entity {
    /// As memories spell it.
    pub name: String,
    /// `file`, `symbol`, `command`, `error`, `service`, `issue`, `term`.
    pub kind: String,
    /// Memories that name it.
    pub memories: u32,
    /// When the newest of them became true.
    pub last: Instant,
}

/// `POST /relations`: all about one name.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RelationRequest {
    /// The name, at most 256 bytes.
    pub name: String,
}

/// What is known of a name.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct RelationResponse {
    /// The name.
    pub name: String,
    /// `file`, `symbol`, `command`, `error`, `service`, `issue`, `term`.
    pub kind: String,
    /// Memories that name it, the newest first, at most 200.
    pub memories: Vec<Naming>,
    /// Names that belong to it.
    pub relations: Vec<Relation>,
}

/// A memory that names something.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Naming {
    /// `mem_…`
    pub id: String,
    /// Its key line.
    pub key: String,
}

/// A name that belongs to another.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Relation {
    /// The other name.
    pub name: String,
    /// Its kind.
    pub kind: String,
    /// `part_of`, `fails_with`, `changes_with`, `runs_on`, `named_with`.
    pub relation: String,
    /// Memories that say so.
    pub memories: u32,
    /// Some of them: `mem_…`
    pub provenance: Vec<String>,
}

/// `POST /ontology/proposals`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProposalRequest {
    /// `merge`, `rename` or `archive`.
    pub action: String,
    /// The name it is about.
    pub name: String,
    /// The name that it is one with, or is called now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other: Option<String>,
    /// Why, at most 1,024 bytes.
    #[serde(default)]
    pub reason: String,
}

/// `GET /ontology/proposals`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProposalQuery {
    /// Rows, 1 to 200; 50 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// `waiting` (if absent), `accepted` or `rejected`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
}

/// A proposal about a name.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Proposal {
    /// `prp_…`
    pub id: String,
    /// `merge`, `rename` or `archive`.
    pub action: String,
    /// The name it is about.
    pub name: String,
    /// The name that it is one with, or is called now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other: Option<String>,
    /// Why.
    pub reason: String,
    /// `waiting`, `accepted`, `rejected`.
    pub state: String,
    /// Who made it: `usr_…` or `agt_…`.
    pub proposer: String,
    /// When.
    pub at: Instant,
    /// Who decided it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<String>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<Instant>,
}

/// What was decided.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Decision {
    /// `prp_…`
    pub id: String,
    /// `accepted` or `rejected`.
    pub state: String,
}
