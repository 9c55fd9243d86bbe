//! Single sign-on of an organization.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `POST /sso`.
#[derive(Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetSsoRequest {
    /// The issuer, exactly as it names itself.
    pub issuer: String,
    /// What we are called there.
    pub client_id: String,
    /// What proves us there. If absent, the one before stays, for the same issuer and client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<String>,
    /// Domains of mail addresses that are let in, once the issuer has verified the address.
    #[serde(default)]
    pub domains: Vec<String>,
    /// A claim of the ID token that is asked for. With domains too, both have to hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<String>,
    /// What it must be, or hold if it is a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// What whoever comes for the first time becomes: `member` (which it is if absent) or `admin`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// What a member may do in this workspace: `operator` (which it is if absent), `readonly`, `admin`
    /// or `none`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace_role: Option<String>,
    /// Whether anybody is let in by it; so if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}

/// What an organization chose. The secret is never shown.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Sso {
    /// The issuer.
    pub issuer: String,
    /// What we are called there.
    pub client_id: String,
    /// Whether there is a secret.
    pub has_secret: bool,
    /// Domains that are let in.
    pub domains: Vec<String>,
    /// The claim that is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<String>,
    /// What it must be or hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// What whoever comes for the first time becomes.
    pub role: String,
    /// What a member may do in the workspace that it was chosen in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace_role: Option<String>,
    /// Whether anybody is let in by it.
    pub enabled: bool,
    /// What has to be registered at the issuer, where it is known at what address we are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redirect_uri: Option<String>,
}

/// What was found when the issuer was asked.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct SsoReport {
    /// Where people are sent.
    pub authorization_endpoint: String,
    /// How we say who we are: `client_secret_basic`, `client_secret_post` or `none`.
    pub client_auth: String,
    /// Whether its answers name it (RFC 9207).
    pub names_itself: bool,
    /// Keys that tokens may be signed with.
    pub keys: u32,
}
