//! Statements on standing texts.

use async_trait::async_trait;
use skep_domain::{Id, OrganizationId, WorkspaceId};
use skep_store::StoreError;
use skep_store::backend::control::DirectiveRows;
use skep_store::column::{Stored, principal_kind};
use skep_store::row::{DirectiveRow, PromotionRow};

use super::PostgresControlTx;
use crate::statement::statements;
use crate::value::values;

statements! {
    VERSIONS = "SELECT id, workspace, version, drafter_kind, drafter, at, body
        FROM directive WHERE organization = $1 AND workspace = $2 ORDER BY version DESC LIMIT $3";
    VERSION = "SELECT id, workspace, version, drafter_kind, drafter, at, body
        FROM directive WHERE organization = $1 AND workspace = $2 AND version = $3";
    PUT = "INSERT INTO directive (organization, id, workspace, version, drafter_kind, drafter, at, body)
        SELECT $1, $2, $3, 1 + COALESCE(MAX(version), 0), $4, $5, $6, $7
        FROM directive WHERE organization = $1 AND workspace = $3
        RETURNING version";
    PROMOTIONS = "SELECT workspace, ordinal, version, promoter_kind, promoter, at
        FROM directive_promotion WHERE organization = $1 AND workspace = $2 ORDER BY ordinal DESC LIMIT $3";
    PROMOTE = "INSERT INTO directive_promotion (organization, workspace, ordinal, version, promoter_kind, promoter, at)
        SELECT $1, $2, 1 + COALESCE(MAX(ordinal), 0), $3, $4, $5, $6
        FROM directive_promotion WHERE organization = $1 AND workspace = $2
        RETURNING ordinal";
}

#[async_trait]
impl DirectiveRows for PostgresControlTx {
    async fn directives(
        &mut self,
        (organization, workspace): (OrganizationId, WorkspaceId),
        limit: u32,
    ) -> Result<Vec<DirectiveRow>, StoreError> {
        let values = values![organization.to_bytes(), workspace.to_bytes(), limit];
        self.list(VERSIONS, values, DirectiveRow::read).await
    }

    async fn directive(
        &mut self,
        (organization, workspace): (OrganizationId, WorkspaceId),
        version: u32,
    ) -> Result<Option<DirectiveRow>, StoreError> {
        let values = values![organization.to_bytes(), workspace.to_bytes(), version];
        self.find(VERSION, values, DirectiveRow::read).await
    }

    async fn put_directive(
        &mut self,
        organization: OrganizationId,
        row: DirectiveRow,
    ) -> Result<u32, StoreError> {
        let values = values![
            organization.to_bytes(),
            row.id.to_bytes(),
            row.workspace.to_bytes(),
            principal_kind(row.drafter),
            row.drafter.to_bytes(),
            row.at.as_micros(),
            row.body.as_bytes(),
        ];
        self.get(PUT, values, |row| row.get(0)).await
    }

    async fn promotions(
        &mut self,
        (organization, workspace): (OrganizationId, WorkspaceId),
        limit: u32,
    ) -> Result<Vec<PromotionRow>, StoreError> {
        let values = values![organization.to_bytes(), workspace.to_bytes(), limit];
        self.list(PROMOTIONS, values, PromotionRow::read).await
    }

    async fn put_promotion(
        &mut self,
        organization: OrganizationId,
        row: PromotionRow,
    ) -> Result<u32, StoreError> {
        let values = values![
            organization.to_bytes(),
            row.workspace.to_bytes(),
            row.version,
            principal_kind(row.promoter),
            row.promoter.to_bytes(),
            row.at.as_micros(),
        ];
        self.get(PROMOTE, values, |row| row.get(0)).await
    }
}
