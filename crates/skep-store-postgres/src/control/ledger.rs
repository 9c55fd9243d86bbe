//! Statements on the ledger. There is none that changes a tile or a checkpoint, and the database refuses one; of an
//! entry its line can be erased, by a function of the owner's that does nothing else.

use std::ops::Range;

use async_trait::async_trait;
use skep_domain::{Id, OrganizationId, Principal, UsageId};
use skep_store::StoreError;
use skep_store::backend::PageOf;
use skep_store::backend::control::LedgerRows;
use skep_store::column::{Stored, bytes_of, id, principal_kind};
use skep_store::row::{
    AheadRow, AuditRow, CheckpointRow, Growth, Hash, HeadRow, Log, LogKey, UsageRow,
};

use super::PostgresControlTx;
use super::audit::owner;
use crate::statement::statements;
use crate::value::values;

macro_rules! usage {
    ($after:literal) => {
        concat!(
            "SELECT id, seq, at, workspace, principal_kind, principal, credential, leaf, body
             FROM usage WHERE organization = $1 ",
            $after
        )
    };
}

statements! {
    /// Writers of the installation take turns, so nobody else moves it meanwhile.
    HEAD = "SELECT first, size, frontier FROM ledger_head WHERE organization = $1 AND log = $2";
    PUT_HEAD = "INSERT INTO ledger_head (organization, log, first, size, frontier)
        VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (organization, log)
        DO UPDATE SET size = excluded.size, frontier = excluded.frontier";
    PUT_TILE = "INSERT INTO ledger_tile (organization, log, level, position, hash)
        VALUES ($1, $2, $3, $4, $5)";
    APPEND = "INSERT INTO usage (organization, seq, id, at, workspace, principal_kind, principal,
            credential, leaf, body)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    KNOWN = "SELECT id, seq FROM usage WHERE organization = $1 AND id = ANY ($2)";
    USAGE = usage!("AND seq < $2 ORDER BY seq DESC LIMIT $3");
    USAGE_FROM = usage!("AND seq >= $2 ORDER BY seq LIMIT $3");
    AUDIT_FROM = "SELECT id, seq, at, action, outcome, times, workspace, principal_kind, principal,
            credential, body, leaf
        FROM audit WHERE organization = $1 AND seq >= $2 ORDER BY seq LIMIT $3";
    ERASE_AUDIT = "SELECT erase_audit($1, $2)";
    ERASE_USAGE = "SELECT erase_usage($1, $2)";
    AUDIT_LEAVES = "SELECT leaf FROM audit WHERE organization = $1 AND seq >= $2 AND seq < $3
            AND leaf IS NOT NULL ORDER BY seq";
    USAGE_LEAVES = "SELECT leaf FROM usage WHERE organization = $1 AND seq >= $2 AND seq < $3
        ORDER BY seq";
    TILES = "SELECT hash FROM ledger_tile WHERE organization = $1 AND log = $2 AND level = $3
            AND position >= $4 AND position < $5 ORDER BY position";
    PUT_CHECKPOINT = "INSERT INTO checkpoint (organization, log, size, root, at, note)
        VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";
    CHECKPOINTS = "SELECT size, root, at, note FROM checkpoint
        WHERE organization = $1 AND log = $2 AND size < $3 ORDER BY size DESC LIMIT $4";
    CHECKPOINTS_FROM = "SELECT size, root, at, note FROM checkpoint
        WHERE organization = $1 AND log = $2 AND size >= $3 ORDER BY size LIMIT $4";
    /// Numbers of logs are none below 0.
    LAST = "SELECT c.size, c.root, c.at, c.note, c.organization, c.log
        FROM ledger_head AS h JOIN checkpoint AS c
            ON c.organization = h.organization AND c.log = h.log
            AND c.size = (SELECT MAX(size) FROM checkpoint AS l
                WHERE l.organization = h.organization AND l.log = h.log)
        WHERE (h.organization, h.log) > ($1, $2)
        ORDER BY h.organization, h.log LIMIT $3";
    AHEAD = "SELECT h.organization, h.log, h.size, c.size, c.at
        FROM ledger_head AS h LEFT JOIN checkpoint AS c
            ON c.organization = h.organization AND c.log = h.log
            AND c.size = (SELECT MAX(size) FROM checkpoint AS l
                WHERE l.organization = h.organization AND l.log = h.log)
        WHERE h.size > COALESCE(c.size, 0) LIMIT $1";
}

const PLACE: &str = "this place in the record of use";

impl PostgresControlTx {
    /// What an append makes of a tree.
    pub(super) async fn grow(&mut self, key: LogKey, growth: Growth) -> Result<(), StoreError> {
        let (owner, log) = (key.owner(), key.log.code());
        for tile in growth.tiles {
            let values = values![owner, log, tile.level, tile.position, tile.hash.to_vec()];
            self.run(PUT_TILE, values).await?;
        }
        let head = growth.head;
        let values = values![owner, log, head.first, head.size, head.frontier];
        self.run(PUT_HEAD, values).await?;
        Ok(())
    }
}

#[async_trait]
impl LedgerRows for PostgresControlTx {
    async fn ledger_head(&mut self, key: LogKey) -> Result<Option<HeadRow>, StoreError> {
        let values = values![key.owner(), key.log.code()];
        self.find(HEAD, values, HeadRow::read).await
    }

