//! Statements on second factors, attempts at accounts, and identities that others vouch for.

use async_trait::async_trait;
use skep_domain::{FactorId, Id, OrganizationId, Timestamp, UserId};
use skep_store::StoreError;
use skep_store::backend::control::FactorRows;
use skep_store::column::{Stored, id, time};
use skep_store::row::{FactorChange, FactorRow, Fingerprint};

use super::PostgresControlTx;
use crate::statement::statements;
use crate::value::values;

macro_rules! factor {
    ($condition:literal) => {
        concat!(
            "SELECT user_id, id, kind, fingerprint, confirmed, version, body, created_at, used_at
             FROM factor WHERE ",
            $condition
        )
    };
}

statements! {
    PUT = "INSERT INTO factor (user_id, id, kind, fingerprint, confirmed, body, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    OF_USER = factor!("user_id = $1 ORDER BY id");
    OF_FINGERPRINT = factor!("fingerprint = $1");
    UPDATE = "UPDATE factor
        SET confirmed = $4, body = $5, used_at = $6, version = version + 1
        WHERE user_id = $1 AND id = $2 AND version = $3";
    DELETE = "DELETE FROM factor WHERE user_id = $1 AND id = $2";
    ATTEMPTS = "SELECT attempts, last_at FROM login_attempt WHERE account = $1";
    PUT_ATTEMPTS = "INSERT INTO login_attempt (account, attempts, last_at) VALUES ($1, $2, $3)
        ON CONFLICT (account) DO UPDATE
        SET attempts = excluded.attempts, last_at = excluded.last_at";
    DELETE_ATTEMPTS = "DELETE FROM login_attempt WHERE account = $1";
    SWEEP_ATTEMPTS = "DELETE FROM login_attempt WHERE account IN
        (SELECT account FROM login_attempt WHERE last_at < $1
         ORDER BY last_at, account LIMIT $2)";
    LINK = "SELECT user_id FROM identity_link WHERE organization = $1 AND fingerprint = $2";
    PUT_LINK = "INSERT INTO identity_link (organization, fingerprint, user_id, created_at)
        VALUES ($1, $2, $3, $4)";
    COUNT_WITHOUT = "SELECT COUNT(*) FROM member AS m
        WHERE m.organization = $1 AND m.standing = 0
            AND NOT EXISTS (SELECT 1 FROM factor AS f
                WHERE f.user_id = m.user_id AND f.confirmed AND f.kind <> 1)";
    LINK_OF_USER = "SELECT 1 FROM identity_link WHERE organization = $1 AND user_id = $2 LIMIT 1";
    DELETE_LINKS = "DELETE FROM identity_link WHERE organization = $1 AND user_id = $2";
}

#[async_trait]
impl FactorRows for PostgresControlTx {
    async fn put_factor(&mut self, row: FactorRow) -> Result<(), StoreError> {
        let values = values![
            row.user.to_bytes(),
            row.id.to_bytes(),
            row.kind.code(),
            row.fingerprint,
            row.confirmed,
            row.body.as_bytes(),
            row.created_at.as_micros()
        ];
        self.put(PUT, values, "this passkey").await?;
        Ok(())
    }

    async fn factors_of(&mut self, user: UserId) -> Result<Vec<FactorRow>, StoreError> {
        self.list(OF_USER, values![user.to_bytes()], FactorRow::read)
            .await
    }

    async fn factor_of_fingerprint(
        &mut self,
        fingerprint: Fingerprint,
    ) -> Result<Option<FactorRow>, StoreError> {
        self.find(OF_FINGERPRINT, values![fingerprint], FactorRow::read)
            .await
    }

    async fn update_factor(&mut self, change: FactorChange) -> Result<bool, StoreError> {
        let values = values![
            change.user.to_bytes(),
            change.id.to_bytes(),
            change.version,
            change.confirmed,
            change.body.as_bytes(),
            change.used_at.map(Timestamp::as_micros)
        ];
        Ok(self.run(UPDATE, values).await? > 0)
    }

    async fn delete_factor(&mut self, user: UserId, id: FactorId) -> Result<bool, StoreError> {
        let values = values![user.to_bytes(), id.to_bytes()];
        Ok(self.run(DELETE, values).await? > 0)
    }

    async fn login_attempts(
        &mut self,
        account: Fingerprint,
    ) -> Result<Option<(u8, Timestamp)>, StoreError> {
        let values = values![account];
        self.find(ATTEMPTS, values, |row| Ok((row.get(0)?, time(row, 1)?)))
            .await
    }

    async fn put_login_attempts(
        &mut self,
        account: Fingerprint,
        attempts: Option<(u8, Timestamp)>,
    ) -> Result<(), StoreError> {
        match attempts {
            Some((attempts, last)) => {
                let values = values![account, attempts, last.as_micros()];
                self.run(PUT_ATTEMPTS, values).await?;
            }
            None => {
                self.run(DELETE_ATTEMPTS, values![account]).await?;
            }
        }
        Ok(())
    }

    async fn sweep_login_attempts(
        &mut self,
        before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let values = values![before.as_micros(), limit];
        self.run(SWEEP_ATTEMPTS, values).await
    }

    async fn identity_link(
        &mut self,
        organization: OrganizationId,
        fingerprint: Fingerprint,
    ) -> Result<Option<UserId>, StoreError> {
        let values = values![organization.to_bytes(), fingerprint];
        self.find(LINK, values, |row| id(row, 0)).await
    }

    async fn put_identity_link(
        &mut self,
        organization: OrganizationId,
        fingerprint: Fingerprint,
        user: UserId,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let values = values![
            organization.to_bytes(),
            fingerprint,
            user.to_bytes(),
            at.as_micros()
        ];
        self.put(PUT_LINK, values, "a human for this identity")
            .await?;
        Ok(())
    }

    async fn count_without_factor(
        &mut self,
        organization: OrganizationId,
    ) -> Result<u32, StoreError> {
        let values = values![organization.to_bytes()];
        self.get(COUNT_WITHOUT, values, |row| row.get(0)).await
    }

    async fn has_identity_link(
        &mut self,
        organization: OrganizationId,
        user: UserId,
    ) -> Result<bool, StoreError> {
        let values = values![organization.to_bytes(), user.to_bytes()];
        self.exists(LINK_OF_USER, values).await
    }

    async fn delete_identity_links(
        &mut self,
        organization: OrganizationId,
        user: UserId,
    ) -> Result<u64, StoreError> {
        let values = values![organization.to_bytes(), user.to_bytes()];
        self.run(DELETE_LINKS, values).await
    }
}
