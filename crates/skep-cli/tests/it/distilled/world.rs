//! A real daemon, and the program `skep` that imports into it.

use std::path::{Path, PathBuf};

use skep_api::memory::{Memory, MemoryQuery};
use skep_api::recall::RecallRequest;
use skep_client::{Client, Endpoint, Home};
use skep_test_support::{Pace, Tenant, TestDaemon};

use crate::program::run;

/// When questions are asked: after all imports.
const NOON: i64 = 1_798_761_600_000;

/// A daemon of the test, and the home with which `skep` finds it.
pub(super) struct World {
    daemon: TestDaemon,
    owner: Tenant,
    home: PathBuf,
}

impl World {
    pub(super) async fn new() -> Self {
        Self::of(TestDaemon::start().await).await
    }

    /// One whose upkeep happens when the test says so.
    pub(super) async fn quiet() -> Self {
        Self::of(TestDaemon::start_quiet().await).await
    }

    async fn of(daemon: TestDaemon) -> Self {
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
        self.import_only(harness, path).await;
        self.tend().await;
    }

    pub(super) async fn tend(&self) {
        self.daemon.tend(&self.owner).await;
    }

    /// Tells this home what another one holds.
    pub(super) async fn replay(&self, of: &Self, pace: Pace) {
        let from = (&of.daemon, &of.owner);
        self.daemon.replay(&self.owner, from, pace).await;
    }

    /// Imports a file or a folder, as a person would.
    pub(super) async fn import_only(&self, harness: &str, path: &Path) {
        let (home, harness) = (self.home.clone(), harness.to_owned());
        let path = path.to_str().unwrap().to_owned();
        let import = move || run(&home, &["import", &harness, &path, "--json"], &[]);
        let ran = tokio::task::spawn_blocking(import).await.unwrap();
        assert_eq!(ran.code, 0, "{ran:?}");
    }

    /// Procedures that wait for a human.
    pub(super) async fn procedures(&self) -> Vec<String> {
        let held = self.daemon.held_back(&self.owner).await;
        held.into_iter()
            .filter(|(kind, _)| kind.as_str() == "procedure")
            .map(|(_, text)| text)
            .collect()
    }

    /// All that waits for a human.
    pub(super) async fn held_back(&self) -> Vec<String> {
        let held = self.daemon.held_back(&self.owner).await;
        held.into_iter().map(|(_, text)| text).collect()
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

    /// What is recalled, in its order, and all that is said about how it was found; the moment is the
    /// same for every question.
    pub(super) async fn recall(&self, question: &str) -> Vec<String> {
        let request = RecallRequest {
            query: question.into(),
            k: Some(50),
            token_budget: Some(16_000),
            deadline_ms: Some(10_000),
            ..RecallRequest::default()
        };
        self.daemon.clock.set_millis(NOON);
        let answer = self.client().await.recall(&request).await.unwrap();
        assert!(!answer.degraded, "{question}");
        let items = answer.items.into_iter();
        items
            .map(|item| format!("{} {:?}", item.memory.text, item.scores))
            .collect()
    }
}
