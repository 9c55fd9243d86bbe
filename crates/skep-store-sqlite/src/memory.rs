//! Statements on memories: keeping them, authorizing, loading, listing, changing their state.

use std::collections::HashMap;

use rusqlite::{OptionalExtension, params};
use skep_domain::{Id, MemoryId, MemoryState, ReadingRing};
use skep_store::StoreError;
use skep_store::backend::{MemoryFilter, PageOf, RingValues};
use skep_store::column::{bytes_of, id, principal_kind};
use skep_store::memory_columns;
use skep_store::row::{HistoryRow, MemoryFactsRow, MemoryRow, StoredMemoryRow};

use crate::column::page_end;
use crate::failure::Failure;
use crate::member;
use crate::ring::{for_reader, ring_predicate};
use crate::rows::{Rows, id_array};

/// Which memories `?6` (as of), `?7` (project) and `?8` (a bit for each kind) let through.
///
/// At present: the recallable ones. As of an instant: what held then in both times, even if it was
/// superseded since; never what is quarantined or was forgotten.
macro_rules! filter_predicate {
    () => {
        "((?7 IS NULL AND m.state = 0)
          OR (m.state IN (0, 2) AND m.recorded_at <= ?7 AND m.valid_from <= ?7
              AND CASE WHEN m.superseded_at IS NULL THEN m.valid_to IS NULL OR ?7 < m.valid_to
                       ELSE ?7 < m.superseded_at END))
         AND (?8 IS NULL OR m.project = ?8)
         AND (?9 >> m.kind) & 1"
    };
}

macro_rules! page {
    ($more:literal) => {
        concat!(
            "SELECT ",
            memory_columns!(),
            " FROM memory_facts AS m
              CROSS JOIN memory AS b ON b.workspace_id = ?1 AND b.id = m.id
              LEFT JOIN project AS p ON p.workspace_id = ?1 AND p.id = m.project
              WHERE m.workspace_id = ?1 AND m.id < ?10 AND ",
            filter_predicate!(),
            " AND ",
            ring_predicate!("m"),
            $more,
            " ORDER BY m.id DESC LIMIT ?11"
        )
    };
}

macro_rules! facts_page {
    ($more:literal) => {
        concat!(
            "SELECT m.id, m.kind, m.valid_from, m.project, p.name
              FROM memory_facts AS m
              LEFT JOIN project AS p ON p.workspace_id = ?1 AND p.id = m.project
              WHERE m.workspace_id = ?1 AND m.id < ?10 AND ",
            filter_predicate!(),
            " AND ",
            ring_predicate!("m"),
            $more,
            " ORDER BY m.id DESC LIMIT ?11"
        )
    };
}

/// The values for `?7` to `?9`.
struct FilterValues {
    as_of: Option<i64>,
    project: Option<[u8; 16]>,
    kinds: i64,
}

impl FilterValues {
    fn of(filter: &MemoryFilter) -> Self {
        let bits = filter.kinds.iter().map(|kind| 1_i64 << kind.code());
        Self {
            as_of: filter.as_of.map(skep_domain::Timestamp::as_micros),
            project: bytes_of(filter.project),
            kinds: if filter.kinds.is_empty() {
                -1
            } else {
                bits.fold(0, |all, bit| all | bit)
            },
        }
    }
}

pub(crate) fn put(rows: &mut Rows<'_>, row: &MemoryRow) -> Result<Option<MemoryId>, Failure> {
    let sql = "SELECT id FROM memory_facts
               WHERE workspace_id = ?1 AND fingerprint = ?2 AND state = 0";
    let known = rows
        .statement(sql)?
        .query_row(params![rows.workspace, row.fingerprint], |found| {
            found.get(0)
        })
        .optional()?;
    let known = match known {
        None if row.state == MemoryState::Quarantined => held_back(rows, row)?,
        known => known,
    };
    if let Some(known) = known {
        return Ok(Some(MemoryId::from_bytes(known)));
    }
    insert_facts(rows, row)?;
    let sql = "INSERT INTO memory (workspace_id, id, turns, body) VALUES (?1, ?2, ?3, ?4)";
    let turns: Vec<u8> = row.turns.iter().flat_map(|turn| turn.to_bytes()).collect();
    rows.statement(sql)?.execute(params![
        rows.workspace,
        row.id.to_bytes(),
        turns,
        row.body.as_bytes()
    ])?;
    member::span_new(rows, row.session, row.id, &row.turns)?;
    Ok(None)
}

