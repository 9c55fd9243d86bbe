//! Statements on sources, their documents and their chunks.

use rusqlite::{OptionalExtension, params};
use skep_crypto::Sealed;
use skep_domain::{Id, MemoryId, MemoryState, ReadingRing, SourceId, Timestamp};
use skep_store::backend::{PageOf, RingValues};
use skep_store::column::{bytes_of, code, id, principal_kind, sealed};
use skep_store::row::{ChunkRow, Fingerprint, HistoryRow, SourceRow, SourceSummaryRow};

use crate::column::page_end;
use crate::failure::Failure;
use crate::memory;
use crate::ring::{for_reader, ring_predicate};
use crate::rows::Rows;

/// A source that the ring lets through, with its documents and those of its chunks that are current.
macro_rules! summaries {
    ($more:literal) => {
        concat!(
            "SELECT s.id, s.fingerprint, s.kind, s.trust, s.visibility, s.owner_kind, s.owner,
               s.owner_group, s.project, s.created_at, s.synced_at, s.body, p.name,
               (SELECT COUNT(*) FROM source_document AS d
                WHERE d.workspace_id = ?1 AND d.source = s.id),
               (SELECT COUNT(*) FROM source_chunk AS c
                WHERE c.workspace_id = ?1 AND c.source = s.id AND c.current = 1)
             FROM source AS s
             LEFT JOIN project AS p ON p.workspace_id = ?1 AND p.id = s.project
             WHERE s.workspace_id = ?1 AND ",
            ring_predicate!("s"),
            $more
        )
    };
}

pub(crate) fn put(rows: &mut Rows<'_>, row: &SourceRow) -> Result<SourceId, Failure> {
    let sql = "SELECT id FROM source WHERE workspace_id = ?1 AND fingerprint = ?2";
    let known: Option<[u8; 16]> = rows
        .statement(sql)?
        .query_row(params![rows.workspace, row.fingerprint], |found| {
            found.get(0)
        })
        .optional()?;
    if let Some(known) = known {
        return Ok(SourceId::from_bytes(known));
    }
    rows.writing()?;
    let sql = "INSERT INTO source (workspace_id, id, fingerprint, kind, trust, visibility,
                   owner_kind, owner, owner_group, project, created_at, synced_at, body)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";
    rows.statement(sql)?.execute(params![
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
    ])?;
    Ok(row.id)
}

pub(crate) fn get(
    rows: &Rows<'_>,
    ring: &ReadingRing,
    id: SourceId,
) -> Result<Option<SourceSummaryRow>, Failure> {
    let ring = RingValues::of(ring);
    rows.find(
        summaries!(" AND s.id = ?7"),
        for_reader![rows, ring, id.to_bytes()],
    )
}

pub(crate) fn list(
    rows: &Rows<'_>,
    ring: &ReadingRing,
    page: PageOf<SourceId>,
) -> Result<Vec<SourceSummaryRow>, Failure> {
    let ring = RingValues::of(ring);
    let before = page_end(page.before);
    rows.list(
        summaries!(" AND s.id < ?7 ORDER BY s.id DESC LIMIT ?8"),
        for_reader![rows, ring, before, page.limit],
    )
}

pub(crate) fn set_synced(rows: &mut Rows<'_>, id: SourceId, at: Timestamp) -> Result<(), Failure> {
    rows.writing()?;
    let sql = "UPDATE source SET synced_at = ?3 WHERE workspace_id = ?1 AND id = ?2";
    rows.statement(sql)?
        .execute(params![rows.workspace, id.to_bytes(), at.as_micros()])?;
    Ok(())
}

