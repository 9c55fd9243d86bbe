//! `skep setup` as a type.

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueHint, builder::PossibleValuesParser};

use crate::hook::table::TABLE;

#[derive(Debug, ClapArgs)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line"
)]
pub(crate) struct Setup {
    /// Take out what setup put in: files that nobody else has written to are as they were, to the byte.
    #[arg(long, conflicts_with_all = ["harness", "bind"])]
    pub(crate) uninstall: bool,
    /// Do what is shown, without asking.
    #[arg(long, short)]
    pub(crate) yes: bool,
    /// Show what would be done, and do nothing.
    #[arg(long, conflicts_with = "yes")]
    pub(crate) dry_run: bool,
    /// Only these harnesses, whether or not they are found [default: those that are found].
    #[arg(long, value_delimiter = ',', value_name = "NAME", value_parser = PossibleValuesParser::new(TABLE.map(|row| row.name)))]
    pub(crate) harness: Vec<String>,
    /// Do not install the daemon as a service of yours.
    #[arg(long)]
    pub(crate) no_service: bool,
    /// Capture what is done in this directory.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) bind: Vec<PathBuf>,
}
