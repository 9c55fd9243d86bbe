//! Statements on templates and on who may use them.

use rusqlite::params;
use skep_domain::{
    AccessId, AccessState, AgentId, Id, Principal, TemplateId, TemplateState, Timestamp,
};
use skep_store::backend::PageOf;
use skep_store::column::{bytes_of, micros, principal_kind};
use skep_store::row::{AccessRow, Fingerprint, TemplateRow};

use crate::column::page_end;
use crate::failure::Failure;
use crate::rows::Rows;

/// The columns of a version, in the order in which it is read.
macro_rules! templates {
    ($more:literal) => {
        concat!(
            "SELECT id, name, version, state, drafter_kind, drafter, at, decider_kind, decider,
                 decided_at, body, decision
             FROM template WHERE workspace_id = ?1",
            $more
        )
    };
}

/// The same of a request or a grant.
macro_rules! accesses {
    ($more:literal) => {
        concat!(
            "SELECT id, template, agent, state, asker_kind, asker, at, until, decider_kind, decider,
                 decided_at, body, decision
             FROM secret_access WHERE workspace_id = ?1",
            $more
        )
    };
}

pub(crate) fn count(rows: &Rows<'_>, state: TemplateState) -> Result<u64, Failure> {
    let sql = "SELECT COUNT(*) FROM template WHERE workspace_id = ?1 AND state = ?2";
    let counted = rows
        .statement(sql)?
        .query_row(params![rows.workspace, state.code()], |row| row.get(0))?;
    Ok(counted)
}

pub(crate) fn put(rows: &mut Rows<'_>, row: &TemplateRow) -> Result<(), Failure> {
    rows.writing()?;
    let sql =
        "INSERT INTO template (workspace_id, id, name, version, state, drafter_kind, drafter, at,
                   body)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    rows.statement(sql)?.execute(params![
        rows.workspace,
        row.id.to_bytes(),
        row.name,
        row.version,
        row.state.code(),
        principal_kind(row.drafter),
        row.drafter.to_bytes(),
        row.at.as_micros(),
        row.body.as_bytes()
    ])?;
    Ok(())
}

pub(crate) fn get(rows: &Rows<'_>, id: TemplateId) -> Result<Option<TemplateRow>, Failure> {
    rows.find(
        templates!(" AND id = ?2"),
        params![rows.workspace, id.to_bytes()],
    )
}

pub(crate) fn list(
    rows: &Rows<'_>,
    state: TemplateState,
    page: PageOf<TemplateId>,
) -> Result<Vec<TemplateRow>, Failure> {
    rows.list(
        templates!(" AND state = ?2 AND id < ?3 ORDER BY id DESC LIMIT ?4"),
        params![
            rows.workspace,
            state.code(),
            page_end(page.before),
            page.limit
        ],
    )
}

pub(crate) fn named(
    rows: &Rows<'_>,
    name: Fingerprint,
    limit: u32,
) -> Result<Vec<TemplateRow>, Failure> {
    rows.list(
        templates!(" AND name = ?2 ORDER BY version DESC LIMIT ?3"),
        params![rows.workspace, name, limit],
    )
}

pub(crate) fn approved(rows: &Rows<'_>, name: Fingerprint) -> Result<Option<TemplateRow>, Failure> {
    rows.find(
        templates!(" AND name = ?2 AND state = ?3"),
        params![rows.workspace, name, TemplateState::Approved.code()],
    )
}

pub(crate) fn set(rows: &mut Rows<'_>, row: &TemplateRow) -> Result<(), Failure> {
    rows.writing()?;
    let sql = "UPDATE template
               SET state = ?3, decider_kind = ?4, decider = ?5, decided_at = ?6, decision = ?7
               WHERE workspace_id = ?1 AND id = ?2";
    rows.statement(sql)?.execute(params![
        rows.workspace,
        row.id.to_bytes(),
        row.state.code(),
        row.decided.map(|(by, _)| principal_kind(by)),
        row.decided.map(|(by, _)| by.to_bytes()),
        row.decided.map(|(_, at)| at.as_micros()),
        row.decision.as_ref().map(skep_crypto::Sealed::as_bytes)
    ])?;
    Ok(())
}

pub(crate) fn supersede(rows: &mut Rows<'_>, name: Fingerprint) -> Result<(), Failure> {
    rows.writing()?;
    let sql = "UPDATE template SET state = ?4 WHERE workspace_id = ?1 AND name = ?2 AND state = ?3";
    rows.statement(sql)?.execute(params![
        rows.workspace,
        name,
        TemplateState::Approved.code(),
        TemplateState::Superseded.code()
    ])?;
    Ok(())
}

pub(crate) fn prune(rows: &mut Rows<'_>, keep: u32) -> Result<(), Failure> {
    rows.writing()?;
    let sql = "DELETE FROM template WHERE workspace_id = ?1 AND state > ?2 AND id NOT IN (
                   SELECT id FROM template WHERE workspace_id = ?1 AND state > ?2
                   ORDER BY id DESC LIMIT ?3)";
    rows.statement(sql)?.execute(params![
        rows.workspace,
        TemplateState::Approved.code(),
        keep
    ])?;
    Ok(())
}

