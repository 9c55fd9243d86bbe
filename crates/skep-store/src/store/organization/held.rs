//! What is held of organizations' keys, and for how long it counts.

use std::collections::HashMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use skep_crypto::{KeyEncryptionKey, VaultKey};
use skep_domain::{OrganizationId, Timestamp};
use tokio::sync::Notify;

use super::{Closing, OrganizationKeeper, REFUSED};
use crate::StoreError;

/// What is held of all.
#[derive(Default)]
pub(crate) struct Owned {
    pub(super) keeper: Option<Arc<dyn OrganizationKeeper>>,
    known: Mutex<HashMap<OrganizationId, Arc<One>>>,
    /// Whether a key that the installation's alone has wrapped may be left in the store's files.
    pub(super) unscrubbed: AtomicBool,
    /// Rung whenever an answer may be another than before.
    pub(super) bell: Notify,
}

/// What is held of one organization.
#[derive(Default)]
pub(super) struct One {
    /// Held by whoever asks; others wait for the answer.
    pub(super) asking: tokio::sync::Mutex<()>,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    answer: Option<Answer>,
    /// When it was asked for.
    since: Timestamp,
    /// When somebody asked last, whatever came of it, and what was wrong then.
    asked_at: Option<Timestamp>,
    trouble: Option<String>,
    /// Counts what was forgotten: an answer to a question of before counts no more.
    round: u64,
    /// Whether the last answer was about a key of its own.
    has_own: bool,
    was_open: bool,
}

/// What is known.
#[derive(Clone)]
pub(super) struct Answer {
    place: String,
    what: Result<Option<Given>, Closing>,
    trouble: Option<String>,
}

/// What opens an organization's workspaces.
#[derive(Clone)]
pub(crate) struct Given {
    /// `None` once the key was given up.
    pub(in crate::store) lock: Option<Arc<KeyEncryptionKey>>,
    pub(super) vault: Option<Arc<VaultKey>>,
}

impl Answer {
    /// The organization has no key of its own.
    pub(super) fn nothing() -> Self {
        Self::of("", Ok(None), None)
    }

    pub(super) fn given_up(vault: Option<Arc<VaultKey>>) -> Self {
        Self::of("", Ok(Some(Given { lock: None, vault })), None)
    }

    pub(super) fn given(place: &str, lock: KeyEncryptionKey, vault: VaultKey) -> Self {
        let given = Given {
            lock: Some(Arc::new(lock)),
            vault: Some(Arc::new(vault)),
        };
        Self::of(place, Ok(Some(given)), None)
    }

    pub(super) fn closed(place: &str, closing: Closing, trouble: Option<String>) -> Self {
        Self::of(place, Err(closing), trouble)
    }

    fn of(place: &str, what: Result<Option<Given>, Closing>, trouble: Option<String>) -> Self {
        Self {
            place: place.to_owned(),
            what,
            trouble,
        }
    }

    pub(super) fn into_result(self) -> Result<Option<Given>, StoreError> {
        self.what.map_err(StoreError::Closed)
    }

    /// Whether nothing has to be asked for elsewhere: then only another node changes it, and says so.
    fn is_ours(&self) -> bool {
        self.place.is_empty()
    }
}

/// What was known of what is in force without anybody to ask is looked up again after this.
const LOOKED_UP: i64 = 60_000_000;

impl One {
    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The answer, if it is young enough: no older than its place allows, and than whoever asks does. One from the
    /// future says that the clock was put back.
    pub(super) fn fresh(
        &self,
        now: Timestamp,
        place_age: impl Fn(&str) -> i64,
        age: i64,
    ) -> Option<Answer> {
        let held = self.held();
        let answer = held.answer.as_ref()?;
        let most = match &answer.what {
            Err(_) => REFUSED,
            Ok(_) if answer.is_ours() => LOOKED_UP,
            Ok(_) => place_age(&answer.place),
        };
        let is_young = !too_old(held.since, now, most.min(age).max(0));
        // While nobody answers, not each look asks.
        let was_tried = held.trouble.is_some()
            && answer.what.is_ok()
            && held.asked_at.is_some_and(|at| !too_old(at, now, REFUSED))
            && !too_old(held.since, now, most);
        (is_young || was_tried).then(|| answer.clone())
    }

