//! The part of the port that keeps participants, membership, consent and observations.

use async_trait::async_trait;
use skep_crypto::Sealed;
use skep_domain::{MemoryId, ParticipantId, Principal, ReadingRing, SessionId, Timestamp, Window};

use super::PageOf;
use crate::StoreError;
use crate::row::{
    AboutRow, ConsentRow, Fingerprint, HistoryRow, MemberRow, NameRow, ObservationPage,
    ParticipantEventRow, ParticipantRow, StoredMemoryRow, StoredObservationRow, StoredTurnRow,
};
use crate::scope::ScopeKey;

/// Which participants a statement may find.
#[derive(Clone, Copy, Debug)]
pub struct ReachRow {
    /// Who asks.
    pub ring: ReadingRing,
    /// Whoever manages members reaches all; others those they share a session with, own, or are.
    pub everyone: bool,
}

/// Participants, membership, consent, observations.
#[async_trait]
pub trait ParticipantRows: Send {
    /// The participant that a principal speaks as.
    async fn own_participant(
        &mut self,
        scope: &ScopeKey,
        principal: Principal,
    ) -> Result<Option<ParticipantRow>, StoreError>;
    /// Keeps a participant; `false`, and nothing kept, when its name is taken.
    async fn put_participant(
        &mut self,
        scope: &ScopeKey,
        row: ParticipantRow,
    ) -> Result<bool, StoreError>;
    /// Names a participant; `false`, and nothing changed, when another has the name.
    async fn set_participant_name(
        &mut self,
        scope: &ScopeKey,
        id: ParticipantId,
        name: NameRow,
    ) -> Result<bool, StoreError>;
    /// Keeps what a participant says of itself.
    async fn set_participant_card(
        &mut self,
        scope: &ScopeKey,
        id: ParticipantId,
        card: Sealed,
    ) -> Result<(), StoreError>;
    /// Adds to a participant's history.
    async fn note_participant(
        &mut self,
        scope: &ScopeKey,
        id: ParticipantId,
        event: ParticipantEventRow,
    ) -> Result<(), StoreError>;
    /// One participant that the reach holds; for one merged into another, that other.
    async fn participant(
        &mut self,
        scope: &ScopeKey,
        reach: &ReachRow,
        id: ParticipantId,
    ) -> Result<Option<ParticipantRow>, StoreError>;
    /// Participants that the reach holds, newest first, without those merged into others.
    async fn participants(
        &mut self,
        scope: &ScopeKey,
        reach: &ReachRow,
        named: Option<Fingerprint>,
        page: PageOf<ParticipantId>,
    ) -> Result<Vec<ParticipantRow>, StoreError>;
    /// Exactly this participant, merged or not, whoever asks: for those who manage members.
    async fn exact_participant(
        &mut self,
        scope: &ScopeKey,
        id: ParticipantId,
    ) -> Result<Option<ParticipantRow>, StoreError>;
    /// Those merged into a participant.
    async fn merged_participants(
        &mut self,
        scope: &ScopeKey,
        id: ParticipantId,
    ) -> Result<Vec<ParticipantId>, StoreError>;
    /// Points a participant at the one it is, or at itself again.
    async fn set_merged(
        &mut self,
        scope: &ScopeKey,
        id: ParticipantId,
        into: Option<ParticipantId>,
    ) -> Result<(), StoreError>;
    /// Every memory about a participant, and every one derived from those, after an id.
    async fn memories_about(
        &mut self,
        scope: &ScopeKey,
        subject: ParticipantId,
        after: Option<MemoryId>,
        limit: u32,
    ) -> Result<Vec<MemoryId>, StoreError>;
    /// Puts an empty body in the place of a memory's content, drops its vector, its turns and its
    /// history, and moves it to the entry's state, which is then all of its history.
    async fn blank_memory(
        &mut self,
        scope: &ScopeKey,
        id: MemoryId,
        body: Sealed,
        entry: HistoryRow,
    ) -> Result<(), StoreError>;
    /// Leaves of a participant its id, kind and history: no name, card, principal, authorship or
    /// note to a consent.
    async fn blank_participant(
        &mut self,
        scope: &ScopeKey,
        id: ParticipantId,
    ) -> Result<(), StoreError>;

    /// Adds to the history of consent, unless its last entry for this observer says so already.
    /// Memories that become hidden or visible by it count as changed.
    async fn put_consent(&mut self, scope: &ScopeKey, row: ConsentRow) -> Result<bool, StoreError>;
    /// The history of consent of a subject, oldest first.
    async fn consents(
        &mut self,
        scope: &ScopeKey,
        subject: ParticipantId,
    ) -> Result<Vec<ConsentRow>, StoreError>;

    /// Says whom a memory is about.
    async fn put_about(
        &mut self,
        scope: &ScopeKey,
        memory: MemoryId,
        rows: Vec<AboutRow>,
    ) -> Result<(), StoreError>;
    /// Whom memories are about.
    async fn about(
        &mut self,
        scope: &ScopeKey,
        memories: &[MemoryId],
    ) -> Result<Vec<AboutRow>, StoreError>;
    /// Observations of a participant, and of those merged into it, that the ring and consent allow,
    /// newest first.
    async fn observations(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        page: ObservationPage,
    ) -> Result<Vec<StoredObservationRow>, StoreError>;

    /// Who owns a session, and how many turns it has.
    async fn session_owner(
        &mut self,
        scope: &ScopeKey,
        session: SessionId,
    ) -> Result<Option<(Principal, u64)>, StoreError>;
    /// The first ordinal of a session that was recorded at a time or after it.
    async fn ordinal_at(
        &mut self,
        scope: &ScopeKey,
        session: SessionId,
        at: Timestamp,
    ) -> Result<u64, StoreError>;
    /// Opens a stay. `false` when one is open.
    async fn open_window(&mut self, scope: &ScopeKey, row: MemberRow) -> Result<bool, StoreError>;
    /// Ends the open stay. `false` when none is open.
    async fn close_window(
        &mut self,
        scope: &ScopeKey,
        session: SessionId,
        participant: ParticipantId,
        to: u64,
        at: Timestamp,
    ) -> Result<bool, StoreError>;
    /// Every stay in a session, in the order they began.
    async fn members(
        &mut self,
        scope: &ScopeKey,
        session: SessionId,
    ) -> Result<Vec<MemberRow>, StoreError>;
    /// The windows of whoever the ring is for in a session; `None` when the ring lets them see all
    /// of it.
    async fn own_windows(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        session: SessionId,
    ) -> Result<Option<Vec<Window>>, StoreError>;

    /// Turns of a session that the reader may see, newest first, before an ordinal.
    async fn turns_before(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        session: SessionId,
        before: u64,
        limit: u32,
    ) -> Result<Vec<StoredTurnRow>, StoreError>;
    /// Memories distilled from a session that the reader may see, newest first.
    async fn session_memories(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        session: SessionId,
        limit: u32,
    ) -> Result<Vec<StoredMemoryRow>, StoreError>;
}
