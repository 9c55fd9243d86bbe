//! Capture itself: counters, pauses, bound directories.

use skep_authz::{CanRead, CanWrite};
use skep_domain::{Principal, SessionId, Timestamp, TurnOutcome};

use super::Tx;
use super::write::session_fingerprint;
use crate::StoreError;
use crate::body::{BodyReader, BodyWriter};
use crate::keys::{Purpose, WorkspaceKeys, column};
use crate::row::{BindingRow, Fingerprint, PauseRow};
use crate::value::{Binding, Pause, PausedSession};

/// The code that counts what was received.
const RECEIVED: u8 = 0;

impl<P: CanRead> Tx<P> {
    /// How many turns were received, and how many ended in each way.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get_capture_counts(
        &mut self,
    ) -> Result<(u64, Vec<(TurnOutcome, u64)>), StoreError> {
        let rows = self.backend.capture_counts(&self.scope).await?;
        let mut received = 0;
        let mut outcomes = Vec::new();
        for (code, turns) in rows {
            match TurnOutcome::from_code(code) {
                Some(outcome) => outcomes.push((outcome, turns)),
                None if code == RECEIVED => received = turns,
                None => return Err(StoreError::Damaged("the counters of capture")),
            }
        }
        Ok((received, outcomes))
    }

    /// The pauses in force for whoever acts, of one session or of all.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_pauses(
        &mut self,
        session: Option<&PausedSession>,
        now: Timestamp,
    ) -> Result<Vec<Pause>, StoreError> {
        let Some(principal) = self.principal else {
            return Ok(Vec::new());
        };
        let session = session.map(|session| of_session(&self.keys, principal, session));
        let rows = self
            .backend
            .pauses(&self.scope, principal, session, now)
            .await?;
        Ok(rows
            .into_iter()
            .map(|row| Pause {
                holder: row.holder,
                session: row.session.is_some(),
                until: row.until,
            })
            .collect())
    }

    /// The nearest of these directories that whoever acts has bound; the nearest comes first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_binding(
        &mut self,
        directories: &[&str],
    ) -> Result<Option<Binding>, StoreError> {
        let (Some(owner), false) = (self.principal, directories.is_empty()) else {
            return Ok(None);
        };
        let wanted: Vec<Fingerprint> = directories
            .iter()
            .map(|directory| of_directory(&self.keys, owner, directory))
            .collect();
        let rows = self
            .backend
            .bindings(&self.scope, owner, wanted.clone())
            .await?;
        let nearest = wanted
            .iter()
            .find_map(|wanted| rows.iter().find(|row| row.directory == *wanted));
        nearest.map(|row| open_binding(&self.keys, row)).transpose()
    }

    /// Every directory that whoever acts has bound.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_bindings(&mut self) -> Result<Vec<Binding>, StoreError> {
        let Some(owner) = self.principal else {
            return Ok(Vec::new());
        };
        let rows = self
            .backend
            .bindings(&self.scope, owner, Vec::new())
            .await?;
        rows.iter()
            .map(|row| open_binding(&self.keys, row))
            .collect()
    }
}