    /// Whether a key is held for longer than it may be.
    pub(super) fn is_too_old(&self, now: Timestamp, age: impl Fn(&str) -> i64) -> bool {
        let held = self.held();
        let Some(answer) = &held.answer else {
            return false;
        };
        answer.what.is_ok() && !answer.is_ours() && too_old(held.since, now, age(&answer.place))
    }

    /// Whether a key was not given, or is held for longer than it may be.
    pub(super) fn is_closed(&self, now: Timestamp, age: impl Fn(&str) -> i64) -> bool {
        let is_refused = {
            let held = self.held();
            held.answer
                .as_ref()
                .is_some_and(|answer| answer.what.is_err())
        };
        is_refused || self.is_too_old(now, age)
    }

    /// Whether there is a key of its own, or nothing is known of that.
    pub(super) fn may_own(&self) -> bool {
        let held = self.held();
        held.has_own || held.answer.is_none()
    }

    pub(super) fn round(&self) -> u64 {
        self.held().round
    }

    /// Keeps an answer to a question of this round; `None` when something was said meanwhile. That nobody
    /// answers changes nothing: what was too old when it was asked for is closed already.
    pub(super) fn keep(&self, round: u64, since: Timestamp, answer: Answer) -> Option<Answer> {
        let mut held = self.held();
        held.asked_at = Some(since);
        held.trouble.clone_from(&answer.trouble);
        if held.round != round {
            return None;
        }
        let is_away = matches!(answer.what, Err(Closing::Away));
        let given = held.answer.as_ref().filter(|before| before.what.is_ok());
        if let Some(still) = given.filter(|_| is_away) {
            return Some(still.clone());
        }
        held.has_own = !answer.is_ours();
        held.answer = Some(answer.clone());
        held.since = since;
        Some(answer)
    }

    /// Whether it is open now and was not, or the other way round, since somebody asked here.
    pub(super) fn has_moved(&self, is_open: bool) -> bool {
        std::mem::replace(&mut self.held().was_open, is_open) != is_open
    }

    /// Forgets it; what comes as an answer to an earlier question does not count.
    pub(super) fn forget(&self, closing: Option<(Closing, Timestamp)>) {
        let mut held = self.held();
        held.round += 1;
        let place = held.answer.take().map(|answer| answer.place);
        if let Some((closing, at)) = closing {
            held.has_own = true;
            held.answer = Some(Answer::closed(&place.unwrap_or_default(), closing, None));
            held.since = at;
        }
    }

    /// When somebody asked last, and what was wrong then.
    pub(super) fn told(&self) -> (Option<Timestamp>, Option<String>) {
        let held = self.held();
        (held.asked_at, held.trouble.clone())
    }

    pub(super) fn asked_at(&self) -> Option<Timestamp> {
        self.held().asked_at
    }

    pub(super) fn place(&self) -> Option<String> {
        let held = self.held();
        held.answer.as_ref().map(|answer| answer.place.clone())
    }
}

/// One from the future is too old as well.
fn too_old(since: Timestamp, now: Timestamp, age: i64) -> bool {
    let old = now.as_micros().saturating_sub(since.as_micros());
    !(0..age).contains(&old)
}

impl Owned {
    pub(super) fn one(&self, organization: OrganizationId) -> Arc<One> {
        let known = self.known.lock();
        let mut known = known.unwrap_or_else(PoisonError::into_inner);
        Arc::clone(known.entry(organization).or_default())
    }

    pub(super) fn find(&self, organization: OrganizationId) -> Option<Arc<One>> {
        let known = self.known.lock();
        let known = known.unwrap_or_else(PoisonError::into_inner);
        known.get(&organization).cloned()
    }

    pub(super) fn known(&self) -> Vec<OrganizationId> {
        let known = self.known.lock();
        let known = known.unwrap_or_else(PoisonError::into_inner);
        known.keys().copied().collect()
    }
}
