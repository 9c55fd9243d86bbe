//! The port on PostgreSQL.

use async_trait::async_trait;
use rustls::ClientConfig;
use skep_crypto::Sealed;
use skep_domain::{Id, OrganizationId, Principal, ReadPolicy, Timestamp, WorkspaceId};
use skep_store::backend::{
    Backend, BackendTx, ControlTx, CredentialKey, Heard, Hold, JobQueue, Mode, Shared,
    StoredCredential, Work,
};
use skep_store::row::{
    CredentialRow, EraseStep, InstanceRow, JobAsk, JobLease, JobRow, NewJobRow, WorkspaceRow,
};
use skep_store::{ControlKey, ScopeKey, StoreError};
use tokio_postgres::Config;

use crate::lease::Lease;
use crate::node::Node;
use crate::planning::Planning;
use crate::pool::Connections;
use crate::rows::Wire;
use crate::transaction::PostgresTx;
use crate::{Options, Server, control, distributed, erase, guard, inventory, proof, snapshot};

/// An installation in one database.
pub struct PostgresBackend {
    pub(crate) connections: Connections,
    node: Node,
    version: String,
}

impl PostgresBackend {
    /// Connects to a database that `migrate` has prepared.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it cannot be reached; [`StoreError::Refused`] when its schema is of
    /// another version, or anything weakens the walls between workspaces, with a list of what.
    pub async fn open(
        server: Config,
        tls: ClientConfig,
        options: Options,
    ) -> Result<Self, StoreError> {
        let mut connections = Connections::new(server.clone(), tls.clone(), options, false)?;
        let connection = connections.get().await?;
        let planning = Planning::new(false);
        let wire = Wire::new(&connection, &planning);
        let version = guard::check(&wire).await?;
        if distributed::is_distributed(&wire).await? {
            connections = Connections::new(server.clone(), tls.clone(), options, true)?;
        }
        drop(connection);
        Ok(Self {
            node: Node::new(server, tls, options, connections.clone()),
            connections,
            version,
        })
    }

    /// The same, to where and as whom an operator says.
    ///
    /// # Errors
    /// As for [`PostgresBackend::open`].
    pub async fn connect(server: &Server, options: Options) -> Result<Self, StoreError> {
        let (config, tls) = server.settings()?;
        Self::open(config, tls, options).await
    }

    /// The server's version, such as `15.18`.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    pub(crate) async fn installation(&self, mode: Mode) -> Result<Lease, StoreError> {
        Lease::of_installation(&self.connections, mode).await
    }
}

/// One step on the installation's own tables, as a transaction of its own.
macro_rules! alone {
    ($backend:ident, $mode:expr, $work:path $(, $value:expr)*) => {{
        let mut lease = $backend.installation($mode).await?;
        let outcome = $work(&lease.wire()? $(, $value)*).await;
        lease.finish($mode, outcome).await
    }};
}

#[async_trait]
impl Backend for PostgresBackend {
    fn name(&self) -> &'static str {
        "postgres"
    }

    fn shared(&self) -> Option<&dyn Shared> {
        Some(self)
    }

    async fn reach(&self, key: &ControlKey) -> Result<(), StoreError> {
        match self.node.reach().await {
            // The server may have had no room for one more connection.
            Err(StoreError::Unavailable(_)) => self.instance(key).await.map(|_| ()),
            reached => reached,
        }
    }

    async fn instance(&self, _: &ControlKey) -> Result<Option<InstanceRow>, StoreError> {
        alone!(self, Mode::Read, control::instance)
    }

    async fn put_instance(&self, _: &ControlKey, row: InstanceRow) -> Result<(), StoreError> {
        alone!(self, Mode::Write, control::put_instance, &row)
    }

    async fn put_workspace(
        &self,
        scope: &ScopeKey,
        row: WorkspaceRow,
        credentials: Vec<CredentialRow>,
    ) -> Result<(), StoreError> {
        let mut lease = Lease::of_new_workspace(&self.connections, scope).await?;
        let outcome =
            control::put_workspace(&lease.wire()?, tenant(scope), &row, &credentials).await;
        lease.finish(Mode::Write, outcome).await
    }

    async fn workspace(&self, scope: &ScopeKey) -> Result<Option<WorkspaceRow>, StoreError> {
        alone!(self, Mode::Read, control::workspace, tenant(scope))
    }

    async fn workspaces(
        &self,
        _: &ControlKey,
    ) -> Result<Vec<(OrganizationId, WorkspaceId)>, StoreError> {
        alone!(self, Mode::Read, control::workspaces)
    }

    async fn replace_install_token(
        &self,
        scope: &ScopeKey,
        new: CredentialKey,
    ) -> Result<(), StoreError> {
        let tenant = tenant(scope);
        alone!(
            self,
            Mode::Write,
            control::replace_install_token,
            tenant,
            &new
        )
    }

    async fn credential(
        &self,
        key: &CredentialKey,
    ) -> Result<Option<StoredCredential>, StoreError> {
        alone!(self, Mode::Read, control::credential, key)
    }

    async fn begin_control(
        &self,
        _: &ControlKey,
        mode: Mode,
    ) -> Result<Box<dyn ControlTx>, StoreError> {
        let lease = self.installation(mode).await?;
        Ok(Box::new(control::PostgresControlTx::new(lease, mode)))
    }

    async fn policies(
        &self,
        scope: &ScopeKey,
        principal: Principal,
    ) -> Result<Vec<ReadPolicy>, StoreError> {
        alone!(
            self,
            Mode::Read,
            control::policies,
            tenant(scope),
            principal
        )
    }

    async fn put_snapshot(&self, scope: &ScopeKey, snapshot: Sealed) -> Result<(), StoreError> {
        let mut lease = Lease::of_workspace(&self.connections, scope, Mode::Write).await?;
        let outcome = snapshot::put(&lease.rows()?, &snapshot).await;
        lease.finish(Mode::Write, outcome).await
    }

    async fn snapshot(&self, scope: &ScopeKey) -> Result<Option<Sealed>, StoreError> {
        let mut lease = Lease::of_workspace(&self.connections, scope, Mode::Read).await?;
        let outcome = snapshot::get(&lease.rows()?).await;
        lease.finish(Mode::Read, outcome).await
    }

    async fn drop_snapshot(&self, scope: &ScopeKey) -> Result<(), StoreError> {
        let mut lease = Lease::of_workspace(&self.connections, scope, Mode::Write).await?;
        let outcome = snapshot::remove(&lease.rows()?).await;
        lease.finish(Mode::Write, outcome).await
    }

    /// The server vacuums by itself, and what is left in its pages and its log meanwhile is sealed.
    async fn scrub(&self, scope: &ScopeKey) -> Result<bool, StoreError> {
        let lease = Lease::of_workspace(&self.connections, scope, Mode::Read).await?;
        lease.commit(Mode::Read).await?;
        Ok(true)
    }

    async fn begin(&self, scope: &ScopeKey, mode: Mode) -> Result<Box<dyn BackendTx>, StoreError> {
        let lease = Lease::of_workspace(&self.connections, scope, mode).await?;
        Ok(Box::new(PostgresTx::new(*scope, mode, lease)))
    }
}

