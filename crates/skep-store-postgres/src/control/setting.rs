//! Statements on settings of organizations.

use async_trait::async_trait;
use skep_crypto::Sealed;
use skep_domain::{Id, OrganizationId, Timestamp};
use skep_store::StoreError;
use skep_store::backend::control::SettingRows;
use skep_store::column::sealed;

use super::PostgresControlTx;
use crate::statement::statements;
use crate::value::values;

statements! {
    /// By the bytes of the name, whatever the database's language.
    SETTINGS = r#"SELECT name, value FROM setting WHERE organization = $1
        ORDER BY name COLLATE "C""#;
    PUT = "INSERT INTO setting (organization, name, value, updated_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (organization, name) DO UPDATE
        SET value = excluded.value, updated_at = excluded.updated_at";
    DELETE = "DELETE FROM setting WHERE organization = $1 AND name = $2";
}

#[async_trait]
impl SettingRows for PostgresControlTx {
    async fn settings(
        &mut self,
        organization: OrganizationId,
    ) -> Result<Vec<(String, Sealed)>, StoreError> {
        let values = values![organization.to_bytes()];
        self.list(SETTINGS, values, |row| Ok((row.get(0)?, sealed(row, 1)?)))
            .await
    }

    async fn put_setting(
        &mut self,
        organization: OrganizationId,
        name: String,
        value: Sealed,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let values = values![
            organization.to_bytes(),
            name,
            value.as_bytes(),
            at.as_micros()
        ];
        self.run(PUT, values).await?;
        Ok(())
    }

    async fn delete_setting(
        &mut self,
        organization: OrganizationId,
        name: String,
    ) -> Result<bool, StoreError> {
        let values = values![organization.to_bytes(), name];
        Ok(self.run(DELETE, values).await? > 0)
    }
}
