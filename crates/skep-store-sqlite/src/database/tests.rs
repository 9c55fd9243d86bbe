//! Turns on a file: who waits, what is left of a transaction that did not end, and what happens to
//! a connection that failed.

use std::sync::Arc;
use std::time::Duration;

use rusqlite::ffi;
use skep_store::StoreError;
use skep_store::backend::Mode;

use super::Database;
use crate::Options;
use crate::failure::Failure;

struct Fixture {
    _dir: tempfile::TempDir,
    database: Arc<Database>,
}

fn fixture() -> Fixture {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().canonicalize().unwrap().join("a.db");
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection
        .execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE t (a INTEGER) STRICT")
        .unwrap();
    let options = Options {
        readers: 2,
        readers_kept: 1,
        patience: Duration::from_millis(50),
        ..Options::default()
    };
    Fixture {
        _dir: dir,
        database: Database::new(path, options),
    }
}

impl Fixture {
    async fn insert(&self, value: i64) -> Result<(), StoreError> {
        self.database
            .call(Mode::Write, move |connection| {
                connection.execute("INSERT INTO t VALUES (?1)", [value])?;
                Ok(())
            })
            .await
    }

    async fn values(&self) -> Vec<i64> {
        let sql = "SELECT a FROM t ORDER BY a";
        self.database
            .call(Mode::Read, move |connection| {
                let mut rows = connection.prepare_cached(sql)?;
                let values = rows.query_map([], |row| row.get(0))?;
                Ok(values.collect::<Result<_, _>>()?)
            })
            .await
            .unwrap()
    }

    /// Numbers the writer's connection, so that a new one shows.
    async fn writer(&self) -> i64 {
        let lease = self.database.lease(Mode::Write).await.unwrap();
        let (_, id) = lease
            .run(|lease| {
                let connection = lease.begin()?;
                connection.execute_batch("CREATE TEMP TABLE IF NOT EXISTS mark (n)")?;
                connection.execute("INSERT INTO mark VALUES (1)", [])?;
                let marks =
                    connection.query_row("SELECT COUNT(*) FROM mark", [], |row| row.get(0))?;
                lease.commit()?;
                Ok(marks)
            })
            .await
            .unwrap();
        id.unwrap()
    }
}

fn failing(code: i32) -> Failure {
    rusqlite::Error::SqliteFailure(ffi::Error::new(code), None).into()
}

#[tokio::test]
async fn a_dropped_transaction_leaves_nothing_and_the_next_one_is_clean() {
    let fixture = fixture();
    let lease = fixture.database.lease(Mode::Write).await.unwrap();
    let (lease, done) = lease
        .run(|lease| {
            lease.begin()?.execute("INSERT INTO t VALUES (1)", [])?;
            Ok(())
        })
        .await
        .unwrap();
    done.unwrap();
    drop(lease);
    fixture.insert(2).await.unwrap();
    assert_eq!(fixture.values().await, [2]);
}

#[tokio::test]
async fn f04_after_a_failed_sync_the_writer_is_opened_anew() {
    let fixture = fixture();
    assert_eq!(fixture.writer().await, 1);
    assert_eq!(fixture.writer().await, 2, "kept between transactions");
    for code in [
        ffi::SQLITE_IOERR_FSYNC,
        ffi::SQLITE_FULL,
        ffi::SQLITE_CORRUPT,
    ] {
        let lease = fixture.database.lease(Mode::Write).await.unwrap();
        let (mut lease, outcome) = lease
            .run(move |lease| {
                lease.begin()?.execute("INSERT INTO t VALUES (1)", [])?;
                Err::<(), _>(failing(code))
            })
            .await
            .unwrap();
        assert!(outcome.is_err());
        let again = lease.commit().map_err(StoreError::from);
        assert!(
            matches!(again, Err(StoreError::Refused(_))),
            "no retry as success"
        );
        drop(lease);
        assert_eq!(fixture.writer().await, 1, "a new connection after {code}");
    }
    assert_eq!(fixture.values().await, Vec::<i64>::new());
}

#[tokio::test]
async fn f04_a_full_disk_is_unavailable_and_reads_go_on() {
    let fixture = fixture();
    fixture.insert(1).await.unwrap();
    let filled = fixture
        .database
        .call(Mode::Write, |connection| {
            connection.execute_batch("PRAGMA max_page_count = 1")?;
            for _ in 0..100_000 {
                connection.execute("INSERT INTO t VALUES (7)", [])?;
            }
            Ok(())
        })
        .await;
    match filled {
        Err(StoreError::Unavailable(text)) => assert_eq!(text, "the disk is full"),
        other => panic!("{other:?}"),
    }
    assert_eq!(fixture.values().await, [1]);
    fixture.insert(2).await.unwrap();
    assert_eq!(
        fixture.values().await,
        [1, 2],
        "with a new connection there is room again"
    );
}

