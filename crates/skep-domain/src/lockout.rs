//! Guessing at an account: how often, and how long it is shut after.

use crate::Timestamp;

/// The failed attempts at one account, whether or not it exists: both count alike.
///
/// An attempt is booked before it is judged, so that no number of attempts at once gets more
/// judged than one after the other would.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lockout {
    attempts: u8,
    last: Timestamp,
}

/// Whether an attempt may be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// It may; this is what to keep before judging it.
    Booked(Lockout),
    /// It may not, right or wrong, before then.
    Shut {
        /// When attempts are judged again.
        until: Timestamp,
    },
}

impl Lockout {
    /// Attempts that are judged.
    pub const ATTEMPTS: u8 = 5;
    /// How long an account is shut after the last of them, and how long an attempt counts.
    pub const SHUT_MICROS: i64 = 15 * 60 * 1_000_000;

    /// Takes what was stored.
    #[must_use]
    pub const fn stored(attempts: u8, last: Timestamp) -> Self {
        Self { attempts, last }
    }

    /// Attempts that count, and when the last of them was: what to store.
    #[must_use]
    pub const fn parts(self) -> (u8, Timestamp) {
        (self.attempts, self.last)
    }

    /// Books an attempt. What was refused is not counted, so that whoever keeps trying does not shut
    /// the account for ever.
    #[must_use]
    pub fn attempt(self, now: Timestamp) -> Attempt {
        let until = Timestamp::from_micros(self.last.as_micros().saturating_add(Self::SHUT_MICROS));
        let attempts = if now >= until { 0 } else { self.attempts };
        if attempts >= Self::ATTEMPTS {
            return Attempt::Shut { until };
        }
        Attempt::Booked(Self {
            attempts: attempts + 1,
            // A clock that went back shortens nothing.
            last: now.max(self.last),
        })
    }

    /// Whether nothing of it counts any more, so that its row may go.
    #[must_use]
    pub fn is_over(self, now: Timestamp) -> bool {
        now.as_micros() >= self.last.as_micros().saturating_add(Self::SHUT_MICROS)
    }
}

#[cfg(test)]
mod tests {
    use super::{Attempt, Lockout};
    use crate::Timestamp;

    const MINUTE: i64 = 60_000_000;

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(1_000 * MINUTE + micros)
    }

    #[test]
    fn a19_five_attempts_then_fifteen_minutes() {
        let mut lockout = Lockout::default();
        for n in 1..=5 {
            let Attempt::Booked(next) = lockout.attempt(at(n)) else {
                panic!("attempt {n} is judged");
            };
            lockout = next;
        }
        let until = at(5 + 15 * MINUTE);
        for now in [at(6), at(5 + 15 * MINUTE - 1)] {
            assert_eq!(lockout.attempt(now), Attempt::Shut { until });
            assert!(!lockout.is_over(now));
        }
        assert!(lockout.is_over(until));
        assert_eq!(
            lockout.attempt(until),
            Attempt::Booked(Lockout::stored(1, until))
        );
    }

    #[test]
    fn a19_ten_thousand_guesses_get_five_judged_in_a_quarter_of_an_hour() {
        let mut lockout = Lockout::default();
        let mut judged = 0;
        for guess in 0..10_000 {
            if let Attempt::Booked(next) = lockout.attempt(at(guess * 90_000)) {
                judged += 1;
                lockout = next;
            }
        }
        assert_eq!(judged, 5, "10,000 guesses within 15 minutes");
    }

    #[test]
    fn an_attempt_is_forgotten_and_a_clock_that_goes_back_opens_nothing() {
        let once = Lockout::stored(4, at(0));
        assert_eq!(
            once.attempt(at(15 * MINUTE)),
            Attempt::Booked(Lockout::stored(1, at(15 * MINUTE)))
        );
        let Attempt::Booked(full) = once.attempt(at(-MINUTE)) else {
            panic!("the fifth is judged");
        };
        assert_eq!(full.parts(), (5, at(0)));
        assert!(matches!(full.attempt(at(-MINUTE)), Attempt::Shut { .. }));
    }
}
