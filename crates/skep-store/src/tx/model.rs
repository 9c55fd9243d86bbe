//! How far a model has read closed sessions, and what it cost: no content.

use skep_authz::{CanRead, Maintain, Upkeep};
use skep_domain::SessionId;

use super::Tx;
use crate::StoreError;
use crate::row::{ModelBudgetRow, ModelDayRow, ModelPassRow, ModelQueueRow, ModelSpentRow};

impl<P: CanRead> Tx<P> {
    /// How many sessions wait for a model, and how many were given up.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get_model_queue(&mut self) -> Result<ModelQueueRow, StoreError> {
        self.backend.model_queue(&self.scope).await
    }

    /// What the calls of a day cost, counted in days since 1970.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get_model_day(&mut self, day: i64) -> Result<ModelDayRow, StoreError> {
        self.backend.model_day(&self.scope, day).await
    }
}

impl<P: Upkeep> Tx<P> {
    /// Sessions that wait for a model, the newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_model_due(&mut self, limit: u32) -> Result<Vec<ModelPassRow>, StoreError> {
        self.backend.model_due(&self.scope, limit).await
    }

    /// How far a model has read a session; `None` if none is to.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get_model_pass(
        &mut self,
        session: SessionId,
    ) -> Result<Option<ModelPassRow>, StoreError> {
        self.backend.model_pass(&self.scope, session).await
    }
}

impl Tx<Maintain> {
    /// A session was closed: a model may read it, from where one has stopped.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn set_model_due(&mut self, session: SessionId) -> Result<(), StoreError> {
        self.backend.set_model_due(&self.scope, session).await
    }

    /// Notes how far a model has read a session.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_model_pass(&mut self, row: ModelPassRow) -> Result<(), StoreError> {
        self.backend.put_model_pass(&self.scope, row).await
    }

    /// Counts a call and sets aside what it may cost, unless the day's sums would pass `most` with
    /// it. What is set aside stays so until it is settled: a kill in between costs its full amount.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn reserve_model(
        &mut self,
        day: i64,
        need: ModelBudgetRow,
        most: ModelBudgetRow,
    ) -> Result<bool, StoreError> {
        self.backend
            .reserve_model(&self.scope, day, need, most)
            .await
    }

    /// Puts what a call cost in the place of what was set aside for it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn settle_model(
        &mut self,
        day: i64,
        reserved: ModelBudgetRow,
        spent: ModelSpentRow,
    ) -> Result<(), StoreError> {
        self.backend
            .settle_model(&self.scope, day, reserved, spent)
            .await
    }

    /// Counts what was refused of an answer.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count_model_refusals(
        &mut self,
        day: i64,
        refused: Vec<(String, u64)>,
    ) -> Result<(), StoreError> {
        self.backend
            .count_model_refusals(&self.scope, day, refused)
            .await
    }
}
