//! Statements on conflicts: pairs of memories of which at most one can be true.

use skep_domain::{ConflictId, Id, ReadingRing, Resolution, Timestamp};
use skep_store::backend::PageOf;
use skep_store::column::{Stored, bytes_of};
use skep_store::row::ConflictRow;

use crate::failure::Failure;
use crate::ring::ring_predicate;
use crate::rows::Rows;
use crate::statement::statements;
use crate::value::values;

/// Conflicts both of whose memories the ring lets through.
macro_rules! visible_conflicts {
    ($more:literal) => {
        concat!(
            "SELECT c.id, c.older, c.newer, c.found_at, c.resolved_at, c.resolution
             FROM memory_conflict AS c
             JOIN memory_facts AS m ON m.workspace_id = $1 AND m.id = c.older
             JOIN memory_facts AS n ON n.workspace_id = $1 AND n.id = c.newer
             WHERE c.workspace_id = $1 AND ",
            ring_predicate!("m"),
            " AND ",
            ring_predicate!("n"),
            $more
        )
    };
}

statements! {
    PUT = "INSERT INTO memory_conflict (workspace_id, id, older, newer, found_at)
        VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";
    LIST = visible_conflicts!(
        " AND c.resolved_at IS NULL AND m.state = 0 AND n.state = 0
         AND ($7::uuid IS NULL OR c.id < $7) ORDER BY c.id DESC LIMIT $8"
    );
    GET = visible_conflicts!(" AND c.id = $7");
    SETTLE = "UPDATE memory_conflict SET resolved_at = $3, resolution = $4
        WHERE workspace_id = $1 AND id = $2 AND resolved_at IS NULL";
}

pub(crate) async fn put(rows: &mut Rows<'_>, row: &ConflictRow) -> Result<bool, Failure> {
    let values = values![
        rows.workspace,
        row.id.to_bytes(),
        row.older.to_bytes(),
        row.newer.to_bytes(),
        row.found_at.as_micros()
    ];
    let added = rows.run(PUT, values).await?;
    if added == 1 {
        rows.writing().await?;
    }
    Ok(added == 1)
}

pub(crate) async fn list(
    rows: &Rows<'_>,
    ring: &ReadingRing,
    page: PageOf<ConflictId>,
) -> Result<Vec<ConflictRow>, Failure> {
    let values = rows.for_reader(ring, values![bytes_of(page.before), page.limit]);
    rows.list(LIST, &values, ConflictRow::read).await
}

pub(crate) async fn get(
    rows: &Rows<'_>,
    ring: &ReadingRing,
    id: ConflictId,
) -> Result<Option<ConflictRow>, Failure> {
    let values = rows.for_reader(ring, values![id.to_bytes()]);
    rows.find(GET, &values, ConflictRow::read).await
}

pub(crate) async fn settle(
    rows: &mut Rows<'_>,
    id: ConflictId,
    resolution: Resolution,
    at: Timestamp,
) -> Result<bool, Failure> {
    let values = values![
        rows.workspace,
        id.to_bytes(),
        at.as_micros(),
        resolution.code()
    ];
    let settled = rows.run(SETTLE, values).await?;
    if settled == 1 {
        rows.writing().await?;
    }
    Ok(settled == 1)
}
