//! The description of the tables, held against the schema that the migrations make.

use rusqlite::Connection;
use skep_store::archive::tables::{INSTALLATION, WORKSPACE};
use skep_store::archive::{Kind, Table};

use crate::migration::{CONTROL, Schema, WORKSPACE as FILES};

/// Every column as `table.column TYPE [NOT NULL]`, with the key of its table.
fn real(schema: &Schema) -> Vec<String> {
    let connection = Connection::open_in_memory().unwrap();
    for migration in &schema.migrations {
        connection.execute_batch(migration.sql()).unwrap();
    }
    let mut tables = connection
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
        .unwrap();
    let tables = tables.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let mut lines = Vec::new();
    for table in tables {
        let table = table.unwrap();
        let mut columns = connection
            .prepare("SELECT name, type, \"notnull\", pk FROM pragma_table_info(?1)")
            .unwrap();
        let columns = columns
            .query_map([&table], |row| {
                let (name, kind): (String, String) = (row.get(0)?, row.get(1)?);
                let (not_null, key): (bool, u32) = (row.get(2)?, row.get(3)?);
                Ok(line(&table, &name, &kind, !not_null, key))
            })
            .unwrap();
        lines.extend(columns.map(Result::unwrap));
    }
    lines.sort();
    lines
}

fn line(table: &str, column: &str, kind: &str, nullable: bool, key: u32) -> String {
    let nullable = if nullable { " or null" } else { "" };
    format!("{table}.{column} {kind}{nullable} key {key}")
}

fn described(tables: &[Table], is_tenants: bool) -> Vec<String> {
    let mut lines = Vec::new();
    // A cache beside the files here, a table there.
    for table in tables.iter().filter(|table| table.name != "index_snapshot") {
        if is_tenants {
            lines.push(line(table.name, "workspace_id", "BLOB", false, 1));
        }
        for column in table.columns {
            let kind = match column.kind {
                Kind::Id | Kind::Bytes => "BLOB",
                Kind::Integer | Kind::Flag => "INTEGER",
                Kind::Text => "TEXT",
            };
            let at = table.key.iter().position(|name| *name == column.name);
            let key = at.map_or(0, |at| at as u32 + 1 + u32::from(is_tenants));
            lines.push(line(table.name, column.name, kind, column.nullable, key));
        }
    }
    lines.sort();
    lines
}

/// A migration that adds something fails here until the description knows it: say there whether an archive
/// has it.
#[test]
fn f10_every_table_and_column_is_described() {
    assert_eq!(described(INSTALLATION, false), real(&CONTROL));
    assert_eq!(described(WORKSPACE, true), real(&FILES));
}
