//! All that an index is made from, opened into one buffer after the other.

use skep_authz::Upkeep;
use skep_domain::{Id, MemoryId};

use super::Tx;
use crate::StoreError;
use crate::backend::Walked;
use crate::keys::column;
use crate::row::ModelTag;
use crate::value::{Change, MemoryBody};

impl<P: Upkeep> Tx<P> {
    /// Memories that recall may return, now or about the past, without their vectors, in no order;
    /// the walk begins at 0.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn walk_memories(
        &mut self,
        from: u64,
        limit: u32,
    ) -> Result<Walked<Change>, StoreError> {
        let walked = self.backend.walk_memories(&self.scope, from, limit).await?;
        let mut buffer = self.keys.buffer();
        let open = |row: crate::row::ChangeRow| {
            let body = buffer.open(column::MEMORY_BODY, row.id.to_bytes(), &row.body)?;
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
                body: MemoryBody::from_bytes(body)?,
                vector: None,
            })
        };
        let rows = walked.rows.into_iter().map(open);
        Ok(Walked {
            rows: rows.collect::<Result<_, StoreError>>()?,
            next: walked.next,
        })
    }

    /// Vectors of a model, in no order; the walk begins at 0.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn walk_vectors(
        &mut self,
        model: ModelTag,
        from: u64,
        limit: u32,
    ) -> Result<Walked<(MemoryId, Vec<u8>)>, StoreError> {
        let walked = self.backend.walk_vectors(&self.scope, model, from, limit);
        let walked = walked.await?;
        let mut buffer = self.keys.buffer();
        let open = |(id, sealed): (MemoryId, skep_crypto::Sealed)| {
            let opened = buffer.open(column::MEMORY_VECTOR, id.to_bytes(), &sealed)?;
            Ok((id, opened.to_vec()))
        };
        let rows = walked.rows.into_iter().map(open);
        Ok(Walked {
            rows: rows.collect::<Result<_, StoreError>>()?,
            next: walked.next,
        })
    }
}
