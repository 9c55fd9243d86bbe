//! What the daemon's own upkeep does: feed the index, embed, distil. It serves no caller.

use skep_authz::{Maintain, Upkeep};
use skep_domain::{
    Harness, Id, MemoryId, PolicyGroupId, Principal, ProjectId, SessionId, Visibility,
};

use super::Tx;
use super::read::{open_body, open_turn};
use crate::StoreError;
use crate::keys::column;
use crate::row::{DistilRow, ModelTag, VectorRow};
use crate::value::{Change, Kept, NewMemory, NewVector, Turn, Unembedded};

/// What a distilled memory takes over from its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DistilSession {
    /// Which session.
    pub id: SessionId,
    /// Which harness.
    pub harness: Harness,
    /// Its project.
    pub project: Option<ProjectId>,
    /// Who captured it, and so owns what is distilled from it.
    pub owner: Principal,
    /// Their policy group when they captured it.
    pub owner_group: Option<PolicyGroupId>,
    /// Who may read it.
    pub visibility: Visibility,
}

impl<P: Upkeep> Tx<P> {
    /// Changes after `(seq, id)`, in that order, for the index.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_changes(
        &mut self,
        after: (u64, Option<MemoryId>),
        limit: u32,
    ) -> Result<Vec<Change>, StoreError> {
        let rows = self.backend.changes(&self.scope, after, limit).await?;
        let keys = &self.keys;
        rows.into_iter()
            .map(|row| {
                let vector = row
                    .vector
                    .map(|(model, sealed)| {
                        let opened =
                            keys.open(column::MEMORY_VECTOR, row.id.to_bytes(), &sealed)?;
                        Ok::<_, StoreError>((model, opened.expose().clone()))
                    })
                    .transpose()?;
                Ok(Change {
                    seq: row.seq,
                    id: row.id,
                    kind: row.kind,
                    state: row.state,
                    recorded_at: row.recorded_at,
                    valid_from: row.valid_from,
                    session: row.session,
                    readers: row.readers,
                    project: row.project,
                    body: open_body(keys, row.id, &row.body)?,
                    vector,
                })
            })
            .collect()
    }

    /// Recallable memories without a vector of this model.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_unembedded(
        &mut self,
        model: ModelTag,
        limit: u32,
    ) -> Result<Vec<Unembedded>, StoreError> {
        let rows = self.backend.unembedded(&self.scope, model, limit).await?;
        rows.into_iter()
            .map(|row| {
                Ok(Unembedded {
                    id: row.id,
                    body: open_body(&self.keys, row.id, &row.body)?,
                })
            })
            .collect()
    }

    /// Sessions with turns not yet distilled.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_undistilled(&mut self, limit: u32) -> Result<Vec<DistilRow>, StoreError> {
        self.backend.undistilled(&self.scope, limit).await
    }

    /// What is left to distil of one session.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get_distil_state(
        &mut self,
        session: SessionId,
    ) -> Result<Option<DistilRow>, StoreError> {
        self.backend.distil_state(&self.scope, session).await
    }

    /// What a session hands down to its memories.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get_distil_session(
        &mut self,
        id: SessionId,
    ) -> Result<Option<DistilSession>, StoreError> {
        let row = self.backend.session_to_distil(&self.scope, id).await?;
        Ok(row.map(|row| DistilSession {
            id: row.id,
            harness: row.harness,
            project: row.project,
            owner: row.owner,
            owner_group: row.owner_group,
            visibility: row.visibility,
        }))
    }

    /// Turns of a session in order, from an ordinal on.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_turns_to_distil(
        &mut self,
        session: SessionId,
        from: u64,
        limit: u32,
    ) -> Result<Vec<Turn>, StoreError> {
        let rows = self
            .backend
            .turns_to_distil(&self.scope, session, from, limit)
            .await?;
        rows.into_iter()
            .map(|row| open_turn(&self.keys, row))
            .collect()
    }
}

impl Tx<Maintain> {
    /// Keeps vectors, replacing those of other models.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_vectors(
        &mut self,
        model: ModelTag,
        vectors: Vec<NewVector>,
    ) -> Result<(), StoreError> {
        let rows = vectors
            .into_iter()
            .map(|vector| VectorRow {
                id: vector.id,
                model,
                dim: vector.dim,
                vector: self
                    .keys
                    .seal(column::MEMORY_VECTOR, vector.id.to_bytes(), &vector.bytes),
            })
            .collect();
        self.backend.put_vectors(&self.scope, rows).await
    }

    /// Keeps a distilled memory for the owner of its session.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_distilled(
        &mut self,
        session: &DistilSession,
        new: NewMemory,
    ) -> Result<Kept, StoreError> {
        let writer = self.writer_for(session);
        self.put_memory_for(&writer, new).await
    }

    /// Notes that a session is distilled up to an ordinal.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn set_distilled(&mut self, session: SessionId, to: u64) -> Result<(), StoreError> {
        self.backend.set_distilled(&self.scope, session, to).await
    }
}
