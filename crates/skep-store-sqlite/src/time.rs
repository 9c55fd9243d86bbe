//! Statements on what stands beside memories: topics, origins, history.

use std::collections::BTreeSet;

use rusqlite::{OptionalExtension, params};
use skep_domain::{Id, MemoryId, MemoryState, OriginKind, ReadingRing, Timestamp, Trust};
use skep_store::backend::RingValues;
use skep_store::column::id;
use skep_store::memory_columns;
use skep_store::row::{Fingerprint, HistoryRow, OriginRow, StoredMemoryRow, TraceRow};

use crate::failure::Failure;
use crate::memory;
use crate::ring::{for_reader, ring_predicate};
use crate::rows::{Rows, id_array};

pub(crate) fn put_trace(
    rows: &mut Rows<'_>,
    id: MemoryId,
    new: bool,
    trace: &TraceRow,
) -> Result<(), Failure> {
    let mut added = false;
    for origin in &trace.origins {
        added |= put_origin(rows, id, origin)?;
    }
    if !new {
        if added {
            rows.writing()?;
        }
        return raise_trust(rows, id, &trace.origins);
    }
    let sql = "INSERT INTO memory_topic (workspace_id, topic, memory) VALUES (?1, ?2, ?3)
               ON CONFLICT DO NOTHING";
    for topic in &trace.topics {
        rows.statement(sql)?
            .execute(params![rows.workspace, topic, id.to_bytes()])?;
    }
    if let Some(first) = &trace.first {
        memory::note(rows, id, first)?;
    }
    Ok(())
}

fn put_origin(rows: &Rows<'_>, id: MemoryId, row: &OriginRow) -> Result<bool, Failure> {
    let sql = "INSERT INTO memory_origin (workspace_id, memory, kind, origin, trust)
               VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING";
    let added = rows.statement(sql)?.execute(params![
        rows.workspace,
        id.to_bytes(),
        row.kind.code(),
        row.origin,
        row.trust.code()
    ])?;
    Ok(added == 1)
}

/// Only a human's word raises trust: an agent may repeat what it read on a page.
fn raise_trust(rows: &mut Rows<'_>, id: MemoryId, origins: &[OriginRow]) -> Result<(), Failure> {
    let vouched = origins
        .iter()
        .any(|row| row.trust == Trust::User && row.kind != OriginKind::Memory);
    if !vouched {
        return Ok(());
    }
    let sql = "UPDATE memory_facts SET trust = ?3
               WHERE workspace_id = ?1 AND id = ?2 AND trust < ?3";
    let raised =
        rows.statement(sql)?
            .execute(params![rows.workspace, id.to_bytes(), Trust::User.code()])?;
    if raised > 0 {
        rows.writing()?;
    }
    Ok(())
}

/// The newest of each topic; a topic that everything speaks about is not walked to its end.
const NEWEST: u32 = 64;

pub(crate) fn related(
    rows: &Rows<'_>,
    ring: &ReadingRing,
    topics: &[Fingerprint],
    limit: u32,
) -> Result<Vec<StoredMemoryRow>, Failure> {
    let sql = "SELECT memory FROM memory_topic WHERE workspace_id = ?1 AND topic = ?2
               ORDER BY memory DESC LIMIT ?3";
    let mut found = BTreeSet::new();
    for topic in topics {
        let mut statement = rows.statement(sql)?;
        let ids = statement.query_and_then(params![rows.workspace, topic, NEWEST], |row| {
            id::<MemoryId, _>(row, 0)
        })?;
        for id in ids {
            found.insert(id?);
        }
    }
    let newest: Vec<MemoryId> = found.into_iter().rev().collect();
    let mut related = memory::list_by_id(rows, ring, &newest)?;
    related.retain(|row| row.memory.state == MemoryState::Active);
    related.truncate(limit as usize);
    Ok(related)
}

