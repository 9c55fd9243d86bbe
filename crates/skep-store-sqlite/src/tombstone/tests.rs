//! What may be done to an entry while entries are erased, and before and after.

use rusqlite::Connection;
use skep_store::row::{Log, LogKey};

use super::{erase, let_erase};
use crate::Options;
use crate::connection::{self, Purpose};
use crate::migration::CONTROL;

/// Entries 1 to 3 of the record, the first from before there was a tree and the last one of an erasure, and one of
/// what was used.
fn filled() -> (tempfile::TempDir, Connection) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().canonicalize().unwrap().join("control.db");
    std::fs::write(&path, b"").unwrap();
    let mut connection = connection::open(&path, Purpose::Write, &Options::default()).unwrap();
    CONTROL.apply(&mut connection).unwrap();
    connection
        .execute_batch(
            "INSERT INTO audit (organization, seq, id, at, action, outcome, times, workspace,
                 principal_kind, principal, credential, body, leaf) VALUES
                 (zeroblob(16), 1, x'01', 1, 'old', 0, 1, x'0a', 0, x'0b', x'0c', x'0d', NULL),
                 (zeroblob(16), 2, x'02', 1, 'act', 0, 1, x'0a', 0, x'0b', x'0c', x'0d', x'0e'),
                 (zeroblob(16), 3, x'03', 1, 'audit.erase', 0, 1, x'0a', 0, x'0b', x'0c', x'0d', x'0f');
             INSERT INTO audit_seen VALUES (zeroblob(16), x'aa', 2), (zeroblob(16), x'aa', 3);
             INSERT INTO usage VALUES (zeroblob(16), 1, x'01', 1, x'0a', 0, x'0b', x'0c', x'0e', x'0d');",
        )
        .unwrap();
    (dir, connection)
}

fn key(log: Log) -> LogKey {
    LogKey::new(None, log)
}

/// All that the rows say.
fn rows(connection: &Connection) -> String {
    let sql = "SELECT group_concat(said, ';') FROM (
        SELECT concat_ws(',', seq, hex(id), at, action, outcome, times, hex(leaf), length(body),
            hex(workspace), principal_kind, hex(principal), hex(credential)) AS said FROM audit
        UNION ALL SELECT concat_ws(',', 'use', seq, hex(id), at, hex(leaf), length(body),
            hex(workspace), principal_kind, hex(principal), hex(credential)) FROM usage
        UNION ALL SELECT concat_ws(',', 'seen', hex(item), seq) FROM audit_seen)";
    connection.query_row(sql, [], |row| row.get(0)).unwrap()
}

const GONE: &str =
    "workspace = NULL, principal_kind = NULL, principal = NULL, credential = NULL, body = x''";

#[test]
fn l07_of_an_entry_the_line_goes_and_who_and_where_and_nothing_else() {
    let (_dir, mut connection) = filled();
    let erased = let_erase(&mut connection, |connection| {
        erase(connection, key(Log::Audit), &[2])
    });
    assert_eq!(erased.unwrap(), 1);
    let erased = let_erase(&mut connection, |connection| {
        erase(connection, key(Log::Usage), &[1])
    });
    assert_eq!(erased.unwrap(), 1);
    assert_eq!(
        rows(&connection),
        "1,01,1,old,0,1,,1,0A,0,0B,0C;2,02,1,act,0,1,0E,0,,,;3,03,1,audit.erase,0,1,0F,1,0A,0,0B,0C;\
         use,1,01,1,0E,0,,,;seen,AA,3"
    );
    let again = let_erase(&mut connection, |connection| {
        erase(connection, key(Log::Audit), &[2])
    });
    assert_eq!(again.unwrap(), 0);
}

