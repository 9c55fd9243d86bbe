//! The real clock and the real stopwatch: the only places that ask the system for the time.

use std::time::{Instant, SystemTime};

use skep_app::Stopwatch;
use skep_domain::{Clock, Timestamp};

/// The system's wall clock.
#[derive(Debug)]
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the daemon's clock")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }
}

/// The system's monotonic clock.
#[derive(Debug)]
pub(crate) struct Monotonic(Instant);

impl Monotonic {
    #[expect(clippy::disallowed_methods, reason = "this is the daemon's stopwatch")]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }
}

impl Stopwatch for Monotonic {
    fn micros(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}
