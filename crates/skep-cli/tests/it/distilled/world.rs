//! A real daemon, and the program `skep` that imports into it.

use std::path::{Path, PathBuf};

use skep_api::memory::{Memory, MemoryQuery};
use skep_api::recall::RecallRequest;
use skep_client::{Client, Endpoint, Home};
use skep_test_support::{Tenant, TestDaemon};

use crate::program::run;

/// A daemon of the test, and the home with which `skep` finds it.
pub(super) struct World {
    daemon: TestDaemon,
    owner: Tenant,
    home: PathBuf,
}

impl World {
    pub(super) async fn new() -> Self {
        let daemon = TestDaemon::start().await;
        let owner = daemon.socket_owner().await;
        let home = daemon.socket().parent().unwrap().to_owned();
        Self {
            daemon,
            owner,
            home,
        }
    }

    /// Imports a file or a folder, as a person would, and waits for the upkeep that follows.
    pub(super) async fn import(&self, harness: &str, path: &Path) {
        let (home, harness) = (self.home.clone(), harness.to_owned());
        let path = path.to_str().unwrap().to_owned();
        let import = move || run(&home, &["import", &harness, &path, "--json"], &[]);
        let ran = tokio::task::spawn_blocking(import).await.unwrap();
        assert_eq!(ran.code, 0, "{ran:?}");
        self.daemon.tend(&self.owner).await;
    }

    /// Procedures that wait for a human.
    pub(super) async fn procedures(&self) -> Vec<String> {
        let held = self.daemon.held_back(&self.owner).await;
        held.into_iter()
            .filter(|(kind, _)| kind.as_str() == "procedure")
            .map(|(_, text)| text)
            .collect()
    }

    async fn client(&self) -> Client {
        let home = Home::new(self.home.clone()).unwrap();
        Client::connect(&Endpoint::socket(&home)).await.unwrap()
    }

    /// Every memory that recall may return.
    pub(super) async fn memories(&self) -> Vec<Memory> {
        let mut client = self.client().await;
        let mut query = MemoryQuery {
            limit: Some(200),
            ..MemoryQuery::default()
        };
        let mut all = Vec::new();
        loop {
            let page = client.memories(&query).await.unwrap();
            all.extend(page.items);
            match page.next {
                Some(next) => query.cursor = Some(next),
                None => return all,
            }
        }
    }

    /// Key and score of what is recalled, in its order.
    pub(super) async fn recall(&self, question: &str) -> Vec<(String, String)> {
        let request = RecallRequest {
            query: question.into(),
            ..RecallRequest::default()
        };
        let answer = self.client().await.recall(&request).await.unwrap();
        let items = answer.items.into_iter();
        // The clock of the test moves with every look at it; recency moves the last digits.
        items
            .map(|item| (item.memory.key, format!("{:.3}", item.scores.rank)))
            .collect()
    }
}
