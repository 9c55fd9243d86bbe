//! A circuit breaker: whom to stop asking for a while, with the time as an argument.

use std::sync::{Mutex, PoisonError};

use skep_domain::Timestamp;

/// Failures in a row after which nobody asks for a while.
const FAILURES: u32 = 3;
/// How long that is: what a service takes to come back, and less than a person waits.
const PAUSE_MICROS: i64 = 1_000_000;

/// Closed: everybody asks. Open: nobody does. Half open: one does, and what comes of it decides.
#[derive(Debug, Default)]
pub struct Breaker(Mutex<State>);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct State {
    /// In a row.
    failures: u32,
    /// When the last one was, or the last trial began.
    since: i64,
}

impl Breaker {
    /// Whether to ask now. While it is half open one of those who come is told to; should nothing be
    /// heard of that one, another is after the same pause.
    pub fn lets_through(&self, now: Timestamp) -> bool {
        let mut state = self.state();
        if state.failures < FAILURES {
            return true;
        }
        // A clock that went back must not keep it open for ever.
        let waited = now.as_micros() - state.since;
        if (0..PAUSE_MICROS).contains(&waited) {
            return false;
        }
        state.since = now.as_micros();
        true
    }

    /// Whether it is known to be in order, as far as one can tell without asking.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.state().failures < FAILURES
    }

    /// An answer came, whatever it said. Says whether that closed it.
    pub fn succeeded(&self) -> bool {
        let before = std::mem::take(&mut *self.state());
        before.failures >= FAILURES
    }

    /// None came, or one that says that there is none. Says whether that opened it.
    pub fn failed(&self, now: Timestamp) -> bool {
        let mut state = self.state();
        state.failures = state.failures.saturating_add(1);
        state.since = now.as_micros();
        state.failures == FAILURES
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert, prop_oneof, proptest};
    use proptest::strategy::{Just, Strategy};
    use skep_domain::Timestamp;

    use super::{Breaker, FAILURES, PAUSE_MICROS};

    #[derive(Clone, Copy, Debug)]
    enum Step {
        Asked,
        Failed,
        Succeeded,
        /// Milliseconds until the next step.
        Waited(i64),
    }

    #[test]
    fn f02_three_failures_open_it_and_one_trial_a_second_may_close_it() {
        use Step::{Asked, Failed, Succeeded, Waited};
        let breaker = Breaker::default();
        let mut now = 0;
        let table = [
            (Asked, true, "closed"),
            (Failed, true, "one"),
            (Asked, true, "still closed"),
            (Failed, true, "two"),
            (Failed, false, "three: open"),
            (Waited(999), false, "not yet"),
            (Waited(1), true, "the trial"),
            (Asked, false, "one only"),
            (Waited(500), false, "while it lasts"),
            (Failed, false, "it failed: open from then on"),
            (Waited(999), false, "not yet"),
            (Waited(1), true, "the next trial"),
            (Waited(1_000), true, "nothing was heard of it: another"),
            (Succeeded, true, "closed"),
            (Failed, true, "and it takes three again"),
            (Failed, true, "two"),
            (Failed, false, "open"),
            (
                Waited(-60_000),
                true,
                "a clock that went back opens nothing for ever",
            ),
        ];
        for (step, lets, why) in table {
            match step {
                Asked => {}
                Failed => {
                    breaker.failed(Timestamp::from_millis(now));
                }
                Succeeded => {
                    breaker.succeeded();
                }
                Waited(millis) => now += millis,
            }
            assert_eq!(
                breaker.lets_through(Timestamp::from_millis(now)),
                lets,
                "{why}"
            );
        }
    }

    fn steps() -> impl Strategy<Value = Step> {
        prop_oneof![
            3 => Just(Step::Asked),
            2 => Just(Step::Failed),
            1 => Just(Step::Succeeded),
            3 => (0i64..400).prop_map(Step::Waited),
        ]
    }

    proptest! {
        #[test]
        fn f02_whatever_happens_an_ill_service_is_asked_once_a_pause_at_most(
            steps in proptest::collection::vec(steps(), 1..300),
        ) {
            let breaker = Breaker::default();
            let (mut now, mut failures, mut last) = (0i64, 0u32, 0i64);
            for step in steps {
                let at = Timestamp::from_millis(now);
                match step {
                    Step::Waited(millis) => now += millis,
                    Step::Failed => {
                        let opens = breaker.failed(at);
                        (failures, last) = (failures + 1, now);
                        prop_assert!(opens == (failures == FAILURES));
                    }
                    Step::Succeeded => {
                        prop_assert!(breaker.succeeded() == (failures >= FAILURES));
                        failures = 0;
                    }
                    Step::Asked => {
                        let ill = failures >= FAILURES;
                        let rested = now - last >= PAUSE_MICROS / 1_000;
                        prop_assert!(breaker.lets_through(at) == (!ill || rested));
                        if ill && rested {
                            last = now;
                        }
                    }
                }
                prop_assert!(breaker.is_closed() == (failures < FAILURES));
            }
        }
    }
}
