//! Providers of models that an organization has set.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `POST /providers`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetProviderRequest {
    /// What it is called: 1 to 32 small letters, digits and `-`, a letter first. A model can be asked for as
    /// `name/model`.
    pub name: String,
    /// `openai`, `anthropic`, `compatible` (any server that speaks OpenAI's dialect) or `mock`, which is built in.
    pub kind: String,
    /// Where it is, such as `http://127.0.0.1:11434/v1`; where its kind is at home if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    /// The name of the organization's secret that is its key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// The models that may be used, `*` at the end for any ending; all if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<String>,
    /// Providers that are asked for the same model, in this order, when it cannot answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fallback: Vec<String>,
    /// Tokens that a call without a bound of its own may write; 131072 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_output: Option<u64>,
}

/// `POST /providers/remove`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoveProviderRequest {
    /// Which one.
    pub name: String,
}

/// Whether there was one.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
pub struct RemovedProvider {
    /// Whether there was one.
    pub removed: bool,
}

/// `GET /providers`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Providers {
    /// By name.
    pub items: Vec<Provider>,
}

/// A provider.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Provider {
    /// What the record of decisions calls it, `provider_…`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub mark: String,
    /// What it is called.
    pub name: String,
    /// Whom it speaks like.
    pub kind: String,
    /// Where it is, if that is not where its kind is at home.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    /// The name of the secret that is its key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// The models that may be used; all if there are none.
    pub models: Vec<String>,
    /// Who is asked in its place.
    pub fallback: Vec<String>,
    /// Tokens that a call without a bound of its own may write.
    pub max_output: u64,
}
