//! Authorization codes with PKCE (RFC 7636): a human's browser carries a code back to the client.

use base64ct::{Base64UrlUnpadded, Encoding};
use serde::{Deserialize, Serialize};
use skep_authz::Caller;
use skep_crypto::{Plain, sha256};
use skep_domain::{CredentialId, Id, OrganizationId, Timestamp, WorkspaceId};
use skep_jose::Thumbprint;
use skep_store::row::TicketKind;
use skep_store::{DoorTx, Mode, NewTicket, Ticket};

use super::client::Client;
use super::error::{OAuthCode, OAuthError};
use super::person::{Approved, approve, human};
use crate::App;
use crate::access::{Decision, door};

/// How long a code may be redeemed.
const LIFE_SECONDS: i64 = 60;
/// How long a redeemed code is remembered: seeing it again means that somebody else has it too.
const REMEMBERED_SECONDS: i64 = 600;
/// A SHA-256 in base64url.
const CHALLENGE_BYTES: usize = 43;
const MAX_STATE_BYTES: usize = 1_024;

/// What a client asks for through its user's browser.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuthorizeRequest {
    /// `response_type`.
    pub response_type: Option<String>,
    /// `client_id`.
    pub client: Option<String>,
    /// `redirect_uri`.
    pub redirect: Option<String>,
    /// `state`.
    pub state: Option<String>,
    /// `code_challenge`.
    pub challenge: Option<String>,
    /// `code_challenge_method`.
    pub method: Option<String>,
    /// `resource`.
    pub resource: Option<String>,
    /// `dpop_jkt`.
    pub thumbprint: Option<String>,
}

/// Why it is refused, and whether the client is told.
#[derive(Debug)]
pub enum AuthorizeRefusal {
    /// Who asks, or where to answer, is not known: the human is told, nobody is redirected.
    Page(OAuthError),
    /// The browser goes back with this.
    Redirect(OAuthError),
}

#[derive(Deserialize, Serialize)]
struct Body {
    client: String,
    redirect: String,
    challenge: String,
    thumbprint: Option<String>,
    /// Microseconds.
    ends: i64,
    approved: Approved,
    /// The login that came of it.
    spent: Option<[u8; 16]>,
}

impl App {
    /// Who asks, if they may ask for that.
    ///
    /// # Errors
    /// [`AuthorizeRefusal`].
    pub fn check_authorize(&self, request: &AuthorizeRequest) -> Result<Client, AuthorizeRefusal> {
        const CLIENT: OAuthError =
            OAuthError::refused(OAuthCode::InvalidClient, "There is no such client.");
        let client = request.client.as_deref().unwrap_or_default();
        let client = self
            .client(client)
            .map_err(|_| AuthorizeRefusal::Page(CLIENT))?;
        let redirect = request.redirect.as_deref().unwrap_or_default();
        if !client.may_redirect_to(redirect) {
            return Err(AuthorizeRefusal::Page(OAuthError::refused(
                OAuthCode::InvalidRequest,
                "The client has not registered this redirect URI.",
            )));
        }
        match self.check_parameters(request) {
            Ok(()) => Ok(client),
            Err(error) => Err(AuthorizeRefusal::Redirect(error)),
        }
    }

    fn check_parameters(&self, request: &AuthorizeRequest) -> Result<(), OAuthError> {
        let invalid = |why| Err(OAuthError::refused(OAuthCode::InvalidRequest, why));
        if request.response_type.as_deref() != Some("code") {
            return Err(OAuthError::refused(
                OAuthCode::UnsupportedResponseType,
                "response_type is code.",
            ));
        }
        if request.method.as_deref() != Some("S256") {
            return invalid("code_challenge_method is S256.");
        }
        let challenge = request.challenge.as_deref().unwrap_or_default();
        if challenge.len() != CHALLENGE_BYTES || Base64UrlUnpadded::decode_vec(challenge).is_err() {
            return invalid("code_challenge is the SHA-256 of a verifier, in base64url.");
        }
        if let Some(thumbprint) = &request.thumbprint
            && Thumbprint::parse(thumbprint).is_err()
        {
            return invalid("dpop_jkt is a thumbprint of a key.");
        }
        if request
            .state
            .as_ref()
            .is_some_and(|state| state.len() > MAX_STATE_BYTES)
        {
            return invalid("state has at most 1024 bytes.");
        }
        self.resource(request.resource.as_deref()).map(drop)
    }

