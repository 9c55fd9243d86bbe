//! Entries that are delivered together.

use bytes::Bytes;
use skep_domain::Id;
use skep_ledger::{LineError, damaged_record, entry_record, erased_record, id_text};
use skep_store::row::{BehindRow, LogKey};
use skep_store::{DoorTx, Exported, Line, StoreError};

use super::Wanted;
use super::sign::message_id;
use crate::AppError;

/// Entries that are read at a time.
pub(super) const ENTRIES: u32 = 200;
/// Bytes after which nothing more is taken in. One entry has at most a mebibyte.
pub(super) const BYTES: usize = 256 << 10;

/// Entries of one log.
pub(super) struct Batch {
    pub(super) log: LogKey,
    /// The place of the first entry that was looked at.
    first: u64,
    /// The place behind the last one.
    pub(super) next: u64,
    /// Those that are wanted, as an export has them.
    pub(super) records: Vec<String>,
    /// Whether there is more of this log.
    pub(super) more: bool,
}

impl Batch {
    /// Reads what comes next of a log.
    pub(super) async fn read(
        tx: &mut DoorTx,
        behind: BehindRow,
        wanted: &Wanted,
    ) -> Result<Self, AppError> {
        let found = tx.list_outgoing(behind.log, behind.next, ENTRIES).await?;
        let mut batch = Self {
            log: behind.log,
            first: behind.next,
            next: behind.next,
            records: Vec::new(),
            more: false,
        };
        if found.is_empty() {
            // Somebody removed rows: an export says which. What comes after them is delivered all the same.
            tracing::error!(log = %behind.log.log, from = behind.next, "entries of a log are missing");
            batch.next = behind.end;
            return Ok(batch);
        }
        let mut bytes = 0;
        for one in found {
            if bytes >= BYTES {
                break;
            }
            batch.next = one.entry.seq + 1;
            if wanted.takes(one.action.as_deref()) {
                let record = record(&one.entry).map_err(unwritten)?;
                bytes += record.len();
                batch.records.push(record);
            }
        }
        batch.more = batch.next < behind.end;
        Ok(batch)
    }

    /// As a webhook is sent it: the id, which is the same whenever the same is sent, and the body.
    pub(super) fn message(&self, (sink, name): ([u8; 16], &str)) -> (String, Bytes) {
        let owner = self.log.organization.map_or([0; 16], Id::to_bytes);
        let body = format!(
            r#"{{"type":"ledger.entries","sink":"{name}","organization":"{}","log":"{}","first":{},"last":{},"entries":[{}]}}"#,
            id_text(owner),
            self.log.log,
            self.first,
            self.next - 1,
            self.records.join(",")
        );
        (message_id(&sink, body.as_bytes()), body.into())
    }
}

fn record(entry: &Exported) -> Result<String, LineError> {
    match &entry.line {
        Line::Whole(line) => Ok(entry_record(&entry.leaf, line)),
        Line::Erased => erased_record(&entry.leaf, entry.seq),
        Line::Damaged => damaged_record(&entry.leaf, entry.seq),
    }
}

fn unwritten(error: LineError) -> AppError {
    AppError::Store(StoreError::Damaged(error.0))
}
