//! Statements on quarantine and on histories.

use rusqlite::{OptionalExtension, Row, params};
use skep_domain::{Id, MemoryId, MemoryState, ReadingRing};
use skep_store::StoreError;
use skep_store::backend::PageOf;
use skep_store::row::{HistoryRow, StoredMemoryRow};

use crate::column::{AFTER_ALL, code, principal_from, sealed, time};
use crate::failure::Failure;
use crate::memory::{self, memory_columns};
use crate::ring::{RingValues, ring_predicate};
use crate::rows::Rows;

pub(crate) fn quarantined(
    rows: &Rows<'_>,
    ring: &ReadingRing,
    page: PageOf<MemoryId>,
) -> Result<Vec<StoredMemoryRow>, Failure> {
    let ring = RingValues::of(ring);
    let before = page
        .before
        .map_or_else(|| AFTER_ALL.to_vec(), |id| id.to_bytes().to_vec());
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
    rows.statement(sql)?
        .query_and_then(
            params![
                rows.workspace,
                ring.kind,
                ring.owner,
                ring.least,
                ring.group,
                ring.projects,
                before,
                page.limit
            ],
            memory::stored,
        )?
        .collect()
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
        .query_row(
            params![
                rows.workspace,
                values.kind,
                values.owner,
                values.least,
                values.group,
                values.projects,
                id.to_bytes()
            ],
            |row| row.get(0),
        )
        .optional()?;
    if held.is_none() {
        return Ok(false);
    }
    memory::change_state(rows, id, entry)?;
    memory::note(rows, id, entry)?;
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
    rows.statement(sql)?
        .query_and_then(
            params![
                rows.workspace,
                values.kind,
                values.owner,
                values.least,
                values.group,
                values.projects,
                id.to_bytes(),
                limit
            ],
            entry,
        )?
        .collect()
}

fn entry(row: &Row<'_>) -> Result<HistoryRow, Failure> {
    let actor = match (row.get::<_, Option<u8>>(1)?, row.get(2)?) {
        (Some(kind), Some(id)) => {
            Some(principal_from(kind, id).ok_or(StoreError::Damaged("the actor of a history"))?)
        }
        _ => None,
    };
    Ok(HistoryRow {
        at: time(row, 0)?,
        actor,
        state: code(row, 3, MemoryState::from_code, "the state in a history")?,
        reason: sealed(row, 4)?,
    })
}
