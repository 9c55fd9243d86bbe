//! The backend as the rest of the program sees it: the suite for every backend, and what is special
//! about files.
#![expect(
    clippy::unwrap_used,
    reason = "tests report by panicking, in their fixtures too"
)]

#[cfg(test)]
mod bench;
mod crash;
#[cfg(test)]
mod erasure;
mod files;

use std::path::PathBuf;
use std::sync::Arc;

use skep_conformance::Harness;
use skep_store::backend::Backend;
use skep_store_sqlite::{Options, SqliteBackend};
use tempfile::TempDir;

/// A data directory, and a backend that keeps few files open, so that closing is tested too.
#[derive(Clone)]
struct Sqlite {
    path: PathBuf,
    /// Removed with the last of its users.
    _scratch: Option<Arc<TempDir>>,
}

impl Sqlite {
    fn at(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            _scratch: None,
        }
    }
}

impl Harness for Sqlite {
    async fn fresh() -> Self {
        let scratch = tempfile::tempdir().unwrap();
        Self {
            path: scratch.path().join("data"),
            _scratch: Some(Arc::new(scratch)),
        }
    }

    async fn open(&self) -> Arc<dyn Backend> {
        let few = Options {
            open_workspaces: 8,
            ..Options::default()
        };
        Arc::new(SqliteBackend::open(&self.path, few).await.unwrap())
    }
}

skep_conformance::suite!(Sqlite);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "twenty times what the suite does twice"]
async fn f10_twenty_backups_while_others_write() {
    skep_conformance::backups_while_others_write::<Sqlite>(20).await;
}
