//! Second factors of somebody who is in: one-time passwords, recovery codes, and what they allow.

use skep_authz::{Caller, Denied};
use skep_crypto::{Plain, RECOVERY_CODES, RecoveryCode, TotpSeed};
use skep_domain::{FactorId, FactorKind, Id, UserId};
use skep_store::{Account, DoorTx, Factor, Mode, NewFactor, User};

use super::login::{LoggedIn, confirmed_kinds};
use super::qr;
use crate::access::door;
use crate::{App, AppError, Invalid};

/// Factors that somebody may have.
const MAX_FACTORS: usize = 20;
/// Bytes of a seed, before the step that was last accepted.
const SEED: usize = 20;

/// A factor, as its owner sees it.
#[derive(Debug)]
pub struct FactorView {
    /// Its id.
    pub id: FactorId,
    /// What it is.
    pub kind: FactorKind,
    /// What its owner calls it.
    pub label: String,
    /// Whether it counts yet.
    pub confirmed: bool,
    /// Codes that are left, of recovery codes.
    pub left: Option<usize>,
    /// When it was made.
    pub created_at: skep_domain::Timestamp,
    /// When it was last used.
    pub used_at: Option<skep_domain::Timestamp>,
}

/// What to put into an authenticator app, shown once.
pub struct NewTotp {
    /// Its id.
    pub id: FactorId,
    /// What the app reads, as a QR code or a link.
    pub uri: Plain<String>,
    /// The seed, to be typed.
    pub secret: Plain<String>,
    /// The QR code as a picture.
    pub qr_svg: Plain<String>,
    /// The QR code for a terminal.
    pub qr_terminal: Plain<String>,
}

/// Codes to write down, shown once.
pub struct RecoveryCodes(pub Vec<Plain<String>>);

