//! T08: what is another workspace's cannot be told from what is not there, by no way around the rows.

use futures_util::TryStreamExt as _;
use skep_store_postgres::{Options, PostgresBackend, statements};
use tokio_postgres::error::SqlState;

use crate::filled::{Filled, OURS, THEIRS};
use crate::place::{Session, tls};

async fn about(node: &Session, workspace: &str) {
    let words = format!("BEGIN; SELECT set_config('skep.workspace', '{workspace}', true)");
    node.batch_execute(&words).await.unwrap();
}

/// What the server says of a statement in a workspace, and nothing of it stays: code, text, detail.
async fn said(node: &Session, statement: &str) -> Result<u64, (SqlState, String, Option<String>)> {
    about(node, OURS).await;
    let done = node.execute(statement, &[]).await;
    node.batch_execute("ROLLBACK").await.unwrap();
    done.map_err(|error| {
        let error = error.as_db_error().unwrap();
        (
            error.code().clone(),
            error.message().to_owned(),
            error.detail().map(str::to_owned),
        )
    })
}

/// Takes rows out of every table of the workspaces.
fn clear(filled: &Filled, which: &str) {
    for table in filled.tenants.keys() {
        let gone = format!("DELETE FROM skep.{table} WHERE {which}");
        let replica = "SET session_replication_role = replica";
        filled.place.database.run(&format!("{replica}; {gone}"));
    }
}

/// Rows under the very keys that another workspace has, and with references to rows that only another has:
/// the same comes of each as where there is no other workspace, to the letter.
#[tokio::test]
async fn t08_keys_and_references_end_at_the_wall() {
    let (beside, alone) = (Filled::new().await, Filled::new().await);
    clear(&beside, &format!("workspace_id = '{OURS}'"));
    clear(&alone, "true");
    let (node, other) = (beside.node().await, alone.node().await);
    let (mut put, mut refused) = (0, 0);
    for (table, insert) in &beside.tenants {
        let insert = insert.replace("{workspace}", OURS);
        let known = said(&node, &insert).await;
        assert_eq!(known, said(&other, &insert).await, "{table}");
        match known {
            Ok(count) => put += count,
            Err((code, text, detail)) => {
                refused += 1;
                assert_eq!(code, SqlState::FOREIGN_KEY_VIOLATION, "{table}");
                let shown = text + &detail.unwrap_or_default();
                assert!(
                    !shown.contains("1111") && !shown.contains("2222"),
                    "{shown}"
                );
            }
        }
    }
    assert!(put > 10 && refused > 20, "{put} and {refused}");
}

/// Of one's own row too, the server says that its key is taken, and no value.
#[tokio::test]
async fn t08_a_taken_key_is_said_without_its_value() {
    let filled = Filled::new().await;
    let node = filled.node().await;
    for (table, insert) in &filled.tenants {
        let (code, text, detail) = said(&node, &insert.replace("{workspace}", OURS))
            .await
            .unwrap_err();
        assert_eq!(
            (code, detail),
            (SqlState::UNIQUE_VIOLATION, None),
            "{table}"
        );
        assert!(!text.contains("1111"), "{text}");
    }
}

#[tokio::test]
async fn t08_tables_are_not_emptied_and_not_copied() {
    let filled = Filled::new().await;
    let node = filled.node().await;
    let refused = SqlState::INSUFFICIENT_PRIVILEGE;
    for table in filled.tenants.keys().chain(filled.installation.keys()) {
        for statement in [
            format!("TRUNCATE {table}"),
            format!("ALTER TABLE {table} DISABLE ROW LEVEL SECURITY"),
            format!("ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY"),
            format!("DROP TABLE {table} CASCADE"),
            format!("CREATE POLICY mine ON {table} USING (true)"),
            format!(
                "CREATE TRIGGER t BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()"
            ),
            format!("COPY {table} TO '/dev/null'"),
            format!("COPY {table} TO PROGRAM 'true'"),
            format!("COPY {table} FROM '/dev/null'"),
        ] {
            let (code, ..) = said(&node, &statement).await.unwrap_err();
            assert_eq!(code, refused, "{statement}");
        }
        let (code, ..) = said(&node, &format!("COPY {table} FROM STDIN"))
            .await
            .unwrap_err();
        assert_eq!(code, SqlState::FEATURE_NOT_SUPPORTED, "{table}");
    }
    for statement in [
        "SET LOCAL row_security = off; SELECT * FROM turn",
        "SET LOCAL ROLE skep_owner",
        "SET LOCAL ROLE postgres",
        "SET LOCAL SESSION AUTHORIZATION postgres",
        "SET LOCAL session_replication_role = replica",
        "SELECT * FROM pg_catalog.pg_statistic",
        "CREATE TABLE skep.mine (a int)",
        "CREATE FUNCTION pg_temp.f(uuid) RETURNS boolean LANGUAGE sql LEAKPROOF AS 'SELECT true'",
    ] {
        about(&node, OURS).await;
        let done = node.batch_execute(statement).await;
        node.batch_execute("ROLLBACK").await.unwrap();
        let code = done.unwrap_err().code().unwrap().clone();
        assert_eq!(code, refused, "{statement}");
    }
}

