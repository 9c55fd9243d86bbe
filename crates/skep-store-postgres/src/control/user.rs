//! Statements on humans and their memberships.

use async_trait::async_trait;
use skep_crypto::Sealed;
use skep_domain::{
    Id, OrganizationId, OrganizationRole, Role, Standing, Timestamp, UserId, WorkspaceId,
};
use skep_store::StoreError;
use skep_store::backend::control::UserRows;
use skep_store::column::{Stored, bytes_of, id, organization_member};
use skep_store::row::{Fingerprint, OrganizationMemberRow, UserRow};

use super::PostgresControlTx;
use crate::failure::Failure;
use crate::row::Row;
use crate::statement::statements;
use crate::value::values;

macro_rules! user {
    ($condition:literal) => {
        concat!(
            "SELECT id, fingerprint, standing, version, body, created_at FROM user_account
             WHERE ",
            $condition
        )
    };
}

macro_rules! member {
    ($condition:literal) => {
        concat!(
            "SELECT user_id, role, standing, created_at FROM member
             WHERE organization = $1 AND ",
            $condition
        )
    };
}

statements! {
    PUT = "INSERT INTO user_account (id, fingerprint, standing, body, created_at)
        VALUES ($1, $2, $3, $4, $5)";
    USER = user!("id = $1");
    /// One search of the index and one row, whether somebody has it or not. Inside of a SELECT, for
    /// under row security no index is searched for a bare `coalesce`.
    NEAREST = user!("fingerprint = (SELECT coalesce(
        (SELECT fingerprint FROM user_account WHERE fingerprint >= $1
         ORDER BY fingerprint LIMIT 1),
        (SELECT fingerprint FROM user_account WHERE fingerprint < $1
         ORDER BY fingerprint DESC LIMIT 1)))");
    HAS_USERS = "SELECT 1 FROM user_account WHERE fingerprint IS NOT NULL LIMIT 1";
    UPDATE = "UPDATE user_account SET fingerprint = $3, body = $4, version = version + 1
        WHERE id = $1 AND version = $2";
    PUT_MEMBER = "INSERT INTO member (organization, user_id, role, standing, created_at)
        VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (organization, user_id) DO UPDATE SET role = excluded.role";
    MEMBER = member!("user_id = $2");
    MEMBERS = member!("($2::uuid IS NULL OR user_id > $2) ORDER BY user_id LIMIT $3");
    ORGANIZATIONS = "SELECT organization, user_id, role, standing, created_at FROM member
        WHERE user_id = $1 ORDER BY created_at, organization";
    COUNT_OWNERS = "SELECT COUNT(*) FROM member AS m JOIN user_account AS u ON u.id = m.user_id
        WHERE m.organization = $1 AND m.role = 0 AND m.standing = 0 AND u.standing = 0
            AND (u.fingerprint IS NOT NULL
                 OR EXISTS (SELECT 1 FROM identity_link AS l
                            WHERE l.organization = $1 AND l.user_id = m.user_id))";
    SET_STANDING = "UPDATE member SET standing = $3 WHERE organization = $1 AND user_id = $2";
    REMOVE_MEMBER = "DELETE FROM member WHERE organization = $1 AND user_id = $2";
    SET_ROLE = "INSERT INTO workspace_member (organization, workspace, user_id, role, created_at)
        VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (organization, workspace, user_id) DO UPDATE SET role = excluded.role";
    REMOVE_ROLE = "DELETE FROM workspace_member
        WHERE organization = $1 AND workspace = $2 AND user_id = $3";
    ROLES = "SELECT wm.workspace, wm.role FROM workspace_member AS wm
        JOIN workspace AS w ON w.organization = wm.organization AND w.id = wm.workspace
            AND w.gone_at IS NULL
        WHERE wm.organization = $1 AND wm.user_id = $2 ORDER BY wm.workspace";
}

fn role(row: &Row) -> Result<(WorkspaceId, Role), Failure> {
    let role =
        Role::parse(&row.get::<String>(1)?).ok_or(StoreError::Damaged("the role of a member"))?;
    Ok((id(row, 0)?, role))
}

#[async_trait]
impl UserRows for PostgresControlTx {
    async fn put_user(&mut self, row: UserRow) -> Result<(), StoreError> {
        let values = values![
            row.id.to_bytes(),
            row.fingerprint,
            row.standing.code(),
            row.body.as_ref().map(Sealed::as_bytes),
            row.created_at.as_micros()
        ];
        self.put(PUT, values, "a user with this address").await?;
        Ok(())
    }

