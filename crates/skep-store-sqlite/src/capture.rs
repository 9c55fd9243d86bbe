//! Statements on capture itself: counters, pauses, bound directories.

use std::rc::Rc;

use rusqlite::types::Value;
use rusqlite::vtab::array::Array;
use rusqlite::{OptionalExtension, params};
use skep_domain::{Principal, Timestamp};
use skep_store::column::{pause_holder, pause_session, principal_kind};
use skep_store::row::{BindingRow, Fingerprint, OutcomeCount, PauseRow};

use crate::failure::Failure;
use crate::rows::Rows;

pub(crate) fn add_counts(rows: &mut Rows<'_>, counts: &[OutcomeCount]) -> Result<(), Failure> {
    rows.writing()?;
    let sql = "INSERT INTO capture_count (workspace_id, outcome, turns) VALUES (?1, ?2, ?3)
               ON CONFLICT (workspace_id, outcome) DO UPDATE SET turns = turns + excluded.turns";
    let mut add = rows.statement(sql)?;
    for (outcome, turns) in counts {
        add.execute(params![rows.workspace, outcome, turns])?;
    }
    Ok(())
}

pub(crate) fn counts(rows: &Rows<'_>) -> Result<Vec<OutcomeCount>, Failure> {
    let sql = "SELECT outcome, turns FROM capture_count WHERE workspace_id = ?1 ORDER BY outcome";
    rows.statement(sql)?
        .query_and_then([&rows.workspace], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

pub(crate) fn raise_spool(
    rows: &mut Rows<'_>,
    spool: Fingerprint,
    dropped: u64,
) -> Result<u64, Failure> {
    let sql = "SELECT dropped FROM capture_spool WHERE workspace_id = ?1 AND spool = ?2";
    let known: Option<u64> = rows
        .statement(sql)?
        .query_row(params![rows.workspace, spool], |row| row.get(0))
        .optional()?;
    let more = dropped.saturating_sub(known.unwrap_or(0));
    if more > 0 {
        rows.writing()?;
        let sql = "INSERT INTO capture_spool (workspace_id, spool, dropped) VALUES (?1, ?2, ?3)
                   ON CONFLICT (workspace_id, spool) DO UPDATE SET dropped = excluded.dropped";
        rows.statement(sql)?
            .execute(params![rows.workspace, spool, dropped])?;
    }
    Ok(more)
}

pub(crate) fn put_pause(
    rows: &mut Rows<'_>,
    row: &PauseRow,
    now: Timestamp,
) -> Result<(), Failure> {
    rows.writing()?;
    let sql = "DELETE FROM capture_pause WHERE workspace_id = ?1 AND until <= ?2";
    rows.statement(sql)?
        .execute(params![rows.workspace, now.as_micros()])?;
    let (kind, holder) = pause_holder(row.holder);
    let sql = "INSERT INTO capture_pause (workspace_id, holder_kind, holder, session, until)
               VALUES (?1, ?2, ?3, ?4, ?5)
               ON CONFLICT (workspace_id, holder_kind, holder, session)
               DO UPDATE SET until = excluded.until";
    rows.statement(sql)?.execute(params![
        rows.workspace,
        kind,
        holder,
        pause_session(row.session),
        row.until.map(Timestamp::as_micros)
    ])?;
    Ok(())
}

pub(crate) fn remove_pause(
    rows: &mut Rows<'_>,
    of: Option<Principal>,
    session_of: Option<Fingerprint>,
) -> Result<bool, Failure> {
    let (kind, holder) = pause_holder(of);
    let sql = "DELETE FROM capture_pause WHERE workspace_id = ?1 AND holder_kind = ?2
               AND holder = ?3 AND session = ?4";
    let values = params![rows.workspace, kind, holder, pause_session(session_of)];
    let removed = rows.statement(sql)?.execute(values)?;
    if removed > 0 {
        rows.writing()?;
    }
    Ok(removed > 0)
}

pub(crate) fn pauses(
    rows: &Rows<'_>,
    principal: Principal,
    session_of: Option<Fingerprint>,
    now: Timestamp,
) -> Result<Vec<PauseRow>, Failure> {
    let (kind, holder) = pause_holder(Some(principal));
    let sql = "SELECT holder_kind, holder, session, until FROM capture_pause
               WHERE workspace_id = ?1
                 AND ((holder_kind = ?2 AND holder = ?3) OR holder_kind = -1)
                 AND (?4 IS NULL OR session = x'' OR session = ?4)
                 AND (until IS NULL OR until > ?5)
               ORDER BY holder_kind, session LIMIT 10000";
    rows.list(
        sql,
        params![rows.workspace, kind, holder, session_of, now.as_micros()],
    )
}

pub(crate) fn put_binding(
    rows: &mut Rows<'_>,
    owner: Principal,
    row: &BindingRow,
) -> Result<(), Failure> {
    rows.writing()?;
    let sql = "INSERT INTO capture_binding (workspace_id, owner_kind, owner, directory, body)
               VALUES (?1, ?2, ?3, ?4, ?5)
               ON CONFLICT (workspace_id, owner_kind, owner, directory)
               DO UPDATE SET body = excluded.body";
    rows.statement(sql)?.execute(params![
        rows.workspace,
        principal_kind(owner),
        owner.to_bytes(),
        row.directory,
        row.body.as_bytes()
    ])?;
    Ok(())
}

pub(crate) fn remove_binding(
    rows: &mut Rows<'_>,
    owner: Principal,
    directory: Fingerprint,
) -> Result<bool, Failure> {
    let sql = "DELETE FROM capture_binding WHERE workspace_id = ?1 AND owner_kind = ?2
               AND owner = ?3 AND directory = ?4";
    let removed = rows.statement(sql)?.execute(params![
        rows.workspace,
        principal_kind(owner),
        owner.to_bytes(),
        directory
    ])?;
    if removed > 0 {
        rows.writing()?;
    }
    Ok(removed > 0)
}

pub(crate) fn bindings(
    rows: &Rows<'_>,
    owner: Principal,
    directories: &[Fingerprint],
) -> Result<Vec<BindingRow>, Failure> {
    let sql = "SELECT directory, body FROM capture_binding
               WHERE workspace_id = ?1 AND owner_kind = ?2 AND owner = ?3
                 AND (?4 OR directory IN (SELECT value FROM rarray(?5)))
               ORDER BY directory LIMIT 10000";
    let wanted = directories
        .iter()
        .map(|directory| Value::Blob(directory.to_vec()));
    let wanted: Array = Rc::new(wanted.collect());
    rows.list(
        sql,
        params![
            rows.workspace,
            principal_kind(owner),
            owner.to_bytes(),
            directories.is_empty(),
            wanted
        ],
    )
}
