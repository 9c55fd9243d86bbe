//! Statements on consent, and on the memories that rest on it.

use rusqlite::{OptionalExtension, params};
use skep_crypto::Sealed;
use skep_domain::{Id, MemoryId, ParticipantId, Principal, ReadingRing};
use skep_store::backend::RingValues;
use skep_store::column::{Stored, bytes_of, id, principal_kind};
use skep_store::row::{AboutRow, ConsentRow, HistoryRow, ObservationPage, StoredObservationRow};

use crate::column::page_end;
use crate::failure::Failure;
use crate::memory;
use crate::ring::{for_reader, ring_predicate};
use crate::rows::{Rows, id_array};

/// Every memory about the subject moves to this `seq`, so that the indexes hear of it.
pub(crate) fn put(rows: &mut Rows<'_>, row: &ConsentRow) -> Result<bool, Failure> {
    let sql = "SELECT observer, given, entry FROM consent
               WHERE workspace_id = ?1 AND subject = ?2 ORDER BY entry DESC LIMIT 1";
    let subject = row.subject.to_bytes();
    let last: Option<(Option<[u8; 16]>, bool, i64)> = rows
        .statement(sql)?
        .query_row(params![rows.workspace, subject], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .optional()?;
    let entry = match last {
        Some((observer, given, _)) if (observer, given) == (bytes_of(row.observer), row.given) => {
            return Ok(false);
        }
        Some((_, _, entry)) => entry + 1,
        None => 0,
    };
    let seq = rows.writing()?;
    let sql = "INSERT INTO consent (workspace_id, subject, entry, observer, given, at, actor_kind,
                   actor)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    rows.statement(sql)?.execute(params![
        rows.workspace,
        subject,
        entry,
        bytes_of(row.observer),
        row.given,
        row.at.as_micros(),
        row.actor.map(principal_kind),
        row.actor.map(Principal::to_bytes)
    ])?;
    if let Some(note) = &row.note {
        let sql = "INSERT INTO consent_note (workspace_id, subject, entry, note)
                   VALUES (?1, ?2, ?3, ?4)";
        let values = params![rows.workspace, subject, entry, note.as_bytes()];
        rows.statement(sql)?.execute(values)?;
    }
    let sql = "UPDATE memory_facts SET seq = ?3 WHERE workspace_id = ?1 AND id IN
                   (SELECT memory FROM memory_about WHERE workspace_id = ?1 AND subject = ?2)";
    rows.statement(sql)?
        .execute(params![rows.workspace, subject, seq])?;
    Ok(true)
}

pub(crate) fn list(rows: &Rows<'_>, subject: ParticipantId) -> Result<Vec<ConsentRow>, Failure> {
    let sql = "SELECT c.subject, c.observer, c.given, c.at, c.actor_kind, c.actor, n.note
               FROM consent AS c
               LEFT JOIN consent_note AS n
                   ON n.workspace_id = ?1 AND n.subject = c.subject AND n.entry = c.entry
               WHERE c.workspace_id = ?1 AND c.subject = ?2 ORDER BY c.entry";
    rows.list(sql, params![rows.workspace, subject.to_bytes()])
}

pub(crate) fn put_about(
    rows: &mut Rows<'_>,
    memory: MemoryId,
    about: &[AboutRow],
) -> Result<(), Failure> {
    if about.is_empty() {
        return Ok(());
    }
    rows.writing()?;
    let sql = "INSERT INTO memory_about (workspace_id, memory, subject, observer, derived)
               VALUES (?1, ?2, ?3, ?4, ?5)";
    let mut put = rows.statement(sql)?;
    for row in about {
        put.execute(params![
            rows.workspace,
            memory.to_bytes(),
            row.subject.to_bytes(),
            row.observer.to_bytes(),
            row.derived
        ])?;
    }
    Ok(())
}

pub(crate) fn about(rows: &Rows<'_>, memories: &[MemoryId]) -> Result<Vec<AboutRow>, Failure> {
    let sql = "SELECT a.subject, a.observer, a.derived FROM rarray(?2) AS wanted
               CROSS JOIN memory_about AS a ON a.workspace_id = ?1 AND a.memory = wanted.value";
    rows.list(sql, params![rows.workspace, id_array(memories)])
}

