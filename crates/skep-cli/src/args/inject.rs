//! The command line of what is put before a model.

use clap::Args as ClapArgs;
use skep_api::Harness;

use super::values::harnesses;

/// For whom.
#[derive(Debug, ClapArgs)]
pub(crate) struct Recipient {
    /// What the harness calls the session.
    #[arg(long, short)]
    pub(crate) session: String,
    /// The harness.
    #[arg(long, default_value = Harness::Cli.as_str(), value_parser = harnesses())]
    pub(crate) harness: String,
    /// The project [default: the last part of the current directory].
    #[arg(long, short)]
    pub(crate) project: Option<String>,
    /// Tokens that it may take.
    #[arg(long, short, value_name = "TOKENS")]
    pub(crate) budget: Option<u32>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Inject {
    /// The prompt.
    #[arg(required = true)]
    pub(crate) prompt: Vec<String>,
    #[command(flatten)]
    pub(crate) recipient: Recipient,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Prime {
    #[command(flatten)]
    pub(crate) recipient: Recipient,
    /// The model's context was emptied: what it was given before may come again.
    #[arg(long)]
    pub(crate) compacted: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Given {
    /// The session, such as `ses_0e…`
    pub(crate) session: String,
    /// How many to show at most, the newest.
    #[arg(short = 'n', long, default_value_t = 50, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) limit: u32,
}
