//! Statements on the record of decisions. There is none that changes a row, and the database
//! refuses one.

use async_trait::async_trait;
use skep_domain::{Id, OrganizationId, Principal};
use skep_store::StoreError;
use skep_store::backend::PageOf;
use skep_store::backend::control::AuditRows;
use skep_store::row::AuditRow;

use super::PostgresControlTx;
use crate::column::{bytes_of, id, id_option, principal_from, principal_kind, sealed, time};
use crate::failure::Failure;
use crate::row::Row;
use crate::statement::statements;
use crate::value::values;

statements! {
    /// Writers of the installation take turns, so nobody else is at this place.
    LAST = "SELECT MAX(seq) FROM audit WHERE organization = $1";
    APPEND = "INSERT INTO audit (organization, seq, id, at, action, outcome, times, workspace,
            principal_kind, principal, credential, body)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    PAGE = "SELECT id, seq, at, action, outcome, times, workspace, principal_kind, principal,
            credential, body
        FROM audit WHERE organization = $1 AND seq < $2
        ORDER BY seq DESC LIMIT $3";
}

/// What happened before anybody was known.
const NOBODY: [u8; 16] = [0; 16];

fn owner(organization: Option<OrganizationId>) -> [u8; 16] {
    organization.map_or(NOBODY, Id::to_bytes)
}

fn read(row: &Row) -> Result<AuditRow, Failure> {
    let kind: Option<u8> = row.get(7)?;
    let bytes: Option<[u8; 16]> = row.get(8)?;
    let principal = match (kind, bytes) {
        (Some(kind), Some(bytes)) => Some(
            principal_from(kind, bytes)
                .ok_or(StoreError::Damaged("the kind of a principal in the record"))?,
        ),
        _ => None,
    };
    Ok(AuditRow {
        id: id(row, 0)?,
        seq: row.get(1)?,
        at: time(row, 2)?,
        action: row.get(3)?,
        outcome: row.get(4)?,
        times: row.get(5)?,
        workspace: id_option(row, 6)?,
        principal,
        credential: id_option(row, 9)?,
        body: sealed(row, 10)?,
    })
}

#[async_trait]
impl AuditRows for PostgresControlTx {
    async fn next_audit_seq(
        &mut self,
        organization: Option<OrganizationId>,
    ) -> Result<u64, StoreError> {
        let values = values![owner(organization)];
        let last: Option<u64> = self.get(LAST, values, |row| row.get(0)).await?;
        Ok(last.unwrap_or(0) + 1)
    }

    async fn append_audit(
        &mut self,
        organization: Option<OrganizationId>,
        row: AuditRow,
    ) -> Result<(), StoreError> {
        let values = values![
            owner(organization),
            row.seq,
            row.id.to_bytes(),
            row.at.as_micros(),
            row.action,
            row.outcome,
            row.times,
            bytes_of(row.workspace),
            row.principal.map(principal_kind),
            row.principal.map(Principal::to_bytes),
            bytes_of(row.credential),
            row.body.as_bytes(),
        ];
        self.put(APPEND, values, "this place in the record").await?;
        Ok(())
    }

    async fn audit(
        &mut self,
        organization: OrganizationId,
        page: PageOf<u64>,
    ) -> Result<Vec<AuditRow>, StoreError> {
        let values = values![
            organization.to_bytes(),
            page.before.unwrap_or(i64::MAX.cast_unsigned()),
            page.limit
        ];
        self.list(PAGE, values, read).await
    }
}
