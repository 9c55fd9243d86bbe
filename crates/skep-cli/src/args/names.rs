//! The command line of names and what is proposed about them.

use clap::Subcommand;

/// What can be asked about names.
#[derive(Debug, Subcommand)]
pub(crate) enum Entity {
    /// The most named, in the newest memories.
    List {
        /// How many.
        #[arg(short = 'n', long, default_value_t = 50, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=200))]
        limit: u32,
    },
    /// One name: what belongs to it, and the memories that name it.
    Show {
        /// The name, such as `src/lib.rs` or `E0382`.
        name: String,
    },
}

/// What can be done about names.
#[derive(Debug, Subcommand)]
pub(crate) enum Ontology {
    /// Propose something; it waits for somebody who may decide.
    Propose {
        /// What.
        #[arg(value_parser = ["merge", "rename", "archive"])]
        action: String,
        /// The name it is about.
        name: String,
        /// The name that it is one with, or is called now.
        other: Option<String>,
        /// Why.
        #[arg(long, short, default_value = "")]
        reason: String,
    },
    /// List proposals.
    List {
        /// Which.
        #[arg(default_value = "waiting", value_parser = ["waiting", "accepted", "rejected"])]
        state: String,
    },
    /// Let one hold.
    Accept {
        /// The proposal, such as `prp_0e…`
        id: String,
    },
    /// Turn one down.
    Reject {
        /// The proposal, such as `prp_0e…`
        id: String,
    },
}
