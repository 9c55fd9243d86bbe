//! The command line as types.

pub(crate) mod access;
pub(crate) mod audit;
mod backup;
pub(crate) mod budget;
mod capture;
mod directive;
pub(crate) mod exec;
mod export;
pub(crate) mod humans;
mod inject;
pub(crate) mod job;
mod mcp;
mod memory;
mod names;
pub(crate) mod people;
mod provider;
mod run;
mod setup;
pub(crate) mod sink;
mod skill;
mod source;
mod template;
mod tree;
mod values;
mod vault;
mod verify;

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueHint};
use skep_api::Tier;

pub(crate) use backup::Backup;
pub(crate) use capture::{Capture, CaptureVerb, Import, Pause, Project, Resume, Sessions};
pub(crate) use directive::{Directive, Of};
pub(crate) use export::{Export, ExportFormat, Foreign};
pub(crate) use inject::{Given, Inject, Prime, Recipient};
pub(crate) use mcp::Mcp;
pub(crate) use memory::{ConflictAction, Edit, Explain, Memories, Recall, Remember, Review};
pub(crate) use names::{Entity, Ontology};
pub(crate) use provider::{AddProvider, Provider};
pub(crate) use run::Run;
pub(crate) use setup::Setup;
pub(crate) use skill::{Places, Pull, Skill};
pub(crate) use source::Source;
pub(crate) use template::{Access, Template};
pub(crate) use tree::{Cat, Find, Grep, Ls, as_find_has_it};
pub(crate) use vault::{Place, Secret, SecretImport, Setting};
pub(crate) use verify::{Mode, Verify, VerifySecrets};

use values::tiers;

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
    Environment: SKEP_HOME (data directory), SKEP_URL (as --url), SKEP_TOKEN_FILE (as --token-file), \
    SSL_CERT_FILE (certificate authorities other than the system's), NO_COLOR."
)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// Options of every verb.
#[derive(Debug, Default, ClapArgs)]
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
    #[command(flatten)]
    pub(crate) server: Server,
}