/// Recallable ones alone; a memory about two of the wanted subjects comes once.
pub(crate) fn observations(
    rows: &Rows<'_>,
    ring: &ReadingRing,
    page: ObservationPage,
) -> Result<Vec<StoredObservationRow>, Failure> {
    let values = RingValues::of(ring);
    let before = page_end(page.before);
    let sql = concat!(
        "SELECT a.subject, MIN(a.observer), MIN(a.derived), m.id FROM memory_about AS a
         CROSS JOIN memory_facts AS m ON m.workspace_id = ?1 AND m.id = a.memory AND m.state = 0
         WHERE a.workspace_id = ?1 AND a.subject IN (SELECT ?7 UNION ALL SELECT al.id
             FROM participant AS al WHERE al.workspace_id = ?1 AND al.merged_into = ?7)
         AND (?8 IS NULL OR a.observer = ?8) AND m.id < ?9 AND ",
        ring_predicate!("m"),
        " GROUP BY m.id ORDER BY m.id DESC LIMIT ?10"
    );
    let found = rows
        .statement(sql)?
        .query_and_then(
            for_reader![
                rows,
                values,
                page.subject.to_bytes(),
                bytes_of(page.observer),
                before,
                page.limit
            ],
            |row| Ok::<_, Failure>((AboutRow::read(row)?, id(row, 3)?)),
        )?
        .collect::<Result<Vec<(AboutRow, MemoryId)>, _>>()?;
    let ids: Vec<MemoryId> = found.iter().map(|(_, id)| *id).collect();
    let memories = memory::list_by_id(rows, ring, &ids)?;
    let about = |memory: MemoryId| found.iter().find(|(_, id)| *id == memory).map(|(a, _)| *a);
    Ok(memories
        .into_iter()
        .filter_map(|memory| {
            Some(StoredObservationRow {
                about: about(memory.memory.id)?,
                memory,
            })
        })
        .collect())
}

/// Every memory about a subject, in any state and whoever may read it.
pub(crate) fn memories_about(
    rows: &Rows<'_>,
    subject: ParticipantId,
    after: Option<MemoryId>,
    limit: u32,
) -> Result<Vec<MemoryId>, Failure> {
    let sql = "SELECT DISTINCT memory FROM memory_about
               WHERE workspace_id = ?1 AND subject = ?2 AND memory > ?3 ORDER BY memory LIMIT ?4";
    let after = after.map_or_else(Vec::new, |id| id.to_bytes().to_vec());
    rows.statement(sql)?
        .query_and_then(
            params![rows.workspace, subject.to_bytes(), after, limit],
            |row| id(row, 0),
        )?
        .collect()
}

/// Leaves of a memory that it was there, and why it is not any more.
pub(crate) fn blank_memory(
    rows: &mut Rows<'_>,
    id: MemoryId,
    body: &Sealed,
    entry: &HistoryRow,
) -> Result<(), Failure> {
    rows.writing()?;
    let statements = [
        "DELETE FROM memory_vector WHERE workspace_id = ?1 AND memory = ?2",
        "DELETE FROM memory_history WHERE workspace_id = ?1 AND memory = ?2",
        "DELETE FROM memory_topic WHERE workspace_id = ?1 AND memory = ?2",
        "DELETE FROM memory_span WHERE workspace_id = ?1 AND memory = ?2",
    ];
    for sql in statements {
        rows.statement(sql)?
            .execute(params![rows.workspace, id.to_bytes()])?;
    }
    let sql = "UPDATE memory SET turns = x'', body = ?3 WHERE workspace_id = ?1 AND id = ?2";
    rows.statement(sql)?
        .execute(params![rows.workspace, id.to_bytes(), body.as_bytes()])?;
    memory::change_state(rows, id, entry)?;
    let sql = "UPDATE memory_facts SET vector_model = NULL, fingerprint = zeroblob(16)
               WHERE workspace_id = ?1 AND id = ?2";
    rows.statement(sql)?
        .execute(params![rows.workspace, id.to_bytes()])?;
    memory::note(rows, id, entry)
}
