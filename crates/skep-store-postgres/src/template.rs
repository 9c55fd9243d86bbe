//! Statements on templates and on who may use them.

use skep_crypto::Sealed;
use skep_domain::{
    AccessId, AccessState, AgentId, Id, Principal, TemplateId, TemplateState, Timestamp,
};
use skep_store::backend::PageOf;
use skep_store::column::{Stored, bytes_of, micros, principal_kind};
use skep_store::row::{AccessRow, Fingerprint, TemplateRow};

use crate::failure::Failure;
use crate::rows::Rows;
use crate::statement::statements;
use crate::value::values;

/// The columns of a version, in the order in which it is read.
macro_rules! templates {
    ($more:literal) => {
        concat!(
            "SELECT id, name, version, state, drafter_kind, drafter, at, decider_kind, decider,
                 decided_at, body, decision
             FROM template WHERE workspace_id = $1",
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
             FROM secret_access WHERE workspace_id = $1",
            $more
        )
    };
}

statements! {
    COUNT = "SELECT COUNT(*) FROM template WHERE workspace_id = $1 AND state = $2";
    PUT = "INSERT INTO template (workspace_id, id, name, version, state, drafter_kind, drafter, at, body)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    GET = templates!(" AND id = $2");
    LIST = templates!(" AND state = $2 AND ($3::uuid IS NULL OR id < $3) ORDER BY id DESC LIMIT $4");
    NAMED = templates!(" AND name = $2 ORDER BY version DESC LIMIT $3");
    APPROVED = templates!(" AND name = $2 AND state = $3");
    SET = "UPDATE template
        SET state = $3, decider_kind = $4, decider = $5, decided_at = $6, decision = $7
        WHERE workspace_id = $1 AND id = $2";
    SUPERSEDE = "UPDATE template SET state = $4
        WHERE workspace_id = $1 AND name = $2 AND state = $3";
    PRUNE = "DELETE FROM template WHERE workspace_id = $1 AND state > $2 AND id NOT IN (
            SELECT id FROM template WHERE workspace_id = $1 AND state > $2
            ORDER BY id DESC LIMIT $3)";
    PUT_ACCESS = "INSERT INTO secret_access (workspace_id, id, template, agent, state, asker_kind, asker,
            at, until, decider_kind, decider, decided_at, body)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
    ACCESS = accesses!(" AND id = $2");
    ACCESSES = accesses!(
        " AND ($2::uuid IS NULL OR agent IS NULL OR agent = $2) AND ($3::uuid IS NULL OR id < $3)
           ORDER BY id DESC LIMIT $4"
    );
    WAITING = accesses!(
        " AND state = $2 AND agent = $3 AND ($4::bytea IS NULL OR template = $4)"
    );
    GRANTS = accesses!(
        " AND state = $2 AND (agent IS NULL OR agent = $3) AND ($4::bytea IS NULL OR template = $4)
           AND (until IS NULL OR until > $5)"
    );
    COUNT_GRANTS = "SELECT COUNT(*) FROM secret_access
        WHERE workspace_id = $1 AND state = $2 AND (until IS NULL OR until > $3)";
    SET_ACCESS = "UPDATE secret_access
        SET state = $3, until = $4, decider_kind = $5, decider = $6, decided_at = $7, decision = $8
        WHERE workspace_id = $1 AND id = $2";
    SUPERSEDE_GRANT = "UPDATE secret_access SET state = $5
        WHERE workspace_id = $1 AND template = $2 AND agent IS NOT DISTINCT FROM $3::uuid AND state = $4";
    REVOKE_GRANTS = "UPDATE secret_access
        SET state = $4, decider_kind = $5, decider = $6, decided_at = $7
        WHERE workspace_id = $1 AND template = $2 AND state = $3";
    PRUNE_ACCESSES = "DELETE FROM secret_access
        WHERE workspace_id = $1 AND (state > $2 OR state = $2 AND until <= $3) AND id NOT IN (
            SELECT id FROM secret_access
            WHERE workspace_id = $1 AND (state > $2 OR state = $2 AND until <= $3)
            ORDER BY id DESC LIMIT $4)";
}

pub(crate) async fn count(rows: &Rows<'_>, state: TemplateState) -> Result<u64, Failure> {
    let values = values![rows.workspace, state.code()];
    let found = rows.find(COUNT, values, |row| row.get(0)).await?;
    Ok(found.unwrap_or(0))
}

pub(crate) async fn put(rows: &mut Rows<'_>, row: &TemplateRow) -> Result<(), Failure> {
    rows.writing().await?;
    let values = values![
        rows.workspace,
        row.id.to_bytes(),
        row.name,
        row.version,
        row.state.code(),
        principal_kind(row.drafter),
        row.drafter.to_bytes(),
        row.at.as_micros(),
        row.body.as_bytes()
    ];
    rows.run(PUT, values).await?;
    Ok(())
}

pub(crate) async fn get(rows: &Rows<'_>, id: TemplateId) -> Result<Option<TemplateRow>, Failure> {
    let values = values![rows.workspace, id.to_bytes()];
    rows.find(GET, values, TemplateRow::read).await
}

pub(crate) async fn list(
    rows: &Rows<'_>,
    state: TemplateState,
    page: PageOf<TemplateId>,
) -> Result<Vec<TemplateRow>, Failure> {
    let values = values![
        rows.workspace,
        state.code(),
        bytes_of(page.before),
        page.limit
    ];
    rows.list(LIST, values, TemplateRow::read).await
}

pub(crate) async fn named(
    rows: &Rows<'_>,
    name: Fingerprint,
    limit: u32,
) -> Result<Vec<TemplateRow>, Failure> {
    let values = values![rows.workspace, name, limit];
    rows.list(NAMED, values, TemplateRow::read).await
}

