//! Statements on tickets. Each that finds one asks that it has not ended and is not used up.

use async_trait::async_trait;
use rusqlite::{Connection, params};
use skep_crypto::Sealed;
use skep_domain::{Id, OrganizationId, Timestamp, UserId};
use skep_store::StoreError;
use skep_store::backend::control::TicketRows;
use skep_store::column::{bytes_of, ticket};
use skep_store::row::{TicketKind, TicketRow};

use super::{SqliteControlTx, named};
use crate::failure::Failure;

const TICKET: &str =
    "SELECT digest, second, organization, expires_at, uses_left, version, body, user, maker
     FROM ticket
     WHERE kind = ?1 AND expires_at > ?2 AND uses_left > 0";

fn find(
    connection: &Connection,
    kind: TicketKind,
    condition: &str,
    digest: [u8; 32],
    now: Timestamp,
) -> Result<Option<TicketRow>, Failure> {
    connection
        .prepare_cached(&format!("{TICKET} AND {condition}"))?
        .query_and_then(params![kind as u8, now.as_micros(), digest], |row| {
            ticket(row, kind)
        })?
        .next()
        .transpose()
}

fn put(connection: &Connection, row: &TicketRow, now: Timestamp) -> Result<(), Failure> {
    // What has ended is in nobody's way.
    connection
        .prepare_cached(
            "DELETE FROM ticket WHERE kind = ?1 AND (digest = ?2 OR second = ?3)
                 AND (expires_at <= ?4 OR uses_left = 0)",
        )?
        .execute(params![
            row.kind as u8,
            row.digest,
            row.second,
            now.as_micros()
        ])?;
    let inserted = connection
        .prepare_cached(
            "INSERT INTO ticket (kind, digest, second, organization, expires_at, uses_left, body,
                 user, maker)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(params![
            row.kind as u8,
            row.digest,
            row.second,
            bytes_of(row.organization),
            row.expires_at.as_micros(),
            row.uses_left,
            row.body.as_bytes(),
            bytes_of(row.user),
            bytes_of(row.maker)
        ]);
    named(inserted, "a ticket for this secret")
}

fn take(
    connection: &Connection,
    kind: TicketKind,
    digest: [u8; 32],
    now: Timestamp,
) -> Result<Option<TicketRow>, Failure> {
    let Some(mut row) = find(connection, kind, "digest = ?3", digest, now)? else {
        return Ok(None);
    };
    row.uses_left -= 1;
    let sql = if row.uses_left == 0 {
        "DELETE FROM ticket WHERE kind = ?1 AND digest = ?2"
    } else {
        "UPDATE ticket SET uses_left = uses_left - 1, version = version + 1
         WHERE kind = ?1 AND digest = ?2"
    };
    connection
        .prepare_cached(sql)?
        .execute(params![kind as u8, digest])?;
    Ok(Some(row))
}

#[async_trait]
impl TicketRows for SqliteControlTx {
    async fn put_ticket(&mut self, row: TicketRow, now: Timestamp) -> Result<(), StoreError> {
        self.run(move |connection| put(connection, &row, now)).await
    }

    async fn ticket(
        &mut self,
        kind: TicketKind,
        digest: [u8; 32],
        now: Timestamp,
    ) -> Result<Option<TicketRow>, StoreError> {
        self.run(move |connection| find(connection, kind, "digest = ?3", digest, now))
            .await
    }

    async fn ticket_by_second(
        &mut self,
        kind: TicketKind,
        second: [u8; 32],
        now: Timestamp,
    ) -> Result<Option<TicketRow>, StoreError> {
        self.run(move |connection| find(connection, kind, "second = ?3", second, now))
            .await
    }

    async fn take_ticket(
        &mut self,
        kind: TicketKind,
        digest: [u8; 32],
        now: Timestamp,
    ) -> Result<Option<TicketRow>, StoreError> {
        self.run(move |connection| take(connection, kind, digest, now))
            .await
    }

    async fn update_ticket(
        &mut self,
        kind: TicketKind,
        digest: [u8; 32],
        version: u64,
        body: Sealed,
        uses_left: u32,
    ) -> Result<bool, StoreError> {
        self.run(move |connection| {
            let changed = connection
                .prepare_cached(
                    "UPDATE ticket SET body = ?4, uses_left = ?5, version = version + 1
                     WHERE kind = ?1 AND digest = ?2 AND version = ?3",
                )?
                .execute(params![
                    kind as u8,
                    digest,
                    version,
                    body.as_bytes(),
                    uses_left
                ])?;
            Ok(changed > 0)
        })
        .await
    }

    async fn delete_ticket(
        &mut self,
        kind: TicketKind,
        digest: [u8; 32],
    ) -> Result<bool, StoreError> {
        self.run(move |connection| {
            let gone = connection
                .prepare_cached("DELETE FROM ticket WHERE kind = ?1 AND digest = ?2")?
                .execute(params![kind as u8, digest])?;
            Ok(gone > 0)
        })
        .await
    }

    async fn void_tickets_of(&mut self, user: UserId) -> Result<u64, StoreError> {
        self.run(move |connection| {
            let gone = connection
                .prepare_cached("DELETE FROM ticket WHERE user = ?1")?
                .execute([user.to_bytes()])?;
            Ok(gone as u64)
        })
        .await
    }

    async fn void_tickets_made_by(
        &mut self,
        organization: OrganizationId,
        maker: UserId,
    ) -> Result<u64, StoreError> {
        self.run(move |connection| {
            let gone = connection
                .prepare_cached("DELETE FROM ticket WHERE organization = ?1 AND maker = ?2")?
                .execute([organization.to_bytes(), maker.to_bytes()])?;
            Ok(gone as u64)
        })
        .await
    }

    async fn tickets(
        &mut self,
        kind: TicketKind,
        organization: Option<OrganizationId>,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<TicketRow>, StoreError> {
        self.run(move |connection| {
            connection
                .prepare_cached(&format!(
                    "{TICKET} AND (?3 IS NULL OR organization = ?3)
                     ORDER BY expires_at, digest LIMIT ?4"
                ))?
                .query_and_then(
                    params![kind as u8, now.as_micros(), bytes_of(organization), limit],
                    |row| ticket(row, kind),
                )?
                .collect()
        })
        .await
    }

    async fn count_tickets(&mut self, kind: TicketKind, now: Timestamp) -> Result<u64, StoreError> {
        self.run(move |connection| {
            Ok(connection
                .prepare_cached(
                    "SELECT COUNT(*) FROM ticket
                     WHERE kind = ?1 AND expires_at > ?2 AND uses_left > 0",
                )?
                .query_row(params![kind as u8, now.as_micros()], |row| row.get(0))?)
        })
        .await
    }

    async fn charge_tickets(
        &mut self,
        kind: TicketKind,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        self.run(move |connection| {
            let charged = connection
                .prepare_cached(
                    "UPDATE ticket SET uses_left = uses_left - 1
                     WHERE kind = ?1 AND expires_at > ?2 AND uses_left > 0",
                )?
                .execute(params![kind as u8, now.as_micros()])?;
            Ok(charged as u64)
        })
        .await
    }

    async fn sweep_tickets(&mut self, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.run(move |connection| {
            let gone = connection
                .prepare_cached(
                    "DELETE FROM ticket WHERE (kind, digest) IN
                         (SELECT kind, digest FROM ticket WHERE expires_at <= ?1 LIMIT ?2)",
                )?
                .execute(params![now.as_micros(), limit])?;
            Ok(gone as u64)
        })
        .await
    }
}
