//! Statements on settings of organizations.

use async_trait::async_trait;
use rusqlite::params;
use skep_crypto::Sealed;
use skep_domain::{Id, OrganizationId, Timestamp};
use skep_store::StoreError;
use skep_store::backend::control::SettingRows;
use skep_store::column::sealed;

use super::SqliteControlTx;

#[async_trait]
impl SettingRows for SqliteControlTx {
    async fn settings(
        &mut self,
        organization: OrganizationId,
    ) -> Result<Vec<(String, Sealed)>, StoreError> {
        self.run(move |connection| {
            connection
                .prepare_cached(
                    "SELECT name, value FROM setting WHERE organization = ?1 ORDER BY name",
                )?
                .query_and_then([organization.to_bytes()], |row| {
                    Ok((row.get(0)?, sealed(row, 1)?))
                })?
                .collect()
        })
        .await
    }

    async fn put_setting(
        &mut self,
        organization: OrganizationId,
        name: String,
        value: Sealed,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.run(move |connection| {
            connection
                .prepare_cached(
                    "INSERT INTO setting (organization, name, value, updated_at)
                     VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT (organization, name) DO UPDATE
                     SET value = excluded.value, updated_at = excluded.updated_at",
                )?
                .execute(params![
                    organization.to_bytes(),
                    name,
                    value.as_bytes(),
                    at.as_micros()
                ])?;
            Ok(())
        })
        .await
    }

    async fn delete_setting(
        &mut self,
        organization: OrganizationId,
        name: String,
    ) -> Result<bool, StoreError> {
        self.run(move |connection| {
            let gone = connection
                .prepare_cached("DELETE FROM setting WHERE organization = ?1 AND name = ?2")?
                .execute(params![organization.to_bytes(), name])?;
            Ok(gone > 0)
        })
        .await
    }
}
