//! Statements on tickets. Each that finds one asks that it has not ended and is not used up.

use async_trait::async_trait;
use skep_crypto::Sealed;
use skep_domain::{Id, OrganizationId, Timestamp, UserId};
use skep_store::StoreError;
use skep_store::backend::control::TicketRows;
use skep_store::column::{bytes_of, ticket};
use skep_store::row::{TicketKind, TicketRow};

use super::PostgresControlTx;
use super::access::step;
use crate::failure::{Failure, named};
use crate::rows::Wire;
use crate::statement::statements;
use crate::value::values;

/// The open ones of a kind.
macro_rules! ticket {
    ($condition:literal) => {
        concat!(
            "SELECT digest, second, organization, expires_at, uses_left, version, body, user_id,
                 maker
             FROM ticket
             WHERE kind = $1 AND expires_at > $2 AND uses_left > 0 AND ",
            $condition
        )
    };
}

statements! {
    OF_DIGEST = ticket!("digest = $3");
    OF_SECOND = ticket!("second = $3");
    LIST = ticket!("($3::uuid IS NULL OR organization = $3)
        ORDER BY expires_at, digest LIMIT $4");
    /// What has ended is in nobody's way.
    MAKE_WAY = "DELETE FROM ticket WHERE kind = $1 AND (digest = $2 OR second = $3)
        AND (expires_at <= $4 OR uses_left = 0)";
    PUT = "INSERT INTO ticket (kind, digest, second, organization, expires_at, uses_left, body,
            user_id, maker)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    /// Of callers at once, each finds what the one before left. The version is that of what was taken.
    TAKE = "UPDATE ticket SET uses_left = uses_left - 1, version = version + 1
        WHERE kind = $1 AND expires_at > $2 AND uses_left > 0 AND digest = $3
        RETURNING digest, second, organization, expires_at, uses_left, version - 1, body, user_id,
            maker";
    UPDATE = "UPDATE ticket SET body = $4, uses_left = $5, version = version + 1
        WHERE kind = $1 AND digest = $2 AND version = $3";
    DELETE = "DELETE FROM ticket WHERE kind = $1 AND digest = $2";
    VOID_OF = "DELETE FROM ticket WHERE user_id = $1";
    VOID_MADE_BY = "DELETE FROM ticket WHERE organization = $1 AND maker = $2";
    COUNT = "SELECT COUNT(*) FROM ticket WHERE kind = $1 AND expires_at > $2 AND uses_left > 0";
    CHARGE = "UPDATE ticket SET uses_left = uses_left - 1
        WHERE kind = $1 AND expires_at > $2 AND uses_left > 0";
    SWEEP = "DELETE FROM ticket WHERE (kind, digest) IN
        (SELECT kind, digest FROM ticket WHERE expires_at <= $1
         ORDER BY expires_at, kind, digest LIMIT $2)";
}

async fn put(wire: &Wire<'_>, row: &TicketRow, now: Timestamp) -> Result<(), Failure> {
    let kind = row.kind as u8;
    let ended = values![kind, row.digest, row.second, now.as_micros()];
    wire.run(MAKE_WAY, ended).await?;
    let values = values![
        kind,
        row.digest,
        row.second,
        bytes_of(row.organization),
        row.expires_at.as_micros(),
        row.uses_left,
        row.body.as_bytes(),
        bytes_of(row.user),
        bytes_of(row.maker)
    ];
    named(wire.run(PUT, values).await, "a ticket for this secret")?;
    Ok(())
}

async fn take(
    wire: &Wire<'_>,
    kind: TicketKind,
    digest: [u8; 32],
    now: Timestamp,
) -> Result<Option<TicketRow>, Failure> {
    let values = values![kind as u8, now.as_micros(), digest];
    let taken = wire.find(TAKE, values, |row| ticket(row, kind)).await?;
    if taken.as_ref().is_some_and(|row| row.uses_left == 0) {
        wire.run(DELETE, values![kind as u8, digest]).await?;
    }
    Ok(taken)
}

#[async_trait]
impl TicketRows for PostgresControlTx {
    async fn put_ticket(&mut self, row: TicketRow, now: Timestamp) -> Result<(), StoreError> {
        step!(self, put, &row, now)
    }

    async fn ticket(
        &mut self,
        kind: TicketKind,
        digest: [u8; 32],
        now: Timestamp,
    ) -> Result<Option<TicketRow>, StoreError> {
        let values = values![kind as u8, now.as_micros(), digest];
        self.find(OF_DIGEST, values, |row| ticket(row, kind)).await
    }

    async fn ticket_by_second(
        &mut self,
        kind: TicketKind,
        second: [u8; 32],
        now: Timestamp,
    ) -> Result<Option<TicketRow>, StoreError> {
        let values = values![kind as u8, now.as_micros(), second];
        self.find(OF_SECOND, values, |row| ticket(row, kind)).await
    }

    async fn take_ticket(
        &mut self,
        kind: TicketKind,
        digest: [u8; 32],
        now: Timestamp,
    ) -> Result<Option<TicketRow>, StoreError> {
        step!(self, take, kind, digest, now)
    }

    async fn update_ticket(
        &mut self,
        kind: TicketKind,
        digest: [u8; 32],
        version: u64,
        body: Sealed,
        uses_left: u32,
    ) -> Result<bool, StoreError> {
        let values = values![kind as u8, digest, version, body.as_bytes(), uses_left];
        Ok(self.run(UPDATE, values).await? > 0)
    }

    async fn delete_ticket(
        &mut self,
        kind: TicketKind,
        digest: [u8; 32],
    ) -> Result<bool, StoreError> {
        Ok(self.run(DELETE, values![kind as u8, digest]).await? > 0)
    }

    async fn void_tickets_of(&mut self, user: UserId) -> Result<u64, StoreError> {
        self.run(VOID_OF, values![user.to_bytes()]).await
    }

    async fn void_tickets_made_by(
        &mut self,
        organization: OrganizationId,
        maker: UserId,
    ) -> Result<u64, StoreError> {
        let values = values![organization.to_bytes(), maker.to_bytes()];
        self.run(VOID_MADE_BY, values).await
    }

    async fn tickets(
        &mut self,
        kind: TicketKind,
        organization: Option<OrganizationId>,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<TicketRow>, StoreError> {
        let values = values![kind as u8, now.as_micros(), bytes_of(organization), limit];
        self.list(LIST, values, |row| ticket(row, kind)).await
    }

    async fn count_tickets(&mut self, kind: TicketKind, now: Timestamp) -> Result<u64, StoreError> {
        let values = values![kind as u8, now.as_micros()];
        self.get(COUNT, values, |row| row.get(0)).await
    }

    async fn charge_tickets(
        &mut self,
        kind: TicketKind,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let values = values![kind as u8, now.as_micros()];
        self.run(CHARGE, values).await
    }

    async fn sweep_tickets(&mut self, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.run(SWEEP, values![now.as_micros(), limit]).await
    }
}
