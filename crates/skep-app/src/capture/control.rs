//! What people decide about capture: pausing it, opting a session out, binding directories.

use skep_authz::{
    Authorized, Right,
    rights::{DiagnosticsRead, SessionCapture, SettingRead, SettingWrite},
};
use skep_domain::{Limits, OrganizationId, SessionId, Timestamp, TurnOutcome, WorkspaceId};
use skep_store::{Binding, Pause, PausedSession, Tx};

use super::gate::directory;
use crate::error::{Invalid, Rule};
use crate::{App, AppError, CaptureSettings};

/// How capture stands for whoever asks.
#[derive(Clone, Debug)]
pub struct CaptureState {
    /// Whether anything is captured at all.
    pub enabled: bool,
    /// Whether unbound directories are captured.
    pub unbound: bool,
    /// The pauses in force.
    pub pauses: Vec<Pause>,
    /// Turns received.
    pub received: u64,
    /// How they ended; they add up to what was received.
    pub outcomes: Vec<(TurnOutcome, u64)>,
}

/// The longest pause; a longer one is one without an end.
const LONGEST: u64 = 366 * 24 * 3_600;
/// Directories that one principal may bind.
const BINDINGS: usize = 1_000;
const SESSION: &str = "session";

impl App {
    /// The settings of capture in force.
    #[must_use]
    pub fn capture_settings(&self, _: &Authorized<SettingRead>) -> &CaptureSettings {
        &self.capturing
    }

    /// Stops capture for the caller, for so many seconds or until they resume.
    ///
    /// # Errors
    /// [`AppError::Invalid`] for a pause that is too long or has no length.
    pub async fn pause_capture(
        &self,
        authorized: Authorized<SessionCapture>,
        everyone: Option<Authorized<SettingWrite>>,
        session: Option<PausedSession>,
        seconds: Option<u64>,
    ) -> Result<Vec<Pause>, AppError> {
        check_session(session.as_ref())?;
        let now = self.store.now();
        let until = seconds.map(|seconds| end(now, seconds)).transpose()?;
        if let Some(everyone) = everyone {
            drop(authorized);
            let mut tx = self.store.begin(everyone).await?;
            tx.put_pause(true, session.as_ref(), until, now).await?;
            return self.pauses_then(tx, session, now).await;
        }
        let mut tx = self.store.begin(authorized).await?;
        tx.put_pause(false, session.as_ref(), until, now).await?;
        self.pauses_then(tx, session, now).await
    }

    /// Lets capture go on.
    ///
    /// # Errors
    /// [`AppError`].
    pub async fn resume_capture(
        &self,
        authorized: Authorized<SessionCapture>,
        everyone: Option<Authorized<SettingWrite>>,
        session: Option<PausedSession>,
    ) -> Result<Vec<Pause>, AppError> {
        check_session(session.as_ref())?;
        let now = self.store.now();
        if let Some(everyone) = everyone {
            drop(authorized);
            let mut tx = self.store.begin(everyone).await?;
            tx.remove_pause(true, session.as_ref()).await?;
            tx.remove_pause(false, session.as_ref()).await?;
            return self.pauses_then(tx, session, now).await;
        }
        let mut tx = self.store.begin(authorized).await?;
        tx.remove_pause(false, session.as_ref()).await?;
        self.pauses_then(tx, session, now).await
    }

    async fn pauses_then<P: Right + skep_authz::CanWrite>(
        &self,
        mut tx: Tx<P>,
        session: Option<PausedSession>,
        now: Timestamp,
    ) -> Result<Vec<Pause>, AppError> {
        let pauses = tx.list_pauses(session.as_ref(), now).await?;
        tx.commit().await?;
        Ok(pauses)
    }

