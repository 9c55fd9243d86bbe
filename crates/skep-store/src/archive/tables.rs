//! What is stored, as data: every table with its columns in neutral types, in an order in which rows can be
//! put back. Each backend's tests hold it against the real schema, so a new table or column is either
//! described here or left out here, and never forgotten.
//!
//! To add one: a line in `installation` or `workspace`; `left_out` for what an archive should not have.

mod installation;
mod workspace;

use std::sync::LazyLock;

/// A table.
#[derive(Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// The columns that its rows are ordered by; unique, within the workspace for a table of one.
    pub key: &'static [&'static str],
    /// Its columns; of a table of a workspace all but `workspace_id`.
    pub columns: &'static [Column],
    /// A column that refers to the table itself: rows without it come first.
    pub reference: Option<&'static str>,
    /// Whether an archive has it.
    pub is_archived: bool,
}

/// A column.
#[derive(Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Whether it may hold nothing.
    pub nullable: bool,
    /// For a sealed column the columns that its place is made of: whose it is, if it is of the
    /// installation and not nobody's, and which row.
    pub sealed: &'static [&'static str],
    /// Whether it holds a wrapped key, which no other installation could unwrap.
    pub is_wrapped: bool,
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// 16 bytes.
    Id,
    /// Bytes.
    Bytes,
    /// An integer of 64 bits.
    Integer,
    /// Yes or no.
    Flag,
    /// Text.
    Text,
}

/// The tables of the installation.
pub static INSTALLATION: &[Table] = installation::TABLES;

/// The tables of every workspace.
pub static WORKSPACE: &[Table] = workspace::TABLES;

/// The tables of a workspace that say what is in it: all but the one that names it, and what is made of the
/// others and can be made again.
pub fn content() -> impl Iterator<Item = &'static Table> {
    let has_rows = |table: &&Table| table.is_archived && !table.key.is_empty();
    WORKSPACE.iter().filter(has_rows)
}

/// Tells versions apart whose tables differ.
pub(super) static MARK: LazyLock<[u8; 32]> = LazyLock::new(|| {
    let tables = INSTALLATION.iter().chain(WORKSPACE);
    let described: Vec<String> = tables
        .filter(|table| table.is_archived)
        .map(|table| format!("{table:?}"))
        .collect();
    skep_crypto::sha256(described.join("\n").as_bytes())
});

impl Table {
    const fn new(
        name: &'static str,
        key: &'static [&'static str],
        columns: &'static [Column],
    ) -> Self {
        Self {
            name,
            key,
            columns,
            reference: None,
            is_archived: true,
        }
    }

    const fn after_itself(mut self, column: &'static str) -> Self {
        self.reference = Some(column);
        self
    }

    const fn left_out(mut self) -> Self {
        self.is_archived = false;
        self
    }

    /// Where a column stands in a row.
    #[must_use]
    pub fn place(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|known| known.name == column)
    }

    /// Where the columns of the key stand in a row.
    pub fn key_places(&self) -> impl Iterator<Item = usize> + '_ {
        self.key.iter().filter_map(|name| self.place(name))
    }
}

impl Column {
    const fn of(name: &'static str, kind: Kind) -> Self {
        Self {
            name,
            kind,
            nullable: false,
            sealed: &[],
            is_wrapped: false,
        }
    }

    const fn or_null(mut self) -> Self {
        self.nullable = true;
        self
    }

    const fn sealed(mut self, place: &'static [&'static str]) -> Self {
        self.sealed = place;
        self
    }

    const fn wrapped(mut self) -> Self {
        self.is_wrapped = true;
        self
    }
}

const fn id(name: &'static str) -> Column {
    Column::of(name, Kind::Id)
}

const fn bytes(name: &'static str) -> Column {
    Column::of(name, Kind::Bytes)
}

const fn integer(name: &'static str) -> Column {
    Column::of(name, Kind::Integer)
}

const fn flag(name: &'static str) -> Column {
    Column::of(name, Kind::Flag)
}

const fn text(name: &'static str) -> Column {
    Column::of(name, Kind::Text)
}

#[cfg(test)]
mod tests {
    use super::{INSTALLATION, WORKSPACE};

    #[test]
    fn keys_places_and_references_name_columns_that_are_there() {
        for table in INSTALLATION.iter().chain(WORKSPACE) {
            let named = table.key.iter().chain(table.reference.iter());
            let sealed = table.columns.iter().flat_map(|column| column.sealed);
            for name in named.chain(sealed) {
                assert!(table.place(name).is_some(), "{} {name}", table.name);
            }
            for at in table.key_places() {
                assert!(!table.columns[at].nullable, "{} {at}", table.name);
            }
        }
    }
}
