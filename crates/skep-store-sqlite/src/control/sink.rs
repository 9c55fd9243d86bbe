//! Statements on sinks of the ledger.

use async_trait::async_trait;
use rusqlite::params;
use skep_domain::{Id, OrganizationId, Timestamp};
use skep_store::StoreError;
use skep_store::backend::control::SinkRows;
use skep_store::row::{BehindRow, Log, LogKey, SinkKey, SinkRow, SinkTurnRow};

use super::{SqliteControlTx, named};
use crate::column::stored;

const SINKS: &str = "SELECT organization, id, name, created_at, changed_at, body
    FROM sink WHERE organization = ?1 ORDER BY name";
const PUT: &str = "INSERT INTO sink (organization, id, name, created_at, changed_at, body)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6)
    ON CONFLICT (organization, id) DO UPDATE
    SET changed_at = excluded.changed_at, body = excluded.body";
const DUE: &str = "SELECT s.organization, s.id, s.name, s.created_at, s.changed_at, s.body
    FROM sink AS s
        JOIN sink_turn AS t ON t.organization = s.organization AND t.sink = s.id
        JOIN organization AS o ON o.id = s.organization
    WHERE t.state = 0 AND o.standing = 0 AND t.not_before <= ?1 AND t.held_until <= ?1
        AND EXISTS (SELECT 1 FROM sink_cursor AS c
            JOIN ledger_head AS h ON h.organization = c.organization AND h.log = c.log
            WHERE c.sink = s.id AND c.organization = s.organization AND h.first + h.size > c.next)
    ORDER BY t.not_before, s.id LIMIT ?2";
const TURN: &str =
    "SELECT state, holder, held_until, failures, failing_since, not_before, delivered_at, problem
    FROM sink_turn WHERE organization = ?1 AND sink = ?2";
const PUT_TURN: &str = "INSERT INTO sink_turn (organization, sink, state, holder, held_until, failures, failing_since, not_before, delivered_at, problem)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
    ON CONFLICT (organization, sink) DO UPDATE
    SET state = excluded.state, holder = excluded.holder, held_until = excluded.held_until,
        failures = excluded.failures, failing_since = excluded.failing_since,
        not_before = excluded.not_before, delivered_at = excluded.delivered_at,
        problem = excluded.problem";
const CURSORS: &str = "SELECT organization, log, next FROM sink_cursor WHERE sink = ?1
    ORDER BY organization, log";
const PUT_CURSOR: &str = "INSERT INTO sink_cursor (sink, organization, log, next)
    VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (sink, organization, log) DO UPDATE SET next = excluded.next";
const BEHIND: &str = "SELECT c.organization, c.log, c.next, h.first + h.size
    FROM sink_cursor AS c
        JOIN ledger_head AS h ON h.organization = c.organization AND h.log = c.log
    WHERE c.sink = ?1 AND c.organization = ?2 AND h.first + h.size > c.next
    ORDER BY c.organization, c.log LIMIT ?3";
const BEHIND_OF_ALL: &str =
    "SELECT h.organization, h.log, COALESCE(c.next, h.first), h.first + h.size
    FROM ledger_head AS h LEFT JOIN sink_cursor AS c
        ON c.sink = ?1 AND c.organization = h.organization AND c.log = h.log
    WHERE h.log IN (?2, ?3) AND h.first + h.size > COALESCE(c.next, h.first)
    ORDER BY (h.organization, h.log) > (?4, ?5) DESC, h.organization, h.log LIMIT ?6";

#[async_trait]
impl SinkRows for SqliteControlTx {
    async fn sinks(&mut self, organization: OrganizationId) -> Result<Vec<SinkRow>, StoreError> {
        self.run(move |connection| {
            connection
                .prepare_cached(SINKS)?
                .query_and_then([organization.to_bytes()], stored)?
                .collect()
        })
        .await
    }

    async fn put_sink(&mut self, row: SinkRow) -> Result<(), StoreError> {
        self.run(move |connection| {
            let put = connection.prepare_cached(PUT)?.execute(params![
                row.organization.to_bytes(),
                row.id,
                row.name,
                row.created_at.as_micros(),
                row.changed_at.as_micros(),
                row.body.as_bytes(),
            ]);
            named(put, "a sink with this name")
        })
        .await
    }

