//! One database file: a single writer, a few readers, and who may use them now.
//!
//! Readers work on a snapshot of the write-ahead log and neither wait for the writer nor hold it
//! up. Connections are opened when they are first needed, on the thread that needs them.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use skep_store::StoreError;
use skep_store::backend::Mode;
use tokio::sync::{OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};

use crate::connection::{self, Purpose};
use crate::failure::{Failure, spoils};
use crate::migration::Schema;
use crate::rows::{self, Counter, Rows};
use crate::{Options, blocking, tombstone};

/// How long cutting the log off waits for readers.
const SCRUB_PATIENCE: std::time::Duration = std::time::Duration::from_millis(200);

/// A file and its connections.
pub(crate) struct Database {
    path: PathBuf,
    options: Options,
    /// The writer's connection, while nobody writes. `None` before the first use and after a
    /// failure: the next writer opens the file anew.
    writer: Arc<tokio::sync::Mutex<Option<Connection>>>,
    /// Whether commits of the writer's connection do not wait for the disk now. Whoever writes says so.
    is_swift: AtomicBool,
    readers: Arc<Semaphore>,
    idle: Mutex<Vec<Connection>>,
    /// Commits that may have changed more than counts.
    changes: AtomicU64,
}

/// A turn on one connection. Dropped, it rolls back what was not committed and gives the
/// connection back clean, or closes it if it cannot be trusted any more.
pub(crate) struct Lease {
    connection: Option<Connection>,
    state: State,
    /// The connection must not be used again.
    spoiled: bool,
    counter: Counter,
    turn: Turn,
    database: Arc<Database>,
}

/// How far its transaction is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    Begun,
    /// A statement failed, perhaps after others of the same step: only a rollback is left.
    Failed,
    Done,
}

enum Turn {
    Write(OwnedMutexGuard<Option<Connection>>, Mode),
    Read(#[expect(dead_code, reason = "held, not read")] OwnedSemaphorePermit),
}

impl Database {
    pub(crate) fn new(path: PathBuf, options: Options) -> Arc<Self> {
        Arc::new(Self {
            path,
            options,
            writer: Arc::default(),
            is_swift: AtomicBool::new(false),
            readers: Arc::new(Semaphore::new(options.readers.max(1))),
            idle: Mutex::default(),
            changes: AtomicU64::new(0),
        })
    }

