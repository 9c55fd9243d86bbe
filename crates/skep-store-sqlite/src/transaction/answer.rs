//! Answers of models that are kept, on a thread that may block.

use async_trait::async_trait;
use skep_crypto::Sealed;
use skep_domain::Timestamp;
use skep_store::backend::AnswerRows;
use skep_store::row::{AnswerClaimRow, AnswerRow, Fingerprint};
use skep_store::{ScopeKey, StoreError};

use super::SqliteTx;
use crate::answer;

#[async_trait]
impl AnswerRows for SqliteTx {
    async fn claim_answer(
        &mut self,
        scope: &ScopeKey,
        row: AnswerClaimRow,
        now: Timestamp,
        is_alone: bool,
    ) -> Result<Option<AnswerRow>, StoreError> {
        self.run(scope, move |rows| answer::claim(rows, &row, now, is_alone))
            .await
    }

    async fn keep_answer(
        &mut self,
        scope: &ScopeKey,
        claim: (Fingerprint, [u8; 16]),
        body: Sealed,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        self.run(scope, move |rows| answer::keep(rows, claim, &body, until))
            .await
    }

    async fn drop_answer_claim(
        &mut self,
        scope: &ScopeKey,
        claim: (Fingerprint, [u8; 16]),
    ) -> Result<bool, StoreError> {
        self.run(scope, move |rows| answer::let_go(rows, claim))
            .await
    }

    async fn prune_answers(
        &mut self,
        scope: &ScopeKey,
        now: Timestamp,
        most: (u32, u64),
    ) -> Result<u64, StoreError> {
        self.run(scope, move |rows| answer::prune(rows, now, most))
            .await
    }
}
