//! The token endpoint: a grant becomes a login, a refresh token becomes the next one; and revocation.

use skep_crypto::{Bearer, BearerKind, Plain};
use skep_domain::{CredentialId, Id, OrganizationId, Principal, Timestamp, UserId, WorkspaceId};
use skep_jose::{Confirmation, Expect, Grant, Proof, ProofRequest, TOKEN_LIFE_SECONDS, Thumbprint};
use skep_store::{Credential, CredentialBody, DoorTx, Mode, NewBearer, Renewal};

use super::authorize::{Redeem, redeem};
use super::client::Client;
use super::error::{OAuthCode, OAuthError};
use super::person::Approved;
use super::resource::Resource;
use crate::App;
use crate::access::people::still_trusted;
use crate::access::{Decision, door};

/// How long a login lasts that is not used.
const LOGIN_DAYS: i64 = 30;
const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// What a client asks the token endpoint for.
#[derive(Clone, Copy, Debug, Default)]
pub struct TokenRequest<'r> {
    /// `grant_type`.
    pub grant: Option<&'r str>,
    /// `client_id`.
    pub client: Option<&'r str>,
    /// `code`.
    pub code: Option<&'r str>,
    /// `redirect_uri`.
    pub redirect: Option<&'r str>,
    /// `code_verifier`.
    pub verifier: Option<&'r str>,
    /// `device_code`.
    pub device_code: Option<&'r str>,
    /// `refresh_token`.
    pub refresh: Option<&'r str>,
    /// `resource`.
    pub resource: Option<&'r str>,
    /// The `DPoP` header.
    pub proof: Option<&'r str>,
}

/// What it is given.
pub struct Tokens {
    /// The access token.
    pub access: Plain<String>,
    /// The refresh token, good once.
    pub refresh: Plain<String>,
    /// Whether both are bound to the client's key.
    pub bound: bool,
    /// Seconds for which the access token counts.
    pub expires_in: i64,
}

/// What came of a refresh, and what there is to record of it.
enum Refreshed {
    Tokens(Box<Tokens>),
    Reused(OrganizationId, Box<Credential>),
}

impl App {
    /// Answers a token request.
    ///
    /// # Errors
    /// [`OAuthError`].
    pub async fn token(&self, request: &TokenRequest<'_>) -> Result<Tokens, OAuthError> {
        let client = self.client(required(request.client, "client_id is missing.")?)?;
        self.resource(request.resource)?;
        let proof = self.token_proof(request.proof)?;
        if client.bound && proof.is_none() {
            return Err(OAuthError::refused(
                OAuthCode::InvalidProof,
                "This client proves possession of its key with each request.",
            ));
        }
        match required(request.grant, "grant_type is missing.")? {
            DEVICE_GRANT => self.redeem_device(&client, request, proof).await,
            "authorization_code" => self.redeem_code(&client, request, proof).await,
            "refresh_token" => match self.refresh(&client, request, proof).await? {
                Refreshed::Tokens(tokens) => Ok(*tokens),
                Refreshed::Reused(organization, login) => {
                    let decision = Decision::of("refresh.reuse");
                    self.record_denied_of(decision, organization, &login);
                    Err(OAuthError::grant())
                }
            },
            _ => Err(OAuthError::refused(
                OAuthCode::UnsupportedGrantType,
                "There is no such grant here.",
            )),
        }
    }

    fn token_proof(&self, proof: Option<&str>) -> Result<Option<Proof>, OAuthError> {
        let Some(proof) = proof else { return Ok(None) };
        let url = format!("{}/oauth/token", self.own_issuer()?);
        let request = ProofRequest {
            method: "POST",
            url: &url,
            token: None,
        };
        Ok(Some(self.prover().check(
            proof,
            &request,
            self.store.now(),
        )?))
    }

    /// Uses a proof up; says by which key it was.
    async fn spend(&self, proof: Option<Proof>) -> Result<Option<Thumbprint>, OAuthError> {
        let Some(proof) = proof else { return Ok(None) };
        let spent = proof.spend(&*self.oauth.replay, self.store.now()).await?;
        Ok(Some(spent.thumbprint()))
    }

