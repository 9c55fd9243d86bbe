//! Statements made of the description of the tables, once each.

use std::collections::HashMap;
use std::sync::LazyLock;

use skep_store::archive::{Dialect, Named, Table};
use skep_store::backend::Part;

/// As the tables call their columns, some of which are words of the language.
const DIALECT: Dialect = Dialect {
    value: '?',
    collation: "",
    name: |column| format!("\"{column}\""),
};

static STATEMENTS: LazyLock<HashMap<Named, String>> = LazyLock::new(|| DIALECT.all().collect());

/// A page: `?1` is the workspace, if it is one's, the next how many rows, and then the key to go on after.
pub(super) fn walk(table: &Table, part: Part, is_tenants: bool, goes_on: bool) -> &'static str {
    get(Named::walk(table, part, is_tenants, goes_on))
}

/// A row: the workspace first.
pub(super) fn insert(table: &Table, is_tenants: bool) -> &'static str {
    get(Named::insert(table, is_tenants))
}

/// How many rows there are of a workspace.
pub(crate) fn count(table: &Table) -> &'static str {
    get(Named::count(table))
}

/// Tables come from the description alone, and each has all of them.
fn get(name: Named) -> &'static str {
    STATEMENTS.get(&name).map_or("", String::as_str)
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
                    assert!(text.contains(" WHERE workspace_id = ?1"), "{text}");
                }
            }
            let text = insert(table, true);
            assert!(text.contains("(\"workspace_id\", "), "{text}");
        }
    }
}
