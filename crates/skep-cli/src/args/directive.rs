//! The command line of standing texts.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

/// What can be done about standing texts.
#[derive(Debug, Subcommand)]
pub(crate) enum Directive {
    /// Add a version. It does nothing before it is promoted.
    Draft {
        /// The file with its text; standard input if absent.
        #[arg(value_hint = ValueHint::FilePath)]
        file: Option<PathBuf>,
        #[command(flatten)]
        of: Of,
    },
    /// List the versions, and which counts.
    List {
        #[command(flatten)]
        of: Of,
    },
    /// Print a version.
    Show {
        /// Which [default: the one that counts].
        version: Option<u32>,
        #[command(flatten)]
        of: Of,
    },
    /// Say which version counts from now on; 0 for none. It takes workspace:manage, with --organization org:manage too.
    Promote {
        /// Which.
        version: u32,
        #[command(flatten)]
        of: Of,
    },
    /// Print what a version changes, by lines.
    Diff {
        /// From this one [default: the one that counts].
        #[arg(long, value_name = "VERSION")]
        from: Option<u32>,
        /// To this one.
        to: u32,
        #[command(flatten)]
        of: Of,
    },
}

/// Whose text.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Of {
    /// Of the organization, which counts in all its workspaces, instead of the workspace's.
    #[arg(long)]
    pub(crate) organization: bool,
}

impl Of {
    pub(crate) const fn name(self) -> &'static str {
        if self.organization {
            "organization"
        } else {
            "workspace"
        }
    }
}
