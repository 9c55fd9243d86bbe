//! A transaction on a connection: what it is about, how far it is, and what becomes of the connection.
//!
//! A connection goes back to the pool only with a `ROLLBACK` or `COMMIT` behind it; one whose statement was
//! given up half-way is closed. The next transaction on it proves that nothing was left: it asks for the
//! words of the last one before it says its own.

use std::pin::pin;
use std::task::{Context, Waker};

use deadpool_postgres::Object;
use futures_util::future::{try_join3, try_join4};
use skep_domain::Id;
use skep_store::backend::Mode;
use skep_store::{ScopeKey, StoreError};

use crate::failure::{Failure, over};
use crate::given_up::GivenUp;
use crate::planning::Planning;
use crate::pool::Connections;
use crate::rows::{Counter, Rows, Wire};
use crate::statement::statements;
use crate::value::values;

statements! {
    /// Whether nothing is left of the last transaction; and what this one is about.
    WORKSPACE = "SELECT coalesce(current_setting('skep.workspace', true), '') = ''
                     AND coalesce(current_setting('skep.installation', true), '') = '',
                 set_config('skep.workspace', $1, true), set_config('lock_timeout', $2, true)";
    INSTALLATION = "SELECT coalesce(current_setting('skep.workspace', true), '') = ''
                     AND coalesce(current_setting('skep.installation', true), '') = '',
                 set_config('skep.installation', 'on', true), set_config('lock_timeout', $1, true)";
    SEEN = "SELECT organization_id, seq FROM workspace_state WHERE workspace_id = $1";
    /// Writers of a workspace take turns.
    TURN = "SELECT organization_id, seq FROM workspace_state WHERE workspace_id = $1 FOR UPDATE";
}

/// A transaction. Dropped, it leaves nothing that was not committed.
pub(crate) struct Lease {
    connection: Option<Object>,
    planning: Planning,
    given_up: GivenUp,
    state: State,
    counter: Counter,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Begun,
    /// A step of it runs, or was given up while it ran.
    Running,
    /// A step failed: only a rollback is left.
    Failed,
    Done,
}

impl Lease {
    /// A transaction on one workspace: the words, the lock and the place, in one turn of the wire.
    pub(crate) async fn of_workspace(
        connections: &Connections,
        scope: &ScopeKey,
        mode: Mode,
    ) -> Result<Self, StoreError> {
        let mut lease = Self::of(connections).await?;
        let workspace = scope.workspace().to_bytes();
        let counter = lease.enter(connections, scope, mode).await?;
        let Some((organization, seq)) = counter else {
            return Err(StoreError::Gone);
        };
        if organization != scope.organization().to_bytes() {
            return Err(StoreError::Gone);
        }
        lease.counter = Counter::at(workspace, seq);
        lease.state = State::Begun;
        Ok(lease)
    }

    /// A transaction on one workspace, whether it has rows or not; says whether it has.
    pub(crate) async fn of_any_workspace(
        connections: &Connections,
        scope: &ScopeKey,
        mode: Mode,
    ) -> Result<(Self, bool), StoreError> {
        let mut lease = Self::of(connections).await?;
        let found = lease.enter(connections, scope, mode).await?;
        let own = scope.organization().to_bytes();
        if found.is_some_and(|(organization, _)| organization != own) {
            return Err(StoreError::Gone);
        }
        lease.state = State::Begun;
        Ok((lease, found.is_some()))
    }

    /// A transaction on a workspace that is being made: it has no row yet, and both walls are open to it.
    pub(crate) async fn of_new_workspace(
        connections: &Connections,
        scope: &ScopeKey,
    ) -> Result<Self, StoreError> {
        let mut lease = Self::of_installation(connections, Mode::Write).await?;
        lease.tell_workspace(connections, scope).await?;
        Ok(lease)
    }

    /// A transaction that ends a workspace. The turn of writing there comes first, so that who writes the
    /// installation's own tables does not wait for who writes a workspace.
    pub(crate) async fn of_ending_workspace(
        connections: &Connections,
        scope: &ScopeKey,
    ) -> Result<Self, StoreError> {
        let mut lease = Self::of_workspace(connections, scope, Mode::Write).await?;
        let wire = lease.wire()?;
        let told = async {
            wire.tell_installation().await?;
            wire.take_turn().await
        };
        let told = told.await;
        lease.step(told)?;
        Ok(lease)
    }

    /// A transaction on what is left of a workspace; whether there is anything to be on is the caller's part.
    pub(crate) async fn of_ended_workspace(
        connections: &Connections,
        scope: &ScopeKey,
    ) -> Result<Self, StoreError> {
        let mut lease = Self::beside_others(connections).await?;
        lease.tell_workspace(connections, scope).await?;
        Ok(lease)
    }

    /// Opens the other wall as well.
    async fn tell_workspace(
        &mut self,
        connections: &Connections,
        scope: &ScopeKey,
    ) -> Result<(), StoreError> {
        let workspace = scope.workspace().to_bytes();
        let wire = self.wire()?;
        let told = async {
            wire.tell_workspace(&hex(workspace)).await?;
            if connections.is_distributed() {
                wire.tell_machines(workspace).await?;
            }
            Ok(())
        };
        let told = told.await;
        self.step(told)
    }

    /// A transaction on the installation's own tables.
    pub(crate) async fn of_installation(
        connections: &Connections,
        mode: Mode,
    ) -> Result<Self, StoreError> {
        Self::enter_installation(connections, mode, mode.writes()).await
    }

    /// One that writes the installation's own tables beside others that do: for rows that stand alone, and jobs,
    /// which lock their own.
    pub(crate) async fn beside_others(connections: &Connections) -> Result<Self, StoreError> {
        Self::enter_installation(connections, Mode::Write, false).await
    }

