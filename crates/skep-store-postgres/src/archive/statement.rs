//! Statements made of the description of the tables, once each: names of tables and columns, and never a
//! value. Tests prepare them with all the others.

use std::collections::HashMap;
use std::sync::LazyLock;

use skep_store::archive::tables::{INSTALLATION, WORKSPACE};
use skep_store::archive::{Kind, Table};
use skep_store::backend::Part;

use crate::statement::Statement;

/// What a statement does.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Deed {
    Walk { goes_on: bool },
    Insert,
    Clear,
    Count,
}

/// Of a table of a workspace or of the installation.
type Key = (bool, &'static str, Part, Deed);

static STATEMENTS: LazyLock<HashMap<Key, Statement>> = LazyLock::new(|| {
    let own = INSTALLATION.iter().map(|table| (table, false));
    let tenants = WORKSPACE.iter().map(|table| (table, true));
    own.chain(tenants)
        .flat_map(|(table, is_tenants)| of(table, is_tenants))
        .collect()
});

/// Everything that is sent from here.
pub(crate) fn all() -> impl Iterator<Item = Statement> {
    STATEMENTS.values().copied()
}

/// A page: `$1` is how many rows, `$2` the workspace, and then the key to go on after.
pub(super) fn walk(table: &Table, part: Part, is_tenants: bool, goes_on: bool) -> Statement {
    get((is_tenants, table.name, part, Deed::Walk { goes_on }))
}

/// A row: the workspace first.
pub(super) fn insert(table: &Table, is_tenants: bool) -> Statement {
    get((is_tenants, table.name, Part::Whole, Deed::Insert))
}

/// Some rows of a workspace, at most `$2`: the first of its key, so that the index leads to them however many
/// there are of others.
pub(crate) fn clear(table: &Table, part: Part) -> Statement {
    get((true, table.name, part, Deed::Clear))
}

/// How many rows there are of a workspace.
pub(crate) fn count(table: &Table) -> Statement {
    get((true, table.name, Part::Whole, Deed::Count))
}

/// Tables come from the description alone, and each has all of them.
fn get(key: Key) -> Statement {
    const NONE: Statement = Statement {
        name: "none",
        text: "",
        is_planned_once: false,
    };
    STATEMENTS.get(&key).copied().unwrap_or(NONE)
}

fn of(table: &'static Table, is_tenants: bool) -> Vec<(Key, Statement)> {
    let mut made = Vec::new();
    let mut add = |part, deed, text: String| {
        let statement = Statement {
            name: table.name,
            // Once for each table, at the first use.
            text: String::leak(text),
            is_planned_once: deed == Deed::Insert,
        };
        made.push(((is_tenants, table.name, part, deed), statement));
    };
    for part in Part::of(table) {
        for goes_on in [false, true] {
            let text = walk_text(table, *part, is_tenants, goes_on);
            add(*part, Deed::Walk { goes_on }, text);
        }
        if is_tenants {
            add(*part, Deed::Clear, clear_text(table, *part));
        }
    }
    if is_tenants {
        add(Part::Whole, Deed::Count, count_text(table));
    }
    add(Part::Whole, Deed::Insert, insert_text(table, is_tenants));
    made
}

fn walk_text(table: &Table, part: Part, is_tenants: bool, goes_on: bool) -> String {
    let limit = if is_tenants { 2 } else { 1 };
    let mut conditions = Vec::new();
    if is_tenants {
        conditions.push("workspace_id = $1".to_owned());
    }
    conditions.extend(only(table, part));
    let key: Vec<String> = table.key.iter().map(|name| ordered(table, name)).collect();
    let key = key.join(", ");
    if goes_on && !table.key.is_empty() {
        let values: Vec<String> = (limit + 1..=limit + table.key.len())
            .map(|at| format!("${at}"))
            .collect();
        conditions.push(format!("({key}) > ({})", values.join(", ")));
    }
    let columns = names(table.columns.iter().map(|column| column.name));
    let mut text = format!("SELECT {columns} FROM {}", table.name);
    if !conditions.is_empty() {
        text = format!("{text} WHERE {}", conditions.join(" AND "));
    }
    if !table.key.is_empty() {
        text = format!("{text} ORDER BY {key}");
    }
    format!("{text} LIMIT ${limit}")
}

/// Text is ordered by its bytes, as elsewhere, whatever the database's own order is.
fn ordered(table: &Table, column: &str) -> String {
    let is_text = table
        .columns
        .iter()
        .any(|known| known.name == column && known.kind == Kind::Text);
    let collation = if is_text { " COLLATE \"C\"" } else { "" };
    format!("{}{collation}", name(column))
}

fn only(table: &Table, part: Part) -> Option<String> {
    let column = table.reference.map(name)?;
    match part {
        Part::Whole => None,
        Part::Free => Some(format!("{column} IS NULL")),
        Part::Bound => Some(format!("{column} IS NOT NULL")),
    }
}

fn clear_text(table: &Table, part: Part) -> String {
    let only = only(table, part).map_or(String::new(), |only| format!(" AND {only}"));
    let of = table.name;
    let key = names(
        ["workspace_id"]
            .into_iter()
            .chain(table.key.iter().copied()),
    );
    format!(
        "DELETE FROM {of} WHERE workspace_id = $1 AND ctid = ANY (ARRAY(
             SELECT ctid FROM {of} WHERE workspace_id = $1{only} ORDER BY {key} LIMIT $2))"
    )
}

fn count_text(table: &Table) -> String {
    let of = table.name;
    format!("SELECT COUNT(*) FROM {of} WHERE workspace_id = $1")
}

fn insert_text(table: &Table, is_tenants: bool) -> String {
    let own = is_tenants.then_some("workspace_id");
    let columns = own.into_iter().chain(table.columns.iter().map(|c| c.name));
    let count = table.columns.len() + usize::from(is_tenants);
    let values: Vec<String> = (1..=count).map(|at| format!("${at}")).collect();
    format!(
        "INSERT INTO {} ({}) VALUES ({})",
        table.name,
        names(columns),
        values.join(", ")
    )
}

fn names<'n>(columns: impl Iterator<Item = &'n str>) -> String {
    columns.map(name).collect::<Vec<_>>().join(", ")
}

/// `user` is a word of the server's own.
fn name(column: &str) -> String {
    match column {
        "user" => "user_id".into(),
        other => format!("\"{other}\""),
    }
}

#[cfg(test)]
mod tests {
    use skep_store::archive::tables::WORKSPACE;
    use skep_store::backend::Part;

    use super::{clear, count, insert, walk};

    #[test]
    fn t03_each_statement_on_rows_of_a_workspace_names_it() {
        for table in WORKSPACE {
            for part in Part::of(table) {
                for goes_on in [false, true] {
                    let text = walk(table, *part, true, goes_on).text;
                    assert!(text.contains(" WHERE workspace_id = $1"), "{text}");
                }
                let text = clear(table, *part).text;
                assert_eq!(text.matches("WHERE workspace_id = $1").count(), 2, "{text}");
            }
            let text = count(table).text;
            assert!(text.ends_with(" WHERE workspace_id = $1"), "{text}");
            let text = insert(table, true).text;
            assert!(text.contains("(\"workspace_id\", "), "{text}");
        }
    }
}
