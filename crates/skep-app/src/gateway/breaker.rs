//! A provider that fails again and again is left alone for a while, so that callers are told at once, or go to another,
//! instead of waiting each for what does not come.

use std::sync::{Mutex, MutexGuard, PoisonError};

use skep_domain::Timestamp;

/// Failures in a row after which it is left alone.
const FAILURES: u32 = 5;
/// For how long; then one call tries it.
const REST_MICROS: i64 = 10_000_000;

/// What is known of how a provider does.
#[derive(Debug, Default)]
pub(super) struct Breaker(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// In a row.
    failures: u32,
    /// Nobody calls it before.
    rests_until: i64,
    /// Tries so far, and whether nothing has come of the last one yet.
    tries: u64,
    is_tried: bool,
}

/// Leave to call it once. One that tried it after a rest and came to nothing (its caller left, or may not pay for it)
/// leaves the try to the next.
#[derive(Debug)]
#[must_use = "dropped, the try is the next one's"]
pub(super) struct Leave<'b> {
    breaker: &'b Breaker,
    /// Which try this is, and until when it rested before.
    attempt: Option<(u64, i64)>,
}

impl Breaker {
    /// Whether it may be called now; if not, the microseconds until one may try. Of those that come then, one does, and
    /// the others wait for what comes of it.
    pub(super) fn admit(&self, now: Timestamp) -> Result<Leave<'_>, i64> {
        let mut state = self.state();
        let now = now.as_micros();
        // A clock that went back lets nobody wait for longer than a rest.
        let wait = (state.rests_until - now).min(REST_MICROS);
        let mut attempt = None;
        if state.failures >= FAILURES {
            if wait > 0 {
                return Err(wait);
            }
            state.tries += 1;
            state.is_tried = true;
            attempt = Some((state.tries, state.rests_until));
            state.rests_until = now + REST_MICROS;
        }
        Ok(Leave {
            breaker: self,
            attempt,
        })
    }

    /// It answered, whatever it said, so long as it was no failure of its own.
    pub(super) fn answered(&self) {
        let mut state = self.state();
        state.failures = 0;
        state.is_tried = false;
    }

    /// It could not be reached, was late, or said that it failed.
    pub(super) fn failed(&self, now: Timestamp) {
        let mut state = self.state();
        state.is_tried = false;
        state.failures = state.failures.saturating_add(1);
        if state.failures >= FAILURES {
            state.rests_until = now.as_micros() + REST_MICROS;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        let Some((attempt, rested_until)) = self.attempt else {
            return;
        };
        let mut state = self.breaker.state();
        if state.is_tried && state.tries == attempt {
            state.is_tried = false;
            state.rests_until = rested_until;
        }
    }
}

#[cfg(test)]
mod tests {
    use skep_domain::Timestamp;

    use super::{Breaker, FAILURES, REST_MICROS};

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros)
    }

    /// Whether somebody may call, who has not said yet what came of it.
    fn tried(breaker: &Breaker, micros: i64) -> Result<(), i64> {
        breaker.admit(at(micros)).map(std::mem::forget)
    }

    #[test]
    fn one_that_fails_is_left_alone_and_then_tried_by_one() {
        let breaker = Breaker::default();
        for _ in 1..FAILURES {
            breaker.failed(at(0));
            assert_eq!(tried(&breaker, 0), Ok(()));
        }
        // One good answer, and it begins anew.
        breaker.answered();
        for _ in 0..FAILURES {
            assert_eq!(tried(&breaker, 0), Ok(()));
            breaker.failed(at(0));
        }
        assert_eq!(tried(&breaker, 1), Err(REST_MICROS - 1));
        assert_eq!(tried(&breaker, REST_MICROS), Ok(()), "one tries");
        assert_eq!(
            tried(&breaker, REST_MICROS),
            Err(REST_MICROS),
            "and one only"
        );
        breaker.failed(at(REST_MICROS + 5));
        assert_eq!(tried(&breaker, REST_MICROS + 5), Err(REST_MICROS));
        assert_eq!(tried(&breaker, 2 * REST_MICROS + 5), Ok(()));
        breaker.answered();
        assert_eq!(tried(&breaker, 2 * REST_MICROS + 6), Ok(()));
    }

    #[test]
    fn f06_a_clock_that_went_back_holds_nobody_up_for_longer() {
        let breaker = Breaker::default();
        for _ in 0..FAILURES {
            breaker.failed(at(1_000 * REST_MICROS));
        }
        assert_eq!(tried(&breaker, 0), Err(REST_MICROS));
    }

    #[test]
    fn f03_whoever_tries_and_comes_to_nothing_leaves_the_try_to_the_next() {
        let breaker = Breaker::default();
        for _ in 0..FAILURES {
            breaker.failed(at(0));
        }
        for _ in 0..3 {
            // A caller without a budget, or one that leaves.
            drop(breaker.admit(at(REST_MICROS)).unwrap());
        }
        let first = breaker.admit(at(REST_MICROS)).unwrap();
        assert_eq!(
            tried(&breaker, REST_MICROS),
            Err(REST_MICROS),
            "one at a time"
        );
        // So long that another had its turn: what the first comes to does not count for it.
        let second = breaker.admit(at(2 * REST_MICROS)).unwrap();
        drop(first);
        assert_eq!(tried(&breaker, 2 * REST_MICROS), Err(REST_MICROS));
        breaker.failed(at(2 * REST_MICROS));
        drop(second);
        assert_eq!(
            tried(&breaker, 2 * REST_MICROS),
            Err(REST_MICROS),
            "it failed"
        );
    }
}
