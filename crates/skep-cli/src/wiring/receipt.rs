//! What setup did, so that it can be undone to the byte: each file as it was, and as it was left.

use std::io;

use serde::{Deserialize, Serialize};
use skep_client::Home;

use super::change;

/// The file in the home; the home is its owner's alone, as are configurations that are kept in it.
const NAME: &str = "setup.json";

/// Everything that was done.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Receipt {
    #[serde(default)]
    pub(crate) files: Vec<Kept>,
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kept {
    /// Which harness or service it is for.
    pub(crate) name: String,
    pub(crate) path: std::path::PathBuf,
    /// As it was; absent if there was none.
    pub(crate) before: Option<String>,
    /// As it was left.
    pub(crate) after: String,
    /// Events whose list was made.
    #[serde(default)]
    pub(crate) made: Vec<String>,
    /// Whether there was nothing of the kind.
    #[serde(default)]
    pub(crate) made_hooks: bool,
}

impl Receipt {
    /// What is on file; nothing if there is no file.
    pub(crate) fn read(home: &Home) -> io::Result<Self> {
        let Some(text) = change::read(&home.path().join(NAME))? else {
            return Ok(Self::default());
        };
        serde_json::from_str(&text).map_err(|error| {
            io::Error::other(format!(
                "{NAME} in the data directory cannot be read: {error}"
            ))
        })
    }

    pub(crate) fn write(&self, home: &Home) -> io::Result<()> {
        let path = home.path().join(NAME);
        if self.files.is_empty() {
            return match std::fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            };
        }
        change::write(&path, &serde_json::to_string_pretty(self)?)
    }

    pub(crate) fn of(&self, name: &str) -> Option<&Kept> {
        self.files.iter().find(|kept| kept.name == name)
    }

    /// Replaces what was noted under this name.
    pub(crate) fn note(&mut self, kept: Kept) {
        self.forget(&kept.name.clone());
        self.files.push(kept);
    }

    pub(crate) fn forget(&mut self, name: &str) {
        self.files.retain(|kept| kept.name != name);
    }
}
