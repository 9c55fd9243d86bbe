//! Whoever watches model calls is told of each that has ended: which model, how long, how much, and no content.

use std::sync::Arc;

use skep_domain::Timestamp;
use skep_egress::Origin;
use skep_llm::relay::{Ask, Format};

use super::choice::Choice;
use super::known::Provider;
use super::{GatewayCall, ProviderKind};
use crate::App;
use crate::meter::Ending;

/// A model call that has ended.
#[derive(Debug)]
pub struct CallSeen<'a> {
    /// What was asked.
    pub format: Format,
    /// What kind of provider.
    pub provider: ProviderKind,
    /// Where it is; nowhere if it is built in.
    pub server: Option<&'a Origin>,
    /// What it calls the model.
    pub model: &'a str,
    /// Whether the organization lists that name: otherwise it is whatever its caller wrote.
    pub is_listed: bool,
    /// Tokens that the answer may have, if it was said.
    pub max_tokens: Option<u64>,
    /// Whether it was asked for as a stream.
    pub is_stream: bool,
    /// When it began.
    pub began: Timestamp,
    /// When the first of a stream came.
    pub first: Option<Timestamp>,
    /// When it ended.
    pub ended: Timestamp,
    /// How.
    pub ending: Ending,
    /// Its id.
    pub request: &'a str,
    /// What its caller does it for: a `traceparent`, as it came.
    pub trace: Option<&'a str>,
}

/// Somebody who watches.
pub trait CallWatch: Send + Sync {
    /// A call has ended. This must not block.
    fn ended(&self, call: &CallSeen<'_>);
}

/// A call that is watched.
pub(super) struct Watched {
    watch: Arc<dyn CallWatch>,
    format: Format,
    provider: Arc<Provider>,
    model: String,
    is_listed: bool,
    max_tokens: Option<u64>,
    is_stream: bool,
    began: Timestamp,
    first: Option<Timestamp>,
    request: String,
    trace: Option<String>,
}

impl App {
    /// Tells somebody of each model call that has ended.
    #[must_use]
    pub fn with_call_watch(mut self, watch: Arc<dyn CallWatch>) -> Self {
        self.gateway.watch = Some(watch);
        self
    }

    /// What is needed to tell of a call, if somebody watches.
    pub(super) fn watched(
        &self,
        choice: &Choice,
        (ask, call): (&Ask, &GatewayCall),
    ) -> Option<Box<Watched>> {
        let watch = Arc::clone(self.gateway.watch.as_ref()?);
        Some(Box::new(Watched {
            watch,
            format: ask.format,
            provider: Arc::clone(&choice.provider),
            is_listed: choice.provider.view.models.contains(&choice.model),
            model: choice.model.clone(),
            max_tokens: ask.output,
            is_stream: ask.stream,
            began: self.store.now(),
            first: None,
            request: call.request.clone(),
            trace: call.trace.clone(),
        }))
    }
}

impl Watched {
    /// Something of the answer has come.
    pub(super) fn came(&mut self, now: Timestamp) {
        self.first.get_or_insert(now);
    }

    pub(super) fn ended(&self, ending: Ending, now: Timestamp) {
        self.watch.ended(&CallSeen {
            format: self.format,
            provider: self.provider.view.kind,
            server: self
                .provider
                .way
                .as_ref()
                .map(|(target, _)| target.origin()),
            model: &self.model,
            is_listed: self.is_listed,
            max_tokens: self.max_tokens,
            is_stream: self.is_stream,
            began: self.began,
            first: self.first.filter(|_| self.is_stream),
            ended: now,
            ending,
            request: &self.request,
            trace: self.trace.as_deref(),
        });
    }
}
