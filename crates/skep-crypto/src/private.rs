//! Directories and files that are ours alone, against everything another user may put in their place.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, RenameFlags, Stat};
use rustix::io::Errno;
use zeroize::Zeroizing;

use crate::Random;

/// What a file that is being written is called until it is whole.
const FRESH: &str = ".new";

/// How often a file that somebody is at is looked at again: they may have lost the processor in the
/// middle of it.
const TRIES: u32 = 4096;

/// Why a file or a directory is not used. It names the path, never what is in it.
#[derive(Debug, thiserror::Error)]
pub enum PrivateError {
    /// It is unsafe as it stands.
    #[error("{path:?}: {advice}")]
    Refused {
        /// The file or directory.
        path: PathBuf,
        /// What is wrong and what to do.
        advice: &'static str,
    },
    /// The operating system refused.
    #[error("{path:?}: {source}")]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

/// What others may do with a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Others {
    /// See what is in it.
    MayLook,
    /// Nothing: 0700.
    MayNothing,
}

/// A directory that nobody else may write, held open: whatever is swapped into its path afterwards is
/// never looked at. Its files are read and written whole, with mode 0600, through this handle alone.
#[derive(Debug)]
pub struct PrivateDirectory {
    handle: OwnedFd,
    path: PathBuf,
}

/// What a look at a file found.
enum Looked {
    Gone,
    Whole(Zeroizing<Vec<u8>>),
    /// Somebody is at it: what is wrong if that goes on.
    Unsettled(&'static str),
}

impl PrivateDirectory {
    /// The directory at `path`.
    ///
    /// # Errors
    /// When there is none, or others may do more with it than `others` says.
    pub fn open(path: &Path, others: Others) -> Result<Self, PrivateError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let handle = rustix::fs::open(path, flags, Mode::empty());
        Self::checked(handle.map_err(|errno| failed(path, errno))?, path, others)
    }

    /// The directory `name` in this one, if there is one; never through a link.
    ///
    /// # Errors
    /// When something else is in its place, or others may do anything with it.
    pub fn inside(&self, name: &str) -> Result<Option<Self>, PrivateError> {
        let path = self.path.join(name);
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match rustix::fs::openat(&self.handle, name, flags, Mode::empty()) {
            Ok(handle) => Self::checked(handle, &path, Others::MayNothing).map(Some),
            Err(Errno::NOENT) => Ok(None),
            Err(Errno::NOTDIR | Errno::LOOP) => Err(refused(
                &path,
                "it is no directory, and one belongs there; move it away",
            )),
            Err(errno) => Err(failed(&path, errno)),
        }
    }

    /// The directory `name` in this one, made (0700) if there is none.
    ///
    /// # Errors
    /// As [`PrivateDirectory::inside`], and when it cannot be made.
    pub fn make_inside(&self, name: &str) -> Result<Self, PrivateError> {
        let path = self.path.join(name);
        match rustix::fs::mkdirat(&self.handle, name, Mode::RWXU) {
            Ok(()) => rustix::fs::fsync(&self.handle).map_err(|errno| failed(&path, errno))?,
            Err(Errno::EXIST) => {}
            Err(errno) => return Err(failed(&path, errno)),
        }
        let made = self.inside(name)?;
        made.ok_or_else(|| refused(&path, "somebody removed it at once; try again"))
    }

    fn checked(handle: OwnedFd, path: &Path, others: Others) -> Result<Self, PrivateError> {
        let stat = rustix::fs::fstat(&handle).map_err(|errno| failed(path, errno))?;
        let owner = stat.st_uid;
        if owner != our_uid() && (owner != 0 || others == Others::MayNothing) {
            return Err(refused(
                path,
                "the directory belongs to another user; use one of your own",
            ));
        }
        let (forbidden, advice) = match others {
            Others::MayLook => (
                Mode::WGRP | Mode::WOTH,
                "others can write the directory; run chmod 700 on it",
            ),
            Others::MayNothing => (
                Mode::RWXG | Mode::RWXO,
                "others have access to the directory; run chmod 700 on it",
            ),
        };
        if permissions(&stat).intersects(forbidden) {
            return Err(refused(path, advice));
        }
        let path = path.to_owned();
        Ok(Self { handle, path })
    }

