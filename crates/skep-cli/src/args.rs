//! The command line as types.

pub(crate) mod people;
mod source;

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args as ClapArgs, Parser, Subcommand, ValueHint};
use skep_api::{Harness, Instant, MemoryKind, Tier};

pub(crate) use source::Source;

/// Memory for coding agents, on your own machine.
///
/// skep talks to skepd, the daemon that keeps the memories, and starts it when it is not up.
#[derive(Debug, Parser)]
#[command(
    name = "skep",
    version,
    max_term_width = 100,
    subcommand_required = true,
    arg_required_else_help = true
)]
#[command(
    after_long_help = "Exit codes: 0 done, 1 failed, 2 called wrongly.\n\n\
    Environment: SKEP_HOME (data directory), SKEP_URL (as --tcp, for another port), NO_COLOR."
)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// Options of every verb.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Everywhere")]
pub(crate) struct Global {
    /// Answer in JSON: one value on stdout, errors included.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Say nothing but the answer and errors.
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    /// Data directory [default: `$SKEP_HOME`, else `~/.skep`].
    #[arg(long, global = true, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) home: Option<PathBuf>,
    /// Talk to 127.0.0.1:3850 with the install token instead of the socket.
    #[arg(long, global = true)]
    pub(crate) tcp: bool,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Make the data directory, start the daemon, say where things are.
    Setup,
    /// Show whether the daemon runs and what it holds.
    Status,
    /// Check everything that can be wrong on this machine, each with its fix.
    Doctor,
    /// Start the daemon.
    Start,
    /// Stop the daemon.
    Stop,
    /// Stop the daemon and start it again.
    Restart,
    /// Show the end of the daemon's log.
    Logs {
        /// Lines to show.
        #[arg(short = 'n', long, default_value_t = 50, value_name = "LINES")]
        lines: usize,
    },
    /// Remember a statement.
    ///
    /// Secrets are taken out before anything is stored. With `-` the text is read from stdin.
    Remember(Remember),
    /// Ask what is remembered.
    Recall(Recall),
    /// Take a memory out of recall.
    ///
    /// The memory and the reason stay in its history.
    Forget {
        /// The memory, such as `mem_0e…`
        id: String,
        /// Why.
        #[arg(long, short)]
        reason: String,
    },
    /// Delete a memory or a session without a trace.
    ///
    /// Rows, vector, history and index; of a session also its turns, and the memories that rest on
    /// it alone. It cannot be undone. To take a memory out of recall only: skep forget.
    Erase {
        /// The memory or the session, such as `mem_0e…` or `ses_0e…`
        id: String,
        /// Do it. Without this, it is only said what would go.
        #[arg(long)]
        yes: bool,
    },
    /// Put a new version in a memory's place.
    Edit(Edit),
    /// Show every version of a memory and what happened to it.
    History {
        /// The memory, such as `mem_0e…`
        id: String,
    },
    /// List memories, newest first.
    Memories(Memories),
    /// Show memories that cannot both be true, or say which one holds.
    Conflicts {
        #[command(subcommand)]
        action: Option<ConflictAction>,
    },
    /// Decide about memories that are held back.
    ///
    /// On a terminal one after the other, by key: a accept, r reject, s skip, q stop.
    Review(Review),
    /// Take back a session or an import with all that came of it.
    ///
    /// Its memories leave recall, what they had replaced comes back, and nothing is learned from it
    /// again.
    Rewind {
        /// A session, such as `ses_0e…`, or a source: of documents, such as `src_0e…`, or of an
        /// import, as the import named it.
        what: String,
        /// Only say what would go.
        #[arg(long)]
        dry_run: bool,
        /// Erase the memories instead of forgetting them.
        #[arg(long)]
        erase: bool,
        /// Why.
        #[arg(long, short)]
        reason: Option<String>,
    },
    /// Say why something was decided.
    #[command(subcommand)]
    Explain(Explain),
    /// The names that memories speak of: files, symbols, errors, commands.
    #[command(subcommand)]
    Entity(Entity),
    /// Propose and decide what is one name, and what no longer counts.
    #[command(subcommand)]
    Ontology(Ontology),
    /// Print what a model would be given with this prompt, and record it as given.
    ///
    /// Nothing is printed when no memory has enough to do with the prompt.
    Inject(Inject),
    /// Print what a model would be given at a session's start, and record it as given.
    ///
    /// Recent and lasting statements of the project, at most 800 tokens.
    Prime(Prime),
    /// Show the exact text that a session's model was given, oldest first.
    Context(Given),
    /// Show which memories a model was given last, and why these.
    Why {
        /// `last`, or a session such as `ses_0e…`: the last of that one.
        #[arg(default_value = "last")]
        of: String,
    },
    /// List sessions, or show one.
    Sessions(Sessions),
    /// Name, list, merge and delete those who take part in sessions.
    #[command(subcommand)]
    Participant(people::Participant),
    /// Agree to be observed, or no longer.
    #[command(subcommand)]
    Consent(people::Consent),
    /// Keep what you observed about a participant who agreed to that.
    Observe(people::Observe),
    /// Show a memory in full, or the turns it came from.
    Resolve {
        /// The memory, such as `mem_0e…`
        id: String,
        /// How much of it: its line, the statement, or the turns behind it.
        #[arg(long, short, default_value = Tier::Summary.as_str(), value_parser = tiers())]
        tier: String,
    },
    /// Take turns from stdin, one JSON object a line, and hand them to the daemon.
    ///
    /// What the daemon cannot take now waits in a spool and goes first the next time. Exits 0 whatever
    /// became of the turns, and says what that was: a harness must not stop for its memory.
    Capture(Capture),
    /// Stop capture: your own, everybody's, or one session's.
    Pause(Pause),
    /// Let capture go on.
    Resume(Resume),
    /// Say which directories may be captured, and what they belong to.
    #[command(subcommand)]
    Project(Project),
    /// Remember what is written in folders, files and issue exports.
    #[command(subcommand)]
    Source(Source),
    /// Read what agents and people already did: histories and transcripts.
    ///
    /// A second run imports only what is new. Lines that cannot be read are reported and skipped.
    #[command(subcommand)]
    Import(Import),
    /// Print a completion script for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Print the help of every verb as one Markdown page.
    #[command(hide = true)]
    HelpMarkdown,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Remember {
    /// The statement, or `-` for stdin.
    #[arg(required = true, value_name = "TEXT")]
    pub(crate) text: Vec<String>,
    /// What sort of statement.
    #[arg(long, short, default_value = MemoryKind::Fact.as_str(), value_parser = kinds())]
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
    #[arg(long, short, value_parser = kinds())]
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
}

fn kinds() -> PossibleValuesParser {
    MemoryKind::ALL
        .iter()
        .map(|kind| kind.as_str())
        .collect::<Vec<_>>()
        .into()
}

fn harnesses() -> PossibleValuesParser {
    Harness::ALL
        .iter()
        .map(|harness| harness.as_str())
        .collect::<Vec<_>>()
        .into()
}

fn tiers() -> PossibleValuesParser {
    Tier::ALL
        .iter()
        .map(|tier| tier.as_str())
        .collect::<Vec<_>>()
        .into()
}

/// Seconds of a span such as `90`, `30m`, `1h` or `2d`.
fn span(text: &str) -> Result<u64, String> {
    let (digits, unit) = match text.char_indices().next_back() {
        Some((at, 's')) => (&text[..at], 1),
        Some((at, 'm')) => (&text[..at], 60),
        Some((at, 'h')) => (&text[..at], 3_600),
        Some((at, 'd')) => (&text[..at], 86_400),
        _ => (text, 1),
    };
    let count: Option<u64> = digits.parse().ok().filter(|count| *count > 0);
    count
        .and_then(|count| count.checked_mul(unit))
        .ok_or_else(|| "expected a span such as 90s, 30m, 1h or 2d".to_owned())
}

fn moment(text: &str) -> Result<Instant, String> {
    let date = text.len() == 10
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'-');
    let whole = if date {
        format!("{text}T23:59:59.999999Z")
    } else {
        text.to_owned()
    };
    whole.parse().map_err(|_| {
        "expected a date such as 2026-11-21 or a time such as 2026-11-21T04:05:06Z".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::{moment, span};

    #[test]
    fn spans_have_units() {
        for (text, seconds) in [
            ("90", 90),
            ("90s", 90),
            ("30m", 1_800),
            ("1h", 3_600),
            ("2d", 172_800),
        ] {
            assert_eq!(span(text), Ok(seconds));
        }
        for bad in [
            "",
            "h",
            "0",
            "-1h",
            "1w",
            "1.5h",
            "é",
            "99999999999999999999d",
        ] {
            assert!(span(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_date_means_its_end() {
        assert_eq!(
            moment("2026-11-21").unwrap().to_string(),
            "2026-11-21T23:59:59.999999Z"
        );
        assert_eq!(
            moment("2026-11-21T06:00:00+02:00").unwrap().to_string(),
            "2026-11-21T04:00:00Z"
        );
        for bad in ["yesterday", "2026-13-40", "", "2026-11-21 "] {
            assert!(moment(bad).is_err(), "{bad:?}");
        }
    }
}
