//! The arguments of `skep audit`.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};

/// What to see of the record of decisions, and how to check it.
#[derive(Debug, Subcommand)]
pub(crate) enum Audit {
    /// Show who was allowed or refused what, newest first.
    List {
        /// How many to show at most.
        #[arg(short = 'n', long, default_value_t = 50, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=200))]
        limit: u32,
        /// Where an earlier listing ended, as it said.
        #[arg(long, value_name = "CURSOR")]
        cursor: Option<String>,
    },
    /// Show who was refused again and again, and budgets that are nearly spent, newest first.
    Alerts {
        /// How many to show at most.
        #[arg(short = 'n', long, default_value_t = 50, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=200))]
        limit: u32,
        /// Where an earlier listing ended, as it said.
        #[arg(long, value_name = "CURSOR")]
        cursor: Option<String>,
    },
    /// Show who was shown a memory that is not theirs: who, when and through what. For its owner, and for who may
    /// read the record.
    WhoSaw {
        /// The memory.
        #[arg(value_name = "MEMORY")]
        id: String,
        /// How many to show at most.
        #[arg(short = 'n', long, default_value_t = 50, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=200))]
        limit: u32,
        /// Where an earlier listing ended, as it said.
        #[arg(long, value_name = "CURSOR")]
        cursor: Option<String>,
    },
    /// Take a whole log as lines of JSON that can be verified without the daemon. That it was taken is recorded.
    Export {
        /// Which log.
        #[arg(long, value_enum, default_value_t = Which::Audit)]
        log: Which,
        /// The file to make.
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
        /// Write over a file that is there.
        #[arg(long)]
        force: bool,
    },
    /// Check an export, without the daemon: names the first entry that was changed, dropped, inserted, swapped or
    /// cut off.
    Verify {
        /// The export.
        file: PathBuf,
        /// The file of a witness: what it was given has to be in the log.
        #[arg(long, value_name = "FILE")]
        witness: Option<PathBuf>,
        /// The key that has to have signed it, as `skep audit checkpoint` shows it.
        #[arg(long, value_name = "KEY")]
        key: Option<String>,
    },
    /// Erase entries of a log, for an owner: their hashes stay, and with them every proof, and that they were erased
    /// is recorded for good. Asks first.
    Erase {
        /// Which log.
        #[arg(long, value_enum)]
        log: Which,
        /// The places of the entries.
        #[arg(value_name = "PLACE", required = true, value_parser = clap::value_parser!(u64).range(1..))]
        places: Vec<u64>,
        /// Why, as it is recorded; never what the entries said.
        #[arg(long, value_name = "WORDS")]
        reason: String,
        /// Erase without asking.
        #[arg(long)]
        yes: bool,
    },
    /// Show the last signed head of a log, and the key.
    Checkpoint {
        /// Which log.
        #[arg(long, value_enum, default_value_t = Which::Audit)]
        log: Which,
    },
}

/// Which log.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Which {
    /// Who was allowed or refused what.
    Audit,
    /// What was used, and what it cost.
    Usage,
}

impl Which {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Audit => "audit",
            Self::Usage => "usage",
        }
    }
}
