//! An installation goes from the embedded store to a team's and back.

use std::sync::Arc;

use skep_conformance::{Harness, across};
use skep_store::backend::Backend;
use skep_store_sqlite::{Options, SqliteBackend};
use skep_test_support::TeamStore;

/// Files of one's own.
struct Embedded(tempfile::TempDir);

/// A database of one's own.
struct Team(TeamStore);

impl Harness for Embedded {
    async fn fresh() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    async fn open(&self) -> Arc<dyn Backend> {
        let path = self.0.path().join("data");
        Arc::new(
            SqliteBackend::open(&path, Options::default())
                .await
                .unwrap(),
        )
    }
}

impl Harness for Team {
    async fn fresh() -> Self {
        Self(TeamStore::new().await)
    }

    async fn open(&self) -> Arc<dyn Backend> {
        self.0.backend().await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f10_from_files_to_a_database_and_back() {
    across::<Embedded, Team>().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f10_from_a_database_to_files_and_back() {
    Box::pin(across::<Team, Embedded>()).await;
}
