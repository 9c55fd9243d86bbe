//! Delivers: looks which sinks have not been given everything, takes their turns, and moves each on when it has what it
//! was sent.

use std::sync::Arc;
use std::time::Duration;

use skep_ledger::Log;
use skep_store::Mode;
use skep_store::row::{LogKey, SinkKey};
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::Wanted;
use super::batch::Batch;
use super::file::Folder;
use super::kept::Kept;
use super::post::Failed;
use super::turn::{Moved, Turn, key_of_file};
use crate::access::door;
use crate::{App, AppError};

/// How often it is looked for what was recorded.
const LOOK: Duration = Duration::from_secs(1);
/// Webhooks that are delivered to at a time.
const AT_ONCE: usize = 8;
/// Batches of one turn; then others come first.
const BATCHES: usize = 50;
/// Logs that are written to a folder together.
const LOGS: u32 = 32;

/// Delivers entries of the ledger, to be run by whoever owns the daemon's tasks.
pub struct SinkDesk {
    app: Arc<App>,
    folders: Vec<Arc<Mutex<Folder>>>,
}

impl SinkDesk {
    /// The loop of an application.
    #[must_use]
    pub fn new(app: Arc<App>) -> Self {
        let files = app.sinks.settings.files.iter().cloned();
        let folders = files
            .map(|sink| Arc::new(Mutex::new(Folder::new(sink))))
            .collect();
        Self { app, folders }
    }

    /// Takes turns over that an earlier run of this daemon held: of a store that nobody else uses nobody delivers now.
    /// Elsewhere another node may, and its turn runs out by itself.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn take_over(&self) -> Result<(), AppError> {
        if self.app.store.is_shared() {
            return Ok(());
        }
        let mut tx = door!(self.app, Mode::Write).await?;
        tx.release_sinks().await?;
        Ok(tx.commit().await?)
    }

    /// Delivers what is recorded, until it is dropped.
    pub async fn run(self) {
        let mut tasks = JoinSet::new();
        loop {
            self.begin(&mut tasks).await;
            tokio::select! {
                () = self.app.sinks.bell.notified() => {}
                () = sleep(LOOK) => {}
            }
            while tasks.try_join_next().is_some() {}
        }
    }

    /// Delivers what waits now, to whoever takes it.
    pub async fn turn(&self) {
        let mut tasks = JoinSet::new();
        self.begin(&mut tasks).await;
        while tasks.join_next().await.is_some() {}
    }

    async fn begin(&self, tasks: &mut JoinSet<()>) {
        for folder in &self.folders {
            // One that is still being written to is let be.
            if let Ok(mut folder) = Arc::clone(folder).try_lock_owned() {
                let app = Arc::clone(&self.app);
                tasks.spawn(async move { told(app.fill(&mut folder).await) });
            }
        }
        let room = (AT_ONCE + self.folders.len()).saturating_sub(tasks.len());
        match self.due(room).await {
            Err(error) => tracing::warn!(%error, "sinks that are due could not be looked for"),
            Ok(due) => {
                for key in due {
                    let app = Arc::clone(&self.app);
                    tasks.spawn(async move { told(app.deliver(key).await) });
                }
            }
        }
    }

    async fn due(&self, room: usize) -> Result<Vec<SinkKey>, AppError> {
        let room = u32::try_from(room).unwrap_or(u32::MAX);
        let mut tx = door!(self.app, Mode::Read).await?;
        Ok(tx.list_sinks_due(room).await?)
    }
}

fn told(outcome: Result<(), AppError>) {
    if let Err(error) = outcome {
        // Whose turn it was it stays until it runs out; then it goes on where it stands.
        tracing::warn!(%error, "a delivery was cut short");
    }
}

