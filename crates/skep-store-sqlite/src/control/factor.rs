//! Statements on second factors, attempts at accounts, and identities that others vouch for.

use async_trait::async_trait;
use rusqlite::params;
use skep_domain::{FactorId, Id, OrganizationId, Timestamp, UserId};
use skep_store::StoreError;
use skep_store::backend::control::FactorRows;
use skep_store::column::{id, time};
use skep_store::row::{FactorChange, FactorRow, Fingerprint};

use super::{SqliteControlTx, named};
use crate::column::stored;

#[async_trait]
impl FactorRows for SqliteControlTx {
    async fn put_factor(&mut self, row: FactorRow) -> Result<(), StoreError> {
        self.run(move |connection| {
            let inserted = connection.execute(
                "INSERT INTO factor (user, id, kind, fingerprint, confirmed, body, created_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                params![
                    row.user.to_bytes(),
                    row.id.to_bytes(),
                    row.kind.code(),
                    row.fingerprint,
                    row.confirmed,
                    row.body.as_bytes(),
                    row.created_at.as_micros()
                ],
            );
            named(inserted, "this passkey")
        })
        .await
    }

    async fn factors_of(&mut self, user: UserId) -> Result<Vec<FactorRow>, StoreError> {
        self.run(move |connection| {
            connection
                .prepare_cached(
                    "SELECT user, id, kind, fingerprint, confirmed, version, body, created_at,
                         used_at
                     FROM factor WHERE user = ?1 ORDER BY id",
                )?
                .query_and_then([user.to_bytes()], stored)?
                .collect()
        })
        .await
    }

    async fn factor_of_fingerprint(
        &mut self,
        fingerprint: Fingerprint,
    ) -> Result<Option<FactorRow>, StoreError> {
        self.run(move |connection| {
            connection
                .prepare_cached(
                    "SELECT user, id, kind, fingerprint, confirmed, version, body, created_at,
                         used_at
                     FROM factor WHERE fingerprint = ?1",
                )?
                .query_and_then([fingerprint], stored)?
                .next()
                .transpose()
        })
        .await
    }

    async fn update_factor(&mut self, change: FactorChange) -> Result<bool, StoreError> {
        self.run(move |connection| {
            let changed = connection
                .prepare_cached(
                    "UPDATE factor
                     SET confirmed = ?4, body = ?5, used_at = ?6, version = version + 1
                     WHERE user = ?1 AND id = ?2 AND version = ?3",
                )?
                .execute(params![
                    change.user.to_bytes(),
                    change.id.to_bytes(),
                    change.version,
                    change.confirmed,
                    change.body.as_bytes(),
                    change.used_at.map(Timestamp::as_micros)
                ])?;
            Ok(changed > 0)
        })
        .await
    }

    async fn delete_factor(&mut self, user: UserId, id: FactorId) -> Result<bool, StoreError> {
        self.run(move |connection| {
            let gone = connection
                .prepare_cached("DELETE FROM factor WHERE user = ?1 AND id = ?2")?
                .execute(params![user.to_bytes(), id.to_bytes()])?;
            Ok(gone > 0)
        })
        .await
    }

    async fn login_attempts(
        &mut self,
        account: Fingerprint,
    ) -> Result<Option<(u8, Timestamp)>, StoreError> {
        self.run(move |connection| {
            connection
                .prepare_cached("SELECT attempts, last_at FROM login_attempt WHERE account = ?1")?
                .query_and_then([account], |row| Ok((row.get(0)?, time(row, 1)?)))?
                .next()
                .transpose()
        })
        .await
    }

    async fn put_login_attempts(
        &mut self,
        account: Fingerprint,
        attempts: Option<(u8, Timestamp)>,
    ) -> Result<(), StoreError> {
        self.run(move |connection| {
            match attempts {
                Some((attempts, last)) => connection
                    .prepare_cached(
                        "INSERT INTO login_attempt (account, attempts, last_at) VALUES (?1, ?2, ?3)
                         ON CONFLICT (account) DO UPDATE
                         SET attempts = excluded.attempts, last_at = excluded.last_at",
                    )?
                    .execute(params![account, attempts, last.as_micros()])?,
                None => connection
                    .prepare_cached("DELETE FROM login_attempt WHERE account = ?1")?
                    .execute([account])?,
            };
            Ok(())
        })
        .await
    }

    async fn sweep_login_attempts(
        &mut self,
        before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        self.run(move |connection| {
            let gone = connection
                .prepare_cached(
                    "DELETE FROM login_attempt WHERE account IN
                         (SELECT account FROM login_attempt WHERE last_at < ?1 LIMIT ?2)",
                )?
                .execute(params![before.as_micros(), limit])?;
            Ok(gone as u64)
        })
        .await
    }

    async fn identity_link(
        &mut self,
        organization: OrganizationId,
        fingerprint: Fingerprint,
    ) -> Result<Option<UserId>, StoreError> {
        self.run(move |connection| {
            connection
                .prepare_cached(
                    "SELECT user FROM identity_link WHERE organization = ?1 AND fingerprint = ?2",
                )?
                .query_and_then(params![organization.to_bytes(), fingerprint], |row| {
                    id(row, 0)
                })?
                .next()
                .transpose()
        })
        .await
    }

    async fn put_identity_link(
        &mut self,
        organization: OrganizationId,
        fingerprint: Fingerprint,
        user: UserId,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.run(move |connection| {
            let inserted = connection.execute(
                "INSERT INTO identity_link (organization, fingerprint, user, created_at)
                 VALUES (?1, ?2, ?3, ?4)",
                params![
                    organization.to_bytes(),
                    fingerprint,
                    user.to_bytes(),
                    at.as_micros()
                ],
            );
            named(inserted, "a human for this identity")
        })
        .await
    }

    async fn count_without_factor(
        &mut self,
        organization: OrganizationId,
    ) -> Result<u32, StoreError> {
        self.run(move |connection| {
            let count = connection
                .prepare_cached(
                    "SELECT COUNT(*) FROM member AS m
                     WHERE m.organization = ?1 AND m.standing = 0
                         AND NOT EXISTS (SELECT 1 FROM factor AS f
                             WHERE f.user = m.user AND f.confirmed = 1 AND f.kind <> 1)",
                )?
                .query_row([organization.to_bytes()], |row| row.get(0))?;
            Ok(count)
        })
        .await
    }

    async fn has_identity_link(
        &mut self,
        organization: OrganizationId,
        user: UserId,
    ) -> Result<bool, StoreError> {
        self.run(move |connection| {
            let found = connection
                .prepare_cached(
                    "SELECT 1 FROM identity_link WHERE organization = ?1 AND user = ?2",
                )?
                .exists(params![organization.to_bytes(), user.to_bytes()])?;
            Ok(found)
        })
        .await
    }

    async fn delete_identity_links(
        &mut self,
        organization: OrganizationId,
        user: UserId,
    ) -> Result<u64, StoreError> {
        self.run(move |connection| {
            let gone = connection
                .prepare_cached("DELETE FROM identity_link WHERE organization = ?1 AND user = ?2")?
                .execute(params![organization.to_bytes(), user.to_bytes()])?;
            Ok(gone as u64)
        })
        .await
    }
}
