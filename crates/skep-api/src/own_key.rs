//! Keys that organizations keep themselves.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Instant;

/// How an organization's own key stands.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct OwnKey {
    /// The organization's name, for whoever runs the daemon.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    /// `open`, `withdrawn`, `refused` (whoever keeps it does not give it), `away` (whoever keeps it does not
    /// answer), `unnamed` (the daemon was not told where it is kept), or `released` (the organization gave it up).
    pub state: String,
    /// Whether the keys of its workspaces are under it.
    pub in_force: bool,
    /// The name of the section of the configuration that says where it is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// What and where that is, for whoever runs the daemon.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// What whoever keeps it said last other than the key, for whoever runs the daemon.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
    /// When this node asked for it last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_at: Option<Instant>,
    /// When the organization withdrew it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn_at: Option<Instant>,
    /// Seconds that it is used without asking for it again.
    pub ask_every_seconds: u64,
    /// Keys of workspaces that are under it.
    pub enclosed: u64,
    /// Workspaces of the organization.
    pub workspaces: u64,
}

/// `GET /system/keys/organizations`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct OwnKeys {
    /// Of each organization that keeps one, or did.
    pub items: Vec<OwnKey>,
}

/// `POST /system/keys/organizations/…`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnKeyRequest {
    /// The organization's name, or its id; the one of the credential if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    /// The name of the section of the configuration that says where the key is kept; the organization's name if
    /// absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
}
