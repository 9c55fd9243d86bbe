//! Spans and metrics of model calls, in the names of OpenTelemetry's conventions for generative AI, sent to a
//! collector over OTLP.
//!
//! What is sent says which model was asked, by which kind of provider, how long it took and what it used. There is no
//! field for content, for a name of a member or agent, or for an organization: whoever reads the collector is not
//! whoever may read those.

mod call;
mod instruments;
mod parent;
mod sender;

use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::metrics::MeterProvider;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{MetricExporter, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::{PeriodicReader, SdkMeterProvider};
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use skep_egress::Target;

pub use call::{Call, Server};
pub use parent::Parent;
pub use sender::Sender;

use instruments::Instruments;

/// The name under which all of it is found.
const NAME: &str = "skep";

/// Where it goes, and how often.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The collector, without `/v1/traces`.
    pub collector: Target,
    /// Between two reports of metrics.
    pub every: Duration,
    /// Of all calls without a parent, how many have a span: from 0 to 1.
    pub sampled: f64,
    /// The version of the program.
    pub version: &'static str,
}

/// Why nothing can be sent.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The address is none.
    #[error(transparent)]
    Egress(#[from] skep_egress::EgressError),
    /// The exporter cannot be made.
    #[error("the exporter cannot be made: {0}")]
    Exporter(#[from] opentelemetry_otlp::ExporterBuildError),
}

/// Notes calls, and has them sent.
pub struct Telemetry {
    traces: SdkTracerProvider,
    metrics: SdkMeterProvider,
    tracer: SdkTracer,
    instruments: Instruments,
}

impl Telemetry {
    /// Begins to note. What is noted is sent by the other part, which has to be run.
    ///
    /// # Errors
    /// [`TelemetryError`].
    pub fn new(settings: &Settings) -> Result<(Self, Sender), TelemetryError> {
        let (outbox, sender) = sender::pair(&settings.collector);
        let base = settings.collector.path().trim_end_matches('/').to_owned();
        let at = |path: &str| format!("{}{base}{path}", settings.collector.origin());
        let spans = SpanExporter::builder()
            .with_http()
            .with_http_client(outbox.clone())
            .with_endpoint(at("/v1/traces"))
            .build()?;
        let sums = MetricExporter::builder()
            .with_http()
            .with_http_client(outbox)
            .with_endpoint(at("/v1/metrics"))
            .build()?;
        let resource = Resource::builder_empty()
            .with_attributes([
                KeyValue::new("service.name", NAME),
                KeyValue::new("service.version", settings.version),
            ])
            .build();
        let traces = SdkTracerProvider::builder()
            .with_resource(resource.clone())
            .with_sampler(call::sampler(settings.sampled))
            .with_batch_exporter(spans)
            .build();
        let reader = PeriodicReader::builder(sums)
            .with_interval(settings.every)
            .build();
        let metrics = SdkMeterProvider::builder()
            .with_resource(resource)
            .with_reader(reader)
            .build();
        let telemetry = Self {
            tracer: traces.tracer(NAME),
            instruments: Instruments::new(&metrics.meter(NAME)),
            traces,
            metrics,
        };
        Ok((telemetry, sender))
    }

    /// Notes a call that has ended. It waits for nothing: what there is no room for is counted by the collector's
    /// absence alone.
    pub fn note(&self, call: &Call<'_>) {
        call.trace(&self.tracer);
        self.instruments.note(call);
    }

    /// Sends what is left. Blocks until that is done, for as long as a request may take.
    pub fn end(&self) {
        for ended in [self.traces.shutdown(), self.metrics.shutdown()] {
            if let Err(error) = ended {
                tracing::warn!(%error, "not all telemetry was sent");
            }
        }
    }
}

impl std::fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Telemetry")
    }
}
