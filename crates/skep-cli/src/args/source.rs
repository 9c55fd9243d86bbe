//! Arguments of `skep source`.

use clap::{Subcommand, ValueHint};

#[derive(Debug, Subcommand)]
pub(crate) enum Source {
    /// Add a folder of notes, a file, a page, or an export of issues, and read it.
    ///
    /// A second time, it reads what changed. What is read is remembered as coming from outside,
    /// unless it is yours. Files are read here; a URL is fetched by the daemon.
    Add {
        /// The folder or file, or a URL that begins with https:// or http://
        #[arg(value_name = "PATH|URL", value_hint = ValueHint::AnyPath)]
        place: String,
        /// It is a JSON array of issues with their comments.
        #[arg(long)]
        issues: bool,
        /// You or your agents wrote it: trust it as an agent's word. Not for URLs.
        #[arg(long, conflicts_with = "issues")]
        mine: bool,
        /// Who may recall it.
        #[arg(long, default_value = "own", value_parser = ["workspace", "own", "private"])]
        visibility: String,
        /// The project it belongs to.
        #[arg(long, short)]
        project: Option<String>,
    },
    /// Show the sources.
    List,
    /// Read a source again: only what changed is sent, what is gone leaves recall.
    Sync {
        /// The source, such as `src_0e…`
        id: String,
        /// Believe a source that has nothing in it any more.
        #[arg(long)]
        allow_empty: bool,
    },
    /// Watch folders and files, and read them again whenever they change, until ctrl-c.
    ///
    /// A folder that goes away leaves everything as it is; it is read again when it is back.
    Watch {
        /// The sources, such as `src_0e…` [default: all your folders and files]
        ids: Vec<String>,
    },
    /// Take a source away with everything that was made of it.
    Purge {
        /// The source, such as `src_0e…`
        id: String,
        /// Do it. Without this, it is only said what would go.
        #[arg(long)]
        yes: bool,
    },
}
