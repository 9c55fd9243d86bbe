//! One workspace from an archive into an installation that goes on: into the place of the one that is there,
//! or to where it is no more. Nothing else is written to.

use std::sync::Arc;

use skep_crypto::{DataKey, KeyEncryptionKey, WrappedKey};
use skep_domain::{Clock, Id, Name, OrganizationId, WorkspaceId};

use super::backup::{is_deleted, table};
use super::filter::Later;
use super::format::{Archive, Record};
use super::party::{Installation, rewrap};
use super::restore::{Batch, Summary, next_of_installation};
use super::tables::Table;
use super::value::{Row, Value};
use crate::StoreError;
use crate::access::ControlKeys;
use crate::backend::Area;
use crate::keys::{WorkspaceKeys, column};
use crate::scope::{ControlKey, ScopeKey};

/// Which workspace of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chosen {
    /// By its name.
    Name(String),
    /// By its id.
    Id(WorkspaceId),
}

/// Where it goes.
#[derive(Clone, Debug, Default)]
pub struct Into {
    /// The organization; the one that it was in if absent.
    pub organization: Option<OrganizationId>,
    /// Its name there; the one that it had if absent.
    pub name: Option<String>,
    /// Whether it may take the place of the rows that the workspace has there.
    pub replaces: bool,
}

/// What becomes of that which was erased after the backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Erasures {
    /// It stays erased.
    Win,
    /// It comes back: somebody said so.
    Undone,
}

/// What was put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SingleRestored {
    /// The workspace.
    pub workspace: WorkspaceId,
    /// Its name.
    pub name: String,
    /// Whether it took the place of what was there.
    pub replaced: bool,
    /// Rows that were put.
    pub rows: u64,
    /// Rows that stayed away because something was erased after the backup; `None` when nobody could tell,
    /// since the rows of the workspace were gone.
    pub withheld: Option<u64>,
}

/// A workspace of an archive, found and opened.
struct Found {
    organization: OrganizationId,
    workspace: WorkspaceId,
    row: Row,
    keys: WorkspaceKeys,
    name: String,
    /// The agents and groups of the same workspace.
    others: Vec<(&'static Table, Row)>,
}

const MISSING: StoreError = StoreError::Damaged("the row of a workspace");

impl Archive {
    /// The workspaces by name; opens what it takes to know those.
    ///
    /// # Errors
    /// As [`Archive::read_through`].
    pub fn names(&self) -> Result<Vec<(WorkspaceId, String)>, StoreError> {
        let mut names = Vec::new();
        for (row, keys) in self.workspace_rows()? {
            names.push((keys.0, name_of(&row, &keys)?));
        }
        Ok(names)
    }

    fn workspace_rows(&self) -> Result<Vec<(Row, Opened)>, StoreError> {
        let mut reader = self.open()?;
        let (from, workspace) = (reader.wrapping(), table("workspace")?);
        let mut found = Vec::new();
        while let Some((table, row)) = next_of_installation(&mut reader)? {
            // One that its organization keeps closed is restored with the whole alone.
            let is_closed = || {
                let key = bytes(table, &row, "wrapped_key");
                key.is_ok_and(|key| WrappedKey::from_bytes(key).is_layered())
            };
            if table == workspace && !is_deleted(table, &row) && !is_closed() {
                let opened = open(table, &row, &from)?;
                found.push((row, opened));
            }
        }
        Ok(found)
    }

    fn find(
        &self,
        chosen: &Chosen,
        random: &Arc<dyn skep_crypto::Random>,
    ) -> Result<Found, StoreError> {
        let mut matching = Vec::new();
        for (row, opened) in self.workspace_rows()? {
            let name = name_of(&row, &opened)?;
            let fits = match chosen {
                Chosen::Name(wanted) => name == *wanted,
                Chosen::Id(wanted) => opened.0 == *wanted,
            };
            if fits {
                matching.push((row, opened, name));
            }
        }
        let (Some((row, opened, name)), true) = (matching.pop(), matching.is_empty()) else {
            return Err(StoreError::Refused(match chosen {
                Chosen::Name(name) => format!(
                    "the archive has none or several workspaces of the name {name:?}: choose one by its id, \
                     as a listing of the archive shows it"
                ),
                Chosen::Id(_) => "the archive has no workspace of this id".into(),
            }));
        };
        let organization = place(table("workspace")?, &row, "organization")?;
        Ok(Found {
            organization: OrganizationId::from_bytes(organization),
            workspace: opened.0,
            others: self.others(opened.0)?,
            keys: WorkspaceKeys::new(opened.0, opened.1, Arc::clone(random)),
            row,
            name,
        })
    }

