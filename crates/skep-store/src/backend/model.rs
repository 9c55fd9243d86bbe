//! The part of the port that the pass with a model needs.

use async_trait::async_trait;
use skep_domain::SessionId;

use crate::StoreError;
use crate::row::{ModelBudgetRow, ModelDayRow, ModelPassRow, ModelQueueRow, ModelSpentRow};
use crate::scope::ScopeKey;

/// How far a model has read, and what it cost.
#[async_trait]
pub trait ModelRows: Send {
    /// A session was closed: a model may read it, from where one has stopped.
    async fn set_model_due(
        &mut self,
        scope: &ScopeKey,
        session: SessionId,
    ) -> Result<(), StoreError>;
    /// Sessions that wait for a model, the newest first.
    async fn model_due(
        &mut self,
        scope: &ScopeKey,
        limit: u32,
    ) -> Result<Vec<ModelPassRow>, StoreError>;
    /// How far a model has read a session.
    async fn model_pass(
        &mut self,
        scope: &ScopeKey,
        session: SessionId,
    ) -> Result<Option<ModelPassRow>, StoreError>;
    /// Notes how far a model has read a session that has such a row.
    async fn put_model_pass(
        &mut self,
        scope: &ScopeKey,
        row: ModelPassRow,
    ) -> Result<(), StoreError>;
    /// How many sessions wait.
    async fn model_queue(&mut self, scope: &ScopeKey) -> Result<ModelQueueRow, StoreError>;
    /// The sums of a day.
    async fn model_day(&mut self, scope: &ScopeKey, day: i64) -> Result<ModelDayRow, StoreError>;
    /// Counts a call and sets aside what it may cost. `false`, and nothing is set aside, when the
    /// day's sums would pass `most` with it.
    async fn reserve_model(
        &mut self,
        scope: &ScopeKey,
        day: i64,
        need: ModelBudgetRow,
        most: ModelBudgetRow,
    ) -> Result<bool, StoreError>;
    /// Puts what a call cost in the place of what was set aside for it.
    async fn settle_model(
        &mut self,
        scope: &ScopeKey,
        day: i64,
        reserved: ModelBudgetRow,
        spent: ModelSpentRow,
    ) -> Result<(), StoreError>;
    /// Counts what was refused.
    async fn count_model_refusals(
        &mut self,
        scope: &ScopeKey,
        day: i64,
        refused: Vec<(String, u64)>,
    ) -> Result<(), StoreError>;
}
