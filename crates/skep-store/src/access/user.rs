//! Humans and their memberships.

use skep_authz::rights::MemberManage;
use skep_domain::{
    Id, OrganizationId, OrganizationRole, Role, Standing, Timestamp, UserId, WorkspaceId,
    normal_address,
};

use super::door::NOBODY;
use super::keys::USER_BODY;
use super::{DoorTx, NewTicket, OrgTx, Revoked, SelfTx, Ticket};
use crate::StoreError;
use crate::body::{BodyReader, BodyWriter};
use crate::row::{OrganizationMemberRow, TicketKind, UserRow};

/// What is kept sealed of a human.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserBody {
    /// What they are called.
    pub name: String,
    /// Where mail reaches them.
    pub address: Option<String>,
    /// Where an issuer says that mail reaches them: shown, and nothing is found by it.
    pub vouched: Option<String>,
    /// Argon2id of their password, in PHC form; none for who logs in elsewhere, or not at all.
    pub password: Option<String>,
}

/// A human.
#[derive(Clone, Debug)]
pub struct User {
    /// Their id.
    pub id: UserId,
    /// Whether they may act.
    pub standing: Standing,
    /// What is known of them.
    pub body: UserBody,
    /// When they came.
    pub created_at: Timestamp,
    version: u64,
}

/// A human in an organization.
pub type OrganizationMember = OrganizationMemberRow;

impl DoorTx {
    /// Makes a human.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the address is somebody's.
    pub async fn put_user(&mut self, id: UserId, body: &UserBody) -> Result<(), StoreError> {
        let row = UserRow {
            id,
            fingerprint: body.address.as_deref().map(|a| self.address(a)),
            standing: Standing::Active,
            version: 0,
            body: Some(self.seal_user(id, body)),
            created_at: self.now,
        };
        self.rows.put_user(row).await
    }

    /// One human.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get_user(&mut self, id: UserId) -> Result<Option<User>, StoreError> {
        let row = self.rows.user(id).await?;
        row.map(|row| self.open_user(&row)).transpose()
    }

    /// The human of a mail address, however it is cased.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get_user_of_address(&mut self, address: &str) -> Result<Option<User>, StoreError> {
        let fingerprint = self.address(address);
        // Somebody is read and opened in any case: how long it takes does not tell who it was.
        let Some(row) = self.rows.nearest_user(fingerprint).await? else {
            return Ok(None);
        };
        let nearest = self.open_user(&row);
        if row.fingerprint == Some(fingerprint) {
            nearest.map(Some)
        } else {
            Ok(None)
        }
    }

    /// Whether anybody could log in.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn has_users(&mut self) -> Result<bool, StoreError> {
        self.rows.has_users().await
    }

    /// Changes a human who was read; `false` when somebody else did meanwhile.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the new address is somebody else's.
    pub async fn update_user(&mut self, user: &User, body: &UserBody) -> Result<bool, StoreError> {
        let fingerprint = body.address.as_deref().map(|a| self.address(a));
        let sealed = self.seal_user(user.id, body);
        self.rows
            .update_user(user.id, user.version, fingerprint, sealed)
            .await
    }

    /// Makes somebody a member, or changes as what.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_member(
        &mut self,
        organization: OrganizationId,
        user: UserId,
        role: OrganizationRole,
    ) -> Result<(), StoreError> {
        let row = OrganizationMemberRow {
            user,
            role,
            standing: Standing::Active,
            created_at: self.now,
        };
        self.news.add(Revoked::Membership);
        self.rows.put_member(organization, row).await
    }

    /// Gives a member a role in a workspace, or takes it away.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn set_workspace_role(
        &mut self,
        tenant: (OrganizationId, WorkspaceId),
        user: UserId,
        role: Option<Role>,
    ) -> Result<(), StoreError> {
        let now = self.now;
        self.news.add(Revoked::Membership);
        self.rows.set_workspace_role(tenant, user, role, now).await
    }

    /// The organizations of a human, and what they are there.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_organizations_of(
        &mut self,
        user: UserId,
    ) -> Result<Vec<(OrganizationId, OrganizationMember)>, StoreError> {
        self.rows.organizations_of(user).await
    }

    fn seal_user(&self, id: UserId, body: &UserBody) -> skep_crypto::Sealed {
        let bytes = BodyWriter::default()
            .text(&body.name)
            .option(body.address.as_deref())
            .option(body.password.as_deref())
            .option(body.vouched.as_deref())
            .finish();
        self.keys.seal(USER_BODY, (NOBODY, id.to_bytes()), &bytes)
    }

    fn open_user(&self, row: &UserRow) -> Result<User, StoreError> {
        let body = match &row.body {
            None => UserBody::default(),
            Some(sealed) => {
                let at = (NOBODY, row.id.to_bytes());
                let plain = self.keys.open(USER_BODY, at, sealed)?;
                let mut reader = BodyReader(plain.expose());
                let mut body = UserBody {
                    name: reader.text()?,
                    address: reader.option()?,
                    password: reader.option()?,
                    vouched: None,
                };
                // Whoever was written down before single sign-on was has no more.
                if !reader.0.is_empty() {
                    body.vouched = reader.option()?;
                }
                reader.end()?;
                body
            }
        };
        Ok(User {
            id: row.id,
            standing: row.standing,
            body,
            created_at: row.created_at,
            version: row.version,
        })
    }

    fn address(&self, address: &str) -> [u8; 16] {
        let normal = normal_address(address);
        self.keys.fingerprint(&[b"mail address", normal.as_bytes()])
    }
}

