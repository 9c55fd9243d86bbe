//! The backend as the rest of the program sees it: the suite for every backend, and what is special about
//! a database that many nodes share.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests report by panicking, in their fixtures too, and say what they counted"
)]

mod bare;
mod between;
mod context;
#[cfg(test)]
mod credentials;
mod described;
mod dice;
#[cfg(test)]
mod disk;
#[cfg(test)]
mod erased;
mod filled;
mod forgotten;
mod heard;
mod killed;
mod mixed;
mod oracle;
mod place;
mod predicate;
mod prepared;
mod replay;
mod slow;
#[cfg(test)]
mod tombstones;
mod weaknesses;

use std::sync::Arc;

use place::Place;
use skep_conformance::Harness;
use skep_store::backend::Backend;
use skep_store_postgres::{Options, PostgresBackend};

impl Harness for Place {
    async fn fresh() -> Self {
        Self::new().await
    }

    async fn open(&self) -> Arc<dyn Backend> {
        let (server, tls) = (self.server(), place::tls());
        let opened = PostgresBackend::open(server, tls, Options::default()).await;
        Arc::new(opened.unwrap())
    }
}

skep_conformance::suite!(Place);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "twenty times what the suite does twice"]
async fn f10_twenty_backups_while_others_write() {
    skep_conformance::backups_while_others_write::<Place>(20).await;
}