#[tokio::test]
async fn t08_a_copy_holds_ones_own_rows() {
    let filled = Filled::new().await;
    let node = filled.node().await;
    about(&node, OURS).await;
    for table in filled.tenants.keys() {
        let copy = node
            .copy_out(&format!("COPY {table} (workspace_id) TO STDOUT"))
            .await;
        let parts: Vec<_> = copy.unwrap().try_collect().await.unwrap();
        assert_eq!(parts.concat(), format!("{OURS}\n").as_bytes(), "{table}");
    }
}

/// A condition that fails on a foreign row never meets one.
#[tokio::test]
async fn t08_no_condition_is_tried_on_a_foreign_row() {
    let filled = Filled::new().await;
    let node = filled.node().await;
    let trap =
        "CREATE FUNCTION pg_temp.trap(id uuid) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS
        $$ BEGIN IF id::text LIKE '2222%' THEN RAISE 'met'; END IF; RETURN true; END $$";
    node.batch_execute(trap).await.unwrap();
    for table in filled.tenants.keys() {
        for condition in [
            "pg_temp.trap(workspace_id)".to_owned(),
            format!("1 / (CASE workspace_id WHEN '{THEIRS}' THEN 0 ELSE 1 END) = 1"),
        ] {
            for statement in [
                format!("SELECT FROM {table} WHERE {condition}"),
                format!("DELETE FROM {table} WHERE {condition} AND false"),
                format!("UPDATE {table} SET workspace_id = workspace_id WHERE {condition}"),
            ] {
                let said = said(&node, &statement).await;
                assert!(said.is_ok(), "{statement}: {said:?}");
            }
        }
    }
}

/// What the server has counted for its plans is not shown. Its plans do tell how many rows it expects of any
/// workspace: so no statement of a node asks for one.
#[tokio::test]
async fn t08_what_the_server_counts_is_not_shown() {
    let filled = Filled::new().await;
    filled.place.database.run("ANALYZE");
    let counted = "SELECT count(*) > 100 FROM pg_stats WHERE schemaname = 'skep'";
    assert_eq!(filled.place.database.query(counted), "t");
    let node = filled.node().await;
    let shown = "SELECT count(*) FROM pg_stats
        WHERE schemaname = 'skep' AND tablename <> 'refinery_schema_history'";
    for words in [
        "SELECT 1",
        "SELECT set_config('skep.installation', 'on', true)",
    ] {
        about(&node, OURS).await;
        node.batch_execute(words).await.unwrap();
        let count: i64 = node.query_one(shown, &[]).await.unwrap().get(0);
        assert_eq!(count, 0);
        node.batch_execute("ROLLBACK").await.unwrap();
    }
    for statement in statements() {
        assert!(!statement.text.contains("EXPLAIN"), "{}", statement.name);
    }
}

/// What a caller is told has our words, and none of the server's.
#[tokio::test]
async fn t08_an_error_has_no_word_of_the_server() {
    let filled = Filled::new().await;
    filled.place.database.run(
        "ALTER TABLE skep.turn DISABLE ROW LEVEL SECURITY; DROP TABLE skep.refinery_schema_history",
    );
    let opened = PostgresBackend::open(filled.place.server(), tls(), Options::default()).await;
    let said = opened.err().unwrap().to_string();
    assert!(
        !said.contains("refinery") && !said.contains("relation"),
        "{said}"
    );
}
