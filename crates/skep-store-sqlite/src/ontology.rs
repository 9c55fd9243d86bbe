//! Statements on proposals about names.

use rusqlite::params;
use skep_domain::{Id, Principal, ProposalId, ProposalState, Timestamp};
use skep_store::backend::PageOf;
use skep_store::column::principal_kind;
use skep_store::row::ProposalRow;

use crate::column::page_end;
use crate::failure::Failure;
use crate::rows::Rows;

pub(crate) fn put(rows: &mut Rows<'_>, row: &ProposalRow) -> Result<(), Failure> {
    rows.writing()?;
    let sql = "INSERT INTO ontology_proposal
                   (workspace_id, id, state, proposer_kind, proposer, at, body)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    rows.statement(sql)?.execute(params![
        rows.workspace,
        row.id.to_bytes(),
        row.state.code(),
        principal_kind(row.proposer),
        row.proposer.to_bytes(),
        row.at.as_micros(),
        row.body.as_bytes()
    ])?;
    Ok(())
}

pub(crate) fn list(
    rows: &Rows<'_>,
    state: ProposalState,
    page: PageOf<ProposalId>,
) -> Result<Vec<ProposalRow>, Failure> {
    let before = page_end(page.before);
    let sql =
        "SELECT id, state, proposer_kind, proposer, at, decider_kind, decider, decided_at, body
               FROM ontology_proposal
               WHERE workspace_id = ?1 AND state = ?2 AND id < ?3 ORDER BY id DESC LIMIT ?4";
    rows.list(
        sql,
        params![rows.workspace, state.code(), before, page.limit],
    )
}

pub(crate) fn decide(
    rows: &mut Rows<'_>,
    id: ProposalId,
    state: ProposalState,
    (decider, at): (Principal, Timestamp),
) -> Result<bool, Failure> {
    let sql = "UPDATE ontology_proposal
               SET state = ?3, decider_kind = ?4, decider = ?5, decided_at = ?6
               WHERE workspace_id = ?1 AND id = ?2 AND state = 0";
    let changed = rows.statement(sql)?.execute(params![
        rows.workspace,
        id.to_bytes(),
        state.code(),
        principal_kind(decider),
        decider.to_bytes(),
        at.as_micros()
    ])?;
    if changed > 0 {
        rows.writing()?;
    }
    Ok(changed > 0)
}
