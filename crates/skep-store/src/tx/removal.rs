//! Taking back: a session or a source with all that came of it, and erasing without a trace.

use std::collections::BTreeSet;

use skep_authz::{CanWrite, Maintain, Upkeep, rights::MemoryDelete};
use skep_domain::{
    Id, MemoryId, MemoryState, OriginKind, RemovalMode, SessionId, SourceId, Timestamp,
};

use super::Tx;
use crate::StoreError;
use crate::keys::{Purpose, column};
use crate::row::{HistoryRow, RemovalRow};

/// Sessions of one source that are taken back at a time.
const SESSIONS: u32 = 1_000;
/// Memories that one memory can draw after it.
const DERIVED: u32 = 1_000;

/// What a removal takes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Root {
    /// A session.
    Session(SessionId),
    /// A source.
    Source(SourceId),
}

/// A removal that is not done yet.
#[derive(Clone, Debug)]
pub struct Removal {
    /// Of what.
    pub root: Root,
    /// How thoroughly.
    pub mode: RemovalMode,
    /// Why.
    pub reason: String,
}

/// What one step took back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Withdrawn {
    /// Memories that left recall for good.
    pub removed: u64,
    /// Memories that rest on something else too, and stay.
    pub kept: u64,
    /// Memories that are in recall again.
    pub restored: u64,
}

impl std::ops::AddAssign for Withdrawn {
    fn add_assign(&mut self, other: Self) {
        self.removed += other.removed;
        self.kept += other.kept;
        self.restored += other.restored;
    }
}

impl Root {
    fn parts(self) -> (OriginKind, [u8; 16]) {
        match self {
            Self::Session(id) => (OriginKind::Session, id.to_bytes()),
            Self::Source(id) => (OriginKind::Source, id.to_bytes()),
        }
    }
}

impl<P: CanWrite> Tx<P> {
    /// Notes that a session was brought by an import source.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_session_source(
        &mut self,
        session: SessionId,
        source: &str,
    ) -> Result<(), StoreError> {
        let source = self.keys.fingerprint(Purpose::Source, &[source.as_bytes()]);
        self.backend
            .put_session_source(&self.scope, session, source)
            .await
    }

    /// Whether a session or a source was taken back: nothing is distilled from it any more.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn is_taken_back(&mut self, root: Root) -> Result<bool, StoreError> {
        let (kind, origin) = root.parts();
        let row = self.backend.removal(&self.scope, kind, origin).await?;
        Ok(row.is_some())
    }

    /// What a removal would take, without doing it: the memories that rest on the root alone with
    /// those derived from them, each once, and how many stand without it. Both are cut off at the
    /// limit.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn preview_removal(
        &mut self,
        root: Root,
        limit: u32,
    ) -> Result<(Vec<MemoryId>, u64), StoreError> {
        let (kind, origin) = root.parts();
        let resting = self
            .backend
            .resting_on(&self.scope, kind, origin, false, limit)
            .await?;
        let (stands, rests): (Vec<_>, Vec<_>) = resting.into_iter().partition(|row| row.stands);
        let mut going: Vec<MemoryId> = rests.into_iter().map(|row| row.id).collect();
        let mut seen: BTreeSet<MemoryId> = going.iter().copied().collect();
        let mut at = 0;
        while let Some(id) = going.get(at).copied() {
            at += 1;
            let left = limit.saturating_sub(going.len() as u32).min(DERIVED);
            let of = (OriginKind::Memory, id.to_bytes());
            let derived = self
                .backend
                .resting_on(&self.scope, of.0, of.1, false, left)
                .await?;
            going.extend(
                derived
                    .iter()
                    .map(|row| row.id)
                    .filter(|id| seen.insert(*id)),
            );
        }
        let kept = stands.iter().filter(|row| !seen.contains(&row.id)).count();
        Ok((going, kept as u64))
    }

    pub(super) async fn note_removal(
        &mut self,
        removal: &Removal,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let (kind, origin) = removal.root.parts();
        let reason = removal.reason.as_bytes();
        let row = RemovalRow {
            kind,
            origin,
            mode: removal.mode,
            asked_at: at,
            actor: self.principal,
            reason: self.keys.seal(column::REMOVAL_REASON, origin, reason),
            done_at: None,
        };
        self.backend.put_removal(&self.scope, row).await
    }
}

impl Tx<MemoryDelete> {
    /// Sessions that an import source brought, and that the caller may see.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_sessions_of(&mut self, source: &str) -> Result<Vec<SessionId>, StoreError> {
        let source = self.keys.fingerprint(Purpose::Source, &[source.as_bytes()]);
        self.backend
            .sessions_of_source(&self.scope, &self.ring, source, SESSIONS)
            .await
    }

    /// Notes that something is to be taken back; upkeep does it, and goes on after a kill.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_removal(
        &mut self,
        removal: &Removal,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.note_removal(removal, at).await
    }

    /// Deletes a memory with its vector, history and all that stands beside it, and with every
    /// version that it was edited from or to. Only ids and the time are left. Gives how many
    /// versions went: none when there is no such memory that the caller may see.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn erase(&mut self, id: MemoryId, at: Timestamp) -> Result<u64, StoreError> {
        if !self.backend.is_there(&self.scope, &self.ring, id).await? {
            return Ok(0);
        }
        // All are found before the first one goes: what replaced it takes its place in the links,
        // and may be another memory. Edits are made one by one, so there are not many.
        let mut gone = 0;
        for version in self.list_edits(id, usize::MAX).await? {
            let erased = self.backend.erase_memory(&self.scope, version, at).await?;
            gone += u64::from(erased);
        }
        let erased = self.backend.erase_memory(&self.scope, id, at).await?;
        Ok(gone + u64::from(erased))
    }
}

