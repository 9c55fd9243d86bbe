//! The record of decisions: every refusal, and every change that was allowed.
//!
//! Decisions that arrive together are written together, so that a busy daemon pays for one durable
//! write and not for each. A change waits until its decision is kept; a refusal does not wait, and
//! the same refusal many times within a moment is one entry with a count, so that a flood of them
//! costs little. Reads of others' content do not wait either, and are never given up: see [`super::reads`].

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use skep_authz::rights::AuditRead;
use skep_authz::{Authorized, Caller};
use skep_domain::{CredentialId, OrganizationId, Principal, Timestamp, UserId};
use skep_store::{AuditEntry, Credential, DoorTx, Mode, NewAudit, Outcome, PageOf};
use tokio::sync::{Notify, oneshot};
use tokio::time::timeout;

use super::alerts::Watch;
use super::door;
use crate::{App, AppError};

/// How long a change waits for its decision to be kept.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long refusals are gathered before they are written.
const GATHER: Duration = Duration::from_millis(100);
/// Kinds of refusals that are gathered; one more is counted as lost.
const GATHERED: usize = 4_096;
/// Changes that wait; one more is told that the record cannot keep up.
const WAITING: usize = 4_096;
/// Reads that were answered and are not written yet: all that a killed daemon can lose. One more is refused.
const UNWRITTEN: usize = 4_096;
/// How long after a failure reads are tried again, if nothing else is to be written.
const AGAIN: Duration = Duration::from_secs(1);

/// One decision, for the record.
#[derive(Clone, Debug, Default)]
pub struct Decision {
    /// Which action, by its name in the route table.
    pub action: String,
    /// Why it was refused, or what else there is to say. Never a secret, never content.
    pub reason: String,
    /// The request.
    pub request: String,
    /// From where, for those not yet known.
    pub peer: Option<String>,
    /// Whose record it belongs to, where no caller says.
    pub organization: Option<OrganizationId>,
    /// What it is done to, by the id that the request named.
    pub target: Option<String>,
}

/// Whom a door turned out to be opened for, as far as it is known.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Whom {
    pub(crate) user: Option<UserId>,
    /// Their record, where it is one alone; else that of each organization they belong to.
    pub(crate) organization: Option<OrganizationId>,
}

/// The request that is being answered, for what is recorded on the way.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Its id.
    pub request: String,
    /// From where.
    pub peer: Option<String>,
}

tokio::task_local! {
    /// Decisions are made deep inside use cases; which request made them is known at the edge.
    static ASKED: Asked;
}

/// Answers a request. What is recorded meanwhile names it.
pub async fn answering<T>(asked: Asked, answer: impl Future<Output = T>) -> T {
    ASKED.scope(asked, answer).await
}

impl Decision {
    /// A decision of a use case, where no row of the route table names the action.
    #[must_use]
    pub fn of(action: &str) -> Self {
        Self {
            action: action.to_owned(),
            ..Self::default()
        }
    }
}

/// Whoever wants to know that their decision is kept.
type Waiter = oneshot::Sender<bool>;

#[derive(Default)]
struct Pending {
    allowed: Vec<(NewAudit, Option<Principal>, Waiter)>,
    denied: BTreeMap<NewAudit, (Option<Principal>, Timestamp, String, u32)>,
    reads: Vec<(NewAudit, Option<Principal>)>,
    used: HashMap<CredentialId, Option<Timestamp>>,
    lost: u64,
}

/// Where decisions wait to be written.
#[derive(Default)]
pub(crate) struct Desk {
    pending: Mutex<Pending>,
    /// Reads in line, and those that are being written.
    unwritten: AtomicUsize,
    /// Who was refused lately.
    watch: Mutex<Watch>,
    bell: Notify,
    urgent: Notify,
}

/// Reads that are being written. Dropped before that is done, they are in line again: then one may stand in the
/// record twice, and none is lost.
struct Writing<'a> {
    desk: &'a Desk,
    reads: Vec<(NewAudit, Option<Principal>)>,
}

/// Writes the record, to be run by whoever owns the daemon's tasks.
pub struct AuditDesk {
    app: Arc<App>,
}

/// A page of the record.
#[derive(Debug)]
pub struct AuditPage {
    /// The entries, newest first.
    pub items: Vec<AuditEntry>,
    /// Whether there are more.
    pub more: bool,
}

impl Desk {
    fn pending(&self) -> std::sync::MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn note_use(&self, id: CredentialId, idle: Option<Timestamp>) {
        let mut pending = self.pending();
        if pending.used.len() < GATHERED {
            pending.used.insert(id, idle);
        }
        drop(pending);
        self.bell.notify_one();
    }

    pub(super) fn deny(&self, mut entry: NewAudit, principal: Option<Principal>) {
        let mut pending = self.pending();
        // What differs between two of the same kind is kept of the last one.
        let (at, request) = (entry.at, std::mem::take(&mut entry.request));
        entry.at = Timestamp::from_micros(0);
        let full = pending.denied.len() >= GATHERED;
        match pending.denied.get_mut(&entry) {
            Some(held) => *held = (principal, at, request, held.3.saturating_add(1)),
            None if full => pending.lost += 1,
            None => {
                pending.denied.insert(entry, (principal, at, request, 1));
            }
        }
        drop(pending);
        self.bell.notify_one();
    }

