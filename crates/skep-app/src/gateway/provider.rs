//! Providers as an organization sets them: which, where, with which key, for which models.

use serde::{Deserialize, Serialize};
use skep_authz::Authorized;
use skep_authz::rights::{GatewayConfigure, SecretApprove};
use skep_domain::RecordName;
use skep_egress::Target;

use crate::error::Invalid;
use crate::{App, AppError};

/// What the names of these settings begin with.
pub(super) const PREFIX: &str = "provider.";
/// Providers of one organization.
const PROVIDERS: usize = 32;
/// Models that one names.
const MODELS: usize = 256;
/// Bytes of one name of a model.
const MODEL: usize = 200;
/// Others that are asked in its place.
const FALLBACK: usize = 3;
/// Tokens that a model writes at most, where nothing says otherwise.
const OUTPUT: u64 = 131_072;
/// Tokens that each model of today may be told to write.
const SAID_OUTPUT: u64 = 32_000;

const NAME: &str = "is 1 to 32 small letters, digits and -, a letter first";
const ELSEWHERE: AppError = AppError::Forbidden(
    "a key goes to an address of one's own choice only if somebody says so who may approve what secrets are used for",
);

/// Whom a provider speaks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// OpenAI.
    Openai,
    /// Anthropic.
    Anthropic,
    /// A server that speaks OpenAI's dialect: Ollama, vLLM and many more.
    Compatible,
    /// The one that is built in.
    Mock,
}

/// A provider to set.
#[derive(Debug)]
pub struct SetProvider {
    /// What it is called; models may be asked for as `name/model`.
    pub name: String,
    /// Whom it speaks like.
    pub kind: Kind,
    /// Where it is; where its kind is, if absent.
    pub base_url: Option<String>,
    /// The organization's secret that is its key.
    pub secret: Option<String>,
    /// The models that may be used, `*` at the end for any ending; all if there are none.
    pub models: Vec<String>,
    /// Providers that are asked in its place, in this order, when it cannot answer.
    pub fallback: Vec<String>,
    /// Tokens that a call without a bound of its own may write.
    pub max_output: Option<u64>,
    /// The right to say what secrets are used for, if the caller has it.
    pub approves: Option<Authorized<SecretApprove>>,
}

/// A provider that is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderView {
    /// What it is called.
    pub name: String,
    /// Whom it speaks like.
    pub kind: Kind,
    /// Where it is.
    pub base_url: Option<String>,
    /// The name of its key.
    pub secret: Option<String>,
    /// The models that may be used.
    pub models: Vec<String>,
    /// Who is asked in its place.
    pub fallback: Vec<String>,
    /// Tokens that a call without a bound of its own may write.
    pub max_output: u64,
}

/// As it is kept.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Kept {
    kind: Kind,
    base_url: Option<String>,
    secret: Option<String>,
    models: Vec<String>,
    fallback: Vec<String>,
    max_output: u64,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Openai, Self::Anthropic, Self::Compatible, Self::Mock];

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Openai => "openai",
            Self::Anthropic => "anthropic",
            Self::Compatible => "compatible",
            Self::Mock => "mock",
        }
    }

    /// Reads a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// Where its own servers are.
    pub(super) const fn home(self) -> Option<&'static str> {
        match self {
            Self::Openai => Some("https://api.openai.com/v1"),
            Self::Anthropic => Some("https://api.anthropic.com"),
            Self::Compatible | Self::Mock => None,
        }
    }
}

impl ProviderView {
    /// Tokens that a provider is told to write at most, for a call that has no bound where there has to be one:
    /// what it is set to, or as many as most models may.
    pub(super) fn said_output(&self) -> u64 {
        if self.max_output == OUTPUT {
            SAID_OUTPUT
        } else {
            self.max_output
        }
    }
}

impl SetProvider {
    /// Whether a key would go to an address that its caller chose.
    #[must_use]
    pub fn sends_key_elsewhere(&self) -> bool {
        let at_home = self
            .base_url
            .as_deref()
            .is_none_or(|url| self.kind.home() == Some(url.trim_end_matches('/')));
        self.secret.is_some() && !at_home
    }

    fn check(&self, mock: bool) -> Result<(), AppError> {
        if !is_name(&self.name) {
            return Err(Invalid::unknown("name", NAME));
        }
        if self.kind == Kind::Mock && !mock {
            let message = "the provider that is built in is refused here: whoever runs the daemon allows it with gateway.mock = true";
            return Err(Invalid::unknown("kind", message));
        }
        self.check_address()?;
        if let Some(secret) = &self.secret {
            let named = RecordName::parse(secret);
            named.map_err(|error| Invalid::unknown("secret", &error.to_string()))?;
        }
        Invalid::check_count("models", self.models.len(), MODELS)?;
        for (at, model) in self.models.iter().enumerate() {
            let field = format!("models[{at}]");
            Invalid::check_length(&field, model, MODEL)?;
            let stem = model.strip_suffix('*').unwrap_or(model);
            if model.is_empty() || stem.contains('*') || stem.chars().any(char::is_control) {
                return Err(Invalid::unknown(
                    &field,
                    "is the name of a model, with a * at its end at most",
                ));
            }
        }
        Invalid::check_count("fallback", self.fallback.len(), FALLBACK)?;
        if self
            .fallback
            .iter()
            .any(|name| !is_name(name) || *name == self.name)
        {
            return Err(Invalid::unknown("fallback", "names other providers"));
        }
        match self.max_output {
            Some(0) => Err(Invalid::unknown("max_output", "is at least 1")),
            _ => Ok(()),
        }
    }

