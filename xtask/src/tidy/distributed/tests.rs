//! Each rule, broken once; and what keeps them all.

use super::check;
use crate::tidy::TextFile;

const SCHEMA: &str = "
CREATE TABLE organization (id uuid PRIMARY KEY, name text UNIQUE);
CREATE TABLE project (workspace_id uuid NOT NULL, id uuid NOT NULL, PRIMARY KEY (workspace_id, id));
CREATE TABLE memory (
    workspace_id uuid NOT NULL,
    id uuid NOT NULL, -- its own
    project uuid,
    body bytea NOT NULL,
    PRIMARY KEY (workspace_id, id),
    UNIQUE (workspace_id, body),
    FOREIGN KEY (workspace_id, project) REFERENCES project (workspace_id, id) ON DELETE CASCADE
);
CREATE TABLE counter (workspace_id uuid PRIMARY KEY, seq bigint);
CREATE UNIQUE INDEX memory_of_body ON memory (workspace_id, body) WHERE body IS NOT NULL;
CREATE INDEX memory_of_project ON memory (project);
";

fn problems(schema: &str, statement: &str) -> Vec<String> {
    let file = |path: &str, text: String| TextFile {
        path: path.to_owned(),
        text,
    };
    let report = check(&[
        file(
            "crates/skep-store-postgres/migrations/V1__all.sql",
            schema.to_owned(),
        ),
        file(
            "crates/skep-store-postgres/src/rows.rs",
            format!("const Q: &str = r#\"{statement}\"#;"),
        ),
    ]);
    assert!(report.tables > 0 && report.statements > 0);
    report.problems.iter().map(ToString::to_string).collect()
}

#[test]
fn what_keeps_the_rules_passes() {
    for statement in [
        "SELECT id FROM memory WHERE workspace_id = $1",
        "SELECT name FROM organization WHERE id = $1",
        "UPDATE memory SET body = $2 WHERE workspace_id = $1",
        "UPDATE memory SET body = CASE WHEN $2 = 0 THEN body ELSE $3 END WHERE workspace_id = $1",
        "INSERT INTO memory (workspace_id, id, body) VALUES ($1, $2, $3)",
        "INSERT INTO memory (workspace_id, id, body)
         SELECT c.workspace_id, $2, $3 FROM counter AS c WHERE c.workspace_id = $1",
    ] {
        assert_eq!(problems(SCHEMA, statement), [""; 0], "{statement}");
    }
}

#[test]
fn each_rule_of_the_schema_can_be_broken() {
    for (line, rule) in [
        (
            "CREATE TABLE t (workspace_id uuid, id uuid PRIMARY KEY);",
            "a key",
        ),
        (
            "CREATE TABLE t (workspace_id uuid, id uuid, PRIMARY KEY (id, workspace_id));",
            "a key",
        ),
        (
            "CREATE TABLE t (workspace_id uuid, id uuid, UNIQUE (id));",
            "a key",
        ),
        ("CREATE UNIQUE INDEX i ON memory (body);", "a key"),
        (
            "CREATE TABLE t (workspace_id uuid, p uuid, FOREIGN KEY (p) REFERENCES project (id));",
            "refers to rows of its own",
        ),
        (
            "CREATE TABLE t (workspace_id uuid, p uuid REFERENCES project (id));",
            "refers to rows of its own",
        ),
        (
            "CREATE TABLE t (workspace_id uuid, o uuid, FOREIGN KEY (workspace_id, o) REFERENCES
             organization (workspace_id, id));",
            "refer to each other in no way",
        ),
        (
            "CREATE TABLE t (p uuid, w uuid, FOREIGN KEY (w, p) REFERENCES project (workspace_id, id));",
            "refers to rows of its own",
        ),
        (
            "CREATE TABLE t (p uuid REFERENCES project);",
            "refer to each other in no way",
        ),
        (
            "CREATE TABLE t (workspace_id uuid, p uuid, FOREIGN KEY (workspace_id, p) REFERENCES
             project (workspace_id, id) ON DELETE SET NULL);",
            "SET NULL",
        ),
        (
            "CREATE TABLE t (workspace_id uuid, n bigserial);",
            "a sequence",
        ),
        (
            "CREATE TABLE t (workspace_id uuid, n bigint GENERATED ALWAYS AS IDENTITY);",
            "a sequence",
        ),
        ("CREATE SEQUENCE s;", "a sequence"),
        (
            "CREATE TRIGGER t AFTER INSERT ON memory EXECUTE FUNCTION f ();",
            "acts by itself",
        ),
    ] {
        let found = problems(&format!("{SCHEMA}{line}"), "SELECT 1 FROM organization");
        assert!(
            found.len() == 1 && found[0].contains(rule),
            "{line}: {found:?}"
        );
    }
}

#[test]
fn a_function_is_of_the_installation_alone() {
    let function = |body: &str| format!("CREATE FUNCTION f() RETURNS bigint AS $$ {body} $$;");
    for (body, may) in [
        ("UPDATE organization SET id = $1", true),
        ("UPDATE organization SET id = m.id FROM memory AS m", false),
        ("SELECT 1", false),
    ] {
        let line = function(body);
        let found = problems(&format!("{SCHEMA}{line}"), "SELECT 1 FROM organization");
        assert_eq!(found.is_empty(), may, "{body}: {found:?}");
    }
}

#[test]
fn each_rule_of_statements_can_be_broken() {
    for (statement, rule) in [
        (
            "UPDATE memory SET workspace_id = $2 WHERE workspace_id = $1",
            "never changes",
        ),
        (
            "SELECT 1 FROM memory AS m JOIN organization AS o ON o.id = m.id WHERE m.workspace_id = $1",
            "never both",
        ),
        (
            "INSERT INTO memory (workspace_id, id, body) SELECT $1, $2, COUNT(*) FROM memory
             WHERE workspace_id = $1",
            "from the table that is read",
        ),
        (
            "UPDATE memory SET body = CASE $2 WHEN 0 THEN $3 END WHERE workspace_id = $1",
            "CASE WHEN",
        ),
    ] {
        let found = problems(SCHEMA, statement);
        assert!(
            found.len() == 1 && found[0].contains(rule),
            "{statement}: {found:?}"
        );
    }
}
