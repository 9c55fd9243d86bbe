//! The arguments of `skep backup`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueHint};

/// What to archive, and where.
#[derive(Debug, ClapArgs)]
pub(crate) struct Backup {
    /// The file to write; it has the name when it is whole, and not before.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) to: PathBuf,
    /// One workspace only, by name.
    #[arg(long, value_name = "NAME")]
    pub(crate) workspace: Option<String>,
    /// The file with the passphrase, which only you may read [default: it is asked for on the terminal].
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "recovery_key_file")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// The file with a recovery key, as `skepd recovery-key` made it.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) recovery_key_file: Option<PathBuf>,
    /// Replace a file that has the name.
    #[arg(long)]
    pub(crate) force: bool,
}
