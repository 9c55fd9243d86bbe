//! `skep mcp`.

use clap::Args;
use clap::builder::PossibleValuesParser;
use skep_mcp::Profile;

/// What is served.
#[derive(Debug, Args)]
pub(crate) struct Mcp {
    /// Which tools: few, all, or `search` and `fetch` alone.
    #[arg(long, default_value = Profile::Standard.as_str(), value_parser = profiles())]
    pub(crate) profile: String,
}

fn profiles() -> PossibleValuesParser {
    Profile::ALL.map(Profile::as_str).into()
}
