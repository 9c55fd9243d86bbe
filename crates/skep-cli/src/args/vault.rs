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
    /// Copy the entries of a file of credentials into the vault: .env, INI such as AWS's, JSON. The file is
    /// read and left as it is; what is in the vault already stays, unless --overwrite is given.
    Import(SecretImport),
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

/// Copying a file of credentials.
#[derive(Debug, Args)]
pub(crate) struct SecretImport {
    /// The file.
    pub(crate) file: std::path::PathBuf,
    /// The entries to copy, by their keys [default: all].
    #[arg(value_name = "KEY")]
    pub(crate) keys: Vec<String>,
    /// Begin the names in the vault with this.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(crate) prefix: String,
    /// Set what is in the vault already anew.
    #[arg(long)]
    pub(crate) overwrite: bool,
    /// Only say what would be done.
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) place: Place,
}

/// Whose it is [default: the workspace's].
#[derive(Clone, Debug, Args)]
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
