//! The command line of capture: what is taken in, from where, and when not.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand, ValueHint};

use super::export::Foreign;
use super::values::span;

#[derive(Debug, ClapArgs)]
pub(crate) struct Sessions {
    /// One session, such as `ses_0e…`; all if absent.
    pub(crate) id: Option<String>,
    /// Its turns, oldest first.
    #[arg(long, short, requires = "id")]
    pub(crate) turns: bool,
    /// What came of it and its latest turns, in so many tokens.
    #[arg(long, requires = "id", conflicts_with = "turns", value_name = "TOKENS", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) recent: Option<u32>,
    /// How many to show at most.
    #[arg(short = 'n', long, default_value_t = 50, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) limit: u32,
}

#[derive(Debug, ClapArgs)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Capture {
    #[command(subcommand)]
    pub(crate) verb: Option<CaptureVerb>,
    /// What the harness calls the session; without it, only the spool is drained.
    #[arg(long)]
    pub(crate) session: Option<String>,
    /// Which harness.
    #[arg(long, default_value = "other")]
    pub(crate) harness: String,
    /// Where the work is done [default: the working directory].
    #[arg(long, value_hint = ValueHint::DirPath)]
    pub(crate) cwd: Option<PathBuf>,
    /// The project, where the directory is bound to none.
    #[arg(long, short)]
    pub(crate) project: Option<String>,
    /// Milliseconds after which what is not sent waits in the spool.
    #[arg(long, default_value_t = 2_000, value_name = "MS", value_parser = clap::value_parser!(u64).range(1..=600_000))]
    pub(crate) deadline: u64,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CaptureVerb {
    /// Show what is kept out of capture.
    Rules,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Pause {
    /// For so long, such as `30m`, `1h` or `2d`; until `skep resume` if absent.
    #[arg(long = "for", value_name = "TIME", value_parser = span)]
    pub(crate) span: Option<u64>,
    /// Everybody's capture in the workspace, not yours alone.
    #[arg(long, conflicts_with = "session")]
    pub(crate) everyone: bool,
    /// One session: its id, such as `ses_0e…`, or the harness's own name for it with --harness.
    #[arg(long, conflicts_with = "span")]
    pub(crate) session: Option<String>,
    /// Which harness the session is of.
    #[arg(long, default_value = "claude-code")]
    pub(crate) harness: String,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Resume {
    /// Everybody's capture as well.
    #[arg(long, conflicts_with = "session")]
    pub(crate) everyone: bool,
    /// One session: its id, or the harness's own name for it with --harness.
    #[arg(long)]
    pub(crate) session: Option<String>,
    /// Which harness the session is of.
    #[arg(long, default_value = "claude-code")]
    pub(crate) harness: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Project {
    /// Capture what is done in a directory, and below it.
    Bind {
        /// The directory.
        #[arg(default_value = ".", value_hint = ValueHint::DirPath)]
        path: PathBuf,
        /// The project [default: the directory's name].
        #[arg(long, short)]
        project: Option<String>,
    },
    /// Capture a directory no more.
    Unbind {
        /// The directory.
        #[arg(default_value = ".", value_hint = ValueHint::DirPath)]
        path: PathBuf,
    },
    /// Show what is bound.
    List,
}

/// The importers.
#[derive(Debug, Subcommand)]
pub(crate) enum Import {
    /// The commit history of a repository.
    ///
    /// Needs the program git. Commits reachable from HEAD; of merges, those that say something.
    Git {
        /// The repository.
        #[arg(default_value = ".", value_hint = ValueHint::DirPath)]
        path: PathBuf,
        /// Only the newest so many commits.
        #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
        max: Option<u32>,
    },
    /// Transcripts of Claude Code.
    Claude {
        /// A transcript, or a folder of them [default: ~/.claude/projects].
        #[arg(value_hint = ValueHint::AnyPath)]
        path: Option<PathBuf>,
    },
    /// Transcripts of Codex.
    Codex {
        /// A transcript, or a folder of them [default: ~/.codex/sessions].
        #[arg(value_hint = ValueHint::AnyPath)]
        path: Option<PathBuf>,
    },
    /// Conversations of a ChatGPT export.
    ///
    /// Each becomes a session. An archive is read as it was downloaded, and not unpacked to the disk.
    Chatgpt {
        /// The export as it was downloaded, its folder, `conversations.json` of it, or `-` for stdin.
        #[arg(value_hint = ValueHint::AnyPath)]
        path: PathBuf,
        /// The project they belong to.
        #[arg(long, short)]
        project: Option<String>,
    },
    /// Observations and summaries of claude-mem, from the JSON that it exports.
    ClaudeMem {
        /// The export.
        #[arg(value_hint = ValueHint::FilePath)]
        path: PathBuf,
        #[command(flatten)]
        how: Foreign,
    },
    /// Memories of mem0, from what `get_memories` or `get_all` answers, as JSON.
    Mem0 {
        /// The file.
        #[arg(value_hint = ValueHint::FilePath)]
        path: PathBuf,
        #[command(flatten)]
        how: Foreign,
    },
    /// Notes in Markdown, as basic-memory and Obsidian keep them.
    ///
    /// Observations and relations become memories of their own, the rest of a note one for each section. A
    /// second run brings what changed, and takes out of recall what is there no more.
    Markdown {
        /// The folder.
        #[arg(value_hint = ValueHint::DirPath)]
        path: PathBuf,
        #[command(flatten)]
        how: Foreign,
    },
    /// An export that `skep export` wrote.
    ///
    /// What it says of trust counts up to --trust: with `--trust user`, what you said is your word again.
    Skep {
        /// The export.
        #[arg(value_hint = ValueHint::FilePath)]
        path: PathBuf,
        /// How far it is believed at most.
        #[arg(long, default_value = "external", value_parser = ["external", "agent", "user"])]
        trust: String,
    },
}
