//! Statements on credentials that are found by id.

use async_trait::async_trait;
use skep_domain::{CredentialId, Id, OrganizationId, Principal, Timestamp, UserId};
use skep_store::StoreError;
use skep_store::backend::control::{CredentialFilter, CredentialRows};
use skep_store::backend::{CredentialKey, PageOf, StoredCredential};
use skep_store::column::{
    Stored, bytes_of, micros, principal_kind, proof_columns, time, time_option,
};
use skep_store::row::{CredentialSummaryRow, NewCredentialRow, PepperUse, ProofRow, Rotated};

use super::find;
use crate::control::PostgresControlTx;
use crate::control::access::step;
use crate::failure::Failure;
use crate::row::Row;
use crate::rows::Wire;
use crate::statement::statements;
use crate::value::values;

/// Of a workspace that was not deleted.
macro_rules! there {
    ($statement:literal) => {
        concat!(
            $statement,
            " AND EXISTS (SELECT 1 FROM workspace AS w
                WHERE w.organization = credential.organization AND w.id = credential.workspace
                    AND w.gone_at IS NULL)"
        )
    };
}

macro_rules! summary {
    ($condition:literal) => {
        concat!(
            "SELECT id, kind, workspace, principal_kind, principal, permissions, created_at,
                 created_by, expires_at, used_at, revoked_at, body
             FROM credential WHERE organization = $1
                 AND EXISTS (SELECT 1 FROM workspace AS w
                     WHERE w.organization = credential.organization
                         AND w.id = credential.workspace AND w.gone_at IS NULL)
                 AND ",
            $condition
        )
    };
}

