//! Leases: what a program may do with secrets that it never holds, through a proxy on the daemon's machine.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Instant;
use crate::vault::Confidential;

/// `POST /leases`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LeaseRequest {
    /// Names of templates for requests, at most 16; all that the caller may use if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub templates: Vec<String>,
    /// Seconds that it lasts at most; as long as its templates allow if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u32>,
    /// Whether it goes on without being renewed, for `seconds`: for a shell that nobody watches.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unattended: bool,
    /// Whether the file of certificates is wanted in the answer, for whoever cannot read `bundle`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub certificates: bool,
}

/// A lease that has begun. Its password is in `environment`, `proxy` and `bases`, and nowhere else.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct BegunLease {
    /// `lse_…`
    pub id: String,
    /// What the program's environment has to hold, but for placeholders.
    pub environment: Vec<LeaseVariable>,
    /// The URL of the proxy, password and all. It listens on the daemon's machine alone.
    pub proxy: Confidential,
    /// A file of certificates on the daemon's machine: its system's authorities, and the proxy's.
    pub bundle: String,
    /// What is in that file, if it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificates: Option<String>,
    /// What the program holds in the place of secrets.
    pub placeholders: Vec<Placeholder>,
    /// URLs that stand for an origin, for programs that take no proxy.
    pub bases: Vec<BaseUrl>,
    /// Hosts, beside those of the placeholders, that it gets through to unread.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
    /// The templates behind it. It is as good as all of them: it ends when one may not be used any more.
    pub templates: Vec<String>,
    /// When it ends, whatever is done.
    pub ends_at: Instant,
    /// It has to be renewed within so many seconds, again and again; absent for one that is unattended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renew_within_seconds: Option<u32>,
    /// What this way of using secrets cannot promise.
    pub cannot: Vec<String>,
}

/// A variable of an environment.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct LeaseVariable {
    /// Its name.
    pub name: String,
    /// What it holds; in some the proxy's password.
    pub value: Confidential,
}

/// What stands for a secret, and where it may go.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Placeholder {
    /// `__skep_…__`, which the program writes where the value would stand.
    pub placeholder: String,
    /// The secret.
    pub secret: String,
    /// Whose it is: `workspace`, `organization` or `agent`.
    pub owner: String,
    /// The variable that programs usually look for it in, if its name is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variable: Option<String>,
    /// Where it goes. Only one of these as a whole fits.
    pub goes: Vec<Goes>,
}

/// One way for a secret.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Goes {
    /// The template that says so.
    pub template: String,
    /// To these hosts, over TLS.
    pub hosts: Vec<String>,
    /// In these headers.
    pub headers: Vec<String>,
    /// With these methods; with any if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub methods: Vec<String>,
    /// To paths that begin so; to any if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<String>,
    /// A placeholder in a body: `refuse`, `leave` or `replace`.
    pub body: String,
}

/// A URL that stands for an origin.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct BaseUrl {
    /// Its name in the template.
    pub name: String,
    /// The origin that it stands for.
    pub origin: String,
    /// The URL on the daemon's machine; who has it may use it.
    pub url: Confidential,
}

/// A lease that was renewed.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct RenewedLease {
    /// When it ends, whatever is done.
    pub ends_at: Instant,
    /// It has to be renewed again within so many seconds; absent for one that is unattended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renew_within_seconds: Option<u32>,
}

/// A lease that was ended.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct EndedLease {
    /// Whether it was under way.
    pub ended: bool,
}

/// `GET /leases`: those of the credential that asks.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Leases {
    /// Oldest first.
    pub items: Vec<Lease>,
}

/// A lease under way, without its password.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Lease {
    /// `lse_…`
    pub id: String,
    /// The templates behind it.
    pub templates: Vec<String>,
    /// When it began.
    pub began_at: Instant,
    /// When it ends, whatever is done.
    pub ends_at: Instant,
    /// Whether it goes on without being renewed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unattended: bool,
    /// How often a value was sent.
    pub uses: u64,
    /// How often something was refused.
    pub refused: u64,
}
