//! The part of the port that keeps answers of models for whoever asks again.

use async_trait::async_trait;
use skep_crypto::Sealed;
use skep_domain::Timestamp;

use crate::StoreError;
use crate::row::{AnswerClaimRow, AnswerRow, Fingerprint};
use crate::scope::ScopeKey;

/// Answers of models, each under who asked and a key of theirs.
#[async_trait]
pub trait AnswerRows: Send {
    /// Claims a call, if nobody has: a claim or an answer counts until its time is over, and a claim of another
    /// run of the program no longer if `is_alone`, and one that it is made instead of neither. Otherwise it says what there is.
    async fn claim_answer(
        &mut self,
        scope: &ScopeKey,
        row: AnswerClaimRow,
        now: Timestamp,
        is_alone: bool,
    ) -> Result<Option<AnswerRow>, StoreError>;
    /// Keeps the answer of a claim until a moment; `false` when it is somebody else's now.
    async fn keep_answer(
        &mut self,
        scope: &ScopeKey,
        claim: (Fingerprint, [u8; 16]),
        body: Sealed,
        until: Timestamp,
    ) -> Result<bool, StoreError>;
    /// Lets go of a claim that has no answer; `false` when it is none any more.
    async fn drop_answer_claim(
        &mut self,
        scope: &ScopeKey,
        claim: (Fingerprint, [u8; 16]),
    ) -> Result<bool, StoreError>;
    /// Removes what counts no more, and of answers the oldest beyond so many rows and bytes.
    async fn prune_answers(
        &mut self,
        scope: &ScopeKey,
        now: Timestamp,
        most: (u32, u64),
    ) -> Result<u64, StoreError>;
}