pub(crate) fn put_access(rows: &mut Rows<'_>, row: &AccessRow) -> Result<(), Failure> {
    rows.writing()?;
    let sql = "INSERT INTO secret_access (workspace_id, id, template, agent, state, asker_kind, asker, at,
                   until, decider_kind, decider, decided_at, body)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";
    rows.statement(sql)?.execute(params![
        rows.workspace,
        row.id.to_bytes(),
        row.template,
        bytes_of(row.agent),
        row.state.code(),
        principal_kind(row.asker),
        row.asker.to_bytes(),
        row.at.as_micros(),
        micros(row.until),
        row.decided.map(|(by, _)| principal_kind(by)),
        row.decided.map(|(by, _)| by.to_bytes()),
        row.decided.map(|(_, at)| at.as_micros()),
        row.body.as_bytes()
    ])?;
    Ok(())
}

pub(crate) fn access(rows: &Rows<'_>, id: AccessId) -> Result<Option<AccessRow>, Failure> {
    rows.find(
        accesses!(" AND id = ?2"),
        params![rows.workspace, id.to_bytes()],
    )
}

pub(crate) fn accesses(
    rows: &Rows<'_>,
    agent: Option<AgentId>,
    page: PageOf<AccessId>,
) -> Result<Vec<AccessRow>, Failure> {
    rows.list(
        accesses!(
            " AND (?2 IS NULL OR agent IS NULL OR agent = ?2) AND id < ?3 ORDER BY id DESC LIMIT ?4"
        ),
        params![
            rows.workspace,
            bytes_of(agent),
            page_end(page.before),
            page.limit
        ],
    )
}

pub(crate) fn waiting(
    rows: &Rows<'_>,
    agent: AgentId,
    template: Option<Fingerprint>,
) -> Result<Vec<AccessRow>, Failure> {
    rows.list(
        accesses!(" AND state = ?2 AND agent = ?3 AND (?4 IS NULL OR template = ?4)"),
        params![
            rows.workspace,
            AccessState::Waiting.code(),
            agent.to_bytes(),
            template
        ],
    )
}

pub(crate) fn grants(
    rows: &Rows<'_>,
    agent: AgentId,
    template: Option<Fingerprint>,
    now: Timestamp,
) -> Result<Vec<AccessRow>, Failure> {
    rows.list(
        accesses!(
            " AND state = ?2 AND (agent IS NULL OR agent = ?3) AND (?4 IS NULL OR template = ?4)
               AND (until IS NULL OR until > ?5)"
        ),
        params![
            rows.workspace,
            AccessState::Granted.code(),
            agent.to_bytes(),
            template,
            now.as_micros()
        ],
    )
}

pub(crate) fn count_grants(rows: &Rows<'_>, now: Timestamp) -> Result<u64, Failure> {
    let sql = "SELECT COUNT(*) FROM secret_access
               WHERE workspace_id = ?1 AND state = ?2 AND (until IS NULL OR until > ?3)";
    let granted = AccessState::Granted.code();
    let values = params![rows.workspace, granted, now.as_micros()];
    let counted = rows.statement(sql)?.query_row(values, |row| row.get(0))?;
    Ok(counted)
}

pub(crate) fn set_access(rows: &mut Rows<'_>, row: &AccessRow) -> Result<(), Failure> {
    rows.writing()?;
    let sql = "UPDATE secret_access
               SET state = ?3, until = ?4, decider_kind = ?5, decider = ?6, decided_at = ?7,
                   decision = ?8
               WHERE workspace_id = ?1 AND id = ?2";
    rows.statement(sql)?.execute(params![
        rows.workspace,
        row.id.to_bytes(),
        row.state.code(),
        micros(row.until),
        row.decided.map(|(by, _)| principal_kind(by)),
        row.decided.map(|(by, _)| by.to_bytes()),
        row.decided.map(|(_, at)| at.as_micros()),
        row.decision.as_ref().map(skep_crypto::Sealed::as_bytes)
    ])?;
    Ok(())
}

pub(crate) fn supersede_grant(
    rows: &mut Rows<'_>,
    template: Fingerprint,
    agent: Option<AgentId>,
) -> Result<(), Failure> {
    rows.writing()?;
    let sql = "UPDATE secret_access SET state = ?5
               WHERE workspace_id = ?1 AND template = ?2 AND agent IS ?3 AND state = ?4";
    rows.statement(sql)?.execute(params![
        rows.workspace,
        template,
        bytes_of(agent),
        AccessState::Granted.code(),
        AccessState::Superseded.code()
    ])?;
    Ok(())
}

pub(crate) fn revoke_grants(
    rows: &mut Rows<'_>,
    template: Fingerprint,
    (by, at): (Principal, Timestamp),
) -> Result<(), Failure> {
    rows.writing()?;
    let sql = "UPDATE secret_access
               SET state = ?4, decider_kind = ?5, decider = ?6, decided_at = ?7
               WHERE workspace_id = ?1 AND template = ?2 AND state = ?3";
    rows.statement(sql)?.execute(params![
        rows.workspace,
        template,
        AccessState::Granted.code(),
        AccessState::Revoked.code(),
        principal_kind(by),
        by.to_bytes(),
        at.as_micros()
    ])?;
    Ok(())
}

pub(crate) fn prune_accesses(
    rows: &mut Rows<'_>,
    now: Timestamp,
    keep: u32,
) -> Result<(), Failure> {
    rows.writing()?;
    let sql = "DELETE FROM secret_access
               WHERE workspace_id = ?1 AND (state > ?2 OR state = ?2 AND until <= ?3) AND id NOT IN (
                   SELECT id FROM secret_access
                   WHERE workspace_id = ?1 AND (state > ?2 OR state = ?2 AND until <= ?3)
                   ORDER BY id DESC LIMIT ?4)";
    rows.statement(sql)?.execute(params![
        rows.workspace,
        AccessState::Granted.code(),
        now.as_micros(),
        keep
    ])?;
    Ok(())
}
