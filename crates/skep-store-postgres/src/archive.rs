//! Whole workspaces and the installation's own rows, as they are: walked in one view, and put in one
//! transaction, behind the same walls as everything else.

mod statement;

use async_trait::async_trait;
use skep_domain::Id;
use skep_store::StoreError;
use skep_store::archive::tables::WORKSPACE;
use skep_store::archive::{Column, Kind, Row, Table, Value};
use skep_store::backend::{ArchiveRows, Area, Fill, Mode, Part, Walk};

pub(crate) use statement::{all, clear, count};

use crate::backend::PostgresBackend;
use crate::failure::Failure;
use crate::lease::Lease;
use crate::rows::Wire;
use crate::value::{Value as Sql, values};

/// Rows that go at a time when a workspace's are replaced.
const CLEARED: u32 = 2_000;

/// A view of an area.
struct PostgresWalk {
    lease: Lease,
    workspace: Option<[u8; 16]>,
}

/// Rows on their way into an area, in one transaction.
struct PostgresFill {
    lease: Lease,
    workspace: Option<[u8; 16]>,
}

#[async_trait]
impl ArchiveRows for PostgresBackend {
    async fn walk(&self, area: Area<'_>) -> Result<Option<Box<dyn Walk>>, StoreError> {
        let (lease, workspace) = match area {
            Area::Installation(_) => (self.installation(Mode::Read).await?, None),
            Area::Workspace(scope) => {
                let lease = Lease::of_any_workspace(&self.connections, scope, Mode::Read).await?;
                match lease {
                    (lease, true) => (lease, Some(scope.workspace().to_bytes())),
                    (_, false) => return Ok(None),
                }
            }
        };
        Ok(Some(Box::new(PostgresWalk { lease, workspace })))
    }

    async fn fill(&self, area: Area<'_>) -> Result<Box<dyn Fill>, StoreError> {
        let fill = match area {
            Area::Installation(_) => PostgresFill {
                lease: self.installation(Mode::Write).await?,
                workspace: None,
            },
            Area::Workspace(scope) => {
                let any = Lease::of_any_workspace(&self.connections, scope, Mode::Write);
                let (mut lease, _) = any.await?;
                let workspace = scope.workspace().to_bytes();
                let cleared = clear_all(&lease.wire()?, workspace).await;
                lease.step(cleared)?;
                PostgresFill {
                    lease,
                    workspace: Some(workspace),
                }
            }
        };
        Ok(Box::new(fill))
    }
}

/// Takes out all rows of a workspace, so many at a time that no statement takes long: those first that refer
/// to others.
async fn clear_all(wire: &Wire<'_>, workspace: [u8; 16]) -> Result<(), Failure> {
    for table in WORKSPACE.iter().rev() {
        for part in Part::of(table).iter().rev() {
            let statement = clear(table, *part);
            let values = values![workspace, CLEARED];
            while wire.run(statement, values).await? > 0 {}
        }
    }
    Ok(())
}

#[async_trait]
impl Walk for PostgresWalk {
    async fn page(
        &mut self,
        (table, part): (&'static Table, Part),
        after: Option<Vec<Value>>,
        limit: u32,
    ) -> Result<Vec<Row>, StoreError> {
        let statement = statement::walk(table, part, self.workspace.is_some(), after.is_some());
        let mut values: Vec<Sql> = self.workspace.map(Sql::from).into_iter().collect();
        values.push(Sql::from(limit));
        values.extend(after.unwrap_or_default().into_iter().map(sql));
        let wire = self.lease.wire()?;
        let rows = wire.list(statement, &values, |row| {
            let columns = table.columns.iter().enumerate();
            columns.map(|(at, column)| value(column, row, at)).collect()
        });
        let rows = rows.await;
        self.lease.step(rows)
    }
}

fn value(column: &Column, row: &crate::row::Row, at: usize) -> Result<Value, Failure> {
    let found = match column.kind {
        Kind::Id | Kind::Bytes => row.get::<Option<Vec<u8>>>(at)?.map(Value::Bytes),
        Kind::Integer => row.get::<Option<i64>>(at)?.map(Value::Integer),
        Kind::Flag => row.get::<Option<bool>>(at)?.map(Value::Flag),
        Kind::Text => row.get::<Option<String>>(at)?.map(Value::Text),
    };
    found
        .or_else(|| column.nullable.then_some(Value::Null))
        .ok_or_else(Failure::damaged)
}

fn sql(value: Value) -> Sql {
    match value {
        Value::Null => Sql::Null,
        Value::Integer(number) => Sql::Number(number),
        Value::Flag(flag) => Sql::Flag(flag),
        Value::Bytes(bytes) => Sql::Bytes(bytes),
        Value::Text(text) => Sql::Text(text),
    }
}

#[async_trait]
impl Fill for PostgresFill {
    async fn put(&mut self, table: &'static Table, rows: Vec<Row>) -> Result<(), StoreError> {
        let statement = statement::insert(table, self.workspace.is_some());
        let own = self.workspace.map(Sql::from);
        let all = rows.into_iter().map(|row| {
            let own = own.clone().into_iter();
            own.chain(row.into_iter().map(sql)).collect()
        });
        let all: Vec<Vec<Sql>> = all.collect();
        let put = self.lease.wire()?.run_each(statement, &all).await;
        self.lease.step(put).map(|_| ())
    }

    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        self.lease.commit(Mode::Write).await.map(|_| ())
    }
}