    /// Opts a session out of capture, or in again.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn set_session_capture(
        &self,
        authorized: Authorized<SessionCapture>,
        id: SessionId,
        off: bool,
    ) -> Result<(), AppError> {
        let mut tx = self.store.begin(authorized).await?;
        tx.set_session_capture(id, off, self.store.now())
            .await?
            .ok_or(AppError::NotFound(SESSION))?;
        tx.commit().await?;
        Ok(())
    }

    /// The directories that the caller has bound.
    ///
    /// # Errors
    /// [`AppError`].
    pub async fn list_bindings(
        &self,
        authorized: Authorized<SettingRead>,
    ) -> Result<Vec<Binding>, AppError> {
        let mut tx = self.store.begin(authorized).await?;
        let mut bindings = tx.list_bindings().await?;
        bindings.sort_by(|a, b| a.directory.cmp(&b.directory));
        Ok(bindings)
    }

    /// Binds a directory to a project: what is done in it, and below it, is captured from now on.
    ///
    /// # Errors
    /// [`AppError::Invalid`] for a directory that is not absolute.
    pub async fn bind_directory(
        &self,
        authorized: Authorized<SettingWrite>,
        path: &str,
        project: &str,
    ) -> Result<Binding, AppError> {
        let binding = Binding {
            directory: checked(path)?,
            project: self.take_in_line(project.trim()),
        };
        if binding.project.is_empty() {
            return Err(Invalid::required("project"));
        }
        Invalid::check_length("project", project, Limits::QUERY)?;
        let mut tx = self.store.begin(authorized).await?;
        Invalid::check_count("directories", tx.list_bindings().await?.len() + 1, BINDINGS)?;
        tx.put_binding(&binding).await?;
        tx.commit().await?;
        Ok(binding)
    }

    /// Unbinds a directory; says whether it was bound.
    ///
    /// # Errors
    /// [`AppError::Invalid`] for a directory that is not absolute.
    pub async fn unbind_directory(
        &self,
        authorized: Authorized<SettingWrite>,
        path: &str,
    ) -> Result<bool, AppError> {
        let directory = checked(path)?;
        let mut tx = self.store.begin(authorized).await?;
        let was_bound = tx.remove_binding(&directory).await?;
        tx.commit().await?;
        Ok(was_bound)
    }

    /// How capture stands; turns that a failing store could not count yet are in it.
    pub(crate) async fn capture_state(
        &self,
        tx: &mut Tx<DiagnosticsRead>,
        tenant: (OrganizationId, WorkspaceId),
    ) -> Result<CaptureState, AppError> {
        let (mut received, mut outcomes) = tx.get_capture_counts().await?;
        let pending = self.losses.pending(tenant);
        received += pending;
        match outcomes
            .iter_mut()
            .find(|(outcome, _)| *outcome == TurnOutcome::Failed)
        {
            Some((_, turns)) => *turns += pending,
            None if pending > 0 => outcomes.push((TurnOutcome::Failed, pending)),
            None => {}
        }
        Ok(CaptureState {
            enabled: self.capturing.enabled,
            unbound: self.capturing.unbound,
            pauses: tx.list_pauses(None, self.store.now()).await?,
            received,
            outcomes,
        })
    }
}

fn end(now: Timestamp, seconds: u64) -> Result<Timestamp, AppError> {
    if (1..=LONGEST).contains(&seconds) {
        return Ok(Timestamp::from_micros(
            now.as_micros() + seconds as i64 * 1_000_000,
        ));
    }
    Err(AppError::Invalid(Invalid {
        field: "for_seconds".into(),
        rule: Rule::Invalid,
        message: format!(
            "for_seconds must be 1 to {LONGEST}; leave it out for a pause without end"
        ),
    }))
}

fn check_session(session: Option<&PausedSession>) -> Result<(), AppError> {
    let Some(session) = session else {
        return Ok(());
    };
    if session.external_id.is_empty() {
        return Err(Invalid::required("session.external_id"));
    }
    Invalid::check_length(
        "session.external_id",
        &session.external_id,
        Limits::CLIENT_KEY,
    )
}

fn checked(path: &str) -> Result<String, AppError> {
    Invalid::check_length("directory", path, Limits::QUERY)?;
    let directory = directory(path);
    let drive = directory.as_bytes().get(1) == Some(&b':');
    if directory.starts_with('/') || drive {
        return Ok(directory);
    }
    Err(AppError::Invalid(Invalid {
        field: "directory".into(),
        rule: Rule::Invalid,
        message: "directory must be absolute, such as /srv/app".into(),
    }))
}
