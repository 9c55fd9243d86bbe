//! Whole workspaces and the installation's own rows, as they are: walked in one view, and put where nobody
//! sees them until all of them are there.

mod statement;

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use rusqlite::types::{Value as Sql, ValueRef};
use rusqlite::{Connection, params_from_iter};
use skep_domain::Id;
use skep_store::archive::{Column, Kind, Row, Table, Value};
use skep_store::backend::{ArchiveRows, Area, Fill, Mode, Part, Walk};
use skep_store::column::damaged;
use skep_store::{ScopeKey, StoreError};

pub(crate) use statement::count;

use crate::backend::SqliteBackend;
use crate::blocking;
use crate::database::Lease;
use crate::failure::Failure;
use crate::workspaces::Workspaces;

/// A view of an area. It is taken with the first page.
struct SqliteWalk {
    workspace: Option<[u8; 16]>,
    lease: Option<Lease>,
}

/// Rows beside those of the installation, in one transaction.
struct ControlFill {
    lease: Option<Lease>,
}

/// The rows of a workspace, in a file that has another name until they are all there.
struct WorkspaceFill {
    workspaces: Arc<Workspaces>,
    scope: ScopeKey,
    connection: Option<Connection>,
    _turn: tokio::sync::OwnedMutexGuard<()>,
}

#[async_trait]
impl ArchiveRows for SqliteBackend {
    async fn walk(&self, area: Area<'_>) -> Result<Option<Box<dyn Walk>>, StoreError> {
        let (workspace, database) = match area {
            Area::Installation(_) => (None, Arc::clone(&self.control)),
            Area::Workspace(scope) => {
                if !self.workspaces.has(scope)? {
                    return Ok(None);
                }
                let database = self.workspaces.database(scope).await?;
                (Some(scope.workspace().to_bytes()), database)
            }
        };
        let lease = database.lease(Mode::Read).await?;
        Ok(Some(Box::new(SqliteWalk {
            workspace,
            lease: Some(lease),
        })))
    }

    async fn fill(&self, area: Area<'_>) -> Result<Box<dyn Fill>, StoreError> {
        match area {
            Area::Installation(_) => Ok(Box::new(ControlFill {
                lease: Some(self.control.lease(Mode::Write).await?),
            })),
            Area::Workspace(scope) => {
                let (turn, path) = self.workspaces.begin_fresh(scope).await?;
                let connection = open_fresh(&self.workspaces, path).await?;
                Ok(Box::new(WorkspaceFill {
                    workspaces: Arc::clone(&self.workspaces),
                    scope: *scope,
                    connection: Some(connection),
                    _turn: turn,
                }))
            }
        }
    }
}

async fn open_fresh(workspaces: &Arc<Workspaces>, path: PathBuf) -> Result<Connection, StoreError> {
    let workspaces = Arc::clone(workspaces);
    blocking::run(move || {
        let connection = workspaces.open_fresh(&path)?;
        connection
            .execute_batch("BEGIN IMMEDIATE")
            .map_err(Failure::from)?;
        Ok(connection)
    })
    .await?
}