/// One that waits for a human, or that a human has refused, says the same already.
fn held_back(rows: &Rows<'_>, row: &MemoryRow) -> Result<Option<[u8; 16]>, Failure> {
    let sql = "SELECT id FROM memory_facts
               WHERE workspace_id = ?1 AND fingerprint = ?2 AND state IN (1, 3) LIMIT 1";
    Ok(rows
        .statement(sql)?
        .query_row(params![rows.workspace, row.fingerprint], |found| {
            found.get(0)
        })
        .optional()?)
}

fn insert_facts(rows: &mut Rows<'_>, row: &MemoryRow) -> Result<(), Failure> {
    let seq = rows.writing()?;
    let sql = "INSERT INTO memory_facts (workspace_id, id, seq, kind, trust, state, visibility,
                   harness, owner_kind, owner, owner_group, valid_from, valid_to, recorded_at,
                   superseded_at, project, session, fingerprint)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17,
                   ?18)";
    rows.statement(sql)?.execute(params![
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
        row.validity.to.map(skep_domain::Timestamp::as_micros),
        row.validity.recorded.as_micros(),
        row.validity
            .superseded
            .map(skep_domain::Timestamp::as_micros),
        bytes_of(row.project),
        bytes_of(row.session),
        row.fingerprint,
    ])?;
    Ok(())
}

/// The authorization step of recall: no column that holds content is read here.
pub(crate) fn visible(
    rows: &Rows<'_>,
    ring: &ReadingRing,
    filter: &MemoryFilter,
    ids: &[MemoryId],
) -> Result<Vec<MemoryId>, Failure> {
    let (ring, filter) = (RingValues::of(ring), FilterValues::of(filter));
    let sql = concat!(
        "SELECT m.id FROM rarray(?10) AS wanted
         CROSS JOIN memory_facts AS m ON m.workspace_id = ?1 AND m.id = wanted.value
         WHERE ",
        filter_predicate!(),
        " AND ",
        ring_predicate!("m")
    );
    rows.statement(sql)?
        .query_and_then(
            for_reader![
                rows,
                ring,
                filter.as_of,
                filter.project,
                filter.kinds,
                id_array(ids)
            ],
            |row| id(row, 0),
        )?
        .collect()
}

/// In the order asked for; what is not there, or not for this reader, is left out.
pub(crate) fn list_by_id(
    rows: &Rows<'_>,
    ring: &ReadingRing,
    ids: &[MemoryId],
) -> Result<Vec<StoredMemoryRow>, Failure> {
    let ring = RingValues::of(ring);
    let sql = concat!(
        "SELECT ",
        memory_columns!(),
        " FROM rarray(?7) AS wanted
          CROSS JOIN memory_facts AS m ON m.workspace_id = ?1 AND m.id = wanted.value
          CROSS JOIN memory AS b ON b.workspace_id = ?1 AND b.id = m.id
          LEFT JOIN project AS p ON p.workspace_id = ?1 AND p.id = m.project
          WHERE ",
        ring_predicate!("m")
    );
    let found: Vec<StoredMemoryRow> = rows.list(sql, for_reader![rows, ring, id_array(ids)])?;
    let mut found: HashMap<_, _> = found.into_iter().map(|row| (row.memory.id, row)).collect();
    Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
}

pub(crate) fn list(
    rows: &Rows<'_>,
    ring: &ReadingRing,
    filter: &MemoryFilter,
    page: PageOf<MemoryId>,
) -> Result<Vec<StoredMemoryRow>, Failure> {
    let (ring, filter) = (RingValues::of(ring), FilterValues::of(filter));
    let before = page_end(page.before);
    // A page of one project walks that project's index; one text for both would walk everything.
    let sql = if filter.project.is_some() {
        page!(" AND m.project = ?8")
    } else {
        page!("")
    };
    rows.list(
        sql,
        for_reader![
            rows,
            ring,
            filter.as_of,
            filter.project,
            filter.kinds,
            before,
            page.limit
        ],
    )
}