    fn others(&self, of: WorkspaceId) -> Result<Vec<(&'static Table, Row)>, StoreError> {
        let (mut reader, mut others) = (self.open()?, Vec::new());
        while let Some((table, row)) = next_of_installation(&mut reader)? {
            let is_kind = ["policy_group", "agent"].contains(&table.name);
            if is_kind && place(table, &row, "workspace")? == of.to_bytes() {
                others.push((table, row));
            }
        }
        Ok(others)
    }
}

/// A workspace's id and its key.
struct Opened(WorkspaceId, DataKey);

fn open(table: &Table, row: &Row, from: &KeyEncryptionKey) -> Result<Opened, StoreError> {
    let id = place(table, row, "id")?;
    let key = bytes(table, row, "wrapped_key")?;
    let key = from.unwrap(&WrappedKey::from_bytes(key), id)?;
    Ok(Opened(WorkspaceId::from_bytes(id), key))
}

fn name_of(row: &Row, Opened(workspace, key): &Opened) -> Result<String, StoreError> {
    let sealed = bytes(table("workspace")?, row, "name")?;
    let opened = key.open(&column::WORKSPACE_NAME.at(*workspace), &sealed)?;
    String::from_utf8(opened.expose().clone()).map_err(|_| MISSING)
}

fn bytes(table: &Table, row: &Row, column: &str) -> Result<Vec<u8>, StoreError> {
    let found = table.place(column).and_then(|at| row[at].bytes());
    found.map(<[u8]>::to_vec).ok_or(MISSING)
}

fn place(table: &Table, row: &Row, column: &str) -> Result<[u8; 16], StoreError> {
    let found = table.place(column).and_then(|at| row[at].id());
    found.ok_or(MISSING)
}

/// Puts one workspace of an archive into an installation.
///
/// # Errors
/// [`StoreError::Refused`] when it is there and may not be replaced, was erased there, or belongs nowhere;
/// as [`Archive::read_through`]. Nothing was changed then.
pub async fn restore_workspace(
    archive: &Archive,
    target: &Installation,
    (chosen, into): (&Chosen, &Into),
    erasures: Erasures,
    clock: &dyn Clock,
) -> Result<SingleRestored, StoreError> {
    let summary = archive.read_through()?;
    let found = archive.find(chosen, &target.random)?;
    let known = target.backend.workspaces(&ControlKey::new()).await?;
    let there = known.iter().find(|(_, id)| *id == found.workspace).copied();
    check(there, into, (&summary, target), erasures)?;
    let organization = match (there, into.organization) {
        (Some((organization, _)), _) | (None, Some(organization)) => organization,
        (None, None) => found.organization,
    };
    if there.is_none() {
        target.has_organization(organization).await?;
    }
    if let Some((organization, workspace)) = there {
        target
            .has_same_key(&found, &ScopeKey::provision(organization, workspace))
            .await?;
    }
    let scope = ScopeKey::provision(organization, found.workspace);
    let (rows, withheld) = put(archive, target, &scope, erasures).await?;
    let name = into.name.clone().unwrap_or_else(|| found.name.clone());
    let mut done = SingleRestored {
        workspace: found.workspace,
        name,
        replaced: there.is_some(),
        rows,
        withheld,
    };
    if there.is_none() {
        let same = summary.head.instance == target.id;
        done.rows += target
            .adopt(archive, found, (organization, &done.name, same), clock)
            .await?;
        done.withheld = Some(0);
    } else {
        done.name = found.name;
        target.backend.drop_snapshot(&scope).await?;
    }
    Ok(done)
}

fn check(
    there: Option<(OrganizationId, WorkspaceId)>,
    into: &Into,
    (summary, target): (&Summary, &Installation),
    erasures: Erasures,
) -> Result<(), StoreError> {
    let refused = |why: &str| Err(StoreError::Refused(why.into()));
    let Some((organization, _)) = there else {
        if summary.head.instance == target.id && erasures == Erasures::Win {
            return refused(
                "this installation had the workspace when the backup was made, and has it no more: it was erased \
                 since. Say explicitly that it is to come back",
            );
        }
        return match into.name.as_deref().map(Name::parse) {
            Some(Err(_)) => refused("the new name is none"),
            _ => Ok(()),
        };
    };
    if !into.replaces {
        return refused(
            "the workspace is there: say explicitly that its rows are to be replaced by those of the archive",
        );
    }
    if into.name.is_some()
        || into
            .organization
            .is_some_and(|wanted| wanted != organization)
    {
        return refused("the workspace is there, and keeps its name and its organization");
    }
    Ok(())
}

/// The workspace's own rows, in the place of all that are there.
async fn put(
    archive: &Archive,
    target: &Installation,
    scope: &ScopeKey,
    erasures: Erasures,
) -> Result<(u64, Option<u64>), StoreError> {
    // From here on nobody else writes there: what is erased meanwhile waits, and is erased of what comes.
    let fill = target.backend.fill(Area::Workspace(scope)).await?;
    let mut later = None;
    if erasures == Erasures::Win
        && let Some(walk) = target.backend.walk(Area::Workspace(scope)).await?
    {
        let mut known = Later::read(walk).await?;
        for_each_row(archive, scope, |table, row| known.knew(table, row))?;
        later = Some(known);
    }
    let (mut batch, mut rows) = (Batch::new(fill), 0);
    let (mut reader, mut is_ours) = (archive.open()?, false);
    while let Some(record) = reader.next()? {
        match record {
            Record::Section(section) => is_ours = section.is_of(scope),
            Record::Row(table, mut row) if is_ours => {
                if let Some(at) = table.place("organization_id") {
                    row[at] = Value::Bytes(scope.organization().to_bytes().to_vec());
                }
                let allowed = match &mut later {
                    None => Some(row),
                    Some(later) => later.allow(table, row),
                };
                if let Some(row) = allowed {
                    batch.put(table, row).await?;
                    rows += 1;
                }
            }
            Record::TableEnd(table, _) if is_ours => {
                for row in later
                    .as_mut()
                    .map(|later| later.own(table))
                    .unwrap_or_default()
                {
                    batch.put(table, row).await?;
                    rows += 1;
                }
            }
            Record::Row(..) | Record::TableEnd(..) => {}
        }
    }
    if rows == 0 {
        return Err(StoreError::Refused(
            "the workspace was erased while the archive was written: it has no rows of it".into(),
        ));
    }
    batch.commit().await?;
    Ok((rows, later.map(|later| later.withheld)))
}

/// Looks at every row of a workspace.
fn for_each_row(
    archive: &Archive,
    scope: &ScopeKey,
    mut look: impl FnMut(&Table, &Row),
) -> Result<(), StoreError> {
    let (mut reader, mut is_ours) = (archive.open()?, false);
    while let Some(record) = reader.next()? {
        match record {
            Record::Section(section) => is_ours = section.is_of(scope),
            Record::Row(table, row) if is_ours => look(table, &row),
            Record::Row(..) | Record::TableEnd(..) => {}
        }
    }
    Ok(())
}

impl Installation {
    async fn has_organization(&self, organization: OrganizationId) -> Result<(), StoreError> {
        let mut rows = self
            .backend
            .begin_control(&ControlKey::new(), crate::Mode::Read)
            .await?;
        match rows.organization(organization).await? {
            Some(_) => Ok(()),
            None => Err(StoreError::Refused(
                "the organization of the workspace is not there: say into which one it is to go"
                    .into(),
            )),
        }
    }

