//! Sources: adding and listing them, taking in their documents, purging them.

use std::collections::{HashMap, HashSet};

use skep_authz::{CanRead, CanWrite};
use skep_domain::{Id, MemoryId, MemoryState, RemovalMode, SourceId, Timestamp};

use super::{Removal, Root, Tx};
use crate::StoreError;
use crate::backend::PageOf;
use crate::body::{BodyReader, BodyWriter};
use crate::keys::{Purpose, WorkspaceKeys, column};
use crate::row::{ChunkRow, Fingerprint, HistoryRow, SourceRow, SourceSummaryRow};
use crate::value::{Kept, NewChunk, NewSource, Source, SourceChanges, Validators};

impl<P: CanRead> Tx<P> {
    /// Sources, newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_sources(
        &mut self,
        page: PageOf<SourceId>,
    ) -> Result<Vec<Source>, StoreError> {
        let rows = self.backend.sources(&self.scope, &self.ring, page).await?;
        rows.into_iter().map(|row| self.open_source(row)).collect()
    }

    /// One source.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get_source(&mut self, id: SourceId) -> Result<Option<Source>, StoreError> {
        let row = self.backend.source(&self.scope, &self.ring, id).await?;
        row.map(|row| self.open_source(row)).transpose()
    }

    /// Which of these documents, each with its version, a source does not have in that version.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_stale_documents(
        &mut self,
        id: SourceId,
        documents: &[(&str, &str)],
    ) -> Result<Vec<usize>, StoreError> {
        let known = self.backend.source_documents(&self.scope, id).await?;
        let known: HashMap<Fingerprint, Fingerprint> = known.into_iter().collect();
        let keys = &self.keys;
        Ok((0..documents.len())
            .filter(|at| {
                let (path, version) = documents[*at];
                known.get(&of_document(keys, id, path)) != Some(&of_version(keys, version))
            })
            .collect())
    }

    /// What a server said of a page when it was fetched last.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get_validators(&mut self, id: SourceId) -> Result<Option<Validators>, StoreError> {
        let Some(sealed) = self.backend.source_fetch(&self.scope, id).await? else {
            return Ok(None);
        };
        let opened = self
            .keys
            .open(column::SOURCE_FETCH, id.to_bytes(), &sealed)?;
        let mut reader = BodyReader(opened.expose());
        let validators = Validators {
            etag: reader.option()?,
            modified: reader.option()?,
        };
        reader.end()?;
        Ok(Some(validators))
    }

    fn open_source(&self, row: SourceSummaryRow) -> Result<Source, StoreError> {
        let SourceSummaryRow {
            source,
            project_name,
            documents,
            chunks,
        } = row;
        let opened = self
            .keys
            .open(column::SOURCE_BODY, source.id.to_bytes(), &source.body)?;
        let mut reader = BodyReader(opened.expose());
        let (location, title) = (reader.text()?, reader.option()?);
        reader.end()?;
        let name = match (source.project, project_name) {
            (Some(project), Some(sealed)) => Some(self.keys.open_text(
                column::PROJECT_NAME,
                project.to_bytes(),
                &sealed,
            )?),
            _ => None,
        };
        Ok(Source {
            id: source.id,
            kind: source.kind,
            location,
            title,
            trust: source.trust,
            visibility: source.visibility,
            project: name,
            project_id: source.project,
            is_own: self.principal == Some(source.owner),
            created_at: source.created_at,
            synced_at: source.synced_at,
            documents,
            chunks,
        })
    }
}

