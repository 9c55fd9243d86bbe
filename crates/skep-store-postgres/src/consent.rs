//! Statements on consent, and on the memories that rest on it.

use skep_crypto::Sealed;
use skep_domain::{Id, MemoryId, ParticipantId, Principal, ReadingRing};
use skep_store::column::{Stored, bytes_of, id, principal_kind};
use skep_store::row::{AboutRow, ConsentRow, HistoryRow, ObservationPage, StoredObservationRow};

use crate::failure::Failure;
use crate::memory;
use crate::ring::ring_predicate;
use crate::rows::{Rows, id_array};
use crate::statement::statements;
use crate::value::values;

statements! {
    LAST = "SELECT observer, given, entry FROM consent
        WHERE workspace_id = $1 AND subject = $2 ORDER BY entry DESC LIMIT 1";
    PUT = "INSERT INTO consent (workspace_id, subject, entry, observer, given, at, actor_kind, actor)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    PUT_NOTE = "INSERT INTO consent_note (workspace_id, subject, entry, note)
        VALUES ($1, $2, $3, $4)";
    MOVE_ABOUT = "UPDATE memory_facts SET seq = $3 WHERE workspace_id = $1 AND id IN
        (SELECT memory FROM memory_about WHERE workspace_id = $1 AND subject = $2)";
    LIST = "SELECT c.subject, c.observer, c.given, c.at, c.actor_kind, c.actor, n.note
        FROM consent AS c
        LEFT JOIN consent_note AS n
            ON n.workspace_id = $1 AND n.subject = c.subject AND n.entry = c.entry
        WHERE c.workspace_id = $1 AND c.subject = $2 ORDER BY c.entry";
    PUT_ABOUT = "INSERT INTO memory_about (workspace_id, memory, subject, observer, derived)
        VALUES ($1, $2, $3, $4, $5)";
    ABOUT = "SELECT subject, observer, derived FROM memory_about
        WHERE workspace_id = $1 AND memory = ANY ($2) ORDER BY memory, subject, observer";
    /// Of several wanted subjects of a memory, the one that the first of the observers saw.
    OBSERVATIONS = concat!(
        "SELECT (array_agg(a.subject ORDER BY a.observer, a.subject))[1],
             (array_agg(a.observer ORDER BY a.observer, a.subject))[1], bool_and(a.derived), m.id
         FROM memory_about AS a
         JOIN memory_facts AS m ON m.workspace_id = $1 AND m.id = a.memory AND m.state = 0
         WHERE a.workspace_id = $1 AND a.subject IN (SELECT $7::uuid UNION ALL SELECT al.id
             FROM participant AS al WHERE al.workspace_id = $1 AND al.merged_into = $7)
         AND ($8::uuid IS NULL OR a.observer = $8) AND ($9::uuid IS NULL OR m.id < $9) AND ",
        ring_predicate!("m"),
        " GROUP BY m.id ORDER BY m.id DESC LIMIT $10"
    );
    MEMORIES_ABOUT = "SELECT DISTINCT memory FROM memory_about
        WHERE workspace_id = $1 AND subject = $2 AND ($3::uuid IS NULL OR memory > $3)
        ORDER BY memory LIMIT $4";
    REMOVE_VECTOR = "DELETE FROM memory_vector WHERE workspace_id = $1 AND memory = $2";
    REMOVE_HISTORY = "DELETE FROM memory_history WHERE workspace_id = $1 AND memory = $2";
    REMOVE_TOPICS = "DELETE FROM memory_topic WHERE workspace_id = $1 AND memory = $2";
    REMOVE_SPAN = "DELETE FROM memory_span WHERE workspace_id = $1 AND memory = $2";
    BLANK_BODY = "UPDATE memory SET turns = '', body = $3 WHERE workspace_id = $1 AND id = $2";
    BLANK_FACTS = "UPDATE memory_facts
        SET vector_model = NULL, fingerprint = decode(repeat('00', 16), 'hex')
        WHERE workspace_id = $1 AND id = $2";
}

