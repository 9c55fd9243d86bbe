//! The command line of secrets and settings.

use clap::{Args, Subcommand};

/// What can be done about secrets.
#[derive(Debug, Subcommand)]
pub(crate) enum Secret {
    /// List the secrets, without their values.
    List {
        /// Those of this agent too, by id.
        #[arg(long, value_name = "AGENT")]
        agent: Option<String>,
    },
    /// Set a secret. Its value is read from the terminal, which does not show it, or from stdin; one newline
    /// at its end is not part of it.
    Set {
        /// Such as `GITHUB_TOKEN`.
        name: String,
        /// Where the value is kept instead, and looked up at each use: `op://vault/item/field`,
        /// `vault://server/mount/path#field`, `env://NAME` or `file:///path`, as far as whoever runs the daemon
        /// lets your organization.
        #[arg(long, value_name = "REFERENCE")]
        from: Option<String>,
        #[command(flatten)]
        place: Place,
    },
    /// Remove a secret.
    #[command(visible_alias = "remove")]
    Rm {
        /// The secret.
        name: String,
        #[command(flatten)]
        place: Place,
    },
}

/// What can be done about settings.
#[derive(Debug, Subcommand)]
pub(crate) enum Setting {
    /// List the settings.
    List {
        /// Those of this agent too, by id.
        #[arg(long, value_name = "AGENT")]
        agent: Option<String>,
    },
    /// Set a setting.
    Set {
        /// What it is called.
        name: String,
        /// What it says; read from stdin if absent.
        value: Option<String>,
        #[command(flatten)]
        place: Place,
    },
    /// Remove a setting.
    #[command(visible_alias = "remove")]
    Rm {
        /// The setting.
        name: String,
        #[command(flatten)]
        place: Place,
    },
}

/// Whose it is [default: the workspace's].
#[derive(Debug, Args)]
pub(crate) struct Place {
    /// Of every workspace of the organization.
    #[arg(long, conflicts_with = "agent")]
    organization: bool,
    /// Of this agent alone, by id.
    #[arg(long, value_name = "AGENT")]
    agent: Option<String>,
}

impl Place {
    /// As requests have it.
    pub(crate) fn scope(self) -> (Option<String>, Option<String>) {
        match self.agent {
            Some(agent) => (Some("agent".into()), Some(agent)),
            None if self.organization => (Some("organization".into()), None),
            None => (None, None),
        }
    }
}