    /// Whether the rows of the archive are sealed under the key that the workspace has here.
    async fn has_same_key(&self, found: &Found, scope: &ScopeKey) -> Result<(), StoreError> {
        let row = self.backend.workspace(scope).await?.ok_or(MISSING)?;
        let id = scope.workspace().to_bytes();
        match found.keys.open(column::WORKSPACE_NAME, id, &row.name) {
            Ok(_) => Ok(()),
            Err(_) => Err(StoreError::Refused(
                "the workspace has another key here than in the archive".into(),
            )),
        }
    }

    /// The rows of the installation that make it a workspace. Who may enter is for the organization to say:
    /// its administrators may, as everywhere in it.
    async fn adopt(
        &self,
        archive: &Archive,
        found: Found,
        (organization, name, same): (OrganizationId, &str, bool),
        clock: &dyn Clock,
    ) -> Result<u64, StoreError> {
        let secret = self.secret.as_ref().ok_or(MISSING)?;
        let control = ControlKeys::new(secret, Arc::clone(&self.random));
        let id = found.workspace.to_bytes();
        let workspace = table("workspace")?;
        let mut row = found.row;
        let from = archive.open()?.wrapping();
        rewrap(workspace, &mut row, (&from, &self.kek), &*self.random)?;
        let sealed = found.keys.seal(column::WORKSPACE_NAME, id, name.as_bytes());
        let fingerprint = control.workspace_name(organization, name);
        for (column, value) in [
            (
                "organization",
                Value::Bytes(organization.to_bytes().to_vec()),
            ),
            ("name", Value::Bytes(sealed.into_bytes())),
            ("fingerprint", Value::Bytes(fingerprint.to_vec())),
            ("created_at", Value::Integer(clock.now().as_micros())),
        ] {
            row[workspace.place(column).ok_or(MISSING)?] = value;
        }
        let fill = self
            .backend
            .fill(Area::Installation(&ControlKey::new()))
            .await?;
        let (mut batch, mut rows) = (Batch::new(fill), 1);
        batch.put(workspace, row).await?;
        // Names of agents are sealed under the installation's own key: another one could not open them.
        for (table, mut row) in found.others.into_iter().filter(|_| same) {
            row[table.place("organization").ok_or(MISSING)?] =
                Value::Bytes(organization.to_bytes().to_vec());
            batch.put(table, row).await?;
            rows += 1;
        }
        batch.commit().await.map_err(|error| match error {
            StoreError::Conflict(_) => StoreError::Refused(
                "the organization has a workspace of this name: say another one".into(),
            ),
            other => other,
        })?;
        Ok(rows)
    }
}
