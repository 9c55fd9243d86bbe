//! The command line of programs that use secrets without holding them.

use std::ffi::OsString;

use clap::Args;

use super::values::span;

/// What is run, and with what.
#[derive(Debug, Args)]
#[command(override_usage = "skep run [OPTIONS] -- CMD [ARGS]...\n       \
    skep run [OPTIONS] --print-env\n       skep run --list\n       skep run --end LEASE")]
pub(crate) struct Run {
    /// A template for requests, again for each [default: all that you may use].
    #[arg(long, value_name = "NAME")]
    pub(crate) with: Vec<String>,
    /// Put the placeholder of a secret into a variable, such as `GH_TOKEN=github` [default: each into the
    /// variable of its own name, such as `GITHUB_TOKEN`].
    #[arg(long, value_name = "VAR=SECRET")]
    pub(crate) env: Vec<String>,
    /// Put the URL that stands for an origin into a variable, such as `openai:OPENAI_BASE_URL`.
    #[arg(long, value_name = "BASE:VAR")]
    pub(crate) base: Vec<String>,
    /// Print lines for a shell to evaluate instead of running something.
    #[arg(long, conflicts_with = "command")]
    pub(crate) print_env: bool,
    /// How long it lasts at most, such as 30m, 8h [default: as long as its templates allow; with
    /// --print-env an hour].
    #[arg(long = "for", value_name = "TIME", value_parser = span)]
    pub(crate) lasts: Option<u64>,
    /// Show your leases that are under way.
    #[arg(long, conflicts_with_all = ["command", "print_env", "with", "env", "base", "lasts"])]
    pub(crate) list: bool,
    /// End one of them, such as the one in `$SKEP_LEASE`.
    #[arg(long, value_name = "LEASE", conflicts_with_all = ["command", "print_env", "with", "env", "base", "lasts", "list"])]
    pub(crate) end: Option<String>,
    /// The program and its arguments.
    #[arg(last = true, value_name = "CMD")]
    pub(crate) command: Vec<OsString>,
}
