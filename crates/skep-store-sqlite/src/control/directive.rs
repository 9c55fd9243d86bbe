//! Statements on standing texts.

use async_trait::async_trait;
use rusqlite::params;
use skep_domain::{Id, OrganizationId, WorkspaceId};
use skep_store::StoreError;
use skep_store::backend::control::DirectiveRows;
use skep_store::column::principal_kind;
use skep_store::row::{DirectiveRow, PromotionRow};

use super::SqliteControlTx;
use crate::column::stored;

const VERSIONS: &str = "SELECT id, workspace, version, drafter_kind, drafter, at, body
    FROM directive WHERE organization = ?1 AND workspace = ?2 ORDER BY version DESC LIMIT ?3";
const VERSION: &str = "SELECT id, workspace, version, drafter_kind, drafter, at, body
    FROM directive WHERE organization = ?1 AND workspace = ?2 AND version = ?3";
const PUT: &str =
    "INSERT INTO directive (organization, id, workspace, version, drafter_kind, drafter, at, body)
    SELECT ?1, ?2, ?3, 1 + COALESCE(MAX(version), 0), ?4, ?5, ?6, ?7
    FROM directive WHERE organization = ?1 AND workspace = ?3
    RETURNING version";
const PROMOTIONS: &str = "SELECT workspace, ordinal, version, promoter_kind, promoter, at
    FROM directive_promotion WHERE organization = ?1 AND workspace = ?2 ORDER BY ordinal DESC LIMIT ?3";
const PROMOTE: &str = "INSERT INTO directive_promotion (organization, workspace, ordinal, version, promoter_kind, promoter, at)
    SELECT ?1, ?2, 1 + COALESCE(MAX(ordinal), 0), ?3, ?4, ?5, ?6
    FROM directive_promotion WHERE organization = ?1 AND workspace = ?2
    RETURNING ordinal";

#[async_trait]
impl DirectiveRows for SqliteControlTx {
    async fn directives(
        &mut self,
        (organization, workspace): (OrganizationId, WorkspaceId),
        limit: u32,
    ) -> Result<Vec<DirectiveRow>, StoreError> {
        self.run(move |connection| {
            let values = params![organization.to_bytes(), workspace.to_bytes(), limit];
            connection
                .prepare_cached(VERSIONS)?
                .query_and_then(values, stored)?
                .collect()
        })
        .await
    }

    async fn directive(
        &mut self,
        (organization, workspace): (OrganizationId, WorkspaceId),
        version: u32,
    ) -> Result<Option<DirectiveRow>, StoreError> {
        self.run(move |connection| {
            let values = params![organization.to_bytes(), workspace.to_bytes(), version];
            connection
                .prepare_cached(VERSION)?
                .query_and_then(values, stored)?
                .next()
                .transpose()
        })
        .await
    }

    async fn put_directive(
        &mut self,
        organization: OrganizationId,
        row: DirectiveRow,
    ) -> Result<u32, StoreError> {
        self.run(move |connection| {
            let version = connection.prepare_cached(PUT)?.query_row(
                params![
                    organization.to_bytes(),
                    row.id.to_bytes(),
                    row.workspace.to_bytes(),
                    principal_kind(row.drafter),
                    row.drafter.to_bytes(),
                    row.at.as_micros(),
                    row.body.as_bytes(),
                ],
                |row| row.get(0),
            )?;
            Ok(version)
        })
        .await
    }

    async fn promotions(
        &mut self,
        (organization, workspace): (OrganizationId, WorkspaceId),
        limit: u32,
    ) -> Result<Vec<PromotionRow>, StoreError> {
        self.run(move |connection| {
            let values = params![organization.to_bytes(), workspace.to_bytes(), limit];
            connection
                .prepare_cached(PROMOTIONS)?
                .query_and_then(values, stored)?
                .collect()
        })
        .await
    }

    async fn put_promotion(
        &mut self,
        organization: OrganizationId,
        row: PromotionRow,
    ) -> Result<u32, StoreError> {
        self.run(move |connection| {
            let ordinal = connection.prepare_cached(PROMOTE)?.query_row(
                params![
                    organization.to_bytes(),
                    row.workspace.to_bytes(),
                    row.version,
                    principal_kind(row.promoter),
                    row.promoter.to_bytes(),
                    row.at.as_micros(),
                ],
                |row| row.get(0),
            )?;
            Ok(ordinal)
        })
        .await
    }
}
