//! Counting in this process: a table a class, bounded, the longest idle dropped first.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use skep_domain::RateClass;
use skep_domain::gcra::{Allowance, Decision, Weight, decide};

use crate::subject::Fingerprint;

/// Keys of one class that are held at most: some 5 MiB in the worst case.
const KEYS: usize = 1 << 16;

/// The allowances of every class. What strangers can make up in one class pushes nothing out of
/// another.
#[derive(Debug)]
pub struct Local {
    classes: [Mutex<Table>; RateClass::ALL.len() + 1],
}

/// Two generations: a key that is used moves to the younger; when that is full the older is dropped
/// and the younger takes its place. So a call costs the same however many keys there are, and what
/// is dropped has been idle longer than half of all keys.
#[derive(Debug)]
struct Table {
    young: HashMap<Fingerprint, i64>,
    old: HashMap<Fingerprint, i64>,
    half: usize,
}

impl Default for Local {
    fn default() -> Self {
        Self::bounded(KEYS)
    }
}

impl Local {
    /// Holds at most `keys` keys of each class; at least two.
    #[must_use]
    pub fn bounded(keys: usize) -> Self {
        Self {
            classes: std::array::from_fn(|_| {
                Mutex::new(Table {
                    young: HashMap::new(),
                    old: HashMap::new(),
                    half: (keys / 2).max(1),
                })
            }),
        }
    }

    pub(crate) fn take(
        &self,
        class: RateClass,
        asked: &[(Fingerprint, Allowance)],
        (now, weight): (i64, Weight),
    ) -> Decision {
        let mut table = self.table(class);
        let states: Vec<_> = asked
            .iter()
            .map(|(key, allowance)| (table.get(key), *allowance))
            .collect();
        let decision = decide(&states, now, weight);
        for ((key, _), full_at) in asked.iter().zip(&decision.full_at) {
            table.put(*key, *full_at);
        }
        decision
    }

    /// Keys held.
    #[must_use]
    pub fn len(&self) -> usize {
        let tables = self.classes.iter();
        tables
            .map(|table| {
                let table = table.lock().unwrap_or_else(PoisonError::into_inner);
                table.young.len() + table.old.len()
            })
            .sum()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn table(&self, class: RateClass) -> std::sync::MutexGuard<'_, Table> {
        self.classes[class as usize]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn get(&self, key: &Fingerprint) -> Option<i64> {
        self.young.get(key).or_else(|| self.old.get(key)).copied()
    }

    fn put(&mut self, key: Fingerprint, full_at: i64) {
        self.old.remove(&key);
        self.young.insert(key, full_at);
        if self.young.len() > self.half {
            self.old = std::mem::take(&mut self.young);
            if let Some(at) = self.old.remove(&key) {
                self.young.insert(key, at);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use skep_domain::gcra::Weight;
    use skep_domain::{Quota, RateClass};

    use super::Local;
    use crate::subject::Fingerprint;

    fn key(number: u32) -> Fingerprint {
        let mut bytes = [0; 16];
        bytes[..4].copy_from_slice(&number.to_be_bytes());
        Fingerprint(bytes)
    }

    fn take(local: &Local, class: RateClass, number: u32) -> bool {
        let once = Quota::new(1, 3_600).into();
        local
            .take(class, &[(key(number), once)], (0, Weight::ONE))
            .allowed
    }

    #[test]
    fn n16_random_keys_take_bounded_room_and_push_out_the_longest_idle_only() {
        let local = Local::bounded(1_000);
        assert!(take(&local, RateClass::Login, 0));
        for number in 1..100_000 {
            assert!(take(&local, RateClass::Login, number));
            assert!(local.len() <= 1_001, "{}", local.len());
            if number % 400 == 0 {
                assert!(!take(&local, RateClass::Login, 0), "in use, so still known");
            }
        }
        assert!(!take(&local, RateClass::Login, 99_600), "just used");
        assert!(take(&local, RateClass::Login, 90_000), "long idle");
    }

    #[test]
    fn n16_what_strangers_make_up_pushes_nothing_out_of_other_classes() {
        let local = Local::bounded(10);
        assert!(take(&local, RateClass::Api, 0));
        for number in 0..1_000 {
            take(&local, RateClass::Login, number);
        }
        assert!(!take(&local, RateClass::Api, 0));
        assert!(!local.is_empty());
    }
}