    async fn append_usage(
        &mut self,
        organization: OrganizationId,
        rows: Vec<UsageRow>,
        growth: Growth,
    ) -> Result<(), StoreError> {
        let key = LogKey::new(Some(organization), Log::Usage);
        for row in rows {
            let values = values![
                key.owner(),
                row.seq,
                row.id.to_bytes(),
                row.at.as_micros(),
                bytes_of(row.workspace),
                row.principal.map(principal_kind),
                row.principal.map(Principal::to_bytes),
                bytes_of(row.credential),
                row.leaf.to_vec(),
                row.body.as_bytes(),
            ];
            self.put(APPEND, values, PLACE).await?;
        }
        self.grow(key, growth).await
    }

    async fn known_usage(
        &mut self,
        organization: OrganizationId,
        ids: Vec<UsageId>,
    ) -> Result<Vec<(UsageId, u64)>, StoreError> {
        let ids: Vec<[u8; 16]> = ids.into_iter().map(Id::to_bytes).collect();
        let values = values![organization.to_bytes(), ids];
        self.list(KNOWN, values, |row| Ok((id(row, 0)?, row.get(1)?)))
            .await
    }

    async fn usage(
        &mut self,
        organization: OrganizationId,
        page: PageOf<u64>,
    ) -> Result<Vec<UsageRow>, StoreError> {
        let before = page.before.unwrap_or(i64::MAX.cast_unsigned());
        let values = values![organization.to_bytes(), before, page.limit];
        self.list(USAGE, values, UsageRow::read).await
    }

    async fn usage_from(
        &mut self,
        organization: OrganizationId,
        seq: u64,
        limit: u32,
    ) -> Result<Vec<UsageRow>, StoreError> {
        let values = values![organization.to_bytes(), seq, limit];
        self.list(USAGE_FROM, values, UsageRow::read).await
    }

    async fn audit_from(
        &mut self,
        organization: Option<OrganizationId>,
        seq: u64,
        limit: u32,
    ) -> Result<Vec<AuditRow>, StoreError> {
        let values = values![owner(organization), seq, limit];
        self.list(AUDIT_FROM, values, AuditRow::read).await
    }

    async fn erase_entries(&mut self, key: LogKey, places: Vec<u64>) -> Result<u64, StoreError> {
        let statement = match key.log {
            Log::Audit => ERASE_AUDIT,
            Log::Usage => ERASE_USAGE,
        };
        let places: Vec<i64> = places.into_iter().map(u64::cast_signed).collect();
        let values = values![key.owner(), places];
        self.get(statement, values, |row| row.get(0)).await
    }

    async fn ledger_leaves(
        &mut self,
        key: LogKey,
        places: Range<u64>,
    ) -> Result<Vec<Hash>, StoreError> {
        let statement = match key.log {
            Log::Audit => AUDIT_LEAVES,
            Log::Usage => USAGE_LEAVES,
        };
        let values = values![key.owner(), places.start, places.end];
        self.list(statement, values, |row| row.get(0)).await
    }

    async fn ledger_tiles(
        &mut self,
        key: LogKey,
        level: u8,
        positions: Range<u64>,
    ) -> Result<Vec<Hash>, StoreError> {
        let (owner, log) = (key.owner(), key.log.code());
        let values = values![owner, log, level, positions.start, positions.end];
        self.list(TILES, values, |row| row.get(0)).await
    }

    async fn put_checkpoint(
        &mut self,
        key: LogKey,
        row: CheckpointRow,
    ) -> Result<bool, StoreError> {
        let (owner, log) = (key.owner(), key.log.code());
        let (root, at) = (row.root.to_vec(), row.at.as_micros());
        let values = values![owner, log, row.size, root, at, row.note];
        Ok(self.run(PUT_CHECKPOINT, values).await? > 0)
    }

    async fn checkpoints(
        &mut self,
        key: LogKey,
        page: PageOf<u64>,
    ) -> Result<Vec<CheckpointRow>, StoreError> {
        let before = page.before.unwrap_or(i64::MAX.cast_unsigned());
        let values = values![key.owner(), key.log.code(), before, page.limit];
        self.list(CHECKPOINTS, values, CheckpointRow::read).await
    }

    async fn checkpoints_from(
        &mut self,
        key: LogKey,
        size: u64,
        limit: u32,
    ) -> Result<Vec<CheckpointRow>, StoreError> {
        let values = values![key.owner(), key.log.code(), size, limit];
        self.list(CHECKPOINTS_FROM, values, CheckpointRow::read)
            .await
    }

    async fn last_checkpoints(
        &mut self,
        after: Option<LogKey>,
        limit: u32,
    ) -> Result<Vec<(LogKey, CheckpointRow)>, StoreError> {
        let owner = after.map_or([0; 16], LogKey::owner);
        let log = after.map_or(-1, |key| i64::from(key.log.code()));
        let values = values![owner, log, limit];
        self.list(LAST, values, <(LogKey, CheckpointRow)>::read)
            .await
    }

    async fn ledgers_ahead(&mut self, limit: u32) -> Result<Vec<AheadRow>, StoreError> {
        self.list(AHEAD, values![limit], AheadRow::read).await
    }
}
