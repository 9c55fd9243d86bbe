//! What takes another memory's place, and what stands against it.

use skep_authz::{CanRead, CanWrite};
use skep_domain::{ConflictId, MemoryId, MemoryState, Resolution, RingFacts, Timestamp};

use super::Tx;
use super::lineage::Writer;
use super::read::open_memory;
use crate::StoreError;
use crate::backend::PageOf;
use crate::row::{ConflictRow, HistoryRow, StoredMemoryRow, TraceRow};
use crate::value::{Conflict, Memory, NewMemory};

/// Statements that a new one is compared with, at most.
const CANDIDATES: u32 = 32;
/// Versions of a memory that are followed, at most.
const VERSIONS: usize = 64;
/// The first reason of what an edit replaced; no rule gives it.
const EDITED: &str = "edited";

impl<P: CanRead> Tx<P> {
    /// Open conflicts, newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_conflicts(
        &mut self,
        page: PageOf<ConflictId>,
    ) -> Result<Vec<Conflict>, StoreError> {
        let rows = self
            .backend
            .conflicts(&self.scope, &self.ring, page)
            .await?;
        let mut conflicts = Vec::with_capacity(rows.len());
        for row in rows {
            conflicts.extend(self.open_conflict(row).await?);
        }
        Ok(conflicts)
    }

    /// One conflict, open or resolved.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get_conflict(&mut self, id: ConflictId) -> Result<Option<Conflict>, StoreError> {
        match self.backend.conflict(&self.scope, &self.ring, id).await? {
            Some(row) => self.open_conflict(row).await,
            None => Ok(None),
        }
    }

    async fn open_conflict(&mut self, row: ConflictRow) -> Result<Option<Conflict>, StoreError> {
        let older = self.get_memory(row.older).await?;
        let newer = self.get_memory(row.newer).await?;
        Ok(older.zip(newer).map(|(older, newer)| Conflict {
            id: row.id,
            older,
            newer,
            found_at: row.found_at,
            resolved: row.resolved,
        }))
    }

    /// All that a memory replaced and all that replaced it, as pairs of older and newer, as far as
    /// the caller may see them.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_versions(
        &mut self,
        id: MemoryId,
    ) -> Result<Vec<(MemoryId, MemoryId)>, StoreError> {
        let mut known = std::collections::BTreeSet::from([id]);
        let mut links = std::collections::BTreeSet::new();
        let mut edge = vec![id];
        while !edge.is_empty() && known.len() < VERSIONS {
            let found = self.backend.links(&self.scope, &self.ring, &edge).await?;
            edge = Vec::new();
            for (older, newer) in found {
                links.insert((older, newer));
                edge.extend([older, newer].into_iter().filter(|id| known.insert(*id)));
            }
        }
        Ok(links.into_iter().collect())
    }

    /// The other versions of one memory: what it was edited from and to, as far as the caller may
    /// see them, and about as many as the limit. What a rule put in a place is another memory.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_edits(
        &mut self,
        id: MemoryId,
        limit: usize,
    ) -> Result<Vec<MemoryId>, StoreError> {
        let mut known = std::collections::BTreeSet::from([id]);
        let mut waiting = vec![id];
        while let Some(next) = waiting.pop() {
            let links = self.backend.links(&self.scope, &self.ring, &[next]).await?;
            for (older, newer) in links {
                let other = if older == next { newer } else { older };
                if !known.contains(&other) && self.was_edited(older).await? {
                    known.insert(other);
                    waiting.push(other);
                }
            }
            if known.len() > limit {
                break;
            }
        }
        known.remove(&id);
        Ok(known.into_iter().collect())
    }

    async fn was_edited(&mut self, older: MemoryId) -> Result<bool, StoreError> {
        let entries = self.list_history(older).await?;
        let last = entries
            .iter()
            .rfind(|entry| entry.state == MemoryState::Superseded);
        Ok(last.is_some_and(|entry| entry.reasons.first().is_some_and(|first| first == EDITED)))
    }
}

impl<P: CanWrite> Tx<P> {
    /// Active memories that speak about the same as a new one, and that its writer may read.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_related(
        &mut self,
        writer: &Writer,
        new: &NewMemory,
    ) -> Result<Vec<Memory>, StoreError> {
        let topics = self.topics_of(new);
        if topics.is_empty() {
            return Ok(Vec::new());
        }
        let rows = self
            .backend
            .related(&self.scope, &writer.ring, &topics, CANDIDATES)
            .await?;
        rows.into_iter()
            .map(|row| open_memory(&self.keys, row))
            .collect()
    }

    /// Adds what a repeated statement rests on to the memory that says the same already.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn confirm(
        &mut self,
        writer: &Writer,
        known: MemoryId,
        again: &NewMemory,
    ) -> Result<(), StoreError> {
        let trace = TraceRow {
            topics: Vec::new(),
            first: None,
            ..self.trace(writer.owner, again)
        };
        self.backend
            .put_trace(&self.scope, known, false, trace)
            .await
    }

    /// Puts one memory in another's place: the other one ends in the world where this one begins,
    /// leaves recall and stays in the history. `false` when it must not be: a weaker word never
    /// takes a stronger one's place, and nobody loses what they read for what they cannot read.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn supersede(
        &mut self,
        writer: &Writer,
        (older, newer): (MemoryId, MemoryId),
        reason: &str,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        self.replace(writer, (older, newer), &[reason], at).await
    }

    /// As [`Tx::supersede`], for a new version of the same memory: the two are erased together.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_version(
        &mut self,
        writer: &Writer,
        pair: (MemoryId, MemoryId),
        reason: Option<&str>,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let reasons: Vec<&str> = [EDITED].into_iter().chain(reason).collect();
        self.replace(writer, pair, &reasons, at).await
    }

    async fn replace(
        &mut self,
        writer: &Writer,
        (older, newer): (MemoryId, MemoryId),
        reasons: &[&str],
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let rows = self
            .backend
            .memories_by_id(&self.scope, &writer.ring, &[older, newer])
            .await?;
        let [old, new] = &rows[..] else {
            return Ok(false);
        };
        let may = new.memory.trust >= old.memory.trust
            && new.memory.state == MemoryState::Active
            && facts(new).may_replace(&facts(old));
        if !may {
            return Ok(false);
        }
        let entry = HistoryRow {
            at,
            actor: self.principal,
            state: MemoryState::Superseded,
            reason: self.seal_reasons(older, reasons),
        };
        let ends = new.memory.validity.from;
        self.backend
            .supersede(&self.scope, older, newer, ends, entry)
            .await
    }

    /// Notes that at most one of two memories can be true; `false` when it was noted before.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_conflict(&mut self, row: ConflictRow) -> Result<bool, StoreError> {
        self.backend.put_conflict(&self.scope, row).await
    }

    /// Notes how a conflict was resolved; `false` when it is not open.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn settle_conflict(
        &mut self,
        id: ConflictId,
        resolution: Resolution,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        self.backend
            .settle_conflict(&self.scope, id, resolution, at)
            .await
    }
}

fn facts(row: &StoredMemoryRow) -> RingFacts {
    RingFacts {
        owner: row.memory.owner,
        owner_group: row.memory.owner_group,
        visibility: row.memory.visibility,
        project: row.memory.project,
    }
}
