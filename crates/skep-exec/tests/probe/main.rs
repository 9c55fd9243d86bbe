//! The launcher of the tests, and a small daemon for those that look at one from outside.
//!
//! `probe JOBS env|fd PROGRAM ARGUMENTS…` runs the program with the secret that stands on its
//! standard input, and says how it went. JOBS is the runner's folder; beside it lies `open`, which
//! the program may write to.

use std::error::Error;
use std::ffi::OsString;
use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use skep_crypto::Plain;
use skep_exec::{Demand, Draft, Egress, Runner, Secret};

fn main() -> ExitCode {
    if let Some(code) = skep_exec::launcher(std::env::args_os()) {
        return code;
    }
    let run = || {
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.enable_all().build()?;
        runtime.block_on(drive(std::env::args_os().skip(1)))
    };
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "probe: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn drive(mut arguments: impl Iterator<Item = OsString>) -> Result<(), Box<dyn Error>> {
    let jobs = PathBuf::from(arguments.next().ok_or("no folder")?);
    let way = arguments.next().ok_or("no way")?;
    let program = arguments.next().ok_or("no program")?;
    let mut value = Vec::new();
    std::io::stdin().read_to_end(&mut value)?;
    let secret = Secret::new("token", Plain::new(value));
    let mut draft = Draft::new(program, Egress::None, Demand::usual()).args(arguments);
    if let Some(beside) = jobs.parent() {
        draft = draft.writable(beside.join("open"));
    }
    draft = if way == "fd" {
        draft.fd_secret(3, secret)
    } else {
        draft.env_secret("TOKEN", secret)
    };
    let runner = Runner::new(jobs, Vec::<PathBuf>::new())?;
    let outcome = runner.run(draft.plan()?, std::future::pending()).await?;
    let mut out = std::io::stdout();
    writeln!(out, "{:?} applied {:?}", outcome.exit, outcome.applied)?;
    for missing in &outcome.missing {
        writeln!(out, "missing {missing}")?;
    }
    out.write_all(&outcome.stdout)?;
    out.write_all(&outcome.stderr)?;
    Ok(())
}