/// Which daemon, and as whom.
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(next_help_heading = "Everywhere")]
pub(crate) struct Server {
    /// Talk to the daemon at this URL, such as `https://skep.example.com` [default: `$SKEP_URL`, else
    /// where you are logged in, else this machine's socket].
    #[arg(long, global = true, value_name = "URL", conflicts_with = "tcp")]
    pub(crate) url: Option<String>,
    /// Talk to 127.0.0.1:3850 with the install token instead of the socket.
    #[arg(long, global = true)]
    pub(crate) tcp: bool,
    /// Talk to this machine's own daemon over its socket, wherever you are logged in.
    #[arg(long, global = true, conflicts_with_all = ["url", "tcp", "token_file"])]
    pub(crate) local: bool,
    /// Show the key or token in this file, which only you may read [default: `$SKEP_TOKEN_FILE`].
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) token_file: Option<PathBuf>,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Make the data directory, start the daemon, put Skep into the harnesses of this machine.
    Setup(Setup),
    /// Show whether the daemon runs and what it holds.
    Status {
        /// Show who is let in from where, what fails how, and what is weak
        #[arg(long)]
        posture: bool,
    },
    /// Show how often this organization and its credentials may call, or let them call less often.
    Limits {
        #[command(subcommand)]
        what: Option<access::Limits>,
    },
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
    /// Write an archive of everything, or of one workspace, while the daemon goes on.
    ///
    /// Closed with a passphrase or a recovery key, neither of which is an argument. The root key is not in
    /// it, and is not needed to restore it. See docs/backup.md.
    Backup(Backup),
    /// Put back what an archive has: what comes after goes to `skepd restore`, whose --help says more.
    #[command(disable_help_flag = true)]
    Restore {
        /// Such as `--from FILE`, `--from FILE --verify`, `--from FILE --workspace NAME --replace`.
        #[arg(
            trailing_var_arg = true,
            allow_hyphen_values = true,
            value_name = "ARGUMENTS"
        )]
        arguments: Vec<std::ffi::OsString>,
    },
    /// Move everything to another store: what comes after goes to `skepd migrate-db`, whose --help says more.
    #[command(disable_help_flag = true)]
    MigrateDb {
        /// Such as `--to postgres://skep_app@db.internal/skep --password-file FILE`, or `--to embedded`.
        #[arg(
            trailing_var_arg = true,
            allow_hyphen_values = true,
            value_name = "ARGUMENTS"
        )]
        arguments: Vec<std::ffi::OsString>,
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
    /// List a folder of the tree of memories: /projects, /days, /kinds and what is in them.
    ///
    /// See docs/mount.md.
    Ls(Ls),
    /// Print files of the tree of memories: Markdown, after a front matter.
    Cat(Cat),
    /// Print the lines of the tree's files that fit a regular expression.
    ///
    /// Exits 0 when a line fits, and 1 when none does, as grep; a failure is 1 as well and says why.
    Grep(Grep),
    /// Print the paths of files in the tree of memories by name, kind, project or day.
    Find(Find),
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
        #[arg(long, conflicts_with = "yes")]
        dry_run: bool,
        /// Erase the memories instead of forgetting them.
        #[arg(long)]
        erase: bool,
        /// Do it. Without this, it is only said what would go.
        #[arg(long)]
        yes: bool,
        /// Why.
        #[arg(long, short)]
        reason: Option<String>,
    },
    /// Say why something was decided.
    #[command(subcommand)]
    Explain(Explain),
    /// Skills that the team's agents share: propose, review, approve, pull.
    #[command(subcommand)]
    Skill(Skill),
    /// Secrets, which agents cause to be used and nobody reads: set, list, remove.
    #[command(subcommand)]
    Secret(Secret),
    /// Templates, which are approved ways of using secrets: draft, read, approve, withdraw.
    #[command(subcommand)]
    Template(Template),
    /// Who may use templates: agents ask, humans grant.
    #[command(subcommand)]
    Access(Access),
    /// Run an approved program with secrets, and see what came of it.
    ///
    /// The daemon runs it; what it prints comes when it has ended, with secrets hidden as far as that goes,
    /// and its exit code is that of this verb. Ctrl-C ends it.
    Exec(exec::Exec),
    /// Settings that are kept beside them, and shown.
    #[command(subcommand)]
    Setting(Setting),
    /// Say who is asked for models: OpenAI, Anthropic, a server of your own, or the one that is built in.
    #[command(subcommand)]
    Provider(Provider),
    /// What every model is told: versions that never change, and which of them counts.
    #[command(subcommand)]
    Directive(Directive),
    /// Run a program that uses secrets and never holds them.
    ///
    /// It is started with placeholders where it would hold secrets, and with a proxy of this machine's daemon
    /// as its way out, which puts the values in where a template says so. Exits as the program does: its code,
    /// 128 and the number of the signal that ended it, 127 when there is no such program, 126 when it cannot
    /// be started. See docs/wire.md.
    Run(Run),
    /// Try to break what Skep promises, on the daemon that runs, and say what came of it.
    #[command(subcommand)]
    Verify(Verify),
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
    /// Let this program act for you at a daemon, by a code that you type in a browser.
    ///
    /// The login is kept in credentials.json of the data directory, bound to a key of its own, and is
    /// the active one: whatever skep does goes there until skep logout or skep org switch. A home
    /// keeps one login for each organization.
    Login {
        /// The server, such as `https://skep.example.com` [default: the active one, else
        /// `http://127.0.0.1:3850`].
        #[arg(id = "issuer", value_name = "URL")]
        url: Option<String>,
        /// Do not ask before anything is opened or sent.
        #[arg(long)]
        yes: bool,
    },
    /// End the active login of this program, here and at its server.
    Logout {
        /// All logins that this home keeps.
        #[arg(long)]
        all: bool,
    },
    /// Show who you are to the daemon, and what you may do.
    Whoami,
    /// Make, list and revoke keys of agents, connectors and runners.
    #[command(subcommand)]
    Key(access::Key),
    /// Make, list and revoke tokens for your own scripts.
    #[command(subcommand)]
    Token(access::Token),
    /// Make, list and suspend agents of the workspace, and say what they read.
    #[command(subcommand)]
    Agent(access::Agent),
    /// Invite, list, suspend and remove members of the organization.
    #[command(subcommand)]
    Member(humans::Member),
    /// Add, show and remove your second factors.
    #[command(subcommand)]
    Mfa(humans::Mfa),
    /// List, name and suspend organizations.
    #[command(subcommand)]
    Org(access::Org),
    /// List, make and delete workspaces.
    #[command(subcommand)]
    Workspace(access::Workspace),
    /// Bound what calls of models may cost.
    #[command(subcommand)]
    Budget(budget::Budget),
    /// Say what tokens of models cost.
    #[command(subcommand)]
    Rates(budget::Rates),
    /// Show what calls of models came to.
    Usage(budget::Usage),
    /// Deliver entries of the organization's logs to webhooks.
    #[command(subcommand)]
    Sink(sink::Sink),
    /// Look at background work, and at the receipts of what was erased.
    #[command(subcommand)]
    Job(job::Job),
    /// Look into the record of who was allowed or refused what.
    #[command(subcommand)]
    Audit(audit::Audit),
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
    /// What a harness runs at its events: captures what was said, and gives its model what it should know.
    ///
    /// Reads the harness's JSON from stdin and writes what the harness takes to stdout, or nothing. Exits 0
    /// in time whatever happens; what went wrong is in `hook.log` of the data directory. See docs/hooks.md.
    Hook {
        /// `claude`, `codex`, `cursor`, `gemini` or `opencode`; the event as the harness calls it; and
        /// `--deadline MS` for another time than the event's own.
        #[arg(
            trailing_var_arg = true,
            allow_hyphen_values = true,
            value_name = "HARNESS EVENT"
        )]
        words: Vec<std::ffi::OsString>,
    },
    /// Serve tools to an agent over stdin and stdout, by the Model Context Protocol.
    ///
    /// A harness starts it; `skep setup` tells harnesses to. It ends when they close its stdin. See docs/mcp.md.
    Mcp(Mcp),
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
    /// Write what you may read of the memories to a file, or as a folder of Markdown.
    ///
    /// Files are for you alone (0600), and nothing is written over. See docs/export.md.
    Export(Export),
    /// Print a completion script for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Print the help of every verb as one Markdown page.
    #[command(hide = true)]
    HelpMarkdown,
}
