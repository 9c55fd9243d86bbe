//! A call on its way: reserved for, sent, and to the next provider if one cannot.

use std::sync::Arc;

use bytes::Bytes;
use skep_authz::Authorized;
use skep_authz::rights::GatewayUse;
use skep_crypto::Plain;
use skep_domain::RecordName;
use skep_egress::{Answering, Request, Secret, Target};
use skep_llm::Usage;
use skep_llm::relay::translate::{self, Saying};
use skep_llm::relay::{self, Ask};

use super::choice::Choice;
use super::fault::{Failed, GatewayFault};
use super::known::{Key, Provider};
use super::meter::Open;
use super::provider::Kind;
use super::tokens::TakenTokens;
use super::{GatewayCall, Relayed, VALUE, answer};
use crate::access::Decision;
use crate::error::Invalid;
use crate::meter::{CallOutcome, Ending, Measured};
use crate::{App, AppError, RecordScope};

/// The version of Anthropic's interface for callers that name none.
const ANTHROPIC_VERSION: &str = "2023-06-01";

/// A call and who it is for.
pub(super) struct Sending<'a> {
    pub(super) choice: &'a Choice,
    pub(super) ask: &'a Ask,
    pub(super) call: &'a GatewayCall,
    /// What goes upstream.
    body: Bytes,
    /// When it began, in seconds.
    pub(super) began: i64,
}

/// What a provider said, before it is known whether that is an answer.
pub(super) struct Said {
    pub(super) answering: Answering,
    /// The key that was sent, to be found in what comes back.
    pub(super) key: Option<Key>,
}

impl App {
    /// Asks the providers of a chain, one after the other as long as nothing of the call can have been done.
    pub(super) async fn send_along(
        self: &Arc<Self>,
        authorized: &Authorized<GatewayUse>,
        (chain, mut tokens): (&[Choice], TakenTokens),
        ask: &Ask,
        call: &GatewayCall,
    ) -> Result<Relayed, AppError> {
        let mut last = None;
        for (at, choice) in chain.iter().enumerate() {
            let sending = Sending {
                body: body(choice, ask, call)?,
                began: self.store.now().as_micros() / 1_000_000,
                choice,
                ask,
                call,
            };
            let is_last = at + 1 == chain.len();
            let (provider, now) = (&choice.provider, self.store.now());
            // Held until it is known what came of it.
            let _leave = match provider.breaker.admit(now) {
                Ok(leave) => leave,
                Err(wait) => {
                    let resting = Failed::resting(&provider.view.name, wait).fault;
                    if is_last {
                        return Err(last.unwrap_or(resting).into());
                    }
                    last = Some(resting);
                    continue;
                }
            };
            let rest = tokens.rest();
            let taken = std::mem::replace(&mut tokens, rest);
            let open = Open::begin(self, authorized, choice, (ask, call), taken).await?;
            match self.send_one(authorized, &sending, open, is_last).await? {
                Ok(relayed) => return Ok(relayed),
                Err(failed) if failed.is_theirs && !is_last => last = Some(failed.fault),
                Err(failed) => return Err(failed.fault.into()),
            }
        }
        let nobody = || GatewayFault::NoModel(ask.model.clone());
        Err(last.unwrap_or_else(nobody).into())
    }

    async fn send_one(
        self: &Arc<Self>,
        authorized: &Authorized<GatewayUse>,
        sending: &Sending<'_>,
        open: Open,
        is_last: bool,
    ) -> Result<Result<Relayed, Failed>, AppError> {
        if sending.choice.provider.is_mock() {
            return Ok(Ok(answer::of_mock(sending, open, sending.began)));
        }
        let said = match self.ask_provider(authorized, sending).await {
            Ok(said) => said,
            Err(error) => {
                open.settle(NOT_SENT);
                return Err(error);
            }
        };
        let said = match said {
            Ok(said) => said,
            Err(failed) => {
                open.settle(ending_of(&failed, sending));
                return Ok(Err(failed));
            }
        };
        Ok(answer::of(sending, said, open, is_last).await)
    }

    async fn ask_provider(
        &self,
        authorized: &Authorized<GatewayUse>,
        sending: &Sending<'_>,
    ) -> Result<Result<Said, Failed>, AppError> {
        let provider = &sending.choice.provider;
        let name = &provider.view.name;
        let Some((base, pool)) = &provider.way else {
            return Err(AppError::Internal("a provider without an address"));
        };
        let key = match self.provider_key(authorized, provider).await? {
            Ok(key) => key,
            Err(fault) => return Ok(Err(Failed::before(fault))),
        };
        let request = match request(sending, base, key.as_deref()) {
            Ok(request) => request,
            Err(error) => return Ok(Err(Failed::on_the_way(name, &error))),
        };
        let sent = pool.send(&request).await;
        let breaker = &provider.breaker;
        Ok(match sent {
            Ok(answering) if answering.status() >= 500 => {
                breaker.failed(self.store.now());
                Ok(Said { answering, key })
            }
            Ok(answering) => {
                breaker.answered();
                Ok(Said { answering, key })
            }
            Err(error) => {
                tracing::warn!(provider = name, %error, "a provider gave no answer");
                let failed = Failed::on_the_way(name, &error);
                if failed.is_outage() {
                    breaker.failed(self.store.now());
                }
                Err(failed)
            }
        })
    }

