//! A backup, made as it is asked for: a page of rows at a time, sealed. Whoever takes it slowly holds up
//! nobody, and it takes as much memory for a large workspace as for a small one.

use std::collections::VecDeque;
use std::sync::Arc;

use skep_authz::Caller;
use skep_crypto::{ARCHIVE_HEADER, ArchiveLock, ArchiveSealer, KeyEncryptionKey, MacKey, Random};
use skep_domain::{OrganizationId, Timestamp, WorkspaceId};

use super::format::{Head, Section, Writer};
use super::party::rewrap;
use super::tables::{INSTALLATION, Table, WORKSPACE};
use super::value::{Row, Tally, Value};
use crate::backend::{Area, Backend, Part, Walk};
use crate::scope::{ControlKey, ScopeKey};
use crate::{Store, StoreError};

/// Bytes that a page of rows should have.
const PAGE_BYTES: usize = 2 << 20;
/// Rows of the first page of a table.
const FIRST_PAGE: u32 = 64;
/// Rows of a page, at the most.
const PAGE_MAX: u32 = 1_000;
/// Bytes that are worth handing over.
const WORTH: usize = 256 << 10;

/// What goes into an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contents {
    /// The installation's own rows, and every workspace's.
    Everything,
    /// One workspace's.
    Workspace(OrganizationId, WorkspaceId),
}

/// A backup on its way. Dropped before its end, it leaves nothing behind.
pub struct Backup {
    backend: Arc<dyn Backend>,
    random: Arc<dyn Random>,
    writer: Writer,
    /// What keys are wrapped under here, and in the archive.
    keys: (Arc<KeyEncryptionKey>, KeyEncryptionKey),
    sections: VecDeque<Section>,
    only: Option<WorkspaceId>,
    running: Option<Running>,
    is_done: bool,
}

/// A section on its way.
struct Running {
    section: Section,
    walk: Walker,
    tables: std::slice::Iter<'static, Table>,
    open: Option<(&'static Table, Tally)>,
}

/// Pages through one table after the other.
pub(super) struct Walker {
    walk: Box<dyn Walk>,
    parts: VecDeque<Part>,
    after: Option<Vec<Value>>,
    limit: u32,
}

impl Walker {
    pub(super) fn new(walk: Box<dyn Walk>) -> Self {
        Self {
            walk,
            parts: VecDeque::new(),
            after: None,
            limit: FIRST_PAGE,
        }
    }

    pub(super) fn enter(&mut self, table: &Table) {
        self.parts = Part::of(table).iter().copied().collect();
        self.after = None;
        self.limit = FIRST_PAGE;
    }

