//! Passkeys: enrolled by somebody who is in, used to come in, or as the second factor.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use skep_authz::{Caller, Denied};
use skep_crypto::Plain;
use skep_domain::{FactorKind, Id, Principal, Standing, UserId};
use skep_store::row::TicketKind;
use skep_store::{Account, DoorTx, Factor, Mode, NewFactor, NewTicket};

use super::RecoveryCodes;
use super::factors::{bounded, human, of_caller, room, wrong};
use super::login::{LoggedIn, Pending, home};
use super::sessions::Browser;
use super::sso::still_trusted;
use super::ticket::{self, MINUTE, typed};
use crate::access::passkey::{Assertion, Challenge, For, Passkey, PasskeyError, RelyingParty};
use crate::access::{Whom, door};
use crate::{App, AppError};

const PREFIX: &str = "skep_pc_";
/// How long a browser may take.
const PENDING: i64 = 5 * MINUTE;

/// A ceremony that has begun.
pub struct Ceremony {
    /// What the answer has to bring, beside what the browser gives.
    pub ceremony: Plain<String>,
    /// What to hand to the browser.
    pub options: Value,
}

/// What a ceremony is about.
#[derive(Serialize, Deserialize)]
enum About {
    /// Somebody enrols.
    Enrol(Whose),
    /// Anybody comes in.
    ComeIn,
    /// Somebody shows a factor.
    Show(Whose),
}

