//! T04: a transaction sees what it says it is about, and one that says nothing, or nonsense, sees nothing.
//! Every table of the catalog is asked.

use tokio_postgres::error::SqlState;

use crate::filled::{Filled, OURS, THEIRS};
use crate::place::Session;

/// How many rows a table shows; an error shows none.
async fn seen(node: &Session, table: &str) -> Result<i64, SqlState> {
    let counted = node
        .query_one(&format!("SELECT count(*) FROM {table}"), &[])
        .await;
    counted
        .map(|row| row.get(0))
        .map_err(|error| error.code().unwrap().clone())
}

/// What a statement ends with, and nothing of it stays.
async fn outcome(node: &Session, about: &str, statement: &str) -> Result<u64, SqlState> {
    node.batch_execute("BEGIN").await.unwrap();
    node.batch_execute(about).await.unwrap();
    let done = node.execute(statement, &[]).await;
    node.batch_execute("ROLLBACK").await.unwrap();
    done.map_err(|error| error.code().unwrap().clone())
}

fn about(workspace: &str) -> String {
    format!("SELECT set_config('skep.workspace', '{workspace}', true)")
}

const INSTALLATION: &str = "SELECT set_config('skep.installation', 'on', true)";

#[tokio::test]
async fn t04_without_words_there_is_nothing() {
    let filled = Filled::new().await;
    let node = filled.node().await;
    let ours = about(OURS);
    let nothing = "SELECT 1";
    let empty =
        "SELECT set_config('skep.workspace', '', true), set_config('skep.installation', '', true)";
    // One after the other on one connection: what was said in a transaction that ended counts no more.
    for words in [nothing, empty, &ours, nothing, INSTALLATION, empty] {
        for end in ["COMMIT", "ROLLBACK"] {
            node.batch_execute(&format!("BEGIN; {words}; {end}"))
                .await
                .unwrap();
            for table in filled.tenants.keys().chain(filled.installation.keys()) {
                assert_eq!(seen(&node, table).await, Ok(0), "{table} after `{words}`");
            }
        }
    }
    for words in [nothing, empty] {
        node.batch_execute(&format!("BEGIN; {words}"))
            .await
            .unwrap();
        for table in filled.tenants.keys().chain(filled.installation.keys()) {
            assert_eq!(seen(&node, table).await, Ok(0), "{table} under `{words}`");
        }
        node.batch_execute("ROLLBACK").await.unwrap();
    }
}

#[tokio::test]
async fn t04_nonsense_is_nothing_or_an_error() {
    let filled = Filled::new().await;
    let node = filled.node().await;
    for nonsense in [
        "x",
        "%",
        "*",
        " ",
        "null",
        "1111",
        "11111111-1111-1111-1111-11111111111'",
        &OURS[..35],
    ] {
        let quoted = nonsense.replace('\'', "''");
        for table in filled.tenants.keys() {
            node.batch_execute(&format!("BEGIN; {}", about(&quoted)))
                .await
                .unwrap();
            let seen = seen(&node, table).await;
            assert_eq!(
                seen,
                Err(SqlState::INVALID_TEXT_REPRESENTATION),
                "{table} `{nonsense}`"
            );
            node.batch_execute("ROLLBACK").await.unwrap();
        }
    }
    for nonsense in ["ON", "true", "1", "off", "on ", OURS] {
        node.batch_execute(&format!(
            "BEGIN; SELECT set_config('skep.installation', '{nonsense}', true)"
        ))
        .await
        .unwrap();
        for table in filled.installation.keys() {
            assert_eq!(seen(&node, table).await, Ok(0), "{table} `{nonsense}`");
        }
        node.batch_execute("ROLLBACK").await.unwrap();
    }
}

#[tokio::test]
async fn t04_a_transaction_sees_what_it_is_about() {
    let filled = Filled::new().await;
    let node = filled.node().await;
    node.batch_execute(&format!("BEGIN; {}", about(OURS)))
        .await
        .unwrap();
    for table in filled.tenants.keys() {
        let all = format!("SELECT workspace_id::text FROM {table}");
        let rows = node.query(&all, &[]).await.unwrap();
        let whose: Vec<&str> = rows.iter().map(|row| row.get(0)).collect();
        assert_eq!(whose, [OURS], "{table}");
    }
    for table in filled.installation.keys() {
        assert_eq!(seen(&node, table).await, Ok(0), "{table}");
    }
    node.batch_execute(&format!("ROLLBACK; BEGIN; {INSTALLATION}"))
        .await
        .unwrap();
    for table in filled.tenants.keys() {
        assert_eq!(seen(&node, table).await, Ok(0), "{table}");
    }
    for table in filled.installation.keys() {
        assert_eq!(seen(&node, table).await, Ok(1), "{table}");
    }
}

/// Nobody writes where they do not see, or moves a row there.
#[tokio::test]
async fn t04_nothing_is_written_elsewhere() {
    let filled = Filled::new().await;
    let node = filled.node().await;
    let refused = Err(SqlState::INSUFFICIENT_PRIVILEGE);
    for (table, insert) in &filled.tenants {
        let foreign = insert.replace("{workspace}", THEIRS);
        let moved = format!("UPDATE {table} SET workspace_id = '{THEIRS}'");
        let taken =
            format!("UPDATE {table} SET workspace_id = '{OURS}' WHERE workspace_id = '{THEIRS}'");
        let gone = format!("DELETE FROM {table} WHERE workspace_id = '{THEIRS}'");
        for words in [&about(OURS), INSTALLATION, "SELECT 1"] {
            assert_eq!(outcome(&node, words, &foreign).await, refused, "{foreign}");
            let or_nothing = format!("{foreign} ON CONFLICT DO NOTHING");
            assert_eq!(
                outcome(&node, words, &or_nothing).await,
                refused,
                "{or_nothing}"
            );
            assert_eq!(outcome(&node, words, &taken).await, Ok(0), "{taken}");
            assert_eq!(outcome(&node, words, &gone).await, Ok(0), "{gone}");
            let expected = if words == about(OURS) {
                refused.clone()
            } else {
                Ok(0)
            };
            assert_eq!(outcome(&node, words, &moved).await, expected, "{moved}");
        }
    }
    for (table, insert) in &filled.installation {
        for words in [&*about(OURS), "SELECT 1"] {
            assert_eq!(outcome(&node, words, insert).await, refused, "{insert}");
            let gone = outcome(&node, words, &format!("DELETE FROM {table}")).await;
            let expected = if [
                "audit",
                "audit_seen",
                "usage",
                "ledger_head",
                "ledger_tile",
                "checkpoint",
                "rate_card",
                "usage_day",
                "job",
                "job_count",
            ]
            .contains(&&**table)
            {
                refused.clone()
            } else {
                Ok(0)
            };
            assert_eq!(gone, expected, "{table}");
        }
    }
}