    /// Puts a read in line.
    pub(super) fn note_read(
        &self,
        entry: NewAudit,
        principal: Option<Principal>,
    ) -> Result<(), AppError> {
        let taken = self.unwritten.fetch_add(1, Ordering::Relaxed);
        if taken >= UNWRITTEN {
            self.unwritten.fetch_sub(1, Ordering::Relaxed);
            return Err(AppError::AuditUnavailable);
        }
        self.pending().reads.push((entry, principal));
        self.bell.notify_one();
        Ok(())
    }

    fn allow(
        &self,
        entry: NewAudit,
        principal: Option<Principal>,
    ) -> Option<oneshot::Receiver<bool>> {
        let (kept, is_kept) = oneshot::channel();
        let mut pending = self.pending();
        if pending.allowed.len() >= WAITING {
            return None;
        }
        pending.allowed.push((entry, principal, kept));
        drop(pending);
        self.urgent.notify_one();
        Some(is_kept)
    }
}

impl Writing<'_> {
    fn done(mut self) {
        let written = std::mem::take(&mut self.reads).len();
        self.desk.unwritten.fetch_sub(written, Ordering::Relaxed);
    }
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        let reads = std::mem::take(&mut self.reads);
        self.desk.pending().reads.splice(0..0, reads);
    }
}

impl App {
    /// Records that somebody was refused. It is written within a moment; nobody waits for it.
    pub fn record_denied(&self, decision: Decision, caller: Option<&Caller>) {
        let entry = self.entry(decision, caller, Outcome::Denied);
        self.desk.deny(entry, caller.map(Caller::principal));
    }

    /// Records what came of somebody who is not known yet: that they were let in, by whatever door it
    /// was, or not. What cannot be recorded is not answered, so that nobody gets what it made.
    pub(crate) async fn record_door<T>(
        &self,
        action: &str,
        whom: Whom,
        outcome: Result<T, AppError>,
    ) -> Result<T, AppError> {
        let principal = whom.user.map(Principal::User);
        let decision = Decision {
            organization: whom.organization,
            ..Decision::of(action)
        };
        match &outcome {
            Ok(_) => {
                let entry = self.entry(decision, None, Outcome::Allowed);
                self.keep_allowed(entry, principal).await?;
            }
            Err(error) => {
                let reason = match error {
                    AppError::Denied(_) => "INVALID_CREDENTIAL",
                    AppError::RateLimited { .. } => "RATE_LIMITED",
                    AppError::Forbidden(_) => "PERMISSION_DENIED",
                    _ => return outcome,
                };
                let reason = reason.to_owned();
                let decision = Decision { reason, ..decision };
                let entry = self.entry(decision, None, Outcome::Denied);
                self.desk.deny(entry, principal);
            }
        }
        outcome
    }

    /// Records that a credential was refused which proves nobody any more, in the record of whose it is.
    pub(crate) fn record_denied_of(
        &self,
        decision: Decision,
        organization: OrganizationId,
        credential: &Credential,
    ) {
        let entry = NewAudit {
            organization: Some(organization),
            workspace: Some(credential.workspace),
            credential: Some(credential.id),
            ..self.entry(decision, None, Outcome::Denied)
        };
        self.desk.deny(entry, Some(credential.principal));
    }

    /// Records that somebody was allowed to change something, before they do.
    ///
    /// # Errors
    /// [`AppError::AuditUnavailable`] when it could not be kept within two seconds: the change must
    /// not be made.
    pub async fn record_allowed(
        &self,
        decision: Decision,
        caller: Option<&Caller>,
    ) -> Result<(), AppError> {
        let entry = self.entry(decision, caller, Outcome::Allowed);
        self.keep_allowed(entry, caller.map(Caller::principal))
            .await
    }

    pub(super) async fn keep_allowed(
        &self,
        entry: NewAudit,
        principal: Option<Principal>,
    ) -> Result<(), AppError> {
        let kept = self.desk.allow(entry, principal);
        match timeout(PATIENCE, kept.ok_or(AppError::AuditUnavailable)?).await {
            Ok(Ok(true)) => Ok(()),
            _ => Err(AppError::AuditUnavailable),
        }
    }

    pub(super) fn entry(
        &self,
        decision: Decision,
        caller: Option<&Caller>,
        outcome: Outcome,
    ) -> NewAudit {
        let asked = ASKED.try_with(Clone::clone).ok();
        let (request, peer) = match asked {
            Some(asked) if decision.request.is_empty() => {
                let peer = asked.peer.filter(|_| caller.is_none());
                (asked.request, decision.peer.or(peer))
            }
            _ => (decision.request, decision.peer),
        };
        NewAudit {
            at: self.store.now(),
            action: decision.action,
            outcome,
            organization: caller
                .map_or(decision.organization, |caller| Some(caller.organization())),
            workspace: caller.map(Caller::workspace),
            credential: caller.map(Caller::credential),
            reason: decision.reason,
            request,
            peer,
            target: decision.target,
            shown: Vec::new(),
        }
    }

