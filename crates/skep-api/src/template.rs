//! Templates: ways of using secrets that a human approved; and who may use them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Instant;

/// What a template says. It has `program` or `requests`, and not both.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TemplateText {
    /// What it is called: like a secret.
    pub name: String,
    /// What it is for, in a sentence.
    pub purpose: String,
    /// A program that the daemon runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<TemplateProgram>,
    /// What is put into the requests of a program that whoever asks runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests: Option<TemplateRequests>,
}

/// A program that the daemon runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TemplateProgram {
    /// By its absolute path.
    pub path: String,
    /// Its arguments. `{name}` stands for a parameter, `{{` and `}}` for braces.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<String>,
    /// What may be filled in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<TemplateParameter>,
    /// Which secrets it is given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<TemplateSecret>,
    /// Variables with values that are no secrets.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: BTreeMap<String, String>,
    /// Where it starts; its private folder if absent.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub directory: String,
    /// What it may read beside programs and libraries, by absolute path.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub readable: Vec<String>,
    /// What it may write beside its private folder, by absolute path.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub writable: Vec<String>,
    /// Where it may send unread: `api.example.com`, `*.example.com:8443`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
    /// What is put into its requests, so that it need not hold it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<TemplateRule>,
    /// Layers of its sandbox that it may run without, where the machine has them not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<String>,
    /// Seconds that it may take, 1 to 1,800.
    #[serde(default = "five_minutes")]
    pub seconds: u32,
    /// Bytes that it may print, 1 to 1,048,576.
    #[serde(default = "much_output")]
    pub output: u32,
}

/// What may be filled in: one of `pattern`, `choices`, and `least` with `most`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TemplateParameter {
    /// Its name, as between braces.
    pub name: String,
    /// Text that this regular expression matches as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// One of these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choices: Option<Vec<String>>,
    /// A whole number from this one on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub least: Option<i64>,
    /// To this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most: Option<i64>,
}

/// A secret and how the program gets it: one of `variable`, `descriptor` and `input`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TemplateSecret {
    /// What it is called.
    pub name: String,
    /// Whose it is: `workspace` (if absent), `organization`, or `agent` for the asking agent's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// In this variable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variable: Option<String>,
    /// As a file in memory, on this descriptor, 3 to 63.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub descriptor: Option<u32>,
    /// On standard input.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub input: bool,
}

/// What is put into requests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TemplateRequests {
    /// Which secret may go where.
    pub rules: Vec<TemplateRule>,
    /// URLs on this machine that stand for an origin, for programs that take no proxy.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bases: Vec<TemplateBase>,
    /// Where the program may send unread, beside the hosts of the rules.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
    /// Seconds that one lease lasts at most, 1 to 86,400.
    #[serde(default = "one_hour")]
    pub seconds: u32,
}

/// One secret, and where it may go.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TemplateRule {
    /// What the secret is called; a program writes `__skep_<name>__` in lower case.
    pub secret: String,
    /// Whose it is: `workspace` (if absent), `organization`, or `agent` for the asking agent's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// To these hosts: `api.example.com`, `*.example.com:8443`.
    pub hosts: Vec<String>,
    /// In these headers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<String>,
    /// With these methods; with any if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub methods: Vec<String>,
    /// To paths that begin so; to any if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<String>,
    /// What becomes of the placeholder in a body: `refuse` (if absent), `leave` or `replace`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
}

/// A URL on this machine that stands for an origin.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TemplateBase {
    /// A part of the URL.
    pub name: String,
    /// `https://` and a host.
    pub origin: String,
    /// The header that each request gets.
    pub header: String,
    /// What it holds: a placeholder, and what stands around it.
    pub value: String,
}

/// `GET /templates`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TemplateQuery {
    /// Rows, 1 to 200; 50 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// `approved` (if absent), `waiting`, `rejected`, `superseded` or `withdrawn`; all but the first for who
    /// drafts or approves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
}

/// A version of a template.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Template {
    /// `tpl_…`
    pub id: String,
    /// What it is called.
    pub name: String,
    /// Which of the versions under this name, from 1.
    pub version: u32,
    /// `waiting`, `approved`, `rejected`, `superseded`, `withdrawn`.
    pub state: String,
    /// `sha256:…` over all that it says.
    pub digest: String,
    /// What it says.
    pub text: TemplateText,
    /// Who drafted it: `usr_…` or `agt_…`.
    pub drafter: String,
    /// When.
    pub at: Instant,
    /// Who decided on it last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<String>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<Instant>,
    /// Why, if it was rejected or withdrawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// That whoever approved it drafted it too, since nobody else could.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub alone: bool,
}

/// A version of a template, beside the one in force.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct TemplateShown {
    /// The version.
    pub template: Template,
    /// The one that is in force under its name, if that is another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_force: Option<Template>,
}

/// `POST /templates/{id}/approve`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApproveTemplateRequest {
    /// The digest of what was read.
    pub digest: String,
    /// Grants it to every agent of the workspace with the same step.
    #[serde(default)]
    pub every_agent: bool,
    /// For so many seconds, with `every_agent`; without an end if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u64>,
}

/// Why something was rejected, withdrawn, refused or revoked.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TemplateReason {
    /// 1 to 1,024 bytes.
    pub reason: String,
}

/// `POST /access`: an agent asks for a template.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AskAccessRequest {
    /// The template's name.
    pub template: String,
    /// Why, 1 to 1,024 bytes.
    pub reason: String,
    /// For how long; without an end if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u64>,
}

/// `POST /access/grant`: a human grants a template unasked.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GiveAccessRequest {
    /// The template's name.
    pub template: String,
    /// For this agent, `agt_…`; for every agent of the workspace if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// For how long; without an end if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u64>,
    /// Why, at most 1,024 bytes.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// `POST /access/{id}/grant`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GrantAccessRequest {
    /// For so many seconds; as long as was asked for if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u64>,
}

/// A request for a template, or a grant.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Access {
    /// `acc_…`
    pub id: String,
    /// The template's name.
    pub template: String,
    /// For whom, `agt_…`; for every agent of the workspace if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// `waiting`, `granted`, `expired`, `refused`, `revoked`, `superseded`.
    pub state: String,
    /// Why it was asked for or granted.
    pub reason: String,
    /// Who asked, or granted it unasked.
    pub asker: String,
    /// When.
    pub at: Instant,
    /// For how many seconds it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u64>,
    /// When the grant ends, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Instant>,
    /// Who decided on it last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<String>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<Instant>,
    /// Why, if they said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
}

const fn five_minutes() -> u32 {
    300
}

const fn much_output() -> u32 {
    64 << 10
}

const fn one_hour() -> u32 {
    3_600
}
