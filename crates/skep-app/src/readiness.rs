//! Whether this daemon can answer, for whoever sends it requests.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use skep_domain::Timestamp;
use skep_store::StoreError;
use tokio::time::timeout;

use crate::App;

/// What it comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// It can.
    Ready,
    /// The store does not answer.
    WithoutStore,
    /// The store answers, and does not let it do its work.
    Unserved,
    /// It is told to stop, and takes nothing new.
    Stopping,
}

/// What was seen last.
#[derive(Default)]
pub(crate) struct Looked {
    stopping: AtomicBool,
    seen: Mutex<Option<(Timestamp, Readiness)>>,
}

/// How long a look counts: however many ask, the store is asked once in this time.
const FRESH_MICROS: i64 = 1_000_000;
/// A store that takes longer does not answer.
const PATIENCE: Duration = Duration::from_secs(2);

impl Looked {
    /// What was seen lately, unless it is time for another look, which whoever is told so has to make.
    fn lately(&self, now: Timestamp) -> Option<Readiness> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let never = (Timestamp::from_micros(i64::MIN), Readiness::Ready);
        let (at, what) = seen.unwrap_or(never);
        let age = now.as_micros().saturating_sub(at.as_micros());
        if (0..FRESH_MICROS).contains(&age) {
            return Some(what);
        }
        // Others go by what was seen before until this look is over.
        *seen = Some((now, what));
        None
    }

    fn saw(&self, now: Timestamp, what: Readiness) {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, what));
    }
}

impl App {
    /// Whether it can answer, as of a second ago at most.
    pub async fn readiness(&self) -> Readiness {
        if self.looked.stopping.load(Ordering::Relaxed) {
            return Readiness::Stopping;
        }
        let now = self.store.now();
        if let Some(what) = self.looked.lately(now) {
            return what;
        }
        let what = match timeout(PATIENCE, self.store.reach()).await {
            Ok(Ok(())) => Readiness::Ready,
            Ok(Err(StoreError::Refused(_))) => Readiness::Unserved,
            Ok(Err(_)) | Err(_) => Readiness::WithoutStore,
        };
        self.looked.saw(self.store.now(), what);
        what
    }

    /// Whether nothing new should come.
    pub(crate) fn is_stopping(&self) -> bool {
        self.looked.stopping.load(Ordering::Relaxed)
    }

    /// Says that nothing new should come: it is about to stop.
    pub fn begin_stop(&self) {
        self.looked.stopping.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use skep_domain::Timestamp;

    use super::{Looked, Readiness};

    #[test]
    fn a_look_counts_for_a_second_and_one_at_a_time_is_made() {
        let (looked, at) = (Looked::default(), |ms: i64| {
            Timestamp::from_micros(ms * 1_000)
        });
        assert_eq!(looked.lately(at(0)), None);
        assert_eq!(
            looked.lately(at(0)),
            Some(Readiness::Ready),
            "somebody looks already"
        );
        looked.saw(at(10), Readiness::Unserved);
        assert_eq!(looked.lately(at(1_009)), Some(Readiness::Unserved));
        assert_eq!(looked.lately(at(1_010)), None);
        assert_eq!(looked.lately(at(1_011)), Some(Readiness::Unserved));
        // A clock that was put back.
        assert_eq!(looked.lately(at(5)), None);
    }
}
