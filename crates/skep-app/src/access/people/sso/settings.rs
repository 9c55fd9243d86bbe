//! Which issuer an organization trusts, whom it lets in by that issuer's word, and as what.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use skep_authz::rights::OrgManage;
use skep_authz::{Authorized, Denied};
use skep_crypto::Plain;
use skep_domain::{Id, OrganizationId, OrganizationRole, Role, WorkspaceId};
use skep_jose::VerifiedIdToken;
use skep_store::DoorTx;

use super::super::account;
use super::super::ticket;
use super::calls::IssuerCalls;
use super::issuer::ClientAuth;
use crate::{App, AppError, Invalid};

/// The name of the setting.
const NAME: &str = "sso";
/// Domains that an organization may list.
const DOMAINS: usize = 50;
/// Bytes of a URL, a name or a value.
const LINE: usize = 512;

/// What an organization chooses.
pub struct SsoChange {
    /// The issuer, exactly as it names itself.
    pub issuer: String,
    /// Our name there.
    pub client: String,
    /// What proves us there; the one before, if absent, for the same issuer and name.
    pub secret: Option<Plain<String>>,
    /// Domains of mail addresses that are let in, once the issuer has verified the address.
    pub domains: Vec<String>,
    /// A claim, and what it must be or hold.
    pub claim: Option<(String, String)>,
    /// What whoever comes for the first time becomes.
    pub role: OrganizationRole,
    /// What they may do in this workspace, for members.
    pub workspace_role: Option<Role>,
    /// Whether anybody is let in by it.
    pub enabled: bool,
}

/// What an organization chose. The secret is never shown.
#[derive(Clone, Debug)]
pub struct SsoView {
    /// The issuer.
    pub issuer: String,
    /// Our name there.
    pub client: String,
    /// Whether there is a secret.
    pub has_secret: bool,
    /// Domains that are let in.
    pub domains: Vec<String>,
    /// The claim, and what it must be or hold.
    pub claim: Option<(String, String)>,
    /// What whoever comes for the first time becomes.
    pub role: OrganizationRole,
    /// What they may do in the workspace that it was chosen in.
    pub workspace_role: Option<Role>,
    /// Whether anybody is let in by it.
    pub enabled: bool,
    /// What has to be registered at the issuer, where it is known at what address we are.
    pub redirect_uri: Option<String>,
}

/// What was found when the issuer was asked.
#[derive(Clone, Debug)]
pub struct SsoReport {
    /// Where people are sent.
    pub authorization_endpoint: String,
    /// How we say who we are at the token endpoint.
    pub client_auth: &'static str,
    /// Whether its answers name it (RFC 9207).
    pub names_itself: bool,
    /// Keys that tokens may be signed with.
    pub keys: usize,
}

/// What is kept, sealed.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Provider {
    pub(super) issuer: String,
    pub(super) client: String,
    pub(super) secret: Option<String>,
    domains: Vec<String>,
    claim: Option<(String, String)>,
    role: u8,
    workspace_role: Option<String>,
    #[serde(with = "ticket::id")]
    pub(super) workspace: WorkspaceId,
    pub(super) enabled: bool,
}

impl SsoChange {
    /// Takes charge of a secret.
    #[must_use]
    pub fn secret(text: String) -> Plain<String> {
        Plain::new(text)
    }
}

impl Provider {
    fn read(bytes: &[u8]) -> Result<Self, AppError> {
        serde_json::from_slice(bytes)
            .map_err(|_| AppError::Internal("single sign-on cannot be read"))
    }

    pub(super) fn place(&self, organization: OrganizationId) -> (OrganizationId, String, bool) {
        (organization, self.issuer.clone(), self.secret.is_some())
    }

    pub(super) fn role(&self) -> OrganizationRole {
        OrganizationRole::from_code(self.role).unwrap_or(OrganizationRole::Member)
    }

    pub(super) fn workspace_role(&self) -> Option<Role> {
        self.workspace_role.as_deref().and_then(Role::parse)
    }

