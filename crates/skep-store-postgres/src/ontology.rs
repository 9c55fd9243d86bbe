//! Statements on proposals about names.

use skep_domain::{Id, Principal, ProposalId, ProposalState, Timestamp};
use skep_store::backend::PageOf;
use skep_store::column::{Stored, bytes_of, principal_kind};
use skep_store::row::ProposalRow;

use crate::failure::Failure;
use crate::rows::Rows;
use crate::statement::statements;
use crate::value::values;

statements! {
    PUT = "INSERT INTO ontology_proposal
            (workspace_id, id, state, proposer_kind, proposer, at, body)
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    LIST = "SELECT id, state, proposer_kind, proposer, at, decider_kind, decider, decided_at, body
        FROM ontology_proposal
        WHERE workspace_id = $1 AND state = $2 AND ($3::uuid IS NULL OR id < $3)
        ORDER BY id DESC LIMIT $4";
    DECIDE = "UPDATE ontology_proposal
        SET state = $3, decider_kind = $4, decider = $5, decided_at = $6
        WHERE workspace_id = $1 AND id = $2 AND state = 0";
}

pub(crate) async fn put(rows: &mut Rows<'_>, row: &ProposalRow) -> Result<(), Failure> {
    rows.writing().await?;
    let values = values![
        rows.workspace,
        row.id.to_bytes(),
        row.state.code(),
        principal_kind(row.proposer),
        row.proposer.to_bytes(),
        row.at.as_micros(),
        row.body.as_bytes()
    ];
    rows.run(PUT, values).await?;
    Ok(())
}

pub(crate) async fn list(
    rows: &Rows<'_>,
    state: ProposalState,
    page: PageOf<ProposalId>,
) -> Result<Vec<ProposalRow>, Failure> {
    let values = values![
        rows.workspace,
        state.code(),
        bytes_of(page.before),
        page.limit
    ];
    rows.list(LIST, values, ProposalRow::read).await
}

pub(crate) async fn decide(
    rows: &mut Rows<'_>,
    id: ProposalId,
    state: ProposalState,
    (decider, at): (Principal, Timestamp),
) -> Result<bool, Failure> {
    let values = values![
        rows.workspace,
        id.to_bytes(),
        state.code(),
        principal_kind(decider),
        decider.to_bytes(),
        at.as_micros()
    ];
    let changed = rows.run(DECIDE, values).await?;
    if changed > 0 {
        rows.writing().await?;
    }
    Ok(changed > 0)
}
