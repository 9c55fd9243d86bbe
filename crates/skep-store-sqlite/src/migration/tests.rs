//! Old, new, changed, foreign and half-migrated files.

use rusqlite::Connection;
use skep_store::StoreError;

use super::{CONTROL, Migration, Schema, WORKSPACE};

const FIRST: &str = "CREATE TABLE one (a INTEGER) STRICT";
const SECOND: &str = "CREATE TABLE two (b INTEGER) STRICT";

fn schema(files: &[&'static str]) -> Schema {
    Schema {
        name: "a database",
        migrations: files.iter().map(|sql| Migration::new(sql)).collect(),
    }
}

struct File(tempfile::TempDir);

impl File {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn open(&self) -> Connection {
        Connection::open(self.0.path().join("a.db")).unwrap()
    }

    fn apply(&self, schema: &Schema) -> Result<(), StoreError> {
        schema.apply(&mut self.open()).map_err(StoreError::from)
    }

    /// Everything that a refusal must leave as it is.
    fn content(&self) -> Vec<String> {
        let connection = self.open();
        let mut rows = connection
            .prepare(
                "SELECT name || ':' || coalesce(sql, '') FROM sqlite_schema
                 UNION ALL SELECT version || ':' || hex(checksum) || ':' || applied_at
                 FROM schema_version",
            )
            .unwrap();
        let lines = rows.query_map([], |row| row.get(0)).unwrap();
        lines.collect::<Result<_, _>>().unwrap()
    }
}

fn refusal(outcome: Result<(), StoreError>) -> String {
    match outcome {
        Err(StoreError::Refused(text)) => text,
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn migrations_are_applied_once_each() {
    let file = File::new();
    file.apply(&schema(&[FIRST])).unwrap();
    file.apply(&schema(&[FIRST])).unwrap();
    file.apply(&schema(&[FIRST, SECOND])).unwrap();
    let content = file.content();
    assert!(content.iter().any(|line| line.starts_with("two:")));
    assert!(content.iter().any(|line| line.starts_with("2:")));
    file.apply(&schema(&[FIRST, SECOND])).unwrap();
    assert_eq!(file.content(), content);
}

#[test]
fn f09_an_older_binary_refuses_a_newer_file() {
    let file = File::new();
    file.apply(&schema(&[FIRST, SECOND])).unwrap();
    let before = file.content();
    let text = refusal(file.apply(&schema(&[FIRST])));
    assert!(text.contains("newer version"), "{text}");
    assert_eq!(file.content(), before);
}

#[test]
fn f09_a_changed_migration_is_refused() {
    let file = File::new();
    file.apply(&schema(&[FIRST])).unwrap();
    let before = file.content();
    let text = refusal(file.apply(&schema(&[SECOND, FIRST])));
    assert!(text.contains("another schema"), "{text}");
    assert_eq!(file.content(), before);
}

#[test]
fn f09_a_migration_that_fails_half_way_leaves_nothing_and_resumes() {
    let file = File::new();
    file.apply(&schema(&[FIRST])).unwrap();
    let before = file.content();
    let broken = "CREATE TABLE two (b INTEGER) STRICT; CREATE TABLE one (a INTEGER) STRICT";
    assert!(file.apply(&schema(&[FIRST, broken])).is_err());
    assert_eq!(file.content(), before);
    file.apply(&schema(&[FIRST, SECOND])).unwrap();
    assert!(file.content().iter().any(|line| line.starts_with("2:")));
}

#[test]
fn a_database_of_another_program_is_refused() {
    let file = File::new();
    file.open().execute_batch(FIRST).unwrap();
    let text = refusal(file.apply(&schema(&[FIRST])));
    assert!(text.contains("not one of this program's"), "{text}");
}

#[test]
fn a_list_with_a_gap_is_damage() {
    let file = File::new();
    file.apply(&schema(&[FIRST, SECOND])).unwrap();
    let gap = "UPDATE schema_version SET version = 3 WHERE version = 2";
    file.open().execute_batch(gap).unwrap();
    let outcome = file.apply(&schema(&[FIRST, SECOND]));
    assert!(
        matches!(outcome, Err(StoreError::Damaged(_))),
        "{outcome:?}"
    );
}

/// An applied migration never changes: this fails when somebody edits one instead of adding one.
#[test]
fn applied_migrations_are_frozen() {
    let sums = |schema: &Schema| -> Vec<u64> {
        let sums = schema
            .migrations
            .iter()
            .map(|m| m.checksum.as_chunks().0[0]);
        sums.map(u64::from_be_bytes).collect()
    };
    assert_eq!(
        sums(&CONTROL),
        [
            0xce15_ca7a_6bba_9062,
            0xf4aa_a958_a13d_7121,
            0x63e3_6ca6_6a10_b17a,
            0xce32_6bbd_715a_5ed9,
            0x0222_7e43_b8b7_0267,
            0xb48d_6b23_9329_6d16,
            0x1c21_d6fa_eb16_a324,
            0x0194_594a_3aab_5817,
            0x9385_e9fe_3be3_2b07,
            0x3d5b_8fc6_def0_c09f,
            0x3205_b5cc_e38b_869e,
            0x64d4_3c51_637c_9608,
            0x5554_bbdd_1d9f_0f02,
        ]
    );
    assert_eq!(
        sums(&WORKSPACE),
        [
            0xd93f_3a6b_56f2_0baa,
            0x7e12_711f_7266_2755,
            0x1b74_79ba_09aa_7404,
            0x0bbc_7697_e3a5_66b4,
            0xbfad_86d2_7f84_bff2,
            0x2549_c819_dcc2_28bc,
            0xb1a9_506f_9031_debb,
            0x17df_24bb_5052_c688,
            0x3b5b_8da8_32c9_14bd,
            0xaa36_3361_5a18_9b57,
            0x5410_da75_e134_d5ce,
            0x2951_8c3d_ce90_1c72,
            0x01e2_d1c2_9260_54d3,
        ]
    );
}

/// What the design rests on: strict tables, no triggers, no views, and the workspace first in every
/// key of every table.
#[test]
fn every_key_begins_with_the_workspace() {
    let connection = Connection::open_in_memory().unwrap();
    for migration in &WORKSPACE.migrations {
        connection.execute_batch(migration.sql).unwrap();
    }
    let names = |sql: &str| -> Vec<String> {
        let mut rows = connection.prepare(sql).unwrap();
        let names = rows.query_map([], |row| row.get(0)).unwrap();
        names.collect::<Result<_, _>>().unwrap()
    };
    assert!(names("SELECT name FROM sqlite_schema WHERE type IN ('trigger', 'view')").is_empty());
    let loose = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND NOT strict
                 AND name NOT LIKE 'sqlite_%'";
    assert!(names(loose).is_empty());
    let keys = "SELECT l.name || '.' || i.name FROM pragma_table_list AS l,
                    pragma_index_list(l.name) AS i, pragma_index_info(i.name) AS c
                WHERE c.seqno = 0 AND c.name <> 'workspace_id' AND l.name NOT LIKE 'sqlite_%'";
    assert_eq!(names(keys), Vec::<String>::new());
    let foreign = "SELECT l.name FROM pragma_table_list AS l, pragma_foreign_key_list(l.name) AS f
                   GROUP BY l.name, f.id
                   HAVING SUM(f.\"from\" = 'workspace_id' AND f.\"to\" = 'workspace_id') <> 1";
    assert_eq!(names(foreign), Vec::<String>::new());
}
