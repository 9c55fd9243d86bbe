//! The root key in a file: 0600, ours, and not reached through anything another user controls.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::{
    CryptoError, Others, PrivateDirectory, PrivateError, Random, RootKey, RootKeyProvider,
};

const PREFIX: &[u8] = b"skep-root-1 ";
const LINE: usize = PREFIX.len() + 43 + 1;

/// One file of ours alone, 0600, in a directory that nobody else writes to.
#[derive(Debug, Clone)]
pub struct PrivateFile {
    path: PathBuf,
}

/// A [`RootKeyProvider`] that keeps the key in one file, as the line
/// `skep-root-1 <32 bytes in base64url>`.
#[derive(Debug, Clone)]
pub struct FileRootKey {
    file: PrivateFile,
}

impl PrivateFile {
    /// The file at `path`. Touches nothing yet.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its content, or `None` if there is none; of one longer than `max`, one byte more than that.
    ///
    /// # Errors
    /// When it is not ours alone, or cannot be read.
    pub fn read(&self, max: usize) -> Result<Option<Zeroizing<Vec<u8>>>, CryptoError> {
        let (directory, name) = self.open_directory()?;
        Ok(directory.read(name, max)?)
    }

    /// Writes it anew; never over another one.
    ///
    /// # Errors
    /// When there is one already, or it cannot be written.
    pub fn create(&self, bytes: &[u8], random: &dyn Random) -> Result<(), CryptoError> {
        let (directory, name) = self.open_directory()?;
        if directory.create(name, bytes, random)? {
            Ok(())
        } else {
            Err(self.refuse("it exists already; nothing was changed"))
        }
    }

    /// Writes it in the place of the one that is there, if one is: whole, or not at all.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn replace(&self, bytes: &[u8], random: &dyn Random) -> Result<(), CryptoError> {
        let (directory, name) = self.open_directory()?;
        Ok(directory.replace(name, bytes, random)?)
    }

    /// Removes it; `false` if there was none.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn remove(&self) -> Result<bool, CryptoError> {
        let (directory, name) = self.open_directory()?;
        Ok(directory.remove(name)?)
    }

    fn refuse(&self, advice: &'static str) -> CryptoError {
        CryptoError::KeyFile {
            path: self.path.clone(),
            advice,
        }
    }

    /// Its directory and its name there.
    fn open_directory(&self) -> Result<(PrivateDirectory, &OsStr), CryptoError> {
        let name = self
            .path
            .file_name()
            .ok_or_else(|| self.refuse("the path names no file"))?;
        let parent = match self.path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        Ok((PrivateDirectory::open(parent, Others::MayLook)?, name))
    }
}

impl FileRootKey {
    /// A provider for the file at `path`. Touches nothing yet.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            file: PrivateFile::new(path),
        }
    }

    /// The file.
    #[must_use]
    pub fn file(&self) -> &PrivateFile {
        &self.file
    }

    /// Keeps this key, in the place of another one if one is there. It is durable when this returns.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn replace(&self, key: &RootKey, random: &dyn Random) -> Result<(), CryptoError> {
        self.file.replace(&line(key), random)
    }
}

impl RootKeyProvider for FileRootKey {
    fn load(&self) -> Result<Option<RootKey>, CryptoError> {
        let damaged = || {
            let advice = "its content is not a root key; restore it from a backup";
            self.file.refuse(advice)
        };
        let Some(line) = self.file.read(LINE)? else {
            return Ok(None);
        };
        // One form, though more are read where other programs keep the key.
        if line.len() != LINE || !line.starts_with(PREFIX) || !line.ends_with(b"\n") {
            return Err(damaged());
        }
        RootKey::parse(&line).map(Some).map_err(|_| damaged())
    }

    fn create(&self, random: &dyn Random) -> Result<RootKey, CryptoError> {
        let key = RootKey::generate(random);
        self.file.create(&line(&key), random)?;
        Ok(key)
    }
}

fn line(key: &RootKey) -> Zeroizing<Vec<u8>> {
    let mut line = Zeroizing::new(Vec::with_capacity(LINE));
    line.extend_from_slice(key.text().expose().as_bytes());
    line.push(b'\n');
    line
}

impl From<PrivateError> for CryptoError {
    fn from(error: PrivateError) -> Self {
        match error {
            PrivateError::Refused { path, advice } => Self::KeyFile { path, advice },
            PrivateError::Io { path, source } => Self::KeyFileIo { path, source },
        }
    }
}

#[cfg(test)]
mod tests;
