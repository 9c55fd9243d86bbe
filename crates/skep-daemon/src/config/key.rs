//! The section `[key]`: where the root key comes from.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::bail;
use serde::Deserialize;
use skep_crypto::LockCost;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Key {
    /// `file`, `keyring`, `passphrase`, `credential`, `environment` or `command`.
    provider: Option<String>,
    /// Where `file` keeps it; `root.key` in the data directory if absent.
    file: Option<PathBuf>,
    /// Where `passphrase` keeps it, locked; `root.key.locked` in the data directory if absent.
    locked_file: Option<PathBuf>,
    /// The file with the passphrase (0600); it is asked for on the terminal if absent.
    passphrase_file: Option<PathBuf>,
    /// The credential of systemd with the passphrase.
    passphrase_credential: Option<String>,
    /// Mebibytes that one guess at the passphrase costs.
    memory_mib: Option<u32>,
    /// The credential of systemd with the key; `skep-root` if absent.
    credential: Option<String>,
    /// The variable of the environment with the key; `SKEP_ROOT_KEY` if absent.
    variable: Option<String>,
    /// What `keyring` asks; `/usr/bin/secret-tool` if absent.
    keyring_program: Option<PathBuf>,
    /// The program that prints the key, and its arguments.
    command: Vec<String>,
    /// What goes to its standard input.
    wrapped_file: Option<PathBuf>,
    /// The program that makes `wrapped_file` from a key on its standard input.
    wrap_command: Vec<String>,
    /// Variables of the environment that these programs see too.
    pass_on: Vec<String>,
    /// Seconds that a program may take.
    timeout_seconds: Option<u64>,
    /// Seconds that an organization's key is used without asking for it again. The root key is read once.
    ask_every_seconds: Option<u64>,
}

/// Where a root key can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Kind {
    /// A file of the daemon's own user
    File,
    /// The keyring of the desktop's session
    Keyring,
    /// A file that a passphrase opens
    Passphrase,
    /// A credential that systemd hands over
    Credential,
    /// A variable of the environment
    Environment,
    /// A program, such as a client of a key service or of a TPM
    Command,
}

/// Where the passphrase is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Passphrase {
    Terminal,
    File(PathBuf),
    Credential(String),
}

/// A program as a setting names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) argv: Vec<String>,
    pub(crate) pass_on: Vec<String>,
    pub(crate) patience: Duration,
}

impl Kind {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Keyring => "keyring",
            Self::Passphrase => "passphrase",
            Self::Credential => "credential",
            Self::Environment => "environment",
            Self::Command => "command",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        <Self as clap::ValueEnum>::value_variants()
            .iter()
            .copied()
            .find(|kind| kind.as_str() == text)
    }
}

impl Key {
    /// Which one is in force.
    pub(crate) fn kind(&self) -> anyhow::Result<Kind> {
        let Some(text) = &self.provider else {
            return Ok(Kind::File);
        };
        let Some(kind) = Kind::parse(text) else {
            bail!(
                "key.provider is {text:?}: it must be file, keyring, passphrase, credential, environment or \
                 command"
            );
        };
        Ok(kind)
    }

