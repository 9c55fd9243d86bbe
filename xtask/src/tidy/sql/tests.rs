//! Statements that forget their workspace are seen red, those that do not stay quiet.

use super::check;
use crate::tidy::TextFile;

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS memory (
    workspace_id BLOB NOT NULL, -- scoped
    id BLOB NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (workspace_id, id)
) STRICT;
CREATE TABLE \"turn\" (workspace_id BLOB, id BLOB, FOREIGN KEY (workspace_id) REFERENCES w (id));
CREATE TABLE meta (name TEXT, value TEXT);
CREATE INDEX memory_by_time ON memory (workspace_id, id);
";

fn file(path: &str, text: &str) -> TextFile {
    TextFile {
        path: path.to_owned(),
        text: text.to_owned(),
    }
}

/// The report's problems and statements for a Rust file beside the schema.
fn judged(rust: &str) -> (Vec<String>, usize) {
    let report = check(&[
        file("crates/skep-store-sqlite/migrations/0001.sql", SCHEMA),
        file("crates/skep-store-sqlite/src/rows.rs", rust),
    ]);
    let problems = report.problems.iter().map(ToString::to_string).collect();
    (problems, report.statements)
}

#[test]
fn scoped_statements_pass() {
    let table = [
        "SELECT id, body FROM memory WHERE workspace_id = ?1 AND id = ?2",
        "SELECT m.id FROM memory AS m JOIN turn t ON t.workspace_id = m.workspace_id AND t.id = m.id",
        "SELECT id FROM memory m JOIN turn USING (workspace_id, id) WHERE workspace_id = ?1",
        "SELECT id FROM memory, turn WHERE memory.workspace_id = ?1 AND turn.workspace_id = ?1",
        "INSERT INTO memory (workspace_id, id, body) VALUES (?1, ?2, ?3)
         ON CONFLICT (workspace_id, id) DO UPDATE SET body = excluded.body",
        "INSERT OR IGNORE INTO main.memory(workspace_id,id) VALUES (?,?) RETURNING id",
        "UPDATE OR REPLACE memory SET body = ?3 WHERE (workspace_id, id) = (?1, ?2)",
        "DELETE FROM \"turn\" WHERE workspace_id = :workspace_id",
        "SELECT 1 FROM memory WHERE workspace_id = ?1 AND EXISTS
            (SELECT 1 FROM turn WHERE turn.workspace_id = memory.workspace_id)",
        "INSERT INTO turn (workspace_id, id) SELECT ?1, id FROM memory WHERE workspace_id = ?1",
        "WITH seen AS (SELECT id FROM turn WHERE workspace_id = ?1) SELECT id FROM seen",
        "SELECT id FROM memory WHERE kind IS DISTINCT FROM ?2 AND workspace_id = ?1",
        "select count(*) from memory where workspace_id = ?1",
        "SELECT id FROM (memory) WHERE workspace_id = ?1",
    ];
    for sql in table {
        let (problems, statements) = judged(&format!("const Q: &str = r#\"{sql}\"#;"));
        assert!(problems.is_empty(), "{sql}: {problems:?}");
        assert!(statements > 0, "{sql}: not seen");
    }
}

#[test]
fn statements_that_forget_their_workspace_are_red() {
    let table = [
        "SELECT id FROM memory",
        "SELECT id FROM memory WHERE id = ?1",
        "SELECT workspace_id, id FROM memory WHERE id = ?1",
        "SELECT id FROM memory WHERE id = :workspace_id",
        "SELECT id FROM memory WHERE id = ?1 ORDER BY workspace_id",
        "SELECT id FROM memory -- WHERE workspace_id = ?1",
        "SELECT id FROM memory WHERE kind = 'workspace_id'",
        "SELECT m.id FROM memory m JOIN turn t ON t.id = m.id WHERE m.workspace_id = ?1",
        "SELECT id FROM memory, turn WHERE memory.workspace_id = ?1",
        "SELECT id FROM memory WHERE workspace_id = ?1 AND id IN (SELECT id FROM turn)",
        "SELECT id FROM memory WHERE workspace_id = ?1 UNION SELECT id FROM turn",
        "SELECT id FROM memory m WHERE m.workspace_id = ?1 AND workspace_id = ?1
         UNION SELECT id FROM turn",
        "INSERT INTO memory (id, body) VALUES (?1, ?2)",
        "INSERT INTO memory VALUES (?1, ?2, ?3)",
        "INSERT INTO turn (workspace_id, id) SELECT ?1, id FROM memory",
        "UPDATE memory SET workspace_id = ?1",
        "UPDATE memory SET body = ?2 WHERE id = ?1",
        "DELETE FROM main.memory WHERE id = ?1",
        "delete from memory where id = ?1",
        "UPDATE meta SET value = 1; DELETE FROM memory",
        " FROM memory WHERE id = ?1",
        "CREATE TRIGGER t AFTER INSERT ON meta BEGIN DELETE FROM memory; END",
    ];
    for sql in table {
        let (problems, _) = judged(&format!("fn f() {{ query(r#\"{sql}\"#) }}"));
        assert_eq!(problems.len(), 1, "{sql}: {problems:?}");
        assert!(problems[0].starts_with("crates/skep-store-sqlite/src/rows.rs:1: [sql] "));
    }
}

#[test]
fn a_table_name_put_in_by_the_program_is_red() {
    let (problems, _) = judged("fn f() { format!(\"SELECT id FROM {table} WHERE id = 1\") }");
    assert!(
        problems[0].contains("put in by the program"),
        "{problems:?}"
    );
}

#[test]
fn what_is_not_a_query_on_a_tenant_table_stays_quiet() {
    let table = [
        "SELECT value FROM meta WHERE name = 'schema'",
        "PRAGMA table_info(memory)",
        "CREATE UNIQUE INDEX again ON memory (id)",
        "DROP TABLE memory",
        "the row is gone from memory",
        "could not read from {path}",
        "update {path} first",
        "INSERT INTO meta (name) VALUES ('memory')",
    ];
    for text in table {
        assert_eq!(judged(&format!("f(\"{text}\")")), (Vec::new(), 0), "{text}");
    }
}

#[test]
fn tests_may_look_at_tables_as_they_like() {
    let foot = "#[cfg(test)]\nmod tests { fn f() { g(\"SELECT id FROM memory\") } }";
    assert!(judged(foot).0.is_empty());
    let above = "#[cfg(test)]\nmod tests;\nfn f() { g(\"SELECT id FROM memory\") }";
    assert_eq!(judged(above).0.len(), 1);
    let inside = file(
        "crates/skep-store-sqlite/tests/it/main.rs",
        "f(\"SELECT id FROM memory\")",
    );
    let schema = file("crates/skep-store-sqlite/migrations/0001.sql", SCHEMA);
    assert!(check(&[schema, inside]).problems.is_empty());
}

#[test]
fn a_schema_that_hides_its_tenant_tables_is_red() {
    let report = check(&[file(
        "crates/skep-store-sqlite/src/rows.rs",
        "const Q: &str = \"SELECT id FROM memory WHERE id = ?1\";",
    )]);
    assert_eq!(report.problems.len(), 1);
    assert!(report.problems[0].to_string().contains("blind"));
}

#[test]
fn a_schema_in_rust_counts_as_one() {
    let report = check(&[file(
        "crates/skep-store-sqlite/src/schema.rs",
        "const S: &str = \"CREATE TABLE a (workspace_id BLOB)\"; const Q: &str = \"DELETE FROM a\";",
    )]);
    assert_eq!((report.tables, report.problems.len()), (1, 1));
}
