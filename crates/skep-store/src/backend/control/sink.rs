//! Sinks of the ledger: what is set, whose turn it is, and how far each has come.

use async_trait::async_trait;
use skep_domain::{OrganizationId, Timestamp};

use crate::StoreError;
use crate::row::{BehindRow, Log, LogKey, SinkKey, SinkRow, SinkTurnRow};

/// Sinks.
#[async_trait]
pub trait SinkRows {
    /// The sinks of an organization, by name.
    async fn sinks(&mut self, organization: OrganizationId) -> Result<Vec<SinkRow>, StoreError>;
    /// Keeps a sink, in the place of the one of its id. A name that is taken is [`StoreError::Conflict`].
    async fn put_sink(&mut self, row: SinkRow) -> Result<(), StoreError>;
    /// Forgets a sink, its turn and how far it has come; `false` when there is none.
    async fn delete_sink(
        &mut self,
        organization: OrganizationId,
        id: [u8; 16],
    ) -> Result<bool, StoreError>;
    /// Sinks of organizations that may act which have not been given everything, are on, wait for nothing and are
    /// nobody's turn: those that have waited longest first.
    async fn sinks_due(&mut self, now: Timestamp, limit: u32) -> Result<Vec<SinkRow>, StoreError>;
    /// Whose turn a sink is.
    async fn sink_turn(&mut self, key: SinkKey) -> Result<Option<SinkTurnRow>, StoreError>;
    /// Says whose turn a sink is.
    async fn put_sink_turn(&mut self, key: SinkKey, row: SinkTurnRow) -> Result<(), StoreError>;
    /// Says of every sink that it is nobody's turn.
    async fn release_sinks(&mut self) -> Result<(), StoreError>;
    /// How far a sink has come with which logs.
    async fn sink_cursors(&mut self, id: [u8; 16]) -> Result<Vec<(LogKey, u64)>, StoreError>;
    /// Says how far a sink has come with a log.
    async fn put_sink_cursor(
        &mut self,
        id: [u8; 16],
        log: LogKey,
        next: u64,
    ) -> Result<(), StoreError>;
    /// Gives a sink nothing more of a log.
    async fn delete_sink_cursor(&mut self, id: [u8; 16], log: LogKey) -> Result<(), StoreError>;
    /// Logs that a sink has not been given all of: those it has a cursor for, and for one of nobody's each of
    /// `logs`, from its first entry on. Of many, the page of one of nobody's begins behind a log, and goes on with the
    /// first.
    async fn sink_behind(
        &mut self,
        key: SinkKey,
        logs: &[Log],
        page: (Option<LogKey>, u32),
    ) -> Result<Vec<BehindRow>, StoreError>;
}