    /// Refuses what cannot be meant. Settings of other providers than the one in force may stand there: a key
    /// is moved from one to the other.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        if self.ask_every_seconds.is_some() {
            bail!(
                "key.ask_every_seconds is for [organization_keys.…]: the root key is read once, at the start"
            );
        }
        self.check_kind()
    }

    fn check_kind(&self) -> anyhow::Result<()> {
        match self.kind()? {
            Kind::Command => drop(self.command()?),
            Kind::Keyring => drop(self.keyring_program()?),
            Kind::Credential => drop(self.credential()?),
            Kind::Environment => drop(self.variable()?),
            Kind::Passphrase => drop((self.passphrase()?, self.cost()?)),
            Kind::File => {}
        }
        self.patience().map(drop)
    }

    pub(crate) fn file(&self, home: &Path) -> PathBuf {
        let named = self.file.clone();
        named.unwrap_or_else(|| home.join("root.key"))
    }

    pub(crate) fn locked_file(&self, home: &Path) -> PathBuf {
        let named = self.locked_file.as_deref();
        home.join(named.unwrap_or(Path::new("root.key.locked")))
    }

    /// Everything on this host that leads to a root key, which nothing else may read.
    pub(crate) fn places(&self, home: &Path) -> Vec<PathBuf> {
        let mut places = vec![self.file(home), self.locked_file(home)];
        places.extend(self.wrapped_file(home));
        places.extend(self.passphrase_file.as_ref().map(|path| home.join(path)));
        for path in places.clone() {
            let mut next = path.into_os_string();
            next.push(".next");
            places.push(next.into());
        }
        let is_handed_over = matches!(self.kind(), Ok(Kind::Credential));
        if is_handed_over || self.passphrase_credential.is_some() {
            let folder = super::environment("CREDENTIALS_DIRECTORY");
            places.extend(folder.map(PathBuf::from));
        }
        places
    }

    pub(crate) fn passphrase(&self) -> anyhow::Result<Passphrase> {
        match (&self.passphrase_file, &self.passphrase_credential) {
            (None, None) => Ok(Passphrase::Terminal),
            (Some(file), None) => Ok(Passphrase::File(file.clone())),
            (None, Some(name)) => Ok(Passphrase::Credential(credential(
                "key.passphrase_credential",
                name,
            )?)),
            (Some(_), Some(_)) => {
                bail!("key.passphrase_file and key.passphrase_credential: take one of them out")
            }
        }
    }

    pub(crate) fn cost(&self) -> anyhow::Result<LockCost> {
        let Some(memory) = self.memory_mib else {
            return Ok(LockCost::default());
        };
        match LockCost::mebibytes(memory) {
            Ok(cost) => Ok(cost),
            Err(_) => bail!("key.memory_mib must be 8 to 4096"),
        }
    }

    pub(crate) fn credential(&self) -> anyhow::Result<String> {
        credential(
            "key.credential",
            self.credential.as_deref().unwrap_or("skep-root"),
        )
    }

    pub(crate) fn variable(&self) -> anyhow::Result<String> {
        let name = self.variable.as_deref().unwrap_or("SKEP_ROOT_KEY");
        let of_names = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if name.is_empty() || !name.bytes().all(of_names) || name.contains("__") {
            bail!(
                "key.variable is {name:?}: expected a name such as SKEP_ROOT_KEY, without a double underscore"
            );
        }
        Ok(name.to_owned())
    }

    /// The program that speaks to the keyring.
    pub(crate) fn keyring_program(&self) -> anyhow::Result<Order> {
        let program = self.keyring_program.as_deref();
        let program = program.unwrap_or(Path::new("/usr/bin/secret-tool"));
        let argv = vec![program.display().to_string()];
        let mut order = self.order("key.keyring_program", &argv)?;
        for name in [
            "DBUS_SESSION_BUS_ADDRESS",
            "XDG_RUNTIME_DIR",
            "DISPLAY",
            "WAYLAND_DISPLAY",
        ] {
            order.pass_on.push(name.into());
        }
        Ok(order)
    }

    /// The program that prints the key.
    pub(crate) fn command(&self) -> anyhow::Result<Order> {
        if self.wrapped_file.is_none() && !self.wrap_command.is_empty() {
            bail!("key.wrap_command needs key.wrapped_file, where what it makes is kept");
        }
        self.order("key.command", &self.command)
    }

    /// The program that wraps a key, if there is one.
    pub(crate) fn wrap_command(&self) -> anyhow::Result<Option<Order>> {
        let is_there = !self.wrap_command.is_empty();
        is_there
            .then(|| self.order("key.wrap_command", &self.wrap_command))
            .transpose()
    }

    pub(crate) fn wrapped_file(&self, home: &Path) -> Option<PathBuf> {
        self.wrapped_file.as_ref().map(|path| home.join(path))
    }

    /// The key of an organization: what cannot be meant there is refused. What cannot be taken away while the
    /// daemon runs, or asks somebody each minute, is no place for one.
    pub(super) fn check_own(&self) -> anyhow::Result<()> {
        if self.provider.is_none() {
            bail!("key.provider is missing: command, file, passphrase, credential or keyring");
        }
        if self.wrapped_file.is_some() {
            bail!(
                "key.wrapped_file: what wraps an organization's key is kept beside its data; take it out"
            );
        }
        match self.kind()? {
            Kind::Environment => bail!(
                "key.provider: a variable cannot be withdrawn while the daemon runs; name a program, a file, a \
                 credential or a keyring"
            ),
            Kind::File if self.file.is_none() => bail!("key.file is missing"),
            Kind::Passphrase if self.locked_file.is_none() => bail!("key.locked_file is missing"),
            Kind::Passphrase if self.passphrase()? == Passphrase::Terminal => bail!(
                "key.passphrase_file or key.passphrase_credential is missing: nobody is there to be asked each \
                 minute"
            ),
            Kind::Command => drop(self.own_programs()?),
            _ => self.check_kind()?,
        }
        let (every, patience) = (self.ask_every()?, self.own_patience()?);
        if patience >= every {
            bail!("key.timeout_seconds must be less than key.ask_every_seconds");
        }
        Ok(())
    }

    /// For how long an organization's key is used without asking for it again.
    pub(crate) fn ask_every(&self) -> anyhow::Result<Duration> {
        let seconds = self.ask_every_seconds.unwrap_or(60);
        if !(5..=60).contains(&seconds) {
            bail!("key.ask_every_seconds must be 5 to 60");
        }
        Ok(Duration::from_secs(seconds))
    }

    fn own_patience(&self) -> anyhow::Result<Duration> {
        let most = self.ask_every()?.as_secs() - 1;
        let seconds = self.timeout_seconds.unwrap_or(most.min(10));
        if !(1..=30).contains(&seconds) {
            bail!("key.timeout_seconds must be 1 to 30");
        }
        Ok(Duration::from_secs(seconds))
    }

    /// The program that gives an organization's key, and the one that wraps it, if it does not keep it itself.
    pub(crate) fn own_programs(&self) -> anyhow::Result<(Order, Option<Order>)> {
        let patience = self.own_patience()?;
        let gives = order("key.command", &self.command, &self.pass_on, patience)?;
        if self.wrap_command.is_empty() {
            return Ok((gives, None));
        }
        let wraps = order(
            "key.wrap_command",
            &self.wrap_command,
            &self.pass_on,
            patience,
        )?;
        Ok((gives, Some(wraps)))
    }

    fn order(&self, setting: &str, argv: &[String]) -> anyhow::Result<Order> {
        order(setting, argv, &self.pass_on, self.patience()?)
    }

    fn patience(&self) -> anyhow::Result<Duration> {
        let seconds = self.timeout_seconds.unwrap_or(30);
        if !(1..=300).contains(&seconds) {
            bail!("key.timeout_seconds must be 1 to 300");
        }
        Ok(Duration::from_secs(seconds))
    }
}

