//! Statements on a connection that is in a transaction, and one workspace's rows as they see them.

use std::ops::Deref;

use deadpool_postgres::Object;
use futures_util::future::{try_join, try_join_all};
use skep_domain::Id;
use tokio_postgres::types::ToSql;

use crate::failure::Failure;
use crate::planning::Planning;
use crate::row::Row;
use crate::statement::{Statement, statements};
use crate::value::{Value, values};

statements! {
    TELL_INSTALLATION = "SELECT set_config('skep.installation', 'on', true)";
    /// Writers of the installation's own tables take turns.
    INSTALLATION_TURN = "SELECT pg_advisory_xact_lock(6001122335)";
    TELL_WORKSPACE = "SELECT set_config('skep.workspace', $1, true)";
    PLAN = "SELECT set_config('plan_cache_mode', $1, true)";
    BUMP [once] = "UPDATE workspace_state SET seq = seq + 1 WHERE workspace_id = $1 RETURNING seq";
    PUT_IDENTITY = "INSERT INTO workspace_state (workspace_id, organization_id, seq)
                    VALUES ($1, $2, 0)";
}

/// A connection in a transaction.
#[derive(Clone, Copy)]
pub(crate) struct Wire<'c> {
    connection: &'c Object,
    planning: &'c Planning,
}

/// The connection, the workspace that every statement names, and the transaction's `seq`.
pub(crate) struct Rows<'c> {
    wire: Wire<'c>,
    pub(crate) workspace: [u8; 16],
    counter: &'c mut Counter,
}

/// The workspace's `seq` as a transaction sees it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counter {
    pub(crate) seq: u64,
    workspace: [u8; 16],
    /// This transaction has added its one.
    bumped: bool,
}

impl Counter {
    pub(crate) fn at(workspace: [u8; 16], seq: u64) -> Self {
        Self {
            seq,
            workspace,
            bumped: false,
        }
    }
}

impl<'c> Wire<'c> {
    pub(crate) fn new(connection: &'c Object, planning: &'c Planning) -> Self {
        Self {
            connection,
            planning,
        }
    }

    /// Every row.
    pub(crate) async fn list<T>(
        &self,
        statement: Statement,
        values: &[Value],
        read: impl Fn(&Row) -> Result<T, Failure>,
    ) -> Result<Vec<T>, Failure> {
        let prepared = self.prepare(statement).await?;
        let values = parameters(values);
        let rows = self.connection.query(&prepared, &values);
        let rows = self.planned(statement, rows).await?;
        rows.into_iter().map(|row| read(&Row(row))).collect()
    }

    /// The first row, if there is one.
    pub(crate) async fn find<T>(
        &self,
        statement: Statement,
        values: &[Value],
        read: impl Fn(&Row) -> Result<T, Failure>,
    ) -> Result<Option<T>, Failure> {
        let prepared = self.prepare(statement).await?;
        self.planned(statement, self.first(&prepared, values, read))
            .await
    }

    /// The row that is always there, such as a count.
    pub(crate) async fn get<T>(
        &self,
        statement: Statement,
        values: &[Value],
        read: impl Fn(&Row) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let found = self.find(statement, values, read).await?;
        found.ok_or_else(Failure::damaged)
    }

    /// Whether there is a row.
    pub(crate) async fn exists(
        &self,
        statement: Statement,
        values: &[Value],
    ) -> Result<bool, Failure> {
        Ok(self.find(statement, values, |_| Ok(())).await?.is_some())
    }

    /// How many rows it changed.
    pub(crate) async fn run(&self, statement: Statement, values: &[Value]) -> Result<u64, Failure> {
        let prepared = self.prepare(statement).await?;
        let values = parameters(values);
        let done = self.connection.execute(&prepared, &values);
        self.planned(statement, done).await
    }

    /// The same for one after the other, without waiting in between; how many rows each changed.
    pub(crate) async fn run_each(
        &self,
        statement: Statement,
        all: &[Vec<Value>],
    ) -> Result<Vec<u64>, Failure> {
        let prepared = self.prepare(statement).await?;
        let runs = all.iter().map(|values| {
            let prepared = &prepared;
            async move { self.connection.execute(prepared, &parameters(values)).await }
        });
        self.planned(statement, try_join_all(runs)).await
    }

