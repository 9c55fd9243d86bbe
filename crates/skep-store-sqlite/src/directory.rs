//! The data directory: ours alone, its files 0600, nothing in it reached through a link.

use std::fs::{DirBuilder, File};
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;
use skep_domain::{Id, WorkspaceId};
use skep_store::StoreError;

const WORKSPACES: &str = "ws";
const CONTROL: &str = "control.db";

/// A checked data directory.
#[derive(Debug)]
pub(crate) struct Directory {
    /// Without symbolic links, so that SQLite may be told to follow none.
    path: PathBuf,
    root: OwnedFd,
    workspaces: OwnedFd,
}

/// A file of the directory.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place {
    Control,
    Workspace(WorkspaceId),
    /// Of a workspace's index.
    Snapshot(WorkspaceId),
}

/// What stands in a file's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Nothing,
    File,
}

impl Directory {
    /// Opens the directory, or makes it with 0700.
    ///
    /// # Errors
    /// [`StoreError::Refused`] for one that is not ours alone, with what to do about it.
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        make(path)?;
        let path = path.canonicalize().map_err(|_| unusable(path))?;
        let root = open_checked(&path)?;
        let inner = path.join(WORKSPACES);
        make(&inner)?;
        let workspaces = open_checked(&inner)?;
        Ok(Self {
            path,
            root,
            workspaces,
        })
    }

    /// Where SQLite finds a file.
    pub(crate) fn path_of(&self, place: Place) -> PathBuf {
        match place {
            Place::Control => self.path.join(CONTROL),
            Place::Workspace(_) | Place::Snapshot(_) => {
                self.path.join(WORKSPACES).join(name_of(place))
            }
        }
    }

    /// Looks at a database without opening it: closing a second handle on a file would drop the locks
    /// that SQLite holds on it (POSIX locks belong to the process, not to the handle).
    pub(crate) fn look(&self, place: Place) -> Result<Found, StoreError> {
        let name = name_of(place);
        match rustix::fs::statat(self.parent(place), &name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => self.check_file(&stat).map(|()| Found::File),
            Err(Errno::NOENT) => Ok(Found::Nothing),
            Err(_) => Err(unreadable()),
        }
    }

    /// Makes a database: `make` finds an empty file, under another name, and closes it again. Only
    /// what is whole and on the disk gets its name, so a crash leaves no half of one. SQLite gives
    /// the companions of a file (`-wal`, `-shm`) the mode of the file itself.
    pub(crate) fn build(
        &self,
        place: Place,
        make: impl FnOnce(&Path) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let path = self.begin_fresh(place)?;
        make(&path)?;
        self.publish_fresh(place)
    }

    /// An empty file for a database that is being made, under the name that it has until it is whole.
    pub(crate) fn begin_fresh(&self, place: Place) -> Result<PathBuf, StoreError> {
        let (parent, name) = (self.parent(place), name_of(place));
        let fresh = fresh_name(&name);
        let fresh_file =
            remove_leftovers(parent, &fresh).and_then(|()| create_private(parent, &fresh));
        drop(fresh_file.map_err(|errno| cannot_write(&errno.into()))?);
        Ok(self.path_of(place).with_file_name(&fresh))
    }

    /// Gives a database that is whole, and closed, its name. One that had the name is gone then: it is
    /// closed, and its log is in it.
    pub(crate) fn publish_fresh(&self, place: Place) -> Result<(), StoreError> {
        let (parent, name) = (self.parent(place), name_of(place));
        let fresh = fresh_name(&name);
        let publish = || {
            let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let whole = rustix::fs::openat(parent, &fresh, flags, Mode::empty())?;
            rustix::fs::fsync(whole)?;
            rustix::fs::renameat(parent, &fresh, parent, &name)?;
            rustix::fs::fsync(parent)
        };
        publish().map_err(|errno| cannot_write(&errno.into()))
    }

    /// Whether a database has a log beside it that is not in it: somebody uses it, or it was not closed.
    pub(crate) fn has_log(&self, place: Place) -> Result<bool, StoreError> {
        let log = format!("{}-wal", name_of(place));
        match rustix::fs::statat(self.parent(place), log, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(stat.st_size > 0),
            Err(Errno::NOENT) => Ok(false),
            Err(_) => Err(unreadable()),
        }
    }

    /// Removes what a database that is being made has left.
    pub(crate) fn remove_fresh(&self, place: Place) {
        let _ = remove_leftovers(self.parent(place), &fresh_name(&name_of(place)));
    }

    /// Puts a file in the place of another, whole or not at all.
    pub(crate) fn replace(&self, place: Place, bytes: &[u8]) -> Result<(), StoreError> {
        let (parent, name) = (self.parent(place), name_of(place));
        let fresh = fresh_name(&name);
        let write = || {
            remove_leftovers(parent, &fresh)?;
            let mut file = File::from(create_private(parent, &fresh)?);
            file.write_all(bytes)?;
            file.sync_data()?;
            Ok(rustix::fs::renameat(parent, &fresh, parent, &name)?)
        };
        write().map_err(|error: io::Error| cannot_write(&error))
    }

    /// Removes a file, if it is there.
    pub(crate) fn remove(&self, place: Place) -> Result<(), StoreError> {
        match rustix::fs::unlinkat(self.parent(place), name_of(place), AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(errno) => Err(cannot_write(&errno.into())),
        }
    }

    /// Removes a database with its companions, and what a crash left of an earlier one; for good when
    /// this returns. Nobody may have it open.
    pub(crate) fn remove_database(&self, place: Place) -> Result<(), StoreError> {
        let (parent, name) = (self.parent(place), name_of(place));
        let removed = remove_leftovers(parent, &fresh_name(&name))
            .and_then(|()| remove_leftovers(parent, &name))
            .and_then(|()| rustix::fs::fsync(parent));
        removed.map_err(|errno| cannot_write(&errno.into()))
    }

    /// Reads a whole file that is not a database.
    pub(crate) fn read(&self, place: Place) -> Result<Option<Vec<u8>>, StoreError> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let opened = rustix::fs::openat(self.parent(place), name_of(place), flags, Mode::empty());
        let file = match opened {
            Ok(file) => file,
            Err(Errno::NOENT) => return Ok(None),
            Err(_) => return Err(unreadable()),
        };
        self.check_file(&rustix::fs::fstat(&file).map_err(|_| unreadable())?)?;
        let mut bytes = Vec::new();
        File::from(file)
            .read_to_end(&mut bytes)
            .map_err(|_| unreadable())?;
        Ok(Some(bytes))
    }

    fn parent(&self, place: Place) -> &OwnedFd {
        match place {
            Place::Control => &self.root,
            Place::Workspace(_) | Place::Snapshot(_) => &self.workspaces,
        }
    }

    fn check_file(&self, stat: &Stat) -> Result<(), StoreError> {
        let dir = self.path.display();
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(StoreError::Refused(format!(
                "a file in {dir} is not a regular file: put the file itself there"
            )));
        }
        if stat.st_uid != our_uid() {
            return Err(StoreError::Refused(format!(
                "a file in {dir} belongs to another user: run chown -R {} {dir}",
                our_uid()
            )));
        }
        if Mode::from_raw_mode(stat.st_mode).intersects(Mode::RWXG | Mode::RWXO) {
            return Err(StoreError::Refused(format!(
                "others have access to a file in {dir}: run chmod -R go-rwx {dir}"
            )));
        }
        if stat.st_nlink != 1 {
            return Err(StoreError::Refused(format!(
                "a file in {dir} has another hard link: replace it by a copy of its own"
            )));
        }
        Ok(())
    }
}

