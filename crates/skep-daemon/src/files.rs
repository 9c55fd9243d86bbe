//! The data directory: who may be in it, one daemon at a time, the socket, the token.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use rustix::fs::{FlockOperation, OFlags, flock};
use skep_crypto::{InstallToken, Plain, Random};

/// Longest path that a Unix socket's address has room for.
const SOCKET_PATH: usize = 107;

/// The data directory, absolute; made if it is not there.
pub(crate) fn home(argument: Option<PathBuf>) -> anyhow::Result<PathBuf> {
    let named = argument.or_else(|| crate::config::environment("SKEP_HOME").map(PathBuf::from));
    let home = if let Some(home) = named {
        home
    } else {
        let user = crate::config::environment("HOME")
            .context("neither SKEP_HOME nor HOME is set: use --home")?;
        PathBuf::from(user).join(".skep")
    };
    let home = std::path::absolute(&home).context("finding the data directory")?;
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&home)
        .with_context(|| format!("making the data directory {}", home.display()))?;
    check_directory(&home)?;
    Ok(home)
}

fn check_directory(home: &Path) -> anyhow::Result<()> {
    let facts =
        fs::symlink_metadata(home).with_context(|| format!("looking at {}", home.display()))?;
    let shown = home.display();
    if !facts.is_dir() {
        bail!("{shown} is not a directory");
    }
    if facts.uid() != rustix::process::geteuid().as_raw() {
        bail!("{shown} belongs to another user: use a directory of your own");
    }
    if facts.mode() & 0o077 != 0 {
        bail!("{shown} is open to other users: run `chmod 700 {shown}`");
    }
    Ok(())
}

/// The lock that makes this the only daemon of its data directory, held as long as it lives.
#[derive(Debug)]
pub(crate) struct Lock(#[expect(dead_code, reason = "held, not read")] File);

/// Takes the lock.
pub(crate) fn lock(home: &Path) -> anyhow::Result<Lock> {
    let path = home.join("skepd.lock");
    let file = private(OpenOptions::new().create(true).truncate(false).write(true))
        .open(&path)
        .with_context(|| format!("opening {}", path.display()))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Lock(file)),
        Err(rustix::io::Errno::WOULDBLOCK) => {
            bail!("another skepd is running for {}", home.display())
        }
        Err(error) => Err(error).context("locking the data directory"),
    }
}

/// Writes the process id for `skep stop`.
pub(crate) fn write_pid(home: &Path) -> anyhow::Result<()> {
    let path = home.join("skepd.pid");
    let mut file =
        private(OpenOptions::new().create(true).truncate(true).write(true)).open(&path)?;
    writeln!(file, "{}", std::process::id()).with_context(|| format!("writing {}", path.display()))
}

/// Removes what only a running daemon has. What is gone already is fine.
pub(crate) fn remove_traces(home: &Path) {
    for name in ["skepd.pid", "skepd.sock"] {
        let _ = fs::remove_file(home.join(name));
    }
}

/// A fresh path for the socket: a stale one is ours to remove, since we hold the lock.
pub(crate) fn socket_path(home: &Path) -> anyhow::Result<PathBuf> {
    let path = home.join("skepd.sock");
    if path.as_os_str().len() > SOCKET_PATH {
        bail!(
            "the path {} is longer than a socket's address may be ({SOCKET_PATH} bytes): use a shorter data directory",
            path.display()
        );
    }
    match fs::remove_file(&path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("removing the stale socket {}", path.display()))
        }
        Ok(()) | Err(_) => Ok(path),
    }
}

/// Takes from a file whatever a bind gave to others; the umask has kept them out until now.
pub(crate) fn close_to_others(path: &Path) -> anyhow::Result<()> {
    let private = fs::Permissions::from_mode(0o600);
    fs::set_permissions(path, private)
        .with_context(|| format!("closing {} to others", path.display()))
}

/// The install token in its file, if there is one.
pub(crate) fn read_token(home: &Path) -> anyhow::Result<Option<InstallToken>> {
    let path = home.join("install-token");
    let mut file = match private(OpenOptions::new().read(true)).open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("reading {}", path.display())),
    };
    let facts = file.metadata()?;
    if facts.mode() & 0o077 != 0 || facts.uid() != rustix::process::geteuid().as_raw() {
        bail!(
            "{0} is open to others: run `rm {0}` and start again for a new token",
            path.display()
        );
    }
    let mut text = String::new();
    Read::by_ref(&mut file)
        .take(256)
        .read_to_string(&mut text)?;
    let token = InstallToken::parse(text.trim().as_bytes());
    token.map(Some).with_context(|| {
        format!(
            "{0} holds no token: run `rm {0}` and start again",
            path.display()
        )
    })
}

/// Bytes of a key for another service.
const KEY: u64 = 4 << 10;

/// Bytes of a key in PEM.
const PEM: u64 = 64 << 10;