#[test]
fn l07_no_other_change_of_an_entry_passes_while_entries_are_erased() {
    let (_dir, mut connection) = filled();
    let before = rows(&connection);
    let mut all_but_one = Vec::new();
    for left in super::ERASED {
        let gone = super::ERASED.iter().filter(|column| **column != left);
        let gone = gone.map(|column| match *column {
            "body" => "body = x''".to_owned(),
            other => format!("{other} = NULL"),
        });
        let gone = gone.collect::<Vec<_>>().join(", ");
        all_but_one.push(format!("UPDATE audit SET {gone} WHERE seq = 2"));
        all_but_one.push(format!("UPDATE usage SET {gone}"));
    }
    let others = [
        "UPDATE audit SET body = x'99' WHERE seq = 2".to_owned(),
        format!("UPDATE audit SET {GONE}"),
        format!("UPDATE audit SET {GONE} WHERE seq = 1"),
        format!("UPDATE audit SET {GONE} WHERE seq = 3"),
        format!("UPDATE audit SET {GONE}, leaf = x'99' WHERE seq = 2"),
        format!("UPDATE audit SET {GONE}, at = 2 WHERE seq = 2"),
        format!("UPDATE audit SET {GONE}, seq = 9 WHERE seq = 2"),
        format!("UPDATE audit SET {GONE}, action = 'audit.erase' WHERE seq = 2"),
        format!("UPDATE usage SET {GONE}, leaf = x'99'"),
        format!("UPDATE usage SET {GONE}, id = x'99'"),
        "UPDATE usage SET body = x'99'".to_owned(),
        "DELETE FROM audit WHERE seq = 2".to_owned(),
        "DELETE FROM usage".to_owned(),
        "DELETE FROM audit_seen".to_owned(),
        "DELETE FROM audit_seen WHERE seq = 2".to_owned(),
        "UPDATE audit_seen SET seq = 4".to_owned(),
        "DELETE FROM checkpoint".to_owned(),
        "UPDATE ledger_tile SET hash = x''".to_owned(),
        "DROP TRIGGER keep_audit".to_owned(),
        "DROP TRIGGER temp.keep_usage".to_owned(),
        "DROP TABLE audit".to_owned(),
    ];
    for refused in others.into_iter().chain(all_but_one) {
        let outcome = let_erase(&mut connection, |connection| {
            Ok(connection.execute(&refused, [])?)
        });
        assert!(outcome.is_err(), "{refused}");
        // As the rollback would, which every failed transaction ends with.
        connection.execute_batch(super::NO_TRIGGERS).unwrap();
        assert_eq!(rows(&connection), before, "{refused}");
    }
}

/// Nothing is erased that the last entry does not say.
#[test]
fn l07_nothing_is_erased_that_no_entry_says() {
    let (_dir, mut connection) = filled();
    connection
        .execute_batch(
            "INSERT INTO audit (organization, seq, id, at, action, outcome, times, body, leaf)
             VALUES (zeroblob(16), 4, x'04', 1, 'act', 0, 1, x'0d', x'0e')",
        )
        .unwrap();
    let before = rows(&connection);
    for log in [Log::Audit, Log::Usage] {
        let outcome = let_erase(&mut connection, |connection| {
            erase(connection, key(log), &[1, 2])
        });
        assert!(outcome.is_err(), "{log}");
        connection.execute_batch(super::NO_TRIGGERS).unwrap();
        assert_eq!(rows(&connection), before);
    }
}

#[test]
fn l07_once_it_is_done_entries_are_kept_as_before() {
    let (_dir, mut connection) = filled();
    let statement = format!("UPDATE audit SET {GONE} WHERE seq = 2");
    let is_refused = |connection: &Connection| connection.prepare(&statement).is_err();
    assert!(is_refused(&connection));
    for fails in [false, true] {
        let outcome = let_erase(&mut connection, |connection| {
            assert!(!is_refused(connection));
            // Compiled when it was let, and kept.
            connection.prepare_cached(&statement)?;
            if fails {
                connection.execute("SELECT no such thing", [])?;
            }
            Ok(())
        });
        assert_eq!(outcome.is_err(), fails);
        assert!(is_refused(&connection));
        let kept = connection.prepare_cached(&statement);
        assert!(kept.and_then(|mut kept| kept.execute([])).is_err());
        if fails {
            connection.execute_batch(super::NO_TRIGGERS).unwrap();
        }
    }
    let temporary = "SELECT COUNT(*) FROM temp.sqlite_schema";
    let left: i64 = connection
        .query_row(temporary, [], |row| row.get(0))
        .unwrap();
    assert_eq!(left, 0);
}
