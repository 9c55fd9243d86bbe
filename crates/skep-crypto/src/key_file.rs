//! The root key in a file: 0600, ours, and not reached through anything another user controls.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use base64ct::{Base64UrlUnpadded, Encoding};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, RenameFlags, Stat};
use rustix::io::Errno;
use zeroize::Zeroizing;

use crate::{CryptoError, Random, RootKey, RootKeyProvider};

const PREFIX: &[u8] = b"skep-root-1 ";
const KEY_CHARS: usize = 43;
const LINE: usize = PREFIX.len() + KEY_CHARS + 1;

/// A [`RootKeyProvider`] that keeps the key in one file, as the line
/// `skep-root-1 <32 bytes in base64url>`.
#[derive(Debug, Clone)]
pub struct FileRootKey {
    path: PathBuf,
}

impl FileRootKey {
    /// A provider for the file at `path`. Touches nothing yet.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    fn refuse(&self, advice: &'static str) -> CryptoError {
        CryptoError::KeyFile {
            path: self.path.clone(),
            advice,
        }
    }

    fn failed(&self, errno: impl Into<io::Error>) -> CryptoError {
        CryptoError::KeyFileIo {
            path: self.path.clone(),
            source: errno.into(),
        }
    }

    /// The directory of the file, opened and checked. Everything after goes through this handle,
    /// so a directory swapped in later is never looked at.
    fn open_directory(&self) -> Result<(OwnedFd, &OsStr), CryptoError> {
        let name = self
            .path
            .file_name()
            .ok_or_else(|| self.refuse("the path names no file"))?;
        let parent = match self.path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let dir = rustix::fs::open(parent, flags, Mode::empty()).map_err(|e| self.failed(e))?;
        self.check_directory(&rustix::fs::fstat(&dir).map_err(|e| self.failed(e))?)?;
        Ok((dir, name))
    }

    fn check_directory(&self, stat: &Stat) -> Result<(), CryptoError> {
        if stat.st_uid != our_uid() && stat.st_uid != 0 {
            return Err(self.refuse("its directory belongs to another user; use one of your own"));
        }
        if permissions(stat).intersects(Mode::WGRP | Mode::WOTH) {
            return Err(self.refuse("others can write its directory; run chmod 700 on it"));
        }
        Ok(())
    }

    fn check_file(&self, stat: &Stat) -> Result<(), CryptoError> {
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(self.refuse("it is not a regular file; move it away"));
        }
        if stat.st_uid != our_uid() {
            return Err(self.refuse("it belongs to another user; chown it to the daemon's user"));
        }
        if permissions(stat).intersects(Mode::RWXG | Mode::RWXO) {
            return Err(self.refuse("others have access to it; run chmod 600 on it"));
        }
        if stat.st_nlink != 1 {
            return Err(self.refuse("it has another hard link; replace it by a copy of its own"));
        }
        Ok(())
    }

    fn parse(&self, line: &[u8]) -> Result<RootKey, CryptoError> {
        let damaged = || self.refuse("its content is not a root key; restore it from a backup");
        let text = line
            .strip_prefix(PREFIX)
            .and_then(|rest| rest.strip_suffix(b"\n"));
        let text = text.ok_or_else(damaged)?;
        let mut key = Zeroizing::new([0; 32]);
        match Base64UrlUnpadded::decode(text, key.as_mut_slice()) {
            Ok(bytes) if bytes.len() == 32 => Ok(RootKey::from_bytes(key)),
            _ => Err(damaged()),
        }
    }
}

impl RootKeyProvider for FileRootKey {
    fn load(&self) -> Result<Option<RootKey>, CryptoError> {
        let (dir, name) = self.open_directory()?;
        // NONBLOCK: a FIFO left in the file's place must not hang the start.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let file = match rustix::fs::openat(&dir, name, flags, Mode::empty()) {
            Ok(file) => file,
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::LOOP) => {
                return Err(self.refuse("it is a symbolic link; put the file itself there"));
            }
            Err(errno) => return Err(self.failed(errno)),
        };
        self.check_file(&rustix::fs::fstat(&file).map_err(|e| self.failed(e))?)?;
        let mut line = Zeroizing::new(Vec::with_capacity(LINE + 1));
        File::from(file)
            .take(LINE as u64 + 1)
            .read_to_end(&mut line)
            .map_err(|e| self.failed(e))?;
        self.parse(&line).map(Some)
    }

    /// Writes a new file beside the final name and moves it there without replacing anything, so
    /// a crash at any instant leaves either no key or the whole key.
    fn create(&self, random: &dyn Random) -> Result<RootKey, CryptoError> {
        let (dir, name) = self.open_directory()?;
        let key = RootKey::generate(random);
        let suffix: [u8; 8] = random.array();
        let mut fresh = name.to_owned();
        fresh.push(format!(".{:016x}.new", u64::from_le_bytes(suffix)));
        let kept = write_new(&dir, &fresh, &key).and_then(|()| publish(&dir, &fresh, name));
        match kept {
            Ok(()) => Ok(key),
            Err(error) => {
                // The error already says what matters; a leftover holds a key that seals nothing.
                let _ = rustix::fs::unlinkat(&dir, &fresh, AtFlags::empty());
                Err(match error.kind() {
                    io::ErrorKind::AlreadyExists => {
                        self.refuse("it exists already; nothing was changed")
                    }
                    _ => self.failed(error),
                })
            }
        }
    }
}

fn write_new(dir: &OwnedFd, name: &OsStr, key: &RootKey) -> io::Result<()> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let owner_only = Mode::RUSR | Mode::WUSR;
    let file = rustix::fs::openat(dir, name, flags, owner_only)?;
    let mut line = Zeroizing::new(Vec::with_capacity(LINE));
    line.extend_from_slice(PREFIX);
    line.extend_from_slice(
        Zeroizing::new(Base64UrlUnpadded::encode_string(key.bytes())).as_bytes(),
    );
    line.push(b'\n');
    let mut file = File::from(file);
    file.write_all(&line)?;
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

#[cfg(test)]
mod tests;
