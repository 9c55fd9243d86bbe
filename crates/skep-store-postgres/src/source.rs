//! Statements on sources, their documents and their chunks.

use futures_util::future::try_join_all;
use skep_crypto::Sealed;
use skep_domain::{Id, MemoryId, MemoryState, ReadingRing, SourceId, Timestamp};
use skep_store::backend::PageOf;
use skep_store::column::{Stored, bytes_of, code, id, principal_kind, sealed};
use skep_store::row::{ChunkRow, Fingerprint, HistoryRow, SourceRow, SourceSummaryRow};

use crate::failure::Failure;
use crate::memory;
use crate::ring::ring_predicate;
use crate::rows::Rows;
use crate::statement::statements;
use crate::value::{Value, values};

/// A source that the ring lets through, with its documents and those of its chunks that are current.
macro_rules! summaries {
    ($more:literal) => {
        concat!(
            "SELECT s.id, s.fingerprint, s.kind, s.trust, s.visibility, s.owner_kind, s.owner,
               s.owner_group, s.project, s.created_at, s.synced_at, s.body, p.name,
               (SELECT COUNT(*) FROM source_document AS d
                WHERE d.workspace_id = $1 AND d.source = s.id),
               (SELECT COUNT(*) FROM source_chunk AS c
                WHERE c.workspace_id = $1 AND c.source = s.id AND c.current)
             FROM source AS s
             LEFT JOIN project AS p ON p.workspace_id = $1 AND p.id = s.project
             WHERE s.workspace_id = $1 AND ",
            ring_predicate!("s"),
            $more
        )
    };
}

statements! {
    KNOWN = "SELECT id FROM source WHERE workspace_id = $1 AND fingerprint = $2";
    PUT = "INSERT INTO source (workspace_id, id, fingerprint, kind, trust, visibility,
            owner_kind, owner, owner_group, project, created_at, synced_at, body)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
    GET = summaries!(" AND s.id = $7");
    LIST = summaries!(" AND ($7::uuid IS NULL OR s.id < $7) ORDER BY s.id DESC LIMIT $8");
    SET_SYNCED = "UPDATE source SET synced_at = $3 WHERE workspace_id = $1 AND id = $2";
    DOCUMENTS = "SELECT document, version FROM source_document
        WHERE workspace_id = $1 AND source = $2 ORDER BY document";
    PUT_DOCUMENT = "INSERT INTO source_document (workspace_id, source, document, version)
        VALUES ($1, $2, $3, $4)
        ON CONFLICT (workspace_id, source, document) DO UPDATE SET version = excluded.version";
    REMOVE_DOCUMENT = "DELETE FROM source_document
        WHERE workspace_id = $1 AND source = $2 AND document = $3";
    CHUNKS = "SELECT memory, chunk FROM source_chunk
        WHERE workspace_id = $1 AND source = $2 AND document = $3 AND current ORDER BY memory";
    PUT_CHUNK = "INSERT INTO source_chunk (workspace_id, source, memory, document, chunk, current)
        VALUES ($1, $2, $3, $4, $5, true)
        ON CONFLICT (workspace_id, source, memory) DO UPDATE SET current = true";
    RETIRE_CHUNK = "UPDATE source_chunk SET current = false
        WHERE workspace_id = $1 AND source = $2 AND memory = $3";
    STATE = "SELECT state FROM memory_facts WHERE workspace_id = $1 AND id = $2";
    FETCH = "SELECT body FROM source_fetch WHERE workspace_id = $1 AND source = $2";
    PUT_FETCH = "INSERT INTO source_fetch (workspace_id, source, body) VALUES ($1, $2, $3)
        ON CONFLICT (workspace_id, source) DO UPDATE SET body = excluded.body";
    REMOVE_FETCH = "DELETE FROM source_fetch WHERE workspace_id = $1 AND source = $2";
    REMOVE_CHUNKS = "DELETE FROM source_chunk WHERE workspace_id = $1 AND source = $2";
    REMOVE_DOCUMENTS = "DELETE FROM source_document WHERE workspace_id = $1 AND source = $2";
    REMOVE = "DELETE FROM source WHERE workspace_id = $1 AND id = $2";
}

pub(crate) async fn put(rows: &mut Rows<'_>, row: &SourceRow) -> Result<SourceId, Failure> {
    let values = values![rows.workspace, row.fingerprint];
    let known = rows.find(KNOWN, values, |found| id(found, 0)).await?;
    if let Some(known) = known {
        return Ok(known);
    }
    rows.writing().await?;
    let values = values![
        rows.workspace,
        row.id.to_bytes(),
        row.fingerprint,
        row.kind.code(),
        row.trust.code(),
        row.visibility.code(),
        principal_kind(row.owner),
        row.owner.to_bytes(),
        row.owner_group.map(|group| group.0),
        bytes_of(row.project),
        row.created_at.as_micros(),
        row.synced_at.map(Timestamp::as_micros),
        row.body.as_bytes()
    ];
    rows.run(PUT, values).await?;
    Ok(row.id)
}

