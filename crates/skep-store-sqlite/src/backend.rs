//! The port on files: the installation's own rows in `control.db`, a file for each workspace.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use skep_crypto::Sealed;
use skep_domain::{Id, OrganizationId, Principal, ReadPolicy, WorkspaceId};
use skep_store::backend::{Backend, BackendTx, ControlTx, CredentialKey, Mode, StoredCredential};
use skep_store::row::{CredentialRow, InstanceRow, WorkspaceRow};
use skep_store::{ControlKey, ScopeKey, StoreError};

use crate::database::{Database, Lease};
use crate::directory::{Directory, Found, Place};
use crate::migration::CONTROL;
use crate::transaction::SqliteTx;
use crate::workspaces::Workspaces;
use crate::{Options, control};

/// An installation in one directory.
pub struct SqliteBackend {
    control: Arc<Database>,
    workspaces: Workspaces,
}

impl SqliteBackend {
    /// Opens the data directory, or makes one, and brings `control.db` up to date. Only one process
    /// may have it open; seeing to that is the caller's part.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when the directory is not ours alone or was written by another
    /// version, with what to do; nothing was changed then. [`StoreError::Damaged`] when
    /// `control.db` is no database.
    pub async fn open(dir: &Path, options: Options) -> Result<Self, StoreError> {
        let directory = Arc::new(Directory::open(dir)?);
        if directory.look(Place::Control)? == Found::Nothing {
            directory.build(Place::Control, |path| {
                Ok(CONTROL.build(path, &options, |_| Ok(()))?)
            })?;
        }
        let control = Database::new(directory.path_of(Place::Control), options);
        let lease = control.lease(Mode::Write).await?;
        let (_, migrated) = lease.run(|lease| lease.migrate(&CONTROL)).await?;
        migrated?;
        Ok(Self {
            control,
            workspaces: Workspaces::new(directory, options),
        })
    }
}

#[async_trait]
impl Backend for SqliteBackend {
    fn name(&self) -> &'static str {
        "sqlite"
    }

    async fn instance(&self, _: &ControlKey) -> Result<Option<InstanceRow>, StoreError> {
        self.control.call(Mode::Read, control::instance).await
    }

    async fn put_instance(&self, _: &ControlKey, row: InstanceRow) -> Result<(), StoreError> {
        self.control
            .call(Mode::Write, move |connection| {
                control::put_instance(connection, &row)
            })
            .await
    }

    /// The file comes first: a workspace that the control data knows has one, and a crash in
    /// between leaves an empty file that nothing refers to.
    async fn put_workspace(
        &self,
        scope: &ScopeKey,
        row: WorkspaceRow,
        credentials: Vec<CredentialRow>,
    ) -> Result<(), StoreError> {
        let tenant = tenant(scope);
        let taken = self
            .control
            .call(Mode::Read, move |connection| {
                control::is_taken(connection, tenant.1)
            })
            .await?;
        if taken {
            return Err(StoreError::Conflict("a workspace with this id"));
        }
        self.workspaces.create(scope).await?;
        self.control
            .call(Mode::Write, move |connection| {
                control::put_workspace(connection, tenant, &row, &credentials)
            })
            .await
    }

    async fn workspace(&self, scope: &ScopeKey) -> Result<Option<WorkspaceRow>, StoreError> {
        let tenant = tenant(scope);
        self.control
            .call(Mode::Read, move |connection| {
                control::workspace(connection, tenant)
            })
            .await
    }

    async fn workspaces(
        &self,
        _: &ControlKey,
    ) -> Result<Vec<(OrganizationId, WorkspaceId)>, StoreError> {
        self.control.call(Mode::Read, control::workspaces).await
    }

    async fn replace_install_token(
        &self,
        scope: &ScopeKey,
        new: CredentialKey,
    ) -> Result<(), StoreError> {
        let tenant = tenant(scope);
        self.control
            .call(Mode::Write, move |connection| {
                control::replace_install_token(connection, tenant, &new)
            })
            .await
    }

    async fn credential(
        &self,
        key: &CredentialKey,
    ) -> Result<Option<StoredCredential>, StoreError> {
        let key = *key;
        self.control
            .call(Mode::Read, move |connection| {
                control::credential(connection, &key)
            })
            .await
    }

    async fn begin_control(
        &self,
        _: &ControlKey,
        mode: Mode,
    ) -> Result<Box<dyn ControlTx>, StoreError> {
        let lease = self.control.lease(mode).await?;
        Ok(Box::new(control::SqliteControlTx::new(lease)))
    }

    async fn policies(
        &self,
        scope: &ScopeKey,
        principal: Principal,
    ) -> Result<Vec<ReadPolicy>, StoreError> {
        let tenant = tenant(scope);
        self.control
            .call(Mode::Read, move |connection| {
                control::policies(connection, tenant, principal)
            })
            .await
    }

    async fn put_snapshot(&self, scope: &ScopeKey, snapshot: Sealed) -> Result<(), StoreError> {
        self.workspaces.put_snapshot(scope, snapshot).await
    }

    async fn snapshot(&self, scope: &ScopeKey) -> Result<Option<Sealed>, StoreError> {
        self.workspaces.snapshot(scope).await
    }

    async fn drop_snapshot(&self, scope: &ScopeKey) -> Result<(), StoreError> {
        self.workspaces.drop_snapshot(scope).await
    }

    async fn scrub(&self, scope: &ScopeKey) -> Result<bool, StoreError> {
        let database = self.workspaces.database(scope).await?;
        let lease = database.lease(Mode::Write).await?;
        let (_, scrubbed) = lease.run(Lease::scrub).await?;
        scrubbed
    }

    async fn begin(&self, scope: &ScopeKey, mode: Mode) -> Result<Box<dyn BackendTx>, StoreError> {
        let database = self.workspaces.database(scope).await?;
        let lease = database.lease(mode).await?;
        Ok(Box::new(SqliteTx::new(*scope, lease)))
    }
}

fn tenant(scope: &ScopeKey) -> ([u8; 16], [u8; 16]) {
    (
        scope.organization().to_bytes(),
        scope.workspace().to_bytes(),
    )
}
