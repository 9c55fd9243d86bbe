//! Statements on the record of decisions. There is none that changes a row, and the connection
//! refuses one.

use async_trait::async_trait;
use rusqlite::{Connection, params};
use skep_domain::{Id, OrganizationId, Principal};
use skep_store::StoreError;
use skep_store::backend::PageOf;
use skep_store::backend::control::AuditRows;
use skep_store::column::{bytes_of, principal_kind};
use skep_store::row::{AuditRow, Growth, Log, LogKey};

use super::ledger::grow;
use super::{SqliteControlTx, named};
use crate::column::stored;
use crate::failure::Failure;

/// What happened before anybody was known.
const NOBODY: [u8; 16] = [0; 16];

pub(super) fn owner(organization: Option<OrganizationId>) -> [u8; 16] {
    organization.map_or(NOBODY, Id::to_bytes)
}

fn put(connection: &Connection, owner: [u8; 16], row: &AuditRow) -> Result<(), Failure> {
    let inserted = connection
        .prepare_cached(
            "INSERT INTO audit (organization, seq, id, at, action, outcome, times, workspace,
                 principal_kind, principal, credential, body, leaf)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        )?
        .execute(params![
            owner,
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
            row.leaf,
        ]);
    named(inserted, "this place in the record")
}

#[async_trait]
impl AuditRows for SqliteControlTx {
    async fn next_audit_seq(
        &mut self,
        organization: Option<OrganizationId>,
    ) -> Result<u64, StoreError> {
        self.run(move |connection| {
            let last: Option<u64> = connection
                .prepare_cached("SELECT MAX(seq) FROM audit WHERE organization = ?1")?
                .query_row([owner(organization)], |row| row.get(0))?;
            Ok(last.unwrap_or(0) + 1)
        })
        .await
    }

    async fn append_audit(
        &mut self,
        organization: Option<OrganizationId>,
        rows: Vec<AuditRow>,
        growth: Growth,
    ) -> Result<(), StoreError> {
        self.run(move |connection| {
            let key = LogKey::new(organization, Log::Audit);
            for row in &rows {
                put(connection, key.owner(), row)?;
            }
            grow(connection, key, &growth)
        })
        .await
    }

    async fn audit(
        &mut self,
        organization: OrganizationId,
        page: PageOf<u64>,
    ) -> Result<Vec<AuditRow>, StoreError> {
        self.run(move |connection| {
            connection
                .prepare_cached(
                    "SELECT id, seq, at, action, outcome, times, workspace, principal_kind,
                         principal, credential, body, leaf
                     FROM audit WHERE organization = ?1 AND seq < ?2
                     ORDER BY seq DESC LIMIT ?3",
                )?
                .query_and_then(
                    params![
                        organization.to_bytes(),
                        page.before.unwrap_or(i64::MAX.cast_unsigned()),
                        page.limit
                    ],
                    stored,
                )?
                .collect()
        })
        .await
    }
}
