//! Statements on humans and their memberships.

use async_trait::async_trait;
use rusqlite::{Connection, params};
use skep_crypto::Sealed;
use skep_domain::{
    Id, OrganizationId, OrganizationRole, Role, Standing, Timestamp, UserId, WorkspaceId,
};
use skep_store::StoreError;
use skep_store::backend::control::UserRows;
use skep_store::column::{bytes_of, id, organization_member};
use skep_store::row::{Fingerprint, OrganizationMemberRow, UserRow};

use super::{SqliteControlTx, named};
use crate::column::stored;
use crate::failure::Failure;

const USER: &str =
    "SELECT id, fingerprint, standing, version, body, created_at FROM user_account WHERE";

fn find(
    connection: &Connection,
    condition: &str,
    value: [u8; 16],
) -> Result<Option<UserRow>, Failure> {
    connection
        .prepare_cached(&format!("{USER} {condition}"))?
        .query_and_then([value], stored)?
        .next()
        .transpose()
}

fn get_member(
    connection: &Connection,
    organization: OrganizationId,
    user: UserId,
) -> Result<Option<OrganizationMemberRow>, Failure> {
    connection
        .prepare_cached(
            "SELECT user, role, standing, created_at FROM member
             WHERE organization = ?1 AND user = ?2",
        )?
        .query_and_then(params![organization.to_bytes(), user.to_bytes()], |row| {
            organization_member(row, 0)
        })?
        .next()
        .transpose()
}

#[async_trait]
impl UserRows for SqliteControlTx {
    async fn put_user(&mut self, row: UserRow) -> Result<(), StoreError> {
        self.run(move |connection| {
            let inserted = connection.execute(
                "INSERT INTO user_account (id, fingerprint, standing, body, created_at)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
                params![
                    row.id.to_bytes(),
                    row.fingerprint,
                    row.standing.code(),
                    row.body.as_ref().map(Sealed::as_bytes),
                    row.created_at.as_micros()
                ],
            );
            named(inserted, "a user with this address")
        })
        .await
    }

    async fn user(&mut self, id: UserId) -> Result<Option<UserRow>, StoreError> {
        self.run(move |connection| find(connection, "id = ?1", id.to_bytes()))
            .await
    }

