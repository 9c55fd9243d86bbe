//! The daemon `skepd`: configuration and composition root.

mod clock;
mod config;
mod database;
mod exec;
mod files;
mod grpc;
mod key;
mod limits;
mod local;
mod migrate;
mod migrate_db;
mod model;
mod process;
mod program;
mod progress;
mod restore;
mod secret;
mod serve;
mod telemetry;
mod vault;
mod wire;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::{Parser, Subcommand};

use crate::config::{Config, Kind};
use crate::key::Root;

/// The memory that a team's coding agents share and nobody else can read.
#[derive(Debug, Parser)]
#[command(name = "skepd", version, about)]
struct Arguments {
    /// Data directory [default: `$SKEP_HOME`, else `~/.skep`]
    #[arg(long, global = true)]
    home: Option<PathBuf>,
    /// Configuration file [default: `skep.toml` in the data directory, if there is one]
    #[arg(long, global = true)]
    config: Option<PathBuf>,
    /// Where the daemon itself puts what it took out of its environment
    #[arg(long, global = true, hide = true)]
    root_key_on_stdin: bool,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Run in the foreground until SIGTERM or SIGINT
    Serve,
    /// Read the configuration, say what is in force, change nothing
    CheckConfig,
    /// Bring the store to this version's form, then exit
    Migrate(migrate::Admin),
    /// Put back what an archive has: everything, one workspace, or only to see whether it could be
    Restore(restore::Restore),
    /// Move everything to another store: from files to a database, or back
    MigrateDb(migrate_db::MigrateDb),
    /// Where the root key is: make it, look, move it to another place, put another one in force
    #[command(subcommand)]
    Key(key::verbs::Verb),
    /// Make a recovery key, which opens archives as a passphrase does
    RecoveryKey {
        /// The file to write
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
    },
}

fn main() -> ExitCode {
    // What is started to wall a program in is this program once more. It comes before all else: it must
    // have one thread, and nothing of the daemon's.
    if let Some(code) = skep_exec::launcher(std::env::args_os()) {
        return code;
    }
    process::harden();
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            process::complain(&format!("skepd: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let home = files::home(arguments.home.clone())?;
    let mut config = Config::load(&home, arguments.config.as_deref())?;
    let is_asked = matches!(&arguments.verb, Verb::Key(verb) if verb.moves_to_the_environment());
    if is_asked || config.key.kind()? == Kind::Environment {
        let variable = config.key.variable()?;
        config.root_key = key::leave_the_environment(&variable, arguments.root_key_on_stdin)?;
    }
    match &arguments.verb {
        Verb::CheckConfig => {
            process::say(&config.to_string());
            Ok(())
        }
        Verb::Migrate(admin) => {
            if let Some(url) = admin.url(&config)? {
                return runtime()?.block_on(admin.migrate(&home, &config, &url));
            }
            let lock = files::lock(&home)?;
            let root = Root::of(&home, &config)?;
            to_the_end(lock, local::open(&home, &config, &root)).map(|_| ())
        }
        Verb::Restore(restore) if restore.only_looks() => {
            runtime()?.block_on(restore.run(&home, &config))
        }
        Verb::Restore(restore) => {
            let lock =
                files::lock(&home).context("stop it for as long as this takes: skep stop")?;
            to_the_end(lock, restore.run(&home, &config))
        }
        Verb::MigrateDb(moving) => {
            let lock =
                files::lock(&home).context("stop it for as long as this takes: skep stop")?;
            to_the_end(lock, moving.run(&home, &config))
        }
        Verb::Key(verb) if verb.only_looks() => verb.look(&home, &config),
        Verb::Key(verb) => {
            let lock =
                files::lock(&home).context("stop it for as long as this takes: skep stop")?;
            to_the_end(lock, verb.run(&home, &config))
        }
        Verb::RecoveryKey { to } => secret::create(to),
        Verb::Serve => {
            process::log_to_stderr(&config.log.level)?;
            let lock = files::lock(&home)?;
            to_the_end(lock, serve::serve(&home, &config))
        }
    }
}

/// How long work that no signal reaches, such as distilling a step, may go on when all else is done.
/// What it has not kept by then is done again at the next start.
const LEAVE: Duration = Duration::from_secs(3);

/// Runs until `work` and whatever it set going have ended. Only then may another daemon take the data
/// directory: the lock is never let go of, and ends with the process.
fn to_the_end<T>(
    lock: files::Lock,
    work: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<T> {
    let runtime = runtime()?;
    let outcome = runtime.block_on(work);
    runtime.shutdown_timeout(LEAVE);
    std::mem::forget(lock);
    outcome
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(64)
        .thread_name("skepd")
        .build()
        .context("starting the runtime")
}
