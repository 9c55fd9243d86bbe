//! Tickets: secrets that let their holder do one thing, for a while.

use skep_crypto::Plain;
use skep_domain::{OrganizationId, Timestamp, UserId};

use super::DoorTx;
use super::door::NOBODY;
use super::keys::TICKET_BODY;
use crate::StoreError;
use crate::row::{TicketKind, TicketRow};

/// A ticket to keep.
#[derive(Clone, Debug)]
pub struct NewTicket {
    /// What for.
    pub kind: TicketKind,
    /// Whose, if it is somebody's.
    pub organization: Option<OrganizationId>,
    /// Whose account it is about: with what proves them, it is void.
    pub user: Option<UserId>,
    /// The member who made it: with their standing, it is void.
    pub maker: Option<UserId>,
    /// When it ends.
    pub expires_at: Timestamp,
    /// How often it may be taken.
    pub uses: u32,
    /// What it is about.
    pub body: Vec<u8>,
}

/// A ticket that is open.
pub struct Ticket {
    /// Whose, if it is somebody's.
    pub organization: Option<OrganizationId>,
    /// When it ends.
    pub expires_at: Timestamp,
    /// How often it may still be taken.
    pub uses_left: u32,
    /// What it is about.
    pub body: Plain<Vec<u8>>,
    kind: TicketKind,
    digest: [u8; 32],
    version: u64,
}

/// The places of a ticket's two secrets: one is never taken for the other.
const FIRST: &[u8] = b"first";
const SECOND: &[u8] = b"second";

impl NewTicket {
    /// One that is good once, and nobody's.
    #[must_use]
    pub fn once(kind: TicketKind, expires_at: Timestamp, body: Vec<u8>) -> Self {
        Self {
            kind,
            organization: None,
            user: None,
            maker: None,
            expires_at,
            uses: 1,
            body,
        }
    }
}

impl DoorTx {
    /// Keeps a ticket for whoever holds `secret`, or the shorter `second` one. Both are kept as MACs.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when there is one for the same secret.
    pub async fn put_ticket(
        &mut self,
        secret: &[u8],
        second: Option<&[u8]>,
        new: NewTicket,
    ) -> Result<(), StoreError> {
        let digest = self.keys.ticket(new.kind, FIRST, secret);
        let row = TicketRow {
            kind: new.kind,
            digest,
            second: second.map(|second| self.keys.ticket(new.kind, SECOND, second)),
            organization: new.organization,
            user: new.user,
            maker: new.maker,
            expires_at: new.expires_at,
            uses_left: new.uses,
            version: 0,
            body: self
                .keys
                .seal(TICKET_BODY, (NOBODY, half(digest)), &new.body),
        };
        let now = self.now;
        self.rows.put_ticket(row, now).await
    }

    /// A ticket by its secret.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get_ticket(
        &mut self,
        kind: TicketKind,
        secret: &[u8],
    ) -> Result<Option<Ticket>, StoreError> {
        let digest = self.keys.ticket(kind, FIRST, secret);
        let now = self.now;
        let row = self.rows.ticket(kind, digest, now).await?;
        row.map(|row| self.open_ticket(&row)).transpose()
    }

    /// A ticket by its second secret.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get_ticket_by_second(
        &mut self,
        kind: TicketKind,
        second: &[u8],
    ) -> Result<Option<Ticket>, StoreError> {
        let second = self.keys.ticket(kind, SECOND, second);
        let now = self.now;
        let row = self.rows.ticket_by_second(kind, second, now).await?;
        row.map(|row| self.open_ticket(&row)).transpose()
    }

    /// Takes one use of a ticket. Of callers at once, as many get it as it has uses.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn take_ticket(
        &mut self,
        kind: TicketKind,
        secret: &[u8],
    ) -> Result<Option<Ticket>, StoreError> {
        let digest = self.keys.ticket(kind, FIRST, secret);
        let now = self.now;
        let row = self.rows.take_ticket(kind, digest, now).await?;
        row.map(|row| self.open_ticket(&row)).transpose()
    }

    /// Changes a ticket that was read; `false` when somebody else changed or took it meanwhile.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn update_ticket(
        &mut self,
        ticket: &Ticket,
        body: &[u8],
        uses_left: u32,
    ) -> Result<bool, StoreError> {
        let at = (NOBODY, half(ticket.digest));
        let sealed = self.keys.seal(TICKET_BODY, at, body);
        self.rows
            .update_ticket(
                ticket.kind,
                ticket.digest,
                ticket.version,
                sealed,
                uses_left,
            )
            .await
    }

    /// Removes a ticket that was read.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn delete_ticket(&mut self, ticket: &Ticket) -> Result<bool, StoreError> {
        self.rows.delete_ticket(ticket.kind, ticket.digest).await
    }

    /// Makes void whatever is about an account: codes for a new password, steps of a login.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn void_tickets_of(&mut self, user: UserId) -> Result<u64, StoreError> {
        self.rows.void_tickets_of(user).await
    }

    /// Open tickets of a kind, of an organization or of all.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_tickets(
        &mut self,
        kind: TicketKind,
        organization: Option<OrganizationId>,
        limit: u32,
    ) -> Result<Vec<Ticket>, StoreError> {
        let now = self.now;
        let rows = self.rows.tickets(kind, organization, now, limit).await?;
        rows.iter().map(|row| self.open_ticket(row)).collect()
    }

    /// How many tickets of a kind are open.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count_tickets(&mut self, kind: TicketKind) -> Result<u64, StoreError> {
        let now = self.now;
        self.rows.count_tickets(kind, now).await
    }

    /// Removes tickets that have ended; says how many.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn sweep_tickets(&mut self, limit: u32) -> Result<u64, StoreError> {
        let now = self.now;
        self.rows.sweep_tickets(now, limit).await
    }

    fn open_ticket(&self, row: &TicketRow) -> Result<Ticket, StoreError> {
        let at = (NOBODY, half(row.digest));
        Ok(Ticket {
            organization: row.organization,
            expires_at: row.expires_at,
            uses_left: row.uses_left,
            body: self.keys.open(TICKET_BODY, at, &row.body)?,
            kind: row.kind,
            digest: row.digest,
            version: row.version,
        })
    }
}

impl Ticket {
    /// What it lets its holder do.
    #[must_use]
    pub fn kind(&self) -> TicketKind {
        self.kind
    }

    /// A name for it that is no secret: it opens nothing.
    #[must_use]
    pub fn handle(&self) -> [u8; 16] {
        half(self.digest)
    }
}

fn half(digest: [u8; 32]) -> [u8; 16] {
    std::array::from_fn(|at| digest[at])
}

/// Shows which kind, never what it is about.
impl std::fmt::Debug for Ticket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ticket")
            .field("kind", &self.kind)
            .field("uses_left", &self.uses_left)
            .finish_non_exhaustive()
    }
}
