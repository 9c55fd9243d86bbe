//! The part of the port for participants.

use async_trait::async_trait;
use skep_crypto::Sealed;
use skep_domain::{MemoryId, ParticipantId, Principal, ReadingRing, SessionId, Timestamp, Window};
use skep_store::backend::{PageOf, ParticipantRows, ReachRow};
use skep_store::row::{
    AboutRow, ConsentRow, Fingerprint, HistoryRow, MemberRow, NameRow, ObservationPage,
    ParticipantEventRow, ParticipantRow, StoredMemoryRow, StoredObservationRow, StoredTurnRow,
};
use skep_store::{ScopeKey, StoreError};

use super::{PostgresTx, step};
use crate::{consent, member, participant, turn};

#[async_trait]
impl ParticipantRows for PostgresTx {
    async fn own_participant(
        &mut self,
        scope: &ScopeKey,
        principal: Principal,
    ) -> Result<Option<ParticipantRow>, StoreError> {
        step!(self, scope, participant::own, principal)
    }

    async fn put_participant(
        &mut self,
        scope: &ScopeKey,
        row: ParticipantRow,
    ) -> Result<bool, StoreError> {
        step!(self, scope, participant::put, &row)
    }

    async fn set_participant_name(
        &mut self,
        scope: &ScopeKey,
        id: ParticipantId,
        name: NameRow,
    ) -> Result<bool, StoreError> {
        step!(self, scope, participant::set_name, id, &name)
    }

    async fn set_participant_card(
        &mut self,
        scope: &ScopeKey,
        id: ParticipantId,
        card: Sealed,
    ) -> Result<(), StoreError> {
        step!(self, scope, participant::set_card, id, &card)
    }

    async fn note_participant(
        &mut self,
        scope: &ScopeKey,
        id: ParticipantId,
        event: ParticipantEventRow,
    ) -> Result<(), StoreError> {
        step!(self, scope, participant::note, id, &event)
    }

    async fn participant(
        &mut self,
        scope: &ScopeKey,
        reach: &ReachRow,
        id: ParticipantId,
    ) -> Result<Option<ParticipantRow>, StoreError> {
        let reach = *reach;
        step!(self, scope, participant::get, &reach, id)
    }

    async fn participants(
        &mut self,
        scope: &ScopeKey,
        reach: &ReachRow,
        named: Option<Fingerprint>,
        page: PageOf<ParticipantId>,
    ) -> Result<Vec<ParticipantRow>, StoreError> {
        let reach = *reach;
        step!(self, scope, participant::list, &reach, named, page)
    }

    async fn exact_participant(
        &mut self,
        scope: &ScopeKey,
        id: ParticipantId,
    ) -> Result<Option<ParticipantRow>, StoreError> {
        step!(self, scope, participant::exact, id)
    }

    async fn merged_participants(
        &mut self,
        scope: &ScopeKey,
        id: ParticipantId,
    ) -> Result<Vec<ParticipantId>, StoreError> {
        step!(self, scope, participant::merged, id)
    }

    async fn set_merged(
        &mut self,
        scope: &ScopeKey,
        id: ParticipantId,
        into: Option<ParticipantId>,
    ) -> Result<(), StoreError> {
        step!(self, scope, participant::set_merged, id, into)
    }

    async fn memories_about(
        &mut self,
        scope: &ScopeKey,
        subject: ParticipantId,
        after: Option<MemoryId>,
        limit: u32,
    ) -> Result<Vec<MemoryId>, StoreError> {
        step!(self, scope, consent::memories_about, subject, after, limit)
    }

    async fn blank_memory(
        &mut self,
        scope: &ScopeKey,
        id: MemoryId,
        body: Sealed,
        entry: HistoryRow,
    ) -> Result<(), StoreError> {
        step!(self, scope, consent::blank_memory, id, &body, &entry)
    }

    async fn blank_participant(
        &mut self,
        scope: &ScopeKey,
        id: ParticipantId,
    ) -> Result<(), StoreError> {
        step!(self, scope, participant::blank, id)
    }

    async fn put_consent(&mut self, scope: &ScopeKey, row: ConsentRow) -> Result<bool, StoreError> {
        step!(self, scope, consent::put, &row)
    }

    async fn consents(
        &mut self,
        scope: &ScopeKey,
        subject: ParticipantId,
    ) -> Result<Vec<ConsentRow>, StoreError> {
        step!(self, scope, consent::list, subject)
    }

    async fn put_about(
        &mut self,
        scope: &ScopeKey,
        memory: MemoryId,
        about: Vec<AboutRow>,
    ) -> Result<(), StoreError> {
        step!(self, scope, consent::put_about, memory, &about)
    }

    async fn about(
        &mut self,
        scope: &ScopeKey,
        memories: &[MemoryId],
    ) -> Result<Vec<AboutRow>, StoreError> {
        let memories = memories.to_vec();
        step!(self, scope, consent::about, &memories)
    }

    async fn observations(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        page: ObservationPage,
    ) -> Result<Vec<StoredObservationRow>, StoreError> {
        step!(self, scope, consent::observations, &ring, page)
    }

    async fn session_owner(
        &mut self,
        scope: &ScopeKey,
        session: SessionId,
    ) -> Result<Option<(Principal, u64)>, StoreError> {
        step!(self, scope, member::session_owner, session)
    }

    async fn ordinal_at(
        &mut self,
        scope: &ScopeKey,
        session: SessionId,
        at: Timestamp,
    ) -> Result<u64, StoreError> {
        step!(self, scope, member::ordinal_at, session, at)
    }

    async fn open_window(&mut self, scope: &ScopeKey, row: MemberRow) -> Result<bool, StoreError> {
        step!(self, scope, member::open, &row)
    }

    async fn close_window(
        &mut self,
        scope: &ScopeKey,
        session: SessionId,
        participant: ParticipantId,
        to: u64,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        step!(self, scope, member::close, session, participant, to, at)
    }

    async fn members(
        &mut self,
        scope: &ScopeKey,
        session: SessionId,
    ) -> Result<Vec<MemberRow>, StoreError> {
        step!(self, scope, member::list, session)
    }

    async fn own_windows(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        session: SessionId,
    ) -> Result<Option<Vec<Window>>, StoreError> {
        step!(self, scope, member::own_windows, &ring, session)
    }

    async fn turns_before(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        session: SessionId,
        before: u64,
        limit: u32,
    ) -> Result<Vec<StoredTurnRow>, StoreError> {
        step!(
            self,
            scope,
            turn::list_before,
            &ring,
            session,
            before,
            limit
        )
    }

    async fn session_memories(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        session: SessionId,
        limit: u32,
    ) -> Result<Vec<StoredMemoryRow>, StoreError> {
        step!(self, scope, member::memories, &ring, session, limit)
    }
}
