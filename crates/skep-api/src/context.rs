//! What the model calls of agents are given.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `POST /agents/{id}/context`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetAgentContextRequest {
    /// `on` (memories and the directive), `directive` (that alone) or `off`, for calls that say nothing themselves.
    pub memory: String,
    /// Whether what is said in such calls is kept as turns; no if absent.
    #[serde(default)]
    pub capture: bool,
}

/// What the calls of an agent are given.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct AgentContext {
    /// The agent.
    pub agent: String,
    /// `on`, `directive` or `off`.
    pub memory: String,
    /// Whether what is said in them is kept as turns.
    pub capture: bool,
}

/// `GET /agent-contexts`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct AgentContexts {
    /// By agent; those that are not named are given nothing.
    pub items: Vec<AgentContext>,
}
