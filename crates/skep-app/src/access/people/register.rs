//! Making an account by oneself, where that is allowed: a letter with a code goes to the address, and
//! nothing is made before somebody enters it.

use serde::{Deserialize, Serialize};
use skep_authz::Denied;
use skep_crypto::Plain;
use skep_domain::{OrganizationId, OrganizationRole, PasswordRules, UserId, WorkspaceId};
use skep_store::row::TicketKind;
use skep_store::{Mode, NewTicket, NewWorkspace, StoreError, UserBody};

use super::account;
use super::login::LoginStep;
use super::post::Job;
use super::ticket::{self, DAY, typed};
use crate::access::{Whom, door};
use crate::{App, AppError};

const PREFIX: &str = "skep_confirm_";
/// How long a code is good for.
const GOOD: i64 = DAY;
/// Accounts that may wait for their code to be entered.
const OPEN: u64 = 10_000;

/// Who wants an account.
pub struct Newcomer {
    /// Their address.
    pub address: String,
    /// What they are called.
    pub name: String,
    /// Their password.
    pub password: Plain<String>,
}

impl Newcomer {
    /// Takes what somebody typed.
    #[must_use]
    pub fn new(address: String, name: String, password: String) -> Self {
        Self {
            address,
            name,
            password: Plain::new(password),
        }
    }
}

/// What waits for a code.
#[derive(Serialize, Deserialize)]
struct Waits {
    address: String,
    name: String,
    password: String,
    #[serde(with = "ticket::id")]
    organization: OrganizationId,
    #[serde(with = "ticket::id")]
    workspace: WorkspaceId,
}

impl App {
    /// Whether anybody may make an account.
    #[must_use]
    pub fn is_open_to_all(&self) -> bool {
        self.people.public_registration
    }

    /// Has a letter sent to an address, with a code or with the news that it has an account. Whether
    /// it has one is not told here, nor by how long this takes.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] where accounts are made by invitation alone, [`AppError::Invalid`] for
    /// what cannot be an account.
    pub fn ask_account(&self, newcomer: &Newcomer) -> Result<(), AppError> {
        self.require_open()?;
        let address = account::address(&newcomer.address)?;
        let name = account::name(&newcomer.name)?;
        let password = newcomer.password.expose();
        PasswordRules::check(password, &[&address, &name]).map_err(account::refused)?;
        self.outbox.put(Job::Account(Newcomer {
            address,
            name,
            password: Plain::new(password.clone()),
        }));
        Ok(())
    }

    /// Sends the letter.
    pub(super) async fn mail_account(&self, newcomer: &Newcomer) -> Result<(), AppError> {
        let Newcomer {
            address,
            name,
            password,
        } = newcomer;
        let mut tx = door!(self, Mode::Read).await?;
        let known = tx.get_user_of_address(address).await?.is_some();
        let open = tx.count_tickets(TicketKind::ConfirmAddress).await?;
        drop(tx);
        if known {
            let text = format!(
                "Somebody, you we hope, wanted to make an account for {address}. There is one: log in at\n\
                 {}, or ask for a new password there.\n\nIf it was not you, nothing has happened.\n",
                self.page("/login")
            );
            self.post(address, "Your account at Skep", text);
            return Ok(());
        }
        if open >= OPEN {
            return Err(AppError::Overloaded(
                "too many accounts wait for their code",
            ));
        }
        let waits = Waits {
            password: self
                .new_password(password.expose(), &[address, name])
                .await?,
            address: address.clone(),
            name: name.clone(),
            organization: self.store.mint(),
            workspace: self.store.mint(),
        };
        let secret = self.ticket_secret(PREFIX);
        let body = ticket::write(&waits)?;
        let new = NewTicket::once(TicketKind::ConfirmAddress, self.after(GOOD), body);
        let mut tx = door!(self, Mode::Write).await?;
        tx.put_ticket(secret.expose().as_bytes(), None, new).await?;
        tx.commit().await?;
        let text = format!(
            "Somebody, you we hope, wants an account at Skep for {address}.\n\n\
             Open {} and enter this code within a day:\n\n    {}\n\n\
             If it was not you, nothing happens unless somebody enters the code.\n",
            self.page("/register/confirm"),
            secret.expose()
        );
        self.post(address, "Your account at Skep", text);
        Ok(())
    }

    /// Makes the account that waits for this code, with an organization of its own, and comes in.
    ///
    /// # Errors
    /// [`AppError::Denied`] for a code that is not ours, or no longer; [`AppError::Conflict`] when the
    /// address came to have an account meanwhile.
    pub async fn confirm_account(&self, code: &str) -> Result<LoginStep, AppError> {
        let mut whom = Whom::default();
        let outcome = self.confirm_account_of(code, &mut whom).await;
        self.record_door("auth.confirm", whom, outcome).await
    }

    async fn confirm_account_of(&self, code: &str, whom: &mut Whom) -> Result<LoginStep, AppError> {
        self.require_open()?;
        let secret = typed(code, PREFIX).ok_or(Denied::InvalidCredential)?;
        let kind = TicketKind::ConfirmAddress;
        let mut tx = door!(self, Mode::Read).await?;
        let found = tx.get_ticket(kind, secret).await?;
        let waits: Waits = ticket::read(&found.ok_or(Denied::InvalidCredential)?)?;
        let known = tx.get_user_of_address(&waits.address).await?.is_some();
        drop(tx);
        if known {
            return Err(KNOWN);
        }
        // The ids were chosen with the code: whoever enters it twice, or again after a kill, makes the
        // same one.
        let new = NewWorkspace {
            organization: waits.organization,
            workspace: waits.workspace,
            name: "default".into(),
            credentials: Vec::new(),
        };
        match self.store.put_workspace(new).await {
            Ok(()) | Err(StoreError::Conflict(_)) => {}
            Err(error) => return Err(error.into()),
        }
        let body = UserBody {
            name: waits.name,
            address: Some(waits.address),
            password: Some(waits.password),
            vouched: None,
        };
        let mut tx = door!(self, Mode::Write).await?;
        let taken = tx.take_ticket(kind, secret).await?;
        taken.ok_or(Denied::InvalidCredential)?;
        let user: UserId = tx.mint();
        *whom = Whom {
            user: Some(user),
            organization: Some(waits.organization),
        };
        match tx.put_user(user, &body).await {
            Err(StoreError::Conflict(_)) => return Err(KNOWN),
            outcome => outcome?,
        }
        let tenant = (waits.organization, waits.workspace);
        tx.put_member(tenant.0, user, OrganizationRole::Owner)
            .await?;
        let step = self.past_first(&mut tx, tenant, user, false).await?;
        tx.commit().await?;
        Ok(step)
    }

    fn require_open(&self) -> Result<(), AppError> {
        if self.is_open_to_all() {
            Ok(())
        } else {
            Err(AppError::Forbidden(
                "accounts are made by invitation here: ask an administrator for one",
            ))
        }
    }
}

const KNOWN: AppError = AppError::Conflict("this address has an account: log in with it");
