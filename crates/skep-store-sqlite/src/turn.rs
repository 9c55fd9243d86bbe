//! Statements on turns.

use std::collections::HashMap;

use rusqlite::{CachedStatement, OptionalExtension, params};
use skep_domain::{Id, ParticipantId, ReadingRing, SessionId, TurnId};
use skep_store::backend::RingValues;
use skep_store::column::{bytes_of, id_option};
use skep_store::row::{StoredTurnRow, TurnRow};

use crate::failure::Failure;
use crate::ring::{for_reader, turn_predicate};
use crate::rows::{Rows, id_array};
use crate::session;

macro_rules! turn_columns {
    () => {
        "t.session, t.ordinal, t.id, t.fingerprint, t.role, t.branch, t.is_error, t.at, \
         t.recorded_at, t.body, (SELECT au.author FROM turn_author AS au \
         WHERE au.workspace_id = ?1 AND au.session = t.session AND au.from_ordinal <= t.ordinal \
         ORDER BY au.from_ordinal DESC LIMIT 1)"
    };
}

/// Appends what is new. Ordinals have no gap: one is used only by a row that was inserted.
pub(crate) fn append(
    rows: &mut Rows<'_>,
    session: SessionId,
    turns: &[TurnRow],
) -> Result<Vec<bool>, Failure> {
    let mut next = turn_count(rows, session)?.ok_or_else(session::absent)?;
    let first = next;
    let sql = "INSERT INTO turn (workspace_id, session, ordinal, id, fingerprint, role, branch,
                   is_error, at, recorded_at, body)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
               ON CONFLICT (workspace_id, session, fingerprint) DO NOTHING";
    let mut insert = rows.statement(sql)?;
    let mut new = Vec::with_capacity(turns.len());
    let mut speaking = last_author(rows, session)?;
    for turn in turns {
        let inserted = insert_one(&mut insert, rows.workspace, (session, next), turn)?;
        if inserted && speaking != turn.author {
            put_author(rows, (session, next), turn.author)?;
            speaking = turn.author;
        }
        next += u64::from(inserted);
        new.push(inserted);
    }
    drop(insert);
    if next > first {
        rows.writing()?;
        let sql = "UPDATE session SET turn_count = ?3 WHERE workspace_id = ?1 AND id = ?2";
        rows.statement(sql)?
            .execute(params![rows.workspace, session.to_bytes(), next])?;
    }
    Ok(new)
}

fn insert_one(
    insert: &mut CachedStatement<'_>,
    workspace: [u8; 16],
    (session, ordinal): (SessionId, u64),
    turn: &TurnRow,
) -> Result<bool, Failure> {
    let changed = insert.execute(params![
        workspace,
        session.to_bytes(),
        ordinal,
        turn.id.to_bytes(),
        turn.fingerprint,
        turn.role.code(),
        turn.branch,
        turn.is_error,
        turn.at.as_micros(),
        turn.recorded_at.as_micros(),
        turn.body.as_bytes(),
    ])?;
    Ok(changed == 1)
}

/// Who spoke last; nobody, if none is known.
fn last_author(rows: &Rows<'_>, session: SessionId) -> Result<Option<ParticipantId>, Failure> {
    let sql = "SELECT author FROM turn_author WHERE workspace_id = ?1 AND session = ?2
               ORDER BY from_ordinal DESC LIMIT 1";
    let mut statement = rows.statement(sql)?;
    let mut found = statement.query(params![rows.workspace, session.to_bytes()])?;
    found.next()?.map_or(Ok(None), |row| id_option(row, 0))
}

/// From this ordinal on, somebody else speaks.
fn put_author(
    rows: &Rows<'_>,
    (session, ordinal): (SessionId, u64),
    author: Option<ParticipantId>,
) -> Result<(), Failure> {
    let sql = "INSERT INTO turn_author (workspace_id, session, from_ordinal, author)
               VALUES (?1, ?2, ?3, ?4)";
    rows.statement(sql)?.execute(params![
        rows.workspace,
        session.to_bytes(),
        ordinal,
        bytes_of(author)
    ])?;
    Ok(())
}

