//! Tokens that lie in a file: the install token, and keys that were made with `skep key` or
//! `skep token`.

use std::fmt;
use std::fs::OpenOptions;
use std::io::Read;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;
use zeroize::Zeroizing;

use crate::EndpointError;
use crate::proof::digest;

/// A token: wiped from memory when dropped, and never shown.
#[derive(Clone)]
pub struct Token(Zeroizing<String>);

impl Token {
    /// Longer credentials are refused by the daemon unread, so no longer ones are read here.
    const MAX: u64 = 160;

    /// Reads an install token from a file that belongs to us and that nobody else can read.
    ///
    /// # Errors
    /// [`EndpointError::Token`] names the path and what to do; never the content.
    pub fn read_install(path: &Path) -> Result<Self, EndpointError> {
        Self::read(path, &["skep_it_"], "it holds no install token")
    }

    /// Reads a key or a personal access token from a file that belongs to us and that nobody else
    /// can read.
    ///
    /// # Errors
    /// [`EndpointError::Token`] names the path and what to do; never the content.
    pub fn read_key(path: &Path) -> Result<Self, EndpointError> {
        let kinds = ["skep_sk_", "skep_pat_", "skep_rk_"];
        Self::read(
            path,
            &kinds,
            "it holds no key of `skep key` or `skep token`",
        )
    }

    fn read(path: &Path, kinds: &[&str], otherwise: &str) -> Result<Self, EndpointError> {
        let problem = |problem: String| EndpointError::Token {
            path: path.to_owned(),
            problem,
        };
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let opened = OpenOptions::new()
            .read(true)
            .custom_flags(flags.bits().cast_signed())
            .open(path);
        let file = opened.map_err(|error| problem(error.to_string()))?;
        let facts = file.metadata();
        let facts = facts.map_err(|error| problem(error.to_string()))?;
        if !facts.is_file() {
            return Err(problem("it is not a regular file".into()));
        }
        if facts.uid() != rustix::process::geteuid().as_raw() {
            return Err(problem("it belongs to another user".into()));
        }
        if facts.mode() & 0o077 != 0 {
            return Err(problem(
                "others can read it: make a new one, and chmod 600 its file".into(),
            ));
        }
        let mut text = Zeroizing::new(String::new());
        file.take(Self::MAX + 1)
            .read_to_string(&mut text)
            .map_err(|error| problem(error.to_string()))?;
        let trimmed = text.trim();
        let fits = trimmed.len() as u64 <= Self::MAX
            && kinds.iter().any(|kind| trimmed.starts_with(kind))
            && trimmed.bytes().all(|byte| byte.is_ascii_graphic());
        if fits {
            Ok(Self(Zeroizing::new(trimmed.to_owned())))
        } else {
            Err(problem(otherwise.into()))
        }
    }

    /// What tells it from others without telling what it is.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        digest(&self.0)
    }

    /// The value of the `Authorization` header.
    pub(crate) fn header(&self) -> Zeroizing<String> {
        Zeroizing::new(format!("Bearer {}", self.0.as_str()))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::Token;

    #[test]
    fn x05_a_token_that_others_could_have_read_or_planted_is_not_used() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("token");
        let write = |text: &str, mode: u32| {
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            [Token::read_install(&path), Token::read_key(&path)]
                .map(|read| read.ok().map(|token| token.header().to_string()))
        };
        let install = format!("skep_it_{}", "A".repeat(43));
        let key = format!("skep_sk_{}", "A".repeat(80));
        let bearer = |token: &str| Some(format!("Bearer {token}"));
        assert_eq!(
            write(&format!("{install}\n"), 0o600),
            [bearer(&install), None]
        );
        assert_eq!(write(&key, 0o600), [None, bearer(&key)]);
        for (text, mode) in [
            (install.as_str(), 0o640),
            (&key, 0o604),
            ("skep_it_x\r\nX-Evil: 1", 0o600),
            ("skep_rt_x", 0o600),
            ("", 0o600),
            (&"skep_sk_".repeat(50), 0o600),
        ] {
            assert_eq!(write(text, mode), [None, None], "{text} {mode:o}");
        }
        write(&install, 0o600);
        let link = home.path().join("link");
        symlink(&path, &link).unwrap();
        assert!(Token::read_install(&link).is_err());
    }
}
