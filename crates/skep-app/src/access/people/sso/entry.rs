//! Coming in by an organization's issuer: sent there with a code challenge, a nonce and a state, back
//! with a code. The state counts once, for ten minutes, and only beside the cookie of the browser that
//! it was made for.

use base64ct::{Base64UrlUnpadded, Encoding};
use serde::{Deserialize, Serialize};
use skep_authz::Caller;
use skep_crypto::{Plain, sha256};
use skep_domain::{CredentialKind, Name, OrganizationId, Principal, Standing, UserId};
use skep_egress::Target;
use skep_jose::{IdTokenExpect, VerifiedIdToken};
use skep_store::row::TicketKind;
use skep_store::{DoorTx, Mode, NewTicket, Outcome};

use super::super::factors::{human, percent};
use super::super::login::LoginStep;
use super::super::ticket::{self, MINUTE, typed};
use super::settings::{Provider, provider_of};
use super::whom::{Refusal, hex, join, linking, may_enter};
use crate::access::{Decision, door};
use crate::{App, AppError};

const PREFIX: &str = "skep_sso_";
/// How long somebody may take at their issuer.
const GOOD: i64 = 10 * MINUTE;
/// What is recorded of whoever is let in, or not.
const ACTION: &str = "auth.sso";

/// Where to send a browser, and what it has to keep until it is back.
pub struct SsoStart {
    /// The page of the issuer.
    pub location: String,
    /// The value of a cookie.
    pub binding: Plain<String>,
}

/// What came back from an issuer, as a browser brings it.
#[derive(Clone, Copy, Debug, Default)]
pub struct SsoAnswer<'a> {
    /// The end of the path that it came to.
    pub organization: &'a str,
    /// `state`.
    pub state: &'a str,
    /// `code`.
    pub code: Option<&'a str>,
    /// `iss` (RFC 9207).
    pub issuer: Option<&'a str>,
    /// The value of the cookie.
    pub binding: &'a str,
}

/// What came of it.
pub enum SsoEnd {
    /// Somebody is in, or owes a second factor.
    Step(LoginStep),
    /// The account of whoever is logged in is linked.
    Linked,
}

#[derive(Serialize, Deserialize)]
struct Begun {
    #[serde(with = "ticket::id")]
    organization: OrganizationId,
    issuer: String,
    client: String,
    nonce: String,
    verifier: String,
    /// Whose account it is to be linked to.
    link: Option<String>,
}