pub(crate) fn documents(
    rows: &Rows<'_>,
    id: SourceId,
) -> Result<Vec<(Fingerprint, Fingerprint)>, Failure> {
    let sql = "SELECT document, version FROM source_document
               WHERE workspace_id = ?1 AND source = ?2 ORDER BY document";
    rows.statement(sql)?
        .query_and_then(params![rows.workspace, id.to_bytes()], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?
        .collect()
}

pub(crate) fn put_document(
    rows: &mut Rows<'_>,
    id: SourceId,
    document: Fingerprint,
    version: Fingerprint,
) -> Result<(), Failure> {
    rows.writing()?;
    let sql = "INSERT INTO source_document (workspace_id, source, document, version)
               VALUES (?1, ?2, ?3, ?4)
               ON CONFLICT (workspace_id, source, document)
               DO UPDATE SET version = excluded.version";
    rows.statement(sql)?
        .execute(params![rows.workspace, id.to_bytes(), document, version])?;
    Ok(())
}

pub(crate) fn remove_document(
    rows: &mut Rows<'_>,
    id: SourceId,
    document: Fingerprint,
) -> Result<(), Failure> {
    rows.writing()?;
    let sql = "DELETE FROM source_document
               WHERE workspace_id = ?1 AND source = ?2 AND document = ?3";
    rows.statement(sql)?
        .execute(params![rows.workspace, id.to_bytes(), document])?;
    Ok(())
}

pub(crate) fn chunks(
    rows: &Rows<'_>,
    source: SourceId,
    document: Fingerprint,
) -> Result<Vec<ChunkRow>, Failure> {
    let sql = "SELECT memory, chunk FROM source_chunk
               WHERE workspace_id = ?1 AND source = ?2 AND document = ?3 AND current = 1";
    rows.statement(sql)?
        .query_and_then(
            params![rows.workspace, source.to_bytes(), document],
            |row| {
                Ok(ChunkRow {
                    memory: id(row, 0)?,
                    chunk: row.get(1)?,
                })
            },
        )?
        .collect()
}

pub(crate) fn put_chunk(
    rows: &mut Rows<'_>,
    source: SourceId,
    document: Fingerprint,
    row: ChunkRow,
) -> Result<(), Failure> {
    rows.writing()?;
    let sql = "INSERT INTO source_chunk (workspace_id, source, memory, document, chunk, current)
               VALUES (?1, ?2, ?3, ?4, ?5, 1)
               ON CONFLICT (workspace_id, source, memory) DO UPDATE SET current = 1";
    rows.statement(sql)?.execute(params![
        rows.workspace,
        source.to_bytes(),
        row.memory.to_bytes(),
        document,
        row.chunk
    ])?;
    Ok(())
}

pub(crate) fn retire_chunks(
    rows: &mut Rows<'_>,
    source: SourceId,
    entries: &[(MemoryId, HistoryRow)],
) -> Result<(), Failure> {
    rows.writing()?;
    for (memory, entry) in entries {
        let sql = "UPDATE source_chunk SET current = 0
                   WHERE workspace_id = ?1 AND source = ?2 AND memory = ?3";
        rows.statement(sql)?.execute(params![
            rows.workspace,
            source.to_bytes(),
            memory.to_bytes()
        ])?;
        if state(rows, *memory)? == Some(MemoryState::Active) {
            memory::move_to(rows, *memory, entry)?;
        }
    }
    Ok(())
}

pub(crate) fn fetch(rows: &Rows<'_>, source: SourceId) -> Result<Option<Sealed>, Failure> {
    let sql = "SELECT body FROM source_fetch WHERE workspace_id = ?1 AND source = ?2";
    rows.statement(sql)?
        .query_and_then(params![rows.workspace, source.to_bytes()], |row| {
            sealed(row, 0)
        })?
        .next()
        .transpose()
}

pub(crate) fn put_fetch(
    rows: &mut Rows<'_>,
    source: SourceId,
    body: &Sealed,
) -> Result<(), Failure> {
    rows.writing()?;
    let sql = "INSERT INTO source_fetch (workspace_id, source, body) VALUES (?1, ?2, ?3)
               ON CONFLICT (workspace_id, source) DO UPDATE SET body = excluded.body";
    rows.statement(sql)?
        .execute(params![rows.workspace, source.to_bytes(), body.as_bytes()])?;
    Ok(())
}

pub(crate) fn remove(rows: &mut Rows<'_>, source: SourceId) -> Result<(), Failure> {
    rows.writing()?;
    for sql in [
        "DELETE FROM source_fetch WHERE workspace_id = ?1 AND source = ?2",
        "DELETE FROM source_chunk WHERE workspace_id = ?1 AND source = ?2",
        "DELETE FROM source_document WHERE workspace_id = ?1 AND source = ?2",
        "DELETE FROM source WHERE workspace_id = ?1 AND id = ?2",
    ] {
        rows.statement(sql)?
            .execute(params![rows.workspace, source.to_bytes()])?;
    }
    Ok(())
}

fn state(rows: &Rows<'_>, memory: MemoryId) -> Result<Option<MemoryState>, Failure> {
    let sql = "SELECT state FROM memory_facts WHERE workspace_id = ?1 AND id = ?2";
    rows.statement(sql)?
        .query_and_then(params![rows.workspace, memory.to_bytes()], |row| {
            code(row, 0, MemoryState::from_code, "the state of a memory")
        })?
        .next()
        .transpose()
}
