//! The part of the port that records what was put in front of models.

use async_trait::async_trait;
use skep_domain::{InjectionId, MemoryId, ReadingRing, SessionId};

use super::PageOf;
use crate::StoreError;
use crate::row::{InjectionRow, StoredInjectionRow};
use crate::scope::ScopeKey;

/// Injections.
#[async_trait]
pub trait InjectionRows: Send {
    /// Appends to the record of a session that the ring allows; gives the place in it.
    async fn put_injection(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        row: InjectionRow,
    ) -> Result<u64, StoreError>;
    /// Memories that the model of a session has in its context: those injected since the context
    /// was last emptied. At most the newest `limit` injections are looked at.
    async fn injected(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        session: SessionId,
        limit: u32,
    ) -> Result<Vec<MemoryId>, StoreError>;
    /// Injections into sessions that the ring allows, or into one of them, newest first.
    async fn injections(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        session: Option<SessionId>,
        page: PageOf<InjectionId>,
    ) -> Result<Vec<StoredInjectionRow>, StoreError>;
}
