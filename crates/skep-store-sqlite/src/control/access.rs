//! The transaction on `control.db`: each method of the port, on a thread that may block.

use async_trait::async_trait;
use rusqlite::Connection;
use skep_store::StoreError;
use skep_store::backend::ControlTx;

use crate::database::Lease;
use crate::failure::Failure;

/// A transaction on the installation's own tables. It begins with its first statement.
pub(crate) struct SqliteControlTx {
    /// Away while a statement runs; for good if the caller gave up waiting for one.
    lease: Option<Lease>,
}

impl SqliteControlTx {
    pub(crate) fn new(lease: Lease) -> Self {
        Self { lease: Some(lease) }
    }

    /// Runs a statement that may change what somebody may do.
    pub(super) async fn run<T, F>(&mut self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    {
        if self.lease.as_ref().is_some_and(Lease::counts_only) {
            return Err(StoreError::Refused(
                "this transaction may change counts and nothing else".into(),
            ));
        }
        self.count(work).await
    }

    /// Runs a statement that changes counts, and nothing that a check of a credential looks at: also in
    /// [`Mode::Swift`], after which credentials are not looked up anew.
    ///
    /// [`Mode::Swift`]: skep_store::backend::Mode::Swift
    pub(super) async fn count<T, F>(&mut self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    {
        let lease = self.take()?;
        let (lease, outcome) = lease.run(move |lease| work(lease.begin()?)).await?;
        self.lease = Some(lease);
        outcome
    }

    /// Runs what erases entries of the ledger: the one thing that changes one.
    pub(super) async fn erase<T, F>(&mut self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    {
        let lease = self.take()?;
        let (lease, outcome) = lease.run(move |lease| lease.erasing(work)).await?;
        self.lease = Some(lease);
        outcome
    }

    fn take(&mut self) -> Result<Lease, StoreError> {
        self.lease.take().ok_or_else(|| {
            StoreError::Refused("the transaction was given up: begin another".into())
        })
    }
}

#[async_trait]
impl ControlTx for SqliteControlTx {
    async fn commit(mut self: Box<Self>) -> Result<(), StoreError> {
        let (_, outcome) = self.take()?.run(Lease::commit).await?;
        outcome.map(|_| ())
    }
}
