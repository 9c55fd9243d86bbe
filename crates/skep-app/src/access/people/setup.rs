//! The first administrator: made by whoever holds the token that the daemon printed, once.

use skep_crypto::Plain;
use skep_domain::{OrganizationRole, Principal, UserId};
use skep_store::{DoorTx, Mode, NewTicket, UserBody};

use super::account;
use super::login::LoggedIn;
use super::reset::NewReset;
use super::sessions::Browser;
use super::ticket::{DAY, typed};
use crate::access::{Whom, door};
use crate::{App, AppError};
use skep_authz::Denied;
use skep_store::row::TicketKind;

pub(super) const PREFIX: &str = "skep_setup_";

/// Who wants to be the first administrator.
pub struct FirstAdmin {
    /// The token.
    pub token: Plain<String>,
    /// Where mail reaches them; they log in with it.
    pub address: String,
    /// What they are called.
    pub name: String,
    /// Their password.
    pub password: Plain<String>,
}

impl FirstAdmin {
    /// Takes what somebody typed.
    #[must_use]
    pub fn new(token: String, address: String, name: String, password: String) -> Self {
        Self {
            token: Plain::new(token),
            address,
            name,
            password: Plain::new(password),
        }
    }
}

impl App {
    /// Whether there is anybody who can log in.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn is_set_up(&self) -> Result<bool, AppError> {
        let mut tx = door!(self, Mode::Read).await?;
        Ok(tx.has_users().await?)
    }

    /// A setup token, if nobody can log in yet and none is open: to be printed once by whoever starts
    /// the daemon. It is good for a day.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn issue_setup_token(&self) -> Result<Option<Plain<String>>, AppError> {
        let mut tx = door!(self, Mode::Write).await?;
        if tx.has_users().await? || tx.count_tickets(TicketKind::Setup).await? > 0 {
            return Ok(None);
        }
        let made = self.put_setup_token(&mut tx).await?;
        tx.commit().await?;
        Ok(Some(made.token))
    }

    /// A fresh setup token for whoever runs the daemon; the one before is void.
    ///
    /// # Errors
    /// [`AppError::Conflict`] when somebody can log in already.
    pub async fn renew_setup_token(&self) -> Result<NewReset, AppError> {
        let mut tx = door!(self, Mode::Write).await?;
        check(tx.has_users().await?, true)?;
        for open in tx.list_tickets(TicketKind::Setup, None, 10).await? {
            tx.delete_ticket(&open).await?;
        }
        let made = self.put_setup_token(&mut tx).await?;
        tx.commit().await?;
        Ok(made)
    }

    async fn put_setup_token(&self, tx: &mut DoorTx) -> Result<NewReset, AppError> {
        let made = NewReset {
            token: self.ticket_secret(PREFIX),
            expires_at: self.after(DAY),
        };
        let ticket = NewTicket::once(TicketKind::Setup, made.expires_at, Vec::new());
        let secret = made.token.expose().as_bytes();
        tx.put_ticket(secret, None, ticket).await?;
        Ok(made)
    }

    /// Makes the first administrator and logs them in. Of several at once one succeeds.
    ///
    /// # Errors
    /// [`AppError::Conflict`] when there is one already, [`AppError::Denied`] for a token that is not
    /// ours, [`AppError::Invalid`] for what cannot be an account.
    pub async fn set_up(&self, first: &FirstAdmin) -> Result<LoggedIn, AppError> {
        let mut whom = Whom::default();
        let outcome = self.set_up_of(first, &mut whom).await;
        self.record_door("setup", whom, outcome).await
    }

    async fn set_up_of(&self, first: &FirstAdmin, whom: &mut Whom) -> Result<LoggedIn, AppError> {
        let token = typed(first.token.expose(), PREFIX);
        let mut tx = door!(self, Mode::Read).await?;
        let is_set_up = tx.has_users().await?;
        let open = match token {
            Some(token) => tx.get_ticket(TicketKind::Setup, token).await?.is_some(),
            None => false,
        };
        drop(tx);
        // Nothing is hashed for who has no token.
        check(is_set_up, open)?;
        let address = account::address(&first.address)?;
        let name = account::name(&first.name)?;
        let password = first.password.expose();
        let password = self.new_password(password, &[&address, &name]).await?;
        let body = UserBody {
            name,
            address: Some(address),
            password: Some(password),
            vouched: None,
        };
        let tenant = *self
            .store
            .workspaces()
            .await?
            .first()
            .ok_or(AppError::Internal("there is no workspace yet"))?;
        whom.organization = Some(tenant.0);
        let session = self.mint_browser()?;
        let mut tx = door!(self, Mode::Write).await?;
        let is_set_up = tx.has_users().await?;
        let token = token.unwrap_or_default();
        let mine = tx.take_ticket(TicketKind::Setup, token).await?.is_some();
        check(is_set_up, mine)?;
        let user: UserId = tx.mint();
        whom.user = Some(user);
        tx.put_user(user, &body).await?;
        tx.put_member(tenant.0, user, OrganizationRole::Owner)
            .await?;
        let browser = Browser::first(tenant, Principal::User(user));
        let logged_in = self.put_browser(&mut tx, session, browser).await?;
        tx.commit().await?;
        Ok(logged_in)
    }
}

fn check(is_set_up: bool, open: bool) -> Result<(), AppError> {
    match (is_set_up, open) {
        (true, _) => Err(AppError::Conflict(
            "there is an administrator already, who can invite you",
        )),
        (false, false) => Err(Denied::InvalidCredential.into()),
        (false, true) => Ok(()),
    }
}