fn turn_count(rows: &Rows<'_>, session: SessionId) -> Result<Option<u64>, Failure> {
    let sql = "SELECT turn_count FROM session WHERE workspace_id = ?1 AND id = ?2";
    Ok(rows
        .statement(sql)?
        .query_row(params![rows.workspace, session.to_bytes()], |row| {
            row.get(0)
        })
        .optional()?)
}

pub(crate) fn list(
    rows: &Rows<'_>,
    ring: &ReadingRing,
    session: SessionId,
    from: u64,
    limit: u32,
) -> Result<Vec<StoredTurnRow>, Failure> {
    let ring = RingValues::of(ring);
    let sql = concat!(
        "SELECT ",
        turn_columns!(),
        " FROM session AS s CROSS JOIN turn AS t
          ON t.workspace_id = ?1 AND t.session = s.id AND t.ordinal >= ?8
          WHERE s.workspace_id = ?1 AND s.id = ?7 AND ",
        turn_predicate!(),
        " ORDER BY t.ordinal LIMIT ?9"
    );
    rows.list(
        sql,
        for_reader![rows, ring, session.to_bytes(), from, limit],
    )
}

/// Newest first, before an ordinal.
pub(crate) fn list_before(
    rows: &Rows<'_>,
    ring: &ReadingRing,
    session: SessionId,
    before: u64,
    limit: u32,
) -> Result<Vec<StoredTurnRow>, Failure> {
    let ring = RingValues::of(ring);
    let sql = concat!(
        "SELECT ",
        turn_columns!(),
        " FROM session AS s CROSS JOIN turn AS t
          ON t.workspace_id = ?1 AND t.session = s.id AND t.ordinal < ?8
          WHERE s.workspace_id = ?1 AND s.id = ?7 AND ",
        turn_predicate!(),
        " ORDER BY t.ordinal DESC LIMIT ?9"
    );
    rows.list(
        sql,
        for_reader![
            rows,
            ring,
            session.to_bytes(),
            i64::try_from(before).unwrap_or(i64::MAX),
            limit
        ],
    )
}

/// In the order asked for; what is not there, or not for this reader, is left out.
pub(crate) fn list_by_id(
    rows: &Rows<'_>,
    ring: &ReadingRing,
    ids: &[TurnId],
) -> Result<Vec<StoredTurnRow>, Failure> {
    let ring = RingValues::of(ring);
    let sql = concat!(
        "SELECT ",
        turn_columns!(),
        " FROM rarray(?7) AS wanted
          CROSS JOIN turn AS t ON t.workspace_id = ?1 AND t.id = wanted.value
          CROSS JOIN session AS s ON s.workspace_id = ?1 AND s.id = t.session
          WHERE ",
        turn_predicate!()
    );
    let found: Vec<StoredTurnRow> = rows.list(sql, for_reader![rows, ring, id_array(ids)])?;
    let mut found: HashMap<_, _> = found.into_iter().map(|row| (row.turn.id, row)).collect();
    Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
}

/// Turns for the daemon's own upkeep, whoever may read them.
pub(crate) fn list_for_upkeep(
    rows: &Rows<'_>,
    session: SessionId,
    from: u64,
    limit: u32,
) -> Result<Vec<StoredTurnRow>, Failure> {
    let sql = concat!(
        "SELECT ",
        turn_columns!(),
        " FROM turn AS t
          WHERE t.workspace_id = ?1 AND t.session = ?2 AND t.ordinal >= ?3
          ORDER BY t.ordinal LIMIT ?4"
    );
    rows.list(
        sql,
        params![rows.workspace, session.to_bytes(), from, limit],
    )
}
