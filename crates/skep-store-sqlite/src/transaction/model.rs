//! What the pass with a model needs, on a thread that may block.

use async_trait::async_trait;
use skep_domain::SessionId;
use skep_store::backend::ModelRows;
use skep_store::row::{ModelBudgetRow, ModelDayRow, ModelPassRow, ModelQueueRow, ModelSpentRow};
use skep_store::{ScopeKey, StoreError};

use super::SqliteTx;
use crate::model;

#[async_trait]
impl ModelRows for SqliteTx {
    async fn set_model_due(
        &mut self,
        scope: &ScopeKey,
        session: SessionId,
    ) -> Result<(), StoreError> {
        self.run(scope, move |rows| model::set_due(rows, session))
            .await
    }

    async fn model_due(
        &mut self,
        scope: &ScopeKey,
        limit: u32,
    ) -> Result<Vec<ModelPassRow>, StoreError> {
        self.run(scope, move |rows| model::due(rows, limit)).await
    }

    async fn model_pass(
        &mut self,
        scope: &ScopeKey,
        session: SessionId,
    ) -> Result<Option<ModelPassRow>, StoreError> {
        self.run(scope, move |rows| model::get(rows, session)).await
    }

    async fn put_model_pass(
        &mut self,
        scope: &ScopeKey,
        row: ModelPassRow,
    ) -> Result<(), StoreError> {
        self.run(scope, move |rows| model::put(rows, &row)).await
    }

    async fn model_queue(&mut self, scope: &ScopeKey) -> Result<ModelQueueRow, StoreError> {
        self.run(scope, |rows| model::queue(rows)).await
    }

    async fn model_day(&mut self, scope: &ScopeKey, day: i64) -> Result<ModelDayRow, StoreError> {
        self.run(scope, move |rows| model::day(rows, day)).await
    }

    async fn reserve_model(
        &mut self,
        scope: &ScopeKey,
        day: i64,
        need: ModelBudgetRow,
        most: ModelBudgetRow,
    ) -> Result<bool, StoreError> {
        self.run(scope, move |rows| model::reserve(rows, day, need, most))
            .await
    }

    async fn settle_model(
        &mut self,
        scope: &ScopeKey,
        day: i64,
        reserved: ModelBudgetRow,
        spent: ModelSpentRow,
    ) -> Result<(), StoreError> {
        self.run(scope, move |rows| model::settle(rows, day, reserved, spent))
            .await
    }

    async fn count_model_refusals(
        &mut self,
        scope: &ScopeKey,
        day: i64,
        refused: Vec<(String, u64)>,
    ) -> Result<(), StoreError> {
        self.run(scope, move |rows| {
            model::count_refusals(rows, day, &refused)
        })
        .await
    }
}