#[async_trait]
impl JobQueue for PostgresBackend {
    async fn claim_job(&self, _: &ControlKey, ask: JobAsk) -> Result<Option<JobRow>, StoreError> {
        let mut lease = Lease::beside_others(&self.connections).await?;
        let outcome = control::job::claim(&lease.wire()?, &ask).await;
        lease.finish(Mode::Write, outcome).await
    }

    async fn renew_job(
        &self,
        _: &ControlKey,
        held: JobLease,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut lease = Lease::beside_others(&self.connections).await?;
        let outcome = control::job::renew(&lease.wire()?, held, until.as_micros()).await;
        lease.finish(Mode::Write, outcome).await
    }

    async fn retire_workspace(&self, scope: &ScopeKey, job: NewJobRow) -> Result<bool, StoreError> {
        let mut lease = match Lease::of_ending_workspace(&self.connections, scope).await {
            Err(StoreError::Gone) => return Ok(false),
            lease => lease?,
        };
        let outcome = erase::retire(&lease.wire()?, scope, &job).await;
        lease.finish(Mode::Write, outcome).await
    }

    async fn erase_step(
        &self,
        scope: &ScopeKey,
        held: JobLease,
        place: (u32, u32),
        until: Timestamp,
    ) -> Result<EraseStep, StoreError> {
        let mut lease = Lease::of_ended_workspace(&self.connections, scope).await?;
        let outcome = erase::step(&lease.wire()?, scope, held, place, until.as_micros()).await;
        lease.finish(Mode::Write, outcome).await
    }

    async fn count_rows(&self, scope: &ScopeKey) -> Result<Vec<(&'static str, u64)>, StoreError> {
        let mut lease = Lease::of_workspace(&self.connections, scope, Mode::Read).await?;
        let outcome = inventory::count(&lease.rows()?).await;
        lease.finish(Mode::Read, outcome).await
    }
}

#[async_trait]
impl Shared for PostgresBackend {
    async fn hear(&self, _: &ControlKey) -> Heard {
        self.node.hear().await
    }

    async fn hold(
        &self,
        scope: &ScopeKey,
        work: Work,
    ) -> Result<Option<Box<dyn Hold>>, StoreError> {
        self.node.hold(number(scope, work)).await
    }

    async fn spend_proof(
        &self,
        _: &ControlKey,
        digest: [u8; 32],
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut lease = Lease::beside_others(&self.connections).await?;
        let outcome = proof::spend(&lease.wire()?, digest, until).await;
        lease.finish(Mode::Write, outcome).await
    }

    async fn sweep_proofs(
        &self,
        _: &ControlKey,
        now: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        // Two at once would wait for each other's rows.
        let mut lease = self.installation(Mode::Write).await?;
        let outcome = proof::sweep(&lease.wire()?, now, limit).await;
        lease.finish(Mode::Write, outcome).await
    }
}

/// What a piece of work is known by among nodes. Of two that shared a number, one would wait for the other.
fn number(scope: &ScopeKey, work: Work) -> i64 {
    let digest = skep_crypto::sha256(&[&[work as u8], &scope.workspace().to_bytes()[..]].concat());
    i64::from_be_bytes(std::array::from_fn(|at| digest[at]))
}

fn tenant(scope: &ScopeKey) -> ([u8; 16], [u8; 16]) {
    (
        scope.organization().to_bytes(),
        scope.workspace().to_bytes(),
    )
}
