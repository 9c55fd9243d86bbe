//! `command`: a program prints the key, such as a client of a key service or of a TPM. It may be given the
//! content of a file to unwrap; another program makes that file.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use skep_crypto::{PrivateFile, RootKey};

use super::file::beside;
use super::{Keeper, Slot, parsed, random};
use crate::config::{Key, Order};
use crate::program;

/// Bytes of a key in any form.
const KEY: usize = 256;
/// Bytes of a wrapped one.
pub(crate) const WRAPPED: usize = 16 << 10;

/// The programs, and the file between them.
pub(super) struct FromCommand {
    unwrap: Order,
    wrap: Option<Order>,
    wrapped: Option<PathBuf>,
}

impl FromCommand {
    pub(super) fn new(home: &Path, key: &Key) -> anyhow::Result<Self> {
        Ok(Self {
            unwrap: key.command()?,
            wrap: key.wrap_command()?,
            wrapped: key.wrapped_file(home),
        })
    }

    fn file(&self, slot: Slot) -> Option<PrivateFile> {
        let path = self.wrapped.as_deref()?;
        Some(PrivateFile::new(match slot {
            Slot::Current => path.to_owned(),
            Slot::Next => beside(path),
        }))
    }

    fn unwrapped(&self, input: &[u8]) -> anyhow::Result<RootKey> {
        let answer = program::run(&self.unwrap, &[], input, KEY)?;
        let output = answer.success(&self.unwrap)?;
        parsed(&output, &"key.command")
    }
}

impl Keeper for FromCommand {
    fn shown(&self) -> String {
        let program = self.unwrap.argv.first().map_or("", String::as_str);
        match &self.wrapped {
            Some(file) => format!("command {program}, {}", file.display()),
            None => format!("command {program}"),
        }
    }

    fn has(&self, slot: Slot) -> anyhow::Result<bool> {
        match self.file(slot) {
            Some(file) => Ok(file.read(WRAPPED)?.is_some()),
            None => Ok(slot == Slot::Current),
        }
    }

    fn load(&self, slot: Slot) -> anyhow::Result<Option<RootKey>> {
        let Some(file) = self.file(slot) else {
            return match slot {
                Slot::Current => self.unwrapped(b"").map(Some),
                Slot::Next => Ok(None),
            };
        };
        let Some(blob) = file.read(WRAPPED)? else {
            return Ok(None);
        };
        if blob.len() > WRAPPED {
            bail!("{} is longer than {WRAPPED} bytes", file.path().display());
        }
        self.unwrapped(&blob).map(Some)
    }

    fn read_only(&self) -> Option<String> {
        self.wrap.is_none().then(|| {
            "set key.wrap_command and key.wrapped_file, or make a key with `skepd key new --to FILE` and put \
             it where key.command finds it"
                .into()
        })
    }

    fn keep(&self, slot: Slot, key: &RootKey) -> anyhow::Result<()> {
        let (Some(wrap), Some(file)) = (&self.wrap, self.file(slot)) else {
            bail!(self.read_only().unwrap_or_default());
        };
        let answer = program::run(wrap, &[], key.raw().expose(), WRAPPED)?;
        let blob = answer.success(wrap)?;
        let blob = blob.expose();
        if blob.is_empty() || holds(blob, key) {
            bail!(
                "key.wrap_command gave back nothing, or the key itself: it must wrap what it is given"
            );
        }
        let again = self
            .unwrapped(blob)
            .context("unwrapping what key.wrap_command made")?;
        if !again.is(key) {
            bail!("key.command does not unwrap what key.wrap_command made; nothing was changed");
        }
        Ok(file.replace(blob, &random())?)
    }

    fn forget(&self, slot: Slot) -> anyhow::Result<()> {
        match self.file(slot) {
            Some(file) => Ok(file.remove().map(drop)?),
            None => Ok(()),
        }
    }
}

/// Whether the key stands there in a form that a key is read in.
fn holds(blob: &[u8], key: &RootKey) -> bool {
    let raw = key.raw();
    let as_it_is = blob.windows(32).any(|part| part == raw.expose());
    as_it_is || RootKey::parse(blob).is_ok_and(|found| found.is(key))
}
