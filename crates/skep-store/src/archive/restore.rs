//! From an archive into a place without an installation. The archive is read to its end before anything is
//! written; each workspace comes whole, and the installation's own rows last, so that whatever happens on the
//! way leaves nothing that a daemon would serve.

use std::collections::HashSet;

use skep_domain::{Id, OrganizationId, Timestamp, WorkspaceId};

use super::backup::tally;
use super::format::{Archive, Head, Reader, Record, Section};
use super::party::{Installation, Party, rewrap};
use super::tables::{INSTALLATION, Table, WORKSPACE};
use super::value::{Row, Tally, Value};
use crate::StoreError;
use crate::backend::{Area, Fill};
use crate::row::TicketKind;
use crate::scope::{ControlKey, ScopeKey};

/// Rows that are put at a time, and the bytes of their columns.
const BATCH: (usize, usize) = (500, 2 << 20);

/// What an archive has, read to its end.
#[derive(Clone, Debug)]
pub struct Summary {
    /// When it was begun.
    pub made_at: Timestamp,
    /// Whether it has the whole installation.
    pub is_whole: bool,
    /// Its workspaces, with their rows.
    pub workspaces: Vec<(OrganizationId, WorkspaceId, u64)>,
    /// Workspaces that were erased while it was written: named, and without rows.
    pub gone: Vec<WorkspaceId>,
    /// All rows.
    pub rows: u64,
    pub(super) head: Head,
}

/// What a restore has put.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Restored {
    /// Workspaces.
    pub workspaces: u64,
    /// Rows of all tables.
    pub rows: u64,
}

/// Rows of one table that are put together.
pub(super) struct Batch {
    fill: Box<dyn Fill>,
    table: Option<&'static Table>,
    rows: Vec<Row>,
    bytes: usize,
}

impl Batch {
    pub(super) fn new(fill: Box<dyn Fill>) -> Self {
        Self {
            fill,
            table: None,
            rows: Vec::new(),
            bytes: 0,
        }
    }

    pub(super) async fn put(&mut self, table: &'static Table, row: Row) -> Result<(), StoreError> {
        let is_full = self.rows.len() >= BATCH.0 || self.bytes >= BATCH.1;
        if is_full || self.table.is_none_or(|open| open != table) {
            self.flush().await?;
        }
        self.table = Some(table);
        let bytes = row.iter().filter_map(Value::bytes).map(<[u8]>::len);
        self.bytes += bytes.sum::<usize>();
        self.rows.push(row);
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), StoreError> {
        self.bytes = 0;
        let rows = std::mem::take(&mut self.rows);
        match self.table {
            Some(table) if !rows.is_empty() => self.fill.put(table, rows).await,
            _ => Ok(()),
        }
    }

    pub(super) async fn commit(mut self) -> Result<(), StoreError> {
        self.flush().await?;
        self.fill.commit().await
    }
}

impl Archive {
    /// Reads it to its end: every chunk opened in order, every row fitting its table, every table counted
    /// and compared.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when a bit of it is not what was written; [`StoreError::Refused`] when it is
    /// closed for somebody else, or of another version.
    pub fn read_through(&self) -> Result<Summary, StoreError> {
        let mut reader = self.open()?;
        let head = reader.head();
        let mut summary = Summary {
            made_at: head.made_at,
            is_whole: head.is_whole,
            workspaces: Vec::new(),
            gone: Vec::new(),
            rows: 0,
            head,
        };
        let mut in_workspace = false;
        while let Some(record) = reader.next()? {
            match record {
                Record::Section(Section::Workspace(organization, workspace)) => {
                    summary.workspaces.push((organization, workspace, 0));
                    in_workspace = true;
                }
                Record::Section(Section::Gone(workspace)) => summary.gone.push(workspace),
                Record::Section(_) => in_workspace = false,
                Record::Row(..) => {}
                Record::TableEnd(_, tally) => {
                    summary.rows += tally.rows;
                    if let (true, Some(last)) = (in_workspace, summary.workspaces.last_mut()) {
                        last.2 += tally.rows;
                    }
                }
            }
        }
        Ok(summary)
    }

    /// What was counted of each table when it was written, by workspace; `None` is the installation.
    fn tallies(&self) -> Result<Vec<Counted>, StoreError> {
        let (mut reader, mut counted) = (self.open()?, Vec::<Counted>::new());
        let mut is_counted = true;
        while let Some(record) = reader.next()? {
            match record {
                Record::Section(Section::Workspace(organization, workspace)) => {
                    is_counted = true;
                    counted.push((Some((organization, workspace)), Vec::new()));
                }
                Record::Section(Section::Installation) => counted.push((None, Vec::new())),
                // Of the installation it has a part, and of what is gone nothing.
                Record::Section(_) => is_counted = false,
                Record::TableEnd(table, tally) => {
                    if let (true, Some((_, tallies))) = (is_counted, counted.last_mut()) {
                        tallies.push((table.name, tally));
                    }
                }
                Record::Row(..) => {}
            }
        }
        Ok(counted)
    }

