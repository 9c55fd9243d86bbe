//! The command line of proofs.

use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;

/// What can be proved of a running daemon.
#[derive(Debug, Subcommand)]
pub(crate) enum Verify {
    /// Plant a canary in the vault, try everything that is known to get at it, and say what came out.
    ///
    /// Needs to set secrets and to use them, and templates that are approved: by whoever asks if nobody else
    /// could, by somebody else otherwise, once. The canary is taken away again. It ends with 0 if all was tried
    /// and nothing came out that should not.
    Secrets(VerifySecrets),
}

/// Which ways of using secrets.
#[derive(Debug, Args)]
pub(crate) struct VerifySecrets {
    /// Only this way; may be given several times.
    #[arg(long, value_name = "WAY")]
    pub(crate) only: Vec<Mode>,
}

/// A way of using secrets, and of getting at them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Mode {
    /// What the interface shows.
    Reading,
    /// Programs that the daemon runs.
    Programs,
    /// Placeholders that the daemon's proxy replaces.
    Wire,
    /// Files and processes of the daemon's machine.
    Machine,
}
