//! The port on files: the installation's own rows in `control.db`, a file for each workspace.

use std::path::Path;
use std::sync::{Arc, PoisonError};

use async_trait::async_trait;
use skep_crypto::Sealed;
use skep_domain::{Id, OrganizationId, Principal, ReadPolicy, Timestamp, WorkspaceId};
use skep_store::backend::{
    Backend, BackendTx, ControlTx, CredentialKey, JobQueue, Many, Mode, StoredCredential,
};
use skep_store::row::{
    CredentialRow, EraseStep, InstanceRow, JobAsk, JobLease, JobRow, NewJobRow, WorkspaceRow,
};
use skep_store::{ControlKey, ScopeKey, StoreError};

use crate::database::{Database, Lease};
use crate::directory::{Directory, Found, Place};
use crate::known::Known;
use crate::migration::{CONTROL, WORKSPACE};
use crate::transaction::SqliteTx;
use crate::workspaces::Workspaces;
use crate::{Options, blocking, control, erase, inventory};

/// Pages of the log of `control.db`: 32 MiB.
const CONTROL_LOG: u32 = 8_000;

/// An installation in one directory.
pub struct SqliteBackend {
    pub(crate) control: Arc<Database>,
    pub(crate) workspaces: Arc<Workspaces>,
    known: Known,
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
        // One file for everybody, and whoever calls is looked up in it: none of its readers is opened twice. Each
        // model call changes the same few pages of it, so that copying them seldom is copying less.
        let of_control = Options {
            readers_kept: options.readers,
            log_pages: CONTROL_LOG,
            ..options
        };
        let control = Database::new(directory.path_of(Place::Control), of_control);
        let lease = control.lease(Mode::Write).await?;
        let (_, migrated) = lease.run(|lease| lease.migrate(&CONTROL)).await?;
        migrated?;
        let workspaces = Workspaces::new(directory, options);
        for id in control.call(Mode::Read, erase::gone).await? {
            workspaces.shut(WorkspaceId::from_bytes(id));
        }
        Ok(Self {
            control,
            workspaces: Arc::new(workspaces),
            known: Known::default(),
        })
    }

    /// A turn in a workspace. It may have been deleted while others had theirs.
    async fn lease(&self, scope: &ScopeKey, mode: Mode) -> Result<Lease, StoreError> {
        let database = self.workspaces.database(scope).await?;
        let lease = database.lease(mode).await?;
        if self.workspaces.is_shut(scope.workspace()) {
            return Err(StoreError::Gone);
        }
        Ok(lease)
    }

    /// What an erased row leaves in the log of `control.db` goes too, as soon as nobody reads there.
    async fn scrub_control(&self) -> Result<bool, StoreError> {
        let lease = self.control.lease(Mode::Write).await?;
        let (_, scrubbed) = lease.run(Lease::scrub).await?;
        scrubbed
    }

    /// Counts what the file of a deleted workspace holds, for its job, and removes the file; `None` when
    /// there is none any more.
    async fn erase_file(
        &self,
        scope: &ScopeKey,
        lease: JobLease,
    ) -> Result<Option<u64>, StoreError> {
        let id = scope.workspace();
        let Some(database) = self.workspaces.shut_database(id).await? else {
            return Ok(None);
        };
        let lease_of_file = database.lease(Mode::Write).await?;
        let (lease_of_file, migrated) =
            lease_of_file.run(|lease| lease.migrate(&WORKSPACE)).await?;
        let counts = match migrated {
            Ok(()) => count_in(lease_of_file, scope).await,
            Err(error) => Err(error),
        };
        let counts = match counts {
            // It goes all the same; how much it had nobody can say.
            Err(StoreError::Damaged(_) | StoreError::Refused(_)) => Counts::new(),
            counts => counts?,
        };
        drop(database);
        let rows = counts.iter().map(|(_, count)| count).sum();
        let job = lease.id;
        self.control
            .call(Mode::Write, move |connection| {
                control::job::count(connection, job, &counts, false)
            })
            .await?;
        self.workspaces.remove(id).await?;
        Ok(Some(rows))
    }
}

async fn count_in(lease: Lease, scope: &ScopeKey) -> Result<Counts, StoreError> {
    let workspace = scope.workspace().to_bytes();
    let (_, counts) = lease
        .run(move |lease| inventory::count(&lease.rows(workspace)?))
        .await?;
    counts
}

