//! Capture: a batch of turns of one session, redacted, sealed and durable when it answers.
//!
//! The stages: the gate (may anything come in?), normalise, deny by rule, redact, cut, seal, append.

mod control;
mod gate;
mod losses;
mod normalise;
mod settings;
mod sift;

use skep_authz::{
    Authorized, Denied,
    rights::{ParticipantSpeak, SessionCapture},
};
use skep_domain::{
    CaptureOrigin, Harness, Limits, ParticipantId, Permission, SessionId, SessionState, Timestamp,
    TurnOutcome, TurnRole, Visibility,
};
use skep_memory::Awaited;
use skep_store::{Branch, NewSession, NewTurn, Project, Reach, Tx};

pub(crate) use gate::{CameFrom, Gate};
use sift::{Sifted, answers_earlier_call};

use crate::error::Invalid;
use crate::{App, AppError};

pub use control::CaptureState;
pub(crate) use losses::Losses;
pub use settings::CaptureSettings;

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
    /// Whether somebody asked for it, or a harness is at work.
    pub origin: CaptureOrigin,
    /// What the client could not keep.
    pub spool: Option<SpoolReport>,
    /// The session is over.
    pub ended: bool,
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
    /// Who spoke or acted; whoever sends it if `None`.
    pub author: Option<ParticipantId>,
}

/// How far an importer has read a source.
#[derive(Clone, Debug)]
pub struct Cursor {
    /// Names the source.
    pub source: String,
    /// The importer's own position.
    pub position: String,
}

/// What a client's spool says about itself.
#[derive(Clone, Debug)]
pub struct SpoolReport {
    /// Names the spool.
    pub id: String,
    /// Turns that it had to drop since it exists.
    pub dropped: u64,
}

/// What became of a batch.
#[derive(Clone, Debug)]
pub struct Captured {
    /// The session; none if nothing of it is stored.
    pub session: Option<SessionId>,
    /// What became of each turn, in order.
    pub outcomes: Vec<TurnOutcome>,
    /// Secrets taken out.
    pub redacted: u32,
    /// Why the batch was refused and what to do about it.
    pub note: Option<String>,
}

/// More than this, no spool can have dropped.
const DROPPED: usize = 1 << 40;
/// Turns before a batch that may hold the call which its first result answers.
const LOOK_BACK: u64 = 32;

impl Capture {
    fn came_from(&self) -> CameFrom<'_> {
        CameFrom {
            harness: self.harness,
            external_id: &self.external_id,
            cwd: self.cwd.as_deref(),
            origin: self.origin,
        }
    }
}

impl Captured {
    /// How many turns ended in a way that `counts`.
    #[must_use]
    pub fn count(&self, counts: impl Fn(TurnOutcome) -> bool) -> u32 {
        let outcomes = self.outcomes.iter().copied();
        outcomes.filter(|outcome| counts(*outcome)).count() as u32
    }
}

impl App {
    /// Keeps a batch of whoever sends it.
    /// Every turn ends in one counter, in the transaction that stores the batch.
    ///
    /// # Errors
    /// As [`App::capture_as`].
    pub async fn capture(
        &self,
        authorized: Authorized<SessionCapture>,
        batch: Capture,
    ) -> Result<Captured, AppError> {
        self.capture_as(authorized, None, batch).await
    }

    /// Keeps a batch, with turns in the name of others for who may speak for them.
    ///
    /// # Errors
    /// [`AppError::Invalid`] for a batch that breaks a limit, [`AppError::Denied`] for one with the
    /// turns of others; then nothing of it is stored.
    pub async fn capture_as(
        &self,
        authorized: Authorized<SessionCapture>,
        speaks: Option<Authorized<ParticipantSpeak>>,
        batch: Capture,
    ) -> Result<Captured, AppError> {
        check(&batch)?;
        let tenant = (authorized.organization(), authorized.workspace());
        let pending = self.losses.take(tenant);
        let outcome = self
            .capture_checked(authorized, speaks.is_some(), &batch, pending)
            .await;
        match &outcome {
            Ok(captured) if captured.session.is_some() => self.dirty.mark(tenant),
            Ok(_) => {}
            Err(_) => self.losses.note(tenant, pending + batch.turns.len() as u64),
        }
        outcome
    }

    async fn capture_checked(
        &self,
        authorized: Authorized<SessionCapture>,
        speaks: bool,
        batch: &Capture,
        pending: u64,
    ) -> Result<Captured, AppError> {
        // Redaction takes long and needs nothing of the store, so it comes before the transaction.
        let sifted = self.sift(batch, Awaited::default());
        let mut tx = self.store.begin(authorized).await?;
        let captured = match self.gate(&mut tx, &batch.came_from()).await? {
            Gate::Shut(outcome, note) => Captured {
                session: None,
                outcomes: vec![outcome; batch.turns.len()],
                redacted: 0,
                note: Some(note),
            },
            Gate::Open(project) => {
                self.keep_batch(&mut tx, speaks, batch, sifted, project)
                    .await?
            }
        };
        let mut counts = tally(&captured.outcomes);
        counts.push((TurnOutcome::Failed, pending));
        if let Some(spool) = &batch.spool {
            let more = tx.raise_spool(&spool.id, spool.dropped).await?;
            counts.push((TurnOutcome::Overflow, more));
        }
        tx.add_capture_counts(&counts).await?;
        tx.commit().await?;
        Ok(captured)
    }

