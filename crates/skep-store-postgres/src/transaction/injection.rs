//! The record of what was put in front of models.

use async_trait::async_trait;
use skep_domain::{InjectionId, MemoryId, ReadingRing, SessionId};
use skep_store::backend::{InjectionRows, PageOf};
use skep_store::row::{InjectionRow, StoredInjectionRow};
use skep_store::{ScopeKey, StoreError};

use super::{PostgresTx, step};
use crate::injection;

#[async_trait]
impl InjectionRows for PostgresTx {
    async fn put_injection(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        row: InjectionRow,
    ) -> Result<u64, StoreError> {
        step!(self, scope, injection::put, &ring, &row)
    }

    async fn injected(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        session: SessionId,
        limit: u32,
    ) -> Result<Vec<MemoryId>, StoreError> {
        step!(self, scope, injection::injected, &ring, session, limit)
    }

    async fn injections(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        session: Option<SessionId>,
        page: PageOf<InjectionId>,
    ) -> Result<Vec<StoredInjectionRow>, StoreError> {
        step!(self, scope, injection::list, &ring, session, page)
    }
}