/// A key for another service, from a file of its own: an argument or a variable shows to others.
pub(crate) fn read_key(path: &Path) -> anyhow::Result<Plain<String>> {
    let key = read_private(path, KEY)?;
    let trimmed = key.expose().trim();
    if trimmed.is_empty() || !trimmed.bytes().all(|byte| byte.is_ascii_graphic()) {
        bail!(
            "{} holds no key: it must be one line of ASCII without spaces",
            path.display()
        );
    }
    Ok(Plain::new(trimmed.to_owned()))
}

/// A key from a file that a flag names: as for every program, from where it is called.
pub(crate) fn read_named_key(flag: &str, file: &Path) -> anyhow::Result<Plain<String>> {
    let path = std::path::absolute(file).with_context(|| format!("finding the file of {flag}"))?;
    read_key(&path).with_context(|| {
        format!("{flag}, a file in the working directory unless its whole path is given")
    })
}

/// A key from a file that a setting names: in the data directory, wherever this is called from.
pub(crate) fn read_set_key(
    setting: &str,
    home: &Path,
    file: &Path,
) -> anyhow::Result<Plain<String>> {
    read_key(&home.join(file)).with_context(|| {
        format!("{setting}, a file in the data directory unless its whole path is given")
    })
}

/// The first line of a file of one's own, whatever is in it.
pub(crate) fn read_line(path: &Path) -> anyhow::Result<Plain<String>> {
    let text = read_private(path, KEY)?;
    let line = text.expose().lines().next().unwrap_or_default();
    if line.is_empty() {
        bail!("{} is empty", path.display());
    }
    Ok(Plain::new(line.to_owned()))
}

/// Writes a line into a new file of one's own.
pub(crate) fn write_new(path: &Path, line: &str) -> anyhow::Result<()> {
    let shown = path.display();
    let mut file = private(OpenOptions::new().create_new(true).write(true))
        .open(path)
        .with_context(|| format!("making {shown}"))?;
    writeln!(file, "{line}")
        .and_then(|()| file.sync_all())
        .with_context(|| format!("writing {shown}"))
}

/// The key of a certificate, as guarded as any other one.
pub(crate) fn read_pem(path: &Path) -> anyhow::Result<Plain<String>> {
    read_private(path, PEM)
}

fn read_private(path: &Path, limit: u64) -> anyhow::Result<Plain<String>> {
    let shown = path.display();
    let mut file = private(OpenOptions::new().read(true))
        .open(path)
        .with_context(|| format!("reading the key in {shown}"))?;
    let facts = file.metadata()?;
    if !facts.is_file() || facts.uid() != rustix::process::geteuid().as_raw() {
        bail!("{shown} is no file of your own: put the key into one");
    }
    if facts.mode() & 0o077 != 0 {
        bail!("{shown} is open to others: run `chmod 600 {shown}`");
    }
    // Room from the start, so that no half of it is left behind where it grew.
    let mut text = String::with_capacity(limit as usize + 1);
    let read = Read::by_ref(&mut file)
        .take(limit + 1)
        .read_to_string(&mut text);
    let key = Plain::new(text);
    read.with_context(|| format!("reading the key in {shown}"))?;
    if key.expose().len() as u64 > limit {
        bail!("{shown} holds no key: it must have at most {limit} bytes");
    }
    Ok(key)
}

/// Mints an install token into its file.
pub(crate) fn create_token(home: &Path, random: &dyn Random) -> anyhow::Result<InstallToken> {
    let token = InstallToken::mint(random);
    let path = home.join("install-token");
    let mut file = private(OpenOptions::new().create_new(true).write(true))
        .open(&path)
        .with_context(|| format!("making {}", path.display()))?;
    writeln!(file, "{}", token.text().expose())?;
    file.sync_all()
        .with_context(|| format!("writing {}", path.display()))?;
    Ok(token)
}

/// Removes an install token that opens nothing.
pub(crate) fn remove_token(home: &Path) -> anyhow::Result<()> {
    let path = home.join("install-token");
    fs::remove_file(&path).with_context(|| format!("removing {}", path.display()))
}

const SETUP_TOKEN: &str = "setup-token";

/// Where the token for the first administrator is, if there is one.
pub(crate) fn setup_token(home: &Path) -> Option<PathBuf> {
    let path = home.join(SETUP_TOKEN);
    path.exists().then_some(path)
}

/// Writes the token for the first administrator, in the place of one that ended.
pub(crate) fn write_setup_token(home: &Path, token: &Plain<String>) -> anyhow::Result<()> {
    remove_setup_token(home);
    let path = home.join(SETUP_TOKEN);
    let mut file = private(OpenOptions::new().create_new(true).write(true))
        .open(&path)
        .with_context(|| format!("making {}", path.display()))?;
    writeln!(file, "{}", token.expose())?;
    file.sync_all()
        .with_context(|| format!("writing {}", path.display()))
}

/// Removes it: there is somebody who can log in. What is gone already is fine.
pub(crate) fn remove_setup_token(home: &Path) {
    let _ = fs::remove_file(home.join(SETUP_TOKEN));
}

/// Nobody else's, and never through a link.
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
        .mode(0o600)
        .custom_flags((OFlags::NOFOLLOW | OFlags::CLOEXEC).bits().cast_signed())
}
