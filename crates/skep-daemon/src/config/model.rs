//! The section `[model]`: which model may read closed sessions, and what it may cost. Off unless
//! `base_url` is set.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use serde::Deserialize;
use skep_app::ModelSettings;
use skep_egress::Target as Address;
use skep_llm::{Cost, Dialect, Price, Target};

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Model {
    /// Where the endpoint is, without the path of the dialect; nothing is sent if empty.
    base_url: String,
    /// `openai` (Ollama and vLLM speak it too) or `anthropic`.
    dialect: String,
    /// The model's name there.
    name: String,
    /// A file with the key, readable by its owner alone; no key is sent if absent. A relative path
    /// is one in the data directory.
    key_file: Option<PathBuf>,
    /// Whether the endpoint can hold a model to a JSON schema.
    structured: bool,
    /// Whether the model reasons: sends `max_completion_tokens`, and no temperature.
    reasoning: bool,
    /// Tokens of a workspace's day, UTC, read and written together.
    daily_tokens: u64,
    /// What a workspace's day may cost, in the currency of the prices.
    daily_cost: Option<Amount>,
    /// The price of a million tokens read.
    input_price: Amount,
    /// The price of a million tokens written.
    output_price: Amount,
    /// Seconds to wait for an answer.
    timeout_seconds: u64,
}

/// A sum of money as people write it: `1`, `0.15`, `"0.15"`.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Amount {
    Whole(i64),
    Broken(f64),
    Text(String),
}

/// Less than one call may need is no cap but a way to switch off.
const TOKENS: std::ops::RangeInclusive<u64> = 40_000..=10_000_000_000;
const AMOUNT_MAX: f64 = 1_000_000.0;

impl Default for Model {
    fn default() -> Self {
        Self {
            base_url: String::new(),
            dialect: "openai".into(),
            name: String::new(),
            key_file: None,
            structured: true,
            reasoning: false,
            daily_tokens: 200_000,
            daily_cost: None,
            input_price: Amount::Whole(0),
            output_price: Amount::Whole(0),
            timeout_seconds: 120,
        }
    }
}

impl Model {
    /// The files in which it has keys.
    pub(crate) fn key_files(&self) -> impl Iterator<Item = &Path> {
        self.key_file.iter().map(PathBuf::as_path)
    }

    /// What the application is told; `None` when it is off.
    pub(crate) fn settings(&self) -> anyhow::Result<Option<ModelSettings>> {
        if self.base_url.is_empty() {
            return Ok(None);
        }
        let dialect = Dialect::parse(&self.dialect).with_context(|| {
            format!(
                "model.dialect is {:?}: it must be openai or anthropic",
                self.dialect
            )
        })?;
        if self.name.is_empty() {
            bail!("model.name is missing: it says which model of the endpoint to use");
        }
        if !TOKENS.contains(&self.daily_tokens) {
            bail!(
                "model.daily_tokens must be 40000 to 10000000000; to switch off, leave model.base_url out"
            );
        }
        if !(1..=3_600).contains(&self.timeout_seconds) {
            bail!("model.timeout_seconds must be 1 to 3600");
        }
        let price = Price {
            input: self.input_price.cost("model.input_price")?,
            output: self.output_price.cost("model.output_price")?,
            ..Price::default()
        };
        let daily_cost = self.daily_cost.as_ref();
        let daily_cost = daily_cost
            .map(|amount| amount.cost("model.daily_cost"))
            .transpose()?;
        if daily_cost.is_some() && price == Price::default() {
            bail!("model.daily_cost needs model.input_price and model.output_price");
        }
        let origin = self.address("/")?.origin().clone();
        Ok(Some(ModelSettings {
            target: Target {
                dialect,
                model: self.name.clone(),
                structured: self.structured,
                reasoning: self.reasoning,
            },
            endpoint: format!("{}:{}", origin.host, origin.port),
            daily_tokens: self.daily_tokens,
            daily_cost,
            price,
        }))
    }

    /// An address of the endpoint.
    pub(crate) fn address(&self, path: &str) -> anyhow::Result<Address> {
        let base = self.base_url.trim_end_matches('/');
        if base.contains(['?', '#']) {
            bail!("model.base_url has a query or a fragment: leave it out");
        }
        Address::parse(&format!("{base}{path}")).context("model.base_url")
    }

    /// Where the key is.
    pub(crate) fn key_file(&self, home: &Path) -> Option<PathBuf> {
        self.key_file.as_ref().map(|path| home.join(path))
    }

    /// How long an answer may take.
    pub(crate) fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_seconds)
    }
}

impl Amount {
    fn cost(&self, name: &str) -> anyhow::Result<Cost> {
        let value = match self {
            Self::Whole(whole) => *whole as f64,
            Self::Broken(value) => *value,
            Self::Text(text) => text.trim().parse().unwrap_or(f64::NAN),
        };
        if !(0.0..=AMOUNT_MAX).contains(&value) {
            bail!("{name} must be a number from 0 to 1000000, such as 0.15");
        }
        Ok(Cost((value * 1_000_000.0).round() as u64))
    }
}

impl fmt::Display for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.base_url.is_empty() {
            return write!(
                f,
                "# model.base_url is not set: no session is sent to any model"
            );
        }
        writeln!(f, "model.base_url = {:?}", self.base_url)?;
        writeln!(f, "model.dialect = {:?}", self.dialect)?;
        writeln!(f, "model.name = {:?}", self.name)?;
        match &self.key_file {
            Some(file) => writeln!(f, "model.key_file = {:?}", file.display().to_string())?,
            None => writeln!(f, "# model.key_file is not set: no key is sent")?,
        }
        writeln!(f, "model.structured = {}", self.structured)?;
        writeln!(f, "model.reasoning = {}", self.reasoning)?;
        writeln!(f, "model.daily_tokens = {}", self.daily_tokens)?;
        if let Some(most) = &self.daily_cost {
            writeln!(f, "model.daily_cost = {most}")?;
        }
        writeln!(f, "model.input_price = {}", self.input_price)?;
        writeln!(f, "model.output_price = {}", self.output_price)?;
        write!(f, "model.timeout_seconds = {}", self.timeout_seconds)
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(whole) => write!(f, "{whole}"),
            Self::Broken(value) => write!(f, "{value}"),
            Self::Text(text) => write!(f, "{text:?}"),
        }
    }
}
