//! Statements on skills.

use rusqlite::{OptionalExtension, params};
use skep_crypto::Sealed;
use skep_domain::{Id, SkillId, SkillState};
use skep_store::backend::PageOf;
use skep_store::column::{principal_kind, sealed};
use skep_store::row::{Fingerprint, SkillRow};

use crate::column::page_end;
use crate::failure::Failure;
use crate::rows::Rows;

/// The columns of a row, in the order in which it is read.
macro_rules! skills {
    ($more:literal) => {
        concat!(
            "SELECT id, name, version, state, proposer_kind, proposer, at, decider_kind, decider,
                 decided_at, body, decision
             FROM skill WHERE workspace_id = ?1",
            $more
        )
    };
}

pub(crate) fn last_version(rows: &Rows<'_>, name: Fingerprint) -> Result<u32, Failure> {
    let sql = "SELECT version FROM skill WHERE workspace_id = ?1 AND name = ?2
               ORDER BY version DESC LIMIT 1";
    let found = rows
        .statement(sql)?
        .query_row(params![rows.workspace, name], |row| row.get(0))
        .optional()?;
    Ok(found.unwrap_or(0))
}

pub(crate) fn count(rows: &Rows<'_>, state: SkillState) -> Result<u64, Failure> {
    let sql = "SELECT COUNT(*) FROM skill WHERE workspace_id = ?1 AND state = ?2";
    let counted = rows
        .statement(sql)?
        .query_row(params![rows.workspace, state.code()], |row| row.get(0))?;
    Ok(counted)
}

pub(crate) fn put(rows: &mut Rows<'_>, row: &SkillRow, files: &Sealed) -> Result<(), Failure> {
    rows.writing()?;
    let sql =
        "INSERT INTO skill (workspace_id, id, name, version, state, proposer_kind, proposer, at,
                   body, files)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    rows.statement(sql)?.execute(params![
        rows.workspace,
        row.id.to_bytes(),
        row.name,
        row.version,
        row.state.code(),
        principal_kind(row.proposer),
        row.proposer.to_bytes(),
        row.at.as_micros(),
        row.body.as_bytes(),
        files.as_bytes()
    ])?;
    Ok(())
}

pub(crate) fn get(rows: &Rows<'_>, id: SkillId) -> Result<Option<SkillRow>, Failure> {
    rows.find(
        skills!(" AND id = ?2"),
        params![rows.workspace, id.to_bytes()],
    )
}

pub(crate) fn files(rows: &Rows<'_>, id: SkillId) -> Result<Option<Sealed>, Failure> {
    let sql = "SELECT files FROM skill WHERE workspace_id = ?1 AND id = ?2";
    rows.statement(sql)?
        .query_and_then(params![rows.workspace, id.to_bytes()], |row| sealed(row, 0))?
        .next()
        .transpose()
}

pub(crate) fn list(
    rows: &Rows<'_>,
    state: SkillState,
    page: PageOf<SkillId>,
) -> Result<Vec<SkillRow>, Failure> {
    rows.list(
        skills!(" AND state = ?2 AND id < ?3 ORDER BY id DESC LIMIT ?4"),
        params![
            rows.workspace,
            state.code(),
            page_end(page.before),
            page.limit
        ],
    )
}

pub(crate) fn set(rows: &mut Rows<'_>, row: &SkillRow) -> Result<(), Failure> {
    rows.writing()?;
    let sql = "UPDATE skill
               SET state = ?3, decider_kind = ?4, decider = ?5, decided_at = ?6, decision = ?7
               WHERE workspace_id = ?1 AND id = ?2";
    rows.statement(sql)?.execute(params![
        rows.workspace,
        row.id.to_bytes(),
        row.state.code(),
        row.decided.map(|(by, _)| principal_kind(by)),
        row.decided.map(|(by, _)| by.to_bytes()),
        row.decided.map(|(_, at)| at.as_micros()),
        row.decision.as_ref().map(Sealed::as_bytes)
    ])?;
    Ok(())
}

pub(crate) fn supersede(rows: &mut Rows<'_>, name: Fingerprint) -> Result<(), Failure> {
    rows.writing()?;
    let sql = "UPDATE skill SET state = ?4 WHERE workspace_id = ?1 AND name = ?2 AND state = ?3";
    rows.statement(sql)?.execute(params![
        rows.workspace,
        name,
        SkillState::Approved.code(),
        SkillState::Superseded.code()
    ])?;
    Ok(())
}
