//! Statements on memories: keeping them, authorizing, loading, listing, changing their state.

use std::collections::HashMap;

use skep_domain::{Id, MemoryId, MemoryState, ReadingRing, Timestamp};
use skep_store::backend::{MemoryFilter, PageOf};
use skep_store::column::{Stored, bytes_of, id, principal_kind};
use skep_store::memory_columns;
use skep_store::row::{HistoryRow, MemoryFactsRow, MemoryRow, StoredMemoryRow};

use crate::failure::{Failure, named};
use crate::member;
use crate::ring::ring_predicate;
use crate::rows::{Rows, id_array};
use crate::statement::statements;
use crate::value::{Value, values};

/// Which memories `$7` (as of), `$8` (project) and `$9` (a bit for each kind) let through.
/// At present: the recallable ones. As of an instant: what held then in both times, even if it was
/// superseded since; never what is quarantined or was forgotten.
macro_rules! filter_predicate {
    () => {
        "(($7::bigint IS NULL AND m.state = 0)
          OR (m.state IN (0, 2) AND m.recorded_at <= $7 AND m.valid_from <= $7
              AND CASE WHEN m.superseded_at IS NULL THEN m.valid_to IS NULL OR $7 < m.valid_to
                       ELSE $7 < m.superseded_at END))
         AND ($8::uuid IS NULL OR m.project = $8)
         AND ($9::bigint >> m.kind::integer) & 1 = 1"
    };
}

macro_rules! page {
    ($more:literal) => {
        concat!(
            "SELECT ",
            memory_columns!(),
            " FROM memory_facts AS m
              JOIN memory AS b ON b.workspace_id = $1 AND b.id = m.id
              LEFT JOIN project AS p ON p.workspace_id = $1 AND p.id = m.project
              WHERE m.workspace_id = $1 AND ($10::uuid IS NULL OR m.id < $10) AND ",
            filter_predicate!(),
            " AND ",
            ring_predicate!("m"),
            $more,
            " ORDER BY m.id DESC LIMIT $11"
        )
    };
}

macro_rules! facts_page {
    ($more:literal) => {
        concat!(
            "SELECT m.id, m.kind, m.valid_from, m.project, p.name
              FROM memory_facts AS m
              LEFT JOIN project AS p ON p.workspace_id = $1 AND p.id = m.project
              WHERE m.workspace_id = $1 AND ($10::uuid IS NULL OR m.id < $10) AND ",
            filter_predicate!(),
            " AND ",
            ring_predicate!("m"),
            $more,
            " ORDER BY m.id DESC LIMIT $11"
        )
    };
}

