//! Whose credential is it, and how do they stand? And those of the installation itself.

mod rows;

use rusqlite::{Connection, OptionalExtension, Row, params};
use skep_crypto::PasswordHash;
use skep_domain::{
    CredentialKind, Id, OrganizationRole, PermissionSet, PolicyGroupId, Principal, ReadPolicy,
    Role, Standing,
};
use skep_store::backend::{CredentialFacts, CredentialKey, Proof, RoleSource, StoredCredential};
use skep_store::row::CredentialRow;

use super::{Tenant, named};
use crate::column::{id, principal_from, principal_kind, sealed_option, time_option};
use crate::failure::Failure;

const SOCKET_OWNER: u8 = CredentialKind::SocketOwner.code();
pub(super) const INSTALL_TOKEN: u8 = CredentialKind::InstallToken.code();

const ISOLATED: &str = "isolated";
const SHARED: &str = "shared";
const GROUP: &str = "group";

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
    let Some(kind) = CredentialKind::from_code(row.get(1)?) else {
        return Ok(None);
    };
    let principal = principal_from(row.get(6)?, row.get(7)?);
    let bits = row.get::<_, Option<i64>>(11)?.map(i64::cast_unsigned);
    let narrowed_to = bits.map(PermissionSet::from_bits).transpose();
    let (Some(principal), Ok(narrowed_to)) = (principal, narrowed_to) else {
        return Ok(None);
    };
    let (Some(proof), Some(role), Some(standing)) = (
        proof(row, kind)?,
        role(row, kind, principal)?,
        standing(row, kind, principal)?,
    ) else {
        return Ok(None);
    };
    let ends = [time_option(row, 12)?, time_option(row, 13)?];
    let facts = CredentialFacts {
        id: id(row, 0)?,
        kind,
        proof,
        organization: id(row, 4)?,
        workspace: id(row, 5)?,
        principal,
        role,
        policy: policy(&row.get::<_, String>(9)?, row.get(10)?),
        standing,
        narrowed_to,
        expires_at: ends.into_iter().flatten().min(),
        revoked_at: time_option(row, 14)?,
        stepped_up_at: time_option(row, 15)?,
        used_at: time_option(row, 16)?,
        confined: row.get(24)?,
        owes_factor: row.get(25)?,
        body: sealed_option(row, 17)?,
    };
    Ok(Some(StoredCredential::from_row(key, facts)))
}

fn proof(row: &Row<'_>, kind: CredentialKind) -> Result<Option<Proof>, Failure> {
    let proof: Vec<u8> = row.get(2)?;
    Ok(match kind {
        // A login's access tokens are signed; its refresh token is read by rotation alone.
        CredentialKind::SocketOwner | CredentialKind::InstallToken | CredentialKind::Login => {
            Some(Proof::Found)
        }
        CredentialKind::PersonalAccess => std::str::from_utf8(&proof)
            .ok()
            .and_then(|text| PasswordHash::parse(text).ok())
            .map(Proof::Stretched),
        CredentialKind::ApiKey | CredentialKind::RunnerKey | CredentialKind::Browser => {
            match <[u8; 32]>::try_from(proof) {
                Ok(proof) => Some(Proof::Peppered(row.get(3)?, proof)),
                Err(_) => None,
            }
        }
    })
}

fn role(
    row: &Row<'_>,
    kind: CredentialKind,
    principal: Principal,
) -> Result<Option<RoleSource>, Failure> {
    if kind.is_of_the_installation() {
        let role = row.get::<_, Option<String>>(8)?;
        return Ok(role.as_deref().and_then(Role::parse).map(RoleSource::Fixed));
    }
    Ok(match principal {
        Principal::Agent(_) => Some(RoleSource::Agent),
        Principal::User(_) => {
            let Some(organization) = row.get::<_, Option<u8>>(21)? else {
                return Ok(Some(RoleSource::Membership(None)));
            };
            let workspace = row.get::<_, Option<String>>(22)?;
            let unknown = workspace
                .as_deref()
                .is_some_and(|role| Role::parse(role).is_none());
            OrganizationRole::from_code(organization)
                .filter(|_| !unknown)
                .map(|role| {
                    let workspace = workspace.as_deref().and_then(Role::parse);
                    RoleSource::Membership(Some((role, workspace)))
                })
        }
    })
}

/// Of the organization, and of whoever is proved: a human is suspended by their account or in the
/// organization. An agent that is not there is no principal; those that the installation's own
/// credentials name have no rows.
fn standing(
    row: &Row<'_>,
    kind: CredentialKind,
    principal: Principal,
) -> Result<Option<[Standing; 2]>, Failure> {
    let read = |at| -> Result<Option<Option<Standing>>, Failure> {
        Ok(row.get::<_, Option<u8>>(at)?.map(Standing::from_code))
    };
    let Some(Some(organization)) = read(18)? else {
        return Ok(None);
    };
    let parts = match principal {
        Principal::User(_) => vec![read(19)?, read(20)?],
        Principal::Agent(_) => vec![read(23)?],
    };
    let mut worst = Standing::Active;
    for part in parts {
        match part {
            Some(Some(standing)) => worst = worst.max(standing),
            None if kind.is_of_the_installation() => {}
            Some(None) | None => return Ok(None),
        }
    }
    Ok(Some([organization, worst]))
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
    let rows = statement.query_map(
        params![organization, workspace, kind, principal.to_bytes()],
        |row| Ok(policy(&row.get::<_, String>(0)?, row.get(1)?)),
    )?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn key_columns(key: &CredentialKey) -> (u8, Vec<u8>) {
    match key {
        CredentialKey::SocketOwner => (SOCKET_OWNER, Vec::new()),
        CredentialKey::InstallToken(digest) => (INSTALL_TOKEN, digest.to_vec()),
        CredentialKey::Row(kind, id) => (kind.code(), id.to_bytes().to_vec()),
    }
}

pub(super) fn policy_columns(policy: ReadPolicy) -> (&'static str, Option<[u8; 16]>) {
    match policy {
        ReadPolicy::Isolated => (ISOLATED, None),
        ReadPolicy::Shared => (SHARED, None),
        ReadPolicy::Group(group) => (GROUP, Some(group.0)),
    }
}

pub(super) fn policy(name: &str, group: Option<Vec<u8>>) -> ReadPolicy {
    let group = group.and_then(|group| <[u8; 16]>::try_from(group).ok());
    match (name, group) {
        (SHARED, None) => ReadPolicy::Shared,
        (GROUP, Some(group)) => ReadPolicy::Group(PolicyGroupId(group)),
        _ => ReadPolicy::Isolated,
    }
}
