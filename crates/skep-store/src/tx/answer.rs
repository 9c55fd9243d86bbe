//! Answers of models that are kept for whoever asks again: one call for each key of somebody's, however often
//! they ask.

use skep_authz::Maintain;
use skep_domain::{Limits, Timestamp};

use super::Tx;
use crate::StoreError;
use crate::body::{BodyReader, BodyWriter};
use crate::column::principal_kind;
use crate::keys::{Purpose, WorkspaceKeys, column};
use crate::row::AnswerClaimRow;
use crate::value::{AnswerAsk, AnswerClaim, AnswerClaimed, KeptAnswer};

impl Tx<Maintain> {
    /// Claims a call for somebody, or says what there is under their key. `is_alone` says that no other program
    /// uses the store: a claim of another run is of one that is no more.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn claim_answer(
        &mut self,
        ask: AnswerAsk<'_>,
        is_alone: bool,
    ) -> Result<AnswerClaimed, StoreError> {
        let kind = [principal_kind(ask.asker)];
        let who = ask.asker.to_bytes();
        let name = [kind.as_slice(), &who, ask.key];
        let name = self.keys.fingerprint(Purpose::AnswerKey, &name);
        let asked = self.keys.fingerprint(Purpose::AnswerAsked, ask.asked);
        let claim = self.keys.chance();
        let row = AnswerClaimRow {
            name,
            asked,
            claim,
            run: ask.run,
            until: ask.until,
        };
        let scope = &self.scope;
        let found = self
            .backend
            .claim_answer(scope, row, ask.now, is_alone)
            .await?;
        let Some(found) = found else {
            return Ok(AnswerClaimed::Ours(AnswerClaim { name, claim }));
        };
        if found.asked != asked {
            return Ok(AnswerClaimed::Other);
        }
        let Some(body) = found.body else {
            return Ok(AnswerClaimed::UnderWay { until: found.until });
        };
        let opened = self.keys.open(column::ANSWER_BODY, found.claim, &body)?;
        Ok(AnswerClaimed::Kept(read(opened.expose())?))
    }

    /// Keeps the answer to a call that was claimed; `false` when it is somebody else's by now, or too long. Of
    /// those that were kept, the oldest go beyond what one workspace keeps.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn keep_answer(
        &mut self,
        claim: AnswerClaim,
        answer: &KeptAnswer,
        (now, until): (Timestamp, Timestamp),
    ) -> Result<bool, StoreError> {
        if answer.body.len() > Limits::ANSWER_BYTES {
            self.drop_answer_claim(claim).await?;
            return Ok(false);
        }
        let body = write(&self.keys, claim, answer);
        let place = (claim.name, claim.claim);
        let scope = &self.scope;
        let kept = self.backend.keep_answer(scope, place, body, until).await?;
        self.prune_answers(now).await?;
        Ok(kept)
    }

    /// Lets go of a call that was claimed and has no answer to keep: whoever asks again makes it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn drop_answer_claim(&mut self, claim: AnswerClaim) -> Result<bool, StoreError> {
        let place = (claim.name, claim.claim);
        self.backend.drop_answer_claim(&self.scope, place).await
    }

    /// Removes answers whose time is over.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn prune_answers(&mut self, now: Timestamp) -> Result<u64, StoreError> {
        let most = (Limits::ANSWERS_KEPT, Limits::ANSWERS_BYTES);
        self.backend.prune_answers(&self.scope, now, most).await
    }
}

fn write(keys: &WorkspaceKeys, claim: AnswerClaim, answer: &KeptAnswer) -> skep_crypto::Sealed {
    let body = BodyWriter::default()
        .text(&answer.provider)
        .option(answer.usage.as_deref())
        .text(if answer.is_stream { "stream" } else { "" })
        .bytes(&answer.body)
        .finish();
    keys.seal(column::ANSWER_BODY, claim.claim, &body)
}

fn read(bytes: &[u8]) -> Result<KeptAnswer, StoreError> {
    let mut reader = BodyReader(bytes);
    let answer = KeptAnswer {
        provider: reader.text()?,
        usage: reader.option()?,
        is_stream: reader.text()? == "stream",
        body: reader.bytes()?,
    };
    reader.end()?;
    Ok(answer)
}
