//! Sessions with many participants: stays, and what a stay lets its member see.

use skep_authz::{CanRead, rights::SessionCapture};
use skep_domain::{ParticipantId, Principal, SessionId, Timestamp, Window};

use crate::StoreError;
use crate::row::MemberRow;
use crate::tx::Tx;
use crate::tx::read::{open_memory, open_turn};
use crate::value::{Member, Memory, Turn};

impl<P: CanRead> Tx<P> {
    /// Every stay in a session that the caller may see, in the order they began.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_members(&mut self, session: SessionId) -> Result<Vec<Member>, StoreError> {
        let seen = self
            .backend
            .session(&self.scope, &self.ring, session)
            .await?;
        if seen.is_none() {
            return Ok(Vec::new());
        }
        let rows = self.backend.members(&self.scope, session).await?;
        Ok(rows.into_iter().map(member).collect())
    }

    /// The caller's own windows in a session; `None` when nothing of it is closed to them.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_own_windows(
        &mut self,
        session: SessionId,
    ) -> Result<Option<Vec<Window>>, StoreError> {
        self.backend
            .own_windows(&self.scope, &self.ring, session)
            .await
    }

    /// Turns of a session that the caller may see, newest first, before an ordinal.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_turns_before(
        &mut self,
        session: SessionId,
        before: u64,
        limit: u32,
    ) -> Result<Vec<Turn>, StoreError> {
        let rows = self
            .backend
            .turns_before(&self.scope, &self.ring, session, before, limit)
            .await?;
        rows.into_iter()
            .map(|row| open_turn(&self.keys, row))
            .collect()
    }

    /// Memories distilled from a session that the caller may see, newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_session_memories(
        &mut self,
        session: SessionId,
        limit: u32,
    ) -> Result<Vec<Memory>, StoreError> {
        let rows = self
            .backend
            .session_memories(&self.scope, &self.ring, session, limit)
            .await?;
        rows.into_iter()
            .map(|row| open_memory(&self.keys, row))
            .collect()
    }
}

impl Tx<SessionCapture> {
    /// Who owns a session, and its next ordinal.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get_session_owner(
        &mut self,
        session: SessionId,
    ) -> Result<Option<(Principal, u64)>, StoreError> {
        self.backend.session_owner(&self.scope, session).await
    }

    /// The first ordinal that was recorded at a time or after it, by our clock.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get_ordinal_at(
        &mut self,
        session: SessionId,
        at: Timestamp,
    ) -> Result<u64, StoreError> {
        self.backend.ordinal_at(&self.scope, session, at).await
    }

    /// Opens a stay from an ordinal on; `false` when the participant is in the session already.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn open_window(
        &mut self,
        session: SessionId,
        participant: ParticipantId,
        from: u64,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let row = MemberRow {
            session,
            participant,
            window: Window { from, to: None },
            joined_at: at,
            left_at: None,
        };
        self.backend.open_window(&self.scope, row).await
    }

    /// Ends a stay at an ordinal; `false` when the participant is not in the session.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn close_window(
        &mut self,
        session: SessionId,
        participant: ParticipantId,
        to: u64,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        self.backend
            .close_window(&self.scope, session, participant, to, at)
            .await
    }
}

fn member(row: MemberRow) -> Member {
    Member {
        session: row.session,
        participant: row.participant,
        window: row.window,
        joined_at: row.joined_at,
        left_at: row.left_at,
    }
}
