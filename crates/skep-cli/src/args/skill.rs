//! The command line of skills.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

/// What can be done about skills.
#[derive(Debug, Subcommand)]
pub(crate) enum Skill {
    /// List the skills that were approved.
    List,
    /// Show an approved skill, or one of its files.
    Show {
        /// The skill, by name or as `skl_0e…`
        skill: String,
        /// Of its files only this one, as it is.
        #[arg(value_hint = ValueHint::Other)]
        file: Option<String>,
    },
    /// Propose a folder with a SKILL.md to the team. Nobody gets it before a human has approved it.
    Propose {
        /// The folder.
        #[arg(value_hint = ValueHint::DirPath)]
        folder: PathBuf,
        /// Why it should be had.
        #[arg(long, short)]
        note: Option<String>,
    },
    /// List what waits for you, or read one: what it changes, and what was found in it.
    Review {
        /// The version, such as `skl_0e…`
        id: Option<String>,
        /// List versions in this state instead.
        #[arg(long, default_value = "waiting", conflicts_with = "id",
              value_parser = ["waiting", "approved", "rejected", "superseded", "withdrawn"])]
        state: String,
    },
    /// Approve a version, signed; teammates get it with their next pull.
    Approve {
        /// The version, such as `skl_0e…`
        id: String,
        /// The digest that `skep skill review ID` showed: it is approved if it is still that.
        #[arg(long)]
        digest: String,
        /// You read what was found in it, and it is fine.
        #[arg(long)]
        accept_findings: bool,
    },
    /// Turn a version down.
    Reject {
        /// The version, such as `skl_0e…`
        id: String,
        /// Why.
        #[arg(long, short)]
        reason: String,
    },
    /// Take an approval back: the skill goes from every machine with its next pull.
    Withdraw {
        /// The version, such as `skl_0e…`
        id: String,
        /// Why.
        #[arg(long, short)]
        reason: String,
    },
    /// Put the approved skills into the harnesses of this machine, and take out what is approved no more.
    Pull(Pull),
    /// Check the skills that were pulled: whether each is still what was approved.
    Installed(Places),
}

/// Which skills go where.
#[derive(Debug, Args)]
pub(crate) struct Pull {
    /// Only these; all if none is named.
    pub(crate) skills: Vec<String>,
    #[command(flatten)]
    pub(crate) places: Places,
    /// Say what would be done, and do nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Also replace what was changed by hand since it was pulled, and go back to an older approval.
    #[arg(long)]
    pub(crate) force: bool,
    /// Believe the workspace's key although it is not the one that was seen first: after a restore into a new
    /// installation, and only if somebody you trust told you so.
    #[arg(long)]
    pub(crate) trust_new_key: bool,
}

/// Where skills lie.
#[derive(Debug, Args)]
pub(crate) struct Places {
    /// Only for these harnesses [default: those on this machine].
    #[arg(long, value_delimiter = ',', value_name = "NAME",
          value_parser = ["claude", "codex", "cursor", "gemini", "opencode"])]
    pub(crate) harness: Vec<String>,
    /// In this folder instead, such as a repository's `.claude/skills`.
    #[arg(long, value_name = "DIR", conflicts_with = "harness", value_hint = ValueHint::DirPath)]
    pub(crate) dir: Option<PathBuf>,
}