/// Every memory about the subject moves to this `seq`, so that the indexes hear of it.
pub(crate) async fn put(rows: &mut Rows<'_>, row: &ConsentRow) -> Result<bool, Failure> {
    let subject = row.subject.to_bytes();
    let last: Option<(Option<[u8; 16]>, bool, i64)> = rows
        .find(LAST, values![rows.workspace, subject], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .await?;
    let entry = match last {
        Some((observer, given, _)) if (observer, given) == (bytes_of(row.observer), row.given) => {
            return Ok(false);
        }
        Some((_, _, entry)) => entry + 1,
        None => 0,
    };
    let seq = rows.writing().await?;
    let values = values![
        rows.workspace,
        subject,
        entry,
        bytes_of(row.observer),
        row.given,
        row.at.as_micros(),
        row.actor.map(principal_kind),
        row.actor.map(Principal::to_bytes)
    ];
    rows.run(PUT, values).await?;
    if let Some(note) = &row.note {
        let values = values![rows.workspace, subject, entry, note.as_bytes()];
        rows.run(PUT_NOTE, values).await?;
    }
    rows.run(MOVE_ABOUT, values![rows.workspace, subject, seq])
        .await?;
    Ok(true)
}

pub(crate) async fn list(
    rows: &Rows<'_>,
    subject: ParticipantId,
) -> Result<Vec<ConsentRow>, Failure> {
    let values = values![rows.workspace, subject.to_bytes()];
    rows.list(LIST, values, ConsentRow::read).await
}

pub(crate) async fn put_about(
    rows: &mut Rows<'_>,
    memory: MemoryId,
    about: &[AboutRow],
) -> Result<(), Failure> {
    if about.is_empty() {
        return Ok(());
    }
    rows.writing().await?;
    let mut all = Vec::with_capacity(about.len());
    for row in about {
        let values = values![
            rows.workspace,
            memory.to_bytes(),
            row.subject.to_bytes(),
            row.observer.to_bytes(),
            row.derived
        ];
        all.push(values.to_vec());
    }
    rows.run_each(PUT_ABOUT, &all).await?;
    Ok(())
}

pub(crate) async fn about(
    rows: &Rows<'_>,
    memories: &[MemoryId],
) -> Result<Vec<AboutRow>, Failure> {
    let values = values![rows.workspace, id_array(memories)];
    rows.list(ABOUT, values, AboutRow::read).await
}

/// Recallable ones alone; a memory about two of the wanted subjects comes once.
pub(crate) async fn observations(
    rows: &Rows<'_>,
    ring: &ReadingRing,
    page: ObservationPage,
) -> Result<Vec<StoredObservationRow>, Failure> {
    let values = rows.for_reader(
        ring,
        values![
            page.subject.to_bytes(),
            bytes_of(page.observer),
            bytes_of(page.before),
            page.limit
        ],
    );
    let found: Vec<(AboutRow, MemoryId)> = rows
        .list(OBSERVATIONS, &values, |row| {
            Ok((AboutRow::read(row)?, id(row, 3)?))
        })
        .await?;
    let ids: Vec<MemoryId> = found.iter().map(|(_, id)| *id).collect();
    let memories = memory::list_by_id(rows, ring, &ids).await?;
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
pub(crate) async fn memories_about(
    rows: &Rows<'_>,
    subject: ParticipantId,
    after: Option<MemoryId>,
    limit: u32,
) -> Result<Vec<MemoryId>, Failure> {
    let values = values![rows.workspace, subject.to_bytes(), bytes_of(after), limit];
    rows.list(MEMORIES_ABOUT, values, |row| id(row, 0)).await
}

/// Leaves of a memory that it was there, and why it is not any more.
pub(crate) async fn blank_memory(
    rows: &mut Rows<'_>,
    id: MemoryId,
    body: &Sealed,
    entry: &HistoryRow,
) -> Result<(), Failure> {
    rows.writing().await?;
    let values = values![rows.workspace, id.to_bytes()];
    for statement in [REMOVE_VECTOR, REMOVE_HISTORY, REMOVE_TOPICS, REMOVE_SPAN] {
        rows.run(statement, values).await?;
    }
    let blank = values![rows.workspace, id.to_bytes(), body.as_bytes()];
    rows.run(BLANK_BODY, blank).await?;
    memory::change_state(rows, id, entry).await?;
    rows.run(BLANK_FACTS, values).await?;
    memory::note(rows, id, entry).await
}