impl<P: CanWrite> Tx<P> {
    /// Finds a source of whoever acts by kind and location, or makes it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_source(&mut self, new: &NewSource) -> Result<SourceId, StoreError> {
        let owner = self.owner()?;
        self.check_project(new.project)?;
        let body = BodyWriter::default()
            .text(&new.location)
            .option(new.title.as_deref())
            .finish();
        let row = SourceRow {
            id: new.id,
            fingerprint: self.keys.fingerprint(
                Purpose::SourcePlace,
                &[
                    &owner.to_bytes(),
                    &[new.kind.code()],
                    new.location.as_bytes(),
                ],
            ),
            kind: new.kind,
            trust: new.trust,
            visibility: new.visibility,
            owner,
            owner_group: self.ring.group(),
            project: new.project,
            created_at: new.created_at,
            synced_at: None,
            body: self
                .keys
                .seal(column::SOURCE_BODY, new.id.to_bytes(), &body),
        };
        self.backend.put_source(&self.scope, row).await
    }

    /// Notes when a source was read.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn set_source_synced(
        &mut self,
        id: SourceId,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.backend.set_source_synced(&self.scope, id, at).await
    }

    /// Makes a document consist of these pieces: what is new becomes a memory, what is gone leaves
    /// recall, what is the same is left alone.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_document(
        &mut self,
        id: SourceId,
        (path, version): (&str, &str),
        chunks: Vec<NewChunk>,
        at: Timestamp,
    ) -> Result<SourceChanges, StoreError> {
        let document = of_document(&self.keys, id, path);
        let version = of_version(&self.keys, version);
        let old = self
            .backend
            .source_chunks(&self.scope, id, document)
            .await?;
        let mut gone: HashMap<Fingerprint, MemoryId> =
            old.iter().map(|row| (row.chunk, row.memory)).collect();
        let mut seen = HashSet::new();
        let mut changes = SourceChanges::default();
        for new in chunks {
            let chunk = self
                .keys
                .fingerprint(Purpose::Chunk, &[&document, new.identity.as_bytes()]);
            if !seen.insert(chunk) {
                continue;
            }
            if gone.remove(&chunk).is_some() {
                changes.same += 1;
                continue;
            }
            let memory = match self.put_memory(new.memory).await? {
                Kept::Known(_) if new.shared => {
                    changes.same += 1;
                    continue;
                }
                Kept::New(memory) | Kept::Known(memory) => memory,
            };
            self.backend
                .put_source_chunk(&self.scope, id, document, ChunkRow { memory, chunk })
                .await?;
            changes.new += 1;
        }
        changes.gone = gone.len() as u32;
        self.retire(id, gone.into_values(), at).await?;
        self.backend
            .put_source_document(&self.scope, id, document, version)
            .await?;
        Ok(changes)
    }

    /// Lets go of every document but these; gives how many went, and how many of their pieces.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn keep_documents(
        &mut self,
        id: SourceId,
        paths: &[&str],
        at: Timestamp,
    ) -> Result<(u32, u32), StoreError> {
        let keep: HashSet<Fingerprint> = paths
            .iter()
            .map(|path| of_document(&self.keys, id, path))
            .collect();
        let known = self.backend.source_documents(&self.scope, id).await?;
        let (mut documents, mut chunks) = (0, 0);
        for (document, _) in known {
            if keep.contains(&document) {
                continue;
            }
            let rows = self
                .backend
                .source_chunks(&self.scope, id, document)
                .await?;
            chunks += rows.len() as u32;
            self.retire(id, rows.into_iter().map(|row| row.memory), at)
                .await?;
            self.backend
                .remove_source_document(&self.scope, id, document)
                .await?;
            documents += 1;
        }
        Ok((documents, chunks))
    }

    /// Notes what a server said of a page, for the next time it is asked.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_validators(
        &mut self,
        id: SourceId,
        validators: &Validators,
    ) -> Result<(), StoreError> {
        let body = BodyWriter::default()
            .option(validators.etag.as_deref())
            .option(validators.modified.as_deref())
            .finish();
        let body = self.keys.seal(column::SOURCE_FETCH, id.to_bytes(), &body);
        self.backend.put_source_fetch(&self.scope, id, body).await
    }

    /// Takes a source away, and notes that every memory that was ever made of it is to be erased,
    /// the superseded ones and those derived from them among them. `None` if there is no such
    /// source.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn purge_source(
        &mut self,
        id: SourceId,
        reason: &str,
        at: Timestamp,
    ) -> Result<Option<Removal>, StoreError> {
        let source = self.backend.source(&self.scope, &self.ring, id).await?;
        if source.is_none() {
            return Ok(None);
        }
        let removal = Removal {
            root: Root::Source(id),
            mode: RemovalMode::EraseAll,
            reason: reason.into(),
        };
        self.note_removal(&removal, at).await?;
        self.backend.remove_source(&self.scope, id).await?;
        Ok(Some(removal))
    }

    async fn retire(
        &mut self,
        id: SourceId,
        memories: impl Iterator<Item = MemoryId>,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let entries: Vec<_> = memories
            .map(|memory| {
                let reason = "its source has it no more";
                let entry = self.entry(memory, MemoryState::Superseded, reason, at);
                (memory, entry)
            })
            .collect();
        if entries.is_empty() {
            return Ok(());
        }
        self.backend
            .retire_source_chunks(&self.scope, id, entries)
            .await
    }

    fn entry(
        &self,
        memory: MemoryId,
        state: MemoryState,
        reason: &str,
        at: Timestamp,
    ) -> HistoryRow {
        HistoryRow {
            at,
            actor: self.principal,
            state,
            reason: self
                .keys
                .seal(column::HISTORY_REASON, memory.to_bytes(), reason.as_bytes()),
        }
    }
}

fn of_document(keys: &WorkspaceKeys, source: SourceId, path: &str) -> Fingerprint {
    keys.fingerprint(Purpose::Document, &[&source.to_bytes(), path.as_bytes()])
}

fn of_version(keys: &WorkspaceKeys, version: &str) -> Fingerprint {
    keys.fingerprint(Purpose::DocumentVersion, &[version.as_bytes()])
}
