//! The section `[telemetry]`: whether a collector is told of model calls.

use std::fmt;
use std::time::Duration;

use anyhow::{Context, bail};
use serde::Deserialize;
use skep_egress::Target;
use skep_telemetry::Settings;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Section {
    /// Where an OpenTelemetry collector listens for OTLP over HTTP, without `/v1/traces`; nobody is told without.
    collector: Option<String>,
    /// Between two reports of metrics.
    every_seconds: u64,
    /// Of calls whose caller has not decided, how many have a span: 0 to 1.
    sample: f64,
}

impl Default for Section {
    fn default() -> Self {
        Self {
            collector: None,
            every_seconds: 60,
            sample: 1.0,
        }
    }
}

impl Section {
    pub(crate) fn settings(&self) -> anyhow::Result<Option<Settings>> {
        if !(1..=86_400).contains(&self.every_seconds) {
            bail!("telemetry.every_seconds must be 1 to 86400");
        }
        if !(0.0..=1.0).contains(&self.sample) {
            bail!("telemetry.sample must be 0 to 1");
        }
        let Some(collector) = &self.collector else {
            return Ok(None);
        };
        let collector = Target::parse(collector).context(
            "telemetry.collector must be a URL such as http://127.0.0.1:4318, without /v1/traces",
        )?;
        Ok(Some(Settings {
            collector,
            every: Duration::from_secs(self.every_seconds),
            sampled: self.sample,
            version: env!("CARGO_PKG_VERSION"),
        }))
    }
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let collector = self.collector.as_deref().unwrap_or_default();
        writeln!(f, "telemetry.collector = {collector:?}")?;
        writeln!(f, "telemetry.every_seconds = {}", self.every_seconds)?;
        write!(f, "telemetry.sample = {}", self.sample)
    }
}
