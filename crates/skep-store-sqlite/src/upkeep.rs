//! Statements of the daemon's own upkeep: the change feed, vectors, distilling, counts. They see
//! every row of the workspace and serve no caller.

use rusqlite::params;
use skep_domain::{Id, MemoryId, SessionId};
use skep_store::column::{id, sealed};
use skep_store::row::{ChangeRow, CountsRow, DistilRow, ModelTag, UnembeddedRow, VectorRow};

use crate::column::page_end;
use crate::failure::Failure;
use crate::rows::Rows;
use crate::session;

/// The columns of a change, up to those of its vector. A memory whose consent is missing shows as
/// quarantined.
macro_rules! change_columns {
    () => {
        concat!(
            "m.seq, m.id, m.kind, CASE WHEN ",
            $crate::ring::consent_predicate!("m.id"),
            " THEN m.state ELSE 1 END, m.recorded_at, m.project, b.body"
        )
    };
}
pub(crate) use change_columns;

/// After `(seq, None)` come the changes of the next `seq`: all of that one is known.
pub(crate) fn changes(
    rows: &Rows<'_>,
    (seq, after): (u64, Option<MemoryId>),
    limit: u32,
) -> Result<Vec<ChangeRow>, Failure> {
    let sql = concat!(
        "SELECT ",
        change_columns!(),
        ", v.model, v.vector, m.valid_from, m.session, m.owner_kind, m.owner, m.visibility
               FROM memory_facts AS m INDEXED BY memory_by_seq
               CROSS JOIN memory AS b ON b.workspace_id = ?1 AND b.id = m.id
               LEFT JOIN memory_vector AS v ON v.workspace_id = ?1 AND v.memory = m.id
               WHERE m.workspace_id = ?1 AND (m.seq, m.id) > (?2, ?3)
               ORDER BY m.seq, m.id LIMIT ?4"
    );
    let after = page_end(after);
    rows.list(sql, params![rows.workspace, seq, after, limit])
}

/// Memories without any vector first, the newest of them first; then those with a vector of
/// another model, below and above this one's tag: three walks of an index, none over what is done.
pub(crate) fn unembedded(
    rows: &Rows<'_>,
    model: ModelTag,
    limit: u32,
) -> Result<Vec<UnembeddedRow>, Failure> {
    let parts = [
        "SELECT m.id, b.body FROM memory_facts AS m INDEXED BY memory_by_model
         CROSS JOIN memory AS b ON b.workspace_id = ?1 AND b.id = m.id
         WHERE m.workspace_id = ?1 AND m.state = 0 AND m.vector_model IS NULL AND ?2 IS NOT NULL
         ORDER BY m.id DESC LIMIT ?3",
        "SELECT m.id, b.body FROM memory_facts AS m INDEXED BY memory_by_model
         CROSS JOIN memory AS b ON b.workspace_id = ?1 AND b.id = m.id
         WHERE m.workspace_id = ?1 AND m.state = 0 AND m.vector_model < ?2 LIMIT ?3",
        "SELECT m.id, b.body FROM memory_facts AS m INDEXED BY memory_by_model
         CROSS JOIN memory AS b ON b.workspace_id = ?1 AND b.id = m.id
         WHERE m.workspace_id = ?1 AND m.state = 0 AND m.vector_model > ?2 LIMIT ?3",
    ];
    let mut found = Vec::new();
    for sql in parts {
        let left = u64::from(limit).saturating_sub(found.len() as u64);
        if left > 0 {
            let mut statement = rows.statement(sql)?;
            let more = statement.query_and_then(params![rows.workspace, model, left], |row| {
                Ok::<_, Failure>(UnembeddedRow {
                    id: id(row, 0)?,
                    body: sealed(row, 1)?,
                })
            })?;
            found.extend(more.collect::<Result<Vec<_>, _>>()?);
        }
    }
    Ok(found)
}

/// A vector is a change that the index must hear of, so the memory moves to this `seq`. One whose
/// memory does not exist is left out.
pub(crate) fn put_vectors(rows: &mut Rows<'_>, vectors: &[VectorRow]) -> Result<(), Failure> {
    if vectors.is_empty() {
        return Ok(());
    }
    let seq = rows.writing()?;
    let mut mark = rows.statement(
        "UPDATE memory_facts SET seq = ?3, vector_model = ?4 WHERE workspace_id = ?1 AND id = ?2",
    )?;
    let mut put = rows.statement(
        "INSERT INTO memory_vector (workspace_id, memory, model, dim, vector)
         VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (workspace_id, memory) DO UPDATE
         SET model = excluded.model, dim = excluded.dim, vector = excluded.vector",
    )?;
    for row in vectors {
        let id = row.id.to_bytes();
        if mark.execute(params![rows.workspace, id, seq, row.model])? == 1 {
            let vector = row.vector.as_bytes();
            put.execute(params![rows.workspace, id, row.model, row.dim, vector])?;
        }
    }
    Ok(())
}

/// Ended sessions first, then the longest backlog: what an open session still has to complete
/// never keeps the rest waiting.
pub(crate) fn undistilled(rows: &Rows<'_>, limit: u32) -> Result<Vec<DistilRow>, Failure> {
    let sql = "SELECT id, distilled_to, turn_count, state
               FROM session INDEXED BY session_undistilled
               WHERE workspace_id = ?1 AND distilled_to < turn_count
               ORDER BY state DESC, turn_count - distilled_to DESC, id LIMIT ?2";
    rows.list(sql, params![rows.workspace, limit])
}

pub(crate) fn distil_state(
    rows: &Rows<'_>,
    session: SessionId,
) -> Result<Option<DistilRow>, Failure> {
    let sql = "SELECT id, distilled_to, turn_count, state FROM session
               WHERE workspace_id = ?1 AND id = ?2";
    rows.find(sql, params![rows.workspace, session.to_bytes()])
}

pub(crate) fn set_distilled(
    rows: &mut Rows<'_>,
    session: SessionId,
    to: u64,
) -> Result<(), Failure> {
    rows.writing()?;
    let sql = "UPDATE session SET distilled_to = ?3 WHERE workspace_id = ?1 AND id = ?2";
    let values = params![rows.workspace, session.to_bytes(), to];
    if rows.statement(sql)?.execute(values)? == 1 {
        Ok(())
    } else {
        Err(session::absent())
    }
}

pub(crate) fn counts(rows: &Rows<'_>, model: ModelTag) -> Result<CountsRow, Failure> {
    let sql = "SELECT COUNT(*), COALESCE(SUM(turn_count), 0),
                   COALESCE(SUM(turn_count - distilled_to), 0)
               FROM session WHERE workspace_id = ?1";
    let (sessions, turns, awaiting_distil) =
        rows.statement(sql)?.query_row([&rows.workspace], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?;
    let sql = "SELECT COUNT(*), COALESCE(SUM(vector_model IS NOT ?2), 0)
               FROM memory_facts INDEXED BY memory_by_model
               WHERE workspace_id = ?1 AND state = 0";
    let (memories, awaiting_vector) = rows
        .statement(sql)?
        .query_row(params![rows.workspace, model], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    Ok(CountsRow {
        sessions,
        turns,
        memories,
        awaiting_vector,
        awaiting_distil,
    })
}