    async fn redeem_device(
        &self,
        client: &Client,
        request: &TokenRequest<'_>,
        proof: Option<Proof>,
    ) -> Result<Tokens, OAuthError> {
        let code = required(request.device_code, "device_code is missing.")?;
        let key = self.spend(proof).await?;
        let approved = self.poll_device(client, code).await?;
        self.same_resource(request.resource, approved.resource)?;
        let mut door = door!(self, Mode::Write).await?;
        let (tokens, _) = self.begin_login(&mut door, approved, client, key).await?;
        door.commit().await?;
        Ok(tokens)
    }

    async fn redeem_code(
        &self,
        client: &Client,
        request: &TokenRequest<'_>,
        proof: Option<Proof>,
    ) -> Result<Tokens, OAuthError> {
        let key = self.spend(proof).await?;
        let shown = Redeem {
            code: required(request.code, "code is missing.")?,
            redirect: required(request.redirect, "redirect_uri is missing.")?,
            verifier: required(request.verifier, "code_verifier is missing.")?,
            thumbprint: key,
        };
        let mut door = door!(self, Mode::Write).await?;
        let outcome = match redeem(&mut door, client, shown).await? {
            Ok(redeemed) => {
                let approved = redeemed.approved;
                self.same_resource(request.resource, approved.resource)?;
                let (tokens, login) = self.begin_login(&mut door, approved, client, key).await?;
                redeemed.spend(&mut door, login).await?;
                Ok(tokens)
            }
            Err(refusal) => Err(refusal),
        };
        door.commit().await?;
        outcome
    }

    async fn begin_login(
        &self,
        door: &mut DoorTx,
        approved: Approved,
        client: &Client,
        key: Option<Thumbprint>,
    ) -> Result<(Tokens, CredentialId), OAuthError> {
        let (organization, workspace) = (
            OrganizationId::from_bytes(approved.organization),
            WorkspaceId::from_bytes(approved.workspace),
        );
        let user = UserId::from_bytes(approved.user);
        if approved.confined {
            still_trusted(door, organization).await?;
        }
        let minted = self.store.mint_bearer(BearerKind::Refresh)?;
        let login = NewBearer {
            minted,
            body: CredentialBody {
                label: client.name.clone(),
                client: Some(client.id.clone()),
                key_thumbprint: key.map(|key| key.to_string()),
                resource: approved.resource.kept(),
                ..CredentialBody::default()
            },
            expires_at: Some(login_end(door.now())),
            idle_at: None,
            stepped_up_at: None,
            confined: approved.confined,
            created_by: Some(user),
        };
        let principal = Principal::User(user);
        let made = door
            .put_bearer((organization, workspace), principal, login)
            .await?;
        let grant = Grant {
            principal,
            organization,
            workspace: Some(workspace),
            session: made.id.to_bytes(),
            client: client.id.clone(),
            confirmation: key.map_or(Confirmation::Bearer, Confirmation::Key),
        };
        let tokens = self.tokens((&grant, approved.resource), made.text)?;
        Ok((tokens, made.id))
    }

    async fn refresh(
        &self,
        client: &Client,
        request: &TokenRequest<'_>,
        proof: Option<Proof>,
    ) -> Result<Refreshed, OAuthError> {
        let presented =
            self.refresh_token(required(request.refresh, "refresh_token is missing.")?)?;
        let key = self.spend(proof).await?;
        let id = CredentialId::from_bytes(presented.id());
        let next = self.store.mint_next(id)?;
        let mut door = door!(self, Mode::Write).await?;
        let end = login_end(door.now());
        let keys = self.store.instance_keys();
        match door.renew_login(&presented, next, keys, end).await? {
            Renewal::Unknown => Err(OAuthError::grant()),
            Renewal::Reused {
                organization,
                login,
            } => {
                door.revoke_credential(organization, login.id).await?;
                door.commit().await?;
                Ok(Refreshed::Reused(organization, login))
            }
            Renewal::Renewed {
                organization,
                login,
                next,
            } => {
                // Nothing is committed for whoever has the token and is not the client.
                if login.body.client.as_ref() != Some(&client.id)
                    || login.body.key_thumbprint != key.map(|key| key.to_string())
                {
                    return Err(OAuthError::grant());
                }
                let resource = Resource::of(login.body.resource.as_deref());
                let resource = resource.ok_or(OAuthError::grant())?;
                self.same_resource(request.resource, resource)?;
                let grant = Grant {
                    principal: login.principal,
                    organization,
                    workspace: Some(login.workspace),
                    session: id.to_bytes(),
                    client: client.id.clone(),
                    confirmation: key.map_or(Confirmation::Bearer, Confirmation::Key),
                };
                let tokens = self.tokens((&grant, resource), next)?;
                door.commit().await?;
                Ok(Refreshed::Tokens(Box::new(tokens)))
            }
        }
    }