/// A program as an array of its path and arguments. There is no shell that would take them apart.
fn order(
    setting: &str,
    argv: &[String],
    pass_on: &[String],
    patience: Duration,
) -> anyhow::Result<Order> {
    let Some(program) = argv.first() else {
        bail!("{setting} is missing: an array of the program's whole path and its arguments");
    };
    if !Path::new(program).is_absolute() {
        bail!("{setting} names {program:?}: give the program's whole path");
    }
    if argv.len() > 64
        || argv
            .iter()
            .any(|part| part.contains('\0') || part.len() > 4_096)
    {
        bail!("{setting} has more than 64 parts, or one of more than 4096 bytes");
    }
    Ok(Order {
        argv: argv.to_vec(),
        pass_on: pass_on.to_vec(),
        patience,
    })
}

fn credential(setting: &str, name: &str) -> anyhow::Result<String> {
    let of_names = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    if name.is_empty() || name.starts_with('.') || !name.bytes().all(of_names) {
        bail!("{setting} is {name:?}: expected a name such as skep-root, not a path");
    }
    Ok(name.to_owned())
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = self.kind().map_or("file", Kind::as_str);
        if self.provider.is_some() {
            writeln!(f, "key.provider = {kind:?}")?;
        }
        match &self.file {
            Some(file) => write!(f, "key.file = {:?}", file.display().to_string())?,
            None => write!(f, "# key.file is root.key in the data directory")?,
        }
        for (name, file) in [
            ("locked_file", &self.locked_file),
            ("passphrase_file", &self.passphrase_file),
            ("keyring_program", &self.keyring_program),
            ("wrapped_file", &self.wrapped_file),
        ] {
            if let Some(file) = file {
                write!(f, "\nkey.{name} = {:?}", file.display().to_string())?;
            }
        }
        for (name, text) in [
            ("passphrase_credential", &self.passphrase_credential),
            ("credential", &self.credential),
            ("variable", &self.variable),
        ] {
            if let Some(text) = text {
                write!(f, "\nkey.{name} = {text:?}")?;
            }
        }
        for (name, list) in [
            ("command", &self.command),
            ("wrap_command", &self.wrap_command),
            ("pass_on", &self.pass_on),
        ] {
            if !list.is_empty() {
                write!(f, "\nkey.{name} = {list:?}")?;
            }
        }
        if let Some(memory) = self.memory_mib {
            write!(f, "\nkey.memory_mib = {memory}")?;
        }
        if let Some(seconds) = self.timeout_seconds {
            write!(f, "\nkey.timeout_seconds = {seconds}")?;
        }
        if let Some(seconds) = self.ask_every_seconds {
            write!(f, "\nkey.ask_every_seconds = {seconds}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Key;

    fn refused(text: &str) -> String {
        let key: Key = toml::from_str(text).unwrap();
        key.check().unwrap_err().to_string()
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_what_to_do() {
        for (text, said) in [
            ("provider = \"vault\"", "it must be file, keyring"),
            ("provider = \"command\"", "key.command is missing"),
            (
                "provider = \"command\"\ncommand = [\"tpm2_unseal\"]",
                "whole path",
            ),
            (
                "provider = \"command\"\ncommand = [\"/bin/x\"]\nwrap_command = [\"/bin/y\"]",
                "needs key.wrapped_file",
            ),
            (
                "provider = \"credential\"\ncredential = \"../root\"",
                "not a path",
            ),
            (
                "provider = \"environment\"\nvariable = \"A B\"",
                "expected a name",
            ),
            ("provider = \"passphrase\"\nmemory_mib = 1", "8 to 4096"),
            ("timeout_seconds = 0", "1 to 300"),
            ("ask_every_seconds = 30", "organization_keys"),
            (
                "provider = \"keyring\"\nkeyring_program = \"secret-tool\"",
                "whole path",
            ),
            (
                "provider = \"passphrase\"\npassphrase_file = \"a\"\npassphrase_credential = \"b\"",
                "take one of them out",
            ),
        ] {
            assert!(refused(text).contains(said), "{text}: {}", refused(text));
        }
    }
}