    /// Where it was when it was opened.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file `name`, whole, or `None` if there is none. One longer than `max` comes with one byte
    /// more than that.
    ///
    /// # Errors
    /// When something else is in its place, or it is not ours alone.
    pub fn read(
        &self,
        name: &OsStr,
        max: usize,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, PrivateError> {
        let mut advice = "";
        for _ in 0..TRIES {
            match self.try_read(name, max)? {
                Looked::Gone => return Ok(None),
                Looked::Whole(bytes) => return Ok(Some(bytes)),
                Looked::Unsettled(why) => advice = why,
            }
            std::thread::yield_now();
        }
        Err(refused(&self.path.join(name), advice))
    }

    fn try_read(&self, name: &OsStr, max: usize) -> Result<Looked, PrivateError> {
        let path = self.path.join(name);
        // NONBLOCK: a FIFO left in the file's place must not hang us.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let file = match rustix::fs::openat(&self.handle, name, flags, Mode::empty()) {
            Ok(file) => file,
            Err(Errno::NOENT) => return Ok(Looked::Gone),
            Err(Errno::LOOP) => return Err(refused(&path, LINK)),
            // A socket cannot be opened at all.
            Err(Errno::NXIO) => return Err(refused(&path, IRREGULAR)),
            Err(errno) => return Err(failed(&path, errno)),
        };
        let stat = || rustix::fs::fstat(&file).map_err(|errno| failed(&path, errno));
        let before = stat()?;
        check_owned(&path, &before)?;
        // A hard link that was taken away after it was opened looks like a file of its own; one that
        // is being renamed has two names for a moment, and one that was replaced has none.
        match rustix::fs::statat(&self.handle, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(now) if (now.st_dev, now.st_ino) != (before.st_dev, before.st_ino) => {
                return Ok(Looked::Unsettled(REPLACED));
            }
            Ok(_) if before.st_nlink != 1 || changed(&before) != changed(&stat()?) => {
                return Ok(Looked::Unsettled(LINKED));
            }
            Ok(_) => {}
            Err(Errno::NOENT) => return Ok(Looked::Unsettled(REPLACED)),
            Err(errno) => return Err(failed(&path, errno)),
        }
        let length = usize::try_from(before.st_size).unwrap_or(max).min(max);
        let mut bytes = Zeroizing::new(Vec::with_capacity(length + 1));
        File::from(file)
            .take(max as u64 + 1)
            .read_to_end(&mut bytes)
            .map_err(|source| io_error(&path, source))?;
        Ok(Looked::Whole(bytes))
    }

    /// Writes a new file, and replaces none: `false` if there is one. A crash at any instant leaves
    /// either none or the whole one.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn create(
        &self,
        name: &OsStr,
        bytes: &[u8],
        random: &dyn Random,
    ) -> Result<bool, PrivateError> {
        self.put(name, bytes, random, publish)
    }

    /// Writes a file in the place of the one that is there, if one is. A crash at any instant leaves
    /// the old one whole or the new one.
    ///
    /// # Errors
    /// When something is there that is no file of ours alone, or it cannot be written.
    pub fn replace(
        &self,
        name: &OsStr,
        bytes: &[u8],
        random: &dyn Random,
    ) -> Result<(), PrivateError> {
        let path = self.path.join(name);
        match rustix::fs::statat(&self.handle, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => check_file(&path, &stat)?,
            Err(Errno::NOENT) => {}
            Err(errno) => return Err(failed(&path, errno)),
        }
        let over = |dir: &OwnedFd, fresh: &OsStr, name: &OsStr| {
            rustix::fs::renameat(dir, fresh, dir, name)?;
            Ok(rustix::fs::fsync(dir)?)
        };
        self.put(name, bytes, random, over).map(|_| ())
    }

    fn put(
        &self,
        name: &OsStr,
        bytes: &[u8],
        random: &dyn Random,
        place: fn(&OwnedFd, &OsStr, &OsStr) -> io::Result<()>,
    ) -> Result<bool, PrivateError> {
        let suffix: [u8; 8] = random.array();
        let mut fresh = name.to_owned();
        fresh.push(format!(".{:016x}{FRESH}", u64::from_le_bytes(suffix)));
        let written =
            write_new(&self.handle, &fresh, bytes).and_then(|()| place(&self.handle, &fresh, name));
        let Err(error) = written else {
            return Ok(true);
        };
        // The error already says what matters; what is left over is swept later.
        let _ = rustix::fs::unlinkat(&self.handle, &fresh, AtFlags::empty());
        match error.kind() {
            io::ErrorKind::AlreadyExists => Ok(false),
            _ => Err(io_error(&self.path.join(name), error)),
        }
    }

    /// Removes the file `name`; `false` if there was none.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn remove(&self, name: &OsStr) -> Result<bool, PrivateError> {
        let removed = rustix::fs::unlinkat(&self.handle, name, AtFlags::empty())
            .and_then(|()| rustix::fs::fsync(&self.handle));
        match removed {
            Ok(()) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(errno) => Err(failed(&self.path.join(name), errno)),
        }
    }

    /// What lies in it, sorted, `limit` names at most; what was being written when a process ended is
    /// not told.
    ///
    /// # Errors
    /// When it cannot be read, or holds more.
    pub fn names(&self, limit: usize) -> Result<Vec<String>, PrivateError> {
        let mut names = Vec::new();
        for name in self.entries()? {
            if name.ends_with(FRESH) {
                continue;
            }
            if names.len() == limit {
                return Err(refused(&self.path, "there are too many files in it"));
            }
            names.push(name);
        }
        names.sort_unstable();
        Ok(names)
    }

    /// Removes what was being written when a process ended. For whoever alone writes here.
    ///
    /// # Errors
    /// When it cannot be read or removed.
    pub fn sweep(&self) -> Result<(), PrivateError> {
        for name in self.entries()? {
            if name.ends_with(FRESH) {
                self.remove(OsStr::new(&name))?;
            }
        }
        Ok(())
    }

    fn entries(&self) -> Result<Vec<String>, PrivateError> {
        let mut found = Vec::new();
        let entries = Dir::read_from(&self.handle).map_err(|errno| failed(&self.path, errno))?;
        for entry in entries {
            let entry = entry.map_err(|errno| failed(&self.path, errno))?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            // What has no name of ours is nothing of ours.
            if let Some(name) = name.to_str().filter(|name| !matches!(*name, "." | "..")) {
                found.push(name.to_owned());
            }
        }
        Ok(found)
    }
}

