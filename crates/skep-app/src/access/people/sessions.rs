//! Browser sessions: opened, renewed when somebody's rights change, listed, ended.

use base64ct::{Base64UrlUnpadded, Encoding};
use skep_authz::{Caller, Denied};
use skep_crypto::BearerKind;
use skep_domain::{
    CredentialId, CredentialKind, Id, OrganizationId, Principal, Timestamp, UserId, WorkspaceId,
};
use skep_store::{Credential, CredentialBody, DoorTx, Minted, Mode, NewBearer, PageOf};

use super::login::LoggedIn;
use super::ticket::{DAY, HOUR};
use crate::access::door;
use crate::{App, AppError};

/// A session that is not used ends after this.
const IDLE: i64 = 12 * HOUR;
/// Every session ends after this.
const LONGEST: i64 = 7 * DAY;
/// Sessions and logins that are listed at most.
const LISTED: u32 = 200;

/// A browser that somebody is let in with.
#[derive(Clone, Copy, Debug)]
pub struct Browser {
    pub(super) tenant: (OrganizationId, WorkspaceId),
    pub(super) who: Principal,
    /// Whether a second factor was shown just now.
    pub(super) stepped_up: bool,
    /// Whether an issuer that one organization trusts vouched for them.
    pub(super) confined: bool,
    /// When it ends at the latest, if it goes on from another.
    pub(super) until: Option<Timestamp>,
}

/// One of somebody's sessions, as it is listed.
#[derive(Debug)]
pub struct SessionView {
    /// The credential.
    pub credential: Credential,
    /// Whether it is the one that asks.
    pub current: bool,
}

impl Browser {
    pub(super) fn first(tenant: (OrganizationId, WorkspaceId), who: Principal) -> Self {
        Self {
            tenant,
            who,
            stepped_up: false,
            confined: false,
            until: None,
        }
    }
}

impl App {
    pub(super) fn mint_browser(&self) -> Result<Minted, AppError> {
        Ok(self.store.mint_bearer(BearerKind::Browser)?)
    }

    pub(super) async fn put_browser(
        &self,
        tx: &mut DoorTx,
        minted: Minted,
        browser: Browser,
    ) -> Result<LoggedIn, AppError> {
        let now = tx.now();
        let after = |micros| Timestamp::from_micros(now.as_micros() + micros);
        let created_by = match browser.who {
            Principal::User(user) => Some(user),
            Principal::Agent(_) => None,
        };
        let new = NewBearer {
            minted,
            body: CredentialBody {
                label: "browser".into(),
                ..CredentialBody::default()
            },
            expires_at: Some(browser.until.unwrap_or_else(|| after(LONGEST))),
            idle_at: Some(after(IDLE)),
            stepped_up_at: browser.stepped_up.then_some(now),
            confined: browser.confined,
            created_by,
        };
        let secret = tx.put_bearer(browser.tenant, browser.who, new).await?;
        Ok(LoggedIn {
            csrf: self.csrf_token(secret.id),
            cookie: secret.text,
            organization: browser.tenant.0,
        })
    }

    /// What a browser has to say beside its cookie to change anything: another page can make it send
    /// the cookie, and cannot read this.
    #[must_use]
    pub fn csrf_token(&self, session: CredentialId) -> String {
        let key = &self.store.instance_keys().credential;
        let tag = key.tag16(&[b"csrf", &session.to_bytes()]);
        Base64UrlUnpadded::encode_string(&tag)
    }

    /// Whether that is what the browser of this session was told, in constant time.
    #[must_use]
    pub fn is_csrf_token(&self, session: CredentialId, said: &str) -> bool {
        let mut tag = [0; 16];
        let read = Base64UrlUnpadded::decode(said.as_bytes(), &mut tag);
        let whole = read.is_ok_and(|bytes| bytes.len() == 16);
        let key = &self.store.instance_keys().credential;
        key.verify(&[b"csrf", &session.to_bytes()], &tag) && whole
    }

    /// Puts another session in the place of the caller's, because what it may do changed: whoever
    /// knew the old cookie has nothing of it. Other credentials are noted where they are.
    pub(super) async fn renew(
        &self,
        tx: &mut DoorTx,
        caller: &Caller,
        stepped_up: bool,
    ) -> Result<Option<LoggedIn>, AppError> {
        if caller.kind() != CredentialKind::Browser {
            if stepped_up {
                tx.step_up(caller.credential()).await?;
            }
            return Ok(None);
        }
        let tenant = (caller.organization(), caller.workspace());
        // The row's own end: what the caller has is the sooner of that and of being idle.
        let held = tx.get_credential(tenant.0, caller.credential()).await?;
        let revoked = tx.revoke_credential(tenant.0, caller.credential()).await?;
        if !revoked {
            return Err(Denied::InvalidCredential.into());
        }
        let browser = Browser {
            tenant,
            who: caller.principal(),
            stepped_up,
            confined: caller.is_confined(),
            until: held.and_then(|held| held.expires_at),
        };
        let session = self.mint_browser()?;
        Ok(Some(self.put_browser(tx, session, browser).await?))
    }

