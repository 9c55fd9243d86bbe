//! Letting somebody into an organization: a token for one person, good for a week.

use serde::{Deserialize, Serialize};
use skep_authz::rights::MemberManage;
use skep_authz::{Authorized, Caller, Denied};
use skep_crypto::Plain;
use skep_domain::{OrganizationId, OrganizationRole, Role, Timestamp, UserId, WorkspaceId};
use skep_store::row::TicketKind;
use skep_store::{Account, Mode, NewTicket, User, UserBody};

use super::account;
use super::login::LoginStep;
use super::members::person;
use super::ticket::{self, DAY, typed};
use crate::access::{Whom, door};
use crate::{App, AppError};

const PREFIX: &str = "skep_invite_";
/// How long an invitation is good for.
const GOOD: i64 = 7 * DAY;
/// Invitations that an organization may have open.
const OPEN: u32 = 200;

/// Whom to let in, and as what.
pub struct NewInvite {
    /// Where mail reaches them; they log in with it.
    pub address: String,
    /// What they will be in the organization.
    pub role: OrganizationRole,
    /// What they may do in this workspace; administrators may everything anyway.
    pub workspace_role: Option<Role>,
}

/// An invitation just made.
pub struct Invited {
    /// The token, shown once.
    pub token: Plain<String>,
    /// Whether a letter with it is on its way.
    pub mailed: bool,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// An invitation that is open.
#[derive(Debug)]
pub struct InviteView {
    /// A name for it that lets nobody in.
    pub handle: [u8; 16],
    /// Whom it is for.
    pub address: String,
    /// What they will be.
    pub role: OrganizationRole,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// What somebody says when they accept.
pub struct Accepted {
    /// The token.
    pub token: Plain<String>,
    /// What they are called; what they were called before, for who has an account.
    pub name: String,
    /// A new password, or the one of the account that the address has.
    pub password: Plain<String>,
}

#[derive(Serialize, Deserialize)]
struct Into {
    address: String,
    role: u8,
    workspace_role: Option<String>,
    #[serde(with = "ticket::id")]
    workspace: WorkspaceId,
}

impl Accepted {
    /// Takes what somebody typed.
    #[must_use]
    pub fn new(token: String, name: String, password: String) -> Self {
        Self {
            token: Plain::new(token),
            name,
            password: Plain::new(password),
        }
    }
}

impl App {
    /// Invites somebody.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] when only an owner may make such a member, [`AppError::Conflict`] when
    /// too many invitations are open.
    pub async fn invite(
        &self,
        authorized: Authorized<MemberManage>,
        caller: &Caller,
        new: NewInvite,
    ) -> Result<Invited, AppError> {
        let address = account::address(&new.address)?;
        if new.role.administers() {
            self.is_there(caller).await?;
        }
        let secret = self.ticket_secret(PREFIX);
        let expires_at = self.after(GOOD);
        let body = Into {
            address: address.clone(),
            role: new.role.code(),
            workspace_role: new.workspace_role.map(|role| role.as_str().to_owned()),
            workspace: caller.workspace(),
        };
        let mut tx = self.store.begin_org(authorized).await?;
        Self::may_make(&mut tx, caller, new.role).await?;
        let open = tx.list_tickets(TicketKind::Invite, OPEN).await?;
        if open.len() >= OPEN as usize {
            return Err(AppError::Conflict(
                "200 invitations are open: withdraw some",
            ));
        }
        let ticket = NewTicket {
            maker: person(caller),
            ..NewTicket::once(TicketKind::Invite, expires_at, ticket::write(&body)?)
        };
        tx.put_ticket(secret.expose().as_bytes(), ticket).await?;
        tx.commit().await?;
        let text = format!(
            "You are invited to Skep.\n\nOpen {} and enter this code within a week:\n\n    {}\n\n\
             Whoever has the code can accept in your place, so keep it to yourself.\n",
            self.page("/invite"),
            secret.expose()
        );
        let mailed = self.post(&address, "You are invited to Skep", text);
        Ok(Invited {
            token: secret,
            mailed,
            expires_at,
        })
    }

    /// The invitations that are open.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn list_invites(
        &self,
        authorized: Authorized<MemberManage>,
    ) -> Result<Vec<InviteView>, AppError> {
        let mut tx = self.store.begin_org(authorized).await?;
        let tickets = tx.list_tickets(TicketKind::Invite, OPEN).await?;
        tickets
            .iter()
            .map(|ticket| {
                let into: Into = ticket::read(ticket)?;
                Ok(InviteView {
                    handle: ticket.handle(),
                    address: into.address,
                    role: role(into.role)?,
                    expires_at: ticket.expires_at,
                })
            })
            .collect()
    }