statements! {
    ACTIVE [once] = "SELECT id FROM memory_facts
              WHERE workspace_id = $1 AND fingerprint = $2 AND state = 0";
    /// One that waits for a human, or that a human has refused.
    HELD_BACK = "SELECT id FROM memory_facts
                 WHERE workspace_id = $1 AND fingerprint = $2 AND state IN (1, 3) LIMIT 1";
    PUT_FACTS = "INSERT INTO memory_facts (workspace_id, id, seq, kind, trust, state, visibility,
                     harness, owner_kind, owner, owner_group, valid_from, valid_to, recorded_at,
                     superseded_at, project, session, fingerprint)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
                     $18)";
    PUT_BODY = "INSERT INTO memory (workspace_id, id, turns, body) VALUES ($1, $2, $3, $4)";
    /// No column that holds content is read here.
    VISIBLE [once] = concat!(
        "SELECT m.id FROM memory_facts AS m
         WHERE m.workspace_id = $1 AND m.id = ANY ($10) AND ",
        filter_predicate!(),
        " AND ",
        ring_predicate!("m")
    );
    BY_ID [once] = concat!(
        "SELECT ",
        memory_columns!(),
        " FROM memory_facts AS m
          JOIN memory AS b ON b.workspace_id = $1 AND b.id = m.id
          LEFT JOIN project AS p ON p.workspace_id = $1 AND p.id = m.project
          WHERE m.workspace_id = $1 AND m.id = ANY ($7) AND ",
        ring_predicate!("m")
    );
    PAGE = page!("");
    /// A page of one project walks that project's index; one text for both would walk everything.
    PAGE_OF_PROJECT = page!(" AND m.project = $8");
    FACTS = facts_page!("");
    FACTS_OF_PROJECT = facts_page!(" AND m.project = $8");
    STATE [once] = concat!(
        "SELECT m.state FROM memory_facts AS m WHERE m.workspace_id = $1 AND m.id = $7 AND ",
        ring_predicate!("m")
    );
    /// A superseded memory notes since when; one that is active again forgets it.
    SET_STATE [once] = "UPDATE memory_facts SET seq = $3, state = $4::smallint,
                     superseded_at = CASE
                         WHEN $4 = 0 THEN NULL
                         WHEN $4 = 2 THEN COALESCE(superseded_at, $5)
                         ELSE superseded_at END
                 WHERE workspace_id = $1 AND id = $2";
    COUNT_HISTORY [once] = "SELECT COUNT(*) FROM memory_history WHERE workspace_id = $1 AND memory = $2";
    PUT_HISTORY = "INSERT INTO memory_history (workspace_id, memory, entry, at, actor_kind, actor,
                       state, reason)
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
}

/// The values for `$7` to `$9`, and what follows them.
fn filtered(filter: &MemoryFilter, rest: &[Value]) -> Vec<Value> {
    let bits = filter.kinds.iter().map(|kind| 1_i64 << kind.code());
    let kinds = if filter.kinds.is_empty() {
        -1
    } else {
        bits.fold(0, |all, bit| all | bit)
    };
    let as_of = filter.as_of.map(Timestamp::as_micros);
    let mut all = values![as_of, bytes_of(filter.project), kinds].to_vec();
    all.extend_from_slice(rest);
    all
}

pub(crate) async fn put(rows: &mut Rows<'_>, row: &MemoryRow) -> Result<Option<MemoryId>, Failure> {
    let values = values![rows.workspace, row.fingerprint];
    let known = match rows.find(ACTIVE, values, |found| id(found, 0)).await? {
        None if row.state == MemoryState::Quarantined => {
            rows.find(HELD_BACK, values, |found| id(found, 0)).await?
        }
        known => known,
    };
    if known.is_some() {
        return Ok(known);
    }
    put_facts(rows, row).await?;
    let turns: Vec<u8> = row.turns.iter().flat_map(|turn| turn.to_bytes()).collect();
    let values = values![
        rows.workspace,
        row.id.to_bytes(),
        turns,
        row.body.as_bytes()
    ];
    rows.run(PUT_BODY, values).await?;
    member::span_new(rows, row.session, row.id, &row.turns).await?;
    Ok(None)
}

async fn put_facts(rows: &mut Rows<'_>, row: &MemoryRow) -> Result<(), Failure> {
    let seq = rows.writing().await?;
    let values = values![
        rows.workspace,
        row.id.to_bytes(),
        seq,
        row.kind.code(),
        row.trust.code(),
        row.state.code(),
        row.visibility.code(),
        row.harness.code(),
        principal_kind(row.owner),
        row.owner.to_bytes(),
        row.owner_group.map(|group| group.0),
        row.validity.from.as_micros(),
        row.validity.to.map(Timestamp::as_micros),
        row.validity.recorded.as_micros(),
        row.validity.superseded.map(Timestamp::as_micros),
        bytes_of(row.project),
        bytes_of(row.session),
        row.fingerprint,
    ];
    rows.run(PUT_FACTS, values).await?;
    Ok(())
}

/// The authorization step of recall.
pub(crate) async fn visible(
    rows: &Rows<'_>,
    ring: &ReadingRing,
    filter: &MemoryFilter,
    ids: &[MemoryId],
) -> Result<Vec<MemoryId>, Failure> {
    let values = rows.for_reader(ring, &filtered(filter, values![id_array(ids)]));
    rows.list(VISIBLE, &values, |row| id(row, 0)).await
}