    /// Whether the organization lets this person in: each condition that it set holds.
    pub(super) fn admits(&self, token: &VerifiedIdToken) -> bool {
        let of_domain = || {
            let address = token
                .verified_email()
                .and_then(|text| account::address(text).ok());
            let domain = address
                .as_deref()
                .and_then(|address| address.split_once('@'))
                .map(|(_, domain)| domain.to_ascii_lowercase());
            domain.is_some_and(|domain| self.domains.contains(&domain))
        };
        let claims = |(name, value): &(String, String)| match token.claim(name) {
            Some(Value::String(one)) => one == value,
            Some(Value::Array(all)) => all.iter().any(|one| one == value.as_str()),
            Some(Value::Bool(one)) => one.to_string() == *value,
            _ => false,
        };
        let set = !self.domains.is_empty() || self.claim.is_some();
        set && (self.domains.is_empty() || of_domain()) && self.claim.as_ref().is_none_or(claims)
    }
}

/// What an organization chose, if it did.
pub(super) async fn provider_of(
    tx: &mut DoorTx,
    organization: OrganizationId,
) -> Result<Option<Provider>, AppError> {
    let found = tx.get_setting(organization, NAME).await?;
    found.as_deref().map(Provider::read).transpose()
}

/// Whether an organization still takes the word of an issuer: what came of it and was not finished yet
/// is not finished after that.
pub(in super::super::super) async fn still_trusted(
    tx: &mut DoorTx,
    organization: OrganizationId,
) -> Result<(), AppError> {
    let provider = provider_of(tx, organization).await?;
    let trusted = provider.is_some_and(|provider| provider.enabled);
    trusted
        .then_some(())
        .ok_or_else(|| Denied::InvalidCredential.into())
}

impl App {
    /// The organization's single sign-on.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn get_sso(
        &self,
        authorized: Authorized<OrgManage>,
    ) -> Result<Option<SsoView>, AppError> {
        let organization = authorized.organization();
        let mut tx = self.store.begin_org(authorized).await?;
        let found = tx.get_setting(NAME).await?;
        let found = found.as_deref().map(Provider::read).transpose()?;
        Ok(found.map(|provider| self.sso_view(organization, provider)))
    }

    /// Trusts an issuer, or trusts it otherwise. Whoever it let in before has to come anew if it is
    /// another one, or lets nobody in any more.
    ///
    /// # Errors
    /// [`AppError::Invalid`] for what cannot be an issuer, or lets in everybody.
    pub async fn set_sso(
        &self,
        authorized: Authorized<OrgManage>,
        change: SsoChange,
    ) -> Result<SsoView, AppError> {
        let (organization, workspace) = (authorized.organization(), authorized.workspace());
        let mut provider = checked(&self.people.issuers, change, workspace)?;
        let mut tx = self.store.begin_org(authorized).await?;
        let before = tx.get_setting(NAME).await?;
        let before = before.as_deref().map(Provider::read).transpose()?;
        let same = before
            .filter(|before| before.issuer == provider.issuer && before.client == provider.client);
        let goes_on = same.is_some() && provider.enabled;
        if let (Some(before), None) = (same, &provider.secret) {
            provider.secret = before.secret;
        }
        let bytes = Plain::new(ticket::write(&provider)?);
        tx.put_setting(NAME, Some(bytes.expose())).await?;
        if !goes_on {
            tx.revoke_confined().await?;
        }
        tx.commit().await?;
        self.issuers.forget(organization);
        self.verified.clear();
        Ok(self.sso_view(organization, provider))
    }

    /// Trusts no issuer any more, and ends what came of its word.
    ///
    /// # Errors
    /// [`AppError::NotFound`] when there was none.
    pub async fn remove_sso(&self, authorized: Authorized<OrgManage>) -> Result<(), AppError> {
        let organization = authorized.organization();
        let mut tx = self.store.begin_org(authorized).await?;
        if tx.get_setting(NAME).await?.is_none() {
            return Err(NONE);
        }
        tx.put_setting(NAME, None).await?;
        tx.revoke_confined().await?;
        tx.commit().await?;
        self.issuers.forget(organization);
        self.verified.clear();
        Ok(())
    }

    /// Asks the issuer for its configuration and its keys, past what is remembered of them.
    ///
    /// # Errors
    /// What is wrong with it, for whoever sets it up.
    pub async fn test_sso(&self, authorized: Authorized<OrgManage>) -> Result<SsoReport, AppError> {
        let organization = authorized.organization();
        let mut tx = self.store.begin_org(authorized).await?;
        let found = tx.get_setting(NAME).await?;
        drop(tx);
        let provider = Provider::read(&found.ok_or(NONE)?)?;
        self.issuers.forget(organization);
        let endpoints = self.endpoints(organization, &provider).await?;
        let keys = self.issuer_keys(organization, &provider, "").await?;
        Ok(SsoReport {
            authorization_endpoint: endpoints.authorization.clone(),
            client_auth: match endpoints.client {
                ClientAuth::Basic => "client_secret_basic",
                ClientAuth::Post => "client_secret_post",
                ClientAuth::None => "none",
            },
            names_itself: endpoints.names_itself,
            keys: keys.len(),
        })
    }

    fn sso_view(&self, organization: OrganizationId, provider: Provider) -> SsoView {
        SsoView {
            has_secret: provider.secret.is_some(),
            role: provider.role(),
            workspace_role: provider.workspace_role(),
            redirect_uri: self.sso_redirect(organization),
            issuer: provider.issuer,
            client: provider.client,
            domains: provider.domains,
            claim: provider.claim,
            enabled: provider.enabled,
        }
    }

    /// Where an issuer sends people back to: another place for each organization, so that what one
    /// issuer answers is never taken for another's.
    pub(super) fn sso_redirect(&self, organization: OrganizationId) -> Option<String> {
        let id = u128::from_be_bytes(organization.to_bytes());
        self.issuer()
            .map(|own| format!("{own}/login/sso/callback/{id:032x}"))
    }
}