    async fn enter_installation(
        connections: &Connections,
        mode: Mode,
        takes_turns: bool,
    ) -> Result<Self, StoreError> {
        let mut lease = Self::of(connections).await?;
        let wire = lease.wire()?;
        let patience = patience(connections);
        let begun = async {
            let words = wire.prepare(INSTALLATION).await?;
            let patience = values![patience];
            let turn = async {
                if takes_turns {
                    wire.take_turn().await?;
                }
                Ok(())
            };
            let ((), clean, ()) = try_join3(
                wire.batch(begin(mode)),
                wire.first(&words, patience, |row| row.get::<bool>(0)),
                turn,
            )
            .await?;
            Ok(clean)
        };
        let clean = begun.await;
        lease.proven(clean)?;
        Ok(lease)
    }

    async fn of(connections: &Connections) -> Result<Self, StoreError> {
        Ok(Self {
            connection: Some(connections.get().await?),
            planning: Planning::new(connections.is_distributed()),
            given_up: connections.given_up(),
            state: State::Begun,
            counter: Counter::default(),
        })
    }

    async fn enter(
        &mut self,
        connections: &Connections,
        scope: &ScopeKey,
        mode: Mode,
    ) -> Result<Option<([u8; 16], u64)>, StoreError> {
        let workspace = scope.workspace().to_bytes();
        let place = match mode {
            Mode::Read => SEEN,
            Mode::Write | Mode::Swift => TURN,
        };
        let patience = patience(connections);
        let wire = self.wire()?;
        let begun = async {
            let (words, place) = (wire.prepare(WORKSPACE).await?, wire.prepare(place).await?);
            let about = values![hex(workspace), patience];
            let here = values![workspace];
            let machines = async {
                if connections.is_distributed() {
                    wire.tell_machines(workspace).await?;
                }
                Ok(())
            };
            let ((), clean, (), found) = try_join4(
                wire.batch(begin(mode)),
                wire.first(&words, about, |row| row.get::<bool>(0)),
                machines,
                wire.first(&place, here, |row| Ok((row.get(0)?, row.get(1)?))),
            )
            .await?;
            Ok((clean, found))
        };
        let (clean, found) = match begun.await {
            Ok((clean, found)) => (Ok(clean), found),
            Err(failure) => (Err(failure), None),
        };
        self.proven(clean)?;
        Ok(found)
    }

    /// Whether the connection was as a new one. One that was not, or did not say, is closed, and serves nobody.
    fn proven(&mut self, clean: Result<Option<bool>, Failure>) -> Result<(), StoreError> {
        if clean? == Some(true) {
            self.state = State::Begun;
            return Ok(());
        }
        Err(StoreError::Unavailable(
            "a connection came with another transaction's words".into(),
        ))
    }

    /// For the next step: call [`Self::step`] with what came of it.
    pub(crate) fn wire(&mut self) -> Result<Wire<'_>, StoreError> {
        self.begin_step()?;
        match &self.connection {
            Some(connection) => Ok(Wire::new(connection, &self.planning)),
            None => Err(over()),
        }
    }

    /// The rows of the workspace, for the next step: call [`Self::step`] with what came of it.
    pub(crate) fn rows(&mut self) -> Result<Rows<'_>, StoreError> {
        self.begin_step()?;
        match &self.connection {
            Some(connection) => {
                let wire = Wire::new(connection, &self.planning);
                Ok(Rows::new(wire, &mut self.counter))
            }
            None => Err(over()),
        }
    }

    fn begin_step(&mut self) -> Result<(), StoreError> {
        match self.state {
            State::Begun => {
                self.state = State::Running;
                Ok(())
            }
            State::Running => Err(StoreError::Refused(
                "the transaction was given up: begin another".into(),
            )),
            State::Failed | State::Done => Err(over()),
        }
    }

    /// What came of a step: an error ends the transaction.
    pub(crate) fn step<T>(&mut self, outcome: Result<T, Failure>) -> Result<T, StoreError> {
        self.state = match outcome {
            Ok(_) => State::Begun,
            Err(_) => State::Failed,
        };
        Ok(outcome?)
    }

    /// Makes it durable. Of one that only read, nobody waits for the end.
    pub(crate) async fn commit(mut self, mode: Mode) -> Result<u64, StoreError> {
        let wire = self.wire()?;
        if mode.writes() {
            // An error here leaves it as running: nobody knows what is durable, and the connection is closed.
            wire.batch("COMMIT").await?;
            self.state = State::Done;
        } else {
            self.state = State::Begun;
        }
        Ok(self.counter.seq)
    }

    /// What came of its only step, made durable.
    pub(crate) async fn finish<T>(
        mut self,
        mode: Mode,
        outcome: Result<T, Failure>,
    ) -> Result<T, StoreError> {
        let value = self.step(outcome)?;
        self.commit(mode).await?;
        Ok(value)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else {
            return;
        };
        match self.state {
            State::Done => {}
            State::Begun | State::Failed => {
                // Sent by its first poll; the connection's own task sees to the answer.
                let rollback = pin!(connection.batch_execute("ROLLBACK"));
                let _ = rollback.poll(&mut Context::from_waker(Waker::noop()));
            }
            // A statement may be on its way.
            State::Running => self.given_up.end(connection),
        }
    }
}

fn begin(mode: Mode) -> &'static str {
    match mode {
        Mode::Read => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        Mode::Write => "BEGIN ISOLATION LEVEL READ COMMITTED",
        Mode::Swift => "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL synchronous_commit = off",
    }
}

fn patience(connections: &Connections) -> String {
    connections.patience().as_millis().to_string()
}

/// An id as the policies read it.
fn hex(bytes: [u8; 16]) -> String {
    use std::fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(32), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}
