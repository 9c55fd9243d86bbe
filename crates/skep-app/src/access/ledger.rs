//! The ledger as it is shown and signed: checkpoints, proofs, exports, and the desk that signs what no checkpoint
//! stands for yet and hands it to a witness.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use skep_authz::rights::{AuditExport, AuditRead};
use skep_authz::{Authorized, Caller};
use skep_ledger::{
    Header, LineError, Log, checkpoint_record, damaged_record, entry_record, erased_record,
};
use skep_store::row::{CheckpointRow, LogKey};
use skep_store::{Inclusion, Line, LogHead, Mode, PageOf, StoreError};
use tokio::time::sleep;

use super::audit::Decision;
use super::door;
use super::witness::{Witness, WitnessHook};
use crate::{App, AppError, Invalid};

/// How often heads are signed that have moved: twice a minute, so that none is older than a minute.
const PERIOD: Duration = Duration::from_secs(30);
/// Logs that are signed in one transaction, and asked for at a time.
const LOGS: u32 = 200;
/// Entries of an export that are read at a time.
const ENTRIES: u32 = 500;

/// A page of a log's checkpoints.
#[derive(Debug)]
pub struct CheckpointPage {
    /// The log.
    pub head: LogHead,
    /// The checkpoints, newest first.
    pub items: Vec<CheckpointRow>,
    /// Whether there are more.
    pub more: bool,
}

/// What is to be proved of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ToProve {
    /// That the entry at a place is in it.
    Entry(u64),
    /// That it begins with what it was when it had so many entries.
    Old(u64),
}

/// A proof.
#[derive(Debug)]
pub struct Proved {
    /// The log.
    pub head: LogHead,
    /// The entries of the tree that the proof leads to.
    pub size: u64,
    /// The checkpoint of just this tree, if there is one.
    pub checkpoint: Option<String>,
    /// The entry's leaf and its index.
    pub entry: Option<Inclusion>,
    /// The hashes.
    pub hashes: Vec<skep_ledger::Hash>,
}

/// An export under way.
#[derive(Debug)]
pub struct LogExport {
    log: Log,
    header: Option<Header>,
    next: u64,
    end: u64,
    first: u64,
}

/// Signs the heads of logs, to be run by whoever owns the daemon's tasks.
pub struct LedgerDesk {
    app: Arc<App>,
    witness: Option<Witness>,
    hook: Option<Arc<WitnessHook>>,
}

