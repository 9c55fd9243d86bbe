//! What the pass with a model needs.

use async_trait::async_trait;
use skep_domain::SessionId;
use skep_store::backend::ModelRows;
use skep_store::row::{ModelBudgetRow, ModelDayRow, ModelPassRow, ModelQueueRow, ModelSpentRow};
use skep_store::{ScopeKey, StoreError};

use super::{PostgresTx, step};
use crate::model;

#[async_trait]
impl ModelRows for PostgresTx {
    async fn set_model_due(
        &mut self,
        scope: &ScopeKey,
        session: SessionId,
    ) -> Result<(), StoreError> {
        step!(self, scope, model::set_due, session)
    }

    async fn model_due(
        &mut self,
        scope: &ScopeKey,
        limit: u32,
    ) -> Result<Vec<ModelPassRow>, StoreError> {
        step!(self, scope, model::due, limit)
    }

    async fn model_pass(
        &mut self,
        scope: &ScopeKey,
        session: SessionId,
    ) -> Result<Option<ModelPassRow>, StoreError> {
        step!(self, scope, model::get, session)
    }

    async fn put_model_pass(
        &mut self,
        scope: &ScopeKey,
        row: ModelPassRow,
    ) -> Result<(), StoreError> {
        step!(self, scope, model::put, &row)
    }

    async fn model_queue(&mut self, scope: &ScopeKey) -> Result<ModelQueueRow, StoreError> {
        step!(self, scope, model::queue)
    }

    async fn model_day(&mut self, scope: &ScopeKey, day: i64) -> Result<ModelDayRow, StoreError> {
        step!(self, scope, model::day, day)
    }

    async fn reserve_model(
        &mut self,
        scope: &ScopeKey,
        day: i64,
        need: ModelBudgetRow,
        most: ModelBudgetRow,
    ) -> Result<bool, StoreError> {
        step!(self, scope, model::reserve, day, need, most)
    }

    async fn settle_model(
        &mut self,
        scope: &ScopeKey,
        day: i64,
        reserved: ModelBudgetRow,
        spent: ModelSpentRow,
    ) -> Result<(), StoreError> {
        step!(self, scope, model::settle, day, reserved, spent)
    }

    async fn count_model_refusals(
        &mut self,
        scope: &ScopeKey,
        day: i64,
        refused: Vec<(String, u64)>,
    ) -> Result<(), StoreError> {
        step!(self, scope, model::count_refusals, day, &refused)
    }
}
