//! All automation of the project: one verb a file, `cargo xtask ci` is what a change must pass.
#![expect(clippy::print_stdout, reason = "the verbs talk to a terminal")]

mod arrows;
mod bench;
mod ci;
mod codegen;
mod demo;
mod deny;
mod graph;
mod mutants;
mod problem;
mod programs;
mod release;
mod tidy;
mod tree;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The automation of the project")]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// House rules that no lint knows: lengths, names, opening lines, scoped SQL.
    Tidy,
    /// Installs what tests need beside ours: Redis, nginx.
    Programs,
    /// A real browser against the pages: half a gigabyte to install, so no part of `ci`.
    Browser,
    /// The packages under `sdk/`: types, tests against a real daemon, quickstarts as they are written.
    Sdk,
    /// Coding agents of others in front of scripted models, wired by `skep setup`: what one session is
    /// told, the next one is shown. All of them are a gigabyte to install; `ci` plays with the quick ones.
    Harnesses {
        /// Only this one: codex, gemini or opencode.
        #[arg(long)]
        only: Option<String>,
    },
    /// Which crate may depend on which.
    Arrows,
    /// Licences, banned crates and sources, as deny.toml says.
    Deny,
    /// Writes the generated files.
    Codegen {
        /// Writes nothing; fails when a file differs from what would be written.
        #[arg(long)]
        check: bool,
    },
    /// Breaks each check of access on purpose and runs the tests that have to notice.
    Mutants {
        /// Only those with this in their name, such as `a14`.
        #[arg(long)]
        only: Option<String>,
        /// Only those of these files of `xtask/mutants`, such as `ledger,sinks`.
        #[arg(long, value_delimiter = ',')]
        table: Vec<String>,
        /// Prints the outcomes as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Everything that must pass, in order, with a closing count.
    Ci,
    /// The main job: import real input into a throw-away home and ask questions.
    Demo,
    /// Measures in release: recall, capture, load, embed, quality. See docs/bench.md.
    Bench {
        /// Which benchmark.
        name: String,
        /// Its own arguments, such as `--memories 10000 --json`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        rest: Vec<String>,
    },
    /// Kills a writing daemon at random instants and checks what is left.
    Crash {
        /// Arguments such as `--kills 200 --seed 1`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        rest: Vec<String>,
    },
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().verb {
        Verb::Tidy => tidy::run(),
        Verb::Programs => programs::run(),
        Verb::Browser => programs::browser(),
        Verb::Sdk => ci::sdk::run(),
        Verb::Harnesses { only } => ci::harnesses::run(only.as_deref()),
        Verb::Arrows => arrows::run(),
        Verb::Deny => deny::run(),
        Verb::Codegen { check } => codegen::run(check),
        Verb::Mutants { only, table, json } => mutants::run(only.as_deref(), &table, json),
        Verb::Ci => return ci::run(),
        Verb::Demo => demo::run(),
        Verb::Bench { name, rest } => bench::run(&name, &rest),
        Verb::Crash { rest } => bench::crash(&rest),
    };
    finished(outcome)
}

fn finished(outcome: Result<()>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
