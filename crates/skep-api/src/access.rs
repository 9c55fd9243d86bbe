//! Who may enter: keys, tokens, agents, organizations, workspaces, the record of decisions.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Instant;

/// `GET /whoami`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Whoami {
    /// `usr_…` or `agt_…`
    pub principal: String,
    /// `org_…`
    pub organization: String,
    /// Its name, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization_name: Option<String>,
    /// `ws_…`
    pub workspace: String,
    /// `admin`, `operator`, `agent` or `readonly`.
    pub role: String,
    /// What may be done: the role, as far as the credential is not narrowed.
    pub permissions: Vec<String>,
    /// `key_…`
    pub credential: String,
    /// `socket`, `install`, `personal`, `api`, `runner`, `login` or `browser`.
    pub credential_kind: String,
    /// When the credential ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Instant>,
}

/// `POST /keys`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateKeyRequest {
    /// What to call it.
    pub label: String,
    /// `api` (an agent, a harness, a connector) or `runner`; `api` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The agent that it proves, `agt_…`; whoever makes it if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// The connector that it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connector: Option<String>,
    /// The harness that it is for, such as `claude-code`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub harness: Option<String>,
    /// The projects that it may read and write, by name, at most 12; all if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub projects: Vec<String>,
    /// Permissions that it is narrowed to; all of the role if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permissions: Option<Vec<String>>,
    /// When it ends; never if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Instant>,
}

/// `POST /tokens`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateTokenRequest {
    /// What to call it.
    pub label: String,
    /// Permissions that it is narrowed to; all of the caller's if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permissions: Option<Vec<String>>,
    /// When it ends, at most a year from now.
    pub expires_at: Instant,
}

/// A key or token just made: the only answer that holds its secret.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct CreatedKey {
    /// What to present as a bearer token. It is not kept and cannot be shown again.
    pub secret: String,
    /// The rest, as it is listed.
    pub key: Key,
}

/// A key or token as it is listed.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Key {
    /// `key_…`
    pub id: String,
    /// `personal`, `api` or `runner`.
    pub kind: String,
    /// What its maker calls it.
    pub label: String,
    /// `usr_…`, or `agt_…` of the caller's workspace; absent for an agent of another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// `ws_…`
    pub workspace: String,
    /// The connector that it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connector: Option<String>,
    /// The harness that it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub harness: Option<String>,
    /// The projects that it is bound to, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub projects: Vec<String>,
    /// Permissions that it is narrowed to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permissions: Option<Vec<String>>,
    /// When it was made.
    pub created_at: Instant,
    /// When it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Instant>,
    /// When it was last used, to a few minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_at: Option<Instant>,
    /// When it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Instant>,
}

/// What a revocation answers.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Revoked {
    /// `key_…`; refused from now on.
    pub id: String,
}

/// An agent of the workspace.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Agent {
    /// `agt_…`
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it reads beside its own: `isolated`, `shared` or `group`.
    pub policy: String,
    /// The group that it reads, for `group`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// `active` or `suspended`.
    pub standing: String,
    /// When it was made.
    pub created_at: Instant,
}

/// `POST /agents`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateAgentRequest {
    /// Its name, unique in the workspace.
    pub name: String,
    /// `isolated`, `shared` or `group`; `isolated` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// The group that it reads, for `group`; made if there is none of this name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
}

/// `PATCH /agents/{id}`: what is absent stays.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EditAgentRequest {
    /// `isolated`, `shared` or `group`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// The group that it reads, for `group`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// `active` or `suspended`: a suspended agent is refused from the next request on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standing: Option<String>,
}

/// An organization that the caller belongs to.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Organization {
    /// `org_…`; only of the organization that the credential is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Its name, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What the caller is there: `owner`, `admin` or `member`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// `active` or `suspended`.
    pub standing: String,
    /// Whether the credential is for this one.
    pub current: bool,
}

/// `GET /orgs`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Organizations {
    /// The organizations, those longest belonged to first.
    pub items: Vec<Organization>,
}

/// `PATCH /orgs` and `POST /workspaces`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NameRequest {
    /// 1 to 128 letters, digits, `.`, `_`, `-`.
    pub name: String,
}

/// `POST /orgs/standing`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StandingRequest {
    /// The organization's name.
    pub organization: String,
    /// `active` or `suspended`.
    pub standing: String,
}

/// A workspace of the organization.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Workspace {
    /// `ws_…`
    pub id: String,
    /// Its name.
    pub name: String,
    /// When it was made.
    pub created_at: Instant,
    /// Whether the credential is for this one.
    pub current: bool,
}

/// `GET /workspaces`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Workspaces {
    /// The workspaces, oldest first.
    pub items: Vec<Workspace>,
}

/// One decision of the record.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct AuditEntry {
    /// `aud_…`
    pub id: String,
    /// Its place in the organization's record, without gaps.
    pub seq: u64,
    /// When.
    pub at: Instant,
    /// The audit action of the route, or its method and path if it only reads.
    pub action: String,
    /// `allowed` or `denied`.
    pub outcome: String,
    /// So many the same within a moment.
    pub times: u32,
    /// Why it was refused.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// `usr_…`, or `agt_…` of the caller's workspace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// `key_…`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
    /// `ws_…`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace: Option<String>,
    /// The id of the request.
    pub request: String,
    /// What it was done to, by the id that the request named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// From where, for those not known then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<String>,
    /// What of others' content was shown, by its ids, if they are of the caller's workspace.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shown: Vec<String>,
    /// Whether it was erased: when, what it was and how it ended is all that is left.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub erased: bool,
}

/// Shows the rest, never the secret.
impl std::fmt::Debug for CreatedKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CreatedKey")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}
