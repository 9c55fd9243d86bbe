//! The command line of what calls of models cost.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// What to do with budgets.
#[derive(Debug, Subcommand)]
pub(crate) enum Budget {
    /// List the budgets, and what they have counted.
    List,
    /// Bound what some calls may cost in a period, or give a budget another limit.
    Set {
        /// Whose calls: `organization`, `workspace`, `agent:ID`, `user:ID`, `key:ID` or `model:PROVIDER/MODEL`
        #[arg(value_name = "WHOSE")]
        whose: String,
        /// The most, such as `20.00`, in the currency of the rate cards.
        #[arg(value_name = "AMOUNT")]
        limit: String,
        /// When it begins anew, in UTC.
        #[arg(long, value_enum, default_value_t = Period::Month)]
        per: Period,
        /// Let calls beyond it pass, and tell.
        #[arg(long)]
        alert: bool,
    },
    /// Remove a budget and what it counted.
    Remove {
        /// The budget, such as `bgt_0e…`
        id: String,
    },
    /// Say whether a call would be allowed now, by which prices and budgets. It is not made.
    Explain {
        /// Which model, as `PROVIDER/MODEL`
        model: String,
        /// Tokens that it reads at most.
        #[arg(long, default_value_t = 0, value_name = "TOKENS")]
        input: u64,
        /// Tokens that it writes at most.
        #[arg(long, default_value_t = 0, value_name = "TOKENS")]
        output: u64,
    },
}

/// When a budget begins anew.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Period {
    /// At midnight.
    Day,
    /// On Monday.
    Week,
    /// On the first.
    Month,
    /// Never.
    Total,
}

/// What to do with rate cards.
#[derive(Debug, Subcommand)]
pub(crate) enum Rates {
    /// List what tokens cost.
    List {
        /// Every version of the card of exactly this pattern, newest first.
        #[arg(value_name = "PROVIDER/MODEL")]
        models: Option<String>,
    },
    /// Say what a million tokens of some models cost from now on.
    Set {
        /// Which models; `*` stands for any provider, or ends the model
        #[arg(value_name = "PROVIDER/MODEL")]
        models: String,
        #[command(flatten)]
        prices: Prices,
    },
}

/// Prices of a million tokens.
#[derive(Debug, Args)]
pub(crate) struct Prices {
    /// Read, such as `3.00`.
    #[arg(long, value_name = "PRICE")]
    pub(crate) input: String,
    /// Written.
    #[arg(long, value_name = "PRICE")]
    pub(crate) output: String,
    /// Read from the provider's cache; as what is read if absent.
    #[arg(long, value_name = "PRICE")]
    pub(crate) cache_read: Option<String>,
    /// Put into the provider's cache; as what is read if absent.
    #[arg(long, value_name = "PRICE")]
    pub(crate) cache_write: Option<String>,
    /// Thought before answering; as what is written if absent.
    #[arg(long, value_name = "PRICE")]
    pub(crate) reasoning: Option<String>,
}

/// What to see of what calls came to.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Usage {
    #[command(subcommand)]
    pub(crate) verb: Option<UsageVerb>,
    /// Days to look back, today included.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..=400))]
    pub(crate) days: u16,
    /// What to add up.
    #[arg(long, value_enum, default_value_t = By::Model)]
    pub(crate) by: By,
}

/// What else to do with it.
#[derive(Debug, Subcommand)]
pub(crate) enum UsageVerb {
    /// Compare it with what a provider says that it served; exits with 1 when they differ.
    ///
    /// FILE holds the pages of the provider's own usage interface, by day and model, one after the other: of OpenAI
    /// `/v1/organization/usage/completions?bucket_width=1d&group_by=model`, of Anthropic
    /// `/v1/organizations/usage_report/messages?bucket_width=1d&group_by[]=model`.
    Reconcile {
        /// The pages.
        file: PathBuf,
        /// The provider's name here, as `skep provider list` shows it.
        #[arg(long, value_name = "NAME")]
        provider: String,
    },
}

/// What to add up.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum By {
    /// Each day.
    Day,
    /// Each model.
    Model,
    /// Each member or agent.
    Principal,
    /// Each key.
    Key,
    /// Each workspace.
    Workspace,
}

impl Period {
    /// Its name in the interface.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Total => "total",
        }
    }
}
