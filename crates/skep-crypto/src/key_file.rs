//! The root key in a file: 0600, ours, and not reached through anything another user controls.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use base64ct::{Base64UrlUnpadded, Encoding};
use zeroize::Zeroizing;

use crate::{
    CryptoError, Others, PrivateDirectory, PrivateError, Random, RootKey, RootKeyProvider,
};

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
        let (directory, name) = self.open_directory()?;
        let line = directory.read(name, LINE)?;
        line.map(|line| self.parse(&line)).transpose()
    }

    fn create(&self, random: &dyn Random) -> Result<RootKey, CryptoError> {
        let (directory, name) = self.open_directory()?;
        let key = RootKey::generate(random);
        let mut line = Zeroizing::new(Vec::with_capacity(LINE));
        line.extend_from_slice(PREFIX);
        line.extend_from_slice(
            Zeroizing::new(Base64UrlUnpadded::encode_string(key.bytes())).as_bytes(),
        );
        line.push(b'\n');
        if directory.create(name, &line, random)? {
            Ok(key)
        } else {
            Err(self.refuse("it exists already; nothing was changed"))
        }
    }
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
