//! The command line of export, and of importing what other programs remember.

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueEnum, ValueHint};

#[derive(Debug, ClapArgs)]
pub(crate) struct Export {
    /// The file, or the folder for Markdown.
    #[arg(value_hint = ValueHint::AnyPath)]
    pub(crate) path: PathBuf,
    /// As what.
    #[arg(long, short, value_enum, default_value_t = ExportFormat::Jsonl)]
    pub(crate) format: ExportFormat,
    /// Write over what is there: the file, or files of the same name in the folder.
    #[arg(long)]
    pub(crate) force: bool,
}

/// What an export is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// One line of JSON for each memory, which `skep import skep` reads
    Jsonl,
    /// One file for each memory, as `skep ls` shows them
    Markdown,
}

/// Memories that others made.
#[derive(Debug, ClapArgs)]
pub(crate) struct Foreign {
    /// How far they are believed: `external`, `agent` for what your agents concluded, `user` for your own word.
    #[arg(long, default_value = "external", value_parser = ["external", "agent", "user"])]
    pub(crate) trust: String,
    /// Who may recall them.
    #[arg(long, default_value = "own", value_parser = ["workspace", "own", "private"])]
    pub(crate) visibility: String,
    /// The project they belong to [default: what they say themselves].
    #[arg(long, short)]
    pub(crate) project: Option<String>,
}
