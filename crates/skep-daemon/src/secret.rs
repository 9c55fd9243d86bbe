//! What archives and root keys are closed for: typed on the terminal, or read from a file of one's own. Never an argument
//! and never a variable, which others on the machine can see.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use skep_crypto::{ArchiveLock, Plain, RecoveryKey, SystemRandom};

use crate::{files, process};

/// What the archive is closed for.
#[derive(Debug, Args)]
pub(crate) struct Secret {
    /// The file with the passphrase (0600) [default: it is asked for on the terminal]
    #[arg(long, value_name = "FILE", conflicts_with = "recovery_key_file")]
    passphrase_file: Option<PathBuf>,
    /// The file with the recovery key (0600)
    #[arg(long, value_name = "FILE")]
    recovery_key_file: Option<PathBuf>,
}

impl Secret {
    pub(crate) fn read(&self) -> anyhow::Result<ArchiveLock> {
        if let Some(file) = &self.recovery_key_file {
            let text = files::read_line(file)?;
            let key = RecoveryKey::parse(text.expose())
                .with_context(|| format!("{} holds no recovery key", file.display()))?;
            return Ok(ArchiveLock::Recovery(key));
        }
        let passphrase = match &self.passphrase_file {
            Some(file) => files::read_line(file)?,
            None => ask(
                "Passphrase of the archive: ",
                "use --passphrase-file or --recovery-key-file",
            )?,
        };
        Ok(ArchiveLock::Passphrase(passphrase))
    }
}

/// Makes a recovery key in a new file.
pub(crate) fn create(path: &Path) -> anyhow::Result<()> {
    let key = RecoveryKey::generate(&SystemRandom);
    files::write_new(path, key.text().expose())?;
    process::say(&format!(
        "a recovery key is in {0}: keep it where the archives are not; whoever has both reads everything",
        path.display()
    ));
    Ok(())
}

/// A terminal that does not show what is typed, until this is dropped.
struct Hidden {
    terminal: File,
    before: Termios,
}

impl Hidden {
    fn new(terminal: File) -> anyhow::Result<Self> {
        let before = tcgetattr(&terminal).context("looking at the terminal")?;
        let mut hidden = before.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        tcsetattr(&terminal, OptionalActions::Flush, &hidden).context("quieting the terminal")?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        let _ = tcsetattr(&self.terminal, OptionalActions::Flush, &self.before);
        let _ = writeln!(&self.terminal);
    }
}

/// Asks on the terminal, which does not show what is typed.
pub(crate) fn ask(question: &str, instead: &str) -> anyhow::Result<Plain<String>> {
    let terminal = OpenOptions::new().read(true).write(true).open("/dev/tty");
    let Ok(mut terminal) = terminal else {
        bail!("there is no terminal to ask for the passphrase: {instead}");
    };
    write!(terminal, "{question}")?;
    let hidden = Hidden::new(terminal)?;
    // Room from the start, so that no half of it is left behind where it grew.
    let mut line = String::with_capacity(8 << 10);
    BufReader::new(&hidden.terminal).read_line(&mut line)?;
    let typed = Plain::new(line);
    Ok(Plain::new(
        typed.expose().trim_end_matches(['\r', '\n']).to_owned(),
    ))
}