const NONE: AppError = AppError::NotFound("single sign-on");

fn checked(
    calls: &IssuerCalls,
    change: SsoChange,
    workspace: WorkspaceId,
) -> Result<Provider, AppError> {
    line("issuer", &change.issuer)?;
    line("client_id", &change.client)?;
    if let Some(secret) = &change.secret {
        line("client_secret", secret.expose())?;
    }
    calls
        .target(&change.issuer, true)
        .map_err(|error| Invalid::unknown("issuer", &error.to_string()))?;
    if change.issuer.contains('?') {
        return Err(Invalid::unknown("issuer", "an issuer has no query"));
    }
    Invalid::check_count("domains", change.domains.len(), DOMAINS)?;
    let domains = change.domains.iter().map(|text| domain(text));
    let domains = domains.collect::<Result<Vec<_>, _>>()?;
    if let Some((name, value)) = &change.claim {
        line("claim", name)?;
        line("value", value)?;
        if ["email", "email_verified"].contains(&name.as_str()) {
            return Err(Invalid::unknown(
                "claim",
                "an address counts by its domain, once it is verified: list the domain",
            ));
        }
    }
    if domains.is_empty() && change.claim.is_none() {
        return Err(Invalid::unknown(
            "domains",
            "say whom to let in: by domains, by a claim and its value, or by both",
        ));
    }
    if change.role == OrganizationRole::Owner {
        return Err(Invalid::unknown("role", "nobody becomes an owner by this"));
    }
    Ok(Provider {
        issuer: change.issuer,
        client: change.client,
        secret: change.secret.map(|secret| secret.expose().clone()),
        domains,
        claim: change.claim,
        role: change.role.code(),
        workspace_role: change.workspace_role.map(|role| role.as_str().to_owned()),
        workspace,
        enabled: change.enabled,
    })
}

fn line(field: &str, text: &str) -> Result<(), AppError> {
    if text.is_empty() {
        return Err(Invalid::required(field));
    }
    Invalid::check_length(field, text, LINE)?;
    if text.chars().any(char::is_control) {
        return Err(Invalid::unknown(field, "it holds a control character"));
    }
    Ok(())
}

/// A domain as it stands after the `@`.
fn domain(text: &str) -> Result<String, AppError> {
    let domain = text.trim().to_ascii_lowercase();
    let sound = domain.len() <= 253
        && domain.contains('.')
        && domain.split('.').all(|label| {
            !label.is_empty()
                && label
                    .bytes()
                    .all(|c| c.is_ascii_alphanumeric() || c == b'-')
        });
    if sound {
        Ok(domain)
    } else {
        let what = "expected domains such as example.org, each by itself";
        Err(Invalid::unknown("domains", what))
    }
}
