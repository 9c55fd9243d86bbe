//! The transaction: each method of the port.

mod answer;
mod distil;
mod exec;
mod index;
mod injection;
mod model;
mod ontology;
mod participant;
mod removal;
mod review;
mod skill;
mod template;
mod time;

use async_trait::async_trait;
use skep_crypto::Sealed;
use skep_domain::{MemoryId, ProjectId, ReadingRing, SessionId, SessionState, TurnId};
use skep_store::backend::{BackendTx, Committed, MemoryFilter, Mode, PageOf};
use skep_store::row::{
    ChangeRow, CountsRow, DistilRow, Fingerprint, HistoryRow, MemoryFactsRow, MemoryRow, ModelTag,
    ProjectRow, SessionRow, SessionSummaryRow, StoredMemoryRow, StoredTurnRow, TurnRow,
    UnembeddedRow, VectorRow,
};
use skep_store::{ScopeKey, StoreError};

use crate::lease::Lease;
use crate::{memory, project, session, turn, upkeep};

mod capture;
mod source;

/// A transaction on one workspace.
pub(crate) struct PostgresTx {
    scope: ScopeKey,
    mode: Mode,
    lease: Lease,
}

impl PostgresTx {
    pub(crate) fn new(scope: ScopeKey, mode: Mode, lease: Lease) -> Self {
        Self { scope, mode, lease }
    }

    fn is_of(&self, scope: &ScopeKey) -> Result<(), StoreError> {
        if *scope == self.scope {
            Ok(())
        } else {
            Err(StoreError::Refused(
                "the transaction is of another workspace".into(),
            ))
        }
    }
}

/// One step: a function of a table's module on the rows of the workspace. Given up half-way, it leaves the
/// transaction as one that runs, and nothing more is done in it.
macro_rules! step {
    ($tx:ident, $scope:ident, $work:path $(, $value:expr)*) => {{
        $tx.is_of($scope)?;
        let outcome = $work(&mut $tx.lease.rows()? $(, $value)*).await;
        $tx.lease.step(outcome)
    }};
}
use step;

#[async_trait]
impl BackendTx for PostgresTx {
    async fn seq(&mut self, scope: &ScopeKey) -> Result<u64, StoreError> {
        self.is_of(scope)?;
        let seq = self.lease.rows()?.seq();
        self.lease.step(Ok(seq))
    }

    async fn put_project(
        &mut self,
        scope: &ScopeKey,
        row: ProjectRow,
    ) -> Result<ProjectId, StoreError> {
        step!(self, scope, project::put, &row)
    }

    async fn project(
        &mut self,
        scope: &ScopeKey,
        fingerprint: Fingerprint,
    ) -> Result<Option<ProjectId>, StoreError> {
        step!(self, scope, project::find, fingerprint)
    }

    async fn put_session(
        &mut self,
        scope: &ScopeKey,
        row: SessionRow,
    ) -> Result<SessionId, StoreError> {
        step!(self, scope, session::put, &row)
    }

    async fn set_session_state(
        &mut self,
        scope: &ScopeKey,
        id: SessionId,
        state: SessionState,
    ) -> Result<(), StoreError> {
        step!(self, scope, session::set_state, id, state)
    }

    async fn append_turns(
        &mut self,
        scope: &ScopeKey,
        session: SessionId,
        turns: Vec<TurnRow>,
    ) -> Result<Vec<bool>, StoreError> {
        step!(self, scope, turn::append, session, &turns)
    }

    async fn sessions(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        page: PageOf<SessionId>,
    ) -> Result<Vec<SessionSummaryRow>, StoreError> {
        step!(self, scope, session::list, &ring, page)
    }

    async fn session(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        id: SessionId,
    ) -> Result<Option<SessionSummaryRow>, StoreError> {
        step!(self, scope, session::get, &ring, id)
    }

    async fn turns(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        session: SessionId,
        from: u64,
        limit: u32,
    ) -> Result<Vec<StoredTurnRow>, StoreError> {
        step!(self, scope, turn::list, &ring, session, from, limit)
    }

    async fn turns_by_id(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        ids: &[TurnId],
    ) -> Result<Vec<StoredTurnRow>, StoreError> {
        step!(self, scope, turn::list_by_id, &ring, &ids)
    }

