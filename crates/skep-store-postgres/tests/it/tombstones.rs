//! What a node may do to entries of the ledger, asked of the database itself: it erases one, whole, and nothing else.

use tokio_postgres::error::SqlState;

use crate::filled::OURS;
use crate::place::{Place, Session};

const INSTALLATION: &str = "SELECT set_config('skep.installation', 'on', true)";

/// Entries 1 to 3 of the record, the first from before there was a tree and the last one of an erasure, and one of
/// what was used.
async fn filled() -> Place {
    let place = Place::new().await;
    let fill = "SET search_path = skep; SET session_replication_role = replica;
        INSERT INTO audit (organization, seq, id, at, action, outcome, times, workspace,
            principal_kind, principal, credential, body, leaf) VALUES
            ('OURS', 1, 'OURS', 1, 'old', 0, 1, 'OURS', 0, 'OURS', 'OURS', 'line', NULL),
            ('OURS', 2, 'OURS', 1, 'act', 0, 1, 'OURS', 0, 'OURS', 'OURS', 'line', 'leaf'),
            ('OURS', 3, 'OURS', 1, 'audit.erase', 0, 1, 'OURS', 0, 'OURS', 'OURS', 'line', 'leaf');
        INSERT INTO audit_seen VALUES ('OURS', 'OURS', 2), ('OURS', 'OURS', 3);
        INSERT INTO usage VALUES ('OURS', 1, 'OURS', 1, 'OURS', 0, 'OURS', 'OURS', 'leaf', 'line')";
    place.database.run(&fill.replace("OURS", OURS));
    place
}

/// What a node's statement ends with, in a transaction that stays only if it is `COMMIT`.
async fn said(
    node: &Session,
    (about, end): (&str, &str),
    statement: &str,
) -> Result<Option<i64>, SqlState> {
    let statement = statement.replace("OURS", OURS);
    node.batch_execute("BEGIN").await.unwrap();
    node.batch_execute(about).await.unwrap();
    let done = node.query_opt(&statement, &[]).await;
    node.batch_execute(end).await.unwrap();
    let row = done.map_err(|error| error.code().unwrap().clone())?;
    Ok(row.map(|row| row.get(0)))
}

/// All that the rows say.
fn rows(place: &Place) -> String {
    let said = "SELECT concat_ws(',', seq, at, action, outcome, times, encode(leaf, 'escape'),
            length(body), workspace IS NULL, principal_kind IS NULL, principal IS NULL, credential IS NULL)
        FROM skep.audit ORDER BY seq";
    let used =
        "SELECT concat_ws(',', seq, at, encode(leaf, 'escape'), length(body), workspace IS NULL,
            principal_kind IS NULL, principal IS NULL, credential IS NULL) FROM skep.usage";
    let seen = "SELECT seq FROM skep.audit_seen ORDER BY seq";
    [said, used, seen]
        .map(|text| place.database.query(text).trim().replace('\n', ";"))
        .join("|")
}

const AUDIT: &str = "SELECT erase_audit('OURS', ARRAY[1, 2, 3, 9])";
const USAGE: &str = "SELECT erase_usage('OURS', ARRAY[1, 9])";
const BEFORE: &str = "1,1,old,0,1,4,f,f,f,f;2,1,act,0,1,leaf,4,f,f,f,f;3,1,audit.erase,0,1,leaf,4,f,f,f,f\
    |1,1,leaf,4,f,f,f,f|2;3";

#[tokio::test]
async fn l07_of_an_entry_the_line_goes_and_who_and_where_and_nothing_else() {
    let place = filled().await;
    let node = place.session("skep_app").await;
    assert_eq!(rows(&place), BEFORE);
    let kept = (INSTALLATION, "COMMIT");
    assert_eq!(said(&node, kept, AUDIT).await, Ok(Some(1)));
    assert_eq!(said(&node, kept, USAGE).await, Ok(Some(1)));
    assert_eq!(
        rows(&place),
        "1,1,old,0,1,4,f,f,f,f;2,1,act,0,1,leaf,0,t,t,t,t;3,1,audit.erase,0,1,leaf,4,f,f,f,f\
         |1,1,leaf,0,t,t,t,t|3"
    );
    assert_eq!(said(&node, kept, AUDIT).await, Ok(Some(0)), "a second time");
    assert_eq!(said(&node, kept, USAGE).await, Ok(Some(0)), "a second time");
}

/// Behind the wall of the installation's own rows nobody erases, nor what no entry says, nor anybody but a node.
#[tokio::test]
async fn l07_nothing_is_erased_that_no_entry_says() {
    let place = filled().await;
    let node = place.session("skep_app").await;
    let workspace = format!("SELECT set_config('skep.workspace', '{OURS}', true)");
    for erase in [AUDIT, USAGE] {
        for about in ["SELECT 1", &workspace] {
            assert_eq!(said(&node, (about, "COMMIT"), erase).await, Ok(Some(0)));
        }
    }
    let next =
        "INSERT INTO skep.audit (organization, seq, id, at, action, outcome, times, body, leaf)
        VALUES ('OURS', 4, 'OURS', 1, 'act', 0, 1, 'line', 'leaf')";
    let all = "SET session_replication_role = replica; ";
    place
        .database
        .run(&(all.to_owned() + &next.replace("OURS", OURS)));
    for erase in [AUDIT, USAGE] {
        let outcome = said(&node, (INSTALLATION, "COMMIT"), erase).await;
        assert_eq!(outcome, Ok(Some(0)));
    }
    assert!(rows(&place).starts_with(&BEFORE[..BEFORE.find('|').unwrap()]));
    let others = place.database.query(
        "SELECT count(*) FROM pg_proc AS p CROSS JOIN LATERAL aclexplode(p.proacl) AS a
         WHERE p.pronamespace = 'skep'::regnamespace AND a.grantee NOT IN ('skep_app'::regrole, p.proowner)",
    );
    assert_eq!(others.trim(), "0");
}

#[tokio::test]
async fn l07_a_node_changes_an_entry_in_no_other_way() {
    let place = filled().await;
    let node = place.session("skep_app").await;
    for refused in [
        "UPDATE audit SET body = ''",
        "UPDATE audit SET principal = NULL WHERE seq = 2",
        "UPDATE usage SET body = ''",
        "UPDATE usage SET leaf = '' WHERE seq = 1",
        "UPDATE audit_seen SET seq = 9",
        "DELETE FROM audit",
        "DELETE FROM audit_seen",
        "DELETE FROM usage WHERE seq = 1",
        "TRUNCATE audit",
        "ALTER FUNCTION erase_audit(uuid, bigint[]) RESET search_path",
        "CREATE OR REPLACE FUNCTION erase_usage(uuid, bigint[]) RETURNS bigint LANGUAGE sql
             AS 'SELECT 1::bigint'",
    ] {
        let outcome = said(&node, (INSTALLATION, "ROLLBACK"), refused).await;
        assert_eq!(outcome, Err(SqlState::INSUFFICIENT_PRIVILEGE), "{refused}");
    }
    assert_eq!(rows(&place), BEFORE);
}
