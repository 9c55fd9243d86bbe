//! How often somebody may do something of a kind that routes do not count: one allowance per key, in
//! this process.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

use skep_domain::gcra::{Allowance, Standing, Weight, decide};
use skep_domain::{Quota, Timestamp};

/// An allowance per key.
#[derive(Debug)]
pub(crate) struct Throttle<K> {
    allowance: Allowance,
    /// When each is full again.
    full_at: Mutex<HashMap<K, i64>>,
}

/// Keys held before those that are back at their full allowance are dropped.
const KEYS: usize = 10_000;

impl<K: Hash + Eq> Throttle<K> {
    pub(crate) fn new(quota: Quota) -> Self {
        Self {
            allowance: quota.into(),
            full_at: Mutex::default(),
        }
    }

    /// Takes one.
    ///
    /// # Errors
    /// Milliseconds after which there is one to take. Asking too early costs nothing.
    pub(crate) fn take(&self, key: K, now: Timestamp) -> Result<(), u64> {
        let now = now.as_micros();
        let mut held = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        if held.len() >= KEYS && !held.contains_key(&key) {
            held.retain(|_, at| *at > now);
            // With that many busy at once, one more has to wait like they do.
            if held.len() >= KEYS {
                return Err(millis(self.allowance.interval));
            }
        }
        let decision = decide(
            &[(held.get(&key).copied(), self.allowance)],
            now,
            Weight::ONE,
        );
        let full_at = decision.full_at.first().copied().unwrap_or(now);
        if !decision.allowed {
            return Err(millis(
                Standing::at(self.allowance, full_at, now, Weight::ONE).next_in,
            ));
        }
        held.insert(key, full_at);
        Ok(())
    }
}

fn millis(micros: i64) -> u64 {
    u64::try_from(micros).unwrap_or(0).div_ceil(1_000).max(1)
}

#[cfg(test)]
mod tests {
    use skep_domain::{Quota, Timestamp};

    use super::{KEYS, Throttle};

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_micros(millis * 1_000)
    }

    #[test]
    fn t12_a_burst_passes_then_one_per_interval_for_each_key() {
        let throttle = Throttle::new(Quota::new(3, 3));
        let taken: Vec<bool> = (0..5).map(|_| throttle.take("a", at(0)).is_ok()).collect();
        assert_eq!(taken, [true, true, true, false, false]);
        assert_eq!(throttle.take("a", at(400)), Err(600));
        assert_eq!(throttle.take("a", at(1_000)), Ok(()));
        assert_eq!(throttle.take("a", at(1_000)), Err(1_000));
        assert_eq!(throttle.take("b", at(1_000)), Ok(()));
    }

    #[test]
    fn the_table_of_keys_is_bounded() {
        let throttle = Throttle::new(Quota::new(1, 1));
        for key in 0..KEYS {
            assert_eq!(throttle.take(key, at(0)), Ok(()));
        }
        assert!(throttle.take(KEYS, at(0)).is_err());
        assert_eq!(throttle.take(KEYS, at(2_000)), Ok(()));
    }
}
