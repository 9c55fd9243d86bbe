//! The command line of remembering, recalling and changing memories.

use clap::{Args as ClapArgs, Subcommand};
use skep_api::{Instant, MemoryKind};

use super::values::{kinds, moment, statements};

#[derive(Debug, ClapArgs)]
pub(crate) struct Remember {
    /// The statement, or `-` for stdin.
    #[arg(required = true, value_name = "TEXT")]
    pub(crate) text: Vec<String>,
    /// What sort of statement.
    #[arg(long, short, default_value = MemoryKind::Fact.as_str(), value_parser = statements())]
    pub(crate) kind: String,
    /// The project it belongs to.
    #[arg(long, short)]
    pub(crate) project: Option<String>,
    /// Who may recall it.
    #[arg(long, value_parser = ["workspace", "own", "private"])]
    pub(crate) visibility: Option<String>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Recall {
    /// The question.
    #[arg(required = true)]
    pub(crate) query: Vec<String>,
    /// How many answers.
    #[arg(short, long, default_value_t = 5, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=50))]
    pub(crate) k: u32,
    /// Only of this project.
    #[arg(long, short)]
    pub(crate) project: Option<String>,
    /// Only of these kinds.
    #[arg(long, value_delimiter = ',', value_parser = kinds())]
    pub(crate) kind: Vec<String>,
    /// As it was known then: a date (its end, in UTC) or a time such as `2026-11-21T04:05:06Z`.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(crate) as_of: Option<Instant>,
    /// What you have in front of you: an open file, a symbol, an error code. May be repeated.
    #[arg(long, value_name = "NAME")]
    pub(crate) hint: Vec<String>,
    /// Tokens that all answers together may take.
    #[arg(long, short, value_name = "TOKENS")]
    pub(crate) budget: Option<u32>,
    /// The whole text of each answer, not its line alone.
    #[arg(long, short)]
    pub(crate) full: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Edit {
    /// The memory, such as `mem_0e…`
    pub(crate) id: String,
    /// How it should read; as it was if absent.
    #[arg(value_name = "TEXT")]
    pub(crate) text: Vec<String>,
    /// What sort of statement.
    #[arg(long, short, value_parser = statements())]
    pub(crate) kind: Option<String>,
    /// Who may recall it.
    #[arg(long, value_parser = ["workspace", "own", "private"])]
    pub(crate) visibility: Option<String>,
    /// Why.
    #[arg(long, short)]
    pub(crate) reason: Option<String>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Memories {
    /// Only of this kind.
    #[arg(long, short, value_parser = kinds())]
    pub(crate) kind: Option<String>,
    /// As it was known then: a date (its end, in UTC) or a time such as `2026-11-21T04:05:06Z`.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(crate) as_of: Option<Instant>,
    /// How many to show at most.
    #[arg(short = 'n', long, default_value_t = 20, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=200))]
    pub(crate) limit: u32,
}

/// What to do about conflicts.
#[derive(Debug, Subcommand)]
pub(crate) enum ConflictAction {
    /// Say which of the two holds.
    Resolve {
        /// The conflict, such as `cnf_0e…`
        id: String,
        /// Which one.
        #[arg(long, value_parser = ["older", "newer", "both", "none"])]
        keep: String,
    },
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Review {
    /// Accept this one.
    #[arg(long, value_name = "ID", conflicts_with = "reject")]
    pub(crate) accept: Option<String>,
    /// Reject this one.
    #[arg(long, value_name = "ID")]
    pub(crate) reject: Option<String>,
    /// Why.
    #[arg(long, short)]
    pub(crate) reason: Option<String>,
    /// How many to show at most.
    #[arg(short = 'n', long, default_value_t = 50, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=200))]
    pub(crate) limit: u32,
}

/// What can be explained.
#[derive(Debug, Subcommand)]
pub(crate) enum Explain {
    /// A recall: which memories were proposed, what was decided about each, and whether it would be
    /// again.
    ///
    /// The last 64 recalls of a workspace can be explained, until the daemon stops.
    Recall {
        /// The recall, such as `rcl_0e…`, or your last one.
        #[arg(default_value = "last")]
        id: String,
        /// What somebody else would have been answered, such as `agt_0e…`.
        #[arg(long = "as", value_name = "PRINCIPAL")]
        subject: Option<String>,
        /// Also what was not ranked.
        #[arg(long, short)]
        all: bool,
    },
}
