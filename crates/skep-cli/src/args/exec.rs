//! The command line of programs that are run with secrets.

use clap::{Args, Subcommand};

/// A program to run with secrets, or what to see of those that were.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Exec {
    #[command(subcommand)]
    pub(crate) what: Option<What>,
    #[command(flatten)]
    pub(crate) run: Option<Run>,
}

/// A run to ask for.
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// The name of an approved template.
    pub(crate) name: String,
    /// Fill in a parameter; once for each.
    #[arg(long = "set", short = 's', value_name = "NAME=VALUE", value_parser = pair)]
    pub(crate) set: Vec<(String, String)>,
    /// Say its id and do not wait for its end.
    #[arg(long)]
    pub(crate) no_wait: bool,
}

/// What can be done about runs.
#[derive(Debug, Subcommand)]
pub(crate) enum What {
    /// Run a template, also one that is called as a verb here is.
    Run(Run),
    /// List your runs, newest first; everybody's if you may approve templates.
    List {
        /// How many to show at most.
        #[arg(short = 'n', long, default_value_t = 50, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=200))]
        limit: u32,
        /// Where an earlier listing ended, as it said.
        #[arg(long, value_name = "CURSOR")]
        cursor: Option<String>,
    },
    /// Show a run: how far it is, how it ended, what it printed.
    Show {
        /// The run, such as `exe_0e…`
        id: String,
        /// Wait until it comes to its end.
        #[arg(long)]
        wait: bool,
    },
    /// End a run, and all that it has started.
    Cancel {
        /// The run, such as `exe_0e…`
        id: String,
    },
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE".into()),
    }
}