    /// The organization's record, newest first.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn list_audit(
        &self,
        authorized: Authorized<AuditRead>,
        page: PageOf<u64>,
    ) -> Result<AuditPage, AppError> {
        let mut tx = self.store.begin_org(authorized).await?;
        Ok(AuditPage::of(
            tx.list_audit(page.and_one()).await?,
            page.limit,
        ))
    }
}

impl AuditPage {
    /// Of one entry more than were asked for, if there are so many.
    pub(super) fn of(mut items: Vec<AuditEntry>, limit: u32) -> Self {
        let more = items.len() > limit as usize;
        items.truncate(limit as usize);
        Self { items, more }
    }
}

impl AuditDesk {
    /// The loop of an application.
    #[must_use]
    pub fn new(app: Arc<App>) -> Self {
        Self { app }
    }

    /// Writes what arrives, until it is dropped.
    pub async fn run(self) {
        let desk = &self.app.desk;
        loop {
            tokio::select! {
                () = desk.urgent.notified() => {}
                () = desk.bell.notified() => {
                    // A change that arrives meanwhile is not kept waiting.
                    let _ = timeout(GATHER, desk.urgent.notified()).await;
                }
            }
            while !self.try_write().await {
                let _ = timeout(AGAIN, desk.urgent.notified()).await;
            }
        }
    }

    /// Writes what waits now.
    pub async fn write(&self) {
        self.try_write().await;
    }

    /// Writes what waits now; `false` if reads are left.
    async fn try_write(&self) -> bool {
        let desk = &self.app.desk;
        let mut pending = std::mem::take(&mut *desk.pending());
        // Whoever waited too long was refused, so there is nothing to record of what they asked for.
        pending.allowed.retain(|(_, _, waiter)| !waiter.is_closed());
        let reads = std::mem::take(&mut pending.reads);
        let writing = Writing { desk, reads };
        let outcome = self.keep(&pending, &writing.reads).await;
        let is_done = outcome.is_ok() || writing.reads.is_empty();
        if outcome.is_ok() {
            writing.done();
        } else {
            drop(writing);
        }
        if let Err(error) = &outcome {
            let denied = pending.denied.len();
            tracing::error!(%error, denied, "decisions could not be recorded");
        }
        for (_, _, waiter) in pending.allowed {
            let _ = waiter.send(outcome.is_ok());
        }
        is_done
    }

    async fn keep(
        &self,
        pending: &Pending,
        reads: &[(NewAudit, Option<Principal>)],
    ) -> Result<(), AppError> {
        let mut entries: Vec<(NewAudit, Option<Principal>, u32)> = pending
            .allowed
            .iter()
            .map(|(entry, principal, _)| (entry.clone(), *principal, 1))
            .collect();
        let reads = reads.iter();
        entries.extend(reads.map(|(entry, principal)| (entry.clone(), *principal, 1)));
        for (entry, (principal, at, request, times)) in &pending.denied {
            let mut entry = entry.clone();
            (entry.at, entry.request) = (*at, request.clone());
            entries.push((entry, *principal, *times));
        }
        if pending.lost > 0 {
            tracing::warn!(lost = pending.lost, "more refusals than can be told apart");
        }
        let mut tx = door!(self.app, Mode::Write).await?;
        let mut placed = Vec::with_capacity(entries.len());
        for (entry, principal, times) in entries {
            for entry in in_records(&mut tx, entry, principal).await? {
                placed.push((entry, principal, times));
            }
        }
        let alerts = self.alerts(&placed);
        placed.extend(alerts);
        tx.append_audit(&placed).await?;
        for (id, idle) in &pending.used {
            tx.touch_credential(*id, *idle).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// What is to be told of those who were refused again and again.
    fn alerts(&self, placed: &[Placed]) -> Vec<Placed> {
        let app = &self.app;
        let mut watch = app
            .desk
            .watch
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let mut told = Vec::new();
        for (entry, principal, times) in placed {
            for alert in watch.note(&app.alerts, (entry, *principal), *times) {
                tracing::warn!(
                    action = alert.action,
                    reason = alert.reason,
                    "refused again and again"
                );
                told.push((alert, *principal, 1));
            }
        }
        told
    }
}

/// An entry, whose it is, and how often.
type Placed = (NewAudit, Option<Principal>, u32);

/// An entry for each record that it belongs to: what somebody does at the door concerns every
/// organization that they belong to.
async fn in_records(
    tx: &mut DoorTx,
    entry: NewAudit,
    principal: Option<Principal>,
) -> Result<Vec<NewAudit>, AppError> {
    let (None, Some(Principal::User(user))) = (entry.organization, principal) else {
        return Ok(vec![entry]);
    };
    let organizations = tx.list_organizations_of(user).await?;
    if organizations.is_empty() {
        return Ok(vec![entry]);
    }
    let entries = organizations.into_iter().map(|(organization, _)| NewAudit {
        organization: Some(organization),
        ..entry.clone()
    });
    Ok(entries.collect())
}

impl std::fmt::Debug for AuditDesk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AuditDesk")
    }
}
