//! Statements on what was put in front of models.

use rusqlite::{OptionalExtension, params};
use skep_domain::{Id, InjectionId, MemoryId, ReadingRing, SessionId};
use skep_store::backend::{PageOf, RingValues};
use skep_store::column::{bytes_of, ids};
use skep_store::row::{InjectionRow, StoredInjectionRow};

use crate::column::page_end;
use crate::failure::Failure;
use crate::ring::{for_reader, ring_predicate};
use crate::rows::Rows;
use crate::session;

pub(crate) fn put(
    rows: &mut Rows<'_>,
    ring: &ReadingRing,
    row: &InjectionRow,
) -> Result<u64, Failure> {
    let ring = RingValues::of(ring);
    let sql = concat!(
        "SELECT (SELECT COALESCE(MAX(i.ordinal) + 1, 0) FROM injection AS i
                 WHERE i.workspace_id = ?1 AND i.session = s.id)
         FROM session AS s WHERE s.workspace_id = ?1 AND s.id = ?7 AND ",
        ring_predicate!("s")
    );
    let ordinal: Option<u64> = rows
        .statement(sql)?
        .query_row(for_reader![rows, ring, row.session.to_bytes()], |row| {
            row.get(0)
        })
        .optional()?;
    let ordinal = ordinal.ok_or_else(session::absent)?;
    rows.writing()?;
    let memories: Vec<u8> = row.memories.iter().flat_map(|id| id.to_bytes()).collect();
    let sql =
        "INSERT INTO injection (workspace_id, session, ordinal, id, at, moment, memories, body)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    rows.statement(sql)?.execute(params![
        rows.workspace,
        row.session.to_bytes(),
        ordinal,
        row.id.to_bytes(),
        row.at.as_micros(),
        row.moment.code(),
        memories,
        row.body.as_bytes(),
    ])?;
    Ok(ordinal)
}

/// What a model has in its context: from the last injection after its context was emptied on.
pub(crate) fn injected(
    rows: &Rows<'_>,
    ring: &ReadingRing,
    session: SessionId,
    limit: u32,
) -> Result<Vec<MemoryId>, Failure> {
    let ring = RingValues::of(ring);
    let sql = concat!(
        "SELECT i.memories FROM session AS s CROSS JOIN injection AS i
          ON i.workspace_id = ?1 AND i.session = s.id
          WHERE s.workspace_id = ?1 AND s.id = ?7
            AND i.ordinal >= (SELECT COALESCE(MAX(l.ordinal), 0) FROM injection AS l
                              WHERE l.workspace_id = ?1 AND l.session = s.id AND l.moment = 2)
            AND ",
        ring_predicate!("s"),
        " ORDER BY i.ordinal DESC LIMIT ?8"
    );
    let lists = rows
        .statement(sql)?
        .query_and_then(for_reader![rows, ring, session.to_bytes(), limit], |row| {
            ids(row, 0, "the memories of an injection")
        })?
        .collect::<Result<Vec<_>, Failure>>()?;
    Ok(lists.concat())
}

pub(crate) fn list(
    rows: &Rows<'_>,
    ring: &ReadingRing,
    session: Option<SessionId>,
    page: PageOf<InjectionId>,
) -> Result<Vec<StoredInjectionRow>, Failure> {
    let ring = RingValues::of(ring);
    let before = page_end(page.before);
    let sql = concat!(
        "SELECT i.id, i.session, i.ordinal, i.at, i.moment, i.memories, i.body
          FROM injection AS i CROSS JOIN session AS s
          ON s.workspace_id = ?1 AND s.id = i.session
          WHERE i.workspace_id = ?1 AND i.id < ?7 AND (?9 IS NULL OR i.session = ?9) AND ",
        ring_predicate!("s"),
        " ORDER BY i.id DESC LIMIT ?8"
    );
    rows.list(
        sql,
        for_reader![rows, ring, before, page.limit, bytes_of(session)],
    )
}
