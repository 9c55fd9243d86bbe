//! The transaction on the installation's own tables: each step of it on the connection.

use async_trait::async_trait;
use skep_store::StoreError;
use skep_store::backend::{ControlTx, Mode};

use crate::failure::{Failure, named};
use crate::lease::Lease;
use crate::row::Row;
use crate::statement::Statement;
use crate::value::Value;

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

#[async_trait]
impl ControlTx for PostgresControlTx {
    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        self.lease.commit(self.mode).await.map(|_| ())
    }
}
