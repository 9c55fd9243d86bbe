//! Statements on sinks of the ledger.

use async_trait::async_trait;
use skep_domain::{Id, OrganizationId, Timestamp};
use skep_store::StoreError;
use skep_store::backend::control::SinkRows;
use skep_store::column::Stored;
use skep_store::row::{BehindRow, Log, LogKey, SinkKey, SinkRow, SinkTurnRow};

use super::PostgresControlTx;
use crate::statement::statements;
use crate::value::values;

statements! {
    SINKS = r#"SELECT organization, id, name, created_at, changed_at, body
        FROM sink WHERE organization = $1 ORDER BY name COLLATE "C""#;
    PUT = "INSERT INTO sink (organization, id, name, created_at, changed_at, body)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (organization, id) DO UPDATE
        SET changed_at = excluded.changed_at, body = excluded.body";
    DELETE = "DELETE FROM sink WHERE organization = $1 AND id = $2";
    DELETE_TURN = "DELETE FROM sink_turn WHERE organization = $1 AND sink = $2";
    DELETE_CURSORS = "DELETE FROM sink_cursor WHERE organization = $1 AND sink = $2";
    DUE = "SELECT s.organization, s.id, s.name, s.created_at, s.changed_at, s.body
        FROM sink AS s
            JOIN sink_turn AS t ON t.organization = s.organization AND t.sink = s.id
            JOIN organization AS o ON o.id = s.organization
        WHERE t.state = 0 AND o.standing = 0 AND t.not_before <= $1 AND t.held_until <= $1
            AND EXISTS (SELECT 1 FROM sink_cursor AS c
                JOIN ledger_head AS h ON h.organization = c.organization AND h.log = c.log
                WHERE c.sink = s.id AND c.organization = s.organization
                    AND h.first + h.size > c.next)
        ORDER BY t.not_before, s.id LIMIT $2";
    TURN = "SELECT state, holder, held_until, failures, failing_since, not_before, delivered_at, problem
        FROM sink_turn WHERE organization = $1 AND sink = $2";
    PUT_TURN = "INSERT INTO sink_turn (organization, sink, state, holder, held_until, failures, failing_since, not_before, delivered_at, problem)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        ON CONFLICT (organization, sink) DO UPDATE
        SET state = excluded.state, holder = excluded.holder, held_until = excluded.held_until,
            failures = excluded.failures, failing_since = excluded.failing_since,
            not_before = excluded.not_before, delivered_at = excluded.delivered_at,
            problem = excluded.problem";
    RELEASE = "UPDATE sink_turn SET holder = NULL, held_until = 0 WHERE holder IS NOT NULL";
    CURSORS = "SELECT organization, log, next FROM sink_cursor WHERE sink = $1
        ORDER BY organization, log";
    PUT_CURSOR = "INSERT INTO sink_cursor (sink, organization, log, next)
        VALUES ($1, $2, $3, $4)
        ON CONFLICT (sink, organization, log) DO UPDATE SET next = excluded.next";
    DELETE_CURSOR = "DELETE FROM sink_cursor WHERE sink = $1 AND organization = $2 AND log = $3";
    BEHIND = "SELECT c.organization, c.log, c.next, h.first + h.size
        FROM sink_cursor AS c
            JOIN ledger_head AS h ON h.organization = c.organization AND h.log = c.log
        WHERE c.sink = $1 AND c.organization = $2 AND h.first + h.size > c.next
        ORDER BY c.organization, c.log LIMIT $3";
    BEHIND_OF_ALL = "SELECT h.organization, h.log, COALESCE(c.next, h.first), h.first + h.size
        FROM ledger_head AS h LEFT JOIN sink_cursor AS c
            ON c.sink = $1 AND c.organization = h.organization AND c.log = h.log
        WHERE h.log IN ($2, $3) AND h.first + h.size > COALESCE(c.next, h.first)
        ORDER BY (h.organization, h.log) > ($4, $5) DESC, h.organization, h.log LIMIT $6";
}

#[async_trait]
impl SinkRows for PostgresControlTx {
    async fn sinks(&mut self, organization: OrganizationId) -> Result<Vec<SinkRow>, StoreError> {
        let values = values![organization.to_bytes()];
        self.list(SINKS, values, SinkRow::read).await
    }

    async fn put_sink(&mut self, row: SinkRow) -> Result<(), StoreError> {
        let values = values![
            row.organization.to_bytes(),
            row.id,
            row.name,
            row.created_at.as_micros(),
            row.changed_at.as_micros(),
            row.body.as_bytes(),
        ];
        self.put(PUT, values, "a sink with this name").await?;
        Ok(())
    }

    async fn delete_sink(
        &mut self,
        organization: OrganizationId,
        id: [u8; 16],
    ) -> Result<bool, StoreError> {
        let values = values![organization.to_bytes(), id];
        let gone = self.run(DELETE, values).await?;
        self.run(DELETE_TURN, values).await?;
        self.run(DELETE_CURSORS, values).await?;
        Ok(gone > 0)
    }

    async fn sinks_due(&mut self, now: Timestamp, limit: u32) -> Result<Vec<SinkRow>, StoreError> {
        let values = values![now.as_micros(), limit];
        self.list(DUE, values, SinkRow::read).await
    }

    async fn sink_turn(&mut self, key: SinkKey) -> Result<Option<SinkTurnRow>, StoreError> {
        let values = values![key.owner(), key.id];
        self.find(TURN, values, SinkTurnRow::read).await
    }

    async fn put_sink_turn(&mut self, key: SinkKey, row: SinkTurnRow) -> Result<(), StoreError> {
        let values = values![
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
        ];
        self.run(PUT_TURN, values).await?;
        Ok(())
    }

    async fn release_sinks(&mut self) -> Result<(), StoreError> {
        self.run(RELEASE, values![]).await?;
        Ok(())
    }

    async fn sink_cursors(&mut self, id: [u8; 16]) -> Result<Vec<(LogKey, u64)>, StoreError> {
        self.list(CURSORS, values![id], <(LogKey, u64)>::read).await
    }

    async fn put_sink_cursor(
        &mut self,
        id: [u8; 16],
        log: LogKey,
        next: u64,
    ) -> Result<(), StoreError> {
        let values = values![id, log.owner(), log.log.code(), next];
        self.run(PUT_CURSOR, values).await?;
        Ok(())
    }

    async fn delete_sink_cursor(&mut self, id: [u8; 16], log: LogKey) -> Result<(), StoreError> {
        let values = values![id, log.owner(), log.log.code()];
        self.run(DELETE_CURSOR, values).await?;
        Ok(())
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
        if let Some(organization) = key.organization {
            let values = values![key.id, organization.to_bytes(), limit];
            return self.list(BEHIND, values, BehindRow::read).await;
        }
        let owner = after.map(LogKey::owner);
        let log = after.map(|after| after.log.code());
        let values = values![key.id, first, last, owner, log, limit];
        self.list(BEHIND_OF_ALL, values, BehindRow::read).await
    }
}
