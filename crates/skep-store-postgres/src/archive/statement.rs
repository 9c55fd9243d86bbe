//! Statements made of the description of the tables, once each. Tests prepare them with all the others.

use std::collections::HashMap;
use std::sync::LazyLock;

use skep_store::archive::tables::WORKSPACE;
use skep_store::archive::{Dialect, Named, Table};
use skep_store::backend::Part;

use crate::statement::{Statement, is_plain_insert};

/// Text is ordered by its bytes, as elsewhere, whatever the database's own order is.
const DIALECT: Dialect = Dialect {
    value: '$',
    collation: " COLLATE \"C\"",
    name,
};

static STATEMENTS: LazyLock<HashMap<Named, Statement>> = LazyLock::new(|| {
    let all = DIALECT.all();
    all.map(|(name, text)| (name, made(name.table(), text)))
        .collect()
});

static CLEARS: LazyLock<HashMap<(&str, Part), Statement>> = LazyLock::new(|| {
    let parts = |table| Part::of(table).iter().map(move |part| (table, *part));
    let all = WORKSPACE.iter().flat_map(parts).map(|(table, part)| {
        let text = clear_text(table, part);
        ((table.name, part), made(table.name, text))
    });
    all.collect()
});

/// Everything that is sent from here.
pub(crate) fn all() -> impl Iterator<Item = Statement> {
    STATEMENTS.values().chain(CLEARS.values()).copied()
}

/// A page: `$1` is the workspace, if it is one's, the next how many rows, and then the key to go on after.
pub(super) fn walk(table: &Table, part: Part, is_tenants: bool, goes_on: bool) -> Statement {
    known(STATEMENTS.get(&Named::walk(table, part, is_tenants, goes_on)))
}

/// A row: the workspace first.
pub(super) fn insert(table: &Table, is_tenants: bool) -> Statement {
    known(STATEMENTS.get(&Named::insert(table, is_tenants)))
}

/// Some rows of a workspace, at most `$2`: the first of its key, so that the index leads to them however many
/// there are of others.
pub(crate) fn clear(table: &Table, part: Part) -> Statement {
    known(CLEARS.get(&(table.name, part)))
}

/// How many rows there are of a workspace.
pub(crate) fn count(table: &Table) -> Statement {
    known(STATEMENTS.get(&Named::count(table)))
}

/// Tables come from the description alone, and each has all of them.
fn known(statement: Option<&Statement>) -> Statement {
    const NONE: Statement = Statement {
        name: "none",
        text: "",
        is_planned_once: false,
    };
    statement.copied().unwrap_or(NONE)
}

fn made(name: &'static str, text: String) -> Statement {
    Statement {
        name,
        is_planned_once: is_plain_insert(&text),
        // Once for each table, at the first use.
        text: String::leak(text),
    }
}

fn clear_text(table: &Table, part: Part) -> String {
    let only = DIALECT.only(table, part);
    let only = only.map_or(String::new(), |only| format!(" AND {only}"));
    let of = table.name;
    let own = ["workspace_id"].into_iter();
    let key = DIALECT.names(own.chain(table.key.iter().copied()));
    format!(
        "DELETE FROM {of} WHERE workspace_id = $1 AND ctid = ANY (ARRAY(
             SELECT ctid FROM {of} WHERE workspace_id = $1{only} ORDER BY {key} LIMIT $2))"
    )
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