    /// The next rows of the table that was entered; none when there are no more.
    pub(super) async fn page(&mut self, table: &'static Table) -> Result<Vec<Row>, StoreError> {
        while let Some(part) = self.parts.front() {
            let after = self.after.take();
            let rows = self.walk.page((table, *part), after, self.limit).await?;
            let is_last = (rows.len() as u64) < u64::from(self.limit) || table.key.is_empty();
            match rows.last() {
                Some(last) if !is_last => {
                    self.after = Some(table.key_places().map(|at| last[at].clone()).collect());
                    self.limit = fitting(&rows);
                }
                _ => {
                    self.parts.pop_front();
                }
            }
            if !rows.is_empty() {
                return Ok(rows);
            }
        }
        Ok(Vec::new())
    }
}

/// How many rows like these make a page.
fn fitting(rows: &[Row]) -> u32 {
    let bytes = rows.iter().flatten().map(|value| match value {
        Value::Bytes(bytes) => bytes.len(),
        Value::Text(text) => text.len(),
        _ => 8,
    });
    let mean = (bytes.sum::<usize>() / rows.len().max(1)).max(1);
    u32::try_from(PAGE_BYTES / mean).map_or(PAGE_MAX, |rows| rows.clamp(1, PAGE_MAX))
}

impl Store {
    /// Begins a backup for whoever runs the installation. What is seen is the moment of each workspace's
    /// first page, and of the installation's own rows the moment of this call. A passphrase takes a third of
    /// a second and 64 MiB, on a thread that may block.
    ///
    /// # Errors
    /// [`StoreError::OutOfBounds`] for anybody else; [`StoreError`].
    pub async fn begin_backup(
        &self,
        caller: &Caller,
        lock: ArchiveLock,
        contents: Contents,
    ) -> Result<Backup, StoreError> {
        if caller.require_installation().is_err() {
            return Err(StoreError::OutOfBounds(
                "a backup is for whoever runs the installation",
            ));
        }
        let random = Arc::clone(&self.random);
        let sealing = tokio::task::spawn_blocking(move || ArchiveSealer::begin(&lock, &*random));
        let closing = |_| StoreError::Unavailable("the store is closing".into());
        let sealed = sealing.await.map_err(closing)??;
        let row = self.backend.instance(&ControlKey::new()).await?;
        let id = row.ok_or(StoreError::Damaged("the installation's row"))?.id;
        let parts = (Arc::clone(&self.backend), Arc::clone(&self.random));
        let kek = Arc::clone(&self.kek);
        Backup::begin(parts, (kek, id), sealed, (contents, self.now())).await
    }
}

impl Backup {
    async fn begin(
        (backend, random): (Arc<dyn Backend>, Arc<dyn Random>),
        (kek, instance): (Arc<KeyEncryptionKey>, [u8; 16]),
        (sealer, header): (ArchiveSealer, [u8; ARCHIVE_HEADER]),
        (contents, made_at): (Contents, Timestamp),
    ) -> Result<Self, StoreError> {
        let head = Head {
            instance,
            made_at,
            is_whole: contents == Contents::Everything,
        };
        let writer = Writer::new(sealer, header, head);
        let to = writer.wrapping(instance);
        let mut backup = Self {
            backend,
            random,
            writer,
            keys: (kek, to),
            sections: VecDeque::new(),
            only: None,
            running: None,
            is_done: false,
        };
        backup.plan(contents).await?;
        Ok(backup)
    }

    /// The installation's own rows come first: every workspace that they name is there, or was erased since.
    async fn plan(&mut self, contents: Contents) -> Result<(), StoreError> {
        let control = ControlKey::new();
        let walk = self.backend.walk(Area::Installation(&control)).await?;
        let mut walk = Walker::new(walk.ok_or(StoreError::Damaged("the installation's rows"))?);
        let first = match contents {
            Contents::Everything => {
                let workspaces = list(&mut walk).await?;
                let named = |(organization, id)| Section::Workspace(organization, id);
                self.sections.extend(workspaces.into_iter().map(named));
                Section::Installation
            }
            Contents::Workspace(organization, workspace) => {
                let workspaces = list(&mut walk).await?;
                if !workspaces.contains(&(organization, workspace)) {
                    return Err(StoreError::Refused("there is no such workspace".into()));
                }
                self.sections
                    .push_back(Section::Workspace(organization, workspace));
                self.only = Some(workspace);
                Section::Single
            }
        };
        self.start(first, walk, INSTALLATION);
        Ok(())
    }

