//! Clocks that tests own.

use std::sync::atomic::{AtomicI64, Ordering};

use skep_app::Stopwatch;
use skep_domain::{Clock, Timestamp};

/// A wall clock that moves only when told to.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// Stands at 2026-01-01T00:00:00Z.
    #[must_use]
    pub fn new() -> Self {
        Self(AtomicI64::new(1_767_225_600_000_000))
    }

    /// Stands at another moment from now on.
    pub fn set_millis(&self, now: i64) {
        self.0.store(now * 1_000, Ordering::SeqCst);
    }

    /// Moves forward.
    pub fn advance_seconds(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        // A microsecond per look keeps ids in the order they were made.
        Timestamp::from_micros(self.0.fetch_add(1, Ordering::SeqCst))
    }
}

/// A stopwatch that stands still.
#[derive(Debug)]
pub struct StoppedWatch;

impl Stopwatch for StoppedWatch {
    fn micros(&self) -> u64 {
        0
    }
}
