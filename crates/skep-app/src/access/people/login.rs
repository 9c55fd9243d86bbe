//! Logging in: an address and a password, then a second factor where there is one.
//!
//! An attempt is booked before it is judged, for addresses that nobody has as for others, and a
//! password is compared with something in either case: what comes back, and when, says nothing about
//! who has an account.

use serde::{Deserialize, Serialize};
use skep_authz::Denied;
use skep_crypto::Plain;
use skep_domain::{Attempt, FactorKind, OrganizationId, Principal, Standing, UserId, WorkspaceId};
use skep_store::row::TicketKind;
use skep_store::{Account, DoorTx, Factor, Mode, NewTicket, User};

use super::sessions::Browser;
use super::sso::still_trusted;
use super::ticket::{self, MINUTE, typed};
use crate::access::{Whom, door};
use crate::{App, AppError};

const PREFIX: &str = "skep_pl_";
/// How long somebody may take for the second step.
const PENDING: i64 = 5 * MINUTE;

/// What somebody types to log in.
pub struct Credentials {
    /// Their address.
    pub address: String,
    /// Their password.
    pub password: Plain<String>,
}

/// A browser that was let in.
pub struct LoggedIn {
    /// The value of its cookie, shown once.
    pub cookie: Plain<String>,
    /// What it has to say beside the cookie.
    pub csrf: String,
    /// Where they are.
    pub organization: OrganizationId,
}

/// How far a login has come.
pub enum LoginStep {
    /// They are in.
    In(LoggedIn),
    /// A second factor is owed.
    Owed {
        /// What the next step has to bring.
        pending: Plain<String>,
        /// What they can show.
        kinds: Vec<FactorKind>,
    },
}

/// A second factor that was shown.
pub enum SecondFactor {
    /// A code: of an app, or one that was written down.
    Code(Plain<String>),
}

/// What is known of somebody whose password was right.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Pending {
    #[serde(with = "ticket::id")]
    pub(super) user: UserId,
    #[serde(with = "ticket::id")]
    pub(super) organization: OrganizationId,
    #[serde(with = "ticket::id")]
    pub(super) workspace: WorkspaceId,
    /// Whether an issuer that one organization trusts took the first step for them.
    #[serde(default)]
    pub(super) confined: bool,
}

impl Credentials {
    /// Takes what somebody typed.
    #[must_use]
    pub fn new(address: String, password: String) -> Self {
        Self {
            address,
            password: Plain::new(password),
        }
    }
}

impl SecondFactor {
    /// A code that somebody typed.
    #[must_use]
    pub fn code(code: String) -> Self {
        Self::Code(Plain::new(code))
    }
}

impl App {
    /// Logs somebody in by password.
    ///
    /// # Errors
    /// [`AppError::Denied`] when it is not so, whatever is not; [`AppError::RateLimited`] after five
    /// attempts, right or wrong.
    pub async fn log_in(&self, credentials: &Credentials) -> Result<LoginStep, AppError> {
        let mut whom = Whom::default();
        let outcome = self.log_in_of(credentials, &mut whom).await;
        self.record_door("auth.login", whom, outcome).await
    }

    async fn log_in_of(
        &self,
        credentials: &Credentials,
        whom: &mut Whom,
    ) -> Result<LoginStep, AppError> {
        let address = credentials.address.as_str();
        self.book(Account::Address(address)).await?;
        let mut tx = door!(self, Mode::Read).await?;
        let user = tx.get_user_of_address(address).await?;
        drop(tx);
        whom.user = user.as_ref().map(|user| user.id);
        let stored = user.as_ref().and_then(|user| user.body.password.as_deref());
        let password = credentials.password.expose();
        let right = self.hashing.verify(password, stored).await?;
        let user = user.filter(|user| right && user.standing == Standing::Active);
        let user = user.ok_or(Denied::InvalidCredential)?;
        self.come_in(&user, Some(Account::Address(address))).await
    }

    /// Books an attempt, so that it counts whatever comes of it.
    pub(super) async fn book(&self, account: Account<'_>) -> Result<(), AppError> {
        let mut tx = door!(self, Mode::Write).await?;
        let attempt = tx.book_attempt(account).await?;
        let now = tx.now();
        tx.commit().await?;
        match attempt {
            Attempt::Booked(_) => Ok(()),
            Attempt::Shut { until } => {
                let micros = until.as_micros().saturating_sub(now.as_micros()).max(1_000);
                Err(AppError::RateLimited {
                    retry_after_ms: (micros / 1_000).cast_unsigned(),
                })
            }
        }
    }

    /// Lets in who showed a first factor, or asks for the second.
    pub(super) async fn come_in(
        &self,
        user: &User,
        booked: Option<Account<'_>>,
    ) -> Result<LoginStep, AppError> {
        let mut tx = door!(self, Mode::Write).await?;
        if let Some(account) = booked {
            tx.forget_attempts(account).await?;
        }
        let tenant = home(&mut tx, user.id).await?;
        let step = self.past_first(&mut tx, tenant, user.id, false).await?;
        tx.commit().await?;
        Ok(step)
    }

