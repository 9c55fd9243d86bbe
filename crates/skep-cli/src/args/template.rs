//! The command line of templates and of who may use them.

use std::path::PathBuf;

use clap::{Subcommand, ValueHint};

use super::values::span;

/// What can be done about templates.
#[derive(Debug, Subcommand)]
pub(crate) enum Template {
    /// List the templates that may be used, or versions in another state.
    List {
        /// Versions in this state instead.
        #[arg(long, default_value = "approved",
              value_parser = ["approved", "waiting", "rejected", "superseded", "withdrawn"])]
        state: String,
    },
    /// Show all that a template says.
    Show {
        /// Its name, or a version such as `tpl_0e…`
        template: String,
    },
    /// Draft a template. It may be used once somebody else has approved it.
    Draft {
        /// A file as `skep template example` prints one; JSON if its name ends so, TOML if not, `-` for stdin.
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
    },
    /// Print a template to begin with.
    Example {
        /// A program that the daemon runs, or requests of programs that you run.
        #[arg(value_parser = ["program", "requests"])]
        form: String,
    },
    /// Read a template, and approve exactly that.
    Approve {
        /// The name of one that waits, or a version such as `tpl_0e…`
        template: String,
        /// Approve it unasked if it still has this digest, which `skep template show` showed.
        #[arg(long)]
        digest: Option<String>,
        /// Let every agent of the workspace use it too.
        #[arg(long)]
        every_agent: bool,
        /// For so long, such as `8h` or `30d`; without an end if not said.
        #[arg(long = "for", value_name = "SPAN", value_parser = span, requires = "every_agent")]
        lasting: Option<u64>,
    },
    /// Turn a version down.
    Reject {
        /// The name of one that waits, or a version such as `tpl_0e…`
        template: String,
        /// Why.
        #[arg(long, short)]
        reason: String,
    },
    /// Take an approval back: from now on nobody uses the template, and its grants are gone.
    Withdraw {
        /// Its name, or the version.
        template: String,
        /// Why.
        #[arg(long, short)]
        reason: String,
    },
}

/// What can be done about access to templates.
#[derive(Debug, Subcommand)]
pub(crate) enum Access {
    /// List requests and grants: an agent's own, or for who approves all.
    List,
    /// Ask for a template, as an agent.
    Ask {
        /// Its name.
        template: String,
        /// Why.
        #[arg(long, short)]
        reason: String,
        /// For so long, such as `8h` or `30d`; without an end if not said.
        #[arg(long = "for", value_name = "SPAN", value_parser = span)]
        lasting: Option<u64>,
    },
    /// Grant what an agent asked for, or a template unasked.
    Grant {
        /// The request such as `acc_0e…`, or a template's name.
        what: String,
        /// The agent that a template is granted to, such as `agt_0e…`
        #[arg(long)]
        agent: Option<String>,
        /// Grant the template to every agent of the workspace.
        #[arg(long, conflicts_with = "agent")]
        every_agent: bool,
        /// For so long, such as `8h` or `30d`; as asked for, or without an end, if not said.
        #[arg(long = "for", value_name = "SPAN", value_parser = span)]
        lasting: Option<u64>,
        /// Why.
        #[arg(long, short, default_value = "")]
        reason: String,
    },
    /// Turn a request down.
    Refuse {
        /// Such as `acc_0e…`
        id: String,
        /// Why.
        #[arg(long, short)]
        reason: String,
    },
    /// Take a grant back, at once.
    Revoke {
        /// Such as `acc_0e…`
        id: String,
        /// Why.
        #[arg(long, short)]
        reason: String,
    },
}
