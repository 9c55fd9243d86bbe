//! Statements on keys as they are kept.

use async_trait::async_trait;
use rusqlite::params;
use skep_crypto::WrappedKey;
use skep_domain::Id;
use skep_store::StoreError;
use skep_store::backend::control::{KeyRows, WrappedRow};
use skep_store::column::id;
use skep_store::row::InstanceRow;

use super::SqliteControlTx;

#[async_trait]
impl KeyRows for SqliteControlTx {
    async fn own_row(&mut self) -> Result<Option<InstanceRow>, StoreError> {
        self.run(super::instance).await
    }

    async fn put_own_secret(&mut self, secret: WrappedKey) -> Result<(), StoreError> {
        self.run(move |connection| {
            let sql = "UPDATE instance SET secret = ?1 WHERE slot = 1";
            connection.execute(sql, [secret.as_bytes()])?;
            Ok(())
        })
        .await
    }

    async fn wrapped_keys(&mut self) -> Result<Vec<WrappedRow>, StoreError> {
        self.run(|connection| {
            let sql = "SELECT organization, id, wrapped_key FROM workspace WHERE gone_at IS NULL
                       ORDER BY id";
            connection
                .prepare_cached(sql)?
                .query_and_then([], |row| {
                    let key = WrappedKey::from_bytes(row.get(2)?);
                    Ok((id(row, 0)?, id(row, 1)?, key))
                })?
                .collect()
        })
        .await
    }

    async fn put_wrapped_key(&mut self, row: WrappedRow) -> Result<bool, StoreError> {
        self.run(move |connection| {
            let (organization, workspace, key) = row;
            let sql = "UPDATE workspace SET wrapped_key = ?3
                       WHERE organization = ?1 AND id = ?2 AND gone_at IS NULL";
            let at = params![
                organization.to_bytes(),
                workspace.to_bytes(),
                key.as_bytes()
            ];
            Ok(connection.execute(sql, at)? > 0)
        })
        .await
    }
}