    /// Revokes the login that a token belongs to (RFC 7009). A token that is none is as good as
    /// revoked.
    ///
    /// # Errors
    /// [`OAuthError`] when it cannot be done now, or the client does not exist.
    pub async fn revoke_login(&self, client: Option<&str>, token: &str) -> Result<(), OAuthError> {
        let client = self.client(required(client, "client_id is missing.")?)?;
        let mut door = door!(self, Mode::Write).await?;
        let found = if let Ok(presented) = self.refresh_token(token) {
            let id = CredentialId::from_bytes(presented.id());
            let next = self.store.mint_next(id)?;
            let end = login_end(door.now());
            let keys = self.store.instance_keys();
            match door.renew_login(&presented, next, keys, end).await? {
                Renewal::Unknown => None,
                Renewal::Reused {
                    organization,
                    login,
                }
                | Renewal::Renewed {
                    organization,
                    login,
                    ..
                } => Some((organization, login.id)),
            }
        } else {
            self.login_of(token)?
        };
        if let Some((organization, login)) = found {
            let held = door.get_credential(organization, login).await?;
            // Nothing is committed for whoever has the token and is not the client.
            if held.is_some_and(|held| held.body.client.as_ref() == Some(&client.id)) {
                door.revoke_credential(organization, login).await?;
                door.commit().await?;
            }
        }
        Ok(())
    }

    /// The login that an access token is of, whatever that is for.
    fn login_of(&self, token: &str) -> Result<Option<(OrganizationId, CredentialId)>, OAuthError> {
        let now = self.store.now();
        for resource in [Resource::Api, Resource::Mcp] {
            let audience = self.audience(resource)?;
            let expect = Expect {
                issuer: self.own_issuer()?,
                audience: &audience,
            };
            if let Ok(token) = self.key_ring(now).verify(token, &expect, now) {
                let grant = token.claimed();
                let login = CredentialId::from_bytes(grant.session);
                return Ok(Some((grant.organization, login)));
            }
        }
        Ok(None)
    }

    fn refresh_token(&self, text: &str) -> Result<Bearer, OAuthError> {
        let check = &self.store.instance_keys().credential;
        Bearer::parse(text.as_bytes(), check)
            .ok()
            .filter(|bearer| bearer.kind() == BearerKind::Refresh)
            .ok_or(OAuthError::grant())
    }

    fn tokens(
        &self,
        (grant, resource): (&Grant, Resource),
        refresh: Plain<String>,
    ) -> Result<Tokens, OAuthError> {
        let now = self.store.now();
        let audience = self.audience(resource)?;
        let expect = Expect {
            issuer: self.own_issuer()?,
            audience: &audience,
        };
        let issued = self
            .key_ring(now)
            .issue(grant, &expect, now, self.store.random())
            .map_err(|_| OAuthError::Unavailable)?;
        Ok(Tokens {
            access: issued.token,
            refresh,
            bound: grant.confirmation != Confirmation::Bearer,
            expires_in: TOKEN_LIFE_SECONDS,
        })
    }
}

fn required<'r>(value: Option<&'r str>, missing: &'static str) -> Result<&'r str, OAuthError> {
    value
        .filter(|value| !value.is_empty())
        .ok_or(OAuthError::refused(OAuthCode::InvalidRequest, missing))
}

fn login_end(now: Timestamp) -> Timestamp {
    Timestamp::from_micros(now.as_micros() + LOGIN_DAYS * 86_400_000_000)
}

/// Shows nothing of the tokens.
impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens")
            .field("bound", &self.bound)
            .finish_non_exhaustive()
    }
}