    /// Takes an invitation back.
    ///
    /// # Errors
    /// [`AppError::NotFound`] when there is none such.
    pub async fn withdraw_invite(
        &self,
        authorized: Authorized<MemberManage>,
        handle: [u8; 16],
    ) -> Result<(), AppError> {
        let mut tx = self.store.begin_org(authorized).await?;
        let tickets = tx.list_tickets(TicketKind::Invite, OPEN).await?;
        let found = tickets.iter().find(|ticket| ticket.handle() == handle);
        let found = found.ok_or(AppError::NotFound("invitation"))?;
        tx.delete_ticket(found).await?;
        Ok(tx.commit().await?)
    }

    /// Accepts an invitation, with a new account or the one that its address has, and comes in.
    ///
    /// # Errors
    /// [`AppError::Denied`] for a token that is not ours, or a wrong password of the account there is;
    /// [`AppError::Conflict`] for who is a member already.
    pub async fn accept_invite(&self, accepted: &Accepted) -> Result<LoginStep, AppError> {
        let mut whom = Whom::default();
        let outcome = self.accept_invite_of(accepted, &mut whom).await;
        self.record_door("invite.accept", whom, outcome).await
    }

    async fn accept_invite_of(
        &self,
        accepted: &Accepted,
        whom: &mut Whom,
    ) -> Result<LoginStep, AppError> {
        let secret = typed(accepted.token.expose(), PREFIX).ok_or(Denied::InvalidCredential)?;
        let mut tx = door!(self, Mode::Read).await?;
        let found = tx.get_ticket(TicketKind::Invite, secret).await?;
        let found = found.ok_or(Denied::InvalidCredential)?;
        let into: Into = ticket::read(&found)?;
        let organization = found.organization.ok_or(Denied::InvalidCredential)?;
        whom.organization = Some(organization);
        let known = tx.get_user_of_address(&into.address).await?;
        drop(tx);
        let (user, made) = if let Some(user) = known {
            (self.is_them(user, &into.address, accepted).await?, None)
        } else {
            let body = self.new_account(&into.address, accepted).await?;
            (self.store.mint::<UserId>(), Some(body))
        };
        whom.user = Some(user);
        let mut tx = door!(self, Mode::Write).await?;
        let taken = tx.take_ticket(TicketKind::Invite, secret).await?;
        taken.ok_or(Denied::InvalidCredential)?;
        if let Some(body) = &made {
            tx.put_user(user, body).await?;
        }
        join(&mut tx, organization, user, &into).await?;
        let user = tx.get_user(user).await?.ok_or(Denied::InvalidCredential)?;
        tx.commit().await?;
        self.come_in(&user, Some(Account::Address(&into.address)))
            .await
    }

    /// Whether whoever accepts is whose account the address has.
    async fn is_them(
        &self,
        user: User,
        address: &str,
        accepted: &Accepted,
    ) -> Result<UserId, AppError> {
        self.book(Account::Address(address)).await?;
        let stored = user.body.password.as_deref();
        let password = accepted.password.expose();
        if self.hashing.verify(password, stored).await? {
            Ok(user.id)
        } else {
            Err(Denied::InvalidCredential.into())
        }
    }

    async fn new_account(&self, address: &str, accepted: &Accepted) -> Result<UserBody, AppError> {
        let name = account::name(&accepted.name)?;
        let password = accepted.password.expose();
        let password = self.new_password(password, &[address, &name]).await?;
        Ok(UserBody {
            name,
            address: Some(address.to_owned()),
            password: Some(password),
            vouched: None,
        })
    }
}

async fn join(
    tx: &mut skep_store::DoorTx,
    organization: OrganizationId,
    user: UserId,
    into: &Into,
) -> Result<(), AppError> {
    let belongs = tx.list_organizations_of(user).await?;
    if belongs.iter().any(|(id, _)| *id == organization) {
        return Err(AppError::Conflict("you are a member already: log in"));
    }
    tx.put_member(organization, user, role(into.role)?).await?;
    if let Some(text) = &into.workspace_role {
        let role = Role::parse(text).ok_or(DAMAGED)?;
        let tenant = (organization, into.workspace);
        tx.set_workspace_role(tenant, user, Some(role)).await?;
    }
    Ok(())
}

const DAMAGED: AppError = AppError::Internal("an invitation cannot be read");

fn role(code: u8) -> Result<OrganizationRole, AppError> {
    OrganizationRole::from_code(code).ok_or(DAMAGED)
}
