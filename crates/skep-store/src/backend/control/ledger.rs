//! The ledger: trees over the record of decisions and over what was used. Entries, tiles and checkpoints are
//! added and read; of an entry its line can go, and nothing else changes.

use std::ops::Range;

use async_trait::async_trait;
use skep_domain::{OrganizationId, UsageId};
use skep_ledger::Hash;

use crate::StoreError;
use crate::backend::PageOf;
use crate::row::{AheadRow, AuditRow, CheckpointRow, Growth, HeadRow, LogKey, UsageRow};

/// The ledger.
#[async_trait]
pub trait LedgerRows {
    /// The head of a log; none before its first entry.
    async fn ledger_head(&mut self, key: LogKey) -> Result<Option<HeadRow>, StoreError>;
    /// Adds entries of what was used, in order, with what they make of the tree. A place or an id that is taken
    /// is [`StoreError::Conflict`].
    async fn append_usage(
        &mut self,
        organization: OrganizationId,
        rows: Vec<UsageRow>,
        growth: Growth,
    ) -> Result<(), StoreError>;
    /// The places of those of these entries that are there.
    async fn known_usage(
        &mut self,
        organization: OrganizationId,
        ids: Vec<UsageId>,
    ) -> Result<Vec<(UsageId, u64)>, StoreError>;
    /// A page of what was used, newest first; `before` is a place.
    async fn usage(
        &mut self,
        organization: OrganizationId,
        page: PageOf<u64>,
    ) -> Result<Vec<UsageRow>, StoreError>;
    /// Entries of what was used from a place on, in order.
    async fn usage_from(
        &mut self,
        organization: OrganizationId,
        seq: u64,
        limit: u32,
    ) -> Result<Vec<UsageRow>, StoreError>;
    /// Entries of the record of decisions from a place on, in order.
    async fn audit_from(
        &mut self,
        organization: Option<OrganizationId>,
        seq: u64,
        limit: u32,
    ) -> Result<Vec<AuditRow>, StoreError>;
    /// Empties the entries at these places: the line goes, with where, who and with what, and what it names as
    /// shown; place, id, time, hash and action stay. Says how many it emptied. The database lets no other change of
    /// an entry pass, nor this one of an entry without a hash, or of one that says what was erased.
    async fn erase_entries(&mut self, key: LogKey, places: Vec<u64>) -> Result<u64, StoreError>;
    /// The hashes of the entries at these places, in order.
    async fn ledger_leaves(
        &mut self,
        key: LogKey,
        places: Range<u64>,
    ) -> Result<Vec<Hash>, StoreError>;
    /// The roots of the complete subtrees at these positions of a level, in order.
    async fn ledger_tiles(
        &mut self,
        key: LogKey,
        level: u8,
        positions: Range<u64>,
    ) -> Result<Vec<Hash>, StoreError>;
    /// Keeps a checkpoint; `false` when there is one of this size.
    async fn put_checkpoint(&mut self, key: LogKey, row: CheckpointRow)
    -> Result<bool, StoreError>;
    /// A page of checkpoints, newest first; `before` is a size.
    async fn checkpoints(
        &mut self,
        key: LogKey,
        page: PageOf<u64>,
    ) -> Result<Vec<CheckpointRow>, StoreError>;
    /// Checkpoints of sizes from this one on, in order.
    async fn checkpoints_from(
        &mut self,
        key: LogKey,
        size: u64,
        limit: u32,
    ) -> Result<Vec<CheckpointRow>, StoreError>;
    /// The last checkpoint of each log after this one, in the order of their columns.
    async fn last_checkpoints(
        &mut self,
        after: Option<LogKey>,
        limit: u32,
    ) -> Result<Vec<(LogKey, CheckpointRow)>, StoreError>;
    /// Logs that have entries after their last checkpoint.
    async fn ledgers_ahead(&mut self, limit: u32) -> Result<Vec<AheadRow>, StoreError>;
}
