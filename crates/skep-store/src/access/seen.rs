//! What of others' content somebody was shown: named in an entry of the record, and found by what was shown.

use skep_domain::{ExecId, Id, MemoryId, OrganizationId, RecallId, SessionId};
use skep_ledger::{id_text, text_id};

use super::DoorTx;
use super::audit::AuditEntry;
use crate::StoreError;
use crate::backend::PageOf;
use crate::row::SeenRow;

/// A piece of content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Piece {
    /// A memory.
    Memory(MemoryId),
    /// A session: its title, its turns, or what was put in front of its model.
    Session(SessionId),
    /// A run of a program: what it was asked with, or what it showed.
    Run(ExecId),
    /// A question, where its answer was explained.
    Recall(RecallId),
}

impl Piece {
    /// The bytes of its id.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 16] {
        match self {
            Self::Memory(id) => id.to_bytes(),
            Self::Session(id) => id.to_bytes(),
            Self::Run(id) => id.to_bytes(),
            Self::Recall(id) => id.to_bytes(),
        }
    }

    /// As a line has it.
    pub(super) fn to_text(self) -> String {
        let kind = match self {
            Self::Memory(_) => "memory",
            Self::Session(_) => "session",
            Self::Run(_) => "run",
            Self::Recall(_) => "recall",
        };
        format!("{kind}:{}", id_text(self.to_bytes()))
    }

    /// What a line has; nothing of what a later version may name.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (kind, id) = text.split_once(':')?;
        let id = text_id(id)?;
        match kind {
            "memory" => Some(Self::Memory(Id::from_bytes(id))),
            "session" => Some(Self::Session(Id::from_bytes(id))),
            "run" => Some(Self::Run(Id::from_bytes(id))),
            "recall" => Some(Self::Recall(Id::from_bytes(id))),
            _ => None,
        }
    }
}

impl DoorTx {
    pub(super) async fn put_seen(
        &mut self,
        seen: Vec<(Option<OrganizationId>, [u8; 16], u64)>,
    ) -> Result<(), StoreError> {
        // Nobody is shown anything before they are known.
        let rows = seen.into_iter().filter_map(|(organization, item, seq)| {
            Some(SeenRow {
                organization: organization?,
                item,
                seq,
            })
        });
        let rows: Vec<SeenRow> = rows.collect();
        if rows.is_empty() {
            return Ok(());
        }
        self.rows.put_seen(rows).await
    }

    /// A page of the entries that name something as shown, newest first; `before` is a place. What is found is
    /// held against what the entry itself says.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_seen(
        &mut self,
        organization: OrganizationId,
        shown: Piece,
        page: PageOf<u64>,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        let rows = self.rows.seen(organization, shown.to_bytes(), page).await?;
        let entries = rows
            .into_iter()
            .map(|row| self.open_audit(organization, row));
        let named = |entry: &AuditEntry| entry.decision.shown.contains(&shown);
        entries
            .filter(|entry| entry.as_ref().map_or(true, named))
            .collect()
    }
}
