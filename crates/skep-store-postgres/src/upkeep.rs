//! Statements of the daemon's own upkeep: the change feed, vectors, distilling, counts. They see
//! every row of the workspace and serve no caller.

use skep_domain::{Id, MemoryId, SessionId};
use skep_store::column::{Stored, bytes_of, id, sealed};
use skep_store::row::{ChangeRow, CountsRow, DistilRow, ModelTag, UnembeddedRow, VectorRow};

use crate::failure::Failure;
use crate::rows::Rows;
use crate::session;
use crate::statement::{Statement, statements};
use crate::value::values;

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

/// Memories without a vector of a model, by where they stand in the index of models.
macro_rules! unembedded {
    ($where:literal) => {
        concat!(
            "SELECT m.id, b.body FROM memory_facts AS m
             JOIN memory AS b ON b.workspace_id = $1 AND b.id = m.id
             WHERE m.workspace_id = $1 AND m.state = 0 AND ",
            $where,
            " LIMIT $3"
        )
    };
}

statements! {
    CHANGES = concat!(
        "SELECT ",
        change_columns!(),
        ", v.model, v.vector, m.valid_from, m.session, m.owner_kind, m.owner, m.visibility
         FROM memory_facts AS m
         JOIN memory AS b ON b.workspace_id = $1 AND b.id = m.id
         LEFT JOIN memory_vector AS v ON v.workspace_id = $1 AND v.memory = m.id
         WHERE m.workspace_id = $1 AND m.seq >= $2 AND (m.seq > $2 OR m.id > $3::uuid)
         ORDER BY m.seq, m.id LIMIT $4"
    );
    UNEMBEDDED_NONE = unembedded!(
        "m.vector_model IS NULL AND $2::bytea IS NOT NULL ORDER BY m.id DESC"
    );
    UNEMBEDDED_BELOW = unembedded!("m.vector_model < $2 ORDER BY m.vector_model, m.id");
    UNEMBEDDED_ABOVE = unembedded!("m.vector_model > $2 ORDER BY m.vector_model, m.id");
    MARK = "UPDATE memory_facts SET seq = $3, vector_model = $4
            WHERE workspace_id = $1 AND id = $2";
    PUT_VECTOR = "INSERT INTO memory_vector (workspace_id, memory, model, dim, vector)
        VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (workspace_id, memory) DO UPDATE
        SET model = excluded.model, dim = excluded.dim, vector = excluded.vector";
    UNDISTILLED = "SELECT id, distilled_to, turn_count, state FROM session
        WHERE workspace_id = $1 AND distilled_to < turn_count
        ORDER BY state DESC, turn_count - distilled_to DESC, id LIMIT $2";
    DISTIL_STATE = "SELECT id, distilled_to, turn_count, state FROM session
        WHERE workspace_id = $1 AND id = $2";
    SET_DISTILLED = "UPDATE session SET distilled_to = $3 WHERE workspace_id = $1 AND id = $2";
    COUNT_SESSIONS = "SELECT COUNT(*), COALESCE(SUM(turn_count), 0)::bigint,
            COALESCE(SUM(turn_count - distilled_to), 0)::bigint
        FROM session WHERE workspace_id = $1";
    COUNT_MEMORIES = "SELECT COUNT(*), COUNT(*) FILTER (WHERE vector_model IS DISTINCT FROM $2)
        FROM memory_facts WHERE workspace_id = $1 AND state = 0";
}

/// After `(seq, None)` come the changes of the next `seq`: all of that one is known.
pub(crate) async fn changes(
    rows: &Rows<'_>,
    (seq, after): (u64, Option<MemoryId>),
    limit: u32,
) -> Result<Vec<ChangeRow>, Failure> {
    let values = values![rows.workspace, seq, bytes_of(after), limit];
    rows.list(CHANGES, values, ChangeRow::read).await
}

/// Memories without any vector first, the newest of them first; then those with a vector of
/// another model, below and above this one's tag: three walks of an index, none over what is done.
pub(crate) async fn unembedded(
    rows: &Rows<'_>,
    model: ModelTag,
    limit: u32,
) -> Result<Vec<UnembeddedRow>, Failure> {
    const WALKS: [Statement; 3] = [UNEMBEDDED_NONE, UNEMBEDDED_BELOW, UNEMBEDDED_ABOVE];
    let mut found = Vec::new();
    for walk in WALKS {
        let left = u64::from(limit).saturating_sub(found.len() as u64);
        if left > 0 {
            let values = values![rows.workspace, model, left];
            let more = rows.list(walk, values, |row| {
                Ok(UnembeddedRow {
                    id: id(row, 0)?,
                    body: sealed(row, 1)?,
                })
            });
            found.extend(more.await?);
        }
    }
    Ok(found)
}

/// A vector is a change that the index must hear of, so the memory moves to this `seq`. One whose
/// memory does not exist is left out.
pub(crate) async fn put_vectors(rows: &mut Rows<'_>, vectors: &[VectorRow]) -> Result<(), Failure> {
    if vectors.is_empty() {
        return Ok(());
    }
    let seq = rows.writing().await?;
    let marks = vectors.iter().map(|row| {
        let id = row.id.to_bytes();
        values![rows.workspace, id, seq, row.model].to_vec()
    });
    let marks: Vec<_> = marks.collect();
    let marked = rows.run_each(MARK, &marks).await?;
    let there = vectors
        .iter()
        .zip(marked)
        .filter(|(_, marked)| *marked == 1);
    let puts = there.map(|(row, _)| {
        let vector = row.vector.as_bytes();
        values![
            rows.workspace,
            row.id.to_bytes(),
            row.model,
            row.dim,
            vector
        ]
        .to_vec()
    });
    let puts: Vec<_> = puts.collect();
    rows.run_each(PUT_VECTOR, &puts).await?;
    Ok(())
}

/// Ended sessions first, then the longest backlog: what an open session still has to complete
/// never keeps the rest waiting.
pub(crate) async fn undistilled(rows: &Rows<'_>, limit: u32) -> Result<Vec<DistilRow>, Failure> {
    let values = values![rows.workspace, limit];
    rows.list(UNDISTILLED, values, DistilRow::read).await
}

pub(crate) async fn distil_state(
    rows: &Rows<'_>,
    session: SessionId,
) -> Result<Option<DistilRow>, Failure> {
    let values = values![rows.workspace, session.to_bytes()];
    rows.find(DISTIL_STATE, values, DistilRow::read).await
}

pub(crate) async fn set_distilled(
    rows: &mut Rows<'_>,
    session: SessionId,
    to: u64,
) -> Result<(), Failure> {
    rows.writing().await?;
    let values = values![rows.workspace, session.to_bytes(), to];
    if rows.run(SET_DISTILLED, values).await? == 1 {
        Ok(())
    } else {
        Err(session::absent())
    }
}

pub(crate) async fn counts(rows: &Rows<'_>, model: ModelTag) -> Result<CountsRow, Failure> {
    let values = values![rows.workspace];
    let (sessions, turns, awaiting_distil) = rows
        .get(COUNT_SESSIONS, values, |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .await?;
    let values = values![rows.workspace, model];
    let (memories, awaiting_vector) = rows
        .get(COUNT_MEMORIES, values, |row| Ok((row.get(0)?, row.get(1)?)))
        .await?;
    Ok(CountsRow {
        sessions,
        turns,
        memories,
        awaiting_vector,
        awaiting_distil,
    })
}
