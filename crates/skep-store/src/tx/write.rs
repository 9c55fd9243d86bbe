//! What a transaction that may write can write. It is sealed here; the backend sees no content.

use skep_authz::CanWrite;
use skep_domain::{
    Harness, Id, MemoryId, MemoryKind, MemoryState, Principal, ProjectId, SessionId, SessionState,
    Timestamp, Trust, Visibility,
};

use super::{Tx, Writer};
use crate::StoreError;
use crate::body::BodyWriter;
use crate::keys::{Purpose, WorkspaceKeys, column};
use crate::row::{AboutRow, Fingerprint, HistoryRow, MemoryRow, ProjectRow, SessionRow, TurnRow};
use crate::value::{Branch, Kept, Memory, NewMemory, NewSession, NewTurn, Project};

/// What a session is found by.
pub(super) fn session_fingerprint(
    keys: &WorkspaceKeys,
    owner: Principal,
    harness: Harness,
    external_id: &str,
) -> Fingerprint {
    keys.fingerprint(
        Purpose::Session,
        &[&owner.to_bytes(), &[harness.code()], external_id.as_bytes()],
    )
}

impl<P: CanWrite> Tx<P> {
    /// Finds a project by name or makes it, with the id given.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_project(&mut self, project: &Project) -> Result<ProjectId, StoreError> {
        let row = ProjectRow {
            id: project.id,
            fingerprint: self
                .keys
                .fingerprint(Purpose::Project, &[project.name.as_bytes()]),
            name: self.keys.seal(
                column::PROJECT_NAME,
                project.id.to_bytes(),
                project.name.as_bytes(),
            ),
        };
        self.backend.put_project(&self.scope, row).await
    }

    /// Finds a session by harness and external id (and then widens its span and opens it again),
    /// or makes it, owned by whoever acts.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_session(&mut self, new: &NewSession) -> Result<SessionId, StoreError> {
        let owner = self.owner()?;
        self.check_project(new.project)?;
        if self.harness.is_some_and(|bound| bound != new.harness) {
            return Err(StoreError::OutOfBounds(
                "the key is bound to another harness",
            ));
        }
        let body = BodyWriter::default()
            .text(&new.external_id)
            .option(new.title.as_deref())
            .option(new.cwd.as_deref())
            .finish();
        let row = SessionRow {
            id: new.id,
            harness: new.harness,
            // The owner is part of it: a name that another principal uses is not yours to append to.
            fingerprint: session_fingerprint(&self.keys, owner, new.harness, &new.external_id),
            project: new.project,
            owner,
            owner_group: self.ring.group(),
            visibility: new.visibility,
            state: SessionState::Open,
            started_at: new.span.0,
            last_at: new.span.1,
            recorded_at: new.recorded_at,
            body: self
                .keys
                .seal(column::SESSION_BODY, new.id.to_bytes(), &body),
        };
        self.backend.put_session(&self.scope, row).await
    }

    /// Ends a session, or opens it again.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn set_session_state(
        &mut self,
        id: SessionId,
        state: SessionState,
    ) -> Result<(), StoreError> {
        self.backend.set_session_state(&self.scope, id, state).await
    }

    /// Appends turns in order; says for each whether it was new.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn append_turns(
        &mut self,
        session: SessionId,
        turns: &[NewTurn],
    ) -> Result<Vec<bool>, StoreError> {
        let rows = turns
            .iter()
            .map(|turn| self.seal_turn(session, turn))
            .collect();
        self.backend.append_turns(&self.scope, session, rows).await
    }

    /// Keeps how far an import of a source has come.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_cursor(&mut self, source: &str, position: &str) -> Result<(), StoreError> {
        let fingerprint = self.keys.fingerprint(Purpose::Source, &[source.as_bytes()]);
        let sealed = self
            .keys
            .seal(column::CURSOR_POSITION, fingerprint, position.as_bytes());
        self.backend
            .put_cursor(&self.scope, fingerprint, sealed)
            .await
    }

    /// Keeps a memory, owned by whoever acts, unless the same statement is there already.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_memory(&mut self, new: NewMemory) -> Result<Kept, StoreError> {
        let writer = self.writer()?;
        self.put_memory_for(&writer, new).await
    }

    /// A memory that was just kept, in whatever state: whoever wrote it knows what it says.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get_kept(&mut self, kept: &Kept) -> Result<Option<Memory>, StoreError> {
        let (Kept::New(id) | Kept::Known(id)) = kept;
        self.get_in_any_state(*id).await
    }

    /// Takes a memory out of recall, with a reason in its history. `None` when there is none that
    /// the caller may see, `Some(false)` when it was forgotten already.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn forget(
        &mut self,
        id: MemoryId,
        reason: &str,
        at: Timestamp,
    ) -> Result<Option<bool>, StoreError> {
        let entry = HistoryRow {
            at,
            actor: self.principal,
            state: MemoryState::Forgotten,
            reason: self.seal_reasons(id, &[reason]),
        };
        self.backend
            .set_memory_state(&self.scope, &self.ring, id, entry)
            .await
    }

    /// Keeps a memory for a writer, unless the same statement is there already.
    ///
    /// What an outside source says can never be a procedure, whoever asks: steps are followed, and
    /// a page that can write them would command the agents that read them.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_memory_for(
        &mut self,
        writer: &Writer,
        new: NewMemory,
    ) -> Result<Kept, StoreError> {
        self.put_memory_about(writer, Vec::new(), new).await
    }

    /// A memory that says something of participants; what it is derived from adds to them.
    pub(super) async fn put_memory_about(
        &mut self,
        writer: &Writer,
        about: Vec<AboutRow>,
        mut new: NewMemory,
    ) -> Result<Kept, StoreError> {
        self.check_project(new.project)?;
        self.limit_by_lineage(writer, &mut new).await?;
        let about = self.with_inherited(about, &mut new).await?;
        if new.kind == MemoryKind::Procedure && new.trust == Trust::External {
            return Err(StoreError::Refused(
                "an outside source cannot yield a procedure".into(),
            ));
        }
        let (owner, owner_group) = (writer.owner, writer.group);
        let trace = self.trace(owner, &new);
        let fingerprint = self.memory_fingerprint(owner, new.visibility, &new.normal_form);
        let row = MemoryRow {
            id: new.id,
            kind: new.kind,
            trust: new.trust,
            state: new.state,
            validity: new.validity,
            owner,
            owner_group,
            visibility: new.visibility,
            project: new.project,
            harness: new.harness,
            session: new.session,
            fingerprint,
            body: self
                .keys
                .seal(column::MEMORY_BODY, new.id.to_bytes(), &new.body.to_bytes()),
            turns: new.turns,
        };
        let known = self.backend.put_memory(&self.scope, row).await?;
        self.backend
            .put_trace(&self.scope, known.unwrap_or(new.id), known.is_none(), trace)
            .await?;
        if known.is_none() {
            self.backend.put_about(&self.scope, new.id, about).await?;
        }
        Ok(known.map_or(Kept::New(new.id), Kept::Known))
    }

    /// The same statement of the same owner, to be seen by the same readers, is one memory.
    pub(super) fn memory_fingerprint(
        &self,
        owner: Principal,
        visibility: Visibility,
        normal_form: &str,
    ) -> Fingerprint {
        let parts: [&[u8]; 3] = [
            &owner.to_bytes(),
            &[visibility.code()],
            normal_form.as_bytes(),
        ];
        self.keys.fingerprint(Purpose::Memory, &parts)
    }

    pub(super) fn owner(&self) -> Result<Principal, StoreError> {
        self.principal
            .ok_or_else(|| StoreError::Refused("upkeep owns nothing".into()))
    }

    fn seal_turn(&self, session: SessionId, turn: &NewTurn) -> TurnRow {
        let body = BodyWriter::default()
            .text(&turn.client_event_id)
            .text(&turn.text)
            .option(turn.tool.as_deref())
            .texts(&turn.paths)
            .finish();
        TurnRow {
            id: turn.id,
            fingerprint: self.keys.fingerprint(
                Purpose::Turn,
                &[&session.to_bytes(), turn.client_event_id.as_bytes()],
            ),
            role: turn.role,
            branch: match turn.branch {
                Branch::Main => 0,
                Branch::Abandoned => 1,
                Branch::Sidechain => 2,
            },
            author: turn.author,
            is_error: turn.is_error,
            at: turn.at,
            recorded_at: turn.recorded_at,
            body: self.keys.seal(column::TURN_BODY, turn.id.to_bytes(), &body),
        }
    }
}
