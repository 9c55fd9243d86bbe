//! Where the daemon is to be found, and what to show it.

use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, Read};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::OFlags;
use zeroize::Zeroizing;

use crate::Home;
use crate::login::Session;

/// A way to reach a daemon.
#[derive(Clone, Debug)]
pub enum Endpoint {
    /// A Unix socket; the daemon knows us by our user id.
    Unix(PathBuf),
    /// Loopback TCP with the per-install token.
    Tcp {
        /// A loopback address.
        address: SocketAddr,
        /// What the daemon of this install made at its first start.
        token: InstallToken,
    },
    /// Loopback TCP with the login of `skep login`.
    Login {
        /// A loopback address.
        address: SocketAddr,
        /// Its access token and key.
        session: Arc<Session>,
    },
}

impl Endpoint {
    /// The daemon's usual TCP address.
    pub const TCP: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 3850);

    /// The socket of a home.
    #[must_use]
    pub fn socket(home: &Home) -> Self {
        Self::Unix(home.socket())
    }

    /// Loopback TCP, with the token that the home keeps.
    ///
    /// # Errors
    /// [`EndpointError`] when the address is not a loopback one or the token file is not ours alone.
    pub fn tcp(home: &Home, address: SocketAddr) -> Result<Self, EndpointError> {
        if !address.ip().to_canonical().is_loopback() {
            return Err(EndpointError::NotLoopback(address.to_string()));
        }
        let token = InstallToken::read(&home.install_token())?;
        Ok(Self::Tcp { address, token })
    }

    /// Reads `http://127.0.0.1:3850` into an address.
    ///
    /// # Errors
    /// [`EndpointError`] for anything but plain HTTP to a loopback address: the token would travel
    /// in clear.
    pub fn parse_url(url: &str) -> Result<SocketAddr, EndpointError> {
        let malformed = || EndpointError::Url(url.to_owned());
        let authority = url
            .strip_prefix("http://")
            .ok_or_else(malformed)?
            .trim_end_matches('/');
        let authority = authority
            .strip_prefix("localhost:")
            .map_or_else(|| authority.to_owned(), |port| format!("127.0.0.1:{port}"));
        let address: SocketAddr = authority.parse().map_err(|_| malformed())?;
        if address.ip().to_canonical().is_loopback() {
            Ok(address)
        } else {
            Err(EndpointError::NotLoopback(authority))
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "{}", path.display()),
            Self::Tcp { address, .. } | Self::Login { address, .. } => {
                write!(f, "http://{address}")
            }
        }
    }
}

/// The install token: wiped from memory when dropped, and never shown.
#[derive(Clone)]
pub struct InstallToken(Zeroizing<String>);

impl InstallToken {
    /// Longer credentials are refused by the daemon unread, so no longer ones are read here.
    const MAX: u64 = 160;

    /// Reads a token file that belongs to us and that nobody else can read.
    ///
    /// # Errors
    /// [`EndpointError::Token`] names the path and what to do; never the content.
    pub fn read(path: &Path) -> Result<Self, EndpointError> {
        let problem = |problem: String| EndpointError::Token {
            path: path.to_owned(),
            problem,
        };
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(
                (OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC)
                    .bits()
                    .cast_signed(),
            )
            .open(path)
            .map_err(|error| problem(error.to_string()))?;
        let facts = file
            .metadata()
            .map_err(|error| problem(error.to_string()))?;
        if !facts.is_file() {
            return Err(problem("it is not a regular file".into()));
        }
        if facts.uid() != rustix::process::geteuid().as_raw() {
            return Err(problem("it belongs to another user".into()));
        }
        if facts.mode() & 0o077 != 0 {
            return Err(problem(
                "others can read it: chmod 600, restart the daemon".into(),
            ));
        }
        let mut text = Zeroizing::new(String::new());
        file.take(Self::MAX + 1)
            .read_to_string(&mut text)
            .map_err(|error| problem(error.to_string()))?;
        let trimmed = text.trim();
        let fits = trimmed.len() as u64 <= Self::MAX
            && trimmed.starts_with("skep_it_")
            && trimmed.bytes().all(|byte| byte.is_ascii_graphic());
        if fits {
            Ok(Self(Zeroizing::new(trimmed.to_owned())))
        } else {
            Err(problem("it holds no install token".into()))
        }
    }

    /// The value of the `Authorization` header.
    pub(crate) fn header(&self) -> Zeroizing<String> {
        Zeroizing::new(format!("Bearer {}", self.0.as_str()))
    }
}

impl fmt::Debug for InstallToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InstallToken(…)")
    }
}

/// Why there is no way to the daemon.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// Not a URL we take.
    #[error("{0:?} is not a daemon's URL: expected something like http://127.0.0.1:3850")]
    Url(String),
    /// Not on this machine.
    #[error(
        "{0} is not a loopback address: the install token is only ever sent within this machine"
    )]
    NotLoopback(String),
    /// The token cannot be used.
    #[error("cannot use the install token {}: {problem}", path.display())]
    Token {
        /// Its file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
}

impl From<EndpointError> for io::Error {
    fn from(error: EndpointError) -> Self {
        Self::other(error)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::{Endpoint, InstallToken};

    #[test]
    fn only_loopback_urls_are_taken() {
        for (url, taken) in [
            ("http://127.0.0.1:3850", true),
            ("http://127.0.0.1:3850/", true),
            ("http://localhost:4000", true),
            ("http://[::1]:3850", true),
            ("http://[::ffff:127.0.0.1]:3850", true),
            ("https://127.0.0.1:3850", false),
            ("http://10.0.0.1:3850", false),
            ("http://0.0.0.0:3850", false),
            ("http://127.0.0.1", false),
            ("http://user@127.0.0.1:3850", false),
            ("http://localhost.example.com:3850", false),
            ("unix:/x", false),
        ] {
            assert_eq!(Endpoint::parse_url(url).is_ok(), taken, "{url}");
        }
    }

    #[test]
    fn x05_a_token_that_others_could_have_read_or_planted_is_not_used() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("install-token");
        let write = |text: &str, mode: u32| {
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            InstallToken::read(&path)
        };
        let token = format!("skep_it_{}", "A".repeat(43));
        assert_eq!(
            write(&format!("{token}\n"), 0o600)
                .unwrap()
                .header()
                .as_str(),
            format!("Bearer {token}")
        );
        assert!(write(&token, 0o640).is_err());
        assert!(write("skep_it_x\r\nX-Evil: 1", 0o600).is_err());
        assert!(write(&"A".repeat(400), 0o600).is_err());
        write(&token, 0o600).unwrap();
        let link = home.path().join("link");
        symlink(&path, &link).unwrap();
        assert!(InstallToken::read(&link).is_err());
    }

    #[test]
    fn a12_neither_the_token_nor_its_file_is_ever_shown() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("install-token");
        let token = format!("skep_it_{}", "Q".repeat(43));
        fs::write(&path, &token).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let endpoint = Endpoint::Tcp {
            address: Endpoint::TCP,
            token: InstallToken::read(&path).unwrap(),
        };
        assert!(!format!("{endpoint:?} {endpoint}").contains("QQQ"));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let error = InstallToken::read(&path).unwrap_err();
        assert!(!format!("{error:?} {error}").contains("QQQ"));
    }
}
