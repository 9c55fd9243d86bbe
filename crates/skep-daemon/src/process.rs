//! The process itself: no core dumps, no reading by others, panics without their text.

use std::io::Write as _;

use anyhow::Context;
use rustix::process::{
    DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit,
};
use tracing_subscriber::EnvFilter;

/// Keys and content live in this process's memory: it leaves no core file, other processes of the
/// same user cannot attach to it, and files it makes are nobody else's.
pub(crate) fn harden() {
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    let closed = setrlimit(Resource::Core, none).is_ok();
    let hidden = set_dumpable_behavior(DumpableBehavior::NotDumpable).is_ok();
    if !(closed && hidden) {
        complain("skepd: this system does not let a process forbid core dumps; carrying on");
    }
    let files = getrlimit(Resource::Nofile);
    // Best effort: the store bounds its handles well below the usual soft limit anyway.
    let _ = setrlimit(
        Resource::Nofile,
        Rlimit {
            current: files.maximum,
            maximum: files.maximum,
        },
    );
    // A panic's text may quote content, so only its place is written down.
    std::panic::set_hook(Box::new(|info| {
        let place = info
            .location()
            .map_or_else(String::new, |at| format!(" at {}:{}", at.file(), at.line()));
        tracing::error!("a panic{place}");
    }));
}

/// The client of the database writes down, below this level, what it sends: digests of credentials too.
const QUIET: &str = "tokio_postgres=info";

pub(crate) fn log_to_stderr(level: &str) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(level)
        .with_context(|| format!("log.level {level:?} is not a filter"))?
        .add_directive(QUIET.parse()?);
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        .with_writer(std::io::stderr)
        // To say on the same stream that nothing can be written there is a panic, whose hook writes there too.
        .log_internal_errors(false)
        .init();
    Ok(())
}

/// A line for whoever started us. A closed pipe is not our problem.
pub(crate) fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// A line on standard error, before there is a log.
pub(crate) fn complain(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