impl<P: Upkeep> Tx<P> {
    /// Removals that are not done.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_removals(&mut self, limit: u32) -> Result<Vec<Removal>, StoreError> {
        let rows = self.backend.open_removals(&self.scope, limit).await?;
        let mut removals = Vec::with_capacity(rows.len());
        for row in rows {
            let root = match row.kind {
                OriginKind::Session => Root::Session(SessionId::from_bytes(row.origin)),
                OriginKind::Source => Root::Source(SourceId::from_bytes(row.origin)),
                OriginKind::Said | OriginKind::Memory => {
                    return Err(StoreError::Damaged("what a removal takes back"));
                }
            };
            removals.push(Removal {
                root,
                mode: row.mode,
                reason: self
                    .keys
                    .open_text(column::REMOVAL_REASON, row.origin, &row.reason)?,
            });
        }
        Ok(removals)
    }

    /// Memories erased after `(seq, id)`, for the index.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_erasures(
        &mut self,
        after: (u64, Option<MemoryId>),
        limit: u32,
    ) -> Result<Vec<(u64, MemoryId)>, StoreError> {
        self.backend.erasures(&self.scope, after, limit).await
    }

    /// Whether bytes of something erased may still be in the files.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn is_unscrubbed(&mut self) -> Result<bool, StoreError> {
        self.backend.unscrubbed(&self.scope).await
    }
}

impl Tx<Maintain> {
    /// Takes back the next memories of a removal. When none is left, nothing was done.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn take_back(
        &mut self,
        removal: &Removal,
        at: Timestamp,
        limit: u32,
    ) -> Result<Withdrawn, StoreError> {
        let (kind, origin) = removal.root.parts();
        let erases = removal.mode != RemovalMode::Forget;
        let next = self
            .backend
            .resting_on(&self.scope, kind, origin, erases, limit)
            .await?;
        let mut done = Withdrawn::default();
        for row in next {
            if row.stands {
                self.backend
                    .drop_origin(&self.scope, row.id, kind, origin)
                    .await?;
                done.kept += 1;
            } else {
                done += self.withdraw(row.id, removal, at).await?;
            }
        }
        Ok(done)
    }

    /// A memory, and what was derived from it, and from that.
    async fn withdraw(
        &mut self,
        id: MemoryId,
        removal: &Removal,
        at: Timestamp,
    ) -> Result<Withdrawn, StoreError> {
        let erases = removal.mode != RemovalMode::Forget;
        let mut done = Withdrawn::default();
        let mut seen = BTreeSet::from([id]);
        let mut waiting = vec![id];
        while let Some(id) = waiting.pop() {
            let derived = self
                .backend
                .resting_on(
                    &self.scope,
                    OriginKind::Memory,
                    id.to_bytes(),
                    erases,
                    DERIVED,
                )
                .await?;
            waiting.extend(
                derived
                    .iter()
                    .map(|row| row.id)
                    .filter(|id| seen.insert(*id)),
            );
            done.restored += self.reinstate_predecessors(id, at).await?;
            let entry = self.removal_entry(id, MemoryState::Forgotten, &removal.reason, at);
            let gone = if erases {
                self.backend.erase_memory(&self.scope, id, at).await?
            } else {
                self.backend.withdraw(&self.scope, id, entry).await?
            };
            done.removed += u64::from(gone);
        }
        Ok(done)
    }

    async fn reinstate_predecessors(
        &mut self,
        id: MemoryId,
        at: Timestamp,
    ) -> Result<u64, StoreError> {
        let mut restored = 0;
        for older in self.backend.predecessors(&self.scope, id).await? {
            let entry = self.removal_entry(older, MemoryState::Active, RESTORED, at);
            let back = self
                .backend
                .reinstate(&self.scope, older, id, entry)
                .await?;
            restored += u64::from(back);
        }
        Ok(restored)
    }

    fn removal_entry(
        &self,
        id: MemoryId,
        state: MemoryState,
        reason: &str,
        at: Timestamp,
    ) -> HistoryRow {
        HistoryRow {
            at,
            actor: self.principal,
            state,
            reason: self.seal_reasons(id, &[reason]),
        }
    }

    /// Deletes the last turns of a session; says how many.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn erase_turns(&mut self, id: SessionId, limit: u32) -> Result<u64, StoreError> {
        self.backend.erase_turns(&self.scope, id, limit).await
    }

    /// Deletes a session whose turns are gone.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn erase_session(&mut self, id: SessionId, at: Timestamp) -> Result<(), StoreError> {
        self.backend.erase_session(&self.scope, id, at).await
    }

    /// Notes that a removal is done.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn finish_removal(&mut self, root: Root, at: Timestamp) -> Result<(), StoreError> {
        let (kind, origin) = root.parts();
        self.backend
            .finish_removal(&self.scope, kind, origin, at)
            .await
    }

    /// Notes that nothing of what was erased is left in the files.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn mark_scrubbed(&mut self) -> Result<(), StoreError> {
        self.backend.mark_scrubbed(&self.scope).await
    }
}

const RESTORED: &str = "what took its place was taken back";
