//! The transaction: each method of the port, on a thread that may block.

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
use skep_domain::{Id, MemoryId, ProjectId, ReadingRing, SessionId, SessionState, TurnId};
use skep_store::backend::{BackendTx, Committed, MemoryFilter, PageOf};
use skep_store::row::{
    ChangeRow, CountsRow, DistilRow, Fingerprint, HistoryRow, MemoryFactsRow, MemoryRow, ModelTag,
    ProjectRow, SessionRow, SessionSummaryRow, StoredMemoryRow, StoredTurnRow, TurnRow,
    UnembeddedRow, VectorRow,
};
use skep_store::{ScopeKey, StoreError};

use crate::database::Lease;
use crate::failure::Failure;
use crate::rows::Rows;
use crate::{memory, project, session, turn, upkeep};

mod capture;
mod source;

/// A transaction on one workspace's file. It begins with its first statement.
pub(crate) struct SqliteTx {
    scope: ScopeKey,
    /// Away while a statement runs; for good if the caller gave up waiting for one.
    lease: Option<Lease>,
}

impl SqliteTx {
    pub(crate) fn new(scope: ScopeKey, lease: Lease) -> Self {
        Self {
            scope,
            lease: Some(lease),
        }
    }

    fn take(&mut self, scope: &ScopeKey) -> Result<Lease, StoreError> {
        if *scope != self.scope {
            return Err(StoreError::Refused(
                "the transaction is of another workspace".into(),
            ));
        }
        self.lease.take().ok_or_else(|| {
            StoreError::Refused("the transaction was given up: begin another".into())
        })
    }

    async fn run<T, F>(&mut self, scope: &ScopeKey, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Rows<'_>) -> Result<T, Failure> + Send + 'static,
    {
        let lease = self.take(scope)?;
        let workspace = scope.workspace().to_bytes();
        let (lease, outcome) = lease
            .run(move |lease| work(&mut lease.rows(workspace)?))
            .await?;
        self.lease = Some(lease);
        outcome
    }
}

#[async_trait]
impl BackendTx for SqliteTx {
    async fn seq(&mut self, scope: &ScopeKey) -> Result<u64, StoreError> {
        self.run(scope, |rows| Ok(rows.seq())).await
    }

    async fn put_project(
        &mut self,
        scope: &ScopeKey,
        row: ProjectRow,
    ) -> Result<ProjectId, StoreError> {
        self.run(scope, move |rows| project::put(rows, &row)).await
    }

    async fn project(
        &mut self,
        scope: &ScopeKey,
        fingerprint: Fingerprint,
    ) -> Result<Option<ProjectId>, StoreError> {
        self.run(scope, move |rows| project::find(rows, fingerprint))
            .await
    }

    async fn put_session(
        &mut self,
        scope: &ScopeKey,
        row: SessionRow,
    ) -> Result<SessionId, StoreError> {
        self.run(scope, move |rows| session::put(rows, &row)).await
    }

    async fn set_session_state(
        &mut self,
        scope: &ScopeKey,
        id: SessionId,
        state: SessionState,
    ) -> Result<(), StoreError> {
        self.run(scope, move |rows| session::set_state(rows, id, state))
            .await
    }

    async fn append_turns(
        &mut self,
        scope: &ScopeKey,
        session: SessionId,
        turns: Vec<TurnRow>,
    ) -> Result<Vec<bool>, StoreError> {
        self.run(scope, move |rows| turn::append(rows, session, &turns))
            .await
    }

    async fn sessions(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        page: PageOf<SessionId>,
    ) -> Result<Vec<SessionSummaryRow>, StoreError> {
        let ring = *ring;
        self.run(scope, move |rows| session::list(rows, &ring, page))
            .await
    }

    async fn session(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        id: SessionId,
    ) -> Result<Option<SessionSummaryRow>, StoreError> {
        let ring = *ring;
        self.run(scope, move |rows| session::get(rows, &ring, id))
            .await
    }

    async fn turns(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        session: SessionId,
        from: u64,
        limit: u32,
    ) -> Result<Vec<StoredTurnRow>, StoreError> {
        let ring = *ring;
        self.run(scope, move |rows| {
            turn::list(rows, &ring, session, from, limit)
        })
        .await
    }

    async fn turns_by_id(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        ids: &[TurnId],
    ) -> Result<Vec<StoredTurnRow>, StoreError> {
        let (ring, ids) = (*ring, ids.to_vec());
        self.run(scope, move |rows| turn::list_by_id(rows, &ring, &ids))
            .await
    }

    async fn cursor(
        &mut self,
        scope: &ScopeKey,
        source: Fingerprint,
    ) -> Result<Option<Sealed>, StoreError> {
        self.run(scope, move |rows| project::cursor(rows, source))
            .await
    }

    async fn put_cursor(
        &mut self,
        scope: &ScopeKey,
        source: Fingerprint,
        position: Sealed,
    ) -> Result<(), StoreError> {
        self.run(scope, move |rows| {
            project::put_cursor(rows, source, &position)
        })
        .await
    }