    /// Ends the session that asks.
    ///
    /// # Errors
    /// [`AppError::Conflict`] for a credential that is none.
    pub async fn log_out(&self, caller: &Caller) -> Result<(), AppError> {
        if !matches!(
            caller.kind(),
            CredentialKind::Browser | CredentialKind::Login
        ) {
            return Err(AppError::Conflict(
                "this credential is no session: it is revoked, not logged out",
            ));
        }
        let mut tx = self.store.begin_self(caller, Mode::Write).await?;
        tx.revoke(caller.credential()).await?;
        Ok(tx.commit().await?)
    }

    /// The caller's browsers and logins in this organization that still count.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn list_browsers(&self, caller: &Caller) -> Result<Vec<SessionView>, AppError> {
        let mut tx = self.store.begin_self(caller, Mode::Read).await?;
        let kinds = [CredentialKind::Browser, CredentialKind::Login];
        let page = PageOf {
            limit: LISTED,
            before: None,
        };
        let now = tx.now();
        let found = tx.list_credentials(&kinds, page).await?;
        let counts = |credential: &Credential| {
            credential.revoked_at.is_none() && credential.expires_at.is_none_or(|end| end > now)
        };
        Ok(found
            .into_iter()
            .filter(counts)
            .map(|credential| SessionView {
                current: credential.id == caller.credential(),
                credential,
            })
            .collect())
    }

    /// Ends one of the caller's sessions.
    ///
    /// # Errors
    /// [`AppError::NotFound`] when they have none such.
    pub async fn end_browser(&self, caller: &Caller, id: CredentialId) -> Result<(), AppError> {
        let mut tx = self.store.begin_self(caller, Mode::Write).await?;
        if !tx.revoke(id).await? {
            return Err(AppError::NotFound("session"));
        }
        tx.commit().await?;
        Ok(())
    }

    /// Ends the caller's other sessions in this organization.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn end_other_browsers(&self, caller: &Caller) -> Result<(), AppError> {
        let others = self.list_browsers(caller).await?;
        let mut tx = self.store.begin_self(caller, Mode::Write).await?;
        for other in others.iter().filter(|view| !view.current) {
            tx.revoke(other.credential.id).await?;
        }
        Ok(tx.commit().await?)
    }

    /// What the caller is called.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn own_name(&self, caller: &Caller) -> Result<String, AppError> {
        let mut tx = self.store.begin_self(caller, Mode::Read).await?;
        Ok(tx
            .get_user()
            .await?
            .map(|user| user.body.name)
            .unwrap_or_default())
    }

    /// Whether browsers reach this daemon over TLS, as far as it was told.
    #[must_use]
    pub fn is_behind_tls(&self) -> bool {
        let origin = self.people.public_url.as_deref();
        origin.is_some_and(|origin| origin.starts_with("https://"))
    }

    /// Ends everything that proves a human, everywhere.
    pub(super) async fn forget_credentials(
        &self,
        tx: &mut DoorTx,
        user: UserId,
    ) -> Result<(), AppError> {
        tx.revoke_credentials_of(None, Principal::User(user))
            .await?;
        // Codes for a new password and logins half done rest on what was.
        tx.void_tickets_of(user).await?;
        Ok(())
    }

    /// Removes what counts no more of tickets and attempts, a part at a time; for upkeep.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn sweep_doors(&self) -> Result<(), AppError> {
        const AT_ONCE: u32 = 1_000;
        let mut tx = door!(self, Mode::Write).await?;
        tx.sweep_tickets(AT_ONCE).await?;
        tx.sweep_attempts(AT_ONCE).await?;
        tx.commit().await?;
        self.sweep_proofs().await
    }

    /// Removes proofs that are too old to be used again: as many as requests of a minute leave, in parts.
    async fn sweep_proofs(&self) -> Result<(), AppError> {
        const AT_ONCE: u32 = 10_000;
        const PARTS: usize = 100;
        for _ in 0..PARTS {
            if self.store.sweep_proofs(AT_ONCE).await? < u64::from(AT_ONCE) {
                break;
            }
        }
        Ok(())
    }
}
