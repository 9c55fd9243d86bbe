//! Deleting a participant: what is left is an id without a name, and history without words.

use skep_authz::rights::{MemberManage, ParticipantSelf};
use skep_authz::{CanWrite, Right};
use skep_domain::{Id, MemoryState, ParticipantId, Timestamp};

use super::{DELETED, is_own};
use crate::StoreError;
use crate::keys::column;
use crate::row::{ConsentRow, HistoryRow};
use crate::tx::Tx;
use crate::value::{MemoryBody, Participant};

/// What a deletion took with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Erased {
    /// Participants: the one, and those merged into it.
    pub participants: u32,
    /// Observations about it and memories derived from those.
    pub memories: u32,
}

/// Memories blanked between two looks at the list.
const PAGE: u32 = 256;

mod sealed {
    pub trait Sealed {}
}

/// The rights that delete a participant: one's own, or anybody's.
pub trait CanDeleteParticipant: CanWrite + sealed::Sealed {
    /// Only one's own, or an agent of one's own.
    const OWN_ONLY: bool;
}
impl sealed::Sealed for ParticipantSelf {}
impl CanDeleteParticipant for ParticipantSelf {
    const OWN_ONLY: bool = true;
}
impl sealed::Sealed for MemberManage {}
impl CanDeleteParticipant for MemberManage {
    const OWN_ONLY: bool = false;
}

impl<P: CanDeleteParticipant> Tx<P> {
    /// Deletes a participant and those merged into it: names, cards, credentials and authorship,
    /// every observation about them and every memory derived from one. What stays are ids, kinds,
    /// membership windows, and a history without words.
    ///
    /// # Errors
    /// [`StoreError::Refused`] for somebody else's participant without the right to manage members.
    pub async fn erase_participant(
        &mut self,
        participant: &Participant,
        at: Timestamp,
    ) -> Result<Erased, StoreError> {
        let owned = participant.principal.is_none() && Some(participant.owner) == self.principal;
        if P::OWN_ONLY && !is_own(participant, self.principal) && !owned {
            return Err(StoreError::Refused("not the caller's participant".into()));
        }
        let mut ids = self
            .backend
            .merged_participants(&self.scope, participant.id)
            .await?;
        ids.push(participant.id);
        let mut erased = Erased::default();
        for id in ids {
            erased.participants += 1;
            erased.memories += self.erase_memories(id, at).await?;
            // Last, so that nothing kept by mistake could be seen under an old consent.
            let closed = ConsentRow {
                subject: id,
                observer: None,
                given: false,
                at,
                actor: self.principal,
                note: None,
            };
            self.backend.put_consent(&self.scope, closed).await?;
            self.backend.blank_participant(&self.scope, id).await?;
            self.note(id, DELETED, at, None).await?;
        }
        Ok(erased)
    }
}

impl<P: CanWrite + Right> Tx<P> {
    async fn erase_memories(
        &mut self,
        subject: ParticipantId,
        at: Timestamp,
    ) -> Result<u32, StoreError> {
        let (mut after, mut count) = (None, 0);
        loop {
            let page = self
                .backend
                .memories_about(&self.scope, subject, after, PAGE)
                .await?;
            for id in &page {
                let body = MemoryBody::default().to_bytes();
                let body = self.keys.seal(column::MEMORY_BODY, id.to_bytes(), &body);
                let reason = ["the participant was deleted"];
                let entry = HistoryRow {
                    at,
                    actor: self.principal,
                    state: MemoryState::Forgotten,
                    reason: self.seal_reasons(*id, &reason),
                };
                self.backend
                    .blank_memory(&self.scope, *id, body, entry)
                    .await?;
            }
            count += page.len() as u32;
            match page.last() {
                Some(last) if page.len() == PAGE as usize => after = Some(*last),
                _ => return Ok(count),
            }
        }
    }
}
