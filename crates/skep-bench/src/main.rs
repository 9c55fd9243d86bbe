//! Benchmarks in one process, each beside a baseline from the same run.
//!
//! Run them through `cargo xtask bench <name>`, which builds this in release and finds real text.

mod access;
mod backup;
mod capture;
mod corpus;
mod crash;
mod embed;
mod erase;
mod exec;
mod fixture;
mod gateway;
mod gather;
mod hooks;
mod import;
mod load;
mod measure;
mod nodes;
mod quality;
mod recall;
mod report;
mod rls;
mod safety;
mod statements;
mod tree;
mod workspaces;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};

/// Measures Skep on this machine.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    bench: Bench,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
struct Common {
    /// End with one JSON object
    #[arg(long, global = true)]
    json: bool,
    /// Directories of real text: sources and Markdown
    #[arg(long, global = true)]
    corpus: Vec<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Bench {
    /// Recall over memories made from real text
    Recall {
        /// Memories to make
        #[arg(long, default_value_t = 100_000)]
        memories: usize,
        /// Questions to ask
        #[arg(long, default_value_t = 1_000)]
        queries: usize,
    },
    /// Durable capture in batches, and single writes
    Capture {
        /// Turns to capture
        #[arg(long, default_value_t = 50_000)]
        turns: usize,
        /// Turns per batch
        #[arg(long, default_value_t = 500)]
        batch: usize,
    },
    /// Loading a workspace's index from sealed rows, and from its snapshot
    Load {
        /// Memories to make
        #[arg(long, default_value_t = 100_000)]
        memories: usize,
        /// Times to load
        #[arg(long, default_value_t = 5)]
        rounds: usize,
    },
    /// Kill -9 at random instants while writing
    Crash {
        /// Kills
        #[arg(long, default_value_t = 200)]
        kills: usize,
        /// Seed of the instants
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Milliseconds that a daemon lives at most; one built for debugging needs more to do anything
        #[arg(long, default_value_t = 250)]
        life: u64,
        /// The daemon's program
        #[arg(long)]
        skepd: PathBuf,
    },
    /// Make the memories of the coding set from release notes and a commit history
    Gather {
        /// A folder of `NAME.md`, `NAME.rst` and `NAME.gitlog`
        #[arg(long)]
        sources: PathBuf,
        /// The file to write
        #[arg(long)]
        out: PathBuf,
    },
    /// How much of what answers a question is found, and what a needless prompt gets
    Quality {
        /// Lists the questions of this set that are missed, and nothing else
        #[arg(long)]
        misses: Option<String>,
        /// Keeps what was embedded in this file, so that the next run need not
        #[arg(long)]
        vectors: Option<PathBuf>,
    },
    /// Importing a folder of transcripts: what both processes take in memory at most
    Import {
        /// MiB of transcripts to write and import
        #[arg(long, default_value_t = 2_048)]
        mib: u64,
        /// The client's program
        #[arg(long)]
        skep: PathBuf,
        /// The daemon's program
        #[arg(long)]
        skepd: PathBuf,
    },
    /// `ls`, `cat`, `find` and `grep` over many memories, beside few
    Tree(tree::Asked),
    /// `skep hook` as a harness runs it, with a warm daemon and with a dead one
    Hooks(hooks::Asked),
    /// A program run in the sandbox beside the same one started plainly, and redaction of its output
    Exec(exec::Asked),
    /// What other workspaces on the same database cost one of them, and what partitions would
    Workspaces(workspaces::Asked),
    /// What injection and the scorer hold, with intervals
    Safety(safety::Asked),
    /// What checking a credential costs, a flood of bad ones, and what times give away
    Access(access::Asked),
    /// What row-level security costs, and a recall on PostgreSQL beside one on the embedded store
    Rls {
        /// Memories to make
        #[arg(long, default_value_t = 20_000)]
        memories: usize,
        /// Times that each shape is measured with and without
        #[arg(long, default_value_t = 5)]
        runs: usize,
        /// Statements of each shape in a run
        #[arg(long, default_value_t = 300)]
        statements: usize,
    },
    /// What others notice while a large workspace is erased on PostgreSQL
    Erase {
        /// Memories of the workspace that is erased
        #[arg(long, default_value_t = 100_000)]
        memories: usize,
        /// Calls of the others that are measured before it
        #[arg(long, default_value_t = 2_000)]
        calls: usize,
    },
    /// Model calls through the daemon, through nginx as a plain proxy, and straight to a provider that answers at once
    Gateway(gateway::Asked),
    /// Two daemons on one PostgreSQL: what one does, as the other knows it
    Nodes(nodes::Asked),
    /// Backup, restore, verification and moves on both stores
    Backup {
        /// Memories to make
        #[arg(long, default_value_t = 20_000)]
        memories: usize,
    },
    /// Embedding a 20-word query
    Embed {
        /// Queries to embed
        #[arg(long, default_value_t = 5_000)]
        queries: usize,
    },
}

/// Paragraphs that imported transcripts are written with.
const IMPORTED: usize = 60_000;

fn main() -> Result<ExitCode> {
    if let Some(code) = skep_exec::launcher(std::env::args_os()) {
        return Ok(code);
    }
    let Arguments { bench, common } = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let texts = |count| corpus::read(&common.corpus, count);
    let report = match bench {
        Bench::Recall { memories, queries } => {
            runtime.block_on(recall::run(&texts(memories)?, queries))?
        }
        Bench::Capture { turns, batch } => runtime.block_on(capture::run(&texts(turns)?, batch))?,
        Bench::Load { memories, rounds } => {
            runtime.block_on(load::run(&texts(memories)?, rounds))?
        }
        Bench::Crash {
            kills,
            seed,
            life,
            skepd,
        } => runtime.block_on(crash::run(skepd, kills, (seed, life)))?,
        Bench::Gather { sources, out } => gather::run(&sources, &out)?,
        Bench::Quality { misses, vectors } => runtime.block_on(quality::run(misses, vectors))?,
        Bench::Import { mib, skep, skepd } => {
            let texts = texts(IMPORTED)?;
            let programs = import::Programs { skep, skepd };
            runtime.block_on(import::run(&programs, &texts, mib))?
        }
        Bench::Hooks(asked) => {
            let texts = texts(asked.memories)?;
            runtime.block_on(hooks::run(&asked, &texts))?
        }
        Bench::Tree(asked) => {
            let most = asked.memories.iter().copied().max().unwrap_or_default();
            runtime.block_on(tree::run(&texts(most)?, &asked))?
        }
        Bench::Exec(asked) => runtime.block_on(exec::run(&asked, &texts(10_000)?))?,
        Bench::Safety(asked) => safety::run(&asked)?,
        Bench::Access(asked) => runtime.block_on(access::run(&asked))?,
        Bench::Rls {
            memories,
            runs,
            statements,
        } => runtime.block_on(rls::run(&texts(memories)?, (runs, statements)))?,
        Bench::Workspaces(asked) => {
            let texts = texts(asked.memories)?;
            runtime.block_on(workspaces::run(&texts, &asked))?
        }
        Bench::Erase { memories, calls } => {
            runtime.block_on(erase::run(&texts(5_000)?, (memories, calls)))?
        }
        Bench::Gateway(asked) => runtime.block_on(gateway::run(&asked, &texts(asked.memories)?))?,
        Bench::Nodes(asked) => runtime.block_on(nodes::run(&asked))?,
        Bench::Backup { memories } => runtime.block_on(backup::run(&texts(memories)?))?,
        Bench::Embed { queries } => embed::run(&texts(queries)?),
    };
    report.print(common.json);
    Ok(ExitCode::SUCCESS)
}