fn name_of(place: Place) -> String {
    match place {
        Place::Control => CONTROL.to_owned(),
        Place::Workspace(id) => hex(id) + ".db",
        Place::Snapshot(id) => hex(id) + ".index",
    }
}

fn hex(id: WorkspaceId) -> String {
    let digits = id.to_bytes().map(|byte| [byte >> 4, byte & 15]);
    let digits = digits.as_flattened().iter();
    digits
        .filter_map(|digit| char::from_digit((*digit).into(), 16))
        .collect()
}

/// What a file is called until it is whole.
fn fresh_name(name: &str) -> String {
    format!("{name}.new")
}

/// What a crash may have left of an earlier attempt.
fn remove_leftovers(parent: &OwnedFd, fresh: &str) -> rustix::io::Result<()> {
    for companion in ["", "-wal", "-shm", "-journal"] {
        let name = format!("{fresh}{companion}");
        match rustix::fs::unlinkat(parent, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

/// A new file with 0600, whatever the umask.
fn create_private(parent: &OwnedFd, name: &str) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let owner_only = Mode::RUSR | Mode::WUSR;
    let file = rustix::fs::openat(parent, name, flags, owner_only)?;
    rustix::fs::fchmod(&file, owner_only)?;
    Ok(file)
}

/// Makes a directory with 0700 if there is none.
fn make(path: &Path) -> Result<(), StoreError> {
    if path.symlink_metadata().is_ok() {
        return Ok(());
    }
    let made = DirBuilder::new().mode(0o700).recursive(true).create(path);
    made.and_then(|()| {
        // The umask may have taken bits that we need.
        rustix::fs::chmod(path, Mode::RWXU).map_err(io::Error::from)
    })
    .map_err(|_| unusable(path))
}

fn open_checked(path: &Path) -> Result<OwnedFd, StoreError> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let directory = rustix::fs::open(path, flags, Mode::empty()).map_err(|errno| match errno {
        Errno::LOOP | Errno::NOTDIR => StoreError::Refused(format!(
            "{} is not a directory: choose another place for the data",
            path.display()
        )),
        _ => unusable(path),
    })?;
    let stat = rustix::fs::fstat(&directory).map_err(|_| unusable(path))?;
    if stat.st_uid != our_uid() {
        return Err(StoreError::Refused(format!(
            "{} belongs to another user: choose a directory of your own, or run chown -R {} {}",
            path.display(),
            our_uid(),
            path.display()
        )));
    }
    if Mode::from_raw_mode(stat.st_mode).intersects(Mode::WGRP | Mode::WOTH) {
        return Err(StoreError::Refused(format!(
            "others can write {}: run chmod 700 {}",
            path.display(),
            path.display()
        )));
    }
    Ok(directory)
}

fn unusable(path: &Path) -> StoreError {
    StoreError::Unavailable(format!(
        "the data directory {} cannot be made or entered",
        path.display()
    ))
}

fn unreadable() -> StoreError {
    StoreError::Unavailable("the data directory cannot be read".into())
}

fn cannot_write(error: &io::Error) -> StoreError {
    StoreError::Unavailable(match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "the disk is full".into(),
        _ => "a file in the data directory cannot be written".into(),
    })
}

fn our_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

#[cfg(test)]
mod tests;
