//! Statements that were said once, said again: with other words, in another workspace, behind walls or none.

use std::collections::BTreeSet;
use std::error::Error;

use bytes::BytesMut;
use futures_util::TryStreamExt as _;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use crate::between::Bound;
use crate::heard::Said;
use crate::place::{Place, Session};
use crate::predicate::{tables, without};

/// A predicate of a statement.
pub(crate) type Spot = (String, usize);

/// What saying everything again has shown.
#[derive(Default)]
pub(crate) struct Report {
    /// Predicates that were taken out.
    pub(crate) tried: BTreeSet<Spot>,
    /// Those that were missed once the policies were gone: without both, foreign rows are met.
    pub(crate) missed: BTreeSet<Spot>,
    /// How often something was said.
    pub(crate) times: usize,
    /// What should not be.
    pub(crate) leaks: Vec<String>,
}

/// Rows as they came over the wire, in an order of their own, and how many were written or read.
type Outcome = Result<(Vec<Vec<Bound>>, Option<u64>), String>;

/// A workspace that has no rows.
const EMPTY: &str = "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee";

/// Says all of it again, and notes what it finds.
pub(crate) async fn replay(place: &Place, said: &Said, report: &mut Report) {
    let admin = place.session("postgres").await;
    copy_all(place, &admin, said).await;
    let mut expected = Vec::new();
    for (text, all) in said {
        for (number, table) in tables(text).into_iter().enumerate() {
            let whole = say_all(&admin, text, all, &table, report).await;
            let cut = without(text, number);
            if say_all(&admin, &cut, all, &table, report).await != whole {
                let leak = format!("{number} of `{text}`, by the policies alone");
                report.leaks.push(leak);
            }
            expected.push(whole);
            report.tried.insert((text.clone(), number));
        }
    }
    lower(place, &admin).await;
    let mut expected = expected.into_iter();
    for (text, all) in said {
        for (number, table) in tables(text).into_iter().enumerate() {
            let expected = expected.next().unwrap();
            if say_all(&admin, text, all, &table, report).await != expected {
                report.leaks.push(format!("`{text}`, by its words alone"));
            }
            let cut = without(text, number);
            if say_all(&admin, &cut, all, &table, report).await != expected {
                report.missed.insert((text.clone(), number));
            }
        }
    }
}

/// Every workspace again, under the same ids in its rows: once as it is, and once for each table that
/// something was said of, without the rows of that table.
async fn copy_all(place: &Place, admin: &Session, said: &Said) {
    let replica = "SET session_replication_role = replica";
    admin.batch_execute(replica).await.unwrap();
    let all = "SELECT array_agg(workspace_id::text) FROM workspace_state";
    let originals: Option<Vec<String>> = admin.query_one(all, &[]).await.unwrap().get(0);
    let originals = originals.unwrap_or_default();
    let left_out: BTreeSet<String> = said.keys().flat_map(|text| tables(text)).collect();
    for table in place.tables().0 {
        let columns = format!(
            "SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute
             WHERE attrelid = 'skep.{table}'::regclass AND attnum > 0 AND attname <> 'workspace_id'"
        );
        let columns: String = admin.query_one(&columns, &[]).await.unwrap().get(0);
        let lacking = left_out.iter().filter(|left_out| **left_out != table);
        let marks: Vec<String> = lacking.map(|table| mark(table)).chain([mark("")]).collect();
        let copy = format!(
            "INSERT INTO {table} (workspace_id, {columns})
             SELECT (mark || substr(workspace_id::text, 9))::uuid, {columns}
             FROM {table} CROSS JOIN unnest($1::text[]) AS mark WHERE workspace_id::text = ANY ($2)"
        );
        admin.execute(&copy, &[&marks, &originals]).await.unwrap();
    }
}

/// Takes the policies away.
async fn lower(place: &Place, admin: &Session) {
    for table in place.tables().0 {
        let gone = format!("ALTER TABLE {table} DISABLE ROW LEVEL SECURITY");
        admin.batch_execute(&gone).await.unwrap();
    }
}

/// With all its values: in the workspace that they name, in its copy that lacks the rows of a table, and
/// where nothing is.
async fn say_all<'a>(
    admin: &Session,
    text: &str,
    all: impl IntoIterator<Item = &'a Vec<Bound>>,
    table: &str,
    report: &mut Report,
) -> Vec<Outcome> {
    let prepared = admin.prepare(text).await.unwrap();
    let mut outcomes = Vec::new();
    for values in all {
        let own = hex(values[0].as_ref().unwrap());
        let copy = [&mark(table), &own[8..]].concat();
        for workspace in [own, copy, EMPTY.to_owned()] {
            let mut values = values.clone();
            values[0] = Some(bytes(&workspace));
            report.times += 1;
            outcomes.push(say(admin, &prepared, values, &workspace).await);
        }
    }
    outcomes
}

/// As a node would, in a transaction that leaves nothing.
async fn say(
    admin: &Session,
    prepared: &tokio_postgres::Statement,
    values: Vec<Bound>,
    words: &str,
) -> Outcome {
    let begin = format!(
        "BEGIN; SET LOCAL ROLE skep_app; SELECT set_config('skep.workspace', '{words}', true)"
    );
    admin.batch_execute(&begin).await.unwrap();
    let outcome = async {
        let rows = admin
            .query_raw(prepared, values.into_iter().map(Raw))
            .await?;
        let mut rows = std::pin::pin!(rows);
        let mut found = Vec::new();
        while let Some(row) = rows.try_next().await? {
            let cells = (0..row.len()).map(|at| row.get::<_, Option<Cell>>(at));
            found.push(cells.map(|cell| cell.map(|cell| cell.0)).collect());
        }
        found.sort_unstable();
        Ok((found, rows.rows_affected()))
    };
    let outcome: Result<_, tokio_postgres::Error> = outcome.await;
    admin.batch_execute("ROLLBACK").await.unwrap();
    outcome.map_err(|error| error.code().unwrap().code().to_owned())
}

/// How the id of a copy begins, by what it lacks.
fn mark(table: &str) -> String {
    let sum = table.bytes().fold(0_u32, |sum, byte| {
        sum.wrapping_mul(31).wrapping_add(u32::from(byte))
    });
    format!("{sum:08x}")
}

fn hex(bytes: &[u8]) -> String {
    let pairs: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    pairs.concat()
}

fn bytes(hex: &str) -> Vec<u8> {
    let pairs = (0..hex.len()).step_by(2);
    pairs
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect()
}

#[derive(Debug)]
struct Raw(Bound);

impl ToSql for Raw {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        let Some(bytes) = &self.0 else {
            return Ok(IsNull::Yes);
        };
        out.extend_from_slice(bytes);
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

struct Cell(Vec<u8>);

impl<'a> FromSql<'a> for Cell {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(raw.to_vec()))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}