impl<P: CanWrite> Tx<P> {
    /// Counts turns that were received, each under what became of it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn add_capture_counts(
        &mut self,
        outcomes: &[(TurnOutcome, u64)],
    ) -> Result<(), StoreError> {
        let received = outcomes.iter().map(|(_, turns)| turns).sum();
        if received == 0 {
            return Ok(());
        }
        let mut counts = vec![(RECEIVED, received)];
        counts.extend(
            outcomes
                .iter()
                .filter(|(_, turns)| *turns > 0)
                .map(|(outcome, turns)| (outcome.code(), *turns)),
        );
        self.backend.add_capture_counts(&self.scope, counts).await
    }

    /// Learns how many turns a client's spool has dropped in all; gives how many that is more than
    /// was known.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn raise_spool(&mut self, spool: &str, dropped: u64) -> Result<u64, StoreError> {
        let owner = self.owner()?;
        let spool = self
            .keys
            .fingerprint(Purpose::Spool, &[&owner.to_bytes(), spool.as_bytes()]);
        self.backend.raise_spool(&self.scope, spool, dropped).await
    }

    /// Stops capture for whoever acts, or for everybody.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_pause(
        &mut self,
        everyone: bool,
        session: Option<&PausedSession>,
        until: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (holder, session) = self.pause_key(everyone, session)?;
        let row = PauseRow {
            holder,
            session,
            until,
        };
        self.backend.put_pause(&self.scope, row, now).await
    }

    /// Lets capture go on; says whether it was stopped.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn remove_pause(
        &mut self,
        everyone: bool,
        session: Option<&PausedSession>,
    ) -> Result<bool, StoreError> {
        let (holder, session) = self.pause_key(everyone, session)?;
        self.backend
            .remove_pause(&self.scope, holder, session)
            .await
    }

    /// Stops or lets go on the capture of a session that whoever acts may see. A human decides for
    /// everybody, an agent for itself. `None` if there is no such session.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn set_session_capture(
        &mut self,
        id: SessionId,
        off: bool,
        now: Timestamp,
    ) -> Result<Option<()>, StoreError> {
        let Some(found) = self.backend.session(&self.scope, &self.ring, id).await? else {
            return Ok(None);
        };
        let acting = self.owner()?;
        let holder = match acting {
            Principal::Agent(_) => Some(acting),
            Principal::User(_) => None,
        };
        let session = Some(found.session.fingerprint);
        if off {
            let row = PauseRow {
                holder,
                session,
                until: None,
            };
            self.backend.put_pause(&self.scope, row, now).await?;
        } else {
            for holder in [Some(acting), holder] {
                self.backend
                    .remove_pause(&self.scope, holder, session)
                    .await?;
            }
        }
        Ok(Some(()))
    }

    /// Binds a directory of whoever acts to a project, or to another one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_binding(&mut self, binding: &Binding) -> Result<(), StoreError> {
        let owner = self.owner()?;
        let directory = of_directory(&self.keys, owner, &binding.directory);
        let body = BodyWriter::default()
            .text(&binding.directory)
            .text(&binding.project)
            .finish();
        let row = BindingRow {
            directory,
            body: self.keys.seal(column::BINDING_BODY, directory, &body),
        };
        self.backend.put_binding(&self.scope, owner, row).await
    }

    /// Unbinds a directory; says whether it was bound.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn remove_binding(&mut self, directory: &str) -> Result<bool, StoreError> {
        let owner = self.owner()?;
        let directory = of_directory(&self.keys, owner, directory);
        self.backend
            .remove_binding(&self.scope, owner, directory)
            .await
    }

    fn pause_key(
        &self,
        everyone: bool,
        session: Option<&PausedSession>,
    ) -> Result<(Option<Principal>, Option<Fingerprint>), StoreError> {
        let owner = self.owner()?;
        let session = session.map(|session| of_session(&self.keys, owner, session));
        Ok(((!everyone).then_some(owner), session))
    }
}

fn of_session(keys: &WorkspaceKeys, owner: Principal, session: &PausedSession) -> Fingerprint {
    session_fingerprint(keys, owner, session.harness, &session.external_id)
}

fn of_directory(keys: &WorkspaceKeys, owner: Principal, directory: &str) -> Fingerprint {
    keys.fingerprint(
        Purpose::Directory,
        &[&owner.to_bytes(), directory.as_bytes()],
    )
}

fn open_binding(keys: &WorkspaceKeys, row: &BindingRow) -> Result<Binding, StoreError> {
    let opened = keys.open(column::BINDING_BODY, row.directory, &row.body)?;
    let mut reader = BodyReader(opened.expose());
    let binding = Binding {
        directory: reader.text()?,
        project: reader.text()?,
    };
    reader.end()?;
    Ok(binding)
}
