//! The record of what was put in front of models, on a thread that may block.

use async_trait::async_trait;
use skep_domain::{InjectionId, MemoryId, ReadingRing, SessionId};
use skep_store::backend::{InjectionRows, PageOf};
use skep_store::row::{InjectionRow, StoredInjectionRow};
use skep_store::{ScopeKey, StoreError};

use super::SqliteTx;
use crate::injection;

#[async_trait]
impl InjectionRows for SqliteTx {
    async fn put_injection(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        row: InjectionRow,
    ) -> Result<u64, StoreError> {
        let ring = *ring;
        self.run(scope, move |rows| injection::put(rows, &ring, &row))
            .await
    }

    async fn injected(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        session: SessionId,
        limit: u32,
    ) -> Result<Vec<MemoryId>, StoreError> {
        let ring = *ring;
        self.run(scope, move |rows| {
            injection::injected(rows, &ring, session, limit)
        })
        .await
    }

    async fn injections(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        session: Option<SessionId>,
        page: PageOf<InjectionId>,
    ) -> Result<Vec<StoredInjectionRow>, StoreError> {
        let ring = *ring;
        self.run(scope, move |rows| {
            injection::list(rows, &ring, session, page)
        })
        .await
    }
}