impl App {
    /// A page of a log's checkpoints, newest first; `before` is a size.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn list_checkpoints(
        &self,
        authorized: Authorized<AuditRead>,
        log: Log,
        page: PageOf<u64>,
    ) -> Result<CheckpointPage, AppError> {
        self.meter.catch_up().await;
        let mut tx = self.store.begin_org(authorized).await?;
        let head = tx.log_head(log).await?;
        let mut items = tx.list_checkpoints(log, page.and_one()).await?;
        let more = items.len() > page.limit as usize;
        items.truncate(page.limit as usize);
        Ok(CheckpointPage { head, items, more })
    }

    /// A proof that leads to the tree of so many entries: if nobody says how many, to that of the last checkpoint.
    ///
    /// # Errors
    /// [`AppError::NotFound`] where there is no such entry or no such tree.
    pub async fn prove(
        &self,
        authorized: Authorized<AuditRead>,
        (log, what): (Log, ToProve),
        size: Option<u64>,
    ) -> Result<Proved, AppError> {
        self.meter.catch_up().await;
        let mut tx = self.store.begin_org(authorized).await?;
        let head = tx.log_head(log).await?;
        let up_to = PageOf {
            limit: 1,
            before: size.map(|size| size.saturating_add(1)),
        };
        let last = tx.list_checkpoints(log, up_to).await?.pop();
        let size = size
            .or(last.as_ref().map(|last| last.size))
            .ok_or(AppError::NotFound("checkpoint yet"))?;
        let checkpoint = last.filter(|last| last.size == size).map(|last| last.note);
        let (entry, hashes) = match what {
            ToProve::Entry(seq) => {
                let proved = tx.prove_inclusion(log, seq, size).await?;
                let mut proved =
                    proved.ok_or(AppError::NotFound("entry in a tree of that size"))?;
                let hashes = std::mem::take(&mut proved.proof);
                (Some(proved), hashes)
            }
            ToProve::Old(old) => {
                let proved = tx.prove_consistency(log, old, size).await?;
                (
                    None,
                    proved.ok_or(AppError::NotFound("two trees of these sizes"))?,
                )
            }
        };
        Ok(Proved {
            head,
            size,
            checkpoint,
            entry,
            hashes,
        })
    }

    /// Begins an export of a whole log: what it has now, with a checkpoint that stands for all of it. That
    /// somebody takes it is recorded first.
    ///
    /// # Errors
    /// [`AppError::AuditUnavailable`], [`AppError::Store`].
    pub async fn begin_log_export(
        &self,
        caller: &Caller,
        authorized: Authorized<AuditExport>,
        log: Log,
    ) -> Result<LogExport, AppError> {
        self.meter.catch_up().await;
        let organization = caller.organization();
        let decision = Decision {
            target: Some(log.to_string()),
            ..Decision::of("audit.export")
        };
        self.record_allowed(decision, Some(caller)).await?;
        let mut tx = door!(self, Mode::Write).await?;
        tx.sign_ledger(LogKey::new(Some(organization), log)).await?;
        tx.commit().await?;
        let mut tx = self.store.begin_org(authorized).await?;
        let head = tx.log_head(log).await?;
        let size = tx.last_checkpoint(log).await?.map_or(0, |last| last.size);
        let whose = (skep_domain::Id::to_bytes(organization), log);
        let header = Header::new(whose, (head.origin, head.key), (head.first, size));
        Ok(LogExport {
            log,
            header: Some(header),
            next: head.first,
            end: head.first + size,
            first: head.first,
        })
    }

    /// The next part of an export, in a transaction of its own; `None` after the last.
    ///
    /// # Errors
    /// [`AppError::Store`], and [`AppError::Denied`] when the right has gone meanwhile.
    pub async fn next_of_log(
        &self,
        caller: &Caller,
        export: &mut LogExport,
    ) -> Result<Option<Vec<u8>>, AppError> {
        if let Some(header) = export.header.take() {
            return Ok(Some(
                (header.to_record().map_err(unwritten)? + "\n").into_bytes(),
            ));
        }
        if export.next >= export.end {
            return Ok(None);
        }
        let authorized = caller.authorize::<AuditExport>()?;
        let mut tx = self.store.begin_org(authorized).await?;
        let from = export.next;
        let limit = u32::try_from(export.end - from).map_or(ENTRIES, |left| left.min(ENTRIES));
        let entries = tx.export_entries(export.log, from, limit).await?;
        // What is missing in the store is missing here: the verifier names it.
        let last = entries.last().map_or(export.end, |entry| entry.seq + 1);
        export.next = last.min(export.end);
        let signed = export.sizes(from)..=export.sizes(export.next);
        let after = tx
            .checkpoints_from(export.log, signed.start() + 1, limit)
            .await?;
        let after = after.into_iter();
        let mut checkpoints = after
            .take_while(|row| signed.contains(&row.size))
            .peekable();
        let mut part = String::new();
        for entry in entries {
            if entry.seq >= export.end {
                break;
            }
            let before = export.sizes(entry.seq);
            while let Some(row) = checkpoints.next_if(|row| row.size <= before) {
                put(&mut part, checkpoint_record(&row.note))?;
            }
            let record = match entry.line {
                Line::Whole(line) => Ok(entry_record(&entry.leaf, &line)),
                Line::Erased => erased_record(&entry.leaf, entry.seq),
                Line::Damaged => damaged_record(&entry.leaf, entry.seq),
            };
            put(&mut part, record)?;
        }
        for row in checkpoints {
            put(&mut part, checkpoint_record(&row.note))?;
        }
        Ok(Some(part.into_bytes()))
    }

    /// The log of a name; the record of decisions if there is none.
    ///
    /// # Errors
    /// [`AppError::Invalid`].
    pub fn log_of(name: Option<&str>) -> Result<Log, AppError> {
        match name {
            None => Ok(Log::Audit),
            Some(name) => Log::parse(name)
                .ok_or_else(|| Invalid::unknown("log", "There are two logs: audit and usage.")),
        }
    }
}

