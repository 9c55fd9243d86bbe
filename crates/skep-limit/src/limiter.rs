//! One call against its allowances: in the shared store if there is one, else here.

use std::sync::atomic::{AtomicU64, Ordering};

use skep_crypto::MacKey;
use skep_domain::gcra::{Allowance, Decision, Standing, Weight};
use skep_domain::{Quota, RateClass, RateKey, Timestamp, WhenAway};

use crate::local::Local;
use crate::shared::Shared;
use crate::subject::{Fingerprint, Subject};

/// Counts calls.
#[derive(Debug)]
pub struct Limiter {
    local: Local,
    shared: Option<Shared>,
    nodes: u32,
    alone: AtomicU64,
    refused: AtomicU64,
}

/// The store that nodes share is away, and this class is closed then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("rate limits cannot be checked")]
pub struct Away;

/// What came of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Whether it goes on.
    pub allowed: bool,
    /// The allowance that is nearest to its end: what to tell the caller.
    pub standing: Standing,
    /// Whose allowance that is.
    pub key: RateKey,
}

/// How counting goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// Where the shared store is and whether it is up, if there is one.
    pub shared: Option<(String, bool)>,
    /// Nodes that share the allowances.
    pub nodes: u32,
    /// How often the shared store went away.
    pub outages: u64,
    /// Calls counted here because it was away.
    pub alone: u64,
    /// Calls turned away because it was.
    pub refused: u64,
    /// Keys held here.
    pub keys: usize,
}

impl Limiter {
    /// Counts in this process, for a daemon that is alone.
    #[must_use]
    pub fn local() -> Self {
        Self {
            local: Local::default(),
            shared: None,
            nodes: 1,
            alone: AtomicU64::new(0),
            refused: AtomicU64::new(0),
        }
    }

    /// Counts in a store that `nodes` nodes share.
    #[must_use]
    pub fn shared(shared: Shared, nodes: u32) -> Self {
        Self {
            shared: Some(shared),
            nodes: nodes.max(1),
            ..Self::local()
        }
    }

    /// Takes one call from each of the allowances of these subjects, or from none. A subject that no
    /// rule of the class counts is passed over. `key` keeps who they are from the shared store.
    ///
    /// # Errors
    /// [`Away`] for a closed class whose store cannot be asked.
    pub async fn take(
        &self,
        key: &MacKey,
        class: RateClass,
        subjects: &[(Subject<'_>, Quota)],
        now: Timestamp,
    ) -> Result<Option<Taken>, Away> {
        self.take_at(key, class, subjects, (now, false), Weight::ONE)
            .await
    }

    /// As [`Self::take`], so much at once.
    ///
    /// # Errors
    /// As [`Self::take`].
    pub async fn take_weight(
        &self,
        key: &MacKey,
        class: RateClass,
        subjects: &[(Subject<'_>, Quota)],
        (now, weight): (Timestamp, Weight),
    ) -> Result<Option<Taken>, Away> {
        self.take_at(key, class, subjects, (now, false), weight)
            .await
    }

    /// As [`Self::take`], with the shared store going by `now` too instead of its own clock. For
    /// tests that turn the clock.
    ///
    /// # Errors
    /// As [`Self::take`].
    pub async fn take_at(
        &self,
        key: &MacKey,
        class: RateClass,
        subjects: &[(Subject<'_>, Quota)],
        (now, by_our_clock): (Timestamp, bool),
        weight: Weight,
    ) -> Result<Option<Taken>, Away> {
        if subjects.is_empty() {
            return Ok(None);
        }
        let now = now.as_micros();
        if let Some(shared) = &self.shared {
            let asked = asked(key, class, subjects, 1);
            let clock = by_our_clock.then_some(now);
            if let Some((decision, now)) = shared.take(&asked, (clock, weight)).await {
                return Ok(tightest(subjects, &asked, &decision, (now, weight)));
            }
            if class.when_away() == WhenAway::Refuse {
                self.refused.fetch_add(1, Ordering::Relaxed);
                return Err(Away);
            }
            self.alone.fetch_add(1, Ordering::Relaxed);
        }
        let asked = asked(key, class, subjects, self.nodes);
        let decision = self.local.take(class, &asked, (now, weight));
        Ok(tightest(subjects, &asked, &decision, (now, weight)))
    }

    /// Keeps the link to the shared store, as long as it is polled.
    pub async fn run(&self) {
        match &self.shared {
            Some(shared) => shared.keep().await,
            None => std::future::pending().await,
        }
    }

    /// The shared store, if there is one.
    #[must_use]
    pub fn store(&self) -> Option<&Shared> {
        self.shared.as_ref()
    }

    /// How counting goes.
    #[must_use]
    pub fn state(&self) -> State {
        State {
            shared: self
                .shared
                .as_ref()
                .map(|shared| (shared.address(), shared.is_up())),
            nodes: self.nodes,
            outages: self.shared.as_ref().map_or(0, Shared::outages),
            alone: self.alone.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
            keys: self.local.len(),
        }
    }
}

fn asked(
    key: &MacKey,
    class: RateClass,
    subjects: &[(Subject<'_>, Quota)],
    nodes: u32,
) -> Vec<(Fingerprint, Allowance)> {
    subjects
        .iter()
        .map(|(subject, quota)| {
            let print = subject.fingerprint(key, class);
            (print, quota.shared_among(nodes).into())
        })
        .collect()
}

/// The allowance that refuses longest, else the one with the least left.
fn tightest(
    subjects: &[(Subject<'_>, Quota)],
    asked: &[(Fingerprint, Allowance)],
    decision: &Decision,
    (now, weight): (i64, Weight),
) -> Option<Taken> {
    let standings = asked.iter().zip(&decision.full_at).zip(subjects).map(
        |(((_, allowance), full_at), (subject, _))| Taken {
            allowed: decision.allowed,
            standing: Standing::at(*allowance, *full_at, now, weight),
            key: subject.key(),
        },
    );
    if decision.allowed {
        standings.min_by_key(|taken| taken.standing.remaining)
    } else {
        standings.max_by_key(|taken| taken.standing.next_in)
    }
}
