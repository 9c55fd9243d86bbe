//! Answers of models that are kept.

use async_trait::async_trait;
use skep_crypto::Sealed;
use skep_domain::Timestamp;
use skep_store::backend::AnswerRows;
use skep_store::row::{AnswerClaimRow, AnswerRow, Fingerprint};
use skep_store::{ScopeKey, StoreError};

use super::{PostgresTx, step};
use crate::answer;

#[async_trait]
impl AnswerRows for PostgresTx {
    async fn claim_answer(
        &mut self,
        scope: &ScopeKey,
        row: AnswerClaimRow,
        now: Timestamp,
        is_alone: bool,
    ) -> Result<Option<AnswerRow>, StoreError> {
        step!(self, scope, answer::claim, &row, now, is_alone)
    }

    async fn keep_answer(
        &mut self,
        scope: &ScopeKey,
        claim: (Fingerprint, [u8; 16]),
        body: Sealed,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        step!(self, scope, answer::keep, claim, &body, until)
    }

    async fn drop_answer_claim(
        &mut self,
        scope: &ScopeKey,
        claim: (Fingerprint, [u8; 16]),
    ) -> Result<bool, StoreError> {
        step!(self, scope, answer::let_go, claim)
    }

    async fn prune_answers(
        &mut self,
        scope: &ScopeKey,
        now: Timestamp,
        most: (u32, u64),
    ) -> Result<u64, StoreError> {
        step!(self, scope, answer::prune, now, most)
    }
}
