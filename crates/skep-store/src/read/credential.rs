//! Credentials: whose is it, and how do they stand?

use skep_authz::{CredentialFacts, CredentialKey, Proof, RoleSource};
use skep_crypto::PasswordHash;
use skep_domain::{
    CredentialKind, Id, OrganizationRole, PermissionSet, PolicyGroupId, Principal, ReadPolicy,
    Role, Standing,
};

use crate::StoreError;
use crate::column::{
    Columns, Stored, code, id, id_option, principal, principal_from, sealed_option, time,
    time_option,
};
use crate::row::{CredentialSummaryRow, ProofRow};

const ISOLATED: &str = "isolated";
const SHARED: &str = "shared";
const GROUP: &str = "group";

impl Stored for CredentialSummaryRow {
    fn read<F: From<StoreError>>(row: &impl Columns<F>) -> Result<Self, F> {
        let bits = row.get::<Option<i64>>(5)?.map(i64::cast_unsigned);
        let permissions = bits.map(PermissionSet::from_bits).transpose();
        Ok(Self {
            id: id(row, 0)?,
            kind: code(
                row,
                1,
                CredentialKind::from_code,
                "the kind of a credential",
            )?,
            workspace: id(row, 2)?,
            principal: principal(row, 3)?,
            permissions: permissions
                .map_err(|_| StoreError::Damaged("the permissions of a credential"))?,
            created_at: time(row, 6)?,
            created_by: id_option(row, 7)?,
            expires_at: time_option(row, 8)?,
            used_at: time_option(row, 9)?,
            revoked_at: time_option(row, 10)?,
            body: sealed_option(row, 11)?,
        })
    }
}

/// What a check of a credential looks at. A row that does not make sense is no credential: an unknown role or
/// permission bit must never be read as a smaller set, and a malformed policy reads as isolated.
///
/// # Errors
/// As [`Stored::read`].
pub fn credential<F: From<StoreError>>(
    row: &impl Columns<F>,
) -> Result<Option<CredentialFacts>, F> {
    let Some(kind) = CredentialKind::from_code(row.get(1)?) else {
        return Ok(None);
    };
    let principal = principal_from(row.get(6)?, row.get(7)?);
    let bits = row.get::<Option<i64>>(11)?.map(i64::cast_unsigned);
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
    Ok(Some(CredentialFacts {
        id: id(row, 0)?,
        kind,
        proof,
        organization: id(row, 4)?,
        workspace: id(row, 5)?,
        principal,
        role,
        policy: policy(row, 9)?,
        standing,
        narrowed_to,
        expires_at: ends.into_iter().flatten().min(),
        revoked_at: time_option(row, 14)?,
        stepped_up_at: time_option(row, 15)?,
        used_at: time_option(row, 16)?,
        confined: row.get(24)?,
        owes_factor: row.get(25)?,
        body: sealed_option(row, 17)?,
    }))
}

fn proof<F: From<StoreError>>(
    row: &impl Columns<F>,
    kind: CredentialKind,
) -> Result<Option<Proof>, F> {
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

fn role<F: From<StoreError>>(
    row: &impl Columns<F>,
    kind: CredentialKind,
    principal: Principal,
) -> Result<Option<RoleSource>, F> {
    if kind.is_of_the_installation() {
        let role = row.get::<Option<String>>(8)?;
        return Ok(role.as_deref().and_then(Role::parse).map(RoleSource::Fixed));
    }
    Ok(match principal {
        Principal::Agent(_) => Some(RoleSource::Agent),
        Principal::User(_) => {
            let Some(organization) = row.get::<Option<u8>>(21)? else {
                return Ok(Some(RoleSource::Membership(None)));
            };
            let workspace = row.get::<Option<String>>(22)?;
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
fn standing<F: From<StoreError>>(
    row: &impl Columns<F>,
    kind: CredentialKind,
    principal: Principal,
) -> Result<Option<[Standing; 2]>, F> {
    let read = |at| -> Result<Option<Option<Standing>>, F> {
        Ok(row.get::<Option<u8>>(at)?.map(Standing::from_code))
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

/// A read policy, in two columns. A malformed one is isolated.
///
/// # Errors
/// As [`Stored::read`].
pub fn policy<F: From<StoreError>>(row: &impl Columns<F>, at: usize) -> Result<ReadPolicy, F> {
    Ok(policy_of(&row.get::<String>(at)?, row.get(at + 1)?))
}

fn policy_of(name: &str, group: Option<Vec<u8>>) -> ReadPolicy {
    let group = group.and_then(|group| <[u8; 16]>::try_from(group).ok());
    match (name, group) {
        (SHARED, None) => ReadPolicy::Shared,
        (GROUP, Some(group)) => ReadPolicy::Group(PolicyGroupId(group)),
        _ => ReadPolicy::Isolated,
    }
}

/// The columns of a read policy.
#[must_use]
pub fn policy_columns(policy: ReadPolicy) -> (&'static str, Option<[u8; 16]>) {
    match policy {
        ReadPolicy::Isolated => (ISOLATED, None),
        ReadPolicy::Shared => (SHARED, None),
        ReadPolicy::Group(group) => (GROUP, Some(group.0)),
    }
}

/// The columns of what a credential's secret is held against: under which pepper, and what.
#[must_use]
pub fn proof_columns(proof: &ProofRow) -> (u32, Vec<u8>) {
    match proof {
        ProofRow::Peppered(pepper, proof) => (*pepper, proof.to_vec()),
        ProofRow::Stretched(text) => (0, text.as_bytes().to_vec()),
    }
}

/// The columns of what a credential is found by: its kind, and its proof or its id.
#[must_use]
pub fn key_columns(key: &CredentialKey) -> (u8, Vec<u8>) {
    match key {
        CredentialKey::SocketOwner => (CredentialKind::SocketOwner.code(), Vec::new()),
        CredentialKey::InstallToken(digest) => {
            (CredentialKind::InstallToken.code(), digest.to_vec())
        }
        CredentialKey::Row(kind, id) => (kind.code(), id.to_bytes().to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use skep_domain::ReadPolicy;

    use super::policy_of;

    #[test]
    fn t10_a_malformed_policy_is_isolated() {
        let group = Some(vec![7; 16]);
        assert_eq!(policy_of("shared", None), ReadPolicy::Shared);
        assert!(matches!(
            policy_of("group", group.clone()),
            ReadPolicy::Group(_)
        ));
        for (name, group) in [
            ("isolated", None),
            ("group", None),
            ("group", Some(vec![7; 15])),
            ("shared", group.clone()),
            ("Shared", None),
            ("", group),
        ] {
            assert_eq!(policy_of(name, group), ReadPolicy::Isolated, "{name:?}");
        }
    }
}