    /// A code for a client that a human lets in.
    ///
    /// # Errors
    /// [`OAuthError`].
    pub async fn grant_code(
        &self,
        caller: &Caller,
        request: &AuthorizeRequest,
        home: (OrganizationId, WorkspaceId),
    ) -> Result<Plain<String>, OAuthError> {
        human(caller)?;
        let client = self
            .check_authorize(request)
            .map_err(AuthorizeRefusal::into_error)?;
        self.record_allowed(Decision::of("client.allow"), Some(caller))
            .await?;
        let mut door = door!(self, Mode::Write).await?;
        let approved = Approved {
            resource: self.resource(request.resource.as_deref())?,
            ..approve(&mut door, caller, home).await?
        };
        let now = door.now();
        let body = Body {
            client: client.id,
            redirect: request.redirect.clone().unwrap_or_default(),
            challenge: request.challenge.clone().unwrap_or_default(),
            thumbprint: request.thumbprint.clone(),
            ends: later(now, LIFE_SECONDS).as_micros(),
            approved,
            spent: None,
        };
        let code = Base64UrlUnpadded::encode_string(&door.random::<32>());
        let ticket = NewTicket {
            organization: Some(home.0),
            ..NewTicket::once(
                TicketKind::Code,
                later(now, LIFE_SECONDS + REMEMBERED_SECONDS),
                serde_json::to_vec(&body).unwrap_or_default(),
            )
        };
        door.put_ticket(code.as_bytes(), None, ticket).await?;
        door.commit().await?;
        Ok(Plain::new(code))
    }
}

/// A code that was presented, with what must hold for it.
pub(super) struct Redeemed {
    pub(super) approved: Approved,
    ticket: Ticket,
    body: Body,
}

/// What a client shows to redeem a code.
#[derive(Clone, Copy)]
pub(super) struct Redeem<'r> {
    pub(super) code: &'r str,
    pub(super) redirect: &'r str,
    pub(super) verifier: &'r str,
    pub(super) thumbprint: Option<Thumbprint>,
}

/// The code of this client, in the hands of whoever began. One that was redeemed before takes the
/// login that came of it along.
pub(super) async fn redeem(
    door: &mut DoorTx,
    client: &Client,
    shown: Redeem<'_>,
) -> Result<Result<Redeemed, OAuthError>, OAuthError> {
    let kind = TicketKind::Code;
    let ticket = door.get_ticket(kind, shown.code.as_bytes()).await?;
    let body = ticket
        .as_ref()
        .and_then(|ticket| serde_json::from_slice::<Body>(ticket.body.expose()).ok());
    let (Some(ticket), Some(body)) = (ticket, body) else {
        return Ok(Err(OAuthError::grant()));
    };
    if let Some(login) = body.spent {
        let organization = OrganizationId::from_bytes(body.approved.organization);
        let login = CredentialId::from_bytes(login);
        door.revoke_credential(organization, login).await?;
        door.delete_ticket(&ticket).await?;
        return Ok(Err(OAuthError::grant()));
    }
    let bound = body.thumbprint.as_ref().is_none_or(|named| {
        shown
            .thumbprint
            .is_some_and(|shown| shown.to_string() == *named)
    });
    let fits = body.client == client.id
        && body.redirect == shown.redirect
        && door.now().as_micros() < body.ends
        && is_verifier(shown.verifier)
        && Base64UrlUnpadded::encode_string(&sha256(shown.verifier.as_bytes())) == body.challenge
        && bound;
    if !fits {
        // Whoever has the code and not the rest gets no second try.
        door.delete_ticket(&ticket).await?;
        return Ok(Err(OAuthError::grant()));
    }
    Ok(Ok(Redeemed {
        approved: body.approved,
        ticket,
        body,
    }))
}

impl Redeemed {
    /// Remembers which login came of it.
    pub(super) async fn spend(
        mut self,
        door: &mut DoorTx,
        login: CredentialId,
    ) -> Result<(), OAuthError> {
        self.body.spent = Some(login.to_bytes());
        let bytes = serde_json::to_vec(&self.body).unwrap_or_default();
        if door.update_ticket(&self.ticket, &bytes, 1).await? {
            Ok(())
        } else {
            Err(OAuthError::grant())
        }
    }
}

impl AuthorizeRefusal {
    /// The reason alone.
    #[must_use]
    pub fn into_error(self) -> OAuthError {
        match self {
            Self::Page(error) | Self::Redirect(error) => error,
        }
    }
}

/// RFC 7636, section 4.1.
fn is_verifier(verifier: &str) -> bool {
    (43..=128).contains(&verifier.len())
        && verifier
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
}

fn later(now: Timestamp, seconds: i64) -> Timestamp {
    Timestamp::from_micros(now.as_micros() + seconds * 1_000_000)
}
