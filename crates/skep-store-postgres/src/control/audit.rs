//! Statements on the record of decisions. There is none that changes a row, and the database
//! refuses one; what erases one is with the ledger's.

use async_trait::async_trait;
use skep_domain::{Id, OrganizationId, Principal};
use skep_store::StoreError;
use skep_store::backend::PageOf;
use skep_store::backend::control::AuditRows;
use skep_store::column::{Stored, bytes_of, principal_kind};
use skep_store::row::{AuditRow, Growth, Log, LogKey, SeenRow};

use super::PostgresControlTx;
use crate::statement::statements;
use crate::value::values;

statements! {
    /// Writers of the installation take turns, so nobody else is at this place.
    LAST = "SELECT MAX(seq) FROM audit WHERE organization = $1";
    APPEND = "INSERT INTO audit (organization, seq, id, at, action, outcome, times, workspace,
            principal_kind, principal, credential, body, leaf)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
    PAGE = "SELECT id, seq, at, action, outcome, times, workspace, principal_kind, principal,
            credential, body, leaf
        FROM audit WHERE organization = $1 AND seq < $2
        ORDER BY seq DESC LIMIT $3";
    ALERTS = "SELECT id, seq, at, action, outcome, times, workspace, principal_kind, principal,
            credential, body, leaf
        FROM audit WHERE organization = $1 AND seq < $2
            AND action IN ('alert.budget', 'alert.denials', 'alert.foreign')
        ORDER BY seq DESC LIMIT $3";
    PUT_SEEN = "INSERT INTO audit_seen (organization, item, seq) VALUES ($1, $2, $3)";
    SEEN = "SELECT a.id, a.seq, a.at, a.action, a.outcome, a.times, a.workspace, a.principal_kind,
            a.principal, a.credential, a.body, a.leaf
        FROM audit_seen AS s JOIN audit AS a
            ON a.organization = s.organization AND a.seq = s.seq
        WHERE s.organization = $1 AND s.item = $2 AND s.seq < $3
        ORDER BY s.seq DESC LIMIT $4";
}

/// What happened before anybody was known.
const NOBODY: [u8; 16] = [0; 16];

pub(super) fn owner(organization: Option<OrganizationId>) -> [u8; 16] {
    organization.map_or(NOBODY, Id::to_bytes)
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
        rows: Vec<AuditRow>,
        growth: Growth,
    ) -> Result<(), StoreError> {
        for row in rows {
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
                row.leaf.map(|leaf| leaf.to_vec()),
            ];
            self.put(APPEND, values, "this place in the record").await?;
        }
        self.grow(LogKey::new(organization, Log::Audit), growth)
            .await
    }

    async fn alerts(
        &mut self,
        organization: OrganizationId,
        page: PageOf<u64>,
    ) -> Result<Vec<AuditRow>, StoreError> {
        let before = page.before.unwrap_or(i64::MAX.cast_unsigned());
        let values = values![organization.to_bytes(), before, page.limit];
        self.list(ALERTS, values, AuditRow::read).await
    }

    async fn put_seen(&mut self, rows: Vec<SeenRow>) -> Result<(), StoreError> {
        for row in rows {
            let values = values![row.organization.to_bytes(), row.item, row.seq];
            self.run(PUT_SEEN, values).await?;
        }
        Ok(())
    }

    async fn seen(
        &mut self,
        organization: OrganizationId,
        item: [u8; 16],
        page: PageOf<u64>,
    ) -> Result<Vec<AuditRow>, StoreError> {
        let before = page.before.unwrap_or(i64::MAX.cast_unsigned());
        let values = values![organization.to_bytes(), item, before, page.limit];
        self.list(SEEN, values, AuditRow::read).await
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
        self.list(PAGE, values, AuditRow::read).await
    }
}
