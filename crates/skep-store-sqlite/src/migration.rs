//! The schema: numbered files, applied once each, checked at every open.

use std::path::Path;
use std::sync::LazyLock;

use rusqlite::{Connection, OptionalExtension, TransactionBehavior};
use skep_store::StoreError;

use crate::Options;
use crate::connection::{self, Purpose};
use crate::failure::Failure;

/// Marks our files: `Skep` in ASCII (`PRAGMA application_id`).
const APPLICATION: i32 = 0x536B_6570;

/// The migrations of one kind of file, in order; the first has version 1. Applied ones never
/// change: a new one is added.
pub(crate) struct Schema {
    pub(crate) name: &'static str,
    pub(crate) migrations: Vec<Migration>,
}

/// One numbered file.
pub(crate) struct Migration {
    sql: &'static str,
    checksum: [u8; 32],
}

impl Migration {
    pub(crate) fn new(sql: &'static str) -> Self {
        Self {
            sql,
            checksum: skep_crypto::sha256(sql.as_bytes()),
        }
    }

    #[cfg(test)]
    pub(crate) fn sql(&self) -> &'static str {
        self.sql
    }
}

/// Of `control.db`.
pub(crate) static CONTROL: LazyLock<Schema> = LazyLock::new(|| Schema {
    name: "control.db",
    migrations: vec![
        Migration::new(include_str!("../migrations/control/0001_installation.sql")),
        Migration::new(include_str!("../migrations/control/0002_access.sql")),
        Migration::new(include_str!("../migrations/control/0003_people.sql")),
        Migration::new(include_str!(
            "../migrations/control/0004_single_sign_on.sql"
        )),
        Migration::new(include_str!("../migrations/control/0005_key_rotation.sql")),
        Migration::new(include_str!(
            "../migrations/control/0006_tickets_of_people.sql"
        )),
        Migration::new(include_str!("../migrations/control/0007_jobs.sql")),
        Migration::new(include_str!("../migrations/control/0008_ledger.sql")),
        Migration::new(include_str!("../migrations/control/0009_meter.sql")),
        Migration::new(include_str!("../migrations/control/0010_seen.sql")),
        Migration::new(include_str!("../migrations/control/0011_sinks.sql")),
        Migration::new(include_str!("../migrations/control/0012_directives.sql")),
        Migration::new(include_str!("../migrations/control/0013_alerts.sql")),
    ],
});

/// Of every workspace's file.
pub(crate) static WORKSPACE: LazyLock<Schema> = LazyLock::new(|| Schema {
    name: "a workspace's database",
    migrations: vec![
        Migration::new(include_str!(
            "../migrations/workspace/0001_sessions_and_memories.sql"
        )),
        Migration::new(include_str!(
            "../migrations/workspace/0002_time_and_trust.sql"
        )),
        Migration::new(include_str!(
            "../migrations/workspace/0003_participants.sql"
        )),
        Migration::new(include_str!("../migrations/workspace/0004_injections.sql")),
        Migration::new(include_str!("../migrations/workspace/0005_ontology.sql")),
        Migration::new(include_str!(
            "../migrations/workspace/0006_capture_and_sources.sql"
        )),
        Migration::new(include_str!("../migrations/workspace/0007_distilling.sql")),
        Migration::new(include_str!("../migrations/workspace/0008_model.sql")),
        Migration::new(include_str!(
            "../migrations/workspace/0009_source_fetches.sql"
        )),
        Migration::new(include_str!("../migrations/workspace/0010_skills.sql")),
        Migration::new(include_str!("../migrations/workspace/0011_templates.sql")),
        Migration::new(include_str!("../migrations/workspace/0012_exec_jobs.sql")),
        Migration::new(include_str!(
            "../migrations/workspace/0013_model_answers.sql"
        )),
    ],
});

impl Schema {
    /// Checks what was applied, and applies the rest, each in a transaction of its own, so that a
    /// kill in between is made good at the next open.
    ///
    /// # Errors
    /// [`StoreError::Refused`] for a file of a newer version, with changed migrations, or not of
    /// ours; nothing is changed then.
    pub(crate) fn apply(&self, connection: &mut Connection) -> Result<(), Failure> {
        let done = self.check(connection)?;
        let mode: String =
            connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
        if mode != "wal" {
            return Err(StoreError::Refused(
                "the data directory is on a filesystem without shared memory: choose a local disk"
                    .into(),
            )
            .into());
        }
        for (version, migration) in (1_i64..).zip(&self.migrations).skip(done) {
            let step = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            step.execute_batch(BOOKKEEPING)?;
            step.pragma_update(None, "application_id", APPLICATION)?;
            step.execute_batch(migration.sql)?;
            step.execute(
                "INSERT INTO schema_version (version, checksum, applied_at)
                 VALUES (?1, ?2, CAST(unixepoch('subsec') * 1000000 AS INTEGER))",
                (version, migration.checksum),
            )?;
            step.commit()?;
        }
        Ok(())
    }

    /// Makes a new file at `path`, where an empty one is, with the schema and what `fill` adds.
    pub(crate) fn build(
        &self,
        path: &Path,
        options: &Options,
        fill: impl FnOnce(&Connection) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let mut connection = connection::open(path, Purpose::Build, options)?;
        self.apply(&mut connection)?;
        fill(&connection)?;
        connection.close().map_err(|(_, error)| error.into())
    }

    /// How many migrations the file has.
    fn check(&self, connection: &Connection) -> Result<usize, Failure> {
        let tables: i64 =
            connection.query_row("SELECT COUNT(*) FROM sqlite_schema", [], |row| row.get(0))?;
        if tables == 0 {
            return Ok(0);
        }
        let owner: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
        if owner != APPLICATION {
            return Err(self.refuse("is not one of this program's: move it away"));
        }
        let applied = applied(connection)?;
        if applied.len() > self.migrations.len() {
            return Err(self.refuse(
                "was written by a newer version: install that version again, or restore a backup",
            ));
        }
        for (migration, (_, checksum)) in self.migrations.iter().zip(&applied) {
            if migration.checksum != *checksum {
                return Err(self.refuse(
                    "has another schema than this version: install the version that wrote it",
                ));
            }
        }
        if applied
            .iter()
            .map(|(version, _)| *version)
            .ne(1..=applied.len() as i64)
        {
            return Err(StoreError::Damaged("the list of applied migrations").into());
        }
        Ok(applied.len())
    }

    fn refuse(&self, why: &str) -> Failure {
        StoreError::Refused(format!("{} {why}", self.name)).into()
    }
}

/// `applied_at` is SQLite's own clock, for people who look into the file; the program never reads
/// it.
const BOOKKEEPING: &str = "CREATE TABLE IF NOT EXISTS schema_version (
    version INTEGER NOT NULL PRIMARY KEY,
    checksum BLOB NOT NULL,
    applied_at INTEGER NOT NULL
) STRICT";

fn applied(connection: &Connection) -> Result<Vec<(i64, [u8; 32])>, Failure> {
    let known: Option<i64> = connection
        .query_row(
            "SELECT 1 FROM sqlite_schema WHERE name = 'schema_version'",
            [],
            |row| row.get(0),
        )
        .optional()?;
    if known.is_none() {
        return Err(StoreError::Damaged("the list of applied migrations").into());
    }
    let mut rows =
        connection.prepare("SELECT version, checksum FROM schema_version ORDER BY version")?;
    let applied = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(applied.collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests;
