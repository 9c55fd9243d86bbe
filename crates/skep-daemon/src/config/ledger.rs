//! The section `[ledger]`: who is given the signed heads of logs, and what happens to reads that cannot be recorded.

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde::Deserialize;
use skep_app::{HookKey, Reads, WitnessHook};

use crate::files;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Ledger {
    /// A file that each checkpoint is added to.
    witness: Option<PathBuf>,
    /// A server that each checkpoint is sent to.
    witness_url: Option<String>,
    /// The file with the key that it is signed with: `whsec_` and the base64 of 32 bytes.
    witness_key_file: Option<PathBuf>,
    /// What happens to reads of others' content while nothing can be recorded.
    reads: Rule,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Rule {
    #[default]
    Allow,
    Deny,
}

impl Ledger {
    /// The file, within the data directory unless it says another place.
    pub(crate) fn witness(&self, home: &Path) -> Option<PathBuf> {
        self.witness.as_ref().map(|path| home.join(path))
    }

    /// The server.
    pub(crate) fn hook(&self, home: &Path) -> anyhow::Result<Option<WitnessHook>> {
        let Some((url, file)) = self.hooked()? else {
            return Ok(None);
        };
        let file = home.join(file);
        let key = files::read_line(&file)?;
        let Some(key) = HookKey::parse(key.expose()) else {
            bail!(
                "{} holds no key for ledger.witness_url: it is whsec_ and the base64 of 32 bytes, such as \
                 `echo whsec_$(openssl rand -base64 32)` writes",
                file.display()
            );
        };
        let hook = WitnessHook::new(url.to_owned(), key).context("ledger.witness_url")?;
        Ok(Some(hook))
    }

    /// What is wrong with it, whatever the file holds.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        if let Some((url, _)) = self.hooked()? {
            WitnessHook::new(url.to_owned(), HookKey::new([0; 32]))
                .context("ledger.witness_url")?;
        }
        Ok(())
    }

    fn hooked(&self) -> anyhow::Result<Option<(&str, &Path)>> {
        match (&self.witness_url, &self.witness_key_file) {
            (None, None) => Ok(None),
            (Some(url), Some(file)) => Ok(Some((url, file))),
            _ => bail!("ledger.witness_url and ledger.witness_key_file go together"),
        }
    }

    pub(crate) fn key_files(&self) -> impl Iterator<Item = &Path> {
        self.witness_key_file.as_deref().into_iter()
    }

    /// What happens to reads of others' content while nothing can be recorded.
    pub(crate) fn reads(&self) -> Reads {
        match self.reads {
            Rule::Allow => Reads::Allow,
            Rule::Deny => Reads::Deny,
        }
    }
}

impl fmt::Display for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let witness = self.witness.as_ref();
        let witness = witness.map_or_else(String::new, |path| path.display().to_string());
        writeln!(f, "ledger.witness = {witness:?}")?;
        let url = self.witness_url.as_deref().unwrap_or_default();
        writeln!(f, "ledger.witness_url = {url:?}")?;
        let reads = match self.reads {
            Rule::Allow => "allow",
            Rule::Deny => "deny",
        };
        write!(f, "ledger.reads = {reads:?}")
    }
}
