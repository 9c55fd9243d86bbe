//! Which workspaces' files are open: the most recently used, and every one in use.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use skep_crypto::Sealed;
use skep_domain::{Id, WorkspaceId};
use skep_store::backend::Mode;
use skep_store::{ScopeKey, StoreError};
use tokio::sync::{OnceCell, OwnedMutexGuard};

use crate::connection::{self, Purpose};
use crate::database::{Database, Lease};
use crate::directory::{Directory, Found, Place};
use crate::migration::WORKSPACE;
use crate::rows;
use crate::{Options, blocking};

/// The open workspaces.
pub(crate) struct Workspaces {
    directory: Arc<Directory>,
    options: Options,
    open: Mutex<Open>,
    /// Those that were deleted: nobody is let into them, whatever is left.
    gone: Arc<Mutex<HashSet<WorkspaceId>>>,
    /// One file is made at a time: two of the same name would meet under the name they have until
    /// they are whole.
    making: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Default)]
struct Open {
    /// Counts uses, to tell who was used last.
    uses: u64,
    workspaces: HashMap<WorkspaceId, (u64, Arc<Workspace>)>,
}

struct Workspace {
    database: Arc<Database>,
    /// One snapshot is written at a time: they share the name they have until they are whole.
    snapshot: Mutex<()>,
    /// The tenant that the file itself names, once it was checked and migrated.
    organization: OnceCell<[u8; 16]>,
}

impl Workspaces {
    pub(crate) fn new(directory: Arc<Directory>, options: Options) -> Self {
        Self {
            directory,
            options,
            open: Mutex::default(),
            gone: Arc::default(),
            making: Arc::default(),
        }
    }

    /// The database of a workspace that exists.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when there is none under this tenant.
    pub(crate) async fn database(&self, scope: &ScopeKey) -> Result<Arc<Database>, StoreError> {
        Ok(Arc::clone(&self.get(scope).await?.database))
    }

    /// From here on nobody is let into a workspace.
    pub(crate) fn shut(&self, id: WorkspaceId) {
        self.gone().insert(id);
    }

    /// What shuts workspaces, for where their deletion is made durable.
    pub(crate) fn shutter(&self) -> Arc<Mutex<HashSet<WorkspaceId>>> {
        Arc::clone(&self.gone)
    }

    /// It was not deleted after all.
    pub(crate) fn reopen(&self, id: WorkspaceId) {
        self.gone().remove(&id);
    }

    /// Whether a workspace was deleted. Whoever waited for a turn asks again.
    pub(crate) fn is_shut(&self, id: WorkspaceId) -> bool {
        self.gone().contains(&id)
    }

    fn gone(&self) -> std::sync::MutexGuard<'_, HashSet<WorkspaceId>> {
        self.gone.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The database of a workspace that is shut; `None` when its file is no more.
    pub(crate) async fn shut_database(
        &self,
        id: WorkspaceId,
    ) -> Result<Option<Arc<Database>>, StoreError> {
        if self.directory.look(Place::Workspace(id))? == Found::Nothing {
            return Ok(None);
        }
        Ok(Some(Arc::clone(&self.touch(id).await.database)))
    }

    /// Removes the files of a workspace that is shut, once nobody uses them.
    pub(crate) async fn remove(&self, id: WorkspaceId) -> Result<(), StoreError> {
        let workspace = self.touch(id).await;
        workspace.database.close().await?;
        let directory = Arc::clone(&self.directory);
        let held = Arc::clone(&workspace);
        blocking::run(move || {
            let _turn = held.snapshot.lock().unwrap_or_else(PoisonError::into_inner);
            directory.remove_database(Place::Snapshot(id))?;
            directory.remove_database(Place::Workspace(id))
        })
        .await??;
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.workspaces.remove(&id);
        Ok(())
    }

    /// Keeps a snapshot of a workspace's index in a file beside its rows.
    pub(crate) async fn put_snapshot(
        &self,
        scope: &ScopeKey,
        snapshot: Sealed,
    ) -> Result<(), StoreError> {
        let place = Place::Snapshot(scope.workspace());
        let workspace = self.get(scope).await?;
        let directory = Arc::clone(&self.directory);
        let (gone, id) = (Arc::clone(&self.gone), scope.workspace());
        blocking::run(move || {
            let _turn = workspace
                .snapshot
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            // Whoever removes the files waits for this turn: none is written after them.
            if gone
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .contains(&id)
            {
                return Err(StoreError::Gone);
            }
            directory.replace(place, snapshot.as_bytes())
        })
        .await?
    }

