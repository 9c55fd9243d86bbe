//! How far something long is, on standard error: a line every few seconds, for a person and a log alike.

use skep_app::Stopwatch as _;

use crate::clock::Monotonic;
use crate::process;

/// Microseconds between two lines.
const PAUSE: u64 = 2_000_000;

/// How far it is.
pub(crate) struct Progress {
    what: &'static str,
    since: Monotonic,
    said: u64,
    done: u64,
}

impl Progress {
    pub(crate) fn new(what: &'static str) -> Self {
        Self {
            what,
            since: Monotonic::start(),
            said: 0,
            done: 0,
        }
    }

    /// So many are done.
    pub(crate) fn reach(&mut self, done: u64) {
        self.done = done;
        let now = self.since.micros();
        if now - self.said >= PAUSE {
            self.said = now;
            let (what, rate) = (self.what, self.rate(done));
            process::complain(&format!("{done} {what}, {rate}/s"));
        }
    }

    /// So many more are done.
    pub(crate) fn add(&mut self, more: u64) {
        self.reach(self.done + more);
    }

    /// So many a second, over all of it.
    pub(crate) fn rate(&self, done: u64) -> u64 {
        let micros = self.since.micros().max(1);
        done.saturating_mul(1_000_000) / micros
    }
}
