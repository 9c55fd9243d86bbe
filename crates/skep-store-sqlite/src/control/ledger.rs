//! Statements on the ledger. There is none that changes a tile or a checkpoint, and the connection refuses one; of
//! an entry its line can be erased ([`crate::tombstone`]), and nothing else.

use std::ops::Range;

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, params};
use skep_domain::{Id, OrganizationId, Principal, UsageId};
use skep_store::StoreError;
use skep_store::backend::PageOf;
use skep_store::backend::control::LedgerRows;
use skep_store::column::{bytes_of, principal_kind};
use skep_store::row::{
    AheadRow, AuditRow, CheckpointRow, Growth, Hash, HeadRow, Log, LogKey, UsageRow,
};

use super::audit::owner;
use super::{SqliteControlTx, named};
use crate::column::stored;
use crate::failure::Failure;
use crate::tombstone;

macro_rules! usage {
    ($after:literal) => {
        concat!(
            "SELECT id, seq, at, workspace, principal_kind, principal, credential, leaf, body
             FROM usage WHERE organization = ?1 ",
            $after
        )
    };
}

/// What an append makes of a tree.
pub(super) fn grow(connection: &Connection, key: LogKey, growth: &Growth) -> Result<(), Failure> {
    let (owner, log) = (key.owner(), key.log.code());
    for tile in &growth.tiles {
        connection
            .prepare_cached(
                "INSERT INTO ledger_tile (organization, log, level, position, hash)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![owner, log, tile.level, tile.position, tile.hash])?;
    }
    let head = &growth.head;
    connection
        .prepare_cached(
            "INSERT INTO ledger_head (organization, log, first, size, frontier)
             VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (organization, log)
             DO UPDATE SET size = excluded.size, frontier = excluded.frontier",
        )?
        .execute(params![owner, log, head.first, head.size, head.frontier])?;
    Ok(())
}

fn put_usage(connection: &Connection, owner: [u8; 16], row: &UsageRow) -> Result<(), Failure> {
    let inserted = connection
        .prepare_cached(
            "INSERT INTO usage (organization, seq, id, at, workspace, principal_kind, principal,
                 credential, leaf, body)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?
        .execute(params![
            owner,
            row.seq,
            row.id.to_bytes(),
            row.at.as_micros(),
            bytes_of(row.workspace),
            row.principal.map(principal_kind),
            row.principal.map(Principal::to_bytes),
            bytes_of(row.credential),
            row.leaf,
            row.body.as_bytes(),
        ]);
    named(inserted, "this place in the record of use")
}

#[async_trait]
impl LedgerRows for SqliteControlTx {
    async fn ledger_head(&mut self, key: LogKey) -> Result<Option<HeadRow>, StoreError> {
        self.count(move |connection| {
            connection
                .prepare_cached(
                    "SELECT first, size, frontier FROM ledger_head
                     WHERE organization = ?1 AND log = ?2",
                )?
                .query_and_then(params![key.owner(), key.log.code()], stored)?
                .next()
                .transpose()
        })
        .await
    }

    async fn append_usage(
        &mut self,
        organization: OrganizationId,
        rows: Vec<UsageRow>,
        growth: Growth,
    ) -> Result<(), StoreError> {
        self.count(move |connection| {
            let key = LogKey::new(Some(organization), Log::Usage);
            for row in &rows {
                put_usage(connection, key.owner(), row)?;
            }
            grow(connection, key, &growth)
        })
        .await
    }

    async fn known_usage(
        &mut self,
        organization: OrganizationId,
        ids: Vec<UsageId>,
    ) -> Result<Vec<(UsageId, u64)>, StoreError> {
        self.count(move |connection| {
            let sql = "SELECT seq FROM usage WHERE organization = ?1 AND id = ?2";
            let mut statement = connection.prepare_cached(sql)?;
            let mut known = Vec::new();
            for id in ids {
                let at = params![organization.to_bytes(), id.to_bytes()];
                let seq: Option<u64> = statement.query_row(at, |row| row.get(0)).optional()?;
                known.extend(seq.map(|seq| (id, seq)));
            }
            Ok(known)
        })
        .await
    }

    async fn usage(
        &mut self,
        organization: OrganizationId,
        page: PageOf<u64>,
    ) -> Result<Vec<UsageRow>, StoreError> {
        self.count(move |connection| {
            let before = page.before.unwrap_or(i64::MAX.cast_unsigned());
            connection
                .prepare_cached(usage!("AND seq < ?2 ORDER BY seq DESC LIMIT ?3"))?
                .query_and_then(params![organization.to_bytes(), before, page.limit], stored)?
                .collect()
        })
        .await
    }

    async fn usage_from(
        &mut self,
        organization: OrganizationId,
        seq: u64,
        limit: u32,
    ) -> Result<Vec<UsageRow>, StoreError> {
        self.count(move |connection| {
            connection
                .prepare_cached(usage!("AND seq >= ?2 ORDER BY seq LIMIT ?3"))?
                .query_and_then(params![organization.to_bytes(), seq, limit], stored)?
                .collect()
        })
        .await
    }

    async fn audit_from(
        &mut self,
        organization: Option<OrganizationId>,
        seq: u64,
        limit: u32,
    ) -> Result<Vec<AuditRow>, StoreError> {
        self.count(move |connection| {
            connection
                .prepare_cached(
                    "SELECT id, seq, at, action, outcome, times, workspace, principal_kind,
                         principal, credential, body, leaf
                     FROM audit WHERE organization = ?1 AND seq >= ?2 ORDER BY seq LIMIT ?3",
                )?
                .query_and_then(params![owner(organization), seq, limit], stored)?
                .collect()
        })
        .await
    }

    async fn erase_entries(&mut self, key: LogKey, places: Vec<u64>) -> Result<u64, StoreError> {
        self.erase(move |connection| tombstone::erase(connection, key, &places))
            .await
    }

    async fn ledger_leaves(
        &mut self,
        key: LogKey,
        places: Range<u64>,
    ) -> Result<Vec<Hash>, StoreError> {
        self.count(move |connection| {
            let sql = match key.log {
                Log::Audit => {
                    "SELECT leaf FROM audit WHERE organization = ?1 AND seq >= ?2 AND seq < ?3
                         AND leaf IS NOT NULL ORDER BY seq"
                }
                Log::Usage => {
                    "SELECT leaf FROM usage WHERE organization = ?1 AND seq >= ?2 AND seq < ?3
                     ORDER BY seq"
                }
            };
            let at = params![key.owner(), places.start, places.end];
            let mut statement = connection.prepare_cached(sql)?;
            statement
                .query_and_then(at, |row| Ok(row.get(0)?))?
                .collect()
        })
        .await
    }

    async fn ledger_tiles(
        &mut self,
        key: LogKey,
        level: u8,
        positions: Range<u64>,
    ) -> Result<Vec<Hash>, StoreError> {
        self.count(move |connection| {
            let sql = "SELECT hash FROM ledger_tile WHERE organization = ?1 AND log = ?2
                 AND level = ?3 AND position >= ?4 AND position < ?5 ORDER BY position";
            let (owner, log) = (key.owner(), key.log.code());
            let at = params![owner, log, level, positions.start, positions.end];
            let mut statement = connection.prepare_cached(sql)?;
            statement
                .query_and_then(at, |row| Ok(row.get(0)?))?
                .collect()
        })
        .await
    }

    async fn put_checkpoint(
        &mut self,
        key: LogKey,
        row: CheckpointRow,
    ) -> Result<bool, StoreError> {
        self.count(move |connection| {
            let sql = "INSERT INTO checkpoint (organization, log, size, root, at, note)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING";
            let (owner, log) = (key.owner(), key.log.code());
            let (root, at) = (row.root, row.at.as_micros());
            let values = params![owner, log, row.size, root, at, row.note];
            Ok(connection.prepare_cached(sql)?.execute(values)? > 0)
        })
        .await
    }

    async fn checkpoints(
        &mut self,
        key: LogKey,
        page: PageOf<u64>,
    ) -> Result<Vec<CheckpointRow>, StoreError> {
        self.count(move |connection| {
            let before = page.before.unwrap_or(i64::MAX.cast_unsigned());
            let sql = "SELECT size, root, at, note FROM checkpoint
                 WHERE organization = ?1 AND log = ?2 AND size < ?3 ORDER BY size DESC LIMIT ?4";
            let at = params![key.owner(), key.log.code(), before, page.limit];
            let mut statement = connection.prepare_cached(sql)?;
            statement.query_and_then(at, stored)?.collect()
        })
        .await
    }

    async fn checkpoints_from(
        &mut self,
        key: LogKey,
        size: u64,
        limit: u32,
    ) -> Result<Vec<CheckpointRow>, StoreError> {
        self.count(move |connection| {
            let sql = "SELECT size, root, at, note FROM checkpoint
                 WHERE organization = ?1 AND log = ?2 AND size >= ?3 ORDER BY size LIMIT ?4";
            let at = params![key.owner(), key.log.code(), size, limit];
            let mut statement = connection.prepare_cached(sql)?;
            statement.query_and_then(at, stored)?.collect()
        })
        .await
    }

    async fn last_checkpoints(
        &mut self,
        after: Option<LogKey>,
        limit: u32,
    ) -> Result<Vec<(LogKey, CheckpointRow)>, StoreError> {
        self.count(move |connection| {
            let sql = "SELECT c.size, c.root, c.at, c.note, c.organization, c.log
                 FROM ledger_head AS h JOIN checkpoint AS c
                     ON c.organization = h.organization AND c.log = h.log
                     AND c.size = (SELECT MAX(size) FROM checkpoint AS l
                         WHERE l.organization = h.organization AND l.log = h.log)
                 WHERE (h.organization, h.log) > (?1, ?2)
                 ORDER BY h.organization, h.log LIMIT ?3";
            let owner = after.map_or(vec![], |key| key.owner().to_vec());
            let log = after.map_or(0, |key| key.log.code());
            let mut statement = connection.prepare_cached(sql)?;
            statement
                .query_and_then(params![owner, log, limit], stored)?
                .collect()
        })
        .await
    }

    async fn ledgers_ahead(&mut self, limit: u32) -> Result<Vec<AheadRow>, StoreError> {
        self.count(move |connection| {
            let sql = "SELECT h.organization, h.log, h.size, c.size, c.at
                 FROM ledger_head AS h LEFT JOIN checkpoint AS c
                     ON c.organization = h.organization AND c.log = h.log
                     AND c.size = (SELECT MAX(size) FROM checkpoint AS l
                         WHERE l.organization = h.organization AND l.log = h.log)
                 WHERE h.size > COALESCE(c.size, 0) LIMIT ?1";
            let mut statement = connection.prepare_cached(sql)?;
            statement.query_and_then([limit], stored)?.collect()
        })
        .await
    }
}
