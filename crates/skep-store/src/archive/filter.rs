//! What was erased after a backup stays erased when one workspace comes back from it: its tombstones, and
//! what people took back, win over the archive.

use std::collections::{HashMap, HashSet};

use super::backup::Walker;
use super::tables::{Kind, Table, WORKSPACE};
use super::value::{Row, Value};
use crate::StoreError;
use crate::backend::Walk;

/// The tables whose rows at the target count beside the archive's: what was erased, what is being erased,
/// and what somebody agreed to or no longer does.
const KEPT: [&str; 3] = ["tombstone", "removal", "consent"];
/// The state of a participant that is an id without a name.
const DELETED: Value = Value::Integer(1);
/// A removal that only takes memories out of recall.
const FORGET: Value = Value::Integer(0);

/// What the target knows of its workspace.
#[derive(Default)]
pub(super) struct Later {
    erased: HashSet<[u8; 16]>,
    deleted: HashMap<[u8; 16], Row>,
    /// By table: rows that are put after the archive's, unless those have them too.
    kept: HashMap<&'static str, Vec<Row>>,
    seq: i64,
    /// Participants that are put, as `consent` refers to them.
    participants: HashSet<[u8; 16]>,
    /// Rows that stayed away.
    pub(super) withheld: u64,
}

impl Later {
    pub(super) async fn read(walk: Box<dyn Walk>) -> Result<Self, StoreError> {
        let mut later = Self::default();
        let mut walk = Walker::new(walk);
        for table in WORKSPACE {
            let is_asked = KEPT.contains(&table.name);
            if !is_asked && !["participant", "workspace_state"].contains(&table.name) {
                continue;
            }
            walk.enter(table);
            loop {
                let rows = walk.page(table).await?;
                if rows.is_empty() {
                    break;
                }
                for row in rows {
                    later.learn(table, row);
                }
            }
        }
        Ok(later)
    }

    fn learn(&mut self, table: &'static Table, mut row: Row) {
        let id = field(table, &row, "id").and_then(Value::id);
        match (table.name, id) {
            ("workspace_state", _) => self.seq = seq(table, &row),
            ("participant", Some(id)) if field(table, &row, "state") == Some(&DELETED) => {
                // Whom it was merged into may be younger than the archive.
                if let Some(at) = table.place("merged_into") {
                    row[at] = Value::Null;
                }
                self.deleted.insert(id, row);
            }
            ("participant", _) => {}
            ("removal", _) if field(table, &row, "mode") == Some(&FORGET) => {}
            (name, id) => {
                if let (true, Some(id)) = (name == "tombstone", id) {
                    self.erased.insert(id);
                }
                self.kept.entry(table.name).or_default().push(row);
            }
        }
    }

    /// What the archive knows to be erased came to be so before it was made: it refers to that as it may.
    pub(super) fn knew(&mut self, table: &Table, row: &Row) {
        let id = field(table, row, "id").and_then(Value::id);
        if let ("tombstone", Some(id)) = (table.name, id) {
            self.erased.remove(&id);
        }
    }

    /// The row as it may come back; `None` if it may not.
    pub(super) fn allow(&mut self, table: &'static Table, row: Row) -> Option<Row> {
        let allowed = self.judge(table, row);
        if allowed.is_none() && !KEPT.contains(&table.name) {
            self.withheld += 1;
        }
        allowed
    }

    fn judge(&mut self, table: &'static Table, mut row: Row) -> Option<Row> {
        if table.name == "workspace_state" {
            let at = table.place("seq")?;
            row[at] = Value::Integer(seq(table, &row).max(self.seq).saturating_add(1));
            return Some(row);
        }
        if let Some(kept) = self.kept.get(table.name)
            && kept.iter().any(|known| same_key(table, known, &row))
        {
            // It comes with the target's own.
            return None;
        }
        if table.name == "participant" {
            let id = field(table, &row, "id").and_then(Value::id)?;
            self.participants.insert(id);
            return Some(self.deleted.get(&id).cloned().unwrap_or(row));
        }
        let subject = field(table, &row, "subject").and_then(Value::id);
        if table.name == "consent_note" && subject.is_some_and(|id| self.deleted.contains_key(&id))
        {
            return None;
        }
        if KEPT.contains(&table.name) {
            return Some(row);
        }
        self.without_erased(table, row)
    }

    /// Without what refers to something erased: a reference that may be empty is emptied, a row that needs it
    /// stays away.
    fn without_erased(&self, table: &Table, mut row: Row) -> Option<Row> {
        for (column, value) in table.columns.iter().zip(&mut row) {
            let is_erased = match (column.kind, value.bytes()) {
                (Kind::Id, Some(id)) => self.has_erased(id),
                // Ids one after the other.
                (Kind::Bytes, Some(ids)) if column.name == "memories" => {
                    ids.chunks(16).any(|id| self.has_erased(id))
                }
                _ => false,
            };
            if is_erased && !column.nullable {
                return None;
            }
            if is_erased {
                *value = Value::Null;
            }
        }
        Some(row)
    }

    fn has_erased(&self, id: &[u8]) -> bool {
        <[u8; 16]>::try_from(id).is_ok_and(|id| self.erased.contains(&id))
    }

    /// The target's own rows of a table, once the archive's are put.
    pub(super) fn own(&mut self, table: &'static Table) -> Vec<Row> {
        let mut rows = self.kept.remove(table.name).unwrap_or_default();
        if table.name == "consent" {
            rows.retain(|row| {
                let subject = field(table, row, "subject").and_then(Value::id);
                subject.is_some_and(|subject| self.participants.contains(&subject))
            });
        }
        rows
    }
}

fn field<'r>(table: &Table, row: &'r Row, column: &str) -> Option<&'r Value> {
    table.place(column).map(|at| &row[at])
}

fn same_key(table: &Table, one: &Row, other: &Row) -> bool {
    table.key_places().all(|at| one[at] == other[at])
}

fn seq(table: &Table, row: &Row) -> i64 {
    match field(table, row, "seq") {
        Some(Value::Integer(seq)) => *seq,
        _ => 0,
    }
}
