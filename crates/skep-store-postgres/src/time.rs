//! Statements on what stands beside memories: topics, origins, history.

use skep_domain::{Id, MemoryId, MemoryState, OriginKind, ReadingRing, Timestamp, Trust};
use skep_store::column::{Stored, id};
use skep_store::memory_columns;
use skep_store::row::{Fingerprint, HistoryRow, OriginRow, StoredMemoryRow, TraceRow};

use crate::failure::Failure;
use crate::memory;
use crate::ring::ring_predicate;
use crate::row::Row;
use crate::rows::{Rows, id_array};
use crate::statement::statements;
use crate::value::{Value, values};

statements! {
    PUT_TOPIC = "INSERT INTO memory_topic (workspace_id, topic, memory) VALUES ($1, $2, $3)
        ON CONFLICT DO NOTHING";
    PUT_ORIGIN = "INSERT INTO memory_origin (workspace_id, memory, kind, origin, trust)
        VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";
    RAISE_TRUST = "UPDATE memory_facts SET trust = $3
        WHERE workspace_id = $1 AND id = $2 AND trust < $3";
    /// The newest of each topic.
    NEWEST_OF_TOPICS = "SELECT DISTINCT newest.memory FROM unnest($2::bytea[]) AS wanted (topic)
        CROSS JOIN LATERAL (
            SELECT t.memory FROM memory_topic AS t
            WHERE t.workspace_id = $1 AND t.topic = wanted.topic
            ORDER BY t.memory DESC LIMIT $3) AS newest
        ORDER BY newest.memory DESC";
    OF_TOPIC = concat!(
        "SELECT ",
        memory_columns!(),
        " FROM memory_topic AS t
          JOIN memory_facts AS m ON m.workspace_id = $1 AND m.id = t.memory
          JOIN memory AS b ON b.workspace_id = $1 AND b.id = m.id
          LEFT JOIN project AS p ON p.workspace_id = $1 AND p.id = m.project
          WHERE t.workspace_id = $1 AND t.topic = $7 AND m.state = 0 AND ",
        ring_predicate!("m"),
        " ORDER BY t.memory DESC LIMIT $8"
    );
    ENDED = "SELECT o.valid_to FROM memory_facts AS o
        JOIN memory_facts AS n ON n.workspace_id = $1 AND n.id = $3
        WHERE o.workspace_id = $1 AND o.id = $2 AND o.state = 0 AND o.id <> n.id";
    /// An end that was there, if it comes before.
    END = "UPDATE memory_facts SET valid_to = LEAST(valid_to, $3)
        WHERE workspace_id = $1 AND id = $2";
    PUT_SUCCESSOR = "INSERT INTO memory_successor (workspace_id, memory, successor, valid_to)
        VALUES ($1, $2, $3, $4)
        ON CONFLICT (workspace_id, memory) DO UPDATE SET successor = excluded.successor";
    FORWARDS = concat!(
        "SELECT s.memory, s.successor FROM memory_successor AS s
         JOIN memory_facts AS m ON m.workspace_id = $1 AND m.id = s.memory
         JOIN memory_facts AS n ON n.workspace_id = $1 AND n.id = s.successor
         WHERE s.workspace_id = $1 AND s.memory = ANY ($7) AND ",
        ring_predicate!("m"),
        " AND ",
        ring_predicate!("n"),
        " ORDER BY s.memory"
    );
    BACKWARDS = concat!(
        "SELECT s.memory, s.successor FROM memory_successor AS s
         JOIN memory_facts AS m ON m.workspace_id = $1 AND m.id = s.memory
         JOIN memory_facts AS n ON n.workspace_id = $1 AND n.id = s.successor
         WHERE s.workspace_id = $1 AND s.successor = ANY ($7) AND ",
        ring_predicate!("m"),
        " AND ",
        ring_predicate!("n"),
        " ORDER BY s.successor, s.memory LIMIT 256"
    );
}

