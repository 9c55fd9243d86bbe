//! Statements on quarantine and on histories.

use rusqlite::OptionalExtension;
use skep_domain::{Id, MemoryId, ReadingRing};
use skep_store::backend::{PageOf, RingValues};
use skep_store::memory_columns;
use skep_store::row::{HistoryRow, StoredMemoryRow};

use crate::column::page_end;
use crate::failure::Failure;
use crate::memory;
use crate::ring::{for_reader, ring_predicate};
use crate::rows::Rows;

pub(crate) fn quarantined(
    rows: &Rows<'_>,
    ring: &ReadingRing,
    page: PageOf<MemoryId>,
) -> Result<Vec<StoredMemoryRow>, Failure> {
    let ring = RingValues::of(ring);
    let before = page_end(page.before);
    let sql = concat!(
        "SELECT ",
        memory_columns!(),
        " FROM memory_facts AS m
          CROSS JOIN memory AS b ON b.workspace_id = ?1 AND b.id = m.id
          LEFT JOIN project AS p ON p.workspace_id = ?1 AND p.id = m.project
          WHERE m.workspace_id = ?1 AND m.state = 1 AND m.id < ?7 AND ",
        ring_predicate!("m"),
        " ORDER BY m.id DESC LIMIT ?8"
    );
    rows.list(sql, for_reader![rows, ring, before, page.limit])
}

pub(crate) fn release(
    rows: &mut Rows<'_>,
    ring: &ReadingRing,
    id: MemoryId,
    entry: &HistoryRow,
) -> Result<bool, Failure> {
    let values = RingValues::of(ring);
    let sql = concat!(
        "SELECT 1 FROM memory_facts AS m
         WHERE m.workspace_id = ?1 AND m.id = ?7 AND m.state = 1 AND ",
        ring_predicate!("m")
    );
    let held: Option<i64> = rows
        .statement(sql)?
        .query_row(for_reader![rows, values, id.to_bytes()], |row| row.get(0))
        .optional()?;
    if held.is_none() {
        return Ok(false);
    }
    memory::move_to(rows, id, entry)?;
    Ok(true)
}

pub(crate) fn history(
    rows: &Rows<'_>,
    ring: &ReadingRing,
    id: MemoryId,
    limit: u32,
) -> Result<Vec<HistoryRow>, Failure> {
    let values = RingValues::of(ring);
    let sql = concat!(
        "SELECT h.at, h.actor_kind, h.actor, h.state, h.reason
         FROM memory_facts AS m CROSS JOIN memory_history AS h
         ON h.workspace_id = ?1 AND h.memory = m.id
         WHERE m.workspace_id = ?1 AND m.id = ?7 AND ",
        ring_predicate!("m"),
        " ORDER BY h.entry LIMIT ?8"
    );
    rows.list(sql, for_reader![rows, values, id.to_bytes(), limit])
}
