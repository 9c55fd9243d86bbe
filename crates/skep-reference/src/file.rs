//! Files of the daemon's host, below folders that the operator named.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, ResolveFlags};
use rustix::io::Errno;
use skep_crypto::Plain;
use skep_domain::{Limits, Reference};

use crate::Unresolved;

/// A folder whose files may be referred to.
///
/// Links in it are followed as long as they stay in it: that is how secrets of Kubernetes are laid out.
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// What is below `path`, which is absolute.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }

    pub(crate) fn has(&self, path: &str) -> bool {
        self.below(path).is_some()
    }

    /// What a path is called in the folder. It has no `..`: a [`Reference`] has none.
    fn below(&self, path: &str) -> Option<PathBuf> {
        let below = Path::new(path).strip_prefix(&self.path).ok()?;
        (!below.as_os_str().is_empty()).then(|| below.to_owned())
    }

    pub(crate) async fn read(
        &self,
        path: &str,
        reference: &Reference,
    ) -> Result<Plain<Vec<u8>>, Unresolved> {
        let below = self.below(path).ok_or(Unresolved::NotAllowed)?;
        let (folder, shown) = (self.path.clone(), reference.to_string());
        let read = tokio::task::spawn_blocking(move || read_below(&folder, &below));
        let failed = |problem: String| Unresolved::Away {
            store: "the file".into(),
            problem,
        };
        let read = read.await.map_err(|_| failed("reading it failed".into()))?;
        read.map_err(|errno| match errno {
            Errno::NOENT | Errno::NOTDIR => Unresolved::Missing(shown),
            // It leads out of the folder, or is no file.
            Errno::XDEV | Errno::LOOP | Errno::ISDIR | Errno::NXIO => Unresolved::NotAllowed,
            Errno::FBIG => Unresolved::Unfit(shown),
            other => failed(other.to_string()),
        })
    }
}

/// Whatever races for the path, what is opened is below the folder: the kernel sees to it.
#[cfg(target_os = "linux")]
fn open(folder: &Path, below: &Path) -> Result<File, Errno> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let folder = rustix::fs::open(
        folder,
        OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::PATH,
        Mode::empty(),
    )?;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    rustix::fs::openat2(folder, below, flags, Mode::empty(), resolve).map(File::from)
}

/// Without links at all.
#[cfg(not(target_os = "linux"))]
fn open(folder: &Path, below: &Path) -> Result<File, Errno> {
    let mut at = rustix::fs::open(folder, OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    let last = below.file_name().ok_or(Errno::ISDIR)?;
    for step in below.parent().into_iter().flat_map(Path::components) {
        let flags = OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        at = rustix::fs::openat(&at, step.as_os_str(), flags, Mode::empty())?;
    }
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOFOLLOW;
    rustix::fs::openat(&at, last, flags, Mode::empty()).map(File::from)
}

fn read_below(folder: &Path, below: &Path) -> Result<Plain<Vec<u8>>, Errno> {
    let of = |error: std::io::Error| Errno::from_io_error(&error).unwrap_or(Errno::IO);
    let file = open(folder, below)?;
    if !file.metadata().map_err(of)?.is_file() {
        return Err(Errno::ISDIR);
    }
    // Room from the start, so that no half of it is left behind where it grew.
    let most = Limits::RECORD_VALUE + 2;
    let mut bytes = Vec::with_capacity(most + 1);
    let read = file.take(most as u64 + 1).read_to_end(&mut bytes);
    let mut value = bytes;
    if value.ends_with(b"\n") {
        value.pop();
        if value.ends_with(b"\r") {
            value.pop();
        }
    }
    let value = Plain::new(value);
    read.map_err(of)?;
    if value.expose().len() > Limits::RECORD_VALUE {
        return Err(Errno::FBIG);
    }
    Ok(value)
}
