//! Rate limits of an organization.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `GET /limits`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct RateLimits {
    /// Every limit that counts the organization or its credentials.
    pub items: Vec<RateLimit>,
}

/// One limit.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct RateLimit {
    /// Its name, such as `api_credential`.
    pub name: String,
    /// What is in force, such as `600/min`.
    pub quota: String,
    /// `organization` or `credential`: whose calls count together.
    pub counts: String,
    /// What the installation allows at most.
    pub ceiling: String,
    /// Whether the organization has set it.
    pub is_set: bool,
}

/// `POST /limits`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetLimitRequest {
    /// Its name, such as `api_credential`.
    pub name: String,
    /// Such as `600/min`; as the installation has it if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<String>,
}