impl App {
    /// The caller's factors.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn list_factors(&self, caller: &Caller) -> Result<Vec<FactorView>, AppError> {
        let mut tx = self.store.begin_self(caller, Mode::Read).await?;
        let factors = tx.list_factors().await?;
        Ok(factors.into_iter().map(FactorView::of).collect())
    }

    /// Makes a seed for an authenticator app. It counts once a code of it was shown.
    ///
    /// # Errors
    /// [`AppError::Denied`] when the caller has not shown who they are just now.
    pub async fn enrol_totp(
        &self,
        caller: &Caller,
        password: Option<&str>,
    ) -> Result<NewTotp, AppError> {
        let user = self.reassure(caller, password).await?;
        let seed =
            TotpSeed::from_bytes(&[&self.store.nonce()[..], &self.store.nonce()[..4]].concat())
                .map_err(|_| AppError::Internal("a seed could not be made"))?;
        let mut tx = self.store.begin_self(caller, Mode::Write).await?;
        let factors = tx.list_factors().await?;
        room(&factors)?;
        // One that was begun and never confirmed is in nobody's way.
        for stale in factors.iter().filter(|factor| !factor.confirmed) {
            tx.delete_factor(stale.id).await?;
        }
        let new = NewFactor {
            kind: FactorKind::Totp,
            label: "authenticator app",
            secret: &totp_body(&seed, 0),
            found_by: None,
            confirmed: false,
        };
        let id = tx.put_factor(new).await?;
        tx.commit().await?;
        let secret = seed.base32();
        let account = user.body.address.unwrap_or(user.body.name);
        let uri = format!(
            "otpauth://totp/Skep:{}?secret={}&issuer=Skep",
            percent(&account),
            secret.expose()
        );
        Ok(NewTotp {
            id,
            qr_svg: Plain::new(qr::svg(&uri)?),
            qr_terminal: Plain::new(qr::terminal(&uri)?),
            uri: Plain::new(uri),
            secret,
        })
    }

    /// Takes the first code of a seed, which makes it count. The first factor brings recovery codes;
    /// the session is renewed, with the factor shown.
    ///
    /// # Errors
    /// [`AppError::Invalid`] for a wrong code, [`AppError::NotFound`] when nothing was begun.
    pub async fn confirm_totp(
        &self,
        caller: &Caller,
        code: &str,
    ) -> Result<(Option<RecoveryCodes>, Option<LoggedIn>), AppError> {
        let user = human(caller)?;
        bounded("code", code)?;
        self.book(Account::SecondFactor(user)).await?;
        let mut tx = door!(self, Mode::Write).await?;
        let factors = tx.list_factors(user).await?;
        let begun = factors
            .iter()
            .find(|factor| factor.kind == FactorKind::Totp && !factor.confirmed)
            .ok_or(AppError::NotFound("enrolment that was begun"))?;
        if !self.use_totp(&mut tx, begun, code).await? {
            return Err(wrong("code"));
        }
        tx.forget_attempts(Account::SecondFactor(user)).await?;
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

    /// Makes ten new recovery codes; the old ones are void.
    ///
    /// # Errors
    /// [`AppError::Denied`] when no factor was shown just now, [`AppError::Conflict`] when there is
    /// none for them to stand in for.
    pub async fn renew_recovery_codes(&self, caller: &Caller) -> Result<RecoveryCodes, AppError> {
        let user = human(caller)?;
        let mut tx = door!(self, Mode::Write).await?;
        let factors = tx.list_factors(user).await?;
        if confirmed_kinds(&factors).is_empty() {
            return Err(AppError::Conflict(
                "recovery codes stand in for an authenticator app or a passkey: enrol one first",
            ));
        }
        caller.require_step_up(tx.now())?;
        for old in factors.iter().filter(|f| f.kind == FactorKind::Recovery) {
            tx.delete_factor(user, old.id).await?;
        }
        let codes = self.put_recovery_codes(&mut tx, user).await?;
        tx.commit().await?;
        Ok(codes)
    }

    /// Removes a factor; with the last one its recovery codes go.
    ///
    /// # Errors
    /// [`AppError::Denied`] when no factor was shown just now, [`AppError::NotFound`].
    pub async fn remove_factor(&self, caller: &Caller, id: FactorId) -> Result<(), AppError> {
        let user = human(caller)?;
        let mut tx = door!(self, Mode::Write).await?;
        let factors = tx.list_factors(user).await?;
        if !confirmed_kinds(&factors).is_empty() {
            caller.require_step_up(tx.now())?;
        }
        if !tx.delete_factor(user, id).await? {
            return Err(AppError::NotFound("factor"));
        }
        let left: Vec<Factor> = factors.into_iter().filter(|f| f.id != id).collect();
        if confirmed_kinds(&left).is_empty() {
            for rest in &left {
                tx.delete_factor(user, rest.id).await?;
            }
        }
        Ok(tx.commit().await?)
    }

    /// Shows a second factor again, for what needs it shown lately; a browser gets another session.
    ///
    /// # Errors
    /// [`AppError::Invalid`] for a wrong code, [`AppError::Conflict`] when there is no factor.
    pub async fn step_up(&self, caller: &Caller, code: &str) -> Result<Option<LoggedIn>, AppError> {
        let user = human(caller)?;
        bounded("code", code)?;
        if !caller.kind().is_in_person() {
            return Err(AppError::Forbidden("a key has no second factor: log in"));
        }
        self.book(Account::SecondFactor(user)).await?;
        let mut tx = door!(self, Mode::Write).await?;
        if confirmed_kinds(&tx.list_factors(user).await?).is_empty() {
            return Err(AppError::Conflict(
                "you have no second factor: enrol one first",
            ));
        }
        if !self.show_code(&mut tx, user, code).await? {
            return Err(wrong("code"));
        }
        tx.forget_attempts(Account::SecondFactor(user)).await?;
        let renewed = self.renew(&mut tx, caller, true).await?;
        tx.commit().await?;
        Ok(renewed)
    }

    /// Whether this is a code of one of somebody's factors, which is used up by that.
    pub(super) async fn show_code(
        &self,
        tx: &mut DoorTx,
        user: UserId,
        code: &str,
    ) -> Result<bool, AppError> {
        let code = code.trim();
        let factors = tx.list_factors(user).await?;
        for factor in factors.iter().filter(|factor| factor.confirmed) {
            let good = match factor.kind {
                FactorKind::Totp => self.use_totp(tx, factor, code).await?,
                FactorKind::Recovery => self.use_recovery(tx, factor, code).await?,
                FactorKind::Passkey => false,
            };
            if good {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn use_totp(
        &self,
        tx: &mut DoorTx,
        factor: &Factor,
        code: &str,
    ) -> Result<bool, AppError> {
        const DAMAGED: AppError = AppError::Internal("a seed cannot be read");
        let body = factor.secret.expose();
        let (seed, used) = body.split_at_checked(SEED).ok_or(DAMAGED)?;
        let seed = TotpSeed::from_bytes(seed).map_err(|_| DAMAGED)?;
        let used = u64::from_be_bytes(used.try_into().map_err(|_| DAMAGED)?);
        let seconds = (tx.now().as_micros() / 1_000_000).cast_unsigned();
        let digits: String = code.chars().filter(|c| *c != ' ').collect();
        let Some(step) = seed.accept(&digits, seconds, Some(used)) else {
            return Ok(false);
        };
        // Of two who show the same code at once, one is too late.
        Ok(tx.use_factor(factor, &totp_body(&seed, step)).await?)
    }

    async fn use_recovery(
        &self,
        tx: &mut DoorTx,
        factor: &Factor,
        code: &str,
    ) -> Result<bool, AppError> {
        let Ok(code) = RecoveryCode::parse(code) else {
            return Ok(false);
        };
        let (stored, _) = factor.secret.expose().as_chunks::<32>();
        let pepper = &self.store.instance_keys().pepper;
        let owner = factor.user.to_bytes();
        let Some(found) = code.find(pepper, &owner, stored) else {
            return Ok(false);
        };
        let mut left = stored.to_vec();
        left.remove(found);
        Ok(tx.use_factor(factor, left.as_flattened()).await?)
    }

    pub(super) async fn put_recovery_codes(
        &self,
        tx: &mut DoorTx,
        user: UserId,
    ) -> Result<RecoveryCodes, AppError> {
        let codes: Vec<RecoveryCode> = (0..RECOVERY_CODES)
            .map(|_| RecoveryCode::from_random(tx.random()))
            .collect();
        let pepper = &self.store.instance_keys().pepper;
        let owner = user.to_bytes();
        let stored: Vec<[u8; 32]> = codes
            .iter()
            .map(|code| code.stored_form(pepper, &owner))
            .collect();
        let new = NewFactor {
            kind: FactorKind::Recovery,
            label: "recovery codes",
            secret: stored.as_flattened(),
            found_by: None,
            confirmed: true,
        };
        tx.put_factor(user, new).await?;
        Ok(RecoveryCodes(
            codes.iter().map(RecoveryCode::text).collect(),
        ))
    }

    /// Whether the caller is who they were: a factor shown lately where they have one, else their
    /// password again. A session that was left open makes no factor of somebody else's.
    pub(super) async fn reassure(
        &self,
        caller: &Caller,
        password: Option<&str>,
    ) -> Result<User, AppError> {
        let id = human(caller)?;
        if !caller.kind().is_in_person() {
            return Err(AppError::Forbidden(
                "a key cannot change who somebody is: log in",
            ));
        }
        let mut tx = self.store.begin_self(caller, Mode::Read).await?;
        let (user, factors, now) = (tx.get_user().await?, tx.list_factors().await?, tx.now());
        drop(tx);
        let user = user.ok_or(NO_ACCOUNT)?;
        if !confirmed_kinds(&factors).is_empty() {
            caller.require_step_up(now)?;
        } else if let Some(stored) = user.body.password.as_deref()
            && !caller.kind().is_of_the_installation()
        {
            let password = password.ok_or_else(|| Invalid::required("password"))?;
            self.book(Account::SecondFactor(id)).await?;
            if !self.hashing.verify(password, Some(stored)).await? {
                return Err(wrong("password"));
            }
            let mut tx = door!(self, Mode::Write).await?;
            tx.forget_attempts(Account::SecondFactor(id)).await?;
            tx.commit().await?;
        }
        Ok(user)
    }
}

impl FactorView {
    fn of(factor: Factor) -> Self {
        let left = factor.secret.expose().len() / 32;
        Self {
            id: factor.id,
            kind: factor.kind,
            label: factor.label,
            confirmed: factor.confirmed,
            left: (factor.kind == FactorKind::Recovery).then_some(left),
            created_at: factor.created_at,
            used_at: factor.used_at,
        }
    }
}

/// For who is known, and showed something that is not right: they are not turned away for it.
pub(super) fn wrong(field: &str) -> AppError {
    Invalid::unknown(field, "this is not right, or no longer good")
}

/// The same, in place of a refusal of somebody unknown.
pub(super) fn of_caller(field: &'static str) -> impl Fn(AppError) -> AppError {
    move |error| match error {
        AppError::Denied(Denied::InvalidCredential) => wrong(field),
        error => error,
    }
}

pub(super) const NO_ACCOUNT: AppError =
    AppError::Conflict("this credential has no account: this is for people who log in");

/// Codes, passwords and names of ceremonies are short.
pub(super) fn bounded(field: &str, text: &str) -> Result<(), AppError> {
    Invalid::check_length(field, text, 8 << 10)
}

pub(super) fn room(factors: &[Factor]) -> Result<(), AppError> {
    if factors.len() < MAX_FACTORS {
        Ok(())
    } else {
        Err(AppError::Conflict(
            "you have twenty factors: remove one first",
        ))
    }
}

impl App {
    /// Checks that whoever hands out what outlasts their session is there themselves: in person, and,
    /// if they have a second factor, with it shown lately. A stolen session is not to last.
    ///
    /// # Errors
    /// [`AppError::Forbidden`], [`Denied::StepUpRequired`].
    pub(crate) async fn is_there(&self, caller: &Caller) -> Result<(), AppError> {
        if caller.kind().is_of_the_installation() {
            return Ok(());
        }
        caller.require_in_person()?;
        let user = human(caller)?;
        let mut tx = door!(self, Mode::Read).await?;
        let kinds = confirmed_kinds(&tx.list_factors(user).await?);
        drop(tx);
        if kinds.is_empty() {
            return Ok(());
        }
        Ok(caller.require_step_up(self.store.now())?)
    }
}

pub(super) fn human(caller: &Caller) -> Result<UserId, AppError> {
    match caller.principal() {
        skep_domain::Principal::User(user) => Ok(user),
        skep_domain::Principal::Agent(_) => Err(AppError::Forbidden("an agent is no human")),
    }
}

fn totp_body(seed: &TotpSeed, used: u64) -> Vec<u8> {
    [&seed.bytes()[..], &used.to_be_bytes()].concat()
}

/// RFC 3986, section 2.1.
pub(super) fn percent(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