    /// Compares what is in the archive with what is stored, row by row.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when they differ.
    pub async fn compare(&self, with: &Installation) -> Result<u64, StoreError> {
        let key = self.open()?.into_checksums();
        let mut compared = 0;
        for (tenant, archived) in self.tallies()? {
            let stored = match tenant {
                None => tally(with.control().await?, INSTALLATION, &key).await?,
                Some((organization, workspace)) => {
                    let scope = ScopeKey::provision(organization, workspace);
                    let walk = with.backend.walk(Area::Workspace(&scope)).await?;
                    let walk = walk.ok_or(StoreError::Damaged("a workspace is missing"))?;
                    tally(walk, WORKSPACE, &key).await?
                }
            };
            if stored != archived {
                return Err(StoreError::Damaged(
                    "what was restored is not what the archive has",
                ));
            }
            compared += archived.iter().map(|(_, tally)| tally.rows).sum::<u64>();
        }
        Ok(compared)
    }
}

type Counted = (
    Option<(OrganizationId, WorkspaceId)>,
    Vec<(&'static str, Tally)>,
);

/// Puts a whole archive into an empty place. Codes that let somebody in once do not come back, since some
/// were used after the backup, unless it is only for a look (`for_a_look`).
///
/// # Errors
/// [`StoreError::Refused`] when something is there, or the archive is of one workspace; as
/// [`Archive::read_through`]. Nothing that a daemon would serve is there then.
pub async fn restore(
    archive: &Archive,
    target: &Party<'_>,
    for_a_look: bool,
    say: &mut (dyn FnMut(u64) + Send),
) -> Result<Restored, StoreError> {
    let summary = archive.read_through()?;
    if !summary.is_whole {
        return Err(StoreError::Refused(
            "the archive is of one workspace: say which, and restore it into an installation"
                .into(),
        ));
    }
    let target = target.vacant().await?.of(summary.head.instance);
    let mut done = Restored::default();
    let mut reader = archive.open()?;
    let mut open: Option<Batch> = None;
    while let Some(record) = reader.next()? {
        match record {
            Record::Section(section) => {
                close(&mut open, &mut done).await?;
                if let Section::Workspace(organization, workspace) = section {
                    let scope = ScopeKey::provision(organization, workspace);
                    let fill = target.backend.fill(Area::Workspace(&scope)).await?;
                    open = Some(Batch::new(fill));
                }
            }
            Record::Row(table, row) => {
                if let Some(batch) = &mut open {
                    batch.put(table, row).await?;
                    done.rows += 1;
                }
            }
            Record::TableEnd(..) => say(done.rows),
        }
    }
    close(&mut open, &mut done).await?;
    done.rows += control(archive, &target, &summary, for_a_look).await?;
    say(done.rows);
    Ok(done)
}

async fn close(open: &mut Option<Batch>, done: &mut Restored) -> Result<(), StoreError> {
    if let Some(batch) = open.take() {
        batch.commit().await?;
        done.workspaces += 1;
    }
    Ok(())
}

/// The installation's own rows, which make an installation of what was put.
async fn control(
    archive: &Archive,
    target: &Installation,
    summary: &Summary,
    for_a_look: bool,
) -> Result<u64, StoreError> {
    let mut reader = archive.open()?;
    let from = reader.wrapping();
    let control = ControlKey::new();
    let fill = target.backend.fill(Area::Installation(&control)).await?;
    let (mut batch, mut rows) = (Batch::new(fill), 0);
    let gone: HashSet<[u8; 16]> = summary.gone.iter().map(|id| id.to_bytes()).collect();
    while let Some((table, mut row)) = next_of_installation(&mut reader)? {
        if !for_a_look && (is_of(table, &row, &gone) || lets_in_once(table, &row)) {
            continue;
        }
        rewrap(table, &mut row, (&from, &target.kek), &*target.random)?;
        batch.put(table, row).await?;
        rows += 1;
    }
    batch.commit().await?;
    Ok(rows)
}

/// The next of the installation's own rows; none after them.
pub(super) fn next_of_installation(
    reader: &mut Reader,
) -> Result<Option<(&'static Table, Row)>, StoreError> {
    while let Some(record) = reader.next()? {
        match record {
            Record::Section(Section::Installation | Section::Single) | Record::TableEnd(..) => {}
            Record::Section(_) => return Ok(None),
            Record::Row(table, row) => return Ok(Some((table, row))),
        }
    }
    Ok(None)
}

/// Whether a row of the installation goes with one of these workspaces.
fn is_of(table: &Table, row: &Row, workspaces: &HashSet<[u8; 16]>) -> bool {
    let column = match table.name {
        "workspace" => "id",
        // What was decided and what was used stays in the record, whatever it is about.
        "audit" | "usage" | "usage_day" => return false,
        _ => "workspace",
    };
    let id = table.place(column).and_then(|at| row[at].id());
    id.is_some_and(|id| workspaces.contains(&id))
}

/// Whether it is a code that is good for one thing; what remembers that something is used up is not.
fn lets_in_once(table: &Table, row: &Row) -> bool {
    const SPENT: [i64; 2] = [
        TicketKind::RevokedToken as i64,
        TicketKind::UsedProof as i64,
    ];
    let kind = table.place("kind").map(|at| &row[at]);
    table.name == "ticket" && !matches!(kind, Some(Value::Integer(kind)) if SPENT.contains(kind))
}