    /// The key of a provider, if it has one. That it is taken out of the vault is recorded first.
    async fn provider_key(
        &self,
        authorized: &Authorized<GatewayUse>,
        provider: &Provider,
    ) -> Result<Result<Option<Key>, GatewayFault>, AppError> {
        let Some(secret) = &provider.view.secret else {
            return Ok(Ok(None));
        };
        let now = self.store.now();
        if let Some(key) = provider.key(now) {
            return Ok(Ok(Some(key)));
        }
        let setup = |problem: String| GatewayFault::Setup {
            provider: provider.view.name.clone(),
            problem,
        };
        let Ok(name) = RecordName::parse(secret) else {
            return Ok(Err(setup("the name of its key is none".into())));
        };
        let organization = authorized.organization();
        let tenant = (organization, authorized.workspace());
        let decision = Decision {
            organization: Some(organization),
            target: Some(self.secret_mark(tenant, RecordScope::Organization, &name)),
            reason: provider.view.name.clone(),
            ..Decision::of("provider.key")
        };
        self.record_allowed(decision, None).await?;
        match self.use_gateway_key(authorized, &name).await {
            Ok(key) => {
                let key = Arc::new(key);
                provider.keep_key(now, &key);
                Ok(Ok(Some(key)))
            }
            Err(AppError::NotFound(_)) => Ok(Err(setup(format!(
                "your organization has no secret {secret}: set it with skep secret set {secret} --organization"
            )))),
            Err(AppError::Elsewhere(why)) => Ok(Err(setup(why.to_string()))),
            Err(error) => Err(error),
        }
    }
}

pub(super) const NOT_SENT: Ending = Ending {
    usage: Usage {
        input: 0,
        output: 0,
        cache_read: 0,
        cache_write: 0,
        reasoning: 0,
    },
    measured: Measured::Provider,
    outcome: CallOutcome::NotSent,
};

/// What a call costs that failed on its way: nothing before it was sent, and as much as it may after.
pub(super) fn ending_of(failed: &Failed, sending: &Sending<'_>) -> Ending {
    if !failed.was_sent {
        return NOT_SENT;
    }
    let view = &sending.choice.provider.view;
    let most = view.max_output.saturating_mul(sending.ask.answers);
    Ending {
        usage: Usage {
            input: sending.ask.input,
            output: sending.ask.output.unwrap_or(most),
            ..Usage::default()
        },
        measured: Measured::Counted,
        outcome: CallOutcome::Failed,
    }
}

/// The body for upstream: the caller's own bytes, or what they say in the other dialect.
fn body(choice: &Choice, ask: &Ask, call: &GatewayCall) -> Result<Bytes, AppError> {
    if choice.speaks == ask.format {
        return Ok(relay::for_upstream(ask, &call.body, &choice.model));
    }
    let view = &choice.provider.view;
    let saying = Saying {
        model: &choice.model,
        output: view.said_output(),
        newer: view.kind == Kind::Openai,
    };
    translate::request(ask, &call.body, saying)
        .map_err(|lossy| Invalid::unknown(&lossy.field, &lossy.to_string()))
}

/// What goes upstream, built from nothing: of the caller's headers those alone that choose a version.
fn request(
    sending: &Sending<'_>,
    base: &Target,
    key: Option<&Plain<Vec<u8>>>,
) -> Result<Request, skep_egress::EgressError> {
    let (ask, call) = (sending.ask, sending.call);
    let view = &sending.choice.provider.view;
    let prefix = base.path().trim_end_matches('/');
    let target = base.with_path(&format!("{prefix}{}", sending.choice.speaks.path()))?;
    let accept = if ask.stream {
        "text/event-stream"
    } else {
        "application/json"
    };
    let mut request = Request::relay(target, sending.body.clone())?
        .header("content-type", "application/json")?
        .header("accept", accept)?
        .header("x-skep-hops", &(call.hops + 1).to_string())?;
    let anthropic = view.kind == Kind::Anthropic;
    if anthropic {
        request = request.header("anthropic-version", ANTHROPIC_VERSION)?;
    }
    // Of the other dialect nothing is known that a version could change.
    let is_own = sending.choice.speaks == ask.format;
    let ours = if anthropic { "anthropic-" } else { "openai-" };
    for (name, value) in call.headers.iter().filter(|_| is_own) {
        if name.starts_with(ours) && value.len() <= VALUE {
            request = request.header(name, value)?;
        }
    }
    let Some(key) = key else {
        return Ok(request);
    };
    let text = std::str::from_utf8(key.expose()).unwrap_or_default().trim();
    if anthropic {
        request.secret("x-api-key", &Secret::new(text.to_owned()))
    } else {
        request.secret("authorization", &Secret::bearer(text))
    }
}
