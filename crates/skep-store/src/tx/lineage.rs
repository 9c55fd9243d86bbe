//! What a memory rests on: written beside it, and the bound of its trust.

use skep_authz::{CanWrite, Maintain};
use skep_domain::{
    Id, MemoryId, MemoryState, OriginKind, PolicyGroupId, Principal, ReadPolicy, Reader,
    ReadingRing,
};

use super::{DistilSession, Tx, file};
use crate::StoreError;
use crate::body::BodyWriter;
use crate::keys::{Purpose, column};
use crate::row::{Fingerprint, HistoryRow, OriginRow, TraceRow};
use crate::value::{NewMemory, Origin};

/// For whom memories are written: whoever acts, or the owner of a session that is distilled.
#[derive(Clone, Copy, Debug)]
pub struct Writer {
    pub(super) owner: Principal,
    pub(super) group: Option<PolicyGroupId>,
    /// What a new memory is compared with, and may rest on.
    pub(super) ring: ReadingRing,
}

impl Writer {
    /// Who owns what is written.
    #[must_use]
    pub fn owner(&self) -> Principal {
        self.owner
    }
}

impl Tx<Maintain> {
    /// The owner of a session. What an agent may read for certain is its own: its policy may have
    /// changed since.
    #[must_use]
    pub fn writer_for(&self, session: &DistilSession) -> Writer {
        let reader = match session.owner {
            Principal::User(user) => Reader::Human(user),
            Principal::Agent(agent) => Reader::Agent(agent, ReadPolicy::Isolated),
        };
        Writer {
            owner: session.owner,
            group: session.owner_group,
            ring: ReadingRing::new(reader),
        }
    }
}

impl<P: CanWrite> Tx<P> {
    /// Whoever acts.
    ///
    /// # Errors
    /// [`StoreError::Refused`] for upkeep, which owns nothing.
    pub fn writer(&self) -> Result<Writer, StoreError> {
        Ok(Writer {
            owner: self.owner()?,
            group: self.ring.group(),
            ring: self.ring,
        })
    }

    /// A derived memory is trusted no further than the least of what it was derived from, and is
    /// held back if any of that is.
    pub(super) async fn limit_by_lineage(
        &mut self,
        writer: &Writer,
        new: &mut NewMemory,
    ) -> Result<(), StoreError> {
        let parents: std::collections::BTreeSet<MemoryId> = new
            .origins
            .iter()
            .filter_map(|origin| match origin {
                Origin::Memory(id) => Some(*id),
                Origin::Session(_) | Origin::Source(_) => None,
            })
            .collect();
        if parents.is_empty() {
            return Ok(());
        }
        let parents: Vec<MemoryId> = parents.into_iter().collect();
        let rows = self
            .backend
            .memories_by_id(&self.scope, &writer.ring, &parents)
            .await?;
        if rows.len() != parents.len() {
            return Err(StoreError::Refused(
                "a memory rests only on what its owner may read".into(),
            ));
        }
        for row in rows {
            new.trust = new.trust.min(row.memory.trust);
            if row.memory.state == MemoryState::Quarantined {
                new.state = MemoryState::Quarantined;
                new.reasons.push("derived from a quarantined memory".into());
            }
        }
        Ok(())
    }

    /// The rows beside a new memory's own.
    pub(super) fn trace(&self, owner: Principal, new: &NewMemory) -> TraceRow {
        let session = new.session.map(Origin::Session);
        let mut origins: Vec<OriginRow> = session
            .iter()
            .chain(&new.origins)
            .map(|origin| {
                let (kind, origin) = match origin {
                    Origin::Session(id) => (OriginKind::Session, id.to_bytes()),
                    Origin::Source(id) => (OriginKind::Source, id.to_bytes()),
                    Origin::Memory(id) => (OriginKind::Memory, id.to_bytes()),
                };
                OriginRow {
                    kind,
                    origin,
                    trust: new.trust,
                }
            })
            .collect();
        if origins.is_empty() {
            origins.push(OriginRow {
                kind: OriginKind::Said,
                origin: owner.to_bytes(),
                trust: new.trust,
            });
        }
        let first = (!new.reasons.is_empty()).then(|| HistoryRow {
            at: new.validity.recorded,
            actor: self.principal,
            state: new.state,
            reason: self.seal_reasons(new.id, &new.reasons),
        });
        TraceRow {
            topics: match &new.body.path {
                Some(path) => file::digests(&self.keys, owner, path),
                None => self.topics_of(new),
            },
            origins,
            first,
        }
    }

    /// Digests of what a memory speaks about; the same words in two projects are two topics.
    pub(super) fn topics_of(&self, new: &NewMemory) -> Vec<Fingerprint> {
        let project = new.project.map_or([0; 16], Id::to_bytes);
        let topic = |topic: &String| {
            self.keys
                .fingerprint(Purpose::Topic, &[&project, topic.as_bytes()])
        };
        new.topics.iter().map(topic).collect()
    }

    /// Sentences for an entry of a memory's history.
    pub(super) fn seal_reasons<T: AsRef<str>>(
        &self,
        id: MemoryId,
        reasons: &[T],
    ) -> skep_crypto::Sealed {
        let bytes = BodyWriter::default().texts(reasons).finish();
        self.keys
            .seal(column::HISTORY_REASON, id.to_bytes(), &bytes)
    }
}
