//! Runs of approved programs with secrets that whoever asks never sees.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Instant;

/// `POST /exec`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExecRequest {
    /// The name of an approved template whose form is a program.
    pub template: String,
    /// What is filled in, by the names of its parameters.
    #[serde(default)]
    pub arguments: BTreeMap<String, String>,
}

/// `GET /exec/{id}`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExecQuery {
    /// Seconds to wait for its end, at most 30; none if absent. What is answered then is how far it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait: Option<u32>,
}

/// A run.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Exec {
    /// `exe_…`
    pub id: String,
    /// `queued`, `running`; `ended` (by itself, by time or by a bound), `refused` (it may not be run any
    /// more), `failed` (it could not be started), `cancelled`, `interrupted` (the daemon ended while it ran:
    /// what it does may be done), `expired` (its host never came back).
    pub state: String,
    /// The name of the template.
    pub template: String,
    /// Its version: `tpl_…`
    pub template_id: String,
    /// `sha256:…` over all of it: just that was run, or nothing.
    pub digest: String,
    /// What was filled in.
    pub arguments: BTreeMap<String, String>,
    /// Who asked for it: `usr_…` or `agt_…`.
    pub asker: String,
    /// When.
    pub asked_at: Instant,
    /// When its program started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Instant>,
    /// When it came to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Instant>,
    /// Whether somebody wants it to end.
    #[serde(default)]
    pub cancelling: bool,
    /// How its program ended, if one ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit: Option<ExecExit>,
    /// Why no program ran, or did not come to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What it showed, once it has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<ExecOutput>,
    /// The walls that it ran within.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sandbox: Option<ExecSandbox>,
}

/// How a program ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExecExit {
    /// `code` (by itself), `signal`, `timed_out`, `cancelled`, `output_cap` (it printed more than it may),
    /// `lost` (its launcher was killed).
    pub how: String,
    /// The exit code, or the number of the signal.
    pub number: i32,
}

/// What a program showed.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ExecOutput {
    /// Standard output, redacted.
    pub stdout: ExecStream,
    /// Standard error, redacted.
    pub stderr: ExecStream,
    /// Whether something was cut off at the template's bound.
    pub cut: bool,
    /// How far redaction goes: `best-effort`. It is no boundary.
    pub redaction: String,
    /// Which secrets were found in it, and how often.
    pub redacted: Vec<ExecRedacted>,
    /// Ways in which a program could show a secret and would not be redacted.
    pub uncovered: Vec<ExecUncovered>,
}

/// One of the two streams.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExecStream {
    /// What it holds, if that is text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// What it holds, in base64, if it is no text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base64: Option<String>,
}

/// A secret that was found in output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExecRedacted {
    /// What it is called.
    pub secret: String,
    /// How many markers stand for it.
    pub places: u64,
}

/// What redaction does not cover.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExecUncovered {
    /// A short name, for programs.
    pub name: String,
    /// What it is, for people.
    pub what: String,
}

/// Layers between a program and the rest of the machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExecSandbox {
    /// Those that were applied, by name.
    pub applied: Vec<String>,
    /// Those that this machine has not.
    pub missing: Vec<LayerMissing>,
}

/// A layer of the sandbox that is not to be had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LayerMissing {
    /// Which.
    pub layer: String,
    /// Why.
    pub reason: String,
}

/// How programs are run on a daemon's host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExecHealth {
    /// Programs that run at a time.
    pub workers: u64,
    /// Runs that may wait.
    pub queue: u64,
    /// Those that wait.
    pub waiting: u64,
    /// Those that run.
    pub running: u64,
    /// Layers of the sandbox that the host has not; absent until that was tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<Vec<LayerMissing>>,
    /// Why no program can be run at all, if so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}