    /// The step after the first: in, or a second factor is owed.
    pub(super) async fn past_first(
        &self,
        tx: &mut DoorTx,
        tenant: (OrganizationId, WorkspaceId),
        user: UserId,
        confined: bool,
    ) -> Result<LoginStep, AppError> {
        let kinds = confirmed_kinds(&tx.list_factors(user).await?);
        if kinds.is_empty() {
            let session = self.mint_browser()?;
            let browser = Browser {
                confined,
                ..Browser::first(tenant, Principal::User(user))
            };
            return Ok(LoginStep::In(self.put_browser(tx, session, browser).await?));
        }
        let pending = Pending {
            user,
            organization: tenant.0,
            workspace: tenant.1,
            confined,
        };
        let secret = self.ticket_secret(PREFIX);
        let ticket = NewTicket {
            user: Some(user),
            ..NewTicket::once(
                TicketKind::PendingLogin,
                self.after(PENDING),
                ticket::write(&pending)?,
            )
        };
        tx.put_ticket(secret.expose().as_bytes(), None, ticket)
            .await?;
        Ok(LoginStep::Owed {
            pending: secret,
            kinds,
        })
    }

    /// Takes the second step of a login.
    ///
    /// # Errors
    /// As [`App::log_in`]; the login begins anew when too much time passed.
    pub async fn log_in_second(
        &self,
        pending: &str,
        shown: &SecondFactor,
    ) -> Result<LoggedIn, AppError> {
        let mut whom = Whom::default();
        let outcome = self.log_in_second_of(pending, shown, &mut whom).await;
        self.record_door("auth.second", whom, outcome).await
    }

    async fn log_in_second_of(
        &self,
        pending: &str,
        shown: &SecondFactor,
        whom: &mut Whom,
    ) -> Result<LoggedIn, AppError> {
        let owed = self.pending_login(pending).await?;
        whom.user = Some(owed.user);
        self.book(Account::SecondFactor(owed.user)).await?;
        let session = self.mint_browser()?;
        let mut tx = door!(self, Mode::Write).await?;
        let SecondFactor::Code(code) = shown;
        if !self.show_code(&mut tx, owed.user, code.expose()).await? {
            return Err(Denied::InvalidCredential.into());
        }
        self.take_pending(&mut tx, pending).await?;
        if owed.confined {
            still_trusted(&mut tx, owed.organization).await?;
        }
        tx.forget_attempts(Account::SecondFactor(owed.user)).await?;
        let browser = Browser {
            stepped_up: true,
            confined: owed.confined,
            ..Browser::first(
                (owed.organization, owed.workspace),
                Principal::User(owed.user),
            )
        };
        let logged_in = self.put_browser(&mut tx, session, browser).await?;
        tx.commit().await?;
        Ok(logged_in)
    }

    /// Of two who take the second step at once, one comes in.
    pub(super) async fn take_pending(
        &self,
        tx: &mut DoorTx,
        pending: &str,
    ) -> Result<(), AppError> {
        let secret = typed(pending, PREFIX).ok_or(Denied::InvalidCredential)?;
        let taken = tx.take_ticket(TicketKind::PendingLogin, secret).await?;
        taken
            .map(drop)
            .ok_or_else(|| Denied::InvalidCredential.into())
    }

    /// Who has shown a password and owes a second factor.
    pub(super) async fn pending_login(&self, pending: &str) -> Result<Pending, AppError> {
        let secret = typed(pending, PREFIX).ok_or(Denied::InvalidCredential)?;
        let mut tx = door!(self, Mode::Read).await?;
        let found = tx.get_ticket(TicketKind::PendingLogin, secret).await?;
        ticket::read(&found.ok_or(Denied::InvalidCredential)?)
    }
}

/// What somebody can show; recovery codes alone are no factor, they stand in for one.
pub(super) fn confirmed_kinds(factors: &[Factor]) -> Vec<FactorKind> {
    let mut kinds: Vec<FactorKind> = factors
        .iter()
        .filter(|factor| factor.confirmed)
        .map(|factor| factor.kind)
        .collect();
    kinds.sort_unstable();
    kinds.dedup();
    if kinds == [FactorKind::Recovery] {
        kinds.clear();
    }
    kinds
}

/// Where somebody comes in: the first organization that lets them, and their first workspace there.
pub(super) async fn home(
    tx: &mut DoorTx,
    user: UserId,
) -> Result<(OrganizationId, WorkspaceId), AppError> {
    for (organization, member) in tx.list_organizations_of(user).await? {
        if member.standing == Standing::Active
            && let Some(workspace) = tx.home_of(organization, user).await?
        {
            return Ok((organization, workspace));
        }
    }
    Err(Denied::InvalidCredential.into())
}

/// Shows where, never the cookie.
impl std::fmt::Debug for LoggedIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LoggedIn")
            .field("organization", &self.organization)
            .finish_non_exhaustive()
    }
}