    async fn nearest_user(
        &mut self,
        fingerprint: Fingerprint,
    ) -> Result<Option<UserRow>, StoreError> {
        // One search of the index and one row, whether somebody has it or not.
        const NEAREST: &str = "fingerprint = coalesce(
            (SELECT min(fingerprint) FROM user_account WHERE fingerprint >= ?1),
            (SELECT max(fingerprint) FROM user_account WHERE fingerprint < ?1))";
        self.run(move |connection| find(connection, NEAREST, fingerprint))
            .await
    }

    async fn has_users(&mut self) -> Result<bool, StoreError> {
        self.run(|connection| {
            let sql = "SELECT 1 FROM user_account WHERE fingerprint IS NOT NULL LIMIT 1";
            Ok(connection.prepare_cached(sql)?.exists([])?)
        })
        .await
    }

    async fn update_user(
        &mut self,
        id: UserId,
        version: u64,
        fingerprint: Option<Fingerprint>,
        body: Sealed,
    ) -> Result<bool, StoreError> {
        self.run(move |connection| {
            let updated = connection.execute(
                "UPDATE user_account SET fingerprint = ?3, body = ?4, version = version + 1
                 WHERE id = ?1 AND version = ?2",
                params![id.to_bytes(), version, fingerprint, body.as_bytes()],
            );
            let changed = *updated.as_ref().unwrap_or(&0);
            named(updated, "a user with this address")?;
            Ok(changed > 0)
        })
        .await
    }

    async fn put_member(
        &mut self,
        organization: OrganizationId,
        row: OrganizationMemberRow,
    ) -> Result<(), StoreError> {
        self.run(move |connection| {
            connection.execute(
                "INSERT INTO member (organization, user, role, standing, created_at)
                 VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (organization, user) DO UPDATE SET role = excluded.role",
                params![
                    organization.to_bytes(),
                    row.user.to_bytes(),
                    row.role.code(),
                    row.standing.code(),
                    row.created_at.as_micros()
                ],
            )?;
            Ok(())
        })
        .await
    }

    async fn member(
        &mut self,
        organization: OrganizationId,
        user: UserId,
    ) -> Result<Option<OrganizationMemberRow>, StoreError> {
        self.run(move |connection| get_member(connection, organization, user))
            .await
    }

    async fn members_of(
        &mut self,
        organization: OrganizationId,
        after: Option<UserId>,
        limit: u32,
    ) -> Result<Vec<OrganizationMemberRow>, StoreError> {
        self.run(move |connection| {
            connection
                .prepare_cached(
                    "SELECT user, role, standing, created_at FROM member
                     WHERE organization = ?1 AND (?2 IS NULL OR user > ?2)
                     ORDER BY user LIMIT ?3",
                )?
                .query_and_then(
                    params![organization.to_bytes(), bytes_of(after), limit],
                    |row| organization_member(row, 0),
                )?
                .collect()
        })
        .await
    }

    async fn organizations_of(
        &mut self,
        user: UserId,
    ) -> Result<Vec<(OrganizationId, OrganizationMemberRow)>, StoreError> {
        self.run(move |connection| {
            connection
                .prepare_cached(
                    "SELECT organization, user, role, standing, created_at FROM member
                     WHERE user = ?1 ORDER BY created_at, organization",
                )?
                .query_and_then([user.to_bytes()], |row| {
                    Ok((id(row, 0)?, organization_member(row, 1)?))
                })?
                .collect()
        })
        .await
    }

    async fn count_owners(&mut self, organization: OrganizationId) -> Result<u64, StoreError> {
        self.run(move |connection| {
            Ok(connection
                .prepare_cached(
                    "SELECT COUNT(*) FROM member AS m JOIN user_account AS u ON u.id = m.user
                     WHERE m.organization = ?1 AND m.role = 0 AND m.standing = 0
                         AND u.standing = 0
                         AND (u.fingerprint IS NOT NULL
                              OR EXISTS (SELECT 1 FROM identity_link AS l
                                         WHERE l.organization = ?1 AND l.user = m.user))",
                )?
                .query_row([organization.to_bytes()], |row| row.get(0))?)
        })
        .await
    }

    async fn set_member_standing(
        &mut self,
        organization: OrganizationId,
        user: UserId,
        standing: Standing,
    ) -> Result<bool, StoreError> {
        self.run(move |connection| {
            let changed = connection.execute(
                "UPDATE member SET standing = ?3 WHERE organization = ?1 AND user = ?2",
                params![organization.to_bytes(), user.to_bytes(), standing.code()],
            )?;
            Ok(changed > 0)
        })
        .await
    }

    async fn remove_member(
        &mut self,
        organization: OrganizationId,
        user: UserId,
    ) -> Result<bool, StoreError> {
        self.run(move |connection| {
            let gone = connection.execute(
                "DELETE FROM member WHERE organization = ?1 AND user = ?2",
                params![organization.to_bytes(), user.to_bytes()],
            )?;
            Ok(gone > 0)
        })
        .await
    }

    async fn set_workspace_role(
        &mut self,
        (organization, workspace): (OrganizationId, WorkspaceId),
        user: UserId,
        role: Option<Role>,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.run(move |connection| {
            let (organization, workspace) = (organization.to_bytes(), workspace.to_bytes());
            match role {
                Some(role) => connection.execute(
                    "INSERT INTO workspace_member (organization, workspace, user, role, created_at)
                     VALUES (?1, ?2, ?3, ?4, ?5)
                     ON CONFLICT (organization, workspace, user) DO UPDATE
                     SET role = excluded.role",
                    params![
                        organization,
                        workspace,
                        user.to_bytes(),
                        role.as_str(),
                        at.as_micros()
                    ],
                )?,
                None => connection.execute(
                    "DELETE FROM workspace_member
                     WHERE organization = ?1 AND workspace = ?2 AND user = ?3",
                    params![organization, workspace, user.to_bytes()],
                )?,
            };
            Ok(())
        })
        .await
    }

    async fn workspace_roles(
        &mut self,
        organization: OrganizationId,
        user: UserId,
    ) -> Result<Vec<(WorkspaceId, Role)>, StoreError> {
        self.run(move |connection| {
            connection
                .prepare_cached(
                    "SELECT wm.workspace, wm.role FROM workspace_member AS wm
                     JOIN workspace AS w ON w.organization = wm.organization
                         AND w.id = wm.workspace AND w.gone_at IS NULL
                     WHERE wm.organization = ?1 AND wm.user = ?2 ORDER BY wm.workspace",
                )?
                .query_and_then(params![organization.to_bytes(), user.to_bytes()], |row| {
                    let role = Role::parse(&row.get::<_, String>(1)?)
                        .ok_or(StoreError::Damaged("the role of a member"))?;
                    Ok((id(row, 0)?, role))
                })?
                .collect()
        })
        .await
    }

    async fn organization_role(
        &mut self,
        organization: OrganizationId,
        user: UserId,
    ) -> Result<Option<OrganizationRole>, StoreError> {
        self.run(move |connection| {
            let found = get_member(connection, organization, user)?;
            Ok(found
                .filter(|member| member.standing == Standing::Active)
                .map(|member| member.role))
        })
        .await
    }
}
