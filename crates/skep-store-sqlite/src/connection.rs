//! How a connection is opened: hardened first, and only then told to read the file.

use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::limits::Limit;
use rusqlite::{Connection, OpenFlags};

use crate::Options;
use crate::failure::Failure;

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Write,
    Read,
    /// Of a file that counts for nothing until it is closed and synced as a whole.
    Build,
}

/// Statements that stay compiled on a connection; more than there are.
const STATEMENTS: usize = 96;

/// Opens a file that exists. Loading of extensions is compiled in and stays off, as it is by
/// default; attaching is taken away, so no statement can reach another tenant's file.
pub(crate) fn open(
    path: &Path,
    purpose: Purpose,
    options: &Options,
) -> Result<Connection, Failure> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let mut connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(options.patience)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
    for (switch, on) in [
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, true),
        // Otherwise binding another value may compile the statement again: a fifth of a recall.
        (DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false),
        (DbConfig::SQLITE_DBCONFIG_DQS_DML, false),
        (DbConfig::SQLITE_DBCONFIG_DQS_DDL, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_ATTACH_CREATE, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_ATTACH_WRITE, false),
    ] {
        connection.set_db_config(switch, on)?;
    }
    connection.execute_batch(&settings(purpose, options))?;
    rusqlite::vtab::array::load_module(&connection)?;
    connection.authorizer(Some(keep_the_record))?;
    Ok(connection)
}

/// Tables whose rows are added and read, and that is all: the entries of the ledger, what proves them, and prices that
/// something was charged at.
const KEPT: [&str; 6] = [
    "audit",
    "audit_seen",
    "usage",
    "ledger_tile",
    "checkpoint",
    "rate_card",
];

/// Tables whose rows go with their workspace, and are never changed.
const NEVER_CHANGED: [&str; 2] = ["directive", "directive_promotion"];

/// Rows of the ledger are added and read. A statement that would change or remove one is
/// refused when it is compiled, whoever wrote it; while an entry is erased, [`crate::tombstone`] lets just that be.
pub(crate) fn keep_the_record(context: AuthContext<'_>) -> Authorization {
    match context.action {
        AuthAction::Update { table_name, .. }
        | AuthAction::Delete { table_name }
        | AuthAction::DropTable { table_name }
            if KEPT.contains(&table_name) =>
        {
            Authorization::Deny
        }
        AuthAction::Update { table_name, .. } | AuthAction::DropTable { table_name }
            if NEVER_CHANGED.contains(&table_name) =>
        {
            Authorization::Deny
        }
        _ => Authorization::Allow,
    }
}

/// `synchronous = FULL`: in WAL mode NORMAL would lose the last commits with the power, and a
/// commit that was acknowledged is kept. `secure_delete = ON`: what is erased is overwritten, pages
/// that become free included; ordinary writing frees none.
fn settings(purpose: Purpose, options: &Options) -> String {
    let synchronous = match purpose {
        Purpose::Write | Purpose::Read => "FULL",
        Purpose::Build => "OFF",
    };
    format!(
        "PRAGMA cell_size_check = ON;
         PRAGMA temp_store = MEMORY;
         PRAGMA cache_size = -{};
         PRAGMA soft_heap_limit = {};
         PRAGMA synchronous = {synchronous};
         PRAGMA secure_delete = ON;
         PRAGMA wal_autocheckpoint = {};
         PRAGMA journal_size_limit = {};
         PRAGMA query_only = {};",
        options.cache_kib,
        u64::from(options.memory_mib) << 20,
        options.log_pages,
        // Cut off and grown again it would cost as much as what is written.
        u64::from(options.log_pages) * 8_192,
        u8::from(purpose == Purpose::Read),
    )
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::{Purpose, open};
    use crate::Options;

    fn opened(purpose: Purpose) -> (tempfile::TempDir, Connection) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().canonicalize().unwrap().join("a.db");
        std::fs::write(&path, b"").unwrap();
        let connection = open(&path, purpose, &Options::default()).unwrap();
        (dir, connection)
    }

    fn setting(connection: &Connection, name: &str) -> i64 {
        connection
            .pragma_query_value(None, name, |row| row.get(0))
            .unwrap()
    }

    #[test]
    fn a_connection_is_durable_and_hardened() {
        let (_dir, writer) = opened(Purpose::Write);
        for (name, value) in [
            ("synchronous", 2),
            ("cell_size_check", 1),
            ("trusted_schema", 0),
            ("foreign_keys", 1),
            ("secure_delete", 1),
            ("temp_store", 2),
            ("query_only", 0),
            ("cache_size", -16384),
            ("wal_autocheckpoint", 1000),
            ("journal_size_limit", 8_192_000),
            ("soft_heap_limit", 256 << 20),
        ] {
            assert_eq!(setting(&writer, name), value, "{name}");
        }
    }

    #[test]
    fn no_other_file_can_be_attached_and_no_extension_loaded() {
        let (dir, writer) = opened(Purpose::Write);
        let other = dir.path().join("other.db");
        let attach = format!("ATTACH '{}' AS other", other.display());
        assert!(writer.execute_batch(&attach).is_err());
        assert!(!other.exists());
        assert!(
            writer
                .query_row("SELECT load_extension('x')", [], |_| Ok(()))
                .is_err()
        );
    }

    #[test]
    fn what_stands_goes_with_its_workspace_and_is_never_changed() {
        let (_dir, writer) = opened(Purpose::Write);
        for table in super::NEVER_CHANGED {
            let made = format!("CREATE TABLE {table} (a INTEGER); INSERT INTO {table} VALUES (1);");
            writer.execute_batch(&made).unwrap();
            let changed = writer.execute_batch(&format!("UPDATE {table} SET a = 2"));
            assert!(changed.is_err(), "{table}");
            let gone = writer.execute(&format!("DELETE FROM {table} WHERE a = 1"), []);
            assert_eq!(gone, Ok(1), "{table}");
        }
    }

    #[test]
    fn l01_the_record_of_decisions_is_added_to_and_never_changed() {
        let (_dir, writer) = opened(Purpose::Write);
        let made = "CREATE TABLE kept (a INTEGER); CREATE TABLE other (a INTEGER);
                    INSERT INTO kept VALUES (1); INSERT INTO other VALUES (1);";
        for table in super::KEPT {
            writer.execute_batch(&made.replace("kept", table)).unwrap();
            writer.execute_batch("DROP TABLE other").unwrap();
            for refused in [
                "UPDATE kept SET a = 2",
                "DELETE FROM kept",
                "DELETE FROM main.kept WHERE a = 1",
                "REPLACE INTO kept SELECT 3; UPDATE kept SET a = 4 WHERE a = 3",
                "DROP TABLE kept",
            ] {
                let refused = refused.replace("kept", table);
                assert!(writer.execute_batch(&refused).is_err(), "{refused}");
            }
        }
        writer
            .execute_batch("CREATE TABLE other (a INTEGER); INSERT INTO other VALUES (1);")
            .unwrap();
        writer
            .execute_batch("UPDATE other SET a = 2; DELETE FROM other")
            .unwrap();
        let kept: i64 = writer
            .query_row("SELECT MIN(a) FROM audit", [], |row| row.get(0))
            .unwrap();
        assert_eq!(kept, 1);
    }

    #[test]
    fn a_reading_connection_writes_nothing() {
        let (_dir, reader) = opened(Purpose::Read);
        assert!(reader.execute_batch("CREATE TABLE t (a)").is_err());
    }
}
