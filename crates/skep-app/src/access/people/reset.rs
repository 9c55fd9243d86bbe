//! A new password for somebody who forgot theirs: by a letter, or by a token that an administrator
//! hands over.

use serde::{Deserialize, Serialize};
use skep_authz::rights::MemberManage;
use skep_authz::{Authorized, Caller, Denied};
use skep_crypto::Plain;
use skep_domain::{Timestamp, UserId};
use skep_store::row::TicketKind;
use skep_store::{Account, Mode, NewTicket, User};

use super::factors::{NO_ACCOUNT, bounded, wrong};
use super::members::person;
use super::post::Job;
use super::ticket::{self, HOUR, typed};
use crate::access::{Whom, door};
use crate::{App, AppError};

const PREFIX: &str = "skep_reset_";
/// How long a token is good for.
const GOOD: i64 = HOUR;

/// A token for a new password, shown once.
pub struct NewReset {
    /// The token.
    pub token: Plain<String>,
    /// When it ends.
    pub expires_at: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct For {
    #[serde(with = "ticket::id")]
    user: UserId,
}

impl App {
    /// Makes a token with which a member chooses a new password. Their second factor is asked for all
    /// the same.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] for who belongs to other organizations too: one of them shall not get
    /// into another through a member of both.
    pub async fn create_reset(
        &self,
        authorized: Authorized<MemberManage>,
        caller: &Caller,
        user: UserId,
    ) -> Result<NewReset, AppError> {
        let organization = authorized.organization();
        let mut tx = self.store.begin_org(authorized).await?;
        let mine = Self::may_manage(&mut tx, caller, user).await?;
        drop(tx);
        mine?;
        let mut tx = door!(self, Mode::Write).await?;
        let elsewhere = tx.list_organizations_of(user).await?;
        if elsewhere.iter().any(|(id, _)| *id != organization) {
            return Err(AppError::Forbidden(
                "they belong to other organizations too, and ask for a letter themselves",
            ));
        }
        // One code at a time: an earlier one may lie about somewhere.
        tx.void_tickets_of(user).await?;
        let secret = self.ticket_secret(PREFIX);
        let expires_at = self.after(GOOD);
        let ticket = NewTicket {
            organization: Some(organization),
            maker: person(caller),
            ..open(user, expires_at)?
        };
        tx.put_ticket(secret.expose().as_bytes(), None, ticket)
            .await?;
        tx.commit().await?;
        Ok(NewReset {
            token: secret,
            expires_at,
        })
    }

    /// Has a letter sent to an address, if it is somebody's. Says nothing about that.
    pub fn ask_reset(&self, address: &str) {
        if self.people.mailer.is_some() && address.len() <= 254 {
            self.outbox.put(Job::Reset {
                address: address.trim().to_owned(),
            });
        }
    }

    pub(super) async fn mail_reset(&self, address: &str) -> Result<(), AppError> {
        let mut tx = door!(self, Mode::Write).await?;
        let Some(user) = tx.get_user_of_address(address).await? else {
            return Ok(());
        };
        let secret = self.ticket_secret(PREFIX);
        let ticket = open(user.id, self.after(GOOD))?;
        tx.put_ticket(secret.expose().as_bytes(), None, ticket)
            .await?;
        tx.commit().await?;
        let text = format!(
            "Somebody, you we hope, asked for a new password for {address}.\n\n\
             Open {} and enter this code within an hour:\n\n    {}\n\n\
             If it was not you, nothing happens unless somebody enters the code.\n",
            self.page("/reset"),
            secret.expose()
        );
        self.post(address, "A new password for Skep", text);
        Ok(())
    }

    /// Puts a new password in place. Whatever proved them before is void, everywhere.
    ///
    /// # Errors
    /// [`AppError::Denied`] for a token that is not ours, or no longer.
    pub async fn reset_password(&self, token: &str, password: &str) -> Result<(), AppError> {
        let mut whom = Whom::default();
        let outcome = self.reset_password_of(token, password, &mut whom).await;
        self.record_door("auth.reset", whom, outcome).await
    }

    async fn reset_password_of(
        &self,
        token: &str,
        password: &str,
        whom: &mut Whom,
    ) -> Result<(), AppError> {
        let secret = typed(token, PREFIX).ok_or(Denied::InvalidCredential)?;
        let mut tx = door!(self, Mode::Read).await?;
        let found = tx.get_ticket(TicketKind::Reset, secret).await?;
        let For { user } = ticket::read(&found.ok_or(Denied::InvalidCredential)?)?;
        whom.user = Some(user);
        let user = tx.get_user(user).await?.ok_or(Denied::InvalidCredential)?;
        drop(tx);
        let hash = self.password_for(&user, password).await?;
        let mut tx = door!(self, Mode::Write).await?;
        let mine = tx.take_ticket(TicketKind::Reset, secret).await?;
        mine.ok_or(Denied::InvalidCredential)?;
        if !tx
            .update_user(&user, &Self::with_password(&user, hash))
            .await?
        {
            return Err(AppError::Conflict(
                "the account changed meanwhile: try again",
            ));
        }
        self.forget_credentials(&mut tx, user.id).await?;
        if let Some(address) = user.body.address.as_deref() {
            tx.forget_attempts(Account::Address(address)).await?;
        }
        tx.commit().await?;
        self.verified.clear();
        Ok(())
    }

    /// Changes the caller's password. Everything else that proves them is void, everywhere; they come
    /// in anew.
    ///
    /// # Errors
    /// [`AppError::Invalid`] when the old one is wrong.
    pub async fn change_password(
        &self,
        caller: &Caller,
        old: &str,
        new: &str,
    ) -> Result<(), AppError> {
        let id = super::factors::human(caller)?;
        bounded("old", old)?;
        bounded("new", new)?;
        if !caller.kind().is_in_person() {
            return Err(AppError::Forbidden(
                "a key cannot change who somebody is: log in",
            ));
        }
        let mut tx = self.store.begin_self(caller, Mode::Read).await?;
        let user = tx.get_user().await?.ok_or(NO_ACCOUNT)?;
        drop(tx);
        self.book(Account::SecondFactor(id)).await?;
        let stored = user.body.password.as_deref();
        if !self.hashing.verify(old, stored).await? {
            return Err(wrong("old"));
        }
        let hash = self.password_for(&user, new).await?;
        let mut tx = door!(self, Mode::Write).await?;
        if !tx
            .update_user(&user, &Self::with_password(&user, hash))
            .await?
        {
            return Err(AppError::Conflict(
                "the account changed meanwhile: try again",
            ));
        }
        tx.forget_attempts(Account::SecondFactor(id)).await?;
        self.forget_credentials(&mut tx, id).await?;
        tx.commit().await?;
        self.verified.clear();
        Ok(())
    }

    async fn password_for(&self, user: &User, password: &str) -> Result<String, AppError> {
        let address = user.body.address.as_deref().unwrap_or_default();
        self.new_password(password, &[address, &user.body.name])
            .await
    }
}

fn open(user: UserId, expires_at: Timestamp) -> Result<NewTicket, AppError> {
    let body = ticket::write(&For { user })?;
    Ok(NewTicket {
        user: Some(user),
        ..NewTicket::once(TicketKind::Reset, expires_at, body)
    })
}
