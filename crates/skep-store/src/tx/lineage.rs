//! What a memory rests on: written beside it, and the bound of its trust.

use skep_authz::CanWrite;
use skep_domain::{Id, MemoryId, MemoryState, OriginKind, Principal, Reader, ReadingRing};

use super::Tx;
use crate::StoreError;
use crate::body::BodyWriter;
use crate::keys::{Purpose, column};
use crate::row::{HistoryRow, OriginRow, TraceRow};
use crate::value::{NewMemory, Origin};

/// What its owner may read for certain: an agent's policy may have changed since, its own memories
/// it reads under every policy.
pub(super) fn ring_of(owner: Principal) -> ReadingRing {
    ReadingRing::new(match owner {
        Principal::User(user) => Reader::Human(user),
        Principal::Agent(agent) => Reader::Agent(agent, skep_domain::ReadPolicy::Isolated),
    })
}

impl<P: CanWrite> Tx<P> {
    /// A derived memory is trusted no further than the least of what it was derived from, and is
    /// held back if any of that is.
    pub(super) async fn limit_by_lineage(
        &mut self,
        owner: Principal,
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
        let ring = ring_of(owner);
        let rows = self
            .backend
            .memories_by_id(&self.scope, &ring, &parents)
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
        let topic = |topic: &String| self.keys.fingerprint(Purpose::Topic, &[topic.as_bytes()]);
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
            topics: new.topics.iter().map(topic).collect(),
            origins,
            first,
        }
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