#[tokio::test]
async fn f04_a_writer_waits_for_the_disk_unless_it_says_otherwise() {
    let fixture = fixture();
    let level = async |mode, fails| {
        let lease = fixture.database.lease(mode).await.unwrap();
        let (_, level) = lease
            .run(move |lease| {
                let level = lease
                    .begin()?
                    .query_row("PRAGMA synchronous", [], |row| row.get::<_, i64>(0))?;
                if fails {
                    return Err(failing(ffi::SQLITE_IOERR_FSYNC));
                }
                lease.commit()?;
                Ok(level)
            })
            .await
            .unwrap();
        level.ok()
    };
    let (normal, full) = (Some(1), Some(2));
    assert_eq!(level(Mode::Write, false).await, full);
    assert_eq!(level(Mode::Swift, false).await, normal);
    assert_eq!(level(Mode::Swift, false).await, normal);
    assert_eq!(level(Mode::Write, false).await, full);
    assert_eq!(level(Mode::Swift, true).await, None);
    assert_eq!(level(Mode::Write, false).await, full, "opened anew");
    assert_eq!(level(Mode::Write, true).await, None);
    assert_eq!(level(Mode::Swift, false).await, normal, "opened anew");
}

#[tokio::test]
async fn a12_each_commit_that_may_change_more_than_counts_is_one() {
    let fixture = fixture();
    let commit = async |mode: Mode, is_kept: bool| {
        let lease = fixture.database.lease(mode).await.unwrap();
        let (_, done) = lease
            .run(move |lease| {
                lease.begin()?.execute("INSERT INTO t VALUES (1)", [])?;
                if is_kept {
                    lease.commit()?;
                }
                Ok(())
            })
            .await
            .unwrap();
        done.unwrap();
        fixture.database.change()
    };
    assert_eq!(commit(Mode::Write, true).await, 1);
    assert_eq!(commit(Mode::Swift, true).await, 1);
    assert_eq!(commit(Mode::Write, false).await, 1, "rolled back");
    fixture.insert(2).await.unwrap();
    assert_eq!(fixture.database.change(), 2);
    assert_eq!(fixture.values().await.len(), 3);
    assert_eq!(fixture.database.change(), 2, "reading changes nothing");
}

#[tokio::test]
async fn an_error_ends_the_transaction() {
    let fixture = fixture();
    let lease = fixture.database.lease(Mode::Write).await.unwrap();
    let (mut lease, outcome) = lease
        .run(|lease| {
            lease.begin()?.execute("INSERT INTO t VALUES (1)", [])?;
            Ok(lease.begin()?.execute("INSERT INTO t VALUES ('x')", [])?)
        })
        .await
        .unwrap();
    assert!(outcome.is_err());
    assert!(
        lease.begin().is_err(),
        "half of a step must not be committed"
    );
    assert!(lease.commit().is_err());
    drop(lease);
    assert_eq!(fixture.values().await, Vec::<i64>::new());
}

#[tokio::test]
async fn a_panic_in_a_step_rolls_back_and_frees_the_writer() {
    let fixture = Arc::new(fixture());
    let inner = Arc::clone(&fixture);
    let step = async move {
        let lease = inner.database.lease(Mode::Write).await.unwrap();
        let _ = lease
            .run(|lease| -> Result<(), Failure> {
                lease.begin()?.execute("INSERT INTO t VALUES (1)", [])?;
                panic!("a bug")
            })
            .await;
    };
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(step);
    assert!(tasks.join_next().await.unwrap().unwrap_err().is_panic());
    fixture.insert(2).await.unwrap();
    assert_eq!(fixture.values().await, [2]);
}

#[tokio::test]
async fn waiting_has_an_end() {
    let fixture = fixture();
    let writing = fixture.database.lease(Mode::Write).await.unwrap();
    let second = fixture.database.lease(Mode::Write).await;
    assert!(matches!(second, Err(StoreError::Unavailable(_))));
    let reading = [
        fixture.database.lease(Mode::Read).await.unwrap(),
        fixture.database.lease(Mode::Read).await.unwrap(),
    ];
    let third = fixture.database.lease(Mode::Read).await;
    assert!(matches!(third, Err(StoreError::Unavailable(_))));
    drop(reading);
    drop(writing);
    assert!(fixture.database.lease(Mode::Read).await.is_ok());
    assert!(fixture.database.lease(Mode::Write).await.is_ok());
}

#[tokio::test]
async fn a_step_that_nobody_waits_for_is_rolled_back() {
    let fixture = fixture();
    let lease = fixture.database.lease(Mode::Write).await.unwrap();
    let (sender, receiver) = std::sync::mpsc::channel::<()>();
    let step = lease.run(move |lease| {
        lease.begin()?.execute("INSERT INTO t VALUES (1)", [])?;
        let _ = receiver.recv();
        Ok(())
    });
    let mut step = Box::pin(step);
    let waker = std::task::Waker::noop();
    let pending = step
        .as_mut()
        .poll(&mut std::task::Context::from_waker(waker));
    assert!(pending.is_pending());
    drop(step);
    drop(sender);
    fixture.insert(2).await.unwrap();
    assert_eq!(fixture.values().await, [2]);
}
