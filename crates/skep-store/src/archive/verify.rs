//! Opens every sealed column there is: what opens is what was written, in the place where it was written.

use skep_crypto::{DataKey, Identity};
use skep_domain::Id;

use super::backup::{Walker, list};
use super::party::Installation;
use super::tables::{INSTALLATION, Table, WORKSPACE};
use super::value::{Row, Value};
use crate::StoreError;
use crate::backend::{Area, Walk};
use crate::scope::ScopeKey;

/// What was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Opened {
    /// Rows that were looked at.
    pub rows: u64,
    /// Sealed columns in them.
    pub sealed: u64,
    /// Workspaces that only a key which their organization keeps itself would open.
    pub closed: u64,
}

const MISPLACED: StoreError = StoreError::Damaged("the place of a sealed column");

/// Opens everything.
///
/// # Errors
/// [`StoreError::Crypto`] when something does not open.
pub async fn open_all(installation: &Installation) -> Result<Opened, StoreError> {
    let secret = installation.secret.as_ref().ok_or(MISPLACED)?;
    let mut opened = Opened::default();
    let own = secret.control_key();
    area(
        installation.control().await?,
        INSTALLATION,
        (&own, None),
        &mut opened,
    )
    .await?;
    let mut walk = Walker::new(installation.control().await?);
    for (organization, workspace) in list(&mut walk).await? {
        let scope = ScopeKey::provision(organization, workspace);
        let row = installation.backend.workspace(&scope).await?;
        let row = row.ok_or(StoreError::Damaged("a workspace's control row is gone"))?;
        let id = workspace.to_bytes();
        if row.key.is_layered() {
            installation.kek.check(&row.key, id)?;
            opened.closed += 1;
            continue;
        }
        let key = installation.kek.unwrap(&row.key, id)?;
        key.open(&place("workspace", "name", (id, id)), &row.name)?;
        opened.sealed += 1;
        let walk = installation.backend.walk(Area::Workspace(&scope)).await?;
        let walk = walk.ok_or(StoreError::Damaged("a workspace's rows are gone"))?;
        area(walk, WORKSPACE, (&key, Some(id)), &mut opened).await?;
    }
    Ok(opened)
}

async fn area(
    walk: Box<dyn Walk>,
    tables: &'static [Table],
    (key, workspace): (&DataKey, Option<[u8; 16]>),
    opened: &mut Opened,
) -> Result<(), StoreError> {
    let (mut walk, mut out) = (Walker::new(walk), Vec::new());
    for table in tables.iter().filter(|table| table.is_archived) {
        walk.enter(table);
        loop {
            let rows = walk.page(table).await?;
            if rows.is_empty() {
                break;
            }
            for row in &rows {
                opened.rows += 1;
                opened.sealed += open_row(table, row, (key, workspace), &mut out)?;
            }
        }
    }
    Ok(())
}

fn open_row(
    table: &Table,
    row: &Row,
    (key, workspace): (&DataKey, Option<[u8; 16]>),
    out: &mut Vec<u8>,
) -> Result<u64, StoreError> {
    let mut opened = 0;
    for (column, value) in table.columns.iter().zip(row) {
        let (Some(sealed), false) = (value.bytes(), column.sealed.is_empty()) else {
            continue;
        };
        // An entry of the ledger whose line was erased: the hash is all there is of it.
        if sealed.is_empty() && matches!(table.name, "audit" | "usage") {
            continue;
        }
        let id = |name: &str| {
            let at = table.place(name).ok_or(MISPLACED)?;
            row_id(&row[at])
        };
        let at = match (workspace, column.sealed) {
            (Some(workspace), [row]) => (workspace, id(row)?),
            (None, [row]) => ([0; 16], id(row)?),
            (None, [owner, row]) => (id(owner)?, id(row)?),
            _ => return Err(MISPLACED),
        };
        key.open_into(&place(table.name, column.name, at), sealed, out)?;
        opened += 1;
    }
    Ok(opened)
}

fn place<'a>(
    table: &'a str,
    column: &'a str,
    (workspace, row): ([u8; 16], [u8; 16]),
) -> Identity<'a> {
    Identity {
        table,
        column,
        workspace,
        row,
    }
}

/// The row's id as seals know it: an id, the first half of a digest, or the same of a name's.
fn row_id(value: &Value) -> Result<[u8; 16], StoreError> {
    let digest = match value {
        Value::Bytes(bytes) => return bytes.first_chunk().copied().ok_or(MISPLACED),
        Value::Text(name) => skep_crypto::sha256(name.as_bytes()),
        _ => return Err(MISPLACED),
    };
    digest.first_chunk().copied().ok_or(MISPLACED)
}