    async fn delete_sink(
        &mut self,
        organization: OrganizationId,
        id: [u8; 16],
    ) -> Result<bool, StoreError> {
        self.run(move |connection| {
            let place = params![organization.to_bytes(), id];
            let gone = connection
                .prepare_cached("DELETE FROM sink WHERE organization = ?1 AND id = ?2")?
                .execute(place)?;
            connection
                .prepare_cached("DELETE FROM sink_turn WHERE organization = ?1 AND sink = ?2")?
                .execute(place)?;
            connection
                .prepare_cached("DELETE FROM sink_cursor WHERE organization = ?1 AND sink = ?2")?
                .execute(place)?;
            Ok(gone > 0)
        })
        .await
    }

    async fn sinks_due(&mut self, now: Timestamp, limit: u32) -> Result<Vec<SinkRow>, StoreError> {
        self.run(move |connection| {
            connection
                .prepare_cached(DUE)?
                .query_and_then(params![now.as_micros(), limit], stored)?
                .collect()
        })
        .await
    }

    async fn sink_turn(&mut self, key: SinkKey) -> Result<Option<SinkTurnRow>, StoreError> {
        self.count(move |connection| {
            connection
                .prepare_cached(TURN)?
                .query_and_then(params![key.owner(), key.id], stored)?
                .next()
                .transpose()
        })
        .await
    }

    async fn put_sink_turn(&mut self, key: SinkKey, row: SinkTurnRow) -> Result<(), StoreError> {
        self.count(move |connection| {
            connection.prepare_cached(PUT_TURN)?.execute(params![
                key.owner(),
                key.id,
                row.state as u8,
                row.holder,
                row.held_until.as_micros(),
                row.failures,
                row.failing_since.map(Timestamp::as_micros),
                row.not_before.as_micros(),
                row.delivered_at.map(Timestamp::as_micros),
                row.problem,
            ])?;
            Ok(())
        })
        .await
    }

    async fn release_sinks(&mut self) -> Result<(), StoreError> {
        self.run(|connection| {
            connection
                .prepare_cached(
                    "UPDATE sink_turn SET holder = NULL, held_until = 0 WHERE holder IS NOT NULL",
                )?
                .execute([])?;
            Ok(())
        })
        .await
    }

    async fn sink_cursors(&mut self, id: [u8; 16]) -> Result<Vec<(LogKey, u64)>, StoreError> {
        self.run(move |connection| {
            connection
                .prepare_cached(CURSORS)?
                .query_and_then([id], stored)?
                .collect()
        })
        .await
    }

    async fn put_sink_cursor(
        &mut self,
        id: [u8; 16],
        log: LogKey,
        next: u64,
    ) -> Result<(), StoreError> {
        self.count(move |connection| {
            let values = params![id, log.owner(), log.log.code(), next];
            connection.prepare_cached(PUT_CURSOR)?.execute(values)?;
            Ok(())
        })
        .await
    }

    async fn delete_sink_cursor(&mut self, id: [u8; 16], log: LogKey) -> Result<(), StoreError> {
        self.run(move |connection| {
            connection
                .prepare_cached(
                    "DELETE FROM sink_cursor WHERE sink = ?1 AND organization = ?2 AND log = ?3",
                )?
                .execute(params![id, log.owner(), log.log.code()])?;
            Ok(())
        })
        .await
    }

    async fn sink_behind(
        &mut self,
        key: SinkKey,
        logs: &[Log],
        (after, limit): (Option<LogKey>, u32),
    ) -> Result<Vec<BehindRow>, StoreError> {
        let (first, last) = match logs {
            [] => return Ok(Vec::new()),
            [first, .., last] => (first.code(), last.code()),
            [only] => (only.code(), only.code()),
        };
        let (owner, log) = (
            after.map(LogKey::owner),
            after.map(|after| after.log.code()),
        );
        self.run(move |connection| match key.organization {
            Some(organization) => connection
                .prepare_cached(BEHIND)?
                .query_and_then(params![key.id, organization.to_bytes(), limit], stored)?
                .collect(),
            None => connection
                .prepare_cached(BEHIND_OF_ALL)?
                .query_and_then(params![key.id, first, last, owner, log, limit], stored)?
                .collect(),
        })
        .await
    }
}
