//! Tickets: secrets that are good for one thing, for a while.

use async_trait::async_trait;
use skep_crypto::Sealed;
use skep_domain::{OrganizationId, Timestamp, UserId};

use crate::StoreError;
use crate::row::{TicketKind, TicketRow};

/// Tickets. One that has ended, or was used up, is not there for anybody.
#[async_trait]
pub trait TicketRows {
    /// Keeps one; a digest that is taken is [`StoreError::Conflict`], unless that one has ended.
    async fn put_ticket(&mut self, row: TicketRow, now: Timestamp) -> Result<(), StoreError>;
    /// One by its secret.
    async fn ticket(
        &mut self,
        kind: TicketKind,
        digest: [u8; 32],
        now: Timestamp,
    ) -> Result<Option<TicketRow>, StoreError>;
    /// One by its second secret.
    async fn ticket_by_second(
        &mut self,
        kind: TicketKind,
        second: [u8; 32],
        now: Timestamp,
    ) -> Result<Option<TicketRow>, StoreError>;
    /// Takes one use; the last use removes it. Of callers at once, as many get it as there are uses.
    async fn take_ticket(
        &mut self,
        kind: TicketKind,
        digest: [u8; 32],
        now: Timestamp,
    ) -> Result<Option<TicketRow>, StoreError>;
    /// Puts another body in a ticket of exactly this version; `false` when it is of another, or gone.
    async fn update_ticket(
        &mut self,
        kind: TicketKind,
        digest: [u8; 32],
        version: u64,
        body: Sealed,
        uses_left: u32,
    ) -> Result<bool, StoreError>;
    /// Removes one, whatever is left of it.
    async fn delete_ticket(
        &mut self,
        kind: TicketKind,
        digest: [u8; 32],
    ) -> Result<bool, StoreError>;
    /// Removes all that are about an account.
    async fn void_tickets_of(&mut self, user: UserId) -> Result<u64, StoreError>;
    /// Removes all that a member made for their organization.
    async fn void_tickets_made_by(
        &mut self,
        organization: OrganizationId,
        maker: UserId,
    ) -> Result<u64, StoreError>;
    /// Tickets of a kind that an organization has open (of all, for `None`), at most so many.
    async fn tickets(
        &mut self,
        kind: TicketKind,
        organization: Option<OrganizationId>,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<TicketRow>, StoreError>;
    /// How many of a kind are open.
    async fn count_tickets(&mut self, kind: TicketKind, now: Timestamp) -> Result<u64, StoreError>;
    /// Takes one use from every open one of a kind; says how many those were.
    async fn charge_tickets(&mut self, kind: TicketKind, now: Timestamp)
    -> Result<u64, StoreError>;
    /// Removes those that have ended, at most so many.
    async fn sweep_tickets(&mut self, now: Timestamp, limit: u32) -> Result<u64, StoreError>;
}
