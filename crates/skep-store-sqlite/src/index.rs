//! Walks over a workspace's rows in the order in which they lie in the file: no index is read for
//! what is sealed, and most rows are found by stepping to the next.

use rusqlite::params;
use skep_crypto::Sealed;
use skep_domain::MemoryId;
use skep_store::backend::Walked;
use skep_store::column::{id, sealed};
use skep_store::row::{ChangeRow, ModelTag};

use crate::column::stored;
use crate::failure::Failure;
use crate::rows::Rows;
use crate::upkeep::change_columns;

pub(crate) fn walk_memories(
    rows: &Rows<'_>,
    from: u64,
    limit: u32,
) -> Result<Walked<ChangeRow>, Failure> {
    // The place stands last, beyond the columns that every change has.
    let sql = concat!(
        "SELECT ",
        change_columns!(),
        ", NULL, NULL, m.valid_from, m.session, m.owner_kind, m.owner, m.visibility,
           b.rowid AS place
         FROM memory AS b NOT INDEXED
         CROSS JOIN memory_facts AS m ON m.workspace_id = ?1 AND m.id = b.id
         WHERE b.workspace_id = ?1 AND b.rowid > ?2 AND m.state IN (0, 2)
         ORDER BY b.rowid LIMIT ?3"
    );
    let mut statement = rows.statement(sql)?;
    let found = statement.query_and_then(params![rows.workspace, from, limit], |row| {
        Ok::<_, Failure>((row.get("place")?, stored(row)?))
    })?;
    Ok(walked(found.collect::<Result<_, _>>()?, limit))
}

pub(crate) fn walk_vectors(
    rows: &Rows<'_>,
    model: ModelTag,
    from: u64,
    limit: u32,
) -> Result<Walked<(MemoryId, Sealed)>, Failure> {
    let sql = "SELECT v.rowid, v.memory, v.vector FROM memory_vector AS v NOT INDEXED
               WHERE v.workspace_id = ?1 AND v.rowid > ?2 AND v.model = ?4
               ORDER BY v.rowid LIMIT ?3";
    let mut statement = rows.statement(sql)?;
    let found = statement.query_and_then(params![rows.workspace, from, limit, model], |row| {
        Ok::<_, Failure>((row.get(0)?, (id(row, 1)?, sealed(row, 2)?)))
    })?;
    Ok(walked(found.collect::<Result<_, _>>()?, limit))
}

/// A part that is not full is the last.
fn walked<T>(found: Vec<(u64, T)>, limit: u32) -> Walked<T> {
    let is_full = found.len() >= limit as usize;
    let next = found.last().map(|(place, _)| *place);
    Walked {
        next: next.filter(|_| is_full),
        rows: found.into_iter().map(|(_, row)| row).collect(),
    }
}
