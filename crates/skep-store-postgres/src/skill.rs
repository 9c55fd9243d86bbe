//! Statements on skills.

use skep_crypto::Sealed;
use skep_domain::{Id, SkillId, SkillState};
use skep_store::backend::PageOf;
use skep_store::column::{Stored, bytes_of, principal_kind, sealed};
use skep_store::row::{Fingerprint, SkillRow};

use crate::failure::Failure;
use crate::rows::Rows;
use crate::statement::statements;
use crate::value::values;

/// The columns of a row, in the order in which it is read.
macro_rules! skills {
    ($more:literal) => {
        concat!(
            "SELECT id, name, version, state, proposer_kind, proposer, at, decider_kind, decider,
                 decided_at, body, decision
             FROM skill WHERE workspace_id = $1",
            $more
        )
    };
}

statements! {
    LAST_VERSION = "SELECT version FROM skill WHERE workspace_id = $1 AND name = $2
        ORDER BY version DESC LIMIT 1";
    COUNT = "SELECT COUNT(*) FROM skill WHERE workspace_id = $1 AND state = $2";
    PUT = "INSERT INTO skill (workspace_id, id, name, version, state, proposer_kind, proposer, at,
            body, files)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    GET = skills!(" AND id = $2");
    FILES = "SELECT files FROM skill WHERE workspace_id = $1 AND id = $2";
    LIST = skills!(" AND state = $2 AND ($3::uuid IS NULL OR id < $3) ORDER BY id DESC LIMIT $4");
    SET = "UPDATE skill
        SET state = $3, decider_kind = $4, decider = $5, decided_at = $6, decision = $7
        WHERE workspace_id = $1 AND id = $2";
    SUPERSEDE = "UPDATE skill SET state = $4 WHERE workspace_id = $1 AND name = $2 AND state = $3";
}

pub(crate) async fn last_version(rows: &Rows<'_>, name: Fingerprint) -> Result<u32, Failure> {
    let values = values![rows.workspace, name];
    let found = rows.find(LAST_VERSION, values, |row| row.get(0)).await?;
    Ok(found.unwrap_or(0))
}

pub(crate) async fn count(rows: &Rows<'_>, state: SkillState) -> Result<u64, Failure> {
    let values = values![rows.workspace, state.code()];
    let found = rows.find(COUNT, values, |row| row.get(0)).await?;
    Ok(found.unwrap_or(0))
}

pub(crate) async fn put(
    rows: &mut Rows<'_>,
    row: &SkillRow,
    files: &Sealed,
) -> Result<(), Failure> {
    rows.writing().await?;
    let values = values![
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
    ];
    rows.run(PUT, values).await?;
    Ok(())
}

pub(crate) async fn get(rows: &Rows<'_>, id: SkillId) -> Result<Option<SkillRow>, Failure> {
    let values = values![rows.workspace, id.to_bytes()];
    rows.find(GET, values, SkillRow::read).await
}

pub(crate) async fn files(rows: &Rows<'_>, id: SkillId) -> Result<Option<Sealed>, Failure> {
    let values = values![rows.workspace, id.to_bytes()];
    rows.find(FILES, values, |row| sealed(row, 0)).await
}

pub(crate) async fn list(
    rows: &Rows<'_>,
    state: SkillState,
    page: PageOf<SkillId>,
) -> Result<Vec<SkillRow>, Failure> {
    let values = values![
        rows.workspace,
        state.code(),
        bytes_of(page.before),
        page.limit
    ];
    rows.list(LIST, values, SkillRow::read).await
}

pub(crate) async fn set(rows: &mut Rows<'_>, row: &SkillRow) -> Result<(), Failure> {
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
        SkillState::Approved.code(),
        SkillState::Superseded.code()
    ];
    rows.run(SUPERSEDE, values).await?;
    Ok(())
}
