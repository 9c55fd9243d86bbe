//! Statements made of the description of the tables, once each: names of tables and columns, and never a
//! value.

use std::collections::HashMap;
use std::sync::LazyLock;

use skep_store::archive::Table;
use skep_store::archive::tables::{INSTALLATION, WORKSPACE};
use skep_store::backend::Part;

/// A table, which of its rows, and whether after another one.
type Page = (&'static str, Part, bool);

/// Of the installation, and of a workspace: a table of the one may be called as one of the other.
static WALKS: LazyLock<[HashMap<Page, String>; 2]> =
    LazyLock::new(|| [walks(INSTALLATION, false), walks(WORKSPACE, true)]);
static INSERTS: LazyLock<[HashMap<&'static str, String>; 2]> =
    LazyLock::new(|| [inserts(INSTALLATION, false), inserts(WORKSPACE, true)]);

static COUNTS: LazyLock<HashMap<&'static str, String>> = LazyLock::new(|| {
    let counts = WORKSPACE
        .iter()
        .map(|table| (table.name, count_text(table)));
    counts.collect()
});

/// A page: `?1` is how many rows, `?2` the workspace, and then the key to go on after.
pub(super) fn walk(table: &Table, part: Part, is_tenants: bool, goes_on: bool) -> &'static str {
    let known = WALKS[usize::from(is_tenants)].get(&(table.name, part, goes_on));
    known.map_or("", String::as_str)
}

/// A row: the workspace first.
pub(super) fn insert(table: &Table, is_tenants: bool) -> &'static str {
    let known = INSERTS[usize::from(is_tenants)].get(table.name);
    known.map_or("", String::as_str)
}

/// How many rows there are of a workspace.
pub(crate) fn count(table: &Table) -> &'static str {
    COUNTS.get(table.name).map_or("", String::as_str)
}

fn count_text(table: &Table) -> String {
    let of = table.name;
    format!("SELECT COUNT(*) FROM {of} WHERE workspace_id = ?1")
}

fn walks(tables: &'static [Table], is_tenants: bool) -> HashMap<Page, String> {
    let mut walks = HashMap::new();
    for table in tables {
        for part in Part::of(table) {
            for goes_on in [false, true] {
                let text = walk_text(table, *part, is_tenants, goes_on);
                walks.insert((table.name, *part, goes_on), text);
            }
        }
    }
    walks
}

fn walk_text(table: &Table, part: Part, is_tenants: bool, goes_on: bool) -> String {
    let mut conditions = Vec::new();
    if is_tenants {
        conditions.push("workspace_id = ?2".to_owned());
    }
    match (part, table.reference) {
        (Part::Free, Some(column)) => conditions.push(format!("\"{column}\" IS NULL")),
        (Part::Bound, Some(column)) => conditions.push(format!("\"{column}\" IS NOT NULL")),
        _ => {}
    }
    let key = quoted(table.key.iter().copied());
    if goes_on && !table.key.is_empty() {
        let first = if is_tenants { 3 } else { 2 };
        let values: Vec<String> = (first..first + table.key.len())
            .map(|at| format!("?{at}"))
            .collect();
        conditions.push(format!("({key}) > ({})", values.join(", ")));
    }
    let columns = quoted(table.columns.iter().map(|column| column.name));
    let mut text = format!("SELECT {columns} FROM {}", table.name);
    if !conditions.is_empty() {
        text = format!("{text} WHERE {}", conditions.join(" AND "));
    }
    if !table.key.is_empty() {
        text = format!("{text} ORDER BY {key}");
    }
    format!("{text} LIMIT ?1")
}

fn inserts(tables: &'static [Table], is_tenants: bool) -> HashMap<&'static str, String> {
    let texts = tables.iter().map(|table| {
        let own = is_tenants.then_some("workspace_id");
        let names = own.into_iter().chain(table.columns.iter().map(|c| c.name));
        let count = table.columns.len() + usize::from(is_tenants);
        let values: Vec<String> = (1..=count).map(|at| format!("?{at}")).collect();
        let text = format!(
            "INSERT INTO {} ({}) VALUES ({})",
            table.name,
            quoted(names),
            values.join(", ")
        );
        (table.name, text)
    });
    texts.collect()
}

fn quoted<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let quoted: Vec<String> = names.map(|name| format!("\"{name}\"")).collect();
    quoted.join(", ")
}

#[cfg(test)]
mod tests {
    use skep_store::archive::tables::WORKSPACE;
    use skep_store::backend::Part;

    use super::{insert, walk};

    #[test]
    fn t03_each_statement_on_rows_of_a_workspace_names_it() {
        for table in WORKSPACE {
            for part in Part::of(table) {
                for goes_on in [false, true] {
                    let text = walk(table, *part, true, goes_on);
                    assert!(text.contains(" WHERE workspace_id = ?2"), "{text}");
                }
            }
            let text = insert(table, true);
            assert!(text.contains("(\"workspace_id\", "), "{text}");
        }
    }
}
