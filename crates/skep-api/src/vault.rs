//! Secrets, which are used and never read, and settings.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

use crate::Instant;

/// A value that no log shows: it has no form for one, and is wiped when it is dropped.
#[derive(Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub struct Confidential(String);

impl Confidential {
    /// Takes charge of a text. Copies made before are the caller's to wipe.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The text itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl Drop for Confidential {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Confidential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Confidential")
    }
}

/// `POST /secrets`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetSecretRequest {
    /// Such as `GITHUB_TOKEN`: at most 64 ASCII letters, digits, `_`, `-` and `.`, a letter first.
    pub name: String,
    /// 8 to 65,536 bytes. No interface returns it. Either this or `reference`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Confidential>,
    /// Where the value is kept instead, and looked up at each use: `op://vault/item/field`,
    /// `vault://server/mount/path#field`, `env://NAME`, `file:///path`, as far as the operator lets this organization.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// `workspace` (if absent), `organization`, or `agent` with `agent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The agent that alone may use it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
}

/// `POST /settings`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetSettingRequest {
    /// As the name of a secret; a setting and a secret may have the same one.
    pub name: String,
    /// 1 to 65,536 bytes. Whoever may read settings sees it.
    pub value: String,
    /// `workspace` (if absent), `organization`, or `agent` with `agent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The agent that it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
}

/// `POST /secrets/remove`, `POST /settings/remove`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoveRecordRequest {
    /// What it is called.
    pub name: String,
    /// `workspace` (if absent), `organization`, or `agent` with `agent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The agent that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
}

/// The answer to those.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct RemovedRecord {
    /// Whether there was one.
    pub removed: bool,
}

/// `GET /secrets`, `GET /settings`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordQuery {
    /// An agent whose records are wanted too; an agent that asks gets its own without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
}

/// A secret, without its value.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Secret {
    /// What the record of decisions calls it, `secret_…`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub mark: String,
    /// What it is called.
    pub name: String,
    /// `workspace`, `organization` or `agent`.
    pub scope: String,
    /// The agent that alone may use it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// When it was made.
    pub created_at: Instant,
    /// When its value was set last.
    pub changed_at: Instant,
    /// Who set it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_by: Option<String>,
    /// Where its value is kept, if that is not here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
}

/// A setting.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Setting {
    /// What it is called.
    pub name: String,
    /// What it says.
    pub value: String,
    /// `workspace`, `organization` or `agent`.
    pub scope: String,
    /// The agent that it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// When it was made.
    pub created_at: Instant,
    /// When it was set last.
    pub changed_at: Instant,
    /// Who set it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_by: Option<String>,
}

/// Which secrets there are: of the organization, of the workspace, then of the agent.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Secrets {
    /// By place, then by name.
    pub items: Vec<Secret>,
    /// Files of the vault that are not what was written: restore them from a copy, or set them anew.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub damaged: Vec<String>,
}

/// Which settings there are, in the same order.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct SettingsList {
    /// By place, then by name.
    pub items: Vec<Setting>,
    /// Files of the vault that are not what was written: restore them from a copy, or set them anew.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub damaged: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::{Confidential, SetSecretRequest};

    #[test]
    fn x01_a_request_that_is_printed_has_no_value() {
        let text = r#"{"name":"TOKEN","value":"hunter2-hunter2"}"#;
        let request: SetSecretRequest = serde_json::from_str(text).unwrap();
        let value = request.value.as_ref().map(Confidential::expose);
        assert_eq!(value, Some("hunter2-hunter2"));
        assert!(!format!("{request:?} {:#?}", request.value).contains("hunter2"));
        assert_eq!(serde_json::to_string(&request).unwrap(), text);
    }
}