pub(crate) async fn get(
    rows: &Rows<'_>,
    ring: &ReadingRing,
    id: SourceId,
) -> Result<Option<SourceSummaryRow>, Failure> {
    let values = rows.for_reader(ring, values![id.to_bytes()]);
    rows.find(GET, &values, SourceSummaryRow::read).await
}

pub(crate) async fn list(
    rows: &Rows<'_>,
    ring: &ReadingRing,
    page: PageOf<SourceId>,
) -> Result<Vec<SourceSummaryRow>, Failure> {
    let values = rows.for_reader(ring, values![bytes_of(page.before), page.limit]);
    rows.list(LIST, &values, SourceSummaryRow::read).await
}

pub(crate) async fn set_synced(
    rows: &mut Rows<'_>,
    id: SourceId,
    at: Timestamp,
) -> Result<(), Failure> {
    rows.writing().await?;
    let values = values![rows.workspace, id.to_bytes(), at.as_micros()];
    rows.run(SET_SYNCED, values).await?;
    Ok(())
}

pub(crate) async fn documents(
    rows: &Rows<'_>,
    id: SourceId,
) -> Result<Vec<(Fingerprint, Fingerprint)>, Failure> {
    let values = values![rows.workspace, id.to_bytes()];
    rows.list(DOCUMENTS, values, |row| Ok((row.get(0)?, row.get(1)?)))
        .await
}

pub(crate) async fn put_document(
    rows: &mut Rows<'_>,
    id: SourceId,
    document: Fingerprint,
    version: Fingerprint,
) -> Result<(), Failure> {
    rows.writing().await?;
    let values = values![rows.workspace, id.to_bytes(), document, version];
    rows.run(PUT_DOCUMENT, values).await?;
    Ok(())
}

pub(crate) async fn remove_document(
    rows: &mut Rows<'_>,
    id: SourceId,
    document: Fingerprint,
) -> Result<(), Failure> {
    rows.writing().await?;
    let values = values![rows.workspace, id.to_bytes(), document];
    rows.run(REMOVE_DOCUMENT, values).await?;
    Ok(())
}

pub(crate) async fn chunks(
    rows: &Rows<'_>,
    source: SourceId,
    document: Fingerprint,
) -> Result<Vec<ChunkRow>, Failure> {
    let values = values![rows.workspace, source.to_bytes(), document];
    rows.list(CHUNKS, values, |row| {
        Ok(ChunkRow {
            memory: id(row, 0)?,
            chunk: row.get(1)?,
        })
    })
    .await
}

pub(crate) async fn put_chunk(
    rows: &mut Rows<'_>,
    source: SourceId,
    document: Fingerprint,
    row: ChunkRow,
) -> Result<(), Failure> {
    rows.writing().await?;
    let values = values![
        rows.workspace,
        source.to_bytes(),
        row.memory.to_bytes(),
        document,
        row.chunk
    ];
    rows.run(PUT_CHUNK, values).await?;
    Ok(())
}

pub(crate) async fn retire_chunks(
    rows: &mut Rows<'_>,
    source: SourceId,
    entries: &[(MemoryId, HistoryRow)],
) -> Result<(), Failure> {
    rows.writing().await?;
    let workspace = rows.workspace;
    let retired: Vec<Vec<Value>> = entries
        .iter()
        .map(|(memory, _)| values![workspace, source.to_bytes(), memory.to_bytes()].to_vec())
        .collect();
    rows.run_each(RETIRE_CHUNK, &retired).await?;
    for (memory, entry) in entries {
        if state(rows, *memory).await? == Some(MemoryState::Active) {
            memory::move_to(rows, *memory, entry).await?;
        }
    }
    Ok(())
}

pub(crate) async fn fetch(rows: &Rows<'_>, source: SourceId) -> Result<Option<Sealed>, Failure> {
    let values = values![rows.workspace, source.to_bytes()];
    rows.find(FETCH, values, |row| sealed(row, 0)).await
}

pub(crate) async fn put_fetch(
    rows: &mut Rows<'_>,
    source: SourceId,
    body: &Sealed,
) -> Result<(), Failure> {
    rows.writing().await?;
    let values = values![rows.workspace, source.to_bytes(), body.as_bytes()];
    rows.run(PUT_FETCH, values).await?;
    Ok(())
}

pub(crate) async fn remove(rows: &mut Rows<'_>, source: SourceId) -> Result<(), Failure> {
    rows.writing().await?;
    let values = values![rows.workspace, source.to_bytes()];
    let beside = [REMOVE_FETCH, REMOVE_CHUNKS, REMOVE_DOCUMENTS];
    try_join_all(beside.map(|statement| rows.run(statement, values))).await?;
    rows.run(REMOVE, values).await?;
    Ok(())
}

async fn state(rows: &Rows<'_>, memory: MemoryId) -> Result<Option<MemoryState>, Failure> {
    let values = values![rows.workspace, memory.to_bytes()];
    rows.find(STATE, values, |row| {
        code(row, 0, MemoryState::from_code, "the state of a memory")
    })
    .await
}
