//! Reads of content by others than its owner: what a request shows is gathered while it is answered, and is one
//! entry of the record then.
//!
//! Nobody waits for it to be written: an entry is in line before its answer goes out, and in the store within a
//! moment ([ADR 0035](../../../../docs/adr/0035-reads-are-recorded.md)). When too many are in line, whoever would be
//! shown something of others is refused.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use skep_authz::rights::{AuditRead, MemoryRead};
use skep_authz::{Authorized, Caller};
use skep_domain::{MemoryId, Principal};
use skep_store::{Memory, Mode, NewAudit, Outcome, PageOf, Piece};

use super::audit::{AuditPage, Decision};
use super::door;
use crate::{App, AppError};

/// Pieces that one entry names; what shows more has several.
const NAMED: usize = 256;

/// The action of such an entry.
const READ: &str = "content.read";

/// What happens to reads of others' content while nothing can be recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reads {
    /// They go on until too many are in line.
    #[default]
    Allow,
    /// None is answered before its entry is kept.
    Deny,
}

struct Showing {
    reader: Principal,
    shown: Mutex<BTreeSet<Piece>>,
}

tokio::task_local! {
    /// The request that is being answered, and what it shows.
    static SHOWING: Arc<Showing>;
}

/// Answers somebody, and gathers what of others' content that shows them.
pub async fn showing<T>(reader: Principal, answer: impl Future<Output = T>) -> (T, Vec<Piece>) {
    let showing = Arc::new(Showing {
        reader,
        shown: Mutex::default(),
    });
    let answer = SHOWING.scope(Arc::clone(&showing), answer).await;
    let mut shown = showing.shown.lock().unwrap_or_else(PoisonError::into_inner);
    let shown = std::mem::take(&mut *shown);
    (answer, shown.into_iter().collect())
}

/// Something of this owner's goes into the answer. Whatever returns content says so, here or at the edge; what the
/// daemon does by itself shows nobody anything.
pub fn show(owner: Principal, what: Piece) {
    let _of_no_request = SHOWING.try_with(|showing| {
        if showing.reader != owner {
            let mut shown = showing.shown.lock().unwrap_or_else(PoisonError::into_inner);
            shown.insert(what);
        }
    });
}

/// A memory goes into the answer, or a part of one.
pub fn show_memory(memory: &Memory) {
    show(memory.owner, Piece::Memory(memory.id));
}

impl App {
    /// Treats reads of others' content like this.
    #[must_use]
    pub fn with_reads(mut self, reads: Reads) -> Self {
        self.reads = reads;
        self
    }

    /// Records what of others' content an answer shows, before it goes out.
    ///
    /// # Errors
    /// [`AppError::AuditUnavailable`]: it must not go out.
    pub async fn record_shown(
        &self,
        why: Decision,
        caller: &Caller,
        shown: &[Piece],
    ) -> Result<(), AppError> {
        for part in shown.chunks(NAMED) {
            let why = Decision {
                action: READ.to_owned(),
                ..why.clone()
            };
            let entry = NewAudit {
                shown: part.to_vec(),
                ..self.entry(why, Some(caller), Outcome::Allowed)
            };
            let principal = Some(caller.principal());
            match self.reads {
                Reads::Allow => self.desk.note_read(entry, principal)?,
                Reads::Deny => self.keep_allowed(entry, principal).await?,
            }
        }
        Ok(())
    }

    /// Who was shown a memory that is not theirs, newest first: for its owner, and for whoever may read the record.
    ///
    /// # Errors
    /// [`AppError::NotFound`] for everybody else, whether there is such a memory or not.
    pub async fn who_saw(
        &self,
        (reading, auditing): (Authorized<MemoryRead>, Option<Authorized<AuditRead>>),
        memory: MemoryId,
        page: PageOf<u64>,
    ) -> Result<AuditPage, AppError> {
        let organization = reading.organization();
        if auditing.is_none() {
            let asker = reading.principal();
            let mut tx = self.store.begin(reading).await?;
            let found = tx.get_memories(&[memory]).await?.pop();
            let own = found.filter(|memory| Some(memory.owner) == asker);
            own.ok_or(AppError::NotFound("memory of your own"))?;
        }
        let mut tx = door!(self, Mode::Read).await?;
        let found = tx.list_seen(organization, Piece::Memory(memory), page.and_one());
        Ok(AuditPage::of(found.await?, page.limit))
    }
}
