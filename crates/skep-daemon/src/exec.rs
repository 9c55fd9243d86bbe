//! Programs that are run with secrets: where their folders lie, what none of them reaches, and whose they
//! are.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use skep_app::{App, ExecHost, Runner};
use skep_crypto::{Random, SystemRandom};

use crate::config::Config;
use crate::wire;

const DIRECTORY: &str = "exec";
const HOST: &str = "host";
const JOBS: &str = "jobs";
/// In the data directory itself, and short: the path of a socket has room for 107 bytes.
const SOCKETS: &str = "runs";

/// The application with all that it needs to run programs, where that is wanted.
pub(crate) fn with(app: App, home: &Path, config: &Config) -> anyhow::Result<App> {
    let Some(settings) = config.exec.settings()? else {
        return Ok(app);
    };
    let directory = home.join(DIRECTORY);
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&directory)
        .with_context(|| format!("making {}", directory.display()))?;
    let host = host(&directory.join(HOST))?;
    let jobs = directory.join(JOBS);
    let sockets = home.join(SOCKETS);
    empty(&sockets)?;
    let runner = Runner::new(&jobs, guarded(home, config))
        .with_context(|| format!("making {}", jobs.display()))?
        .with_open(wire::bundle(home));
    let at = ExecHost { host, sockets };
    Ok(app.with_exec(Arc::new(runner), settings, at))
}

/// A folder of our own, without what a daemon that was killed left in it.
fn empty(folder: &Path) -> anyhow::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("emptying {}", folder.display()));
        }
        Ok(()) | Err(_) => {}
    }
    DirBuilder::new()
        .mode(0o700)
        .create(folder)
        .with_context(|| format!("making {}", folder.display()))
}

/// What no program reads or writes, whatever its template says: it opens everything else.
fn guarded(home: &Path, config: &Config) -> Vec<PathBuf> {
    let mut guarded = vec![home.to_owned()];
    guarded.extend(config.files(home));
    guarded
}

/// What this host is known by: its secrets are here and nowhere else, also where a database is shared. Not
/// in the store, so that a copy of it elsewhere takes no runs of ours.
fn host(path: &Path) -> anyhow::Result<[u8; 16]> {
    match fs::read(path) {
        Ok(bytes) => match <[u8; 16]>::try_from(bytes.as_slice()) {
            Ok(host) => Ok(host),
            Err(_) => bail!(
                "{0} is not what was written: remove it, and runs that wait are given up",
                path.display()
            ),
        },
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let random: &dyn Random = &SystemRandom;
            let host = random.array::<16>();
            // Beside it and put in place whole: a daemon that is killed here has none yet.
            let beside = path.with_extension("new");
            let mut file = OpenOptions::new()
                .create(true)
                .truncate(true)
                .write(true)
                .mode(0o600)
                .open(&beside)?;
            file.write_all(&host)?;
            file.sync_all()?;
            fs::rename(&beside, path)?;
            Ok(host)
        }
        Err(error) => Err(error).with_context(|| format!("reading {}", path.display())),
    }
}