    async fn keep_batch(
        &self,
        tx: &mut Tx<SessionCapture>,
        speaks: bool,
        batch: &Capture,
        mut sifted: Vec<Sifted>,
        project: Option<String>,
    ) -> Result<Captured, AppError> {
        let session = self.put_session(tx, batch, project).await?;
        if answers_earlier_call(&batch.turns) {
            let awaited = self.awaited(tx, session).await?;
            if !awaited.is_empty() {
                sifted = self.sift(batch, awaited);
            }
        }
        let redacted = sifted.iter().map(|turn| turn.redacted).sum();
        let mut outcomes: Vec<TurnOutcome> = sifted.iter().map(|turn| turn.outcome).collect();
        let (places, mut turns): (Vec<usize>, Vec<NewTurn>) = sifted
            .into_iter()
            .enumerate()
            .filter_map(|(at, turn)| Some((at, turn.turn?)))
            .unzip();
        self.put_authors(tx, speaks, &mut turns).await?;
        let new = tx.append_turns(session, &turns).await?;
        for (at, new) in places.into_iter().zip(new) {
            if !new {
                outcomes[at] = TurnOutcome::Duplicate;
            }
        }
        if batch.ended {
            // Upkeep distils what is left of it before it turns to sessions that go on.
            tx.set_session_state(session, SessionState::Ended).await?;
        }
        if let Some(cursor) = &batch.cursor {
            tx.put_session_source(session, &cursor.source).await?;
            tx.put_cursor(&cursor.source, &cursor.position).await?;
        }
        Ok(Captured {
            session: Some(session),
            outcomes,
            redacted,
            note: None,
        })
    }

    /// Which calls that were withheld before still wait for their results.
    async fn awaited(
        &self,
        tx: &mut Tx<SessionCapture>,
        session: SessionId,
    ) -> Result<Awaited, AppError> {
        let mut awaited = Awaited::default();
        if let Some(known) = tx.get_session(session).await? {
            let from = known.turns.saturating_sub(LOOK_BACK);
            for turn in tx.list_turns(session, from, LOOK_BACK as u32).await? {
                let turn = turn.turn;
                awaited.recall(turn.role, turn.tool.as_deref(), &turn.text);
            }
        }
        Ok(awaited)
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

    /// The author of a turn is whoever sends it; another one only for who may speak for others.
    async fn put_authors(
        &self,
        tx: &mut Tx<SessionCapture>,
        speaks: bool,
        turns: &mut [NewTurn],
    ) -> Result<(), AppError> {
        if turns.is_empty() {
            return Ok(());
        }
        let own = self.own(tx).await?.id;
        let mut known = vec![own];
        for turn in turns {
            let author = turn.author.unwrap_or(own);
            if !known.contains(&author) {
                if !speaks {
                    return Err(Denied::MissingPermission(Permission::ParticipantSpeak).into());
                }
                let found = tx.get_participant(author, Reach::default()).await?;
                found.ok_or(AppError::NotFound("participant"))?;
                known.push(author);
            }
            turn.author = Some(author);
        }
        Ok(())
    }

    async fn put_session(
        &self,
        tx: &mut Tx<SessionCapture>,
        batch: &Capture,
        bound: Option<String>,
    ) -> Result<SessionId, AppError> {
        // Who bound the directory said what it belongs to; a harness only guesses.
        let project = match bound.as_ref().or(batch.project.as_ref()) {
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
pub(crate) fn default_visibility(harness: Harness) -> Visibility {
    match harness {
        Harness::Git => Visibility::Workspace,
        Harness::ClaudeCode
        | Harness::Codex
        | Harness::Cursor
        | Harness::GeminiCli
        | Harness::OpenCode
        | Harness::ChatGpt
        | Harness::Gateway
        | Harness::Cli
        | Harness::Source
        | Harness::Other => Visibility::Own,
    }
}

fn tally(outcomes: &[TurnOutcome]) -> Vec<(TurnOutcome, u64)> {
    let counted = TurnOutcome::ALL.iter().map(|outcome| {
        let turns = outcomes.iter().filter(|turn| *turn == outcome).count();
        (*outcome, turns as u64)
    });
    counted.collect()
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
    if let Some(spool) = &batch.spool {
        Invalid::check_length("spool.id", &spool.id, Limits::CLIENT_KEY)?;
        Invalid::check_count("spool.dropped", spool.dropped as usize, DROPPED)?;
    }
    if let Some(cursor) = &batch.cursor {
        Invalid::check_length("cursor.source", &cursor.source, Limits::QUERY)?;
        Invalid::check_length("cursor.position", &cursor.position, Limits::CLIENT_KEY)?;
    }
    Ok(())
}
