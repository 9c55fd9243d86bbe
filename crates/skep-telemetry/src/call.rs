//! A call as it is told: a span, and what its metrics are of.

use std::time::SystemTime;

use opentelemetry::trace::{Span, SpanBuilder, SpanKind, Status, TraceContextExt, Tracer};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{Sampler, SdkTracer};

use crate::Parent;

/// A model call that has ended.
#[derive(Clone, Debug)]
pub struct Call<'a> {
    /// `chat`, `embeddings` or another of the conventions.
    pub operation: &'static str,
    /// The kind of provider, such as `openai`.
    pub provider: &'static str,
    /// What the provider calls the model.
    pub model: &'a str,
    /// Where it was asked; nowhere if it is built in.
    pub server: Option<Server<'a>>,
    /// Tokens that the answer may have.
    pub max_tokens: Option<u64>,
    /// Whether the answer came as a stream.
    pub is_stream: bool,
    /// When it began.
    pub began: SystemTime,
    /// When the first of a stream came.
    pub first: Option<SystemTime>,
    /// When it ended.
    pub ended: SystemTime,
    /// Tokens read, cached ones included.
    pub input: u64,
    /// Tokens written.
    pub output: u64,
    /// Tokens read from a cache.
    pub cache_read: u64,
    /// Tokens put into a cache.
    pub cache_write: u64,
    /// Whether the provider counted them.
    pub is_measured: bool,
    /// Why it came to nothing, in a word.
    pub error: Option<&'static str>,
    /// Its id here.
    pub request: &'a str,
    /// What its caller does it for.
    pub parent: Option<Parent>,
}

/// A provider's server.
#[derive(Clone, Copy, Debug)]
pub struct Server<'a> {
    /// A name or an address.
    pub host: &'a str,
    /// A port.
    pub port: u16,
}

/// A caller's own decision counts; else so many of all are taken.
pub(crate) fn sampler(share: f64) -> Sampler {
    Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(share)))
}

impl Call<'_> {
    pub(crate) fn trace(&self, tracer: &SdkTracer) {
        let context = match &self.parent {
            Some(parent) => Context::new().with_remote_span_context(parent.0.clone()),
            None => Context::new(),
        };
        let mut attributes = self.common();
        attributes.extend([
            KeyValue::new("gen_ai.usage.input_tokens", count(self.input)),
            KeyValue::new("gen_ai.usage.output_tokens", count(self.output)),
            KeyValue::new(
                "gen_ai.usage.cache_read.input_tokens",
                count(self.cache_read),
            ),
            KeyValue::new(
                "gen_ai.usage.cache_creation.input_tokens",
                count(self.cache_write),
            ),
            KeyValue::new("gen_ai.request.stream", self.is_stream),
            KeyValue::new("skep.usage.measured", self.is_measured),
            KeyValue::new("skep.request.id", self.request.to_owned()),
        ]);
        let most = self.max_tokens.map(count);
        attributes.extend(most.map(|most| KeyValue::new("gen_ai.request.max_tokens", most)));
        let error = self.error;
        attributes.extend(error.map(|error| KeyValue::new("error.type", error)));
        let builder = SpanBuilder::from_name(format!("{} {}", self.operation, self.model))
            .with_kind(SpanKind::Client)
            .with_start_time(self.began)
            .with_attributes(attributes);
        let mut span = tracer.build_with_context(builder, &context);
        if let Some(error) = self.error {
            span.set_status(Status::error(error));
        }
        span.end_with_timestamp(self.ended);
    }

    /// What spans and metrics both say.
    pub(crate) fn common(&self) -> Vec<KeyValue> {
        let mut common = vec![
            KeyValue::new("gen_ai.operation.name", self.operation),
            KeyValue::new("gen_ai.provider.name", self.provider),
            KeyValue::new("gen_ai.request.model", self.model.to_owned()),
        ];
        if let Some(server) = self.server {
            common.extend([
                KeyValue::new("server.address", server.host.to_owned()),
                KeyValue::new("server.port", i64::from(server.port)),
            ]);
        }
        common
    }
}

fn count(tokens: u64) -> i64 {
    i64::try_from(tokens).unwrap_or(i64::MAX)
}
