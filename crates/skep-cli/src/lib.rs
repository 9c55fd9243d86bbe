//! The command line `skep`: verbs and importers' readers over the client.
//!
//! [`run`] is the whole program; [`command`] and [`help_markdown`] are its tree of verbs for whoever
//! documents it. Nothing here touches storage: every verb is a few calls of `skep-client`.

mod args;
mod beneath;
mod context;
mod credentials;
mod environment;
mod failure;
mod help;
mod hidden;
pub mod hook;
pub mod import;
mod layout;
mod output;
mod reach;
mod reading;
mod reconcile;
mod skills;
mod stopwatch;
mod style;
mod verbs;
mod verify;
mod watching;
mod wiring;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use crate::args::Args;
use crate::context::Context;
use crate::environment::Environment;
use crate::failure::Failure;
use crate::output::Output;

pub use help::help_markdown;

/// The tree of verbs.
#[must_use]
pub fn command() -> clap::Command {
    Args::command()
}

/// Parses, runs, reports. 0: done; 1: it failed; 2: it was called wrongly.
pub fn run(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let environment = Environment::read();
    let arguments: Vec<OsString> = arguments.map(args::as_find_has_it()).collect();
    if let Some(code) = hook::called(&arguments, &environment) {
        return code;
    }
    let args = match Args::try_parse_from(&arguments) {
        Ok(args) => args,
        Err(error) if error.use_stderr() && arguments.iter().any(|word| word == "--json") => {
            return misused(&error).report(&Output::new(true, true, &environment));
        }
        Err(error) => {
            // Help and version are "errors" that go to stdout. A closed pipe is nobody's problem.
            let _closed = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let output = Output::new(args.global.json, args.global.quiet, &environment);
    match perform(args, environment, &output) {
        Ok(code) => code,
        Err(failure) => failure.report(&output),
    }
}

/// What clap says to a person, for a program: without the usage that follows.
fn misused(error: &clap::Error) -> Failure {
    let said = error.to_string();
    // What is missing stands on lines of its own.
    let first = said.lines().take_while(|line| !line.trim().is_empty());
    let first: Vec<&str> = first.map(str::trim).collect();
    let first = first.join(" ");
    Failure::usage(first.trim_start_matches("error: ")).hint("skep --help")
}

fn perform(args: Args, environment: Environment, output: &Output) -> Result<ExitCode, Failure> {
    let context = Context::new(args.global, environment, output)?;
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(verbs::perform(args.verb, &context))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::{Args, misused};

    #[test]
    fn what_is_missing_is_named_for_programs_too() {
        let Err(error) = Args::try_parse_from(["skep", "--json", "template", "show"]) else {
            panic!("it names no template");
        };
        let told = misused(&error).message();
        assert!(told.contains("<TEMPLATE>"), "{told}");
        assert!(!told.contains("Usage"), "{told}");
    }
}