    async fn user(&mut self, id: UserId) -> Result<Option<UserRow>, StoreError> {
        self.find(USER, values![id.to_bytes()], UserRow::read).await
    }

    async fn nearest_user(
        &mut self,
        fingerprint: Fingerprint,
    ) -> Result<Option<UserRow>, StoreError> {
        self.find(NEAREST, values![fingerprint], UserRow::read)
            .await
    }

    async fn has_users(&mut self) -> Result<bool, StoreError> {
        self.exists(HAS_USERS, &[]).await
    }

    async fn update_user(
        &mut self,
        id: UserId,
        version: u64,
        fingerprint: Option<Fingerprint>,
        body: Sealed,
    ) -> Result<bool, StoreError> {
        let values = values![id.to_bytes(), version, fingerprint, body.as_bytes()];
        self.put(UPDATE, values, "a user with this address").await
    }

    async fn put_member(
        &mut self,
        organization: OrganizationId,
        row: OrganizationMemberRow,
    ) -> Result<(), StoreError> {
        let values = values![
            organization.to_bytes(),
            row.user.to_bytes(),
            row.role.code(),
            row.standing.code(),
            row.created_at.as_micros()
        ];
        self.run(PUT_MEMBER, values).await?;
        Ok(())
    }

    async fn member(
        &mut self,
        organization: OrganizationId,
        user: UserId,
    ) -> Result<Option<OrganizationMemberRow>, StoreError> {
        let values = values![organization.to_bytes(), user.to_bytes()];
        self.find(MEMBER, values, |row| organization_member(row, 0))
            .await
    }

    async fn members_of(
        &mut self,
        organization: OrganizationId,
        after: Option<UserId>,
        limit: u32,
    ) -> Result<Vec<OrganizationMemberRow>, StoreError> {
        let values = values![organization.to_bytes(), bytes_of(after), limit];
        self.list(MEMBERS, values, |row| organization_member(row, 0))
            .await
    }

    async fn organizations_of(
        &mut self,
        user: UserId,
    ) -> Result<Vec<(OrganizationId, OrganizationMemberRow)>, StoreError> {
        self.list(ORGANIZATIONS, values![user.to_bytes()], |row| {
            Ok((id(row, 0)?, organization_member(row, 1)?))
        })
        .await
    }

    async fn count_owners(&mut self, organization: OrganizationId) -> Result<u64, StoreError> {
        let values = values![organization.to_bytes()];
        self.get(COUNT_OWNERS, values, |row| row.get(0)).await
    }

    async fn set_member_standing(
        &mut self,
        organization: OrganizationId,
        user: UserId,
        standing: Standing,
    ) -> Result<bool, StoreError> {
        let values = values![organization.to_bytes(), user.to_bytes(), standing.code()];
        Ok(self.run(SET_STANDING, values).await? > 0)
    }

    async fn remove_member(
        &mut self,
        organization: OrganizationId,
        user: UserId,
    ) -> Result<bool, StoreError> {
        let values = values![organization.to_bytes(), user.to_bytes()];
        Ok(self.run(REMOVE_MEMBER, values).await? > 0)
    }

    async fn set_workspace_role(
        &mut self,
        (organization, workspace): (OrganizationId, WorkspaceId),
        user: UserId,
        role: Option<Role>,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let (organization, workspace) = (organization.to_bytes(), workspace.to_bytes());
        let user = user.to_bytes();
        if let Some(role) = role {
            let at = at.as_micros();
            let values = values![organization, workspace, user, role.as_str(), at];
            self.run(SET_ROLE, values).await?;
        } else {
            let values = values![organization, workspace, user];
            self.run(REMOVE_ROLE, values).await?;
        }
        Ok(())
    }

    async fn workspace_roles(
        &mut self,
        organization: OrganizationId,
        user: UserId,
    ) -> Result<Vec<(WorkspaceId, Role)>, StoreError> {
        let values = values![organization.to_bytes(), user.to_bytes()];
        self.list(ROLES, values, role).await
    }

    async fn organization_role(
        &mut self,
        organization: OrganizationId,
        user: UserId,
    ) -> Result<Option<OrganizationRole>, StoreError> {
        let found = self.member(organization, user).await?;
        Ok(found
            .filter(|member| member.standing == Standing::Active)
            .map(|member| member.role))
    }
}