#[async_trait]
impl Walk for SqliteWalk {
    async fn page(
        &mut self,
        (table, part): (&'static Table, Part),
        after: Option<Vec<Value>>,
        limit: u32,
    ) -> Result<Vec<Row>, StoreError> {
        let lease = self.lease.take().ok_or_else(over)?;
        let workspace = self.workspace;
        let (lease, outcome) = lease
            .run(move |lease| {
                let key = after.as_deref();
                read(lease.begin()?, (table, part), workspace, key, limit)
            })
            .await?;
        self.lease = Some(lease);
        outcome
    }
}

fn read(
    connection: &Connection,
    (table, part): (&'static Table, Part),
    workspace: Option<[u8; 16]>,
    after: Option<&[Value]>,
    limit: u32,
) -> Result<Vec<Row>, Failure> {
    let text = statement::walk(table, part, workspace.is_some(), after.is_some());
    let mut statement = connection.prepare_cached(text)?;
    let own = workspace.map(|id| Sql::Blob(id.to_vec()));
    let mut values: Vec<Sql> = own.into_iter().collect();
    values.push(Sql::Integer(limit.into()));
    values.extend(after.unwrap_or_default().iter().map(sql));
    let mut found = statement.query(params_from_iter(values))?;
    let mut rows = Vec::new();
    while let Some(row) = found.next()? {
        let columns = table.columns.iter().enumerate();
        let values = columns.map(|(at, column)| value(column, row.get_ref(at)?));
        rows.push(values.collect::<Result<Row, Failure>>()?);
    }
    Ok(rows)
}

fn sql(value: &Value) -> Sql {
    match value {
        Value::Null => Sql::Null,
        Value::Integer(number) => Sql::Integer(*number),
        Value::Flag(flag) => Sql::Integer(i64::from(*flag)),
        Value::Bytes(bytes) => Sql::Blob(bytes.clone()),
        Value::Text(text) => Sql::Text(text.clone()),
    }
}

fn value(column: &Column, stored: ValueRef<'_>) -> Result<Value, Failure> {
    Ok(match (column.kind, stored) {
        (_, ValueRef::Null) if column.nullable => Value::Null,
        (Kind::Integer, ValueRef::Integer(number)) => Value::Integer(number),
        (Kind::Flag, ValueRef::Integer(number)) => Value::Flag(number != 0),
        (Kind::Id | Kind::Bytes, ValueRef::Blob(bytes)) => Value::Bytes(bytes.to_vec()),
        (Kind::Text, ValueRef::Text(text)) => {
            let text = std::str::from_utf8(text).map_err(|_| damaged())?;
            Value::Text(text.to_owned())
        }
        _ => return Err(damaged().into()),
    })
}

fn over() -> StoreError {
    StoreError::Refused("the transaction was given up: begin another".into())
}

fn write(
    connection: &Connection,
    table: &'static Table,
    workspace: Option<[u8; 16]>,
    rows: &[Row],
) -> Result<(), Failure> {
    let text = statement::insert(table, workspace.is_some());
    let mut statement = connection.prepare_cached(text)?;
    for row in rows {
        let own = workspace.map(|id| Sql::Blob(id.to_vec()));
        let values = own.into_iter().chain(row.iter().map(sql));
        statement.execute(params_from_iter(values))?;
    }
    Ok(())
}

#[async_trait]
impl Fill for ControlFill {
    async fn put(&mut self, table: &'static Table, rows: Vec<Row>) -> Result<(), StoreError> {
        let lease = self.lease.take().ok_or_else(over)?;
        let (lease, outcome) = lease
            .run(move |lease| write(lease.begin()?, table, None, &rows))
            .await?;
        self.lease = Some(lease);
        outcome
    }

    async fn commit(mut self: Box<Self>) -> Result<(), StoreError> {
        let lease = self.lease.take().ok_or_else(over)?;
        let (_, outcome) = lease.run(Lease::commit).await?;
        outcome.map(|_| ())
    }
}

#[async_trait]
impl Fill for WorkspaceFill {
    async fn put(&mut self, table: &'static Table, rows: Vec<Row>) -> Result<(), StoreError> {
        let connection = self.connection.take().ok_or_else(over)?;
        let workspace = Some(self.scope.workspace().to_bytes());
        let (connection, outcome) = blocking::run(move || {
            let outcome = write(&connection, table, workspace, &rows);
            (connection, outcome)
        })
        .await?;
        self.connection = Some(connection);
        Ok(outcome?)
    }

    async fn commit(mut self: Box<Self>) -> Result<(), StoreError> {
        let connection = self.connection.take().ok_or_else(over)?;
        blocking::run(move || {
            connection.execute_batch("COMMIT")?;
            connection
                .close()
                .map_err(|(_, error)| Failure::from(error))
        })
        .await??;
        self.workspaces.publish_fresh(&self.scope).await
    }
}

impl Drop for WorkspaceFill {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            drop(connection);
            self.workspaces.drop_fresh(&self.scope);
        }
    }
}

#[cfg(test)]
mod tests;
