//! What was answered a moment ago: held for a second, and only as long as news of revocations come.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use skep_authz::Caller;
use skep_domain::Timestamp;

/// How long an answer counts, from when it was asked for. An acceptance may outlive its revocation by
/// five seconds at most, and by one as a rule.
pub(crate) const FRESH_MICROS: i64 = 1_000_000;
/// How long the news count as coming after the last of them.
pub(crate) const HEARD_MICROS: i64 = 1_000_000;
/// Answers held.
const HELD: usize = 10_000;

/// By a keyed fingerprint of the credential.
#[derive(Debug, Default)]
pub(crate) struct Cache(Mutex<Held>);

#[derive(Debug, Default)]
struct Held {
    answers: HashMap<[u8; 32], (Timestamp, Caller)>,
    /// When news last came; `None` when they do not.
    heard: Option<Timestamp>,
    /// Grows with each forgetting.
    epoch: u64,
}

/// When an answer was asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    at: Timestamp,
    epoch: u64,
}

impl Cache {
    /// To be taken before asking, so that an answer that a revocation overtook is not kept.
    pub(crate) fn asked(&self, now: Timestamp) -> Asked {
        Asked {
            at: now,
            epoch: self.held().epoch,
        }
    }

    pub(crate) fn get(&self, print: &[u8; 32], now: Timestamp) -> Option<Caller> {
        let held = self.held();
        if !within(held.heard?, now, HEARD_MICROS) {
            return None;
        }
        let (at, caller) = held.answers.get(print)?;
        let ended = caller.expires_at().is_some_and(|end| end <= now);
        (within(*at, now, FRESH_MICROS) && !ended).then(|| caller.clone())
    }

    pub(crate) fn put(&self, print: [u8; 32], asked: Asked, caller: &Caller) {
        let mut held = self.held();
        if held.heard.is_none() || held.epoch != asked.epoch {
            return;
        }
        if held.answers.len() >= HELD {
            held.answers.clear();
        }
        held.answers.insert(print, (asked.at, caller.clone()));
    }

    pub(crate) fn remove(&self, print: &[u8; 32]) {
        self.held().answers.remove(print);
    }

    /// News came: that nothing was revoked, or that something was.
    pub(crate) fn heard(&self, now: Timestamp, revoked: bool) {
        let mut held = self.held();
        held.heard = Some(now);
        if revoked {
            held.forget();
        }
    }

    /// News come no more.
    pub(crate) fn deaf(&self) {
        let mut held = self.held();
        held.heard = None;
        held.forget();
    }

    fn held(&self) -> std::sync::MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn forget(&mut self) {
        self.answers.clear();
        self.epoch += 1;
    }
}

/// Whether less than `micros` have gone by since; a clock that went back says no.
fn within(since: Timestamp, now: Timestamp, micros: i64) -> bool {
    (0..micros).contains(&(now.as_micros() - since.as_micros()))
}

#[cfg(test)]
mod tests;