    async fn put_memory(
        &mut self,
        scope: &ScopeKey,
        row: MemoryRow,
    ) -> Result<Option<MemoryId>, StoreError> {
        self.run(scope, move |rows| memory::put(rows, &row)).await
    }

    async fn visible(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        filter: &MemoryFilter,
        ids: &[MemoryId],
    ) -> Result<Vec<MemoryId>, StoreError> {
        let (ring, filter, ids) = (*ring, filter.clone(), ids.to_vec());
        self.run(scope, move |rows| {
            memory::visible(rows, &ring, &filter, &ids)
        })
        .await
    }

    async fn memories_by_id(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        ids: &[MemoryId],
    ) -> Result<Vec<StoredMemoryRow>, StoreError> {
        let (ring, ids) = (*ring, ids.to_vec());
        self.run(scope, move |rows| memory::list_by_id(rows, &ring, &ids))
            .await
    }

    async fn memories(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        filter: &MemoryFilter,
        page: PageOf<MemoryId>,
    ) -> Result<Vec<StoredMemoryRow>, StoreError> {
        let (ring, filter) = (*ring, filter.clone());
        self.run(scope, move |rows| memory::list(rows, &ring, &filter, page))
            .await
    }

    async fn memory_facts(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        filter: &MemoryFilter,
        page: PageOf<MemoryId>,
    ) -> Result<Vec<MemoryFactsRow>, StoreError> {
        let (ring, filter) = (*ring, filter.clone());
        self.run(scope, move |rows| {
            memory::list_facts(rows, &ring, &filter, page)
        })
        .await
    }

    async fn set_memory_state(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        id: MemoryId,
        entry: HistoryRow,
    ) -> Result<Option<bool>, StoreError> {
        let ring = *ring;
        self.run(scope, move |rows| {
            memory::set_state(rows, &ring, id, &entry)
        })
        .await
    }

    async fn changes(
        &mut self,
        scope: &ScopeKey,
        after: (u64, Option<MemoryId>),
        limit: u32,
    ) -> Result<Vec<ChangeRow>, StoreError> {
        self.run(scope, move |rows| upkeep::changes(rows, after, limit))
            .await
    }

    async fn unembedded(
        &mut self,
        scope: &ScopeKey,
        model: ModelTag,
        limit: u32,
    ) -> Result<Vec<UnembeddedRow>, StoreError> {
        self.run(scope, move |rows| upkeep::unembedded(rows, model, limit))
            .await
    }

    async fn put_vectors(
        &mut self,
        scope: &ScopeKey,
        vectors: Vec<VectorRow>,
    ) -> Result<(), StoreError> {
        self.run(scope, move |rows| upkeep::put_vectors(rows, &vectors))
            .await
    }

    async fn undistilled(
        &mut self,
        scope: &ScopeKey,
        limit: u32,
    ) -> Result<Vec<DistilRow>, StoreError> {
        self.run(scope, move |rows| upkeep::undistilled(rows, limit))
            .await
    }

    async fn distil_state(
        &mut self,
        scope: &ScopeKey,
        session: SessionId,
    ) -> Result<Option<DistilRow>, StoreError> {
        self.run(scope, move |rows| upkeep::distil_state(rows, session))
            .await
    }

    async fn turns_to_distil(
        &mut self,
        scope: &ScopeKey,
        session: SessionId,
        from: u64,
        limit: u32,
    ) -> Result<Vec<StoredTurnRow>, StoreError> {
        self.run(scope, move |rows| {
            turn::list_for_upkeep(rows, session, from, limit)
        })
        .await
    }

    async fn session_to_distil(
        &mut self,
        scope: &ScopeKey,
        session: SessionId,
    ) -> Result<Option<SessionRow>, StoreError> {
        self.run(scope, move |rows| session::get_for_upkeep(rows, session))
            .await
    }

    async fn set_distilled(
        &mut self,
        scope: &ScopeKey,
        session: SessionId,
        to: u64,
    ) -> Result<(), StoreError> {
        self.run(scope, move |rows| upkeep::set_distilled(rows, session, to))
            .await
    }

    async fn counts(&mut self, scope: &ScopeKey, model: ModelTag) -> Result<CountsRow, StoreError> {
        self.run(scope, move |rows| upkeep::counts(rows, model))
            .await
    }

    async fn commit(mut self: Box<Self>, scope: &ScopeKey) -> Result<Committed, StoreError> {
        let lease = self.take(scope)?;
        if let Some(seq) = lease.seen() {
            return Ok(Committed { seq });
        }
        let workspace = scope.workspace().to_bytes();
        let (_, outcome) = lease
            .run(move |lease| {
                lease.rows(workspace)?;
                lease.commit()
            })
            .await?;
        Ok(Committed { seq: outcome? })
    }
}
