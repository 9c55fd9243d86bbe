//! The description of the tables, held against the schema that the migrations make.

use skep_store::archive::tables::{INSTALLATION, WORKSPACE};
use skep_store::archive::{Kind, Table};

use crate::place::Place;

/// Every column as `table.column type or null key`.
fn described(tables: &[Table], is_tenants: bool) -> Vec<String> {
    let mut lines = Vec::new();
    for table in tables {
        if is_tenants {
            lines.push(line(table.name, "workspace_id", "uuid", false, 1));
        }
        for column in table.columns {
            let kind = match column.kind {
                Kind::Id => "uuid",
                Kind::Bytes => "bytea",
                Kind::Integer => "integer",
                Kind::Flag => "boolean",
                Kind::Text => "text",
            };
            let at = table.key.iter().position(|name| *name == column.name);
            let key = at.map_or(0, |at| at + 1 + usize::from(is_tenants));
            let name = if column.name == "user" {
                "user_id"
            } else {
                column.name
            };
            lines.push(line(table.name, name, kind, column.nullable, key));
        }
    }
    lines
}

fn line(table: &str, column: &str, kind: &str, nullable: bool, key: usize) -> String {
    let nullable = if nullable { " or null" } else { "" };
    format!("{table}.{column} {kind}{nullable} key {key}")
}

/// A migration that adds something fails here until the description knows it: say there whether an archive
/// has it. What nodes of one database say to each other in passing is of no other.
#[tokio::test]
async fn f10_every_table_and_column_is_described() {
    let place = Place::new().await;
    let said = place.database.query(
        "SELECT format('%s.%s %s%s key %s', c.relname, a.attname,
             CASE WHEN t.typname LIKE 'int%' THEN 'integer' WHEN t.typname = 'bool' THEN 'boolean'
                 ELSE t.typname END,
             CASE WHEN a.attnotnull THEN '' ELSE ' or null' END,
             coalesce(array_position(i.indkey::int2[], a.attnum) + 1, 0))
         FROM pg_class AS c
         JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
         JOIN pg_type AS t ON t.oid = a.atttypid
         LEFT JOIN pg_index AS i ON i.indrelid = c.oid AND i.indisprimary
         WHERE c.relnamespace = 'skep'::regnamespace AND c.relkind IN ('r', 'p')
             AND c.relname NOT IN ('refinery_schema_history', 'proof') AND a.attname <> 'news'",
    );
    let mut real: Vec<&str> = said.lines().collect();
    let mut all = described(INSTALLATION, false);
    all.extend(described(WORKSPACE, true));
    real.sort_unstable();
    all.sort_unstable();
    assert_eq!(all, real);
}