    async fn cursor(
        &mut self,
        scope: &ScopeKey,
        source: Fingerprint,
    ) -> Result<Option<Sealed>, StoreError> {
        step!(self, scope, project::cursor, source)
    }

    async fn put_cursor(
        &mut self,
        scope: &ScopeKey,
        source: Fingerprint,
        position: Sealed,
    ) -> Result<(), StoreError> {
        step!(self, scope, project::put_cursor, source, &position)
    }

    async fn put_memory(
        &mut self,
        scope: &ScopeKey,
        row: MemoryRow,
    ) -> Result<Option<MemoryId>, StoreError> {
        step!(self, scope, memory::put, &row)
    }

    async fn visible(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        filter: &MemoryFilter,
        ids: &[MemoryId],
    ) -> Result<Vec<MemoryId>, StoreError> {
        step!(self, scope, memory::visible, &ring, &filter, &ids)
    }

    async fn memories_by_id(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        ids: &[MemoryId],
    ) -> Result<Vec<StoredMemoryRow>, StoreError> {
        step!(self, scope, memory::list_by_id, &ring, &ids)
    }

    async fn memories(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        filter: &MemoryFilter,
        page: PageOf<MemoryId>,
    ) -> Result<Vec<StoredMemoryRow>, StoreError> {
        step!(self, scope, memory::list, &ring, &filter, page)
    }

    async fn memory_facts(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        filter: &MemoryFilter,
        page: PageOf<MemoryId>,
    ) -> Result<Vec<MemoryFactsRow>, StoreError> {
        step!(self, scope, memory::list_facts, &ring, &filter, page)
    }

    async fn set_memory_state(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        id: MemoryId,
        entry: HistoryRow,
    ) -> Result<Option<bool>, StoreError> {
        step!(self, scope, memory::set_state, &ring, id, &entry)
    }

    async fn changes(
        &mut self,
        scope: &ScopeKey,
        after: (u64, Option<MemoryId>),
        limit: u32,
    ) -> Result<Vec<ChangeRow>, StoreError> {
        step!(self, scope, upkeep::changes, after, limit)
    }

    async fn unembedded(
        &mut self,
        scope: &ScopeKey,
        model: ModelTag,
        limit: u32,
    ) -> Result<Vec<UnembeddedRow>, StoreError> {
        step!(self, scope, upkeep::unembedded, model, limit)
    }

    async fn put_vectors(
        &mut self,
        scope: &ScopeKey,
        vectors: Vec<VectorRow>,
    ) -> Result<(), StoreError> {
        step!(self, scope, upkeep::put_vectors, &vectors)
    }

    async fn undistilled(
        &mut self,
        scope: &ScopeKey,
        limit: u32,
    ) -> Result<Vec<DistilRow>, StoreError> {
        step!(self, scope, upkeep::undistilled, limit)
    }

    async fn distil_state(
        &mut self,
        scope: &ScopeKey,
        session: SessionId,
    ) -> Result<Option<DistilRow>, StoreError> {
        step!(self, scope, upkeep::distil_state, session)
    }

    async fn turns_to_distil(
        &mut self,
        scope: &ScopeKey,
        session: SessionId,
        from: u64,
        limit: u32,
    ) -> Result<Vec<StoredTurnRow>, StoreError> {
        step!(self, scope, turn::list_for_upkeep, session, from, limit)
    }

    async fn session_to_distil(
        &mut self,
        scope: &ScopeKey,
        session: SessionId,
    ) -> Result<Option<SessionRow>, StoreError> {
        step!(self, scope, session::get_for_upkeep, session)
    }

    async fn set_distilled(
        &mut self,
        scope: &ScopeKey,
        session: SessionId,
        to: u64,
    ) -> Result<(), StoreError> {
        step!(self, scope, upkeep::set_distilled, session, to)
    }

    async fn counts(&mut self, scope: &ScopeKey, model: ModelTag) -> Result<CountsRow, StoreError> {
        step!(self, scope, upkeep::counts, model)
    }

    async fn commit(self: Box<Self>, scope: &ScopeKey) -> Result<Committed, StoreError> {
        self.is_of(scope)?;
        let seq = self.lease.commit(self.mode).await?;
        Ok(Committed { seq })
    }
}
