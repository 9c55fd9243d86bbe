//! Capture: a batch of turns of one session, redacted, sealed and durable when it answers.

use skep_authz::{Authorized, rights::SessionCapture};
use skep_domain::{Harness, Limits, SessionId, Timestamp, TurnRole, Visibility};
use skep_store::{Branch, NewSession, NewTurn, Project, Tx};

use crate::error::Invalid;
use crate::{App, AppError};

/// A batch.
#[derive(Clone, Debug)]
pub struct Capture {
    /// Which harness.
    pub harness: Harness,
    /// What the harness calls the session.
    pub external_id: String,
    /// What a person would call it.
    pub title: Option<String>,
    /// Its project.
    pub project: Option<String>,
    /// Its working directory.
    pub cwd: Option<String>,
    /// The turns, oldest first.
    pub turns: Vec<TurnIn>,
    /// How far the importer has read.
    pub cursor: Option<Cursor>,
}

/// One turn as the client sent it.
#[derive(Clone, Debug)]
pub struct TurnIn {
    /// The client's own id.
    pub client_event_id: String,
    /// What it is.
    pub role: TurnRole,
    /// By the client's clock.
    pub at: Timestamp,
    /// What was said, done or printed.
    pub text: String,
    /// The tool, for calls and results.
    pub tool: Option<String>,
    /// The tool failed.
    pub is_error: bool,
    /// Files it touches.
    pub paths: Vec<String>,
    /// Where on the tree it stands.
    pub branch: Branch,
}

/// How far an importer has read a source.
#[derive(Clone, Debug)]
pub struct Cursor {
    /// Names the source.
    pub source: String,
    /// The importer's own position.
    pub position: String,
}

/// What became of a batch.
#[derive(Clone, Copy, Debug)]
pub struct Captured {
    /// The session.
    pub session: SessionId,
    /// Turns stored now.
    pub stored: u32,
    /// Turns that were there already.
    pub duplicates: u32,
    /// Secrets taken out.
    pub redacted: u32,
    /// Turns that lost their middle.
    pub cut: u32,
}

/// Paths kept of one turn.
const PATHS: usize = 200;

impl App {
    /// Keeps a batch.
    ///
    /// # Errors
    /// [`AppError::Invalid`] for a batch that breaks a limit; then nothing of it is stored.
    pub async fn capture(
        &self,
        authorized: Authorized<SessionCapture>,
        batch: Capture,
    ) -> Result<Captured, AppError> {
        check(&batch)?;
        let tenant = (authorized.organization(), authorized.workspace());
        let (turns, redacted, cut) = self.take_in_turns(&batch.turns);
        let mut tx = self.store.begin(authorized).await?;
        let session = self.put_session(&mut tx, &batch).await?;
        let new = tx.append_turns(session, &turns).await?;
        if let Some(cursor) = &batch.cursor {
            tx.put_cursor(&cursor.source, &cursor.position).await?;
        }
        tx.commit().await?;
        self.dirty.mark(tenant);
        let stored = new.iter().filter(|new| **new).count() as u32;
        Ok(Captured {
            session,
            stored,
            duplicates: new.len() as u32 - stored,
            redacted,
            cut,
        })
    }

    /// How far an import of a source has come.
    ///
    /// # Errors
    /// [`AppError`].
    pub async fn import_cursor(
        &self,
        authorized: Authorized<SessionCapture>,
        source: &str,
    ) -> Result<Option<String>, AppError> {
        Invalid::check_length("source", source, Limits::QUERY)?;
        let mut tx = self.store.begin(authorized).await?;
        Ok(tx.get_cursor(source).await?)
    }

    fn take_in_turns(&self, turns: &[TurnIn]) -> (Vec<NewTurn>, u32, u32) {
        let recorded_at = self.store.now();
        let (mut redacted, mut cut) = (0, 0);
        let turns = turns
            .iter()
            .map(|turn| {
                let taken = self.take_in(&turn.text, Limits::TURN_BODY);
                redacted += taken.redacted;
                cut += u32::from(taken.cut);
                NewTurn {
                    id: self.store.mint(),
                    client_event_id: turn.client_event_id.clone(),
                    role: turn.role,
                    branch: turn.branch,
                    is_error: turn.is_error,
                    at: turn.at,
                    recorded_at,
                    text: taken.text,
                    tool: turn.tool.as_deref().map(|tool| self.take_in_line(tool)),
                    paths: turn
                        .paths
                        .iter()
                        .take(PATHS)
                        .map(|path| self.take_in_line(path))
                        .collect(),
                }
            })
            .collect();
        (turns, redacted, cut)
    }

    async fn put_session(
        &self,
        tx: &mut Tx<SessionCapture>,
        batch: &Capture,
    ) -> Result<SessionId, AppError> {
        let project = match &batch.project {
            Some(name) => {
                let project = Project {
                    id: self.store.mint(),
                    name: self.take_in_line(name),
                };
                Some(tx.put_project(&project).await?)
            }
            None => None,
        };
        let now = self.store.now();
        let times = batch.turns.iter().map(|turn| turn.at);
        let span = (
            times.clone().min().unwrap_or(now),
            times.max().unwrap_or(now),
        );
        let session = NewSession {
            id: self.store.mint(),
            harness: batch.harness,
            external_id: batch.external_id.clone(),
            title: batch.title.as_deref().map(|title| self.take_in_line(title)),
            cwd: batch.cwd.as_deref().map(|cwd| self.take_in_line(cwd)),
            project,
            visibility: default_visibility(batch.harness),
            span,
            recorded_at: now,
        };
        Ok(tx.put_session(&session).await?)
    }
}

/// A repository's history is the team's; a conversation is its agent's own until somebody shares it.
fn default_visibility(harness: Harness) -> Visibility {
    match harness {
        Harness::Git => Visibility::Workspace,
        Harness::ClaudeCode | Harness::Codex | Harness::Cli | Harness::Other => Visibility::Own,
    }
}

fn check(batch: &Capture) -> Result<(), AppError> {
    if batch.external_id.is_empty() {
        return Err(Invalid::required("session.external_id"));
    }
    Invalid::check_length(
        "session.external_id",
        &batch.external_id,
        Limits::CLIENT_KEY,
    )?;
    for (field, text) in [
        ("session.title", &batch.title),
        ("session.project", &batch.project),
        ("session.cwd", &batch.cwd),
    ] {
        Invalid::check_length(field, text.as_deref().unwrap_or_default(), Limits::QUERY)?;
    }
    Invalid::check_count("turns", batch.turns.len(), Limits::CAPTURE_TURNS)?;
    for (at, turn) in batch.turns.iter().enumerate() {
        let field = format!("turns[{at}].client_event_id");
        if turn.client_event_id.is_empty() {
            return Err(Invalid::required(field));
        }
        Invalid::check_length(&field, &turn.client_event_id, Limits::CLIENT_KEY)?;
    }
    if let Some(cursor) = &batch.cursor {
        Invalid::check_length("cursor.source", &cursor.source, Limits::QUERY)?;
        Invalid::check_length("cursor.position", &cursor.position, Limits::CLIENT_KEY)?;
    }
    Ok(())
}
