//! The memory of used proofs.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use skep_domain::Timestamp;

/// What is remembered of a used proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spent {
    /// SHA-256 over the key and the `jti` of the proof.
    pub digest: [u8; 32],
    /// When it can be forgotten: the proof would be refused for its age from then on.
    pub until: Timestamp,
}

/// The memory cannot be asked, or is full. The proof must be refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the memory of used proofs is away")]
pub struct ReplayAway;

/// Remembers which proofs were used, so that each is good for one request.
#[async_trait]
pub trait Replay: Send + Sync {
    /// Since when this memory knows of every proof. What may have been used before cannot be told
    /// from what was not, and is refused.
    fn knows_since(&self) -> Timestamp;

    /// Remembers a proof. `false` if it was there already: of two at once, one gets `true`.
    ///
    /// # Errors
    /// [`ReplayAway`]: fail closed.
    async fn spend(&self, spent: Spent, now: Timestamp) -> Result<bool, ReplayAway>;
}

/// A memory of one process, with a bound.
///
/// It begins empty, so it knows nothing from before its start and says so. When it is full it
/// refuses rather than forgets: forgetting would let a flood of proofs make room for a replay.
pub struct LocalReplay {
    since: Timestamp,
    most: usize,
    used: Mutex<Used>,
}

#[derive(Default)]
struct Used {
    until: HashMap<[u8; 32], Timestamp>,
    /// The same by the instant at which they may go.
    queue: BTreeSet<(Timestamp, [u8; 32])>,
}

impl LocalReplay {
    /// An empty memory for at most this many proofs, begun now.
    #[must_use]
    pub fn new(most: usize, now: Timestamp) -> Self {
        Self {
            since: now,
            most,
            used: Mutex::default(),
        }
    }
}

#[async_trait]
impl Replay for LocalReplay {
    fn knows_since(&self) -> Timestamp {
        self.since
    }

    async fn spend(&self, spent: Spent, now: Timestamp) -> Result<bool, ReplayAway> {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.forget(now);
        if used.until.contains_key(&spent.digest) {
            return Ok(false);
        }
        if used.until.len() >= self.most {
            return Err(ReplayAway);
        }
        used.until.insert(spent.digest, spent.until);
        used.queue.insert((spent.until, spent.digest));
        Ok(true)
    }
}

impl Used {
    fn forget(&mut self, now: Timestamp) {
        while let Some(&(until, digest)) = self.queue.first() {
            if until > now {
                break;
            }
            self.queue.pop_first();
            self.until.remove(&digest);
        }
    }
}
