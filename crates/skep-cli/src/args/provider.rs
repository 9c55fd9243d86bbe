//! The command line of providers of models.

use clap::{Args, Subcommand};

/// What can be done about providers.
#[derive(Debug, Subcommand)]
pub(crate) enum Provider {
    /// List the providers that are set, without their keys.
    List,
    /// Set a provider, in the place of the one of its name.
    Add(AddProvider),
    /// Remove a provider.
    #[command(visible_alias = "rm")]
    Remove {
        /// The provider.
        name: String,
    },
}

/// A provider to set.
#[derive(Debug, Args)]
pub(crate) struct AddProvider {
    /// What it is called; a model can be asked for as `NAME/model`.
    pub(crate) name: String,
    /// `openai`, `anthropic`, `compatible` (Ollama, vLLM and others that speak OpenAI's dialect) or `mock`, which is
    /// built in [default: its name].
    #[arg(long, value_name = "KIND")]
    pub(crate) kind: Option<String>,
    /// Where it is, such as `http://127.0.0.1:11434/v1` [default: where its kind is at home].
    #[arg(long, value_name = "URL")]
    pub(crate) base_url: Option<String>,
    /// The organization's secret that is its key; set it first: `skep secret set NAME --organization`.
    #[arg(long, value_name = "SECRET")]
    pub(crate) key: Option<String>,
    /// A model that may be used, with a `*` at its end for any ending; again for more [default: all].
    #[arg(long = "model", value_name = "MODEL")]
    pub(crate) models: Vec<String>,
    /// A provider that is asked when this one cannot answer; again for more.
    #[arg(long, value_name = "NAME")]
    pub(crate) fallback: Vec<String>,
    /// Tokens that a call without a bound of its own may write.
    #[arg(long, value_name = "TOKENS")]
    pub(crate) max_output: Option<u64>,
}