const LINKED: &str = "it has another hard link; replace it by a copy of its own";
const REPLACED: &str = "somebody replaces it all the time; stop that";
const LINK: &str = "it is a symbolic link; put the file itself there";
const IRREGULAR: &str = "it is not a regular file; move it away";

fn check_file(path: &Path, stat: &Stat) -> Result<(), PrivateError> {
    check_owned(path, stat)?;
    if stat.st_nlink != 1 {
        return Err(refused(path, LINKED));
    }
    Ok(())
}

/// What a link that comes or goes changes. The types of the fields differ between systems.
fn changed(stat: &Stat) -> [i128; 3] {
    [
        i128::from(stat.st_ctime),
        i128::from(stat.st_ctime_nsec),
        i128::from(stat.st_nlink),
    ]
}

fn check_owned(path: &Path, stat: &Stat) -> Result<(), PrivateError> {
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(refused(path, IRREGULAR));
    }
    if stat.st_uid != our_uid() {
        return Err(refused(
            path,
            "it belongs to another user; chown it to the daemon's user",
        ));
    }
    if permissions(stat).intersects(Mode::RWXG | Mode::RWXO) {
        return Err(refused(
            path,
            "others have access to it; run chmod 600 on it",
        ));
    }
    Ok(())
}

fn write_new(dir: &OwnedFd, name: &OsStr, bytes: &[u8]) -> io::Result<()> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let owner_only = Mode::RUSR | Mode::WUSR;
    let file = rustix::fs::openat(dir, name, flags, owner_only)?;
    let mut file = File::from(file);
    file.write_all(bytes)?;
    file.sync_all()
}

fn publish(dir: &OwnedFd, fresh: &OsStr, name: &OsStr) -> io::Result<()> {
    match rustix::fs::renameat_with(dir, fresh, dir, name, RenameFlags::NOREPLACE) {
        // Some network filesystems cannot rename without replacing; a link never replaces.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => link_over(dir, fresh, name)?,
        outcome => outcome?,
    }
    Ok(rustix::fs::fsync(dir)?)
}

fn link_over(dir: &OwnedFd, fresh: &OsStr, name: &OsStr) -> io::Result<()> {
    rustix::fs::linkat(dir, fresh, dir, name, AtFlags::empty())?;
    Ok(rustix::fs::unlinkat(dir, fresh, AtFlags::empty())?)
}

fn our_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

fn permissions(stat: &Stat) -> Mode {
    Mode::from_raw_mode(stat.st_mode)
}

fn refused(path: &Path, advice: &'static str) -> PrivateError {
    let path = path.to_owned();
    PrivateError::Refused { path, advice }
}

fn failed(path: &Path, errno: Errno) -> PrivateError {
    io_error(path, errno.into())
}

fn io_error(path: &Path, source: io::Error) -> PrivateError {
    let path = path.to_owned();
    PrivateError::Io { path, source }
}

#[cfg(test)]
mod tests;
