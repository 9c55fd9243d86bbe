//! Statements on credentials that are found by id.

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, params};
use skep_domain::{CredentialId, Id, OrganizationId, Principal, Timestamp, UserId};
use skep_store::StoreError;
use skep_store::backend::control::{CredentialFilter, CredentialRows};
use skep_store::backend::{CredentialKey, PageOf, StoredCredential};
use skep_store::column::{bytes_of, micros, principal_kind, proof_columns, time, time_option};
use skep_store::row::{CredentialSummaryRow, NewCredentialRow, PepperUse, ProofRow, Rotated};

use super::find;
use crate::column::{page_end, stored};
use crate::control::{SqliteControlTx, named};
use crate::failure::Failure;

/// Of a workspace that was not deleted.
const THERE: &str = "EXISTS (SELECT 1 FROM workspace AS w
    WHERE w.organization = credential.organization AND w.id = credential.workspace
        AND w.gone_at IS NULL)";

const SUMMARY: &str = "id, kind, workspace, principal_kind, principal, permissions, created_at,
    created_by, expires_at, used_at, revoked_at, body";

fn put(connection: &Connection, row: &NewCredentialRow) -> Result<(), Failure> {
    let is_there = connection
        .prepare_cached(
            "SELECT 1 FROM workspace WHERE organization = ?1 AND id = ?2 AND gone_at IS NULL",
        )?
        .exists([row.organization.to_bytes(), row.workspace.to_bytes()])?;
    if !is_there {
        return Err(StoreError::Gone.into());
    }
    let (pepper, proof) = proof_columns(&row.proof);
    let inserted = connection
        .prepare_cached(
            "INSERT INTO credential (id, kind, proof, pepper, organization, workspace,
                 principal_kind, principal, permissions, created_at, created_by, expires_at,
                 idle_at, stepped_up_at, confined, body)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
        )?
        .execute(params![
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
        ]);
    named(inserted, "this credential")
}

fn get(
    connection: &Connection,
    organization: [u8; 16],
    id: [u8; 16],
) -> Result<Option<CredentialSummaryRow>, Failure> {
    connection
        .prepare_cached(&format!(
            "SELECT {SUMMARY} FROM credential WHERE organization = ?1 AND id = ?2 AND {THERE}"
        ))?
        .query_and_then(params![organization, id], stored)?
        .next()
        .transpose()
}

fn list(
    connection: &Connection,
    organization: [u8; 16],
    filter: &CredentialFilter,
    page: PageOf<CredentialId>,
) -> Result<Vec<CredentialSummaryRow>, Failure> {
    let kinds: u64 = filter
        .kinds
        .iter()
        .fold(0, |set, kind| set | 1 << kind.code());
    let before = page_end(page.before);
    connection
        .prepare_cached(&format!(
            "SELECT {SUMMARY} FROM credential
             WHERE organization = ?1 AND id < ?2 AND (?3 = 0 OR (?3 >> kind) & 1 = 1)
                 AND (?4 IS NULL OR (principal_kind = ?4 AND principal = ?5))
                 AND (?6 IS NULL OR workspace = ?6) AND {THERE}
             ORDER BY id DESC LIMIT ?7"
        ))?
        .query_and_then(
            params![
                organization,
                before,
                kinds.cast_signed(),
                filter.principal.map(principal_kind),
                filter.principal.map(Principal::to_bytes),
                bytes_of(filter.workspace),
                page.limit,
            ],
            stored,
        )?
        .collect()
}

fn rotate(
    connection: &Connection,
    id: CredentialId,
    old: [u8; 32],
    new: &ProofRow,
    expires_at: Option<Timestamp>,
) -> Result<Rotated, Failure> {
    let (pepper, proof) = proof_columns(new);
    let changed = connection
        .prepare_cached(&format!(
            "UPDATE credential SET proof = ?3, pepper = ?4, expires_at = COALESCE(?5, expires_at),
                 generation = generation + 1
             WHERE id = ?1 AND proof = ?2 AND revoked_at IS NULL AND {THERE}"
        ))?
        .execute(params![
            id.to_bytes(),
            old,
            proof,
            pepper,
            micros(expires_at)
        ])?;
    if changed > 0 {
        return Ok(Rotated::Done);
    }
    let alive = connection
        .prepare_cached(&format!(
            "SELECT 1 FROM credential WHERE id = ?1 AND revoked_at IS NULL AND {THERE}"
        ))?
        .exists([id.to_bytes()])?;
    Ok(if alive { Rotated::Stale } else { Rotated::Gone })
}

#[async_trait]
impl CredentialRows for SqliteControlTx {
    async fn credential(
        &mut self,
        key: CredentialKey,
    ) -> Result<Option<StoredCredential>, StoreError> {
        self.run(move |connection| find(connection, &key)).await
    }

    async fn put_credential(&mut self, row: NewCredentialRow) -> Result<(), StoreError> {
        self.run(move |connection| put(connection, &row)).await
    }

    async fn credential_of(
        &mut self,
        organization: OrganizationId,
        id: CredentialId,
    ) -> Result<Option<CredentialSummaryRow>, StoreError> {
        self.run(move |connection| get(connection, organization.to_bytes(), id.to_bytes()))
            .await
    }

    async fn credentials(
        &mut self,
        organization: OrganizationId,
        filter: &CredentialFilter,
        page: PageOf<CredentialId>,
    ) -> Result<Vec<CredentialSummaryRow>, StoreError> {
        let filter = filter.clone();
        self.run(move |connection| list(connection, organization.to_bytes(), &filter, page))
            .await
    }