    fn check_address(&self) -> Result<(), AppError> {
        match (self.kind, &self.base_url) {
            (Kind::Mock, Some(_)) => Err(Invalid::unknown("base_url", "the mock is nowhere")),
            (Kind::Mock, None) if self.secret.is_some() => {
                Err(Invalid::unknown("secret", "the mock takes no key"))
            }
            (Kind::Compatible, None) => Err(Invalid::required("base_url")),
            (_, None) => Ok(()),
            (_, Some(url)) => {
                let target = Target::parse(url);
                let target =
                    target.map_err(|error| Invalid::unknown("base_url", &error.to_string()))?;
                if target.path().contains('?') {
                    return Err(Invalid::unknown("base_url", "has no query"));
                }
                Ok(())
            }
        }
    }
}

/// Whether a provider can be called so.
fn is_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=32).contains(&name.len())
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(fits)
}

/// Settings that are providers, by name; what is not readable is as if it were not set.
pub(super) fn parse(settings: &[(String, Vec<u8>)]) -> Vec<ProviderView> {
    let kept = settings.iter().filter_map(|(name, value)| {
        let name = name.strip_prefix(PREFIX)?;
        let kept: Kept = serde_json::from_slice(value).ok()?;
        Some(ProviderView {
            name: name.to_owned(),
            kind: kept.kind,
            base_url: kept.base_url,
            secret: kept.secret,
            models: kept.models,
            fallback: kept.fallback,
            max_output: kept.max_output,
        })
    });
    let mut all: Vec<_> = kept.collect();
    all.sort_by(|one, other| one.name.cmp(&other.name));
    all
}

impl App {
    /// The providers of the organization, by name.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn list_providers(
        &self,
        authorized: Authorized<GatewayConfigure>,
    ) -> Result<Vec<ProviderView>, AppError> {
        let mut tx = self.store.begin_org(authorized).await?;
        Ok(parse(&tx.list_settings().await?))
    }

    /// Sets a provider, in the place of the one of its name. It is in force here at once.
    ///
    /// # Errors
    /// [`AppError::Invalid`]; [`AppError::Forbidden`] where a key would go to an address that the caller chose and
    /// may not approve.
    pub async fn set_provider(
        &self,
        authorized: Authorized<GatewayConfigure>,
        set: SetProvider,
    ) -> Result<ProviderView, AppError> {
        set.check(self.gateway.mock)?;
        let organization = authorized.organization();
        let approver = set.approves.as_ref().map(Authorized::organization);
        if set.sends_key_elsewhere() && approver != Some(organization) {
            return Err(ELSEWHERE);
        }
        let mut tx = self.store.begin_org(authorized).await?;
        let known = parse(&tx.list_settings().await?);
        if known.len() >= PROVIDERS && known.iter().all(|known| known.name != set.name) {
            return Err(AppError::Conflict(
                "there are 32 providers already: remove one first",
            ));
        }
        let kept = Kept {
            kind: set.kind,
            base_url: set.base_url.map(|url| url.trim_end_matches('/').to_owned()),
            secret: set.secret,
            models: set.models,
            fallback: set.fallback,
            max_output: set.max_output.unwrap_or(OUTPUT),
        };
        let value = serde_json::to_vec(&kept)
            .map_err(|_| AppError::Internal("a provider could not be written"))?;
        let name = format!("{PREFIX}{}", set.name);
        tx.put_gateway_setting(&name, Some(&value)).await?;
        tx.commit().await?;
        self.gateway.known.forget(organization);
        let set = parse(&[(name, value)]).into_iter().next();
        set.ok_or(AppError::Internal("a provider could not be read"))
    }

    /// Removes a provider; `false` if there was none.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn remove_provider(
        &self,
        authorized: Authorized<GatewayConfigure>,
        name: &str,
    ) -> Result<bool, AppError> {
        if !is_name(name) {
            return Err(Invalid::unknown("name", NAME));
        }
        let organization = authorized.organization();
        let mut tx = self.store.begin_org(authorized).await?;
        let known = parse(&tx.list_settings().await?);
        if known.iter().all(|known| known.name != name) {
            return Ok(false);
        }
        tx.put_gateway_setting(&format!("{PREFIX}{name}"), None)
            .await?;
        tx.commit().await?;
        self.gateway.known.forget(organization);
        Ok(true)
    }
}
