//! Statements on what stands beside memories: topics, origins, history.

use rusqlite::params;
use skep_domain::{Id, MemoryId, OriginKind, Trust};
use skep_store::row::{OriginRow, TraceRow};

use crate::failure::Failure;
use crate::memory;
use crate::rows::Rows;

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