impl LogExport {
    /// The entries before a place.
    fn sizes(&self, place: u64) -> u64 {
        place.saturating_sub(self.first)
    }
}

fn put(part: &mut String, record: Result<String, LineError>) -> Result<(), AppError> {
    part.push_str(&record.map_err(unwritten)?);
    part.push('\n');
    Ok(())
}

fn unwritten(error: LineError) -> AppError {
    AppError::Store(StoreError::Damaged(error.0))
}

impl LedgerDesk {
    /// The loop of an application, with the file of a witness if there is one.
    #[must_use]
    pub fn new(app: Arc<App>, witness: Option<PathBuf>) -> Self {
        let witness = witness.map(Witness::new);
        Self {
            app,
            witness,
            hook: None,
        }
    }

    /// With a witness that is sent them.
    #[must_use]
    pub fn with_hook(mut self, hook: Option<Arc<WitnessHook>>) -> Self {
        self.hook = hook;
        self
    }

    /// Signs what has moved, twice a minute, until it is dropped.
    pub async fn run(self) {
        loop {
            self.turn().await;
            sleep(PERIOD).await;
        }
    }

    /// Signs what has moved, and tells the witness.
    pub async fn turn(&self) {
        if let Err(error) = self.sign().await {
            tracing::error!(%error, "heads of logs could not be signed");
        }
        if self.witness.is_none() && self.hook.is_none() {
            return;
        }
        if let Err(error) = self.tell().await {
            tracing::error!(%error, "the witness of the logs was not told");
        }
    }

    async fn sign(&self) -> Result<(), AppError> {
        loop {
            let mut tx = door!(self.app, Mode::Read).await?;
            let ahead = tx.list_ledgers_ahead(LOGS).await?;
            drop(tx);
            if ahead.is_empty() {
                return Ok(());
            }
            let mut tx = door!(self.app, Mode::Write).await?;
            for log in &ahead {
                tx.sign_ledger(log.key).await?;
            }
            tx.commit().await?;
            if ahead.len() < LOGS as usize {
                return Ok(());
            }
        }
    }

    async fn tell(&self) -> Result<(), AppError> {
        let (mut after, mut file, mut hook) = (None, self.witness.as_ref(), self.hook.as_ref());
        while file.is_some() || hook.is_some() {
            let mut tx = door!(self.app, Mode::Read).await?;
            let last = tx.list_last_checkpoints(after, LOGS).await?;
            drop(tx);
            let notes: Vec<&str> = last.iter().map(|(_, row)| &*row.note).collect();
            if let Some(witness) = file
                && let Err(error) = witness.tell(&notes).await
            {
                tracing::error!(%error, "the file of the witness cannot be written");
                file = None;
            }
            if let Some(witness) = hook
                && let Err(problem) = witness.tell(&notes, self.app.store.now()).await
            {
                tracing::error!(problem, "the witness did not take a checkpoint");
                hook = None;
            }
            after = last.last().map(|(key, _)| *key);
            if last.len() < LOGS as usize {
                return Ok(());
            }
        }
        Ok(())
    }
}

impl std::fmt::Debug for LedgerDesk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LedgerDesk")
    }
}
