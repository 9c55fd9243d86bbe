//! The transaction on the installation's own tables: each step of it on the connection.

use async_trait::async_trait;
use skep_store::backend::{ControlTx, Mode};
use skep_store::{Announcement, StoreError};

use crate::failure::{Failure, named};
use crate::lease::Lease;
use crate::row::Row;
use crate::rows::Wire;
use crate::statement::{Statement, statements};
use crate::value::{Value, values};

/// A transaction on the installation's own tables.
pub(crate) struct PostgresControlTx {
    pub(super) lease: Lease,
    mode: Mode,
}

/// One step: a function on the connection. Given up half-way, it leaves the transaction as one that runs, and
/// nothing more is done in it.
macro_rules! step {
    ($tx:ident, $work:path $(, $value:expr)*) => {{
        let outcome = $work(&$tx.lease.wire()? $(, $value)*).await;
        $tx.lease.step(outcome)
    }};
}
pub(super) use step;

/// Steps of one statement.
impl PostgresControlTx {
    pub(crate) fn new(lease: Lease, mode: Mode) -> Self {
        Self { lease, mode }
    }

    /// Every row.
    pub(super) async fn list<T>(
        &mut self,
        statement: Statement,
        values: &[Value],
        read: impl Fn(&Row) -> Result<T, Failure>,
    ) -> Result<Vec<T>, StoreError> {
        let outcome = self.lease.wire()?.list(statement, values, read).await;
        self.lease.step(outcome)
    }

    /// The first row, if there is one.
    pub(super) async fn find<T>(
        &mut self,
        statement: Statement,
        values: &[Value],
        read: impl Fn(&Row) -> Result<T, Failure>,
    ) -> Result<Option<T>, StoreError> {
        let outcome = self.lease.wire()?.find(statement, values, read).await;
        self.lease.step(outcome)
    }

    /// The row that is always there, such as a count.
    pub(super) async fn get<T>(
        &mut self,
        statement: Statement,
        values: &[Value],
        read: impl Fn(&Row) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        let outcome = self.lease.wire()?.get(statement, values, read).await;
        self.lease.step(outcome)
    }

    /// Whether there is a row.
    pub(super) async fn exists(
        &mut self,
        statement: Statement,
        values: &[Value],
    ) -> Result<bool, StoreError> {
        let outcome = self.lease.wire()?.exists(statement, values).await;
        self.lease.step(outcome)
    }

    /// How many rows it changed.
    pub(super) async fn run(
        &mut self,
        statement: Statement,
        values: &[Value],
    ) -> Result<u64, StoreError> {
        let outcome = self.lease.wire()?.run(statement, values).await;
        self.lease.step(outcome)
    }

    /// Whether it changed a row. A key that is taken is told under the name of what holds it.
    pub(super) async fn put(
        &mut self,
        statement: Statement,
        values: &[Value],
        what: &'static str,
    ) -> Result<bool, StoreError> {
        let outcome = self.lease.wire()?.run(statement, values).await;
        Ok(self.lease.step(named(outcome, what))? > 0)
    }
}

statements! {
    /// Its number and the notification are the transaction's own: they come with it or not at all.
    ANNOUNCE = "WITH next AS (UPDATE instance SET news = news + 1 WHERE slot = 1 RETURNING news)
        SELECT pg_notify('skep_news', news || ' ' || $1) FROM next";
}

#[async_trait]
impl ControlTx for PostgresControlTx {
    async fn announce(&mut self, what: &[Announcement]) -> Result<(), StoreError> {
        let told = announce(&self.lease.wire()?, what).await;
        self.lease.step(told)
    }

    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        self.lease.commit(self.mode).await.map(|_| ())
    }
}

/// Tells other nodes, once this transaction is committed.
pub(crate) async fn announce(wire: &Wire<'_>, what: &[Announcement]) -> Result<(), Failure> {
    let words: Vec<&str> = what.iter().map(|what| what.as_str()).collect();
    let told = values![words.join(",")];
    wire.find(ANNOUNCE, told, |_| Ok(())).await.map(|_| ())
}