pub(crate) fn of_topic(
    rows: &Rows<'_>,
    ring: &ReadingRing,
    topic: Fingerprint,
    limit: u32,
) -> Result<Vec<StoredMemoryRow>, Failure> {
    let ring = RingValues::of(ring);
    let sql = concat!(
        "SELECT ",
        memory_columns!(),
        " FROM memory_topic AS t
          CROSS JOIN memory_facts AS m ON m.workspace_id = ?1 AND m.id = t.memory
          CROSS JOIN memory AS b ON b.workspace_id = ?1 AND b.id = m.id
          LEFT JOIN project AS p ON p.workspace_id = ?1 AND p.id = m.project
          WHERE t.workspace_id = ?1 AND t.topic = ?7 AND m.state = 0 AND ",
        ring_predicate!("m"),
        " ORDER BY t.memory DESC LIMIT ?8"
    );
    rows.list(sql, for_reader![rows, ring, topic, limit])
}

pub(crate) fn supersede(
    rows: &mut Rows<'_>,
    older: MemoryId,
    newer: MemoryId,
    ends: Timestamp,
    entry: &HistoryRow,
) -> Result<bool, Failure> {
    let sql = "SELECT o.valid_to FROM memory_facts AS o CROSS JOIN memory_facts AS n
               ON n.workspace_id = ?1 AND n.id = ?3
               WHERE o.workspace_id = ?1 AND o.id = ?2 AND o.state = 0 AND o.id <> n.id";
    let ended: Option<Option<i64>> = rows
        .statement(sql)?
        .query_row(
            params![rows.workspace, older.to_bytes(), newer.to_bytes()],
            |row| row.get(0),
        )
        .optional()?;
    let Some(ended) = ended else {
        return Ok(false);
    };
    memory::move_to(rows, older, entry)?;
    let sql = "UPDATE memory_facts SET valid_to = MIN(COALESCE(valid_to, ?3), ?3)
               WHERE workspace_id = ?1 AND id = ?2";
    rows.statement(sql)?
        .execute(params![rows.workspace, older.to_bytes(), ends.as_micros()])?;
    let sql = "INSERT INTO memory_successor (workspace_id, memory, successor, valid_to)
               VALUES (?1, ?2, ?3, ?4)
               ON CONFLICT (workspace_id, memory) DO UPDATE SET successor = excluded.successor";
    rows.statement(sql)?.execute(params![
        rows.workspace,
        older.to_bytes(),
        newer.to_bytes(),
        ended
    ])?;
    Ok(true)
}

pub(crate) fn links(
    rows: &Rows<'_>,
    ring: &ReadingRing,
    ids: &[MemoryId],
) -> Result<Vec<(MemoryId, MemoryId)>, Failure> {
    let ring = RingValues::of(ring);
    let forwards = concat!(
        "SELECT s.memory, s.successor FROM rarray(?7) AS wanted
         CROSS JOIN memory_successor AS s ON s.workspace_id = ?1 AND s.memory = wanted.value
         CROSS JOIN memory_facts AS m ON m.workspace_id = ?1 AND m.id = s.memory
         CROSS JOIN memory_facts AS n ON n.workspace_id = ?1 AND n.id = s.successor
         WHERE ",
        ring_predicate!("m"),
        " AND ",
        ring_predicate!("n")
    );
    let backwards = concat!(
        "SELECT s.memory, s.successor FROM rarray(?7) AS wanted
         CROSS JOIN memory_successor AS s ON s.workspace_id = ?1 AND s.successor = wanted.value
         CROSS JOIN memory_facts AS m ON m.workspace_id = ?1 AND m.id = s.memory
         CROSS JOIN memory_facts AS n ON n.workspace_id = ?1 AND n.id = s.successor
         WHERE ",
        ring_predicate!("m"),
        " AND ",
        ring_predicate!("n"),
        " LIMIT 256"
    );
    let mut found = Vec::new();
    for sql in [forwards, backwards] {
        let mut statement = rows.statement(sql)?;
        let values = for_reader![rows, ring, id_array(ids)];
        let links =
            statement.query_and_then(values, |row| Ok::<_, Failure>((id(row, 0)?, id(row, 1)?)))?;
        for link in links {
            found.push(link?);
        }
    }
    Ok(found)
}