    async fn revoke_credential(
        &mut self,
        organization: OrganizationId,
        id: CredentialId,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        self.run(move |connection| {
            let changed = connection
                .prepare_cached(&format!(
                    "UPDATE credential SET revoked_at = ?3
                     WHERE organization = ?1 AND id = ?2 AND revoked_at IS NULL AND {THERE}"
                ))?
                .execute(params![
                    organization.to_bytes(),
                    id.to_bytes(),
                    at.as_micros()
                ])?;
            Ok(changed > 0)
        })
        .await
    }

    async fn revoke_credentials_of(
        &mut self,
        organization: Option<OrganizationId>,
        principal: Principal,
        at: Timestamp,
    ) -> Result<u64, StoreError> {
        self.run(move |connection| {
            let changed = connection
                .prepare_cached(
                    "UPDATE credential SET revoked_at = ?4
                     WHERE (?1 IS NULL OR organization = ?1) AND principal_kind = ?2
                         AND principal = ?3 AND revoked_at IS NULL AND kind NOT IN (0, 1)",
                )?
                .execute(params![
                    bytes_of(organization),
                    principal_kind(principal),
                    principal.to_bytes(),
                    at.as_micros()
                ])?;
            Ok(changed as u64)
        })
        .await
    }

    async fn revoke_confined_credentials(
        &mut self,
        organization: OrganizationId,
        user: Option<UserId>,
        at: Timestamp,
    ) -> Result<u64, StoreError> {
        self.run(move |connection| {
            let changed = connection
                .prepare_cached(
                    "UPDATE credential SET revoked_at = ?3
                     WHERE organization = ?1 AND confined = 1 AND revoked_at IS NULL
                         AND (?2 IS NULL OR (principal_kind = 0 AND principal = ?2))",
                )?
                .execute(params![
                    organization.to_bytes(),
                    bytes_of(user),
                    at.as_micros()
                ])?;
            Ok(changed as u64)
        })
        .await
    }

    async fn rotate_credential(
        &mut self,
        id: CredentialId,
        old: [u8; 32],
        new: ProofRow,
        expires_at: Option<Timestamp>,
    ) -> Result<Rotated, StoreError> {
        self.run(move |connection| rotate(connection, id, old, &new, expires_at))
            .await
    }

    async fn touch_credential(
        &mut self,
        id: CredentialId,
        at: Timestamp,
        idle_at: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        self.run(move |connection| {
            connection
                .prepare_cached(
                    "UPDATE credential SET used_at = MAX(COALESCE(used_at, 0), ?2),
                         idle_at = CASE WHEN idle_at IS NULL THEN NULL
                             ELSE MAX(idle_at, COALESCE(?3, idle_at)) END
                     WHERE id = ?1 AND revoked_at IS NULL",
                )?
                .execute(params![id.to_bytes(), at.as_micros(), micros(idle_at)])?;
            Ok(())
        })
        .await
    }

    async fn step_up_credential(
        &mut self,
        id: CredentialId,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        self.run(move |connection| {
            let changed = connection
                .prepare_cached(
                    "UPDATE credential SET stepped_up_at = ?2
                     WHERE id = ?1 AND revoked_at IS NULL",
                )?
                .execute(params![id.to_bytes(), at.as_micros()])?;
            Ok(changed > 0)
        })
        .await
    }

    async fn pepper(&mut self) -> Result<u32, StoreError> {
        self.run(pepper).await
    }

    async fn peppers_in_use(&mut self, now: Timestamp) -> Result<Vec<PepperUse>, StoreError> {
        self.run(move |connection| {
            connection
                .prepare_cached(
                    "SELECT pepper, COUNT(*),
                         CASE WHEN COUNT(expires_at) = COUNT(*) THEN MAX(expires_at) END
                     FROM credential
                     WHERE pepper > 0 AND revoked_at IS NULL
                         AND (expires_at IS NULL OR expires_at > ?1)
                         AND (idle_at IS NULL OR idle_at > ?1)
                     GROUP BY pepper ORDER BY pepper",
                )?
                .query_and_then([now.as_micros()], |row| {
                    Ok(PepperUse {
                        number: row.get(0)?,
                        credentials: row.get(1)?,
                        until: time_option(row, 2)?,
                    })
                })?
                .collect()
        })
        .await
    }

    async fn signing(&mut self) -> Result<(u32, Timestamp), StoreError> {
        self.run(|connection| {
            let found = connection
                .prepare_cached("SELECT signing, signing_since FROM instance WHERE slot = 1")?
                .query_and_then([], |row| Ok::<_, Failure>((row.get(0)?, time(row, 1)?)))?
                .next()
                .transpose()?;
            Ok(found.unwrap_or_default())
        })
        .await
    }

    async fn raise_signing(&mut self, from: u32, at: Timestamp) -> Result<bool, StoreError> {
        self.run(move |connection| {
            let changed = connection.execute(
                "UPDATE instance SET signing = signing + 1, signing_since = ?2
                 WHERE slot = 1 AND signing = ?1",
                params![from, at.as_micros()],
            )?;
            Ok(changed > 0)
        })
        .await
    }

    async fn raise_pepper(&mut self) -> Result<u32, StoreError> {
        self.run(|connection| {
            connection.execute("UPDATE instance SET pepper = pepper + 1 WHERE slot = 1", [])?;
            pepper(connection)
        })
        .await
    }
}

/// Before there is an installation, the first.
fn pepper(connection: &Connection) -> Result<u32, Failure> {
    let found = connection
        .prepare_cached("SELECT pepper FROM instance WHERE slot = 1")?
        .query_row([], |row| row.get(0))
        .optional()?;
    Ok(found.unwrap_or(1))
}
