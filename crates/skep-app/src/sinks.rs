//! What leaves the ledger: entries of an organization's logs, delivered to places outside, each at least once.
//!
//! The ledger itself is the outbox: its logs have no gaps and never change, so all that is kept of a sink is the place of
//! the next entry of each log. It moves when what came before it is there, and not earlier: whatever ends the daemon in
//! between, the same entries are delivered again, with the same ids.

mod batch;
mod desk;
mod edit;
mod file;
mod kept;
mod post;
mod sign;
mod turn;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use skep_authz::Authorized;
use skep_authz::rights::DiagnosticsRead;
use skep_domain::Timestamp;
use skep_egress::{Egress, Origin, Patience, Reach};
use skep_store::row::{SinkState, SinkTurnRow};
use tokio::sync::Notify;

use crate::{App, AppError};

pub use desk::SinkDesk;
pub use edit::{SetSink, SinkSet, SinkTested, SinkView};
pub use kept::{Wanted, is_sink_name};
pub(crate) use post::{Letter, post, seconds};
pub use sign::HookKey;
pub(crate) use sign::message_id;

/// A sink that fails for so long is told among what is not as it should be.
const TROUBLE: i64 = 5 * 60 * 1_000_000;

/// How entries leave.
#[derive(Clone, Debug)]
pub struct SinkSettings {
    /// Servers inside that an organization may name as a sink. Whatever else is called has a public address.
    pub inside: Vec<Origin>,
    /// How long a sink may take until the head of its answer.
    pub answer: Duration,
    /// A sink that fails for longer is given up until somebody says that it goes on.
    pub give_up: Duration,
    /// Folders that everything is written to.
    pub files: Vec<FileSink>,
}

/// A folder that entries of every organization are written to, as whoever runs the daemon says.
#[derive(Clone, Debug)]
pub struct FileSink {
    /// What it is called; how far it has come is kept under this name.
    pub name: String,
    /// Where.
    pub folder: PathBuf,
    /// What is written.
    pub wanted: Wanted,
    /// Bytes after which another file is begun.
    pub rotate: u64,
}

/// What an application needs for it.
pub(crate) struct Sinks {
    settings: SinkSettings,
    egress: Arc<Egress>,
    bell: Notify,
    /// What is wrong with folders, by the sink's name.
    files: Mutex<BTreeMap<String, String>>,
}

impl Default for SinkSettings {
    fn default() -> Self {
        Self {
            inside: Vec::new(),
            answer: Duration::from_secs(15),
            give_up: Duration::from_hours(5 * 24),
            files: Vec::new(),
        }
    }
}

impl Sinks {
    pub(crate) fn new(settings: SinkSettings) -> Self {
        Self {
            egress: Arc::new(Egress::new(Reach::PublicAnd(settings.inside.clone()))),
            settings,
            bell: Notify::new(),
            files: Mutex::default(),
        }
    }

    fn patience(&self) -> Patience {
        Patience {
            first_byte: self.settings.answer,
            ..Patience::default()
        }
    }

    /// Says what is wrong with a folder, or that nothing is.
    fn note_file(&self, name: &str, problem: Option<String>) {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        match problem {
            Some(problem) => drop(files.insert(name.to_owned(), problem)),
            None => drop(files.remove(name)),
        }
    }
}

impl App {
    /// Delivers entries of the ledger like this.
    #[must_use]
    pub fn with_sinks(mut self, settings: SinkSettings) -> Self {
        self.sinks = Sinks::new(settings);
        self
    }

    /// What is not as it should be with sinks of the organization, and with folders.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn sink_problems(
        &self,
        authorized: Authorized<DiagnosticsRead>,
    ) -> Result<Vec<String>, AppError> {
        let mut tx = self.store.begin_org(authorized).await?;
        let turns = tx.list_sink_turns().await?;
        let now = self.store.now();
        let mut problems: Vec<String> = turns
            .iter()
            .filter_map(|(name, turn)| trouble(name, turn, now))
            .collect();
        let files = &self.sinks.files;
        let files = files.lock().unwrap_or_else(PoisonError::into_inner);
        let told = |(name, problem): (&String, &String)| {
            format!("the sink {name} cannot be written to: {problem}")
        };
        problems.extend(files.iter().map(told));
        Ok(problems)
    }
}

/// What is not as it should be with a sink, if that is so.
fn trouble(name: &str, turn: &SinkTurnRow, now: Timestamp) -> Option<String> {
    let why = turn.problem.as_deref().unwrap_or("nobody knows why");
    match turn.state {
        SinkState::Gone => Some(format!(
            "the sink {name} wants nothing any more (410): it is off until somebody resumes it"
        )),
        SinkState::GivenUp => Some(format!(
            "the sink {name} failed for too long and was given up ({why}): nothing is lost, and it goes on where it \
             stands when somebody resumes it"
        )),
        SinkState::On => {
            let since = turn.failing_since?;
            let lasts = now.as_micros().saturating_sub(since.as_micros());
            (lasts >= TROUBLE)
                .then(|| format!("the sink {name} does not take what it is sent: {why}"))
        }
    }
}
