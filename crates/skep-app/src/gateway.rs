//! Model calls on their way to a provider of the caller's organization, and their answers on the way back.
//!
//! Nothing of a caller's credential goes upstream: what is sent is built from nothing, out of the body, a few headers that
//! are known to be harmless, and the organization's own key. What a call may cost is reserved before anything is
//! sent, and whatever way it ends is settled.

mod answer;
mod choice;
mod fault;
mod known;
mod meter;
mod provider;
mod send;
mod stream;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use skep_authz::Authorized;
use skep_authz::rights::GatewayUse;
use skep_egress::{Egress, Origin, Patience, Reach};
use skep_llm::relay::{Ask, Misread};

use crate::error::Invalid;
use crate::{App, AppError};

pub use fault::GatewayFault;
pub use provider::{Kind as ProviderKind, ProviderView, SetProvider};
pub use skep_llm::relay::Format;
pub use stream::ModelStream;

use known::Known;

/// Calls of one organization's to one provider that are under way at a time.
const CALLS: usize = 512;
/// Daemons that a call may pass through.
const HOPS: u8 = 8;
/// Bytes of the value of a header that goes upstream.
const VALUE: usize = 1_024;

/// How model calls leave.
pub struct GatewaySettings {
    /// Whether the provider that is built in may be used.
    pub mock: bool,
    /// Servers inside that an organization may name as a provider. Whatever else is called has a public address.
    pub inside: Vec<Origin>,
    /// Until the head of an answer, which may be after all of it was thought.
    pub first_byte: Duration,
    /// Between two parts of an answer.
    pub idle: Duration,
}

/// A model call as it came.
#[derive(Debug)]
pub struct GatewayCall {
    /// What it is.
    pub format: Format,
    /// Its body, as it came.
    pub body: Bytes,
    /// What it says of its version, by the names of headers in lower case: those that are known go upstream.
    pub headers: Vec<(&'static str, String)>,
    /// Daemons that it has passed through.
    pub hops: u8,
    /// Its id.
    pub request: String,
}

/// Headers of a caller's that go upstream. They choose a version and no account.
pub const PASSED_HEADERS: [&str; 3] = ["anthropic-version", "anthropic-beta", "openai-beta"];

/// What came of a model call.
pub enum Relayed {
    /// All of it.
    Whole(WholeAnswer),
    /// As it comes.
    Stream(Box<ModelStream>),
}

/// An answer that is there.
#[derive(Debug)]
pub struct WholeAnswer {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: Bytes,
    /// When to come again, as the provider says it.
    pub retry_after: Option<String>,
    /// Who answered.
    pub provider: String,
}

/// What an application needs for it.
pub(crate) struct Gateway {
    mock: bool,
    egress: Arc<Egress>,
    patience: Patience,
    known: Known,
}

impl Default for GatewaySettings {
    fn default() -> Self {
        Self {
            mock: false,
            inside: Vec::new(),
            first_byte: Duration::from_mins(10),
            idle: Duration::from_mins(2),
        }
    }
}

impl Gateway {
    pub(crate) fn new(settings: GatewaySettings) -> Self {
        Self {
            mock: settings.mock,
            egress: Arc::new(Egress::new(Reach::PublicAnd(settings.inside))),
            patience: Patience {
                first_byte: settings.first_byte,
                idle: settings.idle,
                ..Patience::default()
            },
            known: Known::default(),
        }
    }
}

impl App {
    /// Sends model calls like this.
    #[must_use]
    pub fn with_gateway(mut self, settings: GatewaySettings) -> Self {
        self.gateway = Gateway::new(settings);
        self
    }

    /// Sends a model call to the provider that the organization has for its model, and gives what comes back.
    ///
    /// # Errors
    /// [`AppError::Invalid`] for a body that no provider could answer; [`AppError::Gateway`].
    pub async fn relay(
        self: &Arc<Self>,
        authorized: &Authorized<GatewayUse>,
        call: GatewayCall,
    ) -> Result<Relayed, AppError> {
        if call.hops >= HOPS {
            return Err(GatewayFault::Hops(HOPS).into());
        }
        let ask = Ask::read(call.format, &call.body).map_err(misread)?;
        let providers = self.providers_of(authorized.organization()).await?;
        let chain = choice::choose(&providers, &ask)?;
        self.send_along(authorized, &chain, &ask, &call).await
    }

    /// The models that callers of an organization may name, each with its provider.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn models(
        &self,
        authorized: &Authorized<GatewayUse>,
    ) -> Result<Vec<(String, String)>, AppError> {
        let providers = self.providers_of(authorized.organization()).await?;
        Ok(choice::models(&providers))
    }
}

fn misread(error: Misread) -> AppError {
    let field = match error {
        Misread::Json => "body",
        Misread::Field { field, .. } => field,
    };
    Invalid::unknown(field, &error.to_string())
}