    /// Removes the last snapshot of a workspace's index.
    pub(crate) async fn drop_snapshot(&self, scope: &ScopeKey) -> Result<(), StoreError> {
        let place = Place::Snapshot(scope.workspace());
        let workspace = self.get(scope).await?;
        let directory = Arc::clone(&self.directory);
        blocking::run(move || {
            let _turn = workspace
                .snapshot
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            directory.remove(place)
        })
        .await?
    }

    /// The last snapshot of a workspace's index.
    pub(crate) async fn snapshot(&self, scope: &ScopeKey) -> Result<Option<Sealed>, StoreError> {
        let place = Place::Snapshot(scope.workspace());
        self.get(scope).await?;
        let directory = Arc::clone(&self.directory);
        let bytes = blocking::run(move || directory.read(place)).await??;
        Ok(bytes.map(Sealed::from_bytes))
    }

    async fn get(&self, scope: &ScopeKey) -> Result<Arc<Workspace>, StoreError> {
        if self.is_shut(scope.workspace()) {
            return Err(StoreError::Gone);
        }
        let place = Place::Workspace(scope.workspace());
        let workspace = self.touch(scope.workspace()).await;
        let organization = workspace
            .organization
            .get_or_try_init(|| async {
                if self.directory.look(place)? == Found::Nothing {
                    return Err(StoreError::Gone);
                }
                check(&workspace.database, scope.workspace()).await
            })
            .await?;
        if *organization != scope.organization().to_bytes() {
            return Err(StoreError::Gone);
        }
        Ok(workspace)
    }

    /// Makes a workspace's file. One that a crash left without a row in the control data is taken
    /// over, if it is the same tenant's.
    pub(crate) async fn create(&self, scope: &ScopeKey) -> Result<(), StoreError> {
        let place = Place::Workspace(scope.workspace());
        let workspace = scope.workspace().to_bytes();
        let organization = scope.organization().to_bytes();
        let (directory, options) = (Arc::clone(&self.directory), self.options);
        let making = self.making.lock().await;
        let found = blocking::run(move || {
            let found = directory.look(place)?;
            if found == Found::Nothing {
                directory.build(place, |path| {
                    let fill =
                        |connection: &_| rows::put_identity(connection, workspace, organization);
                    Ok(WORKSPACE.build(path, &options, fill)?)
                })?;
            }
            Ok::<_, StoreError>(found)
        })
        .await??;
        drop(making);
        match self.get(scope).await {
            Err(StoreError::Gone) if found == Found::File => {
                Err(StoreError::Conflict("a file for this workspace"))
            }
            outcome => outcome.map(|_| ()),
        }
    }

    /// Whether there is a file for a workspace.
    pub(crate) fn has(&self, scope: &ScopeKey) -> Result<bool, StoreError> {
        let place = Place::Workspace(scope.workspace());
        Ok(self.directory.look(place)? == Found::File)
    }

    /// A file for all rows of a workspace, with the name that it has until they are there. Only one is made at
    /// a time.
    pub(crate) async fn begin_fresh(
        &self,
        scope: &ScopeKey,
    ) -> Result<(OwnedMutexGuard<()>, PathBuf), StoreError> {
        let turn = Arc::clone(&self.making).lock_owned().await;
        let path = self
            .directory
            .begin_fresh(Place::Workspace(scope.workspace()))?;
        Ok((turn, path))
    }

    /// Opens such a file, with the schema and nothing in it.
    pub(crate) fn open_fresh(&self, path: &Path) -> Result<Connection, StoreError> {
        let mut connection = connection::open(path, Purpose::Build, &self.options)?;
        WORKSPACE.apply(&mut connection)?;
        Ok(connection)
    }

