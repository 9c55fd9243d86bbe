//! One workspace's rows on one connection, as statements see them.

use std::rc::Rc;

use rusqlite::types::Value;
use rusqlite::vtab::array::Array;
use rusqlite::{CachedStatement, Connection, Params, params};
use skep_domain::Id;
use skep_store::StoreError;
use skep_store::column::Stored;

use crate::column::stored;
use crate::failure::Failure;

/// The connection, the workspace that every statement names, and the transaction's `seq`.
pub(crate) struct Rows<'c> {
    connection: &'c Connection,
    pub(crate) workspace: [u8; 16],
    counter: &'c mut Counter,
}

/// The workspace's `seq` as a transaction sees it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counter {
    pub(crate) seq: u64,
    /// This transaction has added its one.
    bumped: bool,
}

impl Counter {
    pub(crate) fn at(seq: u64) -> Self {
        Self { seq, bumped: false }
    }
}

impl<'c> Rows<'c> {
    pub(crate) fn new(
        connection: &'c Connection,
        workspace: [u8; 16],
        counter: &'c mut Counter,
    ) -> Self {
        Self {
            connection,
            workspace,
            counter,
        }
    }

    /// The workspace's `seq`, with what this transaction added.
    pub(crate) fn seq(&self) -> u64 {
        self.counter.seq
    }

    pub(crate) fn statement(&self, sql: &str) -> Result<CachedStatement<'_>, Failure> {
        Ok(self.connection.prepare_cached(sql)?)
    }

    /// Every row.
    pub(crate) fn list<T: Stored>(
        &self,
        sql: &str,
        values: impl Params,
    ) -> Result<Vec<T>, Failure> {
        let mut statement = self.statement(sql)?;
        statement.query_and_then(values, stored)?.collect()
    }

    /// The first row, if there is one.
    pub(crate) fn find<T: Stored>(
        &self,
        sql: &str,
        values: impl Params,
    ) -> Result<Option<T>, Failure> {
        let mut statement = self.statement(sql)?;
        let mut found = statement.query_and_then(values, stored)?;
        found.next().transpose()
    }

    /// The `seq` of what this transaction writes. The first call adds one to the workspace's, so
    /// call it when something is about to change, and only then.
    pub(crate) fn writing(&mut self) -> Result<u64, Failure> {
        if !self.counter.bumped {
            let sql = "UPDATE workspace_state SET seq = seq + 1 WHERE workspace_id = ?1
                       RETURNING seq";
            let seq = self
                .statement(sql)?
                .query_row([&self.workspace], |row| row.get(0))?;
            *self.counter = Counter { seq, bumped: true };
        }
        Ok(self.counter.seq)
    }
}

/// The tenant and the `seq` of the file, if it is this workspace's.
pub(crate) fn identity(
    connection: &Connection,
    workspace: [u8; 16],
) -> Result<([u8; 16], u64), Failure> {
    let sql = "SELECT organization_id, seq FROM workspace_state WHERE workspace_id = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    match statement.query_row([&workspace], |row| Ok((row.get(0)?, row.get(1)?))) {
        Err(rusqlite::Error::QueryReturnedNoRows) => {
            Err(StoreError::Damaged("a workspace's file is another's").into())
        }
        outcome => Ok(outcome?),
    }
}

/// Names a new file's workspace.
pub(crate) fn put_identity(
    connection: &Connection,
    workspace: [u8; 16],
    organization: [u8; 16],
) -> Result<(), Failure> {
    connection.execute(
        "INSERT INTO workspace_state (workspace_id, organization_id, seq) VALUES (?1, ?2, 0)",
        params![workspace, organization],
    )?;
    Ok(())
}

/// Ids for `rarray`, which makes one statement of any number of them. They are sorted, so that the
/// walk through the table goes one way and meets each page once.
pub(crate) fn id_array<I: Id>(ids: &[I]) -> Array {
    let mut sorted = ids.to_vec();
    sorted.sort_unstable();
    let values = sorted.iter().map(|id| Value::Blob(id.to_bytes().to_vec()));
    Rc::new(values.collect())
}

#[cfg(test)]
mod tests;