/// Rows by table.
type Counts = Vec<(&'static str, u64)>;

#[async_trait]
impl JobQueue for SqliteBackend {
    async fn claim_job(&self, _: &ControlKey, ask: JobAsk) -> Result<Option<JobRow>, StoreError> {
        self.control
            .call(Mode::Write, move |connection| {
                control::job::claim(connection, &ask)
            })
            .await
    }

    async fn renew_job(
        &self,
        _: &ControlKey,
        lease: JobLease,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        self.control
            .call(Mode::Write, move |connection| {
                control::job::renew(connection, lease, until.as_micros())
            })
            .await
    }

    /// The turn of writing is held until nobody is let in any more.
    async fn retire_workspace(&self, scope: &ScopeKey, job: NewJobRow) -> Result<bool, StoreError> {
        let _turn = match self.lease(scope, Mode::Write).await {
            Err(StoreError::Gone) => return Ok(false),
            turn => turn?,
        };
        let (key, id) = (*scope, scope.workspace());
        let shut = self.workspaces.shutter();
        let retired = self.control.call(Mode::Write, move |connection| {
            let retired = erase::retire(connection, &key, &job)?;
            if retired {
                // Here, because nobody may be left to do it when this is durable.
                shut.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .insert(id);
            }
            Ok(retired)
        });
        match retired.await {
            Ok(true) => {
                // The key that was destroyed is in the log until then; the job tries again.
                self.scrub_control().await.ok();
                Ok(true)
            }
            other => {
                self.workspaces.reopen(id);
                other
            }
        }
    }

    async fn erase_step(
        &self,
        scope: &ScopeKey,
        lease: JobLease,
        (_, limit): (u32, u32),
        until: Timestamp,
    ) -> Result<EraseStep, StoreError> {
        let (key, until) = (*scope, until.as_micros());
        self.control
            .call(Mode::Write, move |connection| {
                erase::enter(connection, &key, lease, until)
            })
            .await?;
        self.workspaces.shut(scope.workspace());
        let step = |rows, is_done| EraseStep {
            rows,
            next: 0,
            is_done,
        };
        if let Some(rows) = self.erase_file(scope, lease).await? {
            return Ok(step(rows, false));
        }
        let erased = self.control.call(Mode::Write, move |connection| {
            erase::enter(connection, &key, lease, until)?;
            erase::erase(connection, &key, lease, limit)
        });
        Ok(match erased.await? {
            erase::Erased::Rows(rows) => step(rows, false),
            erase::Erased::All => step(0, self.scrub_control().await?),
        })
    }

    async fn count_rows(&self, scope: &ScopeKey) -> Result<Counts, StoreError> {
        count_in(self.lease(scope, Mode::Read).await?, scope).await
    }
}

#[async_trait]
impl Backend for SqliteBackend {
    fn name(&self) -> &'static str {
        "sqlite"
    }

    async fn at_once(&self, work: Many) -> Result<(), StoreError> {
        blocking::at_once(work).await
    }

    async fn sync(&self) -> Result<(), StoreError> {
        let database = Arc::clone(&self.control);
        let synced = blocking::run(move || database.sync_log()).await?;
        Ok(synced?)
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
        let (key, change) = (*key, self.control.change());
        if let Some(known) = self.known.get(&key, change) {
            return Ok(Some(known));
        }
        let found = self
            .control
            .call(Mode::Read, move |connection| {
                control::credential(connection, &key)
            })
            .await?;
        if let Some(found) = &found {
            self.known.keep(key, change, found);
        }
        Ok(found)
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
        let lease = self.lease(scope, Mode::Write).await?;
        let (_, scrubbed) = lease.run(Lease::scrub).await?;
        scrubbed
    }

    async fn scrub_installation(&self, _: &ControlKey) -> Result<bool, StoreError> {
        self.scrub_control().await
    }

    async fn begin(&self, scope: &ScopeKey, mode: Mode) -> Result<Box<dyn BackendTx>, StoreError> {
        let lease = self.lease(scope, mode).await?;
        Ok(Box::new(SqliteTx::new(*scope, lease)))
    }
}

fn tenant(scope: &ScopeKey) -> ([u8; 16], [u8; 16]) {
    (
        scope.organization().to_bytes(),
        scope.workspace().to_bytes(),
    )
}