pub(crate) async fn put_trace(
    rows: &mut Rows<'_>,
    id: MemoryId,
    new: bool,
    trace: &TraceRow,
) -> Result<(), Failure> {
    let added = put_origins(rows, id, &trace.origins).await?;
    if !new {
        if added {
            rows.writing().await?;
        }
        return raise_trust(rows, id, &trace.origins).await;
    }
    let workspace = rows.workspace;
    let topics: Vec<Vec<Value>> = trace
        .topics
        .iter()
        .map(|topic| values![workspace, *topic, id.to_bytes()].to_vec())
        .collect();
    rows.run_each(PUT_TOPIC, &topics).await?;
    if let Some(first) = &trace.first {
        memory::note(rows, id, first).await?;
    }
    Ok(())
}

/// Whether one of them was new.
async fn put_origins(
    rows: &Rows<'_>,
    id: MemoryId,
    origins: &[OriginRow],
) -> Result<bool, Failure> {
    let workspace = rows.workspace;
    let all: Vec<Vec<Value>> = origins
        .iter()
        .map(|row| {
            values![
                workspace,
                id.to_bytes(),
                row.kind.code(),
                row.origin,
                row.trust.code()
            ]
            .to_vec()
        })
        .collect();
    let added = rows.run_each(PUT_ORIGIN, &all).await?;
    Ok(added.contains(&1))
}

/// Only a human's word raises trust: an agent may repeat what it read on a page.
async fn raise_trust(
    rows: &mut Rows<'_>,
    id: MemoryId,
    origins: &[OriginRow],
) -> Result<(), Failure> {
    let vouched = origins
        .iter()
        .any(|row| row.trust == Trust::User && row.kind != OriginKind::Memory);
    if !vouched {
        return Ok(());
    }
    let values = values![rows.workspace, id.to_bytes(), Trust::User.code()];
    if rows.run(RAISE_TRUST, values).await? > 0 {
        rows.writing().await?;
    }
    Ok(())
}

/// The newest of each topic; a topic that everything speaks about is not walked to its end.
const NEWEST: u32 = 64;

pub(crate) async fn related(
    rows: &Rows<'_>,
    ring: &ReadingRing,
    topics: &[Fingerprint],
    limit: u32,
) -> Result<Vec<StoredMemoryRow>, Failure> {
    let values = values![rows.workspace, topics.to_vec(), NEWEST];
    let newest: Vec<MemoryId> = rows
        .list(NEWEST_OF_TOPICS, values, |row| id(row, 0))
        .await?;
    let mut related = memory::list_by_id(rows, ring, &newest).await?;
    related.retain(|row| row.memory.state == MemoryState::Active);
    related.truncate(limit as usize);
    Ok(related)
}

pub(crate) async fn of_topic(
    rows: &Rows<'_>,
    ring: &ReadingRing,
    topic: Fingerprint,
    limit: u32,
) -> Result<Vec<StoredMemoryRow>, Failure> {
    let values = rows.for_reader(ring, values![topic, limit]);
    rows.list(OF_TOPIC, &values, StoredMemoryRow::read).await
}

pub(crate) async fn supersede(
    rows: &mut Rows<'_>,
    older: MemoryId,
    newer: MemoryId,
    ends: Timestamp,
    entry: &HistoryRow,
) -> Result<bool, Failure> {
    let values = values![rows.workspace, older.to_bytes(), newer.to_bytes()];
    let ended: Option<Option<i64>> = rows.find(ENDED, values, |row| row.get(0)).await?;
    let Some(ended) = ended else {
        return Ok(false);
    };
    memory::move_to(rows, older, entry).await?;
    let values = values![rows.workspace, older.to_bytes(), ends.as_micros()];
    rows.run(END, values).await?;
    let values = values![rows.workspace, older.to_bytes(), newer.to_bytes(), ended];
    rows.run(PUT_SUCCESSOR, values).await?;
    Ok(true)
}

pub(crate) async fn links(
    rows: &Rows<'_>,
    ring: &ReadingRing,
    ids: &[MemoryId],
) -> Result<Vec<(MemoryId, MemoryId)>, Failure> {
    let values = rows.for_reader(ring, values![id_array(ids)]);
    let mut found = rows.list(FORWARDS, &values, link).await?;
    found.extend(rows.list(BACKWARDS, &values, link).await?);
    Ok(found)
}

fn link(row: &Row) -> Result<(MemoryId, MemoryId), Failure> {
    Ok((id(row, 0)?, id(row, 1)?))
}