/// As [`list`], without what the memories say.
pub(crate) fn list_facts(
    rows: &Rows<'_>,
    ring: &ReadingRing,
    filter: &MemoryFilter,
    page: PageOf<MemoryId>,
) -> Result<Vec<MemoryFactsRow>, Failure> {
    let (ring, filter) = (RingValues::of(ring), FilterValues::of(filter));
    let before = page_end(page.before);
    let sql = if filter.project.is_some() {
        facts_page!(" AND m.project = ?8")
    } else {
        facts_page!("")
    };
    rows.list(
        sql,
        for_reader![
            rows,
            ring,
            filter.as_of,
            filter.project,
            filter.kinds,
            before,
            page.limit
        ],
    )
}

pub(crate) fn set_state(
    rows: &mut Rows<'_>,
    ring: &ReadingRing,
    id: MemoryId,
    entry: &HistoryRow,
) -> Result<Option<bool>, Failure> {
    let values = RingValues::of(ring);
    let sql = concat!(
        "SELECT m.state FROM memory_facts AS m WHERE m.workspace_id = ?1 AND m.id = ?7 AND ",
        ring_predicate!("m")
    );
    let now: Option<u8> = rows
        .statement(sql)?
        .query_row(for_reader![rows, values, id.to_bytes()], |row| row.get(0))
        .optional()?;
    match now {
        None => Ok(None),
        Some(now) if now == entry.state.code() => Ok(Some(false)),
        Some(_) => {
            move_to(rows, id, entry)?;
            Ok(Some(true))
        }
    }
}

/// Moves a memory to another state, with an entry in its history, whoever may read it.
pub(crate) fn move_to(
    rows: &mut Rows<'_>,
    id: MemoryId,
    entry: &HistoryRow,
) -> Result<(), Failure> {
    change_state(rows, id, entry)?;
    note(rows, id, entry)
}

/// A superseded memory notes since when; one that is active again forgets it.
pub(crate) fn change_state(
    rows: &mut Rows<'_>,
    id: MemoryId,
    entry: &HistoryRow,
) -> Result<(), Failure> {
    let seq = rows.writing()?;
    let sql = "UPDATE memory_facts SET seq = ?3, state = ?4, superseded_at = CASE ?4
                   WHEN 0 THEN NULL
                   WHEN 2 THEN COALESCE(superseded_at, ?5)
                   ELSE superseded_at END
               WHERE workspace_id = ?1 AND id = ?2";
    let changed = rows.statement(sql)?.execute(params![
        rows.workspace,
        id.to_bytes(),
        seq,
        entry.state.code(),
        entry.at.as_micros()
    ]);
    changed.map_err(|error| match Failure::from(error) {
        taken if taken.is_taken() => {
            StoreError::Conflict("an active memory that says the same").into()
        }
        other => other,
    })?;
    Ok(())
}

pub(crate) fn note(rows: &Rows<'_>, id: MemoryId, entry: &HistoryRow) -> Result<(), Failure> {
    let sql = "SELECT COUNT(*) FROM memory_history WHERE workspace_id = ?1 AND memory = ?2";
    let entries: i64 = rows
        .statement(sql)?
        .query_row(params![rows.workspace, id.to_bytes()], |row| row.get(0))?;
    let sql = "INSERT INTO memory_history (workspace_id, memory, entry, at, actor_kind, actor,
                   state, reason)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    rows.statement(sql)?.execute(params![
        rows.workspace,
        id.to_bytes(),
        entries,
        entry.at.as_micros(),
        entry.actor.map(principal_kind),
        entry.actor.map(skep_domain::Principal::to_bytes),
        entry.state.code(),
        entry.reason.as_bytes()
    ])?;
    Ok(())
}
