//! The launcher: the daemon's own program, started once more, single-threaded, with nothing of the
//! daemon's in its environment.
//!
//! It comes in two parts. The *outer* one ([`outer`]) makes namespaces and stays outside of the
//! process namespace: it waits for the daemon to let go, forwards connections to the proxy, and
//! kills. It never reads a secret. The *inner* one ([`inner`]) is the first process of the
//! namespace: it reads the plan, lays the files, puts on what cannot be taken off, starts the
//! program and waits for it. When either dies, so does everything that the program has started.

mod files;
mod inner;
mod landlock;
mod limits;
mod outer;
mod relay;
mod seccomp;
mod spaces;
mod system;
mod tree;

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::process::ExitCode;

use crate::layer::{Demand, Layer, Missing};
use crate::order::Report;

/// The first argument of the outer launcher.
pub(crate) const OUTER: &str = "--skep-exec-launcher";
/// The first argument of the inner one.
const INNER: &str = "--skep-exec-inner";

/// Becomes the launcher if the arguments ask for it. A program whose [`crate::Runner`] starts itself
/// calls this before anything else and returns the code, if there is one.
#[must_use]
pub fn launcher(arguments: impl IntoIterator<Item = OsString>) -> Option<ExitCode> {
    let mut arguments = arguments.into_iter().skip(1);
    let first = arguments.next()?;
    let run = if first == OUTER {
        outer::run
    } else if first == INNER {
        inner::run
    } else {
        return None;
    };
    // Standard error is the program's: a panic of ours has no place there, and could quote it.
    std::panic::set_hook(Box::new(|_| {}));
    let done = control().and_then(|control| run(control, arguments.next()));
    Some(if done.is_ok() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The socket to the daemon, on which orders come and reports go.
fn control() -> io::Result<UnixStream> {
    let stdin = io::stdin();
    // Out of the way of the descriptors that a plan has.
    Ok(rustix::io::fcntl_dupfd_cloexec(stdin.as_fd(), inner::ASIDE)?.into())
}

fn say(mut control: &UnixStream, report: &Report) -> io::Result<()> {
    control.write_all(&report.frame())
}

/// What was applied and what was not, as it is found out.
#[derive(Default)]
struct Tally {
    applied: Demand,
    missing: Vec<Missing>,
}

impl Tally {
    /// Notes whether a layer was applied.
    fn note<T, E: std::fmt::Display>(&mut self, layer: Layer, done: Result<T, E>) -> bool {
        match done {
            Ok(_) => self.applied = self.applied.and(layer),
            Err(error) => self.missing.push(Missing {
                layer,
                reason: error.to_string(),
            }),
        }
        self.applied.has(layer)
    }

    fn report(self) -> Report {
        Report::Layers(self.applied, self.missing)
    }
}
