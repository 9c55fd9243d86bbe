//! What comes of a run.

use std::io;
use std::path::PathBuf;

use crate::layer::{Demand, Missing};

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// By itself, with this code.
    Code(i32),
    /// By this signal.
    Signal(i32),
    /// It was killed when its time was up.
    TimedOut,
    /// It was killed because whoever asked for it no longer wanted it.
    Cancelled,
    /// It was killed because it wrote more than the plan allows.
    OutputCap,
    /// Its launcher was killed by somebody else, and it with it.
    Lost,
}

/// How a run ended and what it showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// How it ended.
    pub exit: Exit,
    /// Standard output, redacted: see [`crate::GRADE`].
    pub stdout: Vec<u8>,
    /// Standard error, redacted.
    pub stderr: Vec<u8>,
    /// Whether output was cut off at the plan's cap.
    pub cut: bool,
    /// Which secrets were found in the output, and how many markers stand for each.
    pub redacted: Vec<(String, usize)>,
    /// The layers that were applied.
    pub applied: Demand,
    /// Those that were not, and why.
    pub missing: Vec<Missing>,
}

/// Why no program was started. Nothing of a secret stands in any of them.
#[derive(Debug, thiserror::Error)]
pub enum ExecError {
    /// Layers that the plan demands cannot be applied here.
    #[error("not started, as this machine cannot apply: {}", list(.missing))]
    Refused {
        /// Those, and why.
        missing: Vec<Missing>,
    },
    /// A path of the plan leads to what the runner guards.
    #[error("not started: {path} leads to the daemon's own files", path = .0.display())]
    Guarded(PathBuf),
    /// A path of the plan is not there, or cannot be reached.
    #[error("not started: {path}: {source}", path = .path.display())]
    Path {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The program could not be executed.
    #[error("not started: {what}: {source}")]
    NotStarted {
        /// What failed.
        what: String,
        /// How.
        source: io::Error,
    },
    /// The launcher could not be started, or did not understand.
    #[error("the launcher: {0}")]
    Launcher(#[source] io::Error),
}

fn list(missing: &[Missing]) -> String {
    let lines: Vec<String> = missing.iter().map(Missing::to_string).collect();
    lines.join("; ")
}