    /// Has a statement planned as it is to be, in the same turn of the wire.
    async fn planned<T, E: Into<Failure>>(
        &self,
        statement: Statement,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, Failure> {
        let Some(turn) = self.planning.turn(statement) else {
            return work.await.map_err(Into::into);
        };
        let prepared = self.prepare(PLAN).await?;
        let turn = Value::from(turn);
        let ask = async {
            self.connection.query(&prepared, &[&turn]).await?;
            Ok(())
        };
        let work = async { work.await.map_err(Into::into) };
        let ((), done) = try_join(ask, work).await?;
        Ok(done)
    }

    pub(crate) async fn prepare(
        &self,
        statement: Statement,
    ) -> Result<tokio_postgres::Statement, Failure> {
        Ok(self.connection.prepare_cached(statement.text).await?)
    }

    pub(crate) async fn first<T>(
        &self,
        prepared: &tokio_postgres::Statement,
        values: &[Value],
        read: impl Fn(&Row) -> Result<T, Failure>,
    ) -> Result<Option<T>, Failure> {
        let found = self.connection.query(prepared, &parameters(values)).await?;
        let first = found.into_iter().next();
        first.map(|row| read(&Row(row))).transpose()
    }

    /// `BEGIN` and `COMMIT`.
    pub(crate) async fn batch(&self, text: &'static str) -> Result<(), Failure> {
        Ok(self.connection.batch_execute(text).await?)
    }

    /// What a transaction that makes a workspace is about.
    pub(crate) async fn tell_workspace(&self, words: &str) -> Result<(), Failure> {
        self.get(TELL_WORKSPACE, values![words], |_| Ok(())).await
    }

    /// The same to the machine that has the workspace's rows. It takes no parameters: so an id, and nothing
    /// that anybody wrote.
    pub(crate) async fn tell_machines(&self, workspace: [u8; 16]) -> Result<(), Failure> {
        let workspace = u128::from_be_bytes(workspace);
        let words = format!("SET LOCAL skep.workspace = '{workspace:032x}'");
        Ok(self.connection.batch_execute(&words).await?)
    }

    /// What a transaction on a workspace is about besides.
    pub(crate) async fn tell_installation(&self) -> Result<(), Failure> {
        self.get(TELL_INSTALLATION, &[], |_| Ok(())).await
    }

    /// The turn of writing the installation's own tables, until the transaction ends.
    pub(crate) async fn take_turn(&self) -> Result<(), Failure> {
        self.get(INSTALLATION_TURN, &[], |_| Ok(())).await
    }

    /// The first row of a new workspace.
    pub(crate) async fn put_identity(
        &self,
        workspace: [u8; 16],
        organization: [u8; 16],
    ) -> Result<(), Failure> {
        let values = values![workspace, organization];
        self.run(PUT_IDENTITY, values).await.map(|_| ())
    }
}

impl<'c> Rows<'c> {
    pub(crate) fn new(wire: Wire<'c>, counter: &'c mut Counter) -> Self {
        Self {
            wire,
            workspace: counter.workspace,
            counter,
        }
    }

    /// The workspace's `seq`, with what this transaction added.
    pub(crate) fn seq(&self) -> u64 {
        self.counter.seq
    }

    /// The `seq` of what this transaction writes. The first call adds one to the workspace's, so
    /// call it when something is about to change, and only then.
    pub(crate) async fn writing(&mut self) -> Result<u64, Failure> {
        if !self.counter.bumped {
            let values = values![self.workspace];
            let seq = self.wire.get(BUMP, values, |row| row.get(0)).await?;
            self.counter.seq = seq;
            self.counter.bumped = true;
        }
        Ok(self.counter.seq)
    }
}

impl<'c> Deref for Rows<'c> {
    type Target = Wire<'c>;

    fn deref(&self) -> &Wire<'c> {
        &self.wire
    }
}

fn parameters(values: &[Value]) -> Vec<&(dyn ToSql + Sync)> {
    values.iter().map(|value| value as _).collect()
}

/// Ids for `= ANY`, which makes one statement of any number of them.
pub(crate) fn id_array<I: Id>(ids: &[I]) -> Vec<[u8; 16]> {
    ids.iter().map(|id| id.to_bytes()).collect()
}