#[derive(Serialize, Deserialize)]
struct Whose(#[serde(with = "ticket::id")] UserId);

#[derive(Serialize, Deserialize)]
struct Begun {
    challenge: [u8; 32],
    about: About,
}

impl App {
    fn party(&self) -> Result<&RelyingParty, AppError> {
        self.people.party.as_ref().ok_or(AppError::Conflict(
            "passkeys need the address that browsers reach this daemon at: set server.public_url to one with a host name",
        ))
    }

    async fn begin_ceremony(&self, about: About) -> Result<(Challenge, Plain<String>), AppError> {
        let challenge = self.fresh_challenge();
        let secret = self.ticket_secret(PREFIX);
        let begun = Begun {
            challenge: challenge.to_bytes(),
            about,
        };
        let ticket = NewTicket::once(
            TicketKind::PasskeyCeremony,
            self.after(PENDING),
            ticket::write(&begun)?,
        );
        let mut tx = door!(self, Mode::Write).await?;
        tx.put_ticket(secret.expose().as_bytes(), None, ticket)
            .await?;
        tx.commit().await?;
        Ok((challenge, secret))
    }

    /// Each ceremony is answered once, rightly or wrongly.
    async fn end_ceremony(&self, secret: &str) -> Result<Begun, AppError> {
        let secret = typed(secret, PREFIX).ok_or(Denied::InvalidCredential)?;
        let mut tx = door!(self, Mode::Write).await?;
        let taken = tx.take_ticket(TicketKind::PasskeyCeremony, secret).await?;
        tx.commit().await?;
        ticket::read(&taken.ok_or(Denied::InvalidCredential)?)
    }

    /// Begins to enrol a passkey of the caller's.
    ///
    /// # Errors
    /// [`AppError::Denied`] when the caller has not shown who they are just now.
    pub async fn begin_passkey(
        &self,
        caller: &Caller,
        password: Option<&str>,
    ) -> Result<Ceremony, AppError> {
        let party = self.party()?;
        let user = self.reassure(caller, password).await?;
        let known = self.passkeys_of(user.id).await?;
        let (challenge, ceremony) = self.begin_ceremony(About::Enrol(Whose(user.id))).await?;
        let whom = For {
            handle: &user.id.to_bytes(),
            address: user.body.address.as_deref().unwrap_or(&user.body.name),
            name: &user.body.name,
        };
        Ok(Ceremony {
            options: party.creation(&challenge, whom, &known),
            ceremony,
        })
    }

    /// Keeps the passkey that a browser made. The first factor brings recovery codes; the session is
    /// renewed, with the factor shown.
    ///
    /// # Errors
    /// [`AppError::Unfit`] says what is wrong with the browser's answer.
    pub async fn finish_passkey(
        &self,
        caller: &Caller,
        ceremony: &str,
        label: &str,
        answer: &Value,
    ) -> Result<(Option<RecoveryCodes>, Option<LoggedIn>), AppError> {
        let user = human(caller)?;
        let label = super::account::name(label)?;
        bounded("ceremony", ceremony)?;
        let begun = self.end_ceremony(ceremony).await;
        let begun = begun.map_err(of_caller("ceremony"))?;
        if !matches!(&begun.about, About::Enrol(Whose(whose)) if *whose == user) {
            return Err(wrong("ceremony"));
        }
        let challenge = Challenge::from_bytes(begun.challenge);
        let passkey = self.party()?.made(&challenge, answer).map_err(unfit)?;
        let mut tx = door!(self, Mode::Write).await?;
        let factors = tx.list_factors(user).await?;
        room(&factors)?;
        let new = NewFactor {
            kind: FactorKind::Passkey,
            label: &label,
            secret: &passkey.to_bytes(),
            found_by: Some(&passkey.id),
            confirmed: true,
        };
        tx.put_factor(user, new).await?;
        let has_codes = factors.iter().any(|f| f.kind == FactorKind::Recovery);
        let codes = if has_codes {
            None
        } else {
            Some(self.put_recovery_codes(&mut tx, user).await?)
        };
        let renewed = self.renew(&mut tx, caller, true).await?;
        tx.commit().await?;
        Ok((codes, renewed))
    }

    /// Begins to come in by passkey, without a word about who.
    ///
    /// # Errors
    /// [`AppError::Conflict`] when passkeys are not set up here.
    pub async fn begin_passkey_login(&self) -> Result<Ceremony, AppError> {
        let party = self.party()?;
        let (challenge, ceremony) = self.begin_ceremony(About::ComeIn).await?;
        Ok(Ceremony {
            options: party.request(&challenge, &[]),
            ceremony,
        })
    }

    /// Lets in whoever has the passkey: it is two factors, the device and what unlocks it.
    ///
    /// # Errors
    /// [`AppError::Denied`], whatever is wrong.
    pub async fn finish_passkey_login(
        &self,
        ceremony: &str,
        answer: &Value,
    ) -> Result<LoggedIn, AppError> {
        let mut whom = Whom::default();
        let outcome = self
            .finish_passkey_login_of(ceremony, answer, &mut whom)
            .await;
        self.record_door("auth.passkey", whom, outcome).await
    }

    async fn finish_passkey_login_of(
        &self,
        ceremony: &str,
        answer: &Value,
        whom: &mut Whom,
    ) -> Result<LoggedIn, AppError> {
        let begun = self.end_ceremony(ceremony).await?;
        if !matches!(begun.about, About::ComeIn) {
            return Err(Denied::InvalidCredential.into());
        }
        let session = self.mint_browser()?;
        let mut tx = door!(self, Mode::Write).await?;
        let factor = self.use_passkey(&mut tx, &begun, answer).await?;
        whom.user = Some(factor.user);
        let user = tx.get_user(factor.user).await?;
        // Whom an issuer brought comes by way of that issuer: a passkey is their second factor.
        user.filter(|user| user.standing == Standing::Active && user.body.vouched.is_none())
            .ok_or(Denied::InvalidCredential)?;
        let browser = Browser {
            stepped_up: true,
            ..Browser::first(
                home(&mut tx, factor.user).await?,
                Principal::User(factor.user),
            )
        };
        let logged_in = self.put_browser(&mut tx, session, browser).await?;
        tx.commit().await?;
        Ok(logged_in)
    }

    /// Begins to show a passkey as the second step of a login.
    ///
    /// # Errors
    /// [`AppError::Denied`] when no login is under way.
    pub async fn begin_passkey_second(&self, pending: &str) -> Result<Ceremony, AppError> {
        let owed = self.pending_login(pending).await?;
        self.begin_show(owed.user).await
    }

    /// Takes the second step of a login with a passkey.
    ///
    /// # Errors
    /// As [`App::log_in_second`].
    pub async fn finish_passkey_second(
        &self,
        pending: &str,
        ceremony: &str,
        answer: &Value,
    ) -> Result<LoggedIn, AppError> {
        let mut whom = Whom::default();
        let outcome = self
            .finish_passkey_second_of(pending, ceremony, answer, &mut whom)
            .await;
        self.record_door("auth.second", whom, outcome).await
    }

    async fn finish_passkey_second_of(
        &self,
        pending: &str,
        ceremony: &str,
        answer: &Value,
        whom: &mut Whom,
    ) -> Result<LoggedIn, AppError> {
        let Pending {
            user,
            organization,
            workspace,
            confined,
        } = self.pending_login(pending).await?;
        whom.user = Some(user);
        self.book(Account::SecondFactor(user)).await?;
        let begun = self.end_ceremony(ceremony).await?;
        let session = self.mint_browser()?;
        let mut tx = door!(self, Mode::Write).await?;
        self.show_passkey(&mut tx, user, &begun, answer).await?;
        self.take_pending(&mut tx, pending).await?;
        if confined {
            still_trusted(&mut tx, organization).await?;
        }
        tx.forget_attempts(Account::SecondFactor(user)).await?;
        let browser = Browser {
            stepped_up: true,
            confined,
            ..Browser::first((organization, workspace), Principal::User(user))
        };
        let logged_in = self.put_browser(&mut tx, session, browser).await?;
        tx.commit().await?;
        Ok(logged_in)
    }

    /// Begins to show a passkey again, for what needs a factor shown lately.
    ///
    /// # Errors
    /// [`AppError::Conflict`] when passkeys are not set up here.
    pub async fn begin_passkey_step_up(&self, caller: &Caller) -> Result<Ceremony, AppError> {
        self.begin_show(human(caller)?).await
    }

    /// Shows a passkey again; a browser gets another session.
    ///
    /// # Errors
    /// [`AppError::Invalid`], whatever is wrong.
    pub async fn finish_passkey_step_up(
        &self,
        caller: &Caller,
        ceremony: &str,
        answer: &Value,
    ) -> Result<Option<LoggedIn>, AppError> {
        bounded("ceremony", ceremony)?;
        let begun = self.end_ceremony(ceremony).await;
        let begun = begun.map_err(of_caller("ceremony"))?;
        let mut tx = door!(self, Mode::Write).await?;
        let shown = self.show_passkey(&mut tx, human(caller)?, &begun, answer);
        shown.await.map_err(of_caller("answer"))?;
        let renewed = self.renew(&mut tx, caller, true).await?;
        tx.commit().await?;
        Ok(renewed)
    }

    async fn begin_show(&self, user: UserId) -> Result<Ceremony, AppError> {
        let party = self.party()?;
        let known = self.passkeys_of(user).await?;
        let (challenge, ceremony) = self.begin_ceremony(About::Show(Whose(user))).await?;
        Ok(Ceremony {
            options: party.request(&challenge, &known),
            ceremony,
        })
    }

    async fn show_passkey(
        &self,
        tx: &mut DoorTx,
        user: UserId,
        begun: &Begun,
        answer: &Value,
    ) -> Result<(), AppError> {
        let about = matches!(&begun.about, About::Show(Whose(whose)) if *whose == user);
        if !about || self.use_passkey(tx, begun, answer).await?.user != user {
            return Err(Denied::InvalidCredential.into());
        }
        Ok(())
    }

    /// Checks an answer against the passkey that it names, and keeps its counter.
    async fn use_passkey(
        &self,
        tx: &mut DoorTx,
        begun: &Begun,
        answer: &Value,
    ) -> Result<Factor, AppError> {
        let assertion = Assertion::read(answer).map_err(refused)?;
        let factor = tx.get_passkey(&assertion.id).await?;
        let factor = factor.ok_or(Denied::InvalidCredential)?;
        // The device says whose it is; where it says so, it must be.
        if assertion
            .handle
            .is_some_and(|handle| handle != factor.user.to_bytes())
        {
            return Err(Denied::InvalidCredential.into());
        }
        let mut passkey = Passkey::from_bytes(factor.secret.expose())
            .ok_or(AppError::Internal("a passkey cannot be read"))?;
        let challenge = Challenge::from_bytes(begun.challenge);
        let party = self.party()?;
        passkey.counter = party
            .asserted(&challenge, &passkey, &assertion)
            .map_err(refused)?;
        if !tx.use_factor(&factor, &passkey.to_bytes()).await? {
            return Err(Denied::InvalidCredential.into());
        }
        Ok(factor)
    }

    async fn passkeys_of(&self, user: UserId) -> Result<Vec<Vec<u8>>, AppError> {
        let mut tx = door!(self, Mode::Read).await?;
        let factors = tx.list_factors(user).await?;
        Ok(factors
            .iter()
            .filter(|factor| factor.kind == FactorKind::Passkey)
            .filter_map(|factor| Passkey::from_bytes(factor.secret.expose()))
            .map(|passkey| passkey.id)
            .collect())
    }
}

/// For whoever enrols: what is wrong helps them.
fn unfit(error: PasskeyError) -> AppError {
    AppError::Unfit(error.to_string())
}

/// For whoever wants in: one answer, and the reason for the log.
fn refused(error: PasskeyError) -> AppError {
    tracing::info!(%error, "a passkey was refused");
    Denied::InvalidCredential.into()
}
