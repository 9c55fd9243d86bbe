//! Whose credential is it, and how do they stand? And those of the installation itself.

mod rows;

use rusqlite::{Connection, OptionalExtension, Row, params};
use skep_domain::{CredentialKind, Id, Principal, ReadPolicy};
use skep_store::backend::{CredentialKey, StoredCredential};
use skep_store::column::{credential, key_columns, policy, policy_columns, principal_kind};
use skep_store::row::CredentialRow;

use super::{Tenant, named};
use crate::failure::Failure;

pub(super) const INSTALL_TOKEN: u8 = CredentialKind::InstallToken.code();

/// Keeps a credential of the installation itself.
pub(super) fn put_own(
    connection: &Connection,
    (organization, workspace): Tenant,
    row: &CredentialRow,
) -> Result<(), Failure> {
    let (kind, proof) = key_columns(&row.key);
    let (policy, group) = policy_columns(row.policy);
    let inserted = connection.execute(
        "INSERT INTO credential (id, kind, proof, pepper, organization, workspace, principal_kind,
             principal, role, policy, policy_group, created_at)
         VALUES (?1, ?2, ?3, 0, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        params![
            row.id.to_bytes(),
            kind,
            proof,
            organization,
            workspace,
            principal_kind(row.principal),
            row.principal.to_bytes(),
            row.role.as_str(),
            policy,
            group,
            row.created_at.as_micros()
        ],
    );
    named(inserted, "this credential")
}

/// What a check of a credential looks at, in one statement: the row, the organization, and the
/// account, membership or agent behind it.
macro_rules! facts_of {
    ($condition:literal) => {
        concat!(
            "SELECT c.id, c.kind, c.proof, c.pepper, c.organization, c.workspace,
                 c.principal_kind, c.principal, c.role, COALESCE(a.policy, c.policy),
                 CASE WHEN a.id IS NULL THEN c.policy_group ELSE a.policy_group END,
                 c.permissions, c.expires_at, c.idle_at, c.revoked_at, c.stepped_up_at, c.used_at,
                 c.body, o.standing, u.standing, m.standing, m.role, wm.role, a.standing, c.confined,
                 c.principal_kind = 0
                     AND EXISTS (SELECT 1 FROM setting AS s
                         WHERE s.organization = c.organization AND s.name = 'second_factor')
                     AND NOT EXISTS (SELECT 1 FROM factor AS f
                         WHERE f.user = c.principal AND f.confirmed = 1 AND f.kind <> 1)
             FROM credential AS c
             JOIN organization AS o ON o.id = c.organization
             JOIN workspace AS w ON w.organization = c.organization AND w.id = c.workspace
                 AND w.gone_at IS NULL
             LEFT JOIN user_account AS u ON c.principal_kind = 0 AND u.id = c.principal
             LEFT JOIN member AS m ON c.principal_kind = 0 AND m.organization = c.organization
                 AND m.user = c.principal
             LEFT JOIN workspace_member AS wm ON c.principal_kind = 0
                 AND wm.organization = c.organization AND wm.workspace = c.workspace
                 AND wm.user = c.principal
             LEFT JOIN agent AS a ON c.principal_kind = 1 AND a.organization = c.organization
                 AND a.workspace = c.workspace AND a.id = c.principal
             WHERE ",
            $condition
        )
    };
}

/// Whose credential it is. A row that does not make sense is no credential: an unknown role or
/// permission bit must never be read as a smaller set, and a malformed policy reads as isolated.
pub(crate) fn find(
    connection: &Connection,
    key: &CredentialKey,
) -> Result<Option<StoredCredential>, Failure> {
    let found = match key {
        CredentialKey::Row(kind, id) => connection
            .prepare_cached(facts_of!("c.id = ?2 AND c.kind = ?1"))?
            .query_row(params![kind.code(), id.to_bytes()], |row| {
                Ok(stored(row, *key))
            })
            .optional()?,
        CredentialKey::SocketOwner | CredentialKey::InstallToken(_) => {
            let (kind, proof) = key_columns(key);
            connection
                .prepare_cached(facts_of!(
                    "c.kind = ?1 AND c.proof = ?2 AND c.kind IN (0, 1)"
                ))?
                .query_row(params![kind, proof], |row| Ok(stored(row, *key)))
                .optional()?
        }
    };
    found.transpose().map(Option::flatten)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place of this backend where a credential's row becomes a principal"
)]
fn stored(row: &Row<'_>, key: CredentialKey) -> Result<Option<StoredCredential>, Failure> {
    let facts = credential(row)?;
    Ok(facts.map(|facts| StoredCredential::from_row(key, facts)))
}

/// The read policies that are stated of a principal: by credentials of the installation's own, and
/// by the agent's row.
pub(crate) fn policies(
    connection: &Connection,
    (organization, workspace): Tenant,
    principal: Principal,
) -> Result<Vec<ReadPolicy>, Failure> {
    let sql = "SELECT policy, policy_group FROM credential
               WHERE organization = ?1 AND workspace = ?2 AND principal_kind = ?3 AND principal = ?4
                   AND kind IN (0, 1)
               UNION ALL
               SELECT policy, policy_group FROM agent
               WHERE organization = ?1 AND workspace = ?2 AND ?3 = 1 AND id = ?4
               UNION ALL
               SELECT 'isolated', NULL FROM member
               WHERE organization = ?1 AND ?3 = 0 AND user = ?4";
    let mut statement = connection.prepare_cached(sql)?;
    let kind = principal_kind(principal);
    let values = params![organization, workspace, kind, principal.to_bytes()];
    statement
        .query_and_then(values, |row| policy(row, 0))?
        .collect()
}
