//! Runs of programs with secrets: what was asked for, and how it ended.

use skep_domain::{CredentialId, ExecId, ExecState, Principal, TemplateId, Timestamp};

/// A run to keep, which waits for its turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewExec {
    /// Its id.
    pub id: ExecId,
    /// Its id as whoever asked knows it, for the record.
    pub label: String,
    /// Which host it is for.
    pub host: [u8; 16],
    /// Its place among those of its host.
    pub turn: i64,
    /// With which credential it was asked for.
    pub credential: CredentialId,
    /// What is run.
    pub template: TemplateId,
    /// What that is called.
    pub name: String,
    /// Over all of the template: nothing else is run.
    pub digest: [u8; 32],
    /// What was filled in: names and values.
    pub arguments: Vec<(String, String)>,
    /// When it was asked for.
    pub at: Timestamp,
}

/// A run as it is read, without how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecJob {
    /// Its id.
    pub id: ExecId,
    /// Its id as whoever asked knows it, for the record.
    pub label: String,
    /// Which host it is for.
    pub host: [u8; 16],
    /// Its place among those of its host.
    pub turn: i64,
    /// How far it has come.
    pub state: ExecState,
    /// Who asked for it.
    pub asker: Principal,
    /// With which credential.
    pub credential: CredentialId,
    /// What is run.
    pub template: TemplateId,
    /// What that is called.
    pub name: String,
    /// Over all of the template.
    pub digest: [u8; 32],
    /// What was filled in: names and values.
    pub arguments: Vec<(String, String)>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When its program started.
    pub started_at: Option<Timestamp>,
    /// When nothing more was to happen to it.
    pub ended_at: Option<Timestamp>,
    /// Whether somebody wants it to end.
    pub is_cancelled: bool,
}

/// How a run ended, and what it showed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExecOutcome {
    /// In which way, in one word, with a code or the number of a signal; nothing if no program ran.
    pub exit: Option<(String, i32)>,
    /// Why no program ran, or did not end by itself.
    pub reason: Option<String>,
    /// Standard output, redacted.
    pub stdout: Vec<u8>,
    /// Standard error, redacted.
    pub stderr: Vec<u8>,
    /// Whether output was cut off.
    pub is_cut: bool,
    /// Which secrets were found in it, and how often.
    pub redacted: Vec<(String, u64)>,
    /// Layers of the sandbox that it had.
    pub applied: Vec<String>,
    /// Those that it had not, and why.
    pub missing: Vec<(String, String)>,
}
