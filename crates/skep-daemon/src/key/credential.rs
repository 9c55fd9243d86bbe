//! `credential` and `environment`: keys that whoever starts the daemon hands over.

use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, anyhow, bail};
use rustix::fs::{Mode, OFlags};
use skep_crypto::{Plain, RootKey};

use super::{Keeper, Slot, parsed};
use crate::config::environment;

/// Bytes that are read of what is handed over.
const MOST: usize = 4 << 10;
/// The argument with which the daemon starts itself again; it says where the key is, and nothing of it.
const ON_STDIN: &str = "--root-key-on-stdin";

/// A credential of systemd: a file that only this service sees, in memory that is not swapped out.
pub(super) struct Credential {
    name: String,
}

/// What a variable of the environment held.
pub(super) struct Variable {
    name: String,
    key: Option<RootKey>,
}

impl Credential {
    pub(super) fn new(name: String) -> Self {
        Self { name }
    }
}

impl Variable {
    pub(super) fn new(name: String, value: Option<&Plain<Vec<u8>>>) -> anyhow::Result<Self> {
        let key = value.map(|value| parsed(value, &name)).transpose()?;
        Ok(Self { name, key })
    }
}

impl Keeper for Credential {
    fn shown(&self) -> String {
        format!("credential {}", self.name)
    }

    fn load(&self, slot: Slot) -> anyhow::Result<Option<RootKey>> {
        match slot {
            Slot::Next => Ok(None),
            Slot::Current => parsed(&handed_over(&self.name)?, &self.shown()).map(Some),
        }
    }

    fn read_only(&self) -> Option<String> {
        let name = &self.name;
        Some(format!(
            "make a key with `skepd key new --to FILE`, run `systemd-creds encrypt --name={name} FILE \
             /etc/credstore.encrypted/{name}`, put `LoadCredentialEncrypted={name}` into the unit, and remove FILE"
        ))
    }

    fn keep(&self, _: Slot, _: &RootKey) -> anyhow::Result<()> {
        bail!(self.read_only().unwrap_or_default())
    }

    fn forget(&self, _: Slot) -> anyhow::Result<()> {
        Ok(())
    }
}

impl Keeper for Variable {
    fn shown(&self) -> String {
        format!("environment, {}", self.name)
    }

    fn load(&self, slot: Slot) -> anyhow::Result<Option<RootKey>> {
        if slot == Slot::Next {
            return Ok(None);
        }
        let missing = || {
            anyhow!(
                "{} is not set: whoever starts the daemon sets it; make a key for it with `skepd key new --to \
                 FILE`",
                self.name
            )
        };
        self.key
            .as_ref()
            .map(RootKey::again)
            .map(Some)
            .ok_or_else(missing)
    }

    fn read_only(&self) -> Option<String> {
        Some(format!(
            "make a key with `skepd key new --to FILE`, and let whoever starts the daemon set {} to it",
            self.name
        ))
    }

    fn keep(&self, _: Slot, _: &RootKey) -> anyhow::Result<()> {
        bail!(self.read_only().unwrap_or_default())
    }

    fn forget(&self, _: Slot) -> anyhow::Result<()> {
        Ok(())
    }
}

/// The content of a credential.
pub(super) fn handed_over(name: &str) -> anyhow::Result<Plain<Vec<u8>>> {
    let Some(folder) = environment("CREDENTIALS_DIRECTORY") else {
        bail!(
            "nobody has handed over the credential {name}: CREDENTIALS_DIRECTORY is not set. Put \
             `LoadCredentialEncrypted={name}` into the unit of systemd that starts this daemon"
        );
    };
    let path = Path::new(&folder).join(name);
    let shown = path.display().to_string();
    let flags = OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(&path)
        .with_context(|| format!("reading the credential {shown}"))?;
    let facts = file.metadata()?;
    let own = rustix::process::geteuid().as_raw();
    // Of systemd's own user it may be, with an access list that shows as the group's right to read.
    let mode = Mode::from_raw_mode(facts.mode());
    let others = Mode::RWXO | Mode::WGRP | Mode::XGRP;
    let is_safe =
        facts.is_file() && (facts.uid() == own || facts.uid() == 0) && !mode.intersects(others);
    if !is_safe {
        bail!("{shown} is open to others, or no file of yours or of root");
    }
    bounded(file).with_context(|| format!("reading the credential {shown}"))
}

/// Where the root key comes in a variable, takes it out of the environment: this process begins anew without
/// the variable, and with the key in a pipe. What the system shows of a process is what it began with, so
/// nothing less helps. Gives what was in the pipe, if that has been done.
pub(crate) fn leave_the_environment(
    variable: &str,
    is_on_stdin: bool,
) -> anyhow::Result<Option<Plain<Vec<u8>>>> {
    if is_on_stdin {
        return bounded(std::io::stdin()).map(Some);
    }
    let Some(value) = environment(variable).map(Plain::new) else {
        return Ok(None);
    };
    if value.expose().len() > MOST {
        bail!("{variable} is no root key");
    }
    let (reader, mut writer) = std::io::pipe().context("making a pipe")?;
    // It fits into a pipe that nobody reads yet.
    writer.write_all(value.expose().as_bytes())?;
    drop((writer, value));
    let own = std::env::current_exe().context("finding this program")?;
    let failed = Command::new(own)
        .arg(ON_STDIN)
        .args(std::env::args_os().skip(1))
        .env_remove(variable)
        .stdin(Stdio::from(reader))
        .exec();
    Err(failed).context("starting without the key in the environment")
}

fn bounded(from: impl Read) -> anyhow::Result<Plain<Vec<u8>>> {
    // Room from the start, so that no half of it is left behind where it grew.
    let mut bytes = Vec::with_capacity(MOST + 1);
    let read = from.take(MOST as u64 + 1).read_to_end(&mut bytes);
    let bytes = Plain::new(bytes);
    read?;
    if bytes.expose().len() > MOST {
        bail!("it is longer than {MOST} bytes");
    }
    Ok(bytes)
}
