//! Standing texts that models are given: versions that never change, and which of them counts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Instant;

/// Which text: the query of `GET /directives`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DirectivesQuery {
    /// `workspace` or `organization`, whose text counts in all of its workspaces; `workspace` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
}

/// Which version: the query of `GET /directives/version`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DirectiveQuery {
    /// `workspace` or `organization`; `workspace` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// The version; the one that counts if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
}

/// `POST /directives`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DraftDirectiveRequest {
    /// `workspace` or `organization`; `workspace` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// What models are to be told: at most 3,000 bytes, with its marks written out.
    pub text: String,
}

/// `POST /directives/promote`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PromoteDirectiveRequest {
    /// `workspace` or `organization`; `workspace` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// The version that counts from now on; 0 for none.
    pub version: u32,
}

/// A version of a standing text.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Directive {
    /// What the record of decisions calls its draft, `directive_…`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub mark: String,
    /// `workspace` or `organization`.
    pub of: String,
    /// Counted from one; a version never changes.
    pub version: u32,
    /// Whether it counts now.
    pub in_force: bool,
    /// Who wrote it.
    pub by: String,
    /// When.
    pub at: Instant,
    /// SHA-256 of the text, in hex.
    pub sha256: String,
    /// What it says.
    pub text: String,
}

/// That a version counted from then on.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Promotion {
    /// The version; 0 for none.
    pub version: u32,
    /// Who said so.
    pub by: String,
    /// When.
    pub at: Instant,
}

/// `GET /directives`: at most 200 of each.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Directives {
    /// Newest first.
    pub items: Vec<Directive>,
    /// Newest first: the first one says which counts.
    pub promotions: Vec<Promotion>,
}

/// What came of `POST /directives/promote`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PromotedDirective {
    /// `workspace` or `organization`.
    pub of: String,
    /// What counts now; 0 for none.
    pub version: u32,
}
