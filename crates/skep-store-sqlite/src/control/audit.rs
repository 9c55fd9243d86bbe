//! Statements on the record of decisions. There is none that changes a row but [`crate::tombstone`],
//! and the connection refuses any other.

use async_trait::async_trait;
use rusqlite::{Connection, params};
use skep_domain::{Id, OrganizationId, Principal};
use skep_store::StoreError;
use skep_store::backend::PageOf;
use skep_store::backend::control::AuditRows;
use skep_store::column::{bytes_of, principal_kind};
use skep_store::row::{AuditRow, Growth, Log, LogKey, SeenRow};

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
        self.count(move |connection| {
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
        self.count(move |connection| {
            let key = LogKey::new(organization, Log::Audit);
            for row in &rows {
                put(connection, key.owner(), row)?;
            }
            grow(connection, key, &growth)
        })
        .await
    }

    async fn alerts(
        &mut self,
        organization: OrganizationId,
        page: PageOf<u64>,
    ) -> Result<Vec<AuditRow>, StoreError> {
        self.run(move |connection| {
            let before = page.before.unwrap_or(i64::MAX.cast_unsigned());
            connection
                .prepare_cached(
                    "SELECT id, seq, at, action, outcome, times, workspace, principal_kind,
                         principal, credential, body, leaf
                     FROM audit WHERE organization = ?1 AND seq < ?2
                         AND action IN ('alert.budget', 'alert.denials', 'alert.foreign')
                     ORDER BY seq DESC LIMIT ?3",
                )?
                .query_and_then(params![organization.to_bytes(), before, page.limit], stored)?
                .collect()
        })
        .await
    }

    async fn put_seen(&mut self, rows: Vec<SeenRow>) -> Result<(), StoreError> {
        self.count(move |connection| {
            let sql = "INSERT INTO audit_seen (organization, item, seq) VALUES (?1, ?2, ?3)";
            let mut statement = connection.prepare_cached(sql)?;
            for row in &rows {
                statement.execute(params![row.organization.to_bytes(), row.item, row.seq])?;
            }
            Ok(())
        })
        .await
    }

    async fn seen(
        &mut self,
        organization: OrganizationId,
        item: [u8; 16],
        page: PageOf<u64>,
    ) -> Result<Vec<AuditRow>, StoreError> {
        self.run(move |connection| {
            let before = page.before.unwrap_or(i64::MAX.cast_unsigned());
            connection
                .prepare_cached(
                    "SELECT a.id, a.seq, a.at, a.action, a.outcome, a.times, a.workspace,
                         a.principal_kind, a.principal, a.credential, a.body, a.leaf
                     FROM audit_seen AS s JOIN audit AS a
                         ON a.organization = s.organization AND a.seq = s.seq
                     WHERE s.organization = ?1 AND s.item = ?2 AND s.seq < ?3
                     ORDER BY s.seq DESC LIMIT ?4",
                )?
                .query_and_then(
                    params![organization.to_bytes(), item, before, page.limit],
                    stored,
                )?
                .collect()
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