statements! {
    IS_THERE = "SELECT 1 FROM workspace WHERE organization = $1 AND id = $2 AND gone_at IS NULL";
    PUT = "INSERT INTO credential (id, kind, proof, pepper, organization, workspace, principal_kind,
            principal, permissions, created_at, created_by, expires_at, idle_at, stepped_up_at,
            confined, body)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)";
    GET = summary!("id = $2");
    LIST = summary!("($2::uuid IS NULL OR id < $2)
        AND ($3::bigint = 0 OR (($3::bigint >> kind::integer) & 1) = 1)
        AND ($4::smallint IS NULL OR (principal_kind = $4 AND principal = $5))
        AND ($6::uuid IS NULL OR workspace = $6)
        ORDER BY id DESC LIMIT $7");
    REVOKE = there!("UPDATE credential SET revoked_at = $3
        WHERE organization = $1 AND id = $2 AND revoked_at IS NULL");
    REVOKE_OF = "UPDATE credential SET revoked_at = $4
        WHERE ($1::uuid IS NULL OR organization = $1) AND principal_kind = $2 AND principal = $3
            AND revoked_at IS NULL AND kind NOT IN (0, 1)";
    REVOKE_CONFINED = "UPDATE credential SET revoked_at = $3
        WHERE organization = $1 AND confined AND revoked_at IS NULL
            AND ($2::uuid IS NULL OR (principal_kind = 0 AND principal = $2))";
    ROTATE = there!("UPDATE credential SET proof = $3, pepper = $4, expires_at = COALESCE($5, expires_at),
            generation = generation + 1
        WHERE id = $1 AND proof = $2 AND revoked_at IS NULL");
    IS_ALIVE = there!("SELECT 1 FROM credential WHERE id = $1 AND revoked_at IS NULL");
    TOUCH = "UPDATE credential SET used_at = GREATEST(COALESCE(used_at, 0), $2),
            idle_at = CASE WHEN idle_at IS NULL THEN NULL
                ELSE GREATEST(idle_at, COALESCE($3, idle_at)) END
        WHERE id = $1 AND revoked_at IS NULL";
    STEP_UP = "UPDATE credential SET stepped_up_at = $2 WHERE id = $1 AND revoked_at IS NULL";
    PEPPER = "SELECT pepper FROM instance WHERE slot = 1";
    RAISE_PEPPER = "UPDATE instance SET pepper = pepper + 1 WHERE slot = 1 RETURNING pepper";
    PEPPERS_IN_USE = "SELECT pepper, COUNT(*),
            CASE WHEN COUNT(expires_at) = COUNT(*) THEN MAX(expires_at) END
        FROM credential
        WHERE pepper > 0 AND revoked_at IS NULL
            AND (expires_at IS NULL OR expires_at > $1)
            AND (idle_at IS NULL OR idle_at > $1)
        GROUP BY pepper ORDER BY pepper";
    SIGNING = "SELECT signing, signing_since FROM instance WHERE slot = 1";
    RAISE_SIGNING = "UPDATE instance SET signing = signing + 1, signing_since = $2
        WHERE slot = 1 AND signing = $1";
}

/// Before there is an installation, the first.
const FIRST_PEPPER: u32 = 1;

async fn rotate(
    wire: &Wire<'_>,
    id: CredentialId,
    old: [u8; 32],
    new: &ProofRow,
    expires_at: Option<Timestamp>,
) -> Result<Rotated, Failure> {
    let (pepper, proof) = proof_columns(new);
    let values = values![id.to_bytes(), old, proof, pepper, micros(expires_at)];
    if wire.run(ROTATE, values).await? > 0 {
        return Ok(Rotated::Done);
    }
    let alive = wire.exists(IS_ALIVE, values![id.to_bytes()]).await?;
    Ok(if alive { Rotated::Stale } else { Rotated::Gone })
}

#[async_trait]
impl CredentialRows for PostgresControlTx {
    async fn credential(
        &mut self,
        key: CredentialKey,
    ) -> Result<Option<StoredCredential>, StoreError> {
        step!(self, find, &key)
    }

    async fn put_credential(&mut self, row: NewCredentialRow) -> Result<(), StoreError> {
        let place = values![row.organization.to_bytes(), row.workspace.to_bytes()];
        if !self.exists(IS_THERE, place).await? {
            return Err(StoreError::Gone);
        }
        let (pepper, proof) = proof_columns(&row.proof);
        let values = values![
            row.id.to_bytes(),
            row.kind.code(),
            proof,
            pepper,
            row.organization.to_bytes(),
            row.workspace.to_bytes(),
            principal_kind(row.principal),
            row.principal.to_bytes(),
            row.permissions.map(|set| set.bits().cast_signed()),
            row.created_at.as_micros(),
            bytes_of(row.created_by),
            micros(row.expires_at),
            micros(row.idle_at),
            micros(row.stepped_up_at),
            row.confined,
            row.body.as_bytes(),
        ];
        self.put(PUT, values, "this credential").await?;
        Ok(())
    }

    async fn credential_of(
        &mut self,
        organization: OrganizationId,
        id: CredentialId,
    ) -> Result<Option<CredentialSummaryRow>, StoreError> {
        let values = values![organization.to_bytes(), id.to_bytes()];
        self.find(GET, values, CredentialSummaryRow::read).await
    }

    async fn credentials(
        &mut self,
        organization: OrganizationId,
        filter: &CredentialFilter,
        page: PageOf<CredentialId>,
    ) -> Result<Vec<CredentialSummaryRow>, StoreError> {
        let kinds = filter.kinds.iter();
        let kinds: u64 = kinds.fold(0, |set, kind| set | 1 << kind.code());
        let values = values![
            organization.to_bytes(),
            bytes_of(page.before),
            kinds.cast_signed(),
            filter.principal.map(principal_kind),
            filter.principal.map(Principal::to_bytes),
            bytes_of(filter.workspace),
            page.limit,
        ];
        self.list(LIST, values, CredentialSummaryRow::read).await
    }

    async fn revoke_credential(
        &mut self,
        organization: OrganizationId,
        id: CredentialId,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let values = values![organization.to_bytes(), id.to_bytes(), at.as_micros()];
        Ok(self.run(REVOKE, values).await? > 0)
    }

    async fn revoke_credentials_of(
        &mut self,
        organization: Option<OrganizationId>,
        principal: Principal,
        at: Timestamp,
    ) -> Result<u64, StoreError> {
        let values = values![
            bytes_of(organization),
            principal_kind(principal),
            principal.to_bytes(),
            at.as_micros()
        ];
        self.run(REVOKE_OF, values).await
    }

    async fn revoke_confined_credentials(
        &mut self,
        organization: OrganizationId,
        user: Option<UserId>,
        at: Timestamp,
    ) -> Result<u64, StoreError> {
        let values = values![organization.to_bytes(), bytes_of(user), at.as_micros()];
        self.run(REVOKE_CONFINED, values).await
    }

    async fn rotate_credential(
        &mut self,
        id: CredentialId,
        old: [u8; 32],
        new: ProofRow,
        expires_at: Option<Timestamp>,
    ) -> Result<Rotated, StoreError> {
        step!(self, rotate, id, old, &new, expires_at)
    }

    async fn touch_credential(
        &mut self,
        id: CredentialId,
        at: Timestamp,
        idle_at: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let values = values![id.to_bytes(), at.as_micros(), micros(idle_at)];
        self.run(TOUCH, values).await?;
        Ok(())
    }

    async fn step_up_credential(
        &mut self,
        id: CredentialId,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let values = values![id.to_bytes(), at.as_micros()];
        Ok(self.run(STEP_UP, values).await? > 0)
    }

    async fn pepper(&mut self) -> Result<u32, StoreError> {
        let found = self.find(PEPPER, &[], |row| row.get(0)).await?;
        Ok(found.unwrap_or(FIRST_PEPPER))
    }

    async fn peppers_in_use(&mut self, now: Timestamp) -> Result<Vec<PepperUse>, StoreError> {
        self.list(PEPPERS_IN_USE, values![now.as_micros()], |row| {
            Ok(PepperUse {
                number: row.get(0)?,
                credentials: row.get(1)?,
                until: time_option(row, 2)?,
            })
        })
        .await
    }

    async fn signing(&mut self) -> Result<(u32, Timestamp), StoreError> {
        let read = |row: &Row| Ok((row.get(0)?, time(row, 1)?));
        let found = self.find(SIGNING, &[], read).await?;
        Ok(found.unwrap_or_default())
    }

    async fn raise_signing(&mut self, from: u32, at: Timestamp) -> Result<bool, StoreError> {
        let values = values![from, at.as_micros()];
        Ok(self.run(RAISE_SIGNING, values).await? > 0)
    }

    async fn raise_pepper(&mut self) -> Result<u32, StoreError> {
        let raised = self.find(RAISE_PEPPER, &[], |row| row.get(0)).await?;
        Ok(raised.unwrap_or(FIRST_PEPPER))
    }
}