    /// The next bytes of the archive; `None` after the last.
    ///
    /// # Errors
    /// [`StoreError`]: what was handed over is no archive then, and does not open.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        if self.is_done {
            return Ok(None);
        }
        let mut ready = Vec::new();
        while ready.len() < WORTH {
            if !self.advance().await? {
                self.is_done = true;
                ready.extend(self.writer.finish());
                break;
            }
            ready.extend(self.writer.take());
        }
        Ok(Some(ready))
    }

    fn start(&mut self, section: Section, walk: Walker, tables: &'static [Table]) {
        self.writer.section(section);
        self.running = Some(Running {
            section,
            walk,
            tables: tables.iter(),
            open: None,
        });
    }

    /// One page; `false` when there is nothing more.
    async fn advance(&mut self) -> Result<bool, StoreError> {
        let Some(running) = &mut self.running else {
            let Some(section) = self.sections.pop_front() else {
                return Ok(false);
            };
            self.enter(section).await?;
            return Ok(true);
        };
        let Some((table, tally)) = &mut running.open else {
            let single = running.section == Section::Single;
            let wanted = |table: &&Table| table.is_archived && (!single || of_one(table).is_some());
            match running.tables.find(wanted) {
                None => self.running = None,
                Some(table) => {
                    self.writer.table(table);
                    running.walk.enter(table);
                    running.open = Some((table, Tally::new()));
                }
            }
            return Ok(true);
        };
        let rows = running.walk.page(table).await?;
        if rows.is_empty() {
            self.writer.table_end(*tally);
            running.open = None;
            return Ok(true);
        }
        let key = self.writer.checksums();
        for mut row in rows {
            if !is_wanted(
                table,
                &row,
                self.only.filter(|_| running.section == Section::Single),
            ) {
                continue;
            }
            let keys = (&*self.keys.0, &self.keys.1);
            rewrap(table, &mut row, keys, &*self.random)?;
            tally.count(&key, table, &row);
            self.writer.row(&row);
        }
        Ok(true)
    }

    async fn enter(&mut self, section: Section) -> Result<(), StoreError> {
        let Section::Workspace(organization, workspace) = section else {
            return Ok(());
        };
        let scope = ScopeKey::provision(organization, workspace);
        match self.backend.walk(Area::Workspace(&scope)).await? {
            Some(walk) => self.start(section, Walker::new(walk), WORKSPACE),
            None => self.missing(workspace).await?,
        }
        Ok(())
    }

    /// One that was erased meanwhile is gone; one that should be there is damage, and no backup leaves it out.
    async fn missing(&mut self, workspace: WorkspaceId) -> Result<(), StoreError> {
        let known = self.backend.workspaces(&ControlKey::new()).await?;
        if known.iter().any(|(_, id)| *id == workspace) {
            return Err(StoreError::Damaged("a workspace's rows are gone"));
        }
        self.writer.section(Section::Gone(workspace));
        Ok(())
    }
}

/// The column that says whose a row is, of the tables of the installation that go with a workspace. What lets
/// somebody in does not: it would come back with the workspace, whatever was revoked since.
pub(super) fn of_one(table: &Table) -> Option<&'static str> {
    match table.name {
        "workspace" => Some("id"),
        "policy_group" | "agent" => Some("workspace"),
        _ => None,
    }
}

fn is_wanted(table: &Table, row: &Row, only: Option<WorkspaceId>) -> bool {
    use skep_domain::Id as _;
    let Some(only) = only else {
        return true;
    };
    let place = of_one(table).and_then(|column| table.place(column));
    place.and_then(|at| row[at].id()) == Some(only.to_bytes())
}

/// The workspaces as the walk sees them.
pub(super) async fn list(
    walk: &mut Walker,
) -> Result<Vec<(OrganizationId, WorkspaceId)>, StoreError> {
    use skep_domain::Id as _;
    const DAMAGED: StoreError = StoreError::Damaged("the row of a workspace");
    let table = table("workspace")?;
    walk.enter(table);
    let mut found = Vec::new();
    loop {
        let rows = walk.page(table).await?;
        if rows.is_empty() {
            return Ok(found);
        }
        for row in rows {
            if is_deleted(table, &row) {
                continue;
            }
            let [organization, id] = ["organization", "id"]
                .map(|name| table.place(name).and_then(|at| row[at].id()).ok_or(DAMAGED));
            found.push((
                OrganizationId::from_bytes(organization?),
                WorkspaceId::from_bytes(id?),
            ));
        }
    }
}

/// Whether the row is of a workspace that was deleted, whose rows are being erased.
pub(super) fn is_deleted(table: &Table, row: &Row) -> bool {
    let gone_at = table.place("gone_at").map(|at| &row[at]);
    gone_at.is_some_and(|gone_at| *gone_at != Value::Null)
}

/// A table of the installation, by name.
pub(super) fn table(name: &str) -> Result<&'static Table, StoreError> {
    let found = INSTALLATION.iter().find(|table| table.name == name);
    found.ok_or(StoreError::Damaged("the description of the tables"))
}

/// All rows of an area counted, by table.
pub(super) async fn tally(
    walk: Box<dyn Walk>,
    tables: &'static [Table],
    key: &MacKey,
) -> Result<Vec<(&'static str, Tally)>, StoreError> {
    let mut walk = Walker::new(walk);
    let mut counted = Vec::new();
    for table in tables.iter().filter(|table| table.is_archived) {
        walk.enter(table);
        let mut tally = Tally::new();
        loop {
            let rows = walk.page(table).await?;
            if rows.is_empty() {
                break;
            }
            for row in &rows {
                tally.count(key, table, row);
            }
        }
        counted.push((table.name, tally));
    }
    Ok(counted)
}
