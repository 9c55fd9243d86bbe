//! The leases under way, and whose they are.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use skep_authz::{Authorized, Right};
use skep_domain::{
    CredentialId, LeaseId, OrganizationId, Principal, TemplateId, Timestamp, WorkspaceId,
};
use skep_wire::Lease;

use super::terms::Secrets;
use super::{LeaseView, Proxy};
use crate::AppError;
use crate::access::Standing;
use crate::templates::Usable;

/// Whom a lease is for: one credential of somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Whose {
    pub(super) organization: OrganizationId,
    pub(super) workspace: WorkspaceId,
    pub(super) principal: Principal,
    pub(super) credential: CredentialId,
}

/// A template behind a lease, as it was when that began.
pub(super) struct Behind {
    pub(super) name: String,
    pub(super) id: TemplateId,
    pub(super) digest: [u8; 32],
}

/// What is known of a lease. The proxy has it too.
pub(super) struct Held {
    pub(super) id: LeaseId,
    /// Its id as its owner knows it, for the record.
    pub(super) text: String,
    pub(super) whose: Whose,
    pub(super) templates: Vec<Behind>,
    pub(super) began_at: Timestamp,
    pub(super) ends_at: Timestamp,
    pub(super) renewed: Option<Duration>,
    pub(super) secrets: Secrets,
    pub(super) uses: AtomicU64,
    pub(super) refused: AtomicU64,
    /// Microseconds of the moment until which it was renewed.
    until: AtomicI64,
    over: OnceLock<String>,
}

/// A lease under way. Dropped, it is over.
pub(super) struct Entry {
    pub(super) held: Arc<Held>,
    /// It is there to be dropped.
    #[expect(dead_code, reason = "what it does, it does when it is dropped")]
    pub(super) lease: Lease,
}

/// All of a daemon.
pub(crate) struct Leases {
    pub(super) proxy: Proxy,
    entries: Mutex<BTreeMap<LeaseId, Entry>>,
    /// Those of programs that the daemon runs. They end with their runs: nobody lists or renews one, and they
    /// count for nobody.
    of_runs: Mutex<BTreeMap<LeaseId, Entry>>,
}

impl Whose {
    pub(super) fn of<P: Right>(authorized: &Authorized<P>) -> Result<Self, AppError> {
        let (Some(principal), Some(credential)) = (authorized.principal(), authorized.credential())
        else {
            return Err(AppError::Internal("upkeep has no leases"));
        };
        Ok(Self {
            organization: authorized.organization(),
            workspace: authorized.workspace(),
            principal,
            credential,
        })
    }

    /// As the record names them.
    pub(super) fn standing(&self) -> Standing {
        Standing {
            organization: self.organization,
            workspace: self.workspace,
            principal: self.principal,
            credential: self.credential,
        }
    }
}

impl Behind {
    pub(super) fn of(usable: &Usable) -> Self {
        Self {
            name: usable.template.name().as_str().to_owned(),
            id: usable.id,
            digest: usable.template.digest(),
        }
    }
}

impl Held {
    pub(super) fn new(
        (id, text): (LeaseId, String),
        whose: Whose,
        templates: Vec<Behind>,
        (began_at, ends_at, renewed): (Timestamp, Timestamp, Option<Duration>),
        secrets: Secrets,
    ) -> Self {
        let held = Self {
            id,
            text,
            whose,
            templates,
            began_at,
            ends_at,
            renewed,
            secrets,
            uses: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            until: AtomicI64::new(ends_at.as_micros()),
            over: OnceLock::new(),
        };
        held.renew(began_at);
        held
    }

    pub(super) fn renew(&self, now: Timestamp) {
        if let Some(renewed) = self.renewed {
            let micros = i64::try_from(renewed.as_micros()).unwrap_or(i64::MAX);
            let until = now.as_micros().saturating_add(micros);
            self.until.store(until, Ordering::Relaxed);
        }
    }

    /// Nothing of it works any more, for this reason; the first one stays.
    pub(super) fn finish(&self, why: &str) {
        let _already = self.over.set(why.to_owned());
    }