    /// After which change this is, those of [`Mode::Swift`] aside. What is read later holds for as long as this stays
    /// the same.
    pub(crate) fn change(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    /// Waits for a turn, for as long as the options say.
    pub(crate) async fn lease(self: &Arc<Self>, mode: Mode) -> Result<Lease, StoreError> {
        let turn = tokio::time::timeout(self.options.patience, self.turn(mode));
        let turn = turn.await.map_err(|_| {
            StoreError::Unavailable(match mode {
                Mode::Read => "too many transactions read this workspace".into(),
                Mode::Write | Mode::Swift => "another transaction writes this workspace".into(),
            })
        })??;
        Ok(Lease {
            connection: None,
            state: State::New,
            spoiled: false,
            counter: Counter::default(),
            turn,
            database: Arc::clone(self),
        })
    }

    async fn turn(&self, mode: Mode) -> Result<Turn, StoreError> {
        Ok(match mode {
            Mode::Write | Mode::Swift => {
                let writer = Arc::clone(&self.writer).lock_owned().await;
                Turn::Write(writer, mode)
            }
            Mode::Read => {
                let permit = Arc::clone(&self.readers).acquire_owned().await;
                Turn::Read(permit.map_err(|_| StoreError::Unavailable("closed".into()))?)
            }
        })
    }

    /// Runs a transaction of its own in one go.
    pub(crate) async fn call<T, F>(self: &Arc<Self>, mode: Mode, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    {
        let lease = self.lease(mode).await?;
        let (_, outcome) = lease
            .run(move |lease| {
                let value = work(lease.begin()?)?;
                lease.commit()?;
                Ok(value)
            })
            .await?;
        outcome
    }

    /// Has the disk keep what is in the log, while others write on. SQLite's locks are on the other two files.
    pub(crate) fn sync_log(&self) -> Result<(), StoreError> {
        let mut name = self.path.clone().into_os_string();
        name.push("-wal");
        match File::open(name).and_then(|log| log.sync_data()) {
            Ok(()) => Ok(()),
            // All of it is in the file, and was synced there.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(StoreError::Unavailable(error.to_string())),
        }
    }

    /// Waits until nobody uses the file, and closes it; who waits for a turn finds it gone.
    pub(crate) async fn close(self: &Arc<Self>) -> Result<(), StoreError> {
        let ended = async {
            let mut writer = Arc::clone(&self.writer).lock_owned().await;
            let readers = u32::try_from(self.options.readers.max(1)).unwrap_or(u32::MAX);
            let all = self.readers.acquire_many(readers).await;
            let held = (writer.take(), std::mem::take(&mut *self.idle()));
            drop(all);
            held
        };
        let held = tokio::time::timeout(self.options.patience, ended).await;
        let held = held
            .map_err(|_| StoreError::Unavailable("somebody still reads this workspace".into()))?;
        blocking::run(move || drop(held)).await
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lease {
    /// Runs `work` on a thread that may block. If the caller goes away meanwhile, the lease ends
    /// there as if it had been dropped.
    pub(crate) async fn run<T, F>(
        mut self,
        work: F,
    ) -> Result<(Self, Result<T, StoreError>), StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Self) -> Result<T, Failure> + Send + 'static,
    {
        blocking::run(move || {
            let outcome = work(&mut self).map_err(StoreError::from);
            if let Err(error) = &outcome {
                self.state = State::Failed;
                self.spoiled |= spoils(error);
            }
            (self, outcome)
        })
        .await
    }

    /// Brings the schema up to date, outside a transaction.
    pub(crate) fn migrate(&mut self, schema: &Schema) -> Result<(), Failure> {
        schema.apply(self.open()?)
    }

    /// The connection, in a transaction. For a writer nobody else writes from here on; a reader's
    /// snapshot is taken by its first statement.
    pub(crate) fn begin(&mut self) -> Result<&Connection, Failure> {
        match self.state {
            State::New => {
                let sql = match self.turn {
                    Turn::Write(_, mode) => {
                        self.wait_for_disk(mode == Mode::Write)?;
                        "BEGIN IMMEDIATE"
                    }
                    Turn::Read(_) => "BEGIN",
                };
                self.open()?.prepare_cached(sql)?.execute([])?;
                self.state = State::Begun;
            }
            State::Begun => {}
            State::Failed | State::Done => return Err(over()),
        }
        Ok(self.open()?)
    }

    /// Runs what erases entries of the ledger, in the transaction: what else changes one is refused here too.
    pub(crate) fn erasing<T>(
        &mut self,
        work: impl FnOnce(&Connection) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        if self.counts_only() {
            return Err(StoreError::Refused(
                "this transaction may change counts and nothing else".into(),
            )
            .into());
        }
        self.begin()?;
        tombstone::let_erase(self.open()?, work)
    }

    /// Has the writer's commits wait for the disk, or not.
    fn wait_for_disk(&mut self, waits: bool) -> Result<(), Failure> {
        // One that is opened anew waits.
        self.open()?;
        if waits != self.database.is_swift.load(Ordering::Relaxed) {
            return Ok(());
        }
        let level = if waits { "FULL" } else { "NORMAL" };
        self.open()?.pragma_update(None, "synchronous", level)?;
        self.database.is_swift.store(!waits, Ordering::Relaxed);
        Ok(())
    }

    /// Whether it may change counts and nothing else.
    pub(crate) const fn counts_only(&self) -> bool {
        matches!(self.turn, Turn::Write(_, Mode::Swift))
    }

    /// The rows of a workspace, in a transaction.
    pub(crate) fn rows(&mut self, workspace: [u8; 16]) -> Result<Rows<'_>, Failure> {
        if self.state == State::New {
            let (_, seq) = rows::identity(self.begin()?, workspace)?;
            self.counter = Counter::at(seq);
        }
        self.begin()?;
        match &self.connection {
            Some(connection) => Ok(Rows::new(connection, workspace, &mut self.counter)),
            None => Err(over()),
        }
    }

    /// The `seq` to commit a reader with, if its snapshot is taken: that needs no thread of its
    /// own, since it only lets go of a lock in memory.
    pub(crate) fn seen(&self) -> Option<u64> {
        let reads = matches!(self.turn, Turn::Read(_)) && self.state == State::Begun;
        reads.then_some(self.counter.seq)
    }

    /// Ends the transaction. After an error nobody knows what is on the disk, so the connection is
    /// not used again.
    pub(crate) fn commit(&mut self) -> Result<u64, Failure> {
        match self.state {
            State::New => {}
            State::Begun => {
                self.state = State::Failed;
                let committed = self
                    .open()
                    .and_then(|connection| Ok(connection.prepare_cached("COMMIT")?.execute([])?));
                self.spoiled |= committed.is_err();
                // Before whoever asked for it hears of it, and also where nobody knows whether it came to pass.
                if matches!(self.turn, Turn::Write(_, Mode::Write)) {
                    self.database.changes.fetch_add(1, Ordering::Release);
                }
                committed?;
            }
            State::Failed | State::Done => return Err(over()),
        }
        self.state = State::Done;
        Ok(self.counter.seq)
    }

    /// Copies the log into the file and cuts it off, outside a transaction. `false` when a reader
    /// still needs the log.
    pub(crate) fn scrub(&mut self) -> Result<bool, Failure> {
        let patience = self.database.options.patience;
        let connection = self.open()?;
        // Readers end soon or go on for long; writers must not wait for the latter.
        connection.busy_timeout(patience.min(SCRUB_PATIENCE))?;
        let sql = "PRAGMA wal_checkpoint(TRUNCATE)";
        let busy = connection.query_row(sql, [], |row| row.get::<_, i64>(0));
        connection.busy_timeout(patience)?;
        Ok(busy? == 0)
    }

    fn open(&mut self) -> Result<&mut Connection, Failure> {
        if self.connection.is_none() {
            self.connection = match &mut self.turn {
                Turn::Write(idle, _) => idle.take(),
                Turn::Read(_) => self.database.idle().pop(),
            };
        }
        match &mut self.connection {
            Some(connection) => Ok(connection),
            none => {
                let purpose = match self.turn {
                    Turn::Write(..) => Purpose::Write,
                    Turn::Read(_) => Purpose::Read,
                };
                if purpose == Purpose::Write {
                    self.database.is_swift.store(false, Ordering::Relaxed);
                }
                let options = &self.database.options;
                Ok(none.insert(connection::open(&self.database.path, purpose, options)?))
            }
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else {
            return;
        };
        let clean = connection.is_autocommit() || rollback(&connection).is_ok();
        if self.spoiled || !clean {
            return;
        }
        match &mut self.turn {
            Turn::Write(idle, _) => **idle = Some(connection),
            Turn::Read(_) => {
                let mut idle = self.database.idle();
                if idle.len() < self.database.options.readers_kept {
                    idle.push(connection);
                }
            }
        }
    }
}

fn rollback(connection: &Connection) -> rusqlite::Result<usize> {
    connection.prepare_cached("ROLLBACK")?.execute([])
}

fn over() -> Failure {
    StoreError::Refused("the transaction failed before: begin another".into()).into()
}

#[cfg(test)]
mod tests;
