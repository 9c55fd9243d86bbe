//! What a transaction that may read can read: only what the caller's ring lets through.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use skep_authz::CanRead;
use skep_domain::{Id, MemoryId, MemoryState, ProjectId, SessionId, TurnId};

use super::{Tx, Visible};
use crate::StoreError;
use crate::backend::{MemoryFilter, PageOf};
use crate::body::BodyReader;
use crate::keys::{Purpose, WorkspaceKeys, column};
use crate::row::{CountsRow, ModelTag, SessionSummaryRow, StoredMemoryRow, StoredTurnRow};
use crate::value::{Branch, Memory, MemoryBody, MemoryFacts, NewTurn, Session, Turn};

impl<P: CanRead> Tx<P> {
    /// Finds a project by name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get_project(&mut self, name: &str) -> Result<Option<ProjectId>, StoreError> {
        let fingerprint = self.keys.fingerprint(Purpose::Project, &[name.as_bytes()]);
        self.backend.project(&self.scope, fingerprint).await
    }

    /// Sessions, newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_sessions(
        &mut self,
        page: PageOf<SessionId>,
    ) -> Result<Vec<Session>, StoreError> {
        let rows = self.backend.sessions(&self.scope, &self.ring, page).await?;
        rows.iter()
            .map(|row| open_session(&self.keys, row))
            .collect()
    }

    /// One session.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get_session(&mut self, id: SessionId) -> Result<Option<Session>, StoreError> {
        let row = self.backend.session(&self.scope, &self.ring, id).await?;
        row.map(|row| open_session(&self.keys, &row)).transpose()
    }

    /// Turns of a session in order, from an ordinal on.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_turns(
        &mut self,
        session: SessionId,
        from: u64,
        limit: u32,
    ) -> Result<Vec<Turn>, StoreError> {
        let rows = self
            .backend
            .turns(&self.scope, &self.ring, session, from, limit)
            .await?;
        rows.into_iter()
            .map(|row| open_turn(&self.keys, row))
            .collect()
    }

    /// Turns by id, such as a memory cites them.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get_turns(&mut self, ids: &[TurnId]) -> Result<Vec<Turn>, StoreError> {
        let rows = self
            .backend
            .turns_by_id(&self.scope, &self.ring, ids)
            .await?;
        rows.into_iter()
            .map(|row| open_turn(&self.keys, row))
            .collect()
    }

    /// How far an import of a source has come.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get_cursor(&mut self, source: &str) -> Result<Option<String>, StoreError> {
        let fingerprint = self.keys.fingerprint(Purpose::Source, &[source.as_bytes()]);
        let sealed = self.backend.cursor(&self.scope, fingerprint).await?;
        sealed
            .map(|sealed| {
                self.keys
                    .open_text(column::CURSOR_POSITION, fingerprint, &sealed)
            })
            .transpose()
    }

    /// The authorization step of recall: which candidates the caller may see. Nothing before it
    /// has seen content, nothing after it sees an id that failed. The order is kept.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn authorize(
        &mut self,
        candidates: &[MemoryId],
        filter: &MemoryFilter,
    ) -> Result<Vec<Visible<MemoryId>>, StoreError> {
        let allowed = self
            .backend
            .visible(&self.scope, &self.ring, filter, candidates)
            .await?;
        let allowed: std::collections::HashSet<MemoryId> = allowed.into_iter().collect();
        Ok(candidates
            .iter()
            .filter(|id| allowed.contains(id))
            .map(|id| self.visible(*id))
            .collect())
    }

    /// Loads what was authorized, in that order.
    ///
    /// # Errors
    /// [`StoreError`]; [`StoreError::Refused`] for an id that was authorized for another workspace.
    pub async fn load(&mut self, visible: &[Visible<MemoryId>]) -> Result<Vec<Memory>, StoreError> {
        if visible
            .iter()
            .any(|visible| visible.workspace != self.scope.workspace())
        {
            return Err(StoreError::Refused(
                "authorized for another workspace".into(),
            ));
        }
        let ids: Vec<MemoryId> = visible.iter().map(Visible::id).collect();
        let rows = self
            .backend
            .memories_by_id(&self.scope, &self.ring, &ids)
            .await?;
        rows.into_iter()
            .map(|row| open_memory(&self.keys, row))
            .collect()
    }

    /// One memory in any state but quarantined: what is held back is read by reviewers only.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get_memory(&mut self, id: MemoryId) -> Result<Option<Memory>, StoreError> {
        let memory = self.get_in_any_state(id).await?;
        Ok(memory.filter(|memory| memory.state != MemoryState::Quarantined))
    }

    pub(super) async fn get_in_any_state(
        &mut self,
        id: MemoryId,
    ) -> Result<Option<Memory>, StoreError> {
        let mut rows = self
            .backend
            .memories_by_id(&self.scope, &self.ring, &[id])
            .await?;
        rows.pop()
            .map(|row| open_memory(&self.keys, row))
            .transpose()
    }

    /// Memories in any state, those that the ring lets through, in the order asked for.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get_memories(&mut self, ids: &[MemoryId]) -> Result<Vec<Memory>, StoreError> {
        let rows = self
            .backend
            .memories_by_id(&self.scope, &self.ring, ids)
            .await?;
        rows.into_iter()
            .map(|row| open_memory(&self.keys, row))
            .collect()
    }

    /// Memories, newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_memories(
        &mut self,
        filter: &MemoryFilter,
        page: PageOf<MemoryId>,
    ) -> Result<Vec<Memory>, StoreError> {
        let rows = self
            .backend
            .memories(&self.scope, &self.ring, filter, page)
            .await?;
        rows.into_iter()
            .map(|row| open_memory(&self.keys, row))
            .collect()
    }

    /// What is known of memories without what they say, newest first: to count and to find them by.
    /// Nothing but the names of their projects is opened.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_memory_facts(
        &mut self,
        filter: &MemoryFilter,
        page: PageOf<MemoryId>,
    ) -> Result<Vec<MemoryFacts>, StoreError> {
        let rows = self
            .backend
            .memory_facts(&self.scope, &self.ring, filter, page)
            .await?;
        let mut names: HashMap<ProjectId, Arc<str>> = HashMap::new();
        let mut facts = Vec::with_capacity(rows.len());
        for row in rows {
            let project = match (row.project, row.project_name) {
                (Some(id), Some(sealed)) => {
                    let name = match names.entry(id) {
                        Entry::Occupied(known) => Arc::clone(known.get()),
                        Entry::Vacant(vacant) => {
                            let name = open_project(&self.keys, Some(id), Some(&sealed))?;
                            Arc::clone(vacant.insert(name.unwrap_or_default().into()))
                        }
                    };
                    Some((id, name))
                }
                _ => None,
            };
            facts.push(MemoryFacts {
                id: row.id,
                kind: row.kind,
                valid_from: row.valid_from,
                project,
            });
        }
        Ok(facts)
    }

    /// Counts of the workspace.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn counts(&mut self, model: ModelTag) -> Result<CountsRow, StoreError> {
        self.backend.counts(&self.scope, model).await
    }
}