    /// Puts such a file, closed, in the workspace's place. What was there is closed first, so that nothing of
    /// its log is taken for the new one's.
    pub(crate) async fn publish_fresh(&self, scope: &ScopeKey) -> Result<(), StoreError> {
        let place = Place::Workspace(scope.workspace());
        if self.directory.look(place)? == Found::File {
            self.close(scope.workspace()).await?;
            if self.directory.has_log(place)? {
                return Err(in_use());
            }
        }
        self.directory.remove(Place::Snapshot(scope.workspace()))?;
        self.directory.publish_fresh(place)
    }

    /// Gives up a file that was begun.
    pub(crate) fn drop_fresh(&self, scope: &ScopeKey) {
        self.directory
            .remove_fresh(Place::Workspace(scope.workspace()));
    }

    /// Closes a workspace that nobody uses; its log goes into its file.
    async fn close(&self, id: WorkspaceId) -> Result<(), StoreError> {
        // A file that was not closed is opened, so that closing it leaves no log.
        let workspace = self.touch(id).await;
        let lease = workspace.database.lease(Mode::Write).await?;
        let (lease, cut) = lease.run(Lease::scrub).await?;
        if !cut? {
            return Err(in_use());
        }
        drop(lease);
        drop(workspace);
        match self.forget(id) {
            Some((_, workspace)) if !workspace.is_unused() => Err(in_use()),
            held => blocking::run(move || drop(held)).await,
        }
    }

    fn forget(&self, id: WorkspaceId) -> Option<(u64, Arc<Workspace>)> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.workspaces.remove(&id)
    }

    /// The workspace, now the most recently used one. Others beyond the bound are closed first (and
    /// so checkpointed): whoever opens a file waits for the closing of another.
    async fn touch(&self, id: WorkspaceId) -> Arc<Workspace> {
        let (found, surplus) = self.find(id);
        if !surplus.is_empty() {
            // It can only fail at shutdown, and then they are dropped all the same.
            let _ = blocking::run(move || drop(surplus)).await;
        }
        found
    }

    fn find(&self, id: WorkspaceId) -> (Arc<Workspace>, Vec<Arc<Workspace>>) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.uses += 1;
        let now = open.uses;
        let entry = open.workspaces.entry(id).or_insert_with(|| {
            let path = self.directory.path_of(Place::Workspace(id));
            let workspace = Workspace {
                database: Database::new(path, self.options),
                snapshot: Mutex::default(),
                organization: OnceCell::new(),
            };
            (0, Arc::new(workspace))
        });
        entry.0 = now;
        let found = Arc::clone(&entry.1);
        let surplus = open.surplus(self.options.open_workspaces.max(1));
        (found, surplus)
    }
}

impl Open {
    /// Takes out the least recently used ones that nobody uses, down to the bound.
    fn surplus(&mut self, bound: usize) -> Vec<Arc<Workspace>> {
        let beyond = self.workspaces.len().saturating_sub(bound);
        if beyond == 0 {
            return Vec::new();
        }
        let mut unused: Vec<(u64, WorkspaceId)> = self
            .workspaces
            .iter()
            .filter(|(_, (_, workspace))| workspace.is_unused())
            .map(|(id, (used, _))| (*used, *id))
            .collect();
        unused.sort_unstable_by_key(|(used, _)| *used);
        let ids = unused.iter().take(beyond).map(|(_, id)| *id);
        ids.filter_map(|id| Some(self.workspaces.remove(&id)?.1))
            .collect()
    }
}

impl Workspace {
    /// Nobody but the table holds it, and no transaction its database.
    fn is_unused(self: &Arc<Self>) -> bool {
        Arc::strong_count(self) == 1 && Arc::strong_count(&self.database) == 1
    }
}

/// Brings a file's schema up to date and asks it whose it is.
async fn check(database: &Arc<Database>, workspace: WorkspaceId) -> Result<[u8; 16], StoreError> {
    let workspace = workspace.to_bytes();
    let lease = database.lease(Mode::Write).await?;
    let (_, owner) = lease
        .run(move |lease| {
            lease.migrate(&WORKSPACE)?;
            let (owner, _) = rows::identity(lease.begin()?, workspace)?;
            lease.commit()?;
            Ok(owner)
        })
        .await?;
    owner
}

fn in_use() -> StoreError {
    StoreError::Unavailable("the workspace is in use".into())
}