impl OrgTx<MemberManage> {
    /// Keeps a ticket of the organization's, such as an invitation.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when there is one for the same secret.
    pub async fn put_ticket(
        &mut self,
        secret: &[u8],
        mut new: NewTicket,
    ) -> Result<(), StoreError> {
        new.organization = Some(self.organization);
        self.door.put_ticket(secret, None, new).await
    }

    /// Open tickets of the organization, of one kind.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_tickets(
        &mut self,
        kind: TicketKind,
        limit: u32,
    ) -> Result<Vec<Ticket>, StoreError> {
        let organization = Some(self.organization);
        self.door.list_tickets(kind, organization, limit).await
    }

    /// Removes a ticket that was listed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn delete_ticket(&mut self, ticket: &Ticket) -> Result<bool, StoreError> {
        self.door.delete_ticket(ticket).await
    }

    /// The members of the organization, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_members(
        &mut self,
        after: Option<UserId>,
        limit: u32,
    ) -> Result<Vec<OrganizationMember>, StoreError> {
        let organization = self.organization;
        self.door.rows.members_of(organization, after, limit).await
    }

    /// One member.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get_member(
        &mut self,
        user: UserId,
    ) -> Result<Option<OrganizationMember>, StoreError> {
        self.door.rows.member(self.organization, user).await
    }

    /// Who a member is; `None` for anybody who is none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get_user(&mut self, user: UserId) -> Result<Option<User>, StoreError> {
        if self.get_member(user).await?.is_none() {
            return Ok(None);
        }
        self.door.get_user(user).await
    }

    /// The roles of a member in the organization's workspaces.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_workspace_roles(
        &mut self,
        user: UserId,
    ) -> Result<Vec<(WorkspaceId, Role)>, StoreError> {
        self.door
            .rows
            .workspace_roles(self.organization, user)
            .await
    }

    /// How many owners the organization has who may act and can log in: whoever owns it by running
    /// the daemon is not among them.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count_owners(&mut self) -> Result<u64, StoreError> {
        self.door.rows.count_owners(self.organization).await
    }

    /// Makes void whatever a member made for the organization: invitations, codes for others.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn void_tickets_made_by(&mut self, maker: UserId) -> Result<u64, StoreError> {
        let organization = self.organization;
        self.door
            .rows
            .void_tickets_made_by(organization, maker)
            .await
    }

    /// Makes somebody a member, or changes as what.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_member(
        &mut self,
        user: UserId,
        role: OrganizationRole,
    ) -> Result<(), StoreError> {
        let organization = self.organization;
        self.door.put_member(organization, user, role).await
    }

    /// Gives a member a role in this workspace, or takes it away.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn set_workspace_role(
        &mut self,
        user: UserId,
        role: Option<Role>,
    ) -> Result<(), StoreError> {
        let tenant = self.tenant();
        self.door.set_workspace_role(tenant, user, role).await
    }

    /// Sets whether a member may act; `false` when there is none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn set_member_standing(
        &mut self,
        user: UserId,
        standing: Standing,
    ) -> Result<bool, StoreError> {
        self.door.news.add(Revoked::Membership);
        self.door
            .rows
            .set_member_standing(self.organization, user, standing)
            .await
    }

    /// Ends a membership and revokes all that proves the member here; `false` when there was none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn remove_member(&mut self, user: UserId) -> Result<bool, StoreError> {
        let organization = self.organization;
        let who = skep_domain::Principal::User(user);
        self.door
            .revoke_credentials_of(Some(organization), who)
            .await?;
        let links = self.door.rows.delete_identity_links(organization, user);
        links.await?;
        self.door.news.add(Revoked::Membership);
        self.door.rows.remove_member(organization, user).await
    }
}

impl SelfTx {
    /// Who they are; `None` for an agent, and for who was removed meanwhile.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get_user(&mut self) -> Result<Option<User>, StoreError> {
        match self.user() {
            Some(user) => self.door.get_user(user).await,
            None => Ok(None),
        }
    }

    /// Changes what is known of them; `false` when somebody else did meanwhile.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the new address is somebody else's.
    pub async fn update_user(&mut self, user: &User, body: &UserBody) -> Result<bool, StoreError> {
        if self.user() != Some(user.id) {
            return Ok(false);
        }
        self.door.update_user(user, body).await
    }
}