pub(crate) async fn approved(
    rows: &Rows<'_>,
    name: Fingerprint,
) -> Result<Option<TemplateRow>, Failure> {
    let values = values![rows.workspace, name, TemplateState::Approved.code()];
    rows.find(APPROVED, values, TemplateRow::read).await
}

pub(crate) async fn set(rows: &mut Rows<'_>, row: &TemplateRow) -> Result<(), Failure> {
    rows.writing().await?;
    let values = values![
        rows.workspace,
        row.id.to_bytes(),
        row.state.code(),
        row.decided.map(|(by, _)| principal_kind(by)),
        row.decided.map(|(by, _)| by.to_bytes()),
        row.decided.map(|(_, at)| at.as_micros()),
        row.decision.as_ref().map(Sealed::as_bytes)
    ];
    rows.run(SET, values).await?;
    Ok(())
}

pub(crate) async fn supersede(rows: &mut Rows<'_>, name: Fingerprint) -> Result<(), Failure> {
    rows.writing().await?;
    let values = values![
        rows.workspace,
        name,
        TemplateState::Approved.code(),
        TemplateState::Superseded.code()
    ];
    rows.run(SUPERSEDE, values).await?;
    Ok(())
}

pub(crate) async fn prune(rows: &mut Rows<'_>, keep: u32) -> Result<(), Failure> {
    rows.writing().await?;
    let values = values![rows.workspace, TemplateState::Approved.code(), keep];
    rows.run(PRUNE, values).await?;
    Ok(())
}

pub(crate) async fn put_access(rows: &mut Rows<'_>, row: &AccessRow) -> Result<(), Failure> {
    rows.writing().await?;
    let values = values![
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
    ];
    rows.run(PUT_ACCESS, values).await?;
    Ok(())
}

pub(crate) async fn access(rows: &Rows<'_>, id: AccessId) -> Result<Option<AccessRow>, Failure> {
    let values = values![rows.workspace, id.to_bytes()];
    rows.find(ACCESS, values, AccessRow::read).await
}

pub(crate) async fn accesses(
    rows: &Rows<'_>,
    agent: Option<AgentId>,
    page: PageOf<AccessId>,
) -> Result<Vec<AccessRow>, Failure> {
    let values = values![
        rows.workspace,
        bytes_of(agent),
        bytes_of(page.before),
        page.limit
    ];
    rows.list(ACCESSES, values, AccessRow::read).await
}

pub(crate) async fn waiting(
    rows: &Rows<'_>,
    agent: AgentId,
    template: Option<Fingerprint>,
) -> Result<Vec<AccessRow>, Failure> {
    let values = values![
        rows.workspace,
        AccessState::Waiting.code(),
        agent.to_bytes(),
        template
    ];
    rows.list(WAITING, values, AccessRow::read).await
}

pub(crate) async fn grants(
    rows: &Rows<'_>,
    agent: AgentId,
    template: Option<Fingerprint>,
    now: Timestamp,
) -> Result<Vec<AccessRow>, Failure> {
    let values = values![
        rows.workspace,
        AccessState::Granted.code(),
        agent.to_bytes(),
        template,
        now.as_micros()
    ];
    rows.list(GRANTS, values, AccessRow::read).await
}

pub(crate) async fn count_grants(rows: &Rows<'_>, now: Timestamp) -> Result<u64, Failure> {
    let values = values![rows.workspace, AccessState::Granted.code(), now.as_micros()];
    let found = rows.find(COUNT_GRANTS, values, |row| row.get(0)).await?;
    Ok(found.unwrap_or(0))
}

pub(crate) async fn set_access(rows: &mut Rows<'_>, row: &AccessRow) -> Result<(), Failure> {
    rows.writing().await?;
    let values = values![
        rows.workspace,
        row.id.to_bytes(),
        row.state.code(),
        micros(row.until),
        row.decided.map(|(by, _)| principal_kind(by)),
        row.decided.map(|(by, _)| by.to_bytes()),
        row.decided.map(|(_, at)| at.as_micros()),
        row.decision.as_ref().map(Sealed::as_bytes)
    ];
    rows.run(SET_ACCESS, values).await?;
    Ok(())
}

pub(crate) async fn supersede_grant(
    rows: &mut Rows<'_>,
    template: Fingerprint,
    agent: Option<AgentId>,
) -> Result<(), Failure> {
    rows.writing().await?;
    let values = values![
        rows.workspace,
        template,
        bytes_of(agent),
        AccessState::Granted.code(),
        AccessState::Superseded.code()
    ];
    rows.run(SUPERSEDE_GRANT, values).await?;
    Ok(())
}

pub(crate) async fn revoke_grants(
    rows: &mut Rows<'_>,
    template: Fingerprint,
    (by, at): (Principal, Timestamp),
) -> Result<(), Failure> {
    rows.writing().await?;
    let values = values![
        rows.workspace,
        template,
        AccessState::Granted.code(),
        AccessState::Revoked.code(),
        principal_kind(by),
        by.to_bytes(),
        at.as_micros()
    ];
    rows.run(REVOKE_GRANTS, values).await?;
    Ok(())
}

pub(crate) async fn prune_accesses(
    rows: &mut Rows<'_>,
    now: Timestamp,
    keep: u32,
) -> Result<(), Failure> {
    rows.writing().await?;
    let values = values![
        rows.workspace,
        AccessState::Granted.code(),
        now.as_micros(),
        keep
    ];
    rows.run(PRUNE_ACCESSES, values).await?;
    Ok(())
}
