//! Statements on keys as they are kept.

use async_trait::async_trait;
use skep_crypto::WrappedKey;
use skep_domain::Id;
use skep_store::StoreError;
use skep_store::backend::control::{KeyRows, WrappedRow};
use skep_store::column::id;
use skep_store::row::InstanceRow;

use super::PostgresControlTx;
use super::access::step;
use crate::statement::statements;
use crate::value::values;

statements! {
    PUT_SECRET = "UPDATE instance SET secret = $1 WHERE slot = 1";
    WRAPPED = "SELECT organization, id, wrapped_key FROM workspace WHERE gone_at IS NULL ORDER BY id";
    PUT_WRAPPED = "UPDATE workspace SET wrapped_key = $3
        WHERE organization = $1 AND id = $2 AND gone_at IS NULL";
}

#[async_trait]
impl KeyRows for PostgresControlTx {
    async fn own_row(&mut self) -> Result<Option<InstanceRow>, StoreError> {
        step!(self, super::instance)
    }

    async fn put_own_secret(&mut self, secret: WrappedKey) -> Result<(), StoreError> {
        self.run(PUT_SECRET, values![secret.as_bytes()]).await?;
        Ok(())
    }

    async fn wrapped_keys(&mut self) -> Result<Vec<WrappedRow>, StoreError> {
        self.list(WRAPPED, &[], |row| {
            let key = WrappedKey::from_bytes(row.get(2)?);
            Ok((id(row, 0)?, id(row, 1)?, key))
        })
        .await
    }

    async fn put_wrapped_key(&mut self, row: WrappedRow) -> Result<bool, StoreError> {
        let (organization, workspace, key) = row;
        let at = values![
            organization.to_bytes(),
            workspace.to_bytes(),
            key.as_bytes()
        ];
        Ok(self.run(PUT_WRAPPED, at).await? > 0)
    }
}