pub(super) fn open_turn(keys: &WorkspaceKeys, row: StoredTurnRow) -> Result<Turn, StoreError> {
    let StoredTurnRow {
        session,
        ordinal,
        turn,
    } = row;
    let opened = keys.open(column::TURN_BODY, turn.id.to_bytes(), &turn.body)?;
    let mut reader = BodyReader(opened.expose());
    let (client_event_id, text) = (reader.text()?, reader.text()?);
    let (tool, paths) = (reader.option()?, reader.texts()?);
    reader.end()?;
    let branch = match turn.branch {
        0 => Branch::Main,
        2 => Branch::Sidechain,
        _ => Branch::Abandoned,
    };
    let turn = NewTurn {
        id: turn.id,
        client_event_id,
        role: turn.role,
        branch,
        author: turn.author,
        is_error: turn.is_error,
        at: turn.at,
        recorded_at: turn.recorded_at,
        text,
        tool,
        paths,
    };
    Ok(Turn {
        session,
        ordinal,
        turn,
    })
}

fn open_session(keys: &WorkspaceKeys, row: &SessionSummaryRow) -> Result<Session, StoreError> {
    let session = &row.session;
    let opened = keys.open(column::SESSION_BODY, session.id.to_bytes(), &session.body)?;
    let mut reader = BodyReader(opened.expose());
    let (external_id, title, cwd) = (reader.text()?, reader.option()?, reader.option()?);
    reader.end()?;
    Ok(Session {
        id: session.id,
        harness: session.harness,
        owner: session.owner,
        external_id,
        title,
        cwd,
        project: open_project(keys, session.project, row.project_name.as_ref())?,
        state: session.state,
        span: (session.started_at, session.last_at),
        turns: row.turns,
        memories: row.memories,
    })
}

fn open_project(
    keys: &WorkspaceKeys,
    id: Option<ProjectId>,
    name: Option<&skep_crypto::Sealed>,
) -> Result<Option<String>, StoreError> {
    match (id, name) {
        (Some(id), Some(name)) => keys
            .open_text(column::PROJECT_NAME, id.to_bytes(), name)
            .map(Some),
        _ => Ok(None),
    }
}

pub(super) fn open_memory(
    keys: &WorkspaceKeys,
    row: StoredMemoryRow,
) -> Result<Memory, StoreError> {
    let StoredMemoryRow {
        memory,
        project_name,
    } = row;
    Ok(Memory {
        body: open_body(keys, memory.id, &memory.body)?,
        project_id: memory.project,
        project: open_project(keys, memory.project, project_name.as_ref())?,
        id: memory.id,
        kind: memory.kind,
        trust: memory.trust,
        state: memory.state,
        validity: memory.validity,
        owner: memory.owner,
        owner_group: memory.owner_group,
        visibility: memory.visibility,
        harness: memory.harness,
        session: memory.session,
        turns: memory.turns,
    })
}

pub(super) fn open_body(
    keys: &WorkspaceKeys,
    id: MemoryId,
    sealed: &skep_crypto::Sealed,
) -> Result<MemoryBody, StoreError> {
    MemoryBody::from_bytes(
        keys.open(column::MEMORY_BODY, id.to_bytes(), sealed)?
            .expose(),
    )
}
