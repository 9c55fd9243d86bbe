//! The part of the port for participants, on a thread that may block.

use async_trait::async_trait;
use skep_crypto::Sealed;
use skep_domain::{MemoryId, ParticipantId, Principal, ReadingRing, SessionId, Timestamp, Window};
use skep_store::backend::{PageOf, ParticipantRows, ReachRow};
use skep_store::row::{
    AboutRow, ConsentRow, Fingerprint, HistoryRow, MemberRow, NameRow, ObservationPage,
    ParticipantEventRow, ParticipantRow, StoredMemoryRow, StoredObservationRow, StoredTurnRow,
};
use skep_store::{ScopeKey, StoreError};

use super::SqliteTx;
use crate::{consent, member, participant, turn};

#[async_trait]
impl ParticipantRows for SqliteTx {
    async fn own_participant(
        &mut self,
        scope: &ScopeKey,
        principal: Principal,
    ) -> Result<Option<ParticipantRow>, StoreError> {
        self.run(scope, move |rows| participant::own(rows, principal))
            .await
    }

    async fn put_participant(
        &mut self,
        scope: &ScopeKey,
        row: ParticipantRow,
    ) -> Result<bool, StoreError> {
        self.run(scope, move |rows| participant::put(rows, &row))
            .await
    }

    async fn set_participant_name(
        &mut self,
        scope: &ScopeKey,
        id: ParticipantId,
        name: NameRow,
    ) -> Result<bool, StoreError> {
        self.run(scope, move |rows| participant::set_name(rows, id, &name))
            .await
    }

    async fn set_participant_card(
        &mut self,
        scope: &ScopeKey,
        id: ParticipantId,
        card: Sealed,
    ) -> Result<(), StoreError> {
        self.run(scope, move |rows| participant::set_card(rows, id, &card))
            .await
    }

    async fn note_participant(
        &mut self,
        scope: &ScopeKey,
        id: ParticipantId,
        event: ParticipantEventRow,
    ) -> Result<(), StoreError> {
        self.run(scope, move |rows| participant::note(rows, id, &event))
            .await
    }

    async fn participant(
        &mut self,
        scope: &ScopeKey,
        reach: &ReachRow,
        id: ParticipantId,
    ) -> Result<Option<ParticipantRow>, StoreError> {
        let reach = *reach;
        self.run(scope, move |rows| participant::get(rows, &reach, id))
            .await
    }

    async fn participants(
        &mut self,
        scope: &ScopeKey,
        reach: &ReachRow,
        named: Option<Fingerprint>,
        page: PageOf<ParticipantId>,
    ) -> Result<Vec<ParticipantRow>, StoreError> {
        let reach = *reach;
        self.run(scope, move |rows| {
            participant::list(rows, &reach, named, page)
        })
        .await
    }

    async fn exact_participant(
        &mut self,
        scope: &ScopeKey,
        id: ParticipantId,
    ) -> Result<Option<ParticipantRow>, StoreError> {
        self.run(scope, move |rows| participant::exact(rows, id))
            .await
    }

    async fn merged_participants(
        &mut self,
        scope: &ScopeKey,
        id: ParticipantId,
    ) -> Result<Vec<ParticipantId>, StoreError> {
        self.run(scope, move |rows| participant::merged(rows, id))
            .await
    }

    async fn set_merged(
        &mut self,
        scope: &ScopeKey,
        id: ParticipantId,
        into: Option<ParticipantId>,
    ) -> Result<(), StoreError> {
        self.run(scope, move |rows| participant::set_merged(rows, id, into))
            .await
    }

    async fn memories_about(
        &mut self,
        scope: &ScopeKey,
        subject: ParticipantId,
        after: Option<MemoryId>,
        limit: u32,
    ) -> Result<Vec<MemoryId>, StoreError> {
        self.run(scope, move |rows| {
            consent::memories_about(rows, subject, after, limit)
        })
        .await
    }

    async fn blank_memory(
        &mut self,
        scope: &ScopeKey,
        id: MemoryId,
        body: Sealed,
        entry: HistoryRow,
    ) -> Result<(), StoreError> {
        self.run(scope, move |rows| {
            consent::blank_memory(rows, id, &body, &entry)
        })
        .await
    }

    async fn blank_participant(
        &mut self,
        scope: &ScopeKey,
        id: ParticipantId,
    ) -> Result<(), StoreError> {
        self.run(scope, move |rows| participant::blank(rows, id))
            .await
    }

    async fn put_consent(&mut self, scope: &ScopeKey, row: ConsentRow) -> Result<bool, StoreError> {
        self.run(scope, move |rows| consent::put(rows, &row)).await
    }

    async fn consents(
        &mut self,
        scope: &ScopeKey,
        subject: ParticipantId,
    ) -> Result<Vec<ConsentRow>, StoreError> {
        self.run(scope, move |rows| consent::list(rows, subject))
            .await
    }

    async fn put_about(
        &mut self,
        scope: &ScopeKey,
        memory: MemoryId,
        about: Vec<AboutRow>,
    ) -> Result<(), StoreError> {
        self.run(scope, move |rows| consent::put_about(rows, memory, &about))
            .await
    }

    async fn about(
        &mut self,
        scope: &ScopeKey,
        memories: &[MemoryId],
    ) -> Result<Vec<AboutRow>, StoreError> {
        let memories = memories.to_vec();
        self.run(scope, move |rows| consent::about(rows, &memories))
            .await
    }

    async fn observations(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        page: ObservationPage,
    ) -> Result<Vec<StoredObservationRow>, StoreError> {
        let ring = *ring;
        self.run(scope, move |rows| consent::observations(rows, &ring, page))
            .await
    }

    async fn session_owner(
        &mut self,
        scope: &ScopeKey,
        session: SessionId,
    ) -> Result<Option<(Principal, u64)>, StoreError> {
        self.run(scope, move |rows| member::session_owner(rows, session))
            .await
    }

    async fn ordinal_at(
        &mut self,
        scope: &ScopeKey,
        session: SessionId,
        at: Timestamp,
    ) -> Result<u64, StoreError> {
        self.run(scope, move |rows| member::ordinal_at(rows, session, at))
            .await
    }

    async fn open_window(&mut self, scope: &ScopeKey, row: MemberRow) -> Result<bool, StoreError> {
        self.run(scope, move |rows| member::open(rows, &row)).await
    }

    async fn close_window(
        &mut self,
        scope: &ScopeKey,
        session: SessionId,
        participant: ParticipantId,
        to: u64,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        self.run(scope, move |rows| {
            member::close(rows, session, participant, to, at)
        })
        .await
    }

    async fn members(
        &mut self,
        scope: &ScopeKey,
        session: SessionId,
    ) -> Result<Vec<MemberRow>, StoreError> {
        self.run(scope, move |rows| member::list(rows, session))
            .await
    }

    async fn own_windows(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        session: SessionId,
    ) -> Result<Option<Vec<Window>>, StoreError> {
        let ring = *ring;
        self.run(scope, move |rows| member::own_windows(rows, &ring, session))
            .await
    }

    async fn turns_before(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        session: SessionId,
        before: u64,
        limit: u32,
    ) -> Result<Vec<StoredTurnRow>, StoreError> {
        let ring = *ring;
        self.run(scope, move |rows| {
            turn::list_before(rows, &ring, session, before, limit)
        })
        .await
    }

    async fn session_memories(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        session: SessionId,
        limit: u32,
    ) -> Result<Vec<StoredMemoryRow>, StoreError> {
        let ring = *ring;
        self.run(scope, move |rows| {
            member::memories(rows, &ring, session, limit)
        })
        .await
    }
}