impl App {
    /// The host of the issuer that people of an organization may come by, if there is one.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn sso_host(&self, organization: &str) -> Result<Option<String>, AppError> {
        let Some((_, provider)) = self.sso_of(organization).await? else {
            return Ok(None);
        };
        let target = Target::parse(&provider.issuer)?;
        Ok(Some(target.origin().authority()))
    }

    /// Sends somebody to the issuer of an organization.
    ///
    /// # Errors
    /// [`AppError::NotFound`] when it has none; what is wrong with it otherwise.
    pub async fn begin_sso(&self, organization: &str) -> Result<SsoStart, AppError> {
        let found = self.sso_of(organization).await?;
        let (organization, provider) = found.ok_or(AppError::NotFound("single sign-on"))?;
        self.send_to_issuer(organization, &provider, None).await
    }

    /// Sends whoever is logged in to their organization's issuer, to link what it calls them to their
    /// account. They show who they are first, as for a second factor.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] for whoever an issuer let in.
    pub async fn begin_sso_link(
        &self,
        caller: &Caller,
        password: Option<&str>,
    ) -> Result<SsoStart, AppError> {
        let user = human(caller)?;
        caller.require_factor()?;
        if caller.is_confined() || caller.kind() != CredentialKind::Browser {
            return Err(AppError::Forbidden(
                "log in with your password or a passkey to link a sign-in",
            ));
        }
        self.reassure(caller, password).await?;
        let mut tx = door!(self, Mode::Read).await?;
        let provider = provider_of(&mut tx, caller.organization()).await?;
        drop(tx);
        let provider = provider.filter(|provider| provider.enabled);
        let provider = provider.ok_or(AppError::NotFound("single sign-on"))?;
        self.send_to_issuer(caller.organization(), &provider, Some(user))
            .await
    }

    /// Whether the caller's organization has an issuer, and whether it means their account already.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn sso_link(&self, caller: &Caller) -> Result<Option<bool>, AppError> {
        let user = human(caller)?;
        let mut tx = door!(self, Mode::Read).await?;
        let provider = provider_of(&mut tx, caller.organization()).await?;
        if caller.is_confined() || provider.is_none_or(|provider| !provider.enabled) {
            return Ok(None);
        }
        Ok(Some(
            tx.has_identity_link(caller.organization(), user).await?,
        ))
    }

    /// Unlinks the caller's account from what their organization's issuer calls them, and ends what
    /// came of its word.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] for whoever has no other way in.
    pub async fn end_sso_link(
        &self,
        caller: &Caller,
        password: Option<&str>,
    ) -> Result<(), AppError> {
        let user = human(caller)?;
        caller.require_factor()?;
        if caller.is_confined() {
            return Err(AppError::Forbidden("you have no other way in"));
        }
        self.reassure(caller, password).await?;
        let organization = caller.organization();
        let mut tx = door!(self, Mode::Write).await?;
        tx.delete_identity_links(organization, user).await?;
        tx.revoke_confined_of(organization, user).await?;
        tx.commit().await?;
        self.verified.clear();
        Ok(())
    }

    async fn sso_of(&self, name: &str) -> Result<Option<(OrganizationId, Provider)>, AppError> {
        let Ok(name) = Name::parse(name) else {
            return Ok(None);
        };
        let mut tx = door!(self, Mode::Read).await?;
        let found = tx.get_organization_named(&name).await?;
        let Some(found) = found.filter(|found| found.standing == Standing::Active) else {
            return Ok(None);
        };
        let provider = provider_of(&mut tx, found.id).await?;
        Ok(provider
            .filter(|provider| provider.enabled)
            .map(|provider| (found.id, provider)))
    }

    async fn send_to_issuer(
        &self,
        organization: OrganizationId,
        provider: &Provider,
        link: Option<UserId>,
    ) -> Result<SsoStart, AppError> {
        let redirect = self.sso_redirect(organization).ok_or(NO_ADDRESS)?;
        let endpoints = self.endpoints(organization, provider).await?;
        let (state, binding) = (self.ticket_secret(PREFIX), self.ticket_secret(""));
        let [nonce, verifier] = [(); 2].map(|()| self.ticket_secret("").expose().clone());
        let challenge = Base64UrlUnpadded::encode_string(&sha256(verifier.as_bytes()));
        let fields = [
            ("response_type", "code"),
            ("client_id", &provider.client),
            ("redirect_uri", &redirect),
            ("scope", "openid email profile"),
            ("state", state.expose()),
            ("nonce", &nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        let fields = fields.map(|(name, value)| format!("{name}={}", percent(value)));
        let mark = if endpoints.authorization.contains('?') {
            '&'
        } else {
            '?'
        };
        let location = format!("{}{mark}{}", endpoints.authorization, fields.join("&"));
        let begun = Begun {
            organization,
            issuer: provider.issuer.clone(),
            client: provider.client.clone(),
            nonce,
            verifier,
            link: link.map(hex),
        };
        let ticket = NewTicket {
            organization: Some(organization),
            user: link,
            ..NewTicket::once(
                TicketKind::SingleSignOn,
                self.after(GOOD),
                ticket::write(&begun)?,
            )
        };
        let mut tx = door!(self, Mode::Write).await?;
        let secret = both(state.expose(), binding.expose());
        tx.put_ticket(secret.expose(), None, ticket).await?;
        tx.commit().await?;
        Ok(SsoStart { location, binding })
    }

    /// Lets in whoever the issuer says this is, if the organization lets them; or links what it
    /// calls them to the account of `browser`, if that was begun.
    ///
    /// # Errors
    /// [`AppError::Denied`], whatever is wrong; [`AppError::Conflict`] when the account that there is
    /// has to be linked first.
    pub async fn finish_sso(
        &self,
        answer: &SsoAnswer<'_>,
        browser: Option<&Caller>,
    ) -> Result<SsoEnd, AppError> {
        let begun = match self.take_begun(answer).await {
            Ok(begun) => begun,
            Err(refusal) => return Err(self.sso_refused(refusal, None)),
        };
        let organization = begun.organization;
        let done = match self.vouched(&begun, answer).await {
            Ok((provider, token)) => self.enter(&begun, (&provider, &token), browser).await,
            Err(refusal) => Err(refusal),
        };
        done.map_err(|refusal| self.sso_refused(refusal, Some(organization)))
    }

    fn sso_refused(&self, refusal: Refusal, organization: Option<OrganizationId>) -> AppError {
        let decision = Decision {
            reason: refusal.why,
            organization,
            ..Decision::of(ACTION)
        };
        self.record_denied(decision, None);
        refusal.told
    }

    /// The ticket of this state in this browser, which is used up by it, whatever comes of it.
    async fn take_begun(&self, answer: &SsoAnswer<'_>) -> Result<Begun, Refusal> {
        const NO_STATE: &str = "no sign-in was begun by this browser, or it took too long";
        let known = typed(answer.state, PREFIX).is_some() && answer.binding.len() == 43;
        if !known {
            return Err(Refusal::of(NO_STATE));
        }
        let secret = both(answer.state, answer.binding);
        let mut tx = door!(self, Mode::Write).await?;
        let taken = tx
            .take_ticket(TicketKind::SingleSignOn, secret.expose())
            .await?;
        tx.commit().await?;
        let begun: Begun = ticket::read(&taken.ok_or(Refusal::of(NO_STATE))?)?;
        if answer.organization != hex(begun.organization) {
            return Err(Refusal::of(
                "the answer came to another organization's place",
            ));
        }
        Ok(begun)
    }

    /// Asks the issuer whom it means.
    async fn vouched(
        &self,
        begun: &Begun,
        answer: &SsoAnswer<'_>,
    ) -> Result<(Provider, VerifiedIdToken), Refusal> {
        let organization = begun.organization;
        let mut tx = door!(self, Mode::Read).await?;
        let provider = provider_of(&mut tx, organization).await?;
        drop(tx);
        let provider = provider.filter(|provider| {
            provider.enabled && provider.issuer == begun.issuer && provider.client == begun.client
        });
        let provider = provider.ok_or(Refusal::of("the organization trusts another issuer now"))?;
        let endpoints = self.endpoints(organization, &provider).await?;
        let named = answer.issuer.map(|named| named == provider.issuer);
        if named == Some(false) || (named.is_none() && endpoints.names_itself) {
            return Err(Refusal::of("the answer is of another issuer, or of nobody"));
        }
        let code = answer.code.ok_or(Refusal::of("the issuer said no"))?;
        let redirect = self.sso_redirect(organization).ok_or(NO_ADDRESS)?;
        let given = self
            .redeem_at_issuer((&provider, &endpoints), (code, &begun.verifier, &redirect))
            .await?;
        let keys = self.issuer_keys(organization, &provider, &given.id_token);
        let expect = IdTokenExpect {
            issuer: &provider.issuer,
            client: &provider.client,
            nonce: &begun.nonce,
        };
        let token = keys
            .await?
            .verify(&given.id_token, &expect, self.store.now());
        let token = token.map_err(|error| Refusal::of(&error.to_string()))?;
        if !token.came_with(given.access_token.as_deref()) {
            return Err(Refusal::of("the ID token came with another access token"));
        }
        // Many issuers keep ID tokens short.
        let is_short = token.claim("email").is_none() || !provider.admits(&token);
        let more = match given.access_token.as_deref().filter(|_| is_short) {
            None => None,
            access => self.user_info(&endpoints, access).await?,
        };
        let token = match more {
            None => token,
            Some(more) => token
                .with_user_info(more.body())
                .map_err(|error| Refusal::of(&error.to_string()))?,
        };
        if !provider.admits(&token) {
            return Err(Refusal::of("the organization does not let this person in"));
        }
        Ok((provider, token))
    }

    async fn enter(
        &self,
        begun: &Begun,
        (provider, token): (&Provider, &VerifiedIdToken),
        browser: Option<&Caller>,
    ) -> Result<SsoEnd, Refusal> {
        let organization = begun.organization;
        let identity = (provider.issuer.as_str(), token.subject());
        let mut tx = door!(self, Mode::Write).await?;
        let known = tx.get_identity_link(organization, identity).await?;
        if let Some(link) = &begun.link {
            let user = linking(browser, link, organization)?;
            match known {
                Some(known) if known == user => {}
                Some(_) => return Err(TAKEN.into()),
                None => tx.put_identity_link(organization, identity, user).await?,
            }
            self.note(&mut tx, "sso.link", (organization, user)).await?;
            tx.commit().await?;
            return Ok(SsoEnd::Linked);
        }
        let user = if let Some(user) = known {
            user
        } else {
            let user = join(&mut tx, organization, (provider, token)).await?;
            tx.put_identity_link(organization, identity, user).await?;
            self.note(&mut tx, "sso.join", (organization, user)).await?;
            user
        };
        let workspace = may_enter(&mut tx, organization, user).await?;
        let tenant = (organization, workspace);
        self.note(&mut tx, "sso.login", (organization, user))
            .await?;
        let step = self.past_first(&mut tx, tenant, user, true).await?;
        tx.commit().await?;
        Ok(SsoEnd::Step(step))
    }

    /// Records what is done, in one with doing it.
    async fn note(
        &self,
        tx: &mut DoorTx,
        action: &str,
        (organization, user): (OrganizationId, UserId),
    ) -> Result<(), AppError> {
        let decision = Decision {
            organization: Some(organization),
            ..Decision::of(action)
        };
        let entry = self.entry(decision, None, Outcome::Allowed);
        let who = Some(Principal::User(user));
        Ok(tx.append_audit(&[(entry, who, 1)]).await?)
    }
}

const NO_ADDRESS: AppError =
    AppError::Conflict("it is not known at what address this Skep is: set server.public_url");
const TAKEN: AppError = AppError::Conflict("this sign-in is linked to another account");
/// Neither of the two finds a ticket without the other.
fn both(state: &str, binding: &str) -> Plain<Vec<u8>> {
    Plain::new([state.trim().as_bytes(), b".", binding.as_bytes()].concat())
}

/// Shows nothing of what the browser has to keep.
impl std::fmt::Debug for SsoStart {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SsoStart")
    }
}