/// In the order asked for; what is not there, or not for this reader, is left out.
pub(crate) async fn list_by_id(
    rows: &Rows<'_>,
    ring: &ReadingRing,
    ids: &[MemoryId],
) -> Result<Vec<StoredMemoryRow>, Failure> {
    let values = rows.for_reader(ring, values![id_array(ids)]);
    let found = rows.list(BY_ID, &values, StoredMemoryRow::read).await?;
    let mut found: HashMap<_, _> = found.into_iter().map(|row| (row.memory.id, row)).collect();
    Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
}

pub(crate) async fn list(
    rows: &Rows<'_>,
    ring: &ReadingRing,
    filter: &MemoryFilter,
    page: PageOf<MemoryId>,
) -> Result<Vec<StoredMemoryRow>, Failure> {
    let statement = if filter.project.is_some() {
        PAGE_OF_PROJECT
    } else {
        PAGE
    };
    let page = values![bytes_of(page.before), page.limit];
    let values = rows.for_reader(ring, &filtered(filter, page));
    rows.list(statement, &values, StoredMemoryRow::read).await
}

/// As [`list`], without what the memories say.
pub(crate) async fn list_facts(
    rows: &Rows<'_>,
    ring: &ReadingRing,
    filter: &MemoryFilter,
    page: PageOf<MemoryId>,
) -> Result<Vec<MemoryFactsRow>, Failure> {
    let statement = if filter.project.is_some() {
        FACTS_OF_PROJECT
    } else {
        FACTS
    };
    let page = values![bytes_of(page.before), page.limit];
    let values = rows.for_reader(ring, &filtered(filter, page));
    rows.list(statement, &values, MemoryFactsRow::read).await
}

pub(crate) async fn set_state(
    rows: &mut Rows<'_>,
    ring: &ReadingRing,
    id: MemoryId,
    entry: &HistoryRow,
) -> Result<Option<bool>, Failure> {
    let values = rows.for_reader(ring, values![id.to_bytes()]);
    let now: Option<u8> = rows.find(STATE, &values, |row| row.get(0)).await?;
    match now {
        None => Ok(None),
        Some(now) if now == entry.state.code() => Ok(Some(false)),
        Some(_) => {
            move_to(rows, id, entry).await?;
            Ok(Some(true))
        }
    }
}

/// Moves a memory to another state, with an entry in its history, whoever may read it.
pub(crate) async fn move_to(
    rows: &mut Rows<'_>,
    id: MemoryId,
    entry: &HistoryRow,
) -> Result<(), Failure> {
    change_state(rows, id, entry).await?;
    note(rows, id, entry).await
}

pub(crate) async fn change_state(
    rows: &mut Rows<'_>,
    id: MemoryId,
    entry: &HistoryRow,
) -> Result<(), Failure> {
    let seq = rows.writing().await?;
    let values = values![
        rows.workspace,
        id.to_bytes(),
        seq,
        entry.state.code(),
        entry.at.as_micros()
    ];
    let changed = rows.run(SET_STATE, values).await;
    named(changed, "an active memory that says the same")?;
    Ok(())
}

pub(crate) async fn note(rows: &Rows<'_>, id: MemoryId, entry: &HistoryRow) -> Result<(), Failure> {
    let values = values![rows.workspace, id.to_bytes()];
    let entries: u64 = rows.get(COUNT_HISTORY, values, |row| row.get(0)).await?;
    let values = values![
        rows.workspace,
        id.to_bytes(),
        entries,
        entry.at.as_micros(),
        entry.actor.map(principal_kind),
        entry.actor.map(skep_domain::Principal::to_bytes),
        entry.state.code(),
        entry.reason.as_bytes()
    ];
    rows.run(PUT_HISTORY, values).await?;
    Ok(())
}