    /// Why it is over, if it is.
    pub(super) fn is_over(&self, now: Timestamp) -> Option<String> {
        if let Some(why) = self.over.get() {
            return Some(why.clone());
        }
        if now >= self.ends_at {
            return Some("its time is over".into());
        }
        let until = self.until.load(Ordering::Relaxed);
        (now.as_micros() >= until).then(|| "it was not renewed".into())
    }

    /// The names of its templates.
    pub(super) fn names(&self) -> Vec<String> {
        self.templates
            .iter()
            .map(|behind| behind.name.clone())
            .collect()
    }

    fn view(&self) -> LeaseView {
        LeaseView {
            id: self.id,
            templates: self.names(),
            began_at: self.began_at,
            ends_at: self.ends_at,
            unattended: self.renewed.is_none(),
            uses: self.uses.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
        }
    }
}

impl Leases {
    pub(super) fn new(proxy: Proxy) -> Self {
        Self {
            proxy,
            entries: Mutex::default(),
            of_runs: Mutex::default(),
        }
    }

    fn entries(&self) -> MutexGuard<'_, BTreeMap<LeaseId, Entry>> {
        // Whoever panicked, each entry is whole.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn of_runs(&self) -> MutexGuard<'_, BTreeMap<LeaseId, Entry>> {
        self.of_runs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether one more is not too many, for one credential and for all.
    pub(super) fn has_room_for(&self, whose: &Whose) -> Result<(), AppError> {
        let entries = self.entries();
        if entries.len() >= self.proxy.leases {
            return Err(AppError::Overloaded("leases"));
        }
        let own = entries.values().filter(|entry| entry.held.whose == *whose);
        if own.count() < self.proxy.each {
            Ok(())
        } else {
            Err(AppError::Overloaded(
                "leases of yours: end one with skep run --end ID",
            ))
        }
    }

    pub(super) fn keep(&self, entry: Entry) -> Result<(), AppError> {
        // Others of the same credential may have begun meanwhile.
        self.has_room_for(&entry.held.whose)?;
        self.entries().insert(entry.held.id, entry);
        Ok(())
    }

    /// One of the caller's; another's is none.
    pub(super) fn get(
        &self,
        id: LeaseId,
        whose: &Whose,
        now: Timestamp,
    ) -> Result<Arc<Held>, AppError> {
        let entries = self.entries();
        let found = entries.get(&id).map(|entry| &entry.held);
        let found = found.filter(|held| held.whose == *whose && held.is_over(now).is_none());
        found.cloned().ok_or(AppError::NotFound("lease"))
    }

    pub(super) fn of(&self, whose: &Whose, now: Timestamp) -> Vec<LeaseView> {
        let entries = self.entries();
        let own = entries.values().map(|entry| &entry.held);
        let own = own.filter(|held| held.whose == *whose && held.is_over(now).is_none());
        own.map(|held| held.view()).collect()
    }

    /// Keeps the lease of a run, which the daemon bounds as it bounds runs.
    pub(super) fn keep_of_run(&self, entry: Entry) {
        self.of_runs().insert(entry.held.id, entry);
    }

    /// Of runs as well.
    pub(super) fn all(&self) -> Vec<Arc<Held>> {
        let held = |entry: &Entry| Arc::clone(&entry.held);
        let mut all: Vec<Arc<Held>> = self.entries().values().map(held).collect();
        all.extend(self.of_runs().values().map(held));
        all
    }

    /// Ends all of an organization.
    pub(crate) fn end_of(&self, organization: OrganizationId) {
        for held in self.all() {
            if held.whose.organization == organization {
                self.end(held.id);
            }
        }
    }

    /// Ends one: its listener, its connections, its password.
    pub(super) fn end(&self, id: LeaseId) {
        let mut ended = self.entries().remove(&id);
        if ended.is_none() {
            ended = self.of_runs().remove(&id);
        }
        if let Some(entry) = &ended {
            entry.held.finish("it was ended");
        }
        // Not while the others are held: closing takes its time.
        drop(ended);
    }
}