impl App {
    /// A turn of a webhook.
    async fn deliver(&self, key: SinkKey) -> Result<(), AppError> {
        let Some(turn) = self.take_turn(key).await? else {
            return Ok(());
        };
        // Read when the turn is taken: whoever sets it anew takes the turn away.
        let mut tx = door!(self, Mode::Read).await?;
        let sink = tx.get_sink(key).await?;
        drop(tx);
        let Some(sink) = sink else {
            return Ok(());
        };
        let kept = Kept::of(&sink)?;
        let wanted = Wanted {
            logs: Vec::new(),
            events: kept.events.clone(),
        };
        for round in 1..=BATCHES {
            let Some((batch, is_last)) = self.next_batch(key, &wanted, round).await? else {
                return self.end(turn).await;
            };
            let delivered = !batch.records.is_empty();
            if delivered {
                let (id, body) = batch.message((sink.id, &sink.name));
                let sent = self.sinks.post(&kept, (&id, body), self.store.now());
                if let Err(failed) = sent.await {
                    return self.end_failed(turn, &sink.name, &failed).await;
                }
            }
            let moved = Moved {
                to: &[(batch.log, batch.next)],
                delivered,
                ends: is_last || round == BATCHES,
            };
            let ends = moved.ends;
            if !self.move_on(turn, moved).await? || ends {
                return Ok(());
            }
        }
        Ok(())
    }

    /// What comes next of a sink's logs, in turns; and whether that is all for now.
    async fn next_batch(
        &self,
        key: SinkKey,
        wanted: &Wanted,
        round: usize,
    ) -> Result<Option<(Batch, bool)>, AppError> {
        let mut tx = door!(self, Mode::Read).await?;
        let behind = tx.list_behind(key, &Log::ALL, (None, LOGS)).await?;
        if behind.is_empty() {
            return Ok(None);
        }
        let batch = Batch::read(&mut tx, behind[round % behind.len()], wanted).await?;
        let is_last = behind.len() == 1 && !batch.more;
        Ok(Some((batch, is_last)))
    }

    async fn end(&self, turn: Turn) -> Result<(), AppError> {
        let moved = Moved {
            to: &[],
            delivered: false,
            ends: true,
        };
        self.move_on(turn, moved).await.map(drop)
    }

    /// A turn of a folder.
    async fn fill(&self, folder: &mut Folder) -> Result<(), AppError> {
        let sink = folder.sink().clone();
        let key = key_of_file(&sink.name);
        let wanted = &sink.wanted;
        if !self.has_more(key, &wanted.logs).await? {
            return Ok(());
        }
        let Some(turn) = self.take_turn(key).await? else {
            return Ok(());
        };
        for round in 1..=BATCHES {
            let (lines, to) = self.next_lines(key, wanted, folder.after).await?;
            if to.is_empty() {
                return self.end(turn).await;
            }
            if !lines.is_empty()
                && let Err(error) = folder.add(&lines).await
            {
                let problem = error.to_string();
                self.sinks.note_file(&sink.name, Some(problem.clone()));
                let failed = Failed {
                    problem,
                    status: None,
                    after: None,
                };
                return self.end_failed(turn, &sink.name, &failed).await;
            }
            self.sinks.note_file(&sink.name, None);
            folder.after = to.last().map(|(log, _)| *log);
            let moved = Moved {
                to: &to,
                delivered: true,
                ends: round == BATCHES,
            };
            if !self.move_on(turn, moved).await? {
                return Ok(());
            }
        }
        Ok(())
    }

    async fn has_more(&self, key: SinkKey, logs: &[Log]) -> Result<bool, AppError> {
        let mut tx = door!(self, Mode::Read).await?;
        Ok(!tx.list_behind(key, logs, (None, 1)).await?.is_empty())
    }

    /// Lines of some logs, those behind one first, and how far they lead.
    async fn next_lines(
        &self,
        key: SinkKey,
        wanted: &Wanted,
        after: Option<LogKey>,
    ) -> Result<(String, Vec<(LogKey, u64)>), AppError> {
        let mut tx = door!(self, Mode::Read).await?;
        let (mut lines, mut to) = (String::new(), Vec::new());
        let page = (after, LOGS);
        for behind in tx.list_behind(key, &wanted.logs, page).await? {
            let batch = Batch::read(&mut tx, behind, wanted).await?;
            for record in &batch.records {
                lines.push_str(record);
                lines.push('\n');
            }
            to.push((batch.log, batch.next));
        }
        Ok((lines, to))
    }
}

impl std::fmt::Debug for SinkDesk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SinkDesk")
    }
}
