//! `keyring`: the keyring of a desktop's session (the Secret Service of freedesktop.org), by way of the program
//! `secret-tool`, which is given keys on its standard input and gives them on its standard output.
//!
//! A library that speaks to it brings a client of D-Bus, a second runtime and ciphers of its own into the
//! process that holds all keys (ADR 0024).

use std::path::Path;

use anyhow::{Context, bail};
use skep_crypto::{Plain, RootKey};

use super::{Keeper, Slot, parsed};
use crate::config::Order;
use crate::program;

/// Bytes that it may say.
const MOST: usize = 512;

/// An entry of the keyring for each slot.
pub(super) struct InKeyring {
    order: Order,
    /// One installation of several of a user.
    home: String,
    /// Whose key it is, if it is no root key.
    of: Option<String>,
}

impl InKeyring {
    pub(super) fn new(home: &Path, order: Order) -> Self {
        Self {
            order,
            home: home.display().to_string(),
            of: None,
        }
    }

    /// The key of an organization instead of the root key.
    pub(super) fn of(self, name: &str) -> Self {
        Self {
            of: Some(format!("organization {name}")),
            ..self
        }
    }

    fn ask(&self, verb: &[&str], slot: Slot, input: &[u8]) -> anyhow::Result<program::Answer> {
        let slot = match slot {
            Slot::Current => self.of.as_deref().unwrap_or("root"),
            Slot::Next => "next-root",
        };
        let entry = ["application", "skep", "directory", &self.home, "key", slot];
        program::run(&self.order, &[verb, &entry].concat(), input, MOST)
    }
}

const AWAY: &str = "the system's keyring did not answer. It is there in a desktop's session, once that is \
                    unlocked; on a server use key.provider = \"credential\" or \"passphrase\"";

impl Keeper for InKeyring {
    fn shown(&self) -> String {
        "keyring of the session".into()
    }

    fn load(&self, slot: Slot) -> anyhow::Result<Option<RootKey>> {
        let answer = self.ask(&["lookup"], slot, b"").context(AWAY)?;
        // That is how it says that there is no such entry.
        if answer.code == Some(1)
            && answer.complaint.is_empty()
            && answer.output.expose().is_empty()
        {
            return Ok(None);
        }
        let said = answer.success(&self.order).context(AWAY)?;
        parsed(&said, &"the keyring").map(Some)
    }

    fn keep(&self, slot: Slot, key: &RootKey) -> anyhow::Result<()> {
        let text: Plain<String> = key.text();
        let what = self.of.as_deref().unwrap_or("Root");
        let label = format!("--label={what} key of Skep in {}", self.home);
        let answer = self.ask(&["store", &label], slot, text.expose().as_bytes());
        answer
            .and_then(|answer| answer.success(&self.order))
            .context(AWAY)?;
        let kept = self.load(slot)?;
        if !kept.is_some_and(|kept| kept.is(key)) {
            bail!("the keyring did not give back the key that it was given");
        }
        Ok(())
    }

    fn forget(&self, slot: Slot) -> anyhow::Result<()> {
        if self.load(slot)?.is_none() {
            return Ok(());
        }
        let answer = self.ask(&["clear"], slot, b"").context(AWAY)?;
        answer.success(&self.order).map(drop).context(AWAY)
    }
}
