//! How often somebody may do something: the generic cell rate algorithm (GCRA, ITU-T I.371) in
//! memory, with the time as an argument.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

use skep_domain::Timestamp;

/// An allowance per key: so many at once, and then one per interval.
#[derive(Debug)]
pub struct Allowance<K> {
    /// Microseconds between two calls of somebody who calls all the time.
    interval: i64,
    /// Microseconds by which calls may come early.
    burst: i64,
    /// When the next call of a key would be on time.
    due: Mutex<HashMap<K, i64>>,
}

/// Keys held before those that are back at their full allowance are dropped.
const KEYS: usize = 10_000;

impl<K: Hash + Eq> Allowance<K> {
    /// `burst` calls at once, and `per_minute` in the long run; both at least one.
    #[must_use]
    pub fn new(burst: u32, per_minute: u32) -> Self {
        let interval = 60_000_000 / i64::from(per_minute.max(1));
        Self {
            interval,
            burst: interval * i64::from(burst.max(1) - 1),
            due: Mutex::default(),
        }
    }

    /// Takes one.
    ///
    /// # Errors
    /// Milliseconds after which there is one to take. Asking too early costs nothing.
    pub fn take(&self, key: K, now: Timestamp) -> Result<(), u64> {
        let now = now.as_micros();
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        if due.len() >= KEYS && !due.contains_key(&key) {
            due.retain(|_, at| *at > now);
            // With that many busy at once, one more has to wait like they do.
            if due.len() >= KEYS {
                return Err(millis(self.interval));
            }
        }
        let at = due.get(&key).copied().unwrap_or(now).max(now);
        let early = at - now;
        if early > self.burst {
            return Err(millis(early - self.burst));
        }
        due.insert(key, at + self.interval);
        Ok(())
    }
}

fn millis(micros: i64) -> u64 {
    u64::try_from(micros).unwrap_or(0).div_ceil(1_000).max(1)
}

#[cfg(test)]
mod tests {
    use super::{Allowance, KEYS};
    use proptest::prelude::{prop_assert, proptest};
    use skep_domain::Timestamp;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_micros(millis * 1_000)
    }

    #[test]
    fn t12_a_burst_passes_then_one_per_interval() {
        let allowance = Allowance::new(3, 60);
        let taken: Vec<bool> = (0..5).map(|_| allowance.take("a", at(0)).is_ok()).collect();
        assert_eq!(taken, [true, true, true, false, false]);
        assert_eq!(allowance.take("a", at(0)), Err(1_000));
        assert_eq!(allowance.take("a", at(400)), Err(600));
        assert_eq!(allowance.take("a", at(1_000)), Ok(()));
        assert_eq!(allowance.take("a", at(1_000)), Err(1_000));
        assert_eq!(
            allowance.take("b", at(1_000)),
            Ok(()),
            "each key has its own"
        );
        let idle: Vec<bool> = (0..4)
            .map(|_| allowance.take("a", at(60_000)).is_ok())
            .collect();
        assert_eq!(
            idle,
            [true, true, true, false],
            "idling saves up no more than a burst"
        );
    }

    #[test]
    fn the_table_of_keys_is_bounded() {
        let allowance = Allowance::new(1, 60);
        for key in 0..KEYS {
            assert_eq!(allowance.take(key, at(0)), Ok(()));
        }
        assert!(allowance.take(KEYS, at(0)).is_err());
        assert_eq!(allowance.take(KEYS, at(2_000)), Ok(()));
    }

    proptest! {
        #[test]
        fn t12_no_timing_of_calls_gets_more_than_the_burst_and_the_rate(
            steps in proptest::collection::vec(0i64..700, 1..200), burst in 1u32..9,
        ) {
            let allowance = Allowance::new(burst, 120);
            let (mut now, mut passed) = (0, 0);
            for step in steps {
                now += step;
                passed += i64::from(allowance.take((), at(now)).is_ok());
            }
            prop_assert!(passed <= i64::from(burst) + now / 500, "{passed} in {now} ms");
        }
    }
}
