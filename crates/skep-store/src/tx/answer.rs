//! Answers of models that are kept for whoever asks again: one call for each key of somebody's, however often
//! they ask.

use skep_authz::Maintain;
use skep_domain::{Id, Limits, MemoryId, Principal, Timestamp};

use super::Tx;
use crate::StoreError;
use crate::body::{BodyReader, BodyWriter};
use crate::column::{principal_from, principal_kind};
use crate::keys::{Purpose, column};
use crate::row::AnswerClaimRow;
use crate::value::{AnswerAsk, AnswerClaim, AnswerClaimed, KeptAnswer};

impl Tx<Maintain> {
    /// Claims a call for somebody, or says what there is under their key. `is_alone` says that no other program
    /// uses the store: a claim of another run is of one that is no more. What is kept there but not under this name, or
    /// in a form that is not written any more, counts as not kept.
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
        let mut row = AnswerClaimRow {
            name,
            asked,
            claim,
            run: ask.run,
            until: ask.until,
            instead_of: ask.instead_of.map(|kept| kept.claim),
        };
        loop {
            let scope = &self.scope;
            let found = self.backend.claim_answer(scope, row, ask.now, is_alone);
            let Some(found) = found.await? else {
                return Ok(AnswerClaimed::Ours(AnswerClaim { name, claim }));
            };
            if found.asked != asked {
                return Ok(AnswerClaimed::Other);
            }
            let Some(body) = found.body else {
                return Ok(AnswerClaimed::UnderWay { until: found.until });
            };
            let opened = self.keys.open(column::ANSWER_BODY, found.claim, &body)?;
            let place = AnswerClaim {
                name,
                claim: found.claim,
            };
            if let Some(kept) = read(place, opened.expose())? {
                return Ok(AnswerClaimed::Kept(place, kept));
            }
            // Once: what is claimed instead is claimed, or somebody else's by now, which is another claim.
            row.instead_of = Some(found.claim);
        }
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
        let body = write(claim, answer);
        let body = self.keys.seal(column::ANSWER_BODY, claim.claim, &body);
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

/// Bytes of a memory and whose it is.
const GIVEN: usize = 33;

fn write(claim: AnswerClaim, answer: &KeptAnswer) -> Vec<u8> {
    let given: Vec<u8> = answer
        .given
        .iter()
        .flat_map(|(owner, memory)| {
            let kind = [principal_kind(*owner)];
            let parts = [&kind[..], &owner.to_bytes(), &memory.to_bytes()];
            parts.concat()
        })
        .collect();
    // First the name: what stands under another is not what it was kept as.
    BodyWriter::default()
        .bytes(&claim.name)
        .text(&answer.provider)
        .option(answer.usage.as_deref())
        .text(if answer.is_stream { "stream" } else { "" })
        .bytes(&given)
        .bytes(&answer.body)
        .finish()
}

/// `None` for one that was kept under another name, or by an earlier form, which has none.
fn read(claim: AnswerClaim, bytes: &[u8]) -> Result<Option<KeptAnswer>, StoreError> {
    let mut reader = BodyReader(bytes);
    if reader.bytes()? != claim.name {
        return Ok(None);
    }
    let answer = KeptAnswer {
        provider: reader.text()?,
        usage: reader.option()?,
        is_stream: reader.text()? == "stream",
        given: given(&reader.bytes()?)?,
        body: reader.bytes()?,
    };
    reader.end()?;
    Ok(Some(answer))
}

fn given(bytes: &[u8]) -> Result<Vec<(Principal, MemoryId)>, StoreError> {
    const DAMAGED: StoreError = StoreError::Damaged("what an answer was made with");
    let (all, rest) = bytes.as_chunks::<GIVEN>();
    if !rest.is_empty() {
        return Err(DAMAGED);
    }
    let read = |one: &[u8; GIVEN]| {
        let (kind, ids) = one.split_first()?;
        let (owner, memory) = ids.split_first_chunk::<16>()?;
        let memory = MemoryId::from_bytes(memory.try_into().ok()?);
        Some((principal_from(*kind, *owner)?, memory))
    };
    all.iter().map(|one| read(one).ok_or(DAMAGED)).collect()
}

#[cfg(test)]
mod tests {
    use super::{AnswerClaim, KeptAnswer, read, write};
    use crate::body::BodyWriter;
    use skep_domain::{AgentId, Id, MemoryId, Principal, UserId};

    #[test]
    fn t01_what_stands_under_another_name_is_not_kept() {
        let claim = |name| AnswerClaim {
            name: [name; 16],
            claim: [9; 16],
        };
        let given = |owner, memory| (owner, MemoryId::from_bytes([memory; 16]));
        let answer = KeptAnswer {
            provider: "up".into(),
            usage: Some("usg_1".into()),
            given: vec![
                given(Principal::User(UserId::from_bytes([1; 16])), 2),
                given(Principal::Agent(AgentId::from_bytes([3; 16])), 4),
            ],
            is_stream: true,
            body: b"the tide".to_vec(),
        };
        let body = write(claim(1), &answer);
        assert_eq!(read(claim(1), &body).unwrap(), Some(answer));
        assert_eq!(read(claim(2), &body).unwrap(), None);
        for cut in 0..body.len() {
            assert!(read(claim(1), &body[..cut]).is_err(), "{cut}");
        }
        // The form of before had no name, and said nothing of memories.
        let before = BodyWriter::default()
            .text("up")
            .option(None)
            .text("")
            .bytes(b"the tide")
            .finish();
        assert_eq!(read(claim(1), &before).unwrap(), None);
    }
}
