//! Statements made of the description of the tables: names of tables and columns, and never a value.
//!
//! Values come in this order: the workspace, if it is a table of one; how many rows; the key to go on after.

use super::tables::{INSTALLATION, Kind, Table, WORKSPACE};
use crate::backend::Part;

/// How a backend writes them.
#[derive(Clone, Copy, Debug)]
pub struct Dialect {
    /// What stands before the number of a value.
    pub value: char,
    /// What follows text that is ordered by its bytes.
    pub collation: &'static str,
    /// A column as the backend's own tables call it.
    pub name: fn(&str) -> String,
}

/// Which statement, on a table of a workspace or of the installation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Named {
    is_tenants: bool,
    table: &'static str,
    deed: Deed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Deed {
    Walk { part: Part, goes_on: bool },
    Insert,
    Count,
}

impl Named {
    /// Reads a page, after a row that was read before if it goes on.
    #[must_use]
    pub const fn walk(table: &Table, part: Part, is_tenants: bool, goes_on: bool) -> Self {
        Self {
            is_tenants,
            table: table.name,
            deed: Deed::Walk { part, goes_on },
        }
    }

    /// Puts a row in.
    #[must_use]
    pub const fn insert(table: &Table, is_tenants: bool) -> Self {
        Self {
            is_tenants,
            table: table.name,
            deed: Deed::Insert,
        }
    }

    /// Counts the rows that a table has of a workspace.
    #[must_use]
    pub const fn count(table: &Table) -> Self {
        Self {
            is_tenants: true,
            table: table.name,
            deed: Deed::Count,
        }
    }

    /// Its table.
    #[must_use]
    pub const fn table(&self) -> &'static str {
        self.table
    }
}

impl Dialect {
    /// Every statement that rows are walked, put in and counted with.
    pub fn all(self) -> impl Iterator<Item = (Named, String)> {
        let own = INSTALLATION.iter().map(|table| (table, false));
        let tenants = WORKSPACE.iter().map(|table| (table, true));
        own.chain(tenants)
            .flat_map(move |(table, is_tenants)| self.of(table, is_tenants))
    }

    /// Columns, one after the other.
    pub fn names<'n>(self, columns: impl Iterator<Item = &'n str>) -> String {
        columns.map(self.name).collect::<Vec<_>>().join(", ")
    }

    /// Which rows a part of a table has, if not all.
    #[must_use]
    pub fn only(self, table: &Table, part: Part) -> Option<String> {
        let column = table.reference.map(self.name)?;
        match part {
            Part::Whole => None,
            Part::Free => Some(format!("{column} IS NULL")),
            Part::Bound => Some(format!("{column} IS NOT NULL")),
        }
    }

    fn of(self, table: &'static Table, is_tenants: bool) -> Vec<(Named, String)> {
        let mut made = vec![(
            Named::insert(table, is_tenants),
            self.insert(table, is_tenants),
        )];
        if is_tenants {
            let text = format!(
                "SELECT COUNT(*) FROM {} WHERE workspace_id = {}1",
                table.name, self.value
            );
            made.push((Named::count(table), text));
        }
        for part in Part::of(table) {
            for goes_on in [false, true] {
                let name = Named::walk(table, *part, is_tenants, goes_on);
                made.push((name, self.walk(table, *part, is_tenants, goes_on)));
            }
        }
        made
    }

    fn walk(self, table: &Table, part: Part, is_tenants: bool, goes_on: bool) -> String {
        let limit = if is_tenants { 2 } else { 1 };
        let mut conditions = Vec::new();
        if is_tenants {
            conditions.push(format!("workspace_id = {}1", self.value));
        }
        conditions.extend(self.only(table, part));
        let key: Vec<String> = table.key.iter().map(|name| self.key(table, name)).collect();
        let key = key.join(", ");
        if goes_on && !table.key.is_empty() {
            let values = self.values(limit + 1, table.key.len());
            conditions.push(format!("({key}) > ({values})"));
        }
        let columns = self.names(table.columns.iter().map(|column| column.name));
        let mut text = format!("SELECT {columns} FROM {}", table.name);
        if !conditions.is_empty() {
            text = format!("{text} WHERE {}", conditions.join(" AND "));
        }
        if !table.key.is_empty() {
            text = format!("{text} ORDER BY {key}");
        }
        format!("{text} LIMIT {}{limit}", self.value)
    }

    fn insert(self, table: &Table, is_tenants: bool) -> String {
        let own = is_tenants.then_some("workspace_id");
        let columns = own.into_iter().chain(table.columns.iter().map(|c| c.name));
        let count = table.columns.len() + usize::from(is_tenants);
        format!(
            "INSERT INTO {} ({}) VALUES ({})",
            table.name,
            self.names(columns),
            self.values(1, count)
        )
    }

    fn key(self, table: &Table, column: &str) -> String {
        let is_text = |known: &&super::Column| known.name == column && known.kind == Kind::Text;
        let collation = table.columns.iter().find(is_text).map(|_| self.collation);
        format!("{}{}", (self.name)(column), collation.unwrap_or_default())
    }

    fn values(self, first: usize, count: usize) -> String {
        let values = (first..first + count).map(|at| format!("{}{at}", self.value));
        values.collect::<Vec<_>>().join(", ")
    }
}
