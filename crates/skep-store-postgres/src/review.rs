//! Statements on quarantine and on histories.

use skep_domain::{Id, MemoryId, ReadingRing};
use skep_store::backend::PageOf;
use skep_store::column::{Stored, bytes_of};
use skep_store::memory_columns;
use skep_store::row::{HistoryRow, StoredMemoryRow};

use crate::failure::Failure;
use crate::memory;
use crate::ring::ring_predicate;
use crate::rows::Rows;
use crate::statement::statements;
use crate::value::values;

statements! {
    QUARANTINED = concat!(
        "SELECT ",
        memory_columns!(),
        " FROM memory_facts AS m
          JOIN memory AS b ON b.workspace_id = $1 AND b.id = m.id
          LEFT JOIN project AS p ON p.workspace_id = $1 AND p.id = m.project
          WHERE m.workspace_id = $1 AND m.state = 1 AND ($7::uuid IS NULL OR m.id < $7) AND ",
        ring_predicate!("m"),
        " ORDER BY m.id DESC LIMIT $8"
    );
    HELD = concat!(
        "SELECT 1 FROM memory_facts AS m
         WHERE m.workspace_id = $1 AND m.id = $7 AND m.state = 1 AND ",
        ring_predicate!("m")
    );
    HISTORY = concat!(
        "SELECT h.at, h.actor_kind, h.actor, h.state, h.reason
         FROM memory_facts AS m
         JOIN memory_history AS h ON h.workspace_id = $1 AND h.memory = m.id
         WHERE m.workspace_id = $1 AND m.id = $7 AND ",
        ring_predicate!("m"),
        " ORDER BY h.entry LIMIT $8"
    );
}

pub(crate) async fn quarantined(
    rows: &Rows<'_>,
    ring: &ReadingRing,
    page: PageOf<MemoryId>,
) -> Result<Vec<StoredMemoryRow>, Failure> {
    let values = rows.for_reader(ring, values![bytes_of(page.before), page.limit]);
    rows.list(QUARANTINED, &values, StoredMemoryRow::read).await
}

pub(crate) async fn release(
    rows: &mut Rows<'_>,
    ring: &ReadingRing,
    id: MemoryId,
    entry: &HistoryRow,
) -> Result<bool, Failure> {
    let values = rows.for_reader(ring, values![id.to_bytes()]);
    if !rows.exists(HELD, &values).await? {
        return Ok(false);
    }
    memory::move_to(rows, id, entry).await?;
    Ok(true)
}

pub(crate) async fn history(
    rows: &Rows<'_>,
    ring: &ReadingRing,
    id: MemoryId,
    limit: u32,
) -> Result<Vec<HistoryRow>, Failure> {
    let values = rows.for_reader(ring, values![id.to_bytes(), limit]);
    rows.list(HISTORY, &values, HistoryRow::read).await
}
