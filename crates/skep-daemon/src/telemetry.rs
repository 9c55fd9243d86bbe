//! Model calls as a collector is told of them.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use skep_app::{CallOutcome, CallSeen, CallWatch, Format, Measured, ProviderKind};
use skep_domain::Timestamp;
use skep_telemetry::{Call, Parent, Sender, Server, Telemetry};

use crate::config::Config;

/// Tells a collector.
struct Watch(Arc<Telemetry>);

/// A collector that is told, until it is ended.
pub(crate) struct Collector {
    telemetry: Arc<Telemetry>,
    sender: Option<Sender>,
}

/// The collector that is configured.
pub(crate) fn open(config: &Config) -> anyhow::Result<Option<Collector>> {
    let Some(settings) = config.telemetry.settings()? else {
        return Ok(None);
    };
    tracing::info!(collector = %settings.collector, "a collector is told of model calls");
    let (telemetry, sender) = Telemetry::new(&settings)?;
    Ok(Some(Collector {
        telemetry: Arc::new(telemetry),
        sender: Some(sender),
    }))
}

impl Collector {
    /// Who is to be told.
    pub(crate) fn watch(&self) -> Arc<dyn CallWatch> {
        Arc::new(Watch(Arc::clone(&self.telemetry)))
    }

    /// What sends, to be run among the daemon's tasks; once.
    pub(crate) fn sender(&mut self) -> Option<Sender> {
        self.sender.take()
    }

    /// Sends what is left.
    pub(crate) async fn end(self) {
        let ended = tokio::task::spawn_blocking(move || self.telemetry.end());
        if let Err(error) = ended.await {
            tracing::warn!(%error, "not all telemetry was sent");
        }
    }
}

impl CallWatch for Watch {
    fn ended(&self, seen: &CallSeen<'_>) {
        let operation = match seen.format {
            Format::Chat | Format::Messages | Format::Responses => "chat",
            Format::Embeddings => "embeddings",
            Format::CountTokens => return,
        };
        let host = seen.server.map(|origin| origin.host.to_string());
        let server = seen
            .server
            .zip(host.as_deref())
            .map(|(origin, host)| Server {
                host,
                port: origin.port,
            });
        let usage = seen.ending.usage;
        self.0.note(&Call {
            operation,
            provider: match seen.provider {
                ProviderKind::Openai => "openai",
                ProviderKind::Anthropic => "anthropic",
                ProviderKind::Compatible => "compatible",
                ProviderKind::Mock => "mock",
            },
            model: model(seen),
            server,
            max_tokens: seen.max_tokens,
            is_stream: seen.is_stream,
            began: moment(seen.began),
            first: seen.first.map(moment),
            ended: moment(seen.ended),
            input: usage.input,
            output: usage.output,
            cache_read: usage.cache_read,
            cache_write: usage.cache_write,
            is_measured: seen.ending.measured == Measured::Provider,
            error: match seen.ending.outcome {
                CallOutcome::Finished => None,
                outcome => Some(outcome.as_str()),
            },
            request: seen.request,
            parent: seen.trace.and_then(Parent::parse),
        });
    }
}

/// Names that are no caller's own invention: what is listed, and what a large provider has answered to.
fn model<'a>(seen: &CallSeen<'a>) -> &'a str {
    let is_large = matches!(
        seen.provider,
        ProviderKind::Openai | ProviderKind::Anthropic
    );
    let is_answered =
        seen.ending.measured == Measured::Provider && seen.ending.outcome == CallOutcome::Finished;
    if seen.is_listed || is_large && is_answered {
        seen.model
    } else {
        "other"
    }
}

fn moment(at: Timestamp) -> SystemTime {
    let micros = u64::try_from(at.as_micros()).unwrap_or_default();
    SystemTime::UNIX_EPOCH + Duration::from_micros(micros)
}
