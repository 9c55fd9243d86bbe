//! What is held back until a human looks at it, and the history of a memory.

use skep_authz::{CanRead, rights::MemoryReview};
use skep_domain::{Id, MemoryId, MemoryState, Principal, Timestamp};

use super::Tx;
use super::read::open_memory;
use crate::StoreError;
use crate::backend::PageOf;
use crate::body::BodyReader;
use crate::keys::{WorkspaceKeys, column};
use crate::row::HistoryRow;
use crate::value::{Held, HistoryEntry};

/// Entries of one history that are read; the rest of a longer one is of no use to anybody.
const ENTRIES: u32 = 200;

impl<P: CanRead> Tx<P> {
    /// The history of a memory, oldest entry first. Empty for one that has none, that is not there
    /// or that the caller may not see.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_history(&mut self, id: MemoryId) -> Result<Vec<HistoryEntry>, StoreError> {
        let rows = self
            .backend
            .history(&self.scope, &self.ring, id, ENTRIES)
            .await?;
        rows.iter()
            .map(|row| open_entry(&self.keys, id, row))
            .collect()
    }
}

impl Tx<MemoryReview> {
    /// Memories in quarantine with what speaks against them, newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_quarantined(
        &mut self,
        page: PageOf<MemoryId>,
    ) -> Result<Vec<Held>, StoreError> {
        let rows = self
            .backend
            .quarantined(&self.scope, &self.ring, page)
            .await?;
        let mut held = Vec::with_capacity(rows.len());
        for row in rows {
            let memory = open_memory(&self.keys, row)?;
            let history = self.list_history(memory.id).await?;
            let last = history
                .into_iter()
                .rfind(|entry| entry.state == MemoryState::Quarantined);
            let reasons = last.map(|entry| entry.reasons).unwrap_or_default();
            held.push(Held { memory, reasons });
        }
        Ok(held)
    }

    /// Takes a memory out of quarantine: into recall when it is accepted, or forgotten. `false`
    /// when there is none there that the caller may see.
    ///
    /// # Errors
    /// [`StoreError::Refused`] for anybody but a human: no agent lets a statement into what agents
    /// read. [`StoreError::Conflict`] when an active memory says the same.
    pub async fn review(
        &mut self,
        id: MemoryId,
        accepted: bool,
        reason: &str,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let Some(actor @ Principal::User(_)) = self.principal else {
            return Err(StoreError::Refused("only a human reviews".into()));
        };
        let entry = HistoryRow {
            at,
            actor: Some(actor),
            state: if accepted {
                MemoryState::Active
            } else {
                MemoryState::Forgotten
            },
            reason: self.seal_reasons(id, &[reason]),
        };
        self.backend
            .release(&self.scope, &self.ring, id, entry)
            .await
    }
}

fn open_entry(
    keys: &WorkspaceKeys,
    id: MemoryId,
    row: &HistoryRow,
) -> Result<HistoryEntry, StoreError> {
    let opened = keys.open(column::HISTORY_REASON, id.to_bytes(), &row.reason)?;
    let mut reader = BodyReader(opened.expose());
    let reasons = reader.texts()?;
    reader.end()?;
    Ok(HistoryEntry {
        at: row.at,
        actor: row.actor,
        state: row.state,
        reasons,
    })
}
