//! Model calls on their way to a provider of the caller's organization, and their answers on the way back.
//!
//! Nothing of a caller's credential goes upstream: what is sent is built from nothing, out of the body, a few headers that
//! are known to be harmless, and the organization's own key. What a call may cost is reserved before anything is
//! sent, and whatever way it ends is settled.

mod again;
mod answer;
mod apart;
mod breaker;
mod choice;
mod context;
mod exchange;
mod facts;
mod fault;
mod known;
mod meter;
mod provider;
mod send;
mod stream;
pub(crate) mod tokens;
mod watch;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use skep_authz::Authorized;
use skep_authz::rights::GatewayUse;
use skep_domain::{MemoryId, Principal};
use skep_egress::{Egress, Origin, Patience, Reach};
use skep_llm::relay::{Ask, Misread};

use crate::error::Invalid;
use crate::{App, AppError, Timer, WallTimer};

pub use again::AnswerDesk;
pub use context::{
    AgentContext, AgentContextView, ContextAsked, ContextTold, KeepingIn, MemoryMode,
};
pub use exchange::ExchangeDesk;
pub(crate) use exchange::{Asked, Exchanges};
pub use facts::{AnswerFacts, CallCost};
pub use fault::GatewayFault;
pub use provider::{Kind as ProviderKind, ProviderView, SetProvider};
pub use skep_llm::Dialect;
pub use skep_llm::relay::Format;
pub use stream::ModelStream;
pub use watch::{CallSeen, CallWatch};

use apart::Apart;
use context::Wish;
use exchange::Hearing;
use known::Known;
use tokens::TakenTokens;

/// Calls of one organization's to one provider that are under way at a time.
const CALLS: usize = 2_048;
/// Daemons that a call may pass through.
const HOPS: u8 = 8;
/// Bytes of the value of a header that goes upstream.
const VALUE: usize = 1_024;

/// What came of a model call, and what was put into it.
pub struct Answered {
    /// The answer.
    pub relayed: Relayed,
    /// What its model was given; nothing where nobody asked for that.
    pub context: Option<ContextTold>,
}

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
    /// Says when a call has waited long enough for memories.
    pub timer: Arc<dyn Timer>,
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
    /// Under which it may be asked for again, if its caller chose something.
    pub key: Option<String>,
    /// What its caller does it for, as it came: for whoever watches.
    pub trace: Option<String>,
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
    /// Whether it is all of a stream.
    pub is_stream: bool,
    /// What else is known of it.
    pub facts: AnswerFacts,
}

/// What an application needs for it.
pub(crate) struct Gateway {
    mock: bool,
    egress: Arc<Egress>,
    patience: Patience,
    known: Known,
    apart: Apart,
    watch: Option<Arc<dyn CallWatch>>,
    timer: Arc<dyn Timer>,
}

impl Default for GatewaySettings {
    fn default() -> Self {
        Self {
            mock: false,
            inside: Vec::new(),
            first_byte: Duration::from_mins(10),
            idle: Duration::from_mins(2),
            timer: Arc::new(WallTimer),
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
            apart: Apart::default(),
            watch: None,
            timer: settings.timer,
        }
    }
}

/// A call that can go.
struct Prepared {
    chain: Vec<choice::Choice>,
    ask: Ask,
    call: GatewayCall,
    /// What it took of the tokens of its minute.
    tokens: TakenTokens,
    /// Whoever keeps what is said.
    hearing: Option<Hearing>,
    /// The memories that were put in, and whose they are.
    memories: Vec<(Principal, MemoryId)>,
}

impl App {
    /// Sends model calls like this.
    #[must_use]
    pub fn with_gateway(mut self, settings: GatewaySettings) -> Self {
        self.gateway = Gateway::new(settings);
        self
    }

    /// Sends a model call to the provider that the organization has for its model, and gives what comes back; of
    /// one that was asked for before, under the same key, what came back then.
    ///
    /// # Errors
    /// [`AppError::Invalid`] for a body that no provider could answer; [`AppError::Gateway`].
    pub async fn relay(
        self: &Arc<Self>,
        authorized: Authorized<GatewayUse>,
        call: GatewayCall,
        asked: ContextAsked<'_>,
    ) -> Result<Answered, AppError> {
        if call.hops >= HOPS {
            return Err(GatewayFault::Hops(HOPS).into());
        }
        let ask = Ask::read(call.format, &call.body).map_err(misread)?;
        // What costs nothing may be asked as often as one likes.
        let key = call.key.clone().filter(|_| !ask.format.is_free());
        let key = key.map(|key| (key, asked.wanted()));
        // Whoever may not want it is told so, whether or not it was answered before.
        let wish = self.wish_of(&authorized, call.format, asked).await?;
        if let Some(key) = key {
            // Much of what a call takes up, where nobody asks again.
            return Box::pin(self.relay_once(authorized, key, (ask, call), wish)).await;
        }
        let (prepared, context) = self.made_ready(&authorized, (ask, call), wish).await?;
        let relayed = self.relay_now(&authorized, prepared).await?;
        Ok(Answered { relayed, context })
    }

    /// Who is asked, and with what: the call as it came, and what goes into it.
    async fn made_ready(
        self: &Arc<Self>,
        authorized: &Authorized<GatewayUse>,
        (mut ask, mut call): (Ask, GatewayCall),
        wish: Wish<'_>,
    ) -> Result<(Prepared, Option<ContextTold>), AppError> {
        let providers = self.providers_of(authorized.organization()).await?;
        let chain = choice::choose(&providers, &ask)?;
        // By what its caller wrote; what is put in is counted when it has ended. Nothing is searched, recorded or kept
        // for a call that is one too many.
        let tokens = self.take_tokens(authorized, ask.estimate).await?;
        let given = Box::pin(self.context_of(authorized, &call, wish)).await?;
        let hearing = given
            .asked
            .map(|(right, asked)| Hearing::new(self, right, (call.format, &call.request), asked));
        if let Some(body) = given.body {
            // What it may cost is reckoned from what is sent.
            call.body = body;
            ask = Ask::read(call.format, &call.body).map_err(misread)?;
        }
        let prepared = Prepared {
            chain,
            ask,
            call,
            tokens,
            hearing,
            memories: given.memories,
        };
        Ok((prepared, given.told))
    }

    async fn relay_now(
        self: &Arc<Self>,
        authorized: &Authorized<GatewayUse>,
        prepared: Prepared,
    ) -> Result<Relayed, AppError> {
        let Prepared {
            chain,
            ask,
            call,
            tokens,
            hearing,
            memories: _,
        } = prepared;
        let sent = self.send_along(authorized, (&chain, tokens), &ask, &call);
        match sent.await {
            Ok(relayed) => Ok(heard(relayed, hearing)),
            Err(error) => {
                if let Some(hearing) = hearing {
                    hearing.forget();
                }
                Err(error)
            }
        }
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

/// The answer, with whoever keeps what is said listening. A refusal is no answer.
fn heard(relayed: Relayed, hearing: Option<Hearing>) -> Relayed {
    let Some(mut hearing) = hearing else {
        return relayed;
    };
    match relayed {
        Relayed::Whole(whole) => {
            if whole.status == 200 {
                hearing.heard().whole(&whole.body);
            }
            Relayed::Whole(whole)
        }
        Relayed::Stream(stream) => Relayed::Stream(Box::new(stream.heard_by(hearing))),
    }
}

fn misread(error: Misread) -> AppError {
    let field = match error {
        Misread::Json => "body",
        Misread::Field { field, .. } => field,
    };
    Invalid::unknown(field, &error.to_string())
}
