//! Statements on conflicts: pairs of memories of which at most one can be true.

use rusqlite::params;
use skep_domain::{ConflictId, Id, ReadingRing, Resolution, Timestamp};
use skep_store::backend::{PageOf, RingValues};
use skep_store::row::ConflictRow;

use crate::column::page_end;
use crate::failure::Failure;
use crate::ring::{for_reader, ring_predicate};
use crate::rows::Rows;

/// Conflicts both of whose memories the ring lets through.
macro_rules! visible_conflicts {
    ($more:literal) => {
        concat!(
            "SELECT c.id, c.older, c.newer, c.found_at, c.resolved_at, c.resolution
             FROM memory_conflict AS c
             CROSS JOIN memory_facts AS m ON m.workspace_id = ?1 AND m.id = c.older
             CROSS JOIN memory_facts AS n ON n.workspace_id = ?1 AND n.id = c.newer
             WHERE c.workspace_id = ?1 AND ",
            ring_predicate!("m"),
            " AND ",
            ring_predicate!("n"),
            $more
        )
    };
}

pub(crate) fn put(rows: &mut Rows<'_>, row: &ConflictRow) -> Result<bool, Failure> {
    let sql = "INSERT INTO memory_conflict (workspace_id, id, older, newer, found_at)
               VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING";
    let added = rows.statement(sql)?.execute(params![
        rows.workspace,
        row.id.to_bytes(),
        row.older.to_bytes(),
        row.newer.to_bytes(),
        row.found_at.as_micros()
    ])?;
    if added == 1 {
        rows.writing()?;
    }
    Ok(added == 1)
}

pub(crate) fn list(
    rows: &Rows<'_>,
    ring: &ReadingRing,
    page: PageOf<ConflictId>,
) -> Result<Vec<ConflictRow>, Failure> {
    let ring = RingValues::of(ring);
    let before = page_end(page.before);
    let sql = visible_conflicts!(
        " AND c.resolved_at IS NULL AND m.state = 0 AND n.state = 0 AND c.id < ?7
         ORDER BY c.id DESC LIMIT ?8"
    );
    rows.list(sql, for_reader![rows, ring, before, page.limit])
}

pub(crate) fn get(
    rows: &Rows<'_>,
    ring: &ReadingRing,
    id: ConflictId,
) -> Result<Option<ConflictRow>, Failure> {
    let ring = RingValues::of(ring);
    rows.find(
        visible_conflicts!(" AND c.id = ?7"),
        for_reader![rows, ring, id.to_bytes()],
    )
}

pub(crate) fn settle(
    rows: &mut Rows<'_>,
    id: ConflictId,
    resolution: Resolution,
    at: Timestamp,
) -> Result<bool, Failure> {
    let sql = "UPDATE memory_conflict SET resolved_at = ?3, resolution = ?4
               WHERE workspace_id = ?1 AND id = ?2 AND resolved_at IS NULL";
    let settled = rows.statement(sql)?.execute(params![
        rows.workspace,
        id.to_bytes(),
        at.as_micros(),
        resolution.code()
    ])?;
    if settled == 1 {
        rows.writing()?;
    }
    Ok(settled == 1)
}
