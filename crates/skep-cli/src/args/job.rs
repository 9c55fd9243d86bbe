//! The command line of background work.

use clap::Subcommand;

/// What to see of background work.
#[derive(Debug, Subcommand)]
pub(crate) enum Job {
    /// List the jobs of the organization, newest first.
    List {
        /// How many to show at most.
        #[arg(short = 'n', long, default_value_t = 50, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=200))]
        limit: u32,
        /// Where an earlier listing ended, as it said.
        #[arg(long, value_name = "CURSOR")]
        cursor: Option<String>,
    },
    /// Show one job: how far it is, and what it came to.
    ///
    /// Of a workspace that was erased it is the receipt. Exits 1 when the job failed or was refused.
    Show {
        /// The job, such as `job_0e…`
        id: String,
        /// Wait until it comes to its end.
        #[arg(long)]
        wait: bool,
    },
}
