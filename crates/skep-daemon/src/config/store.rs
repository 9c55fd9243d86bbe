//! The section `[store]`: files of our own, or a database that nodes share, and how that is reached.

use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::bail;
use serde::Deserialize;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Section {
    /// `sqlite`: files in the data directory. `postgres`: a database that nodes share.
    backend: Option<String>,
    /// Workspaces whose files are open at a time.
    open_workspaces: Option<usize>,
    /// A name, an address, or the folder of a Unix socket.
    host: Option<String>,
    port: Option<u16>,
    database: Option<String>,
    /// The role that this node logs in as.
    user: Option<String>,
    /// Where its password is, if the database wants one.
    password_file: Option<PathBuf>,
    /// `verify-full`, or `off` where the link does not leave this machine.
    tls: Option<String>,
    /// Whose certificates count, in PEM; the system's authorities if absent.
    ca_file: Option<PathBuf>,
    /// Says that a link over a network may go without TLS.
    allow_unverified: bool,
    /// Connections at the most.
    connections: Option<usize>,
    /// Milliseconds that one call waits for a connection, or for another one that writes.
    patience_ms: Option<u64>,
}

/// What the section comes to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Backend {
    Sqlite { open_workspaces: usize },
    Postgres(Postgres),
}

/// A database, and how it is reached.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Postgres {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) database: String,
    pub(crate) user: String,
    pub(crate) password_file: Option<PathBuf>,
    pub(crate) link: Link,
    pub(crate) connections: usize,
    pub(crate) patience: Duration,
}

/// How the link to a database is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Link {
    /// It does not leave this machine.
    Own,
    /// It goes over a network in the clear, which somebody has allowed.
    Unverified,
    /// TLS to whom the certificate names, signed by these or by those whom the system trusts.
    Verified { ca_file: Option<PathBuf> },
}

const PORT: u16 = 5_432;
const ROLE: &str = "skep_app";

impl Section {
    /// The files in which it has keys.
    pub(crate) fn key_files(&self) -> impl Iterator<Item = &Path> {
        self.password_file.iter().map(PathBuf::as_path)
    }

    /// What is in force.
    pub(crate) fn backend(&self) -> anyhow::Result<Backend> {
        match self.backend.as_deref() {
            None | Some("sqlite") => self.sqlite(),
            Some("postgres") => self.postgres().map(Backend::Postgres),
            Some(other) => bail!("store.backend is {other:?}: it must be sqlite or postgres"),
        }
    }

    /// Whether other nodes may use the same store.
    pub(crate) fn is_shared(&self) -> bool {
        self.backend.as_deref() == Some("postgres")
    }

    /// Whether what goes to the store can be read and changed on the way.
    pub(crate) fn is_unverified(&self) -> bool {
        self.is_shared() && self.allow_unverified
    }

    fn sqlite(&self) -> anyhow::Result<Backend> {
        let others = [
            ("host", self.host.is_some()),
            ("port", self.port.is_some()),
            ("database", self.database.is_some()),
            ("user", self.user.is_some()),
            ("password_file", self.password_file.is_some()),
            ("tls", self.tls.is_some()),
            ("ca_file", self.ca_file.is_some()),
            ("allow_unverified", self.allow_unverified),
            ("connections", self.connections.is_some()),
            ("patience_ms", self.patience_ms.is_some()),
        ];
        if let Some((name, _)) = others.into_iter().find(|(_, is_set)| *is_set) {
            bail!("store.{name} is for a database: set store.backend = \"postgres\" as well");
        }
        let open_workspaces = self.open_workspaces.unwrap_or(64);
        if !(1..=4_096).contains(&open_workspaces) {
            bail!("store.open_workspaces must be 1 to 4096");
        }
        Ok(Backend::Sqlite { open_workspaces })
    }

    fn postgres(&self) -> anyhow::Result<Postgres> {
        if self.open_workspaces.is_some() {
            bail!("store.open_workspaces is for files: take it out, or set store.connections");
        }
        let (Some(host), Some(database)) = (&self.host, &self.database) else {
            let missing = if self.host.is_none() {
                "host"
            } else {
                "database"
            };
            bail!("store.{missing} is missing: a database has a host and a name");
        };
        let host = host_of("store.host", host)?;
        let link = link(
            &host,
            self.tls.as_deref(),
            self.ca_file.as_deref(),
            self.allow_unverified,
        )?;
        if matches!(link, Link::Verified { .. }) && self.password_file.is_none() {
            bail!(
                "store.password_file is missing: over TLS the login is bound to the server's certificate, \
                 which takes a password"
            );
        }
        let (connections, patience) = (
            self.connections.unwrap_or(16),
            self.patience_ms.unwrap_or(10_000),
        );
        if !(2..=1_000).contains(&connections) {
            bail!("store.connections must be 2 to 1000");
        }
        if !(100..=60_000).contains(&patience) {
            bail!("store.patience_ms must be 100 to 60000");
        }
        Ok(Postgres {
            host,
            port: self.port.unwrap_or(PORT),
            database: database.clone(),
            user: self.user.clone().unwrap_or_else(|| ROLE.into()),
            password_file: self.password_file.clone(),
            link,
            connections,
            patience: Duration::from_millis(patience),
        })
    }
}

impl Link {
    /// How this link is kept, for whoever asks how a node stands.
    pub(crate) fn shown(&self, host: &str) -> &'static str {
        match self {
            Self::Own if host.starts_with('/') => "Unix socket",
            Self::Own => "no TLS, on this machine",
            Self::Unverified => "neither encrypted nor verified",
            Self::Verified { .. } => "TLS verify-full, login bound to the certificate",
        }
    }
}

/// A name, an address or a folder. What is refused is not repeated: it may hold a password.
pub(crate) fn host_of(setting: &str, text: &str) -> anyhow::Result<String> {
    if text.starts_with('/') {
        return Ok(text.to_owned());
    }
    let host = text.trim_start_matches('[').trim_end_matches(']');
    let named = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    if host.is_empty() || !(host.bytes().all(named) || host.parse::<IpAddr>().is_ok()) {
        bail!(
            "{setting} is no host: expected a name, an address, or the folder of a Unix socket such as \
             /run/postgresql; no URL and no password"
        );
    }
    Ok(host.to_owned())
}

/// How the link is kept: TLS with a checked name unless it stays on this machine or somebody says more.
fn link(
    host: &str,
    tls: Option<&str>,
    ca_file: Option<&Path>,
    allow_unverified: bool,
) -> anyhow::Result<Link> {
    let is_socket = host.starts_with('/');
    let address = host.parse::<IpAddr>();
    let is_own = is_socket || address.is_ok_and(|address| address.to_canonical().is_loopback());
    let link = match tls {
        None if is_socket => Link::Own,
        Some("verify-full") if is_socket => {
            bail!(
                "store.tls is verify-full and store.host a Unix socket, which has no TLS: take it out"
            )
        }
        None | Some("verify-full") => Link::Verified {
            ca_file: ca_file.map(Path::to_path_buf),
        },
        Some("off") if is_own => Link::Own,
        Some("off") if allow_unverified => Link::Unverified,
        Some("off") => bail!(
            "store.tls is off and {host} is no address of this machine: set store.tls = \"verify-full\" \
             (with store.ca_file if the authority is your own), or say store.allow_unverified = true"
        ),
        Some(other) => bail!("store.tls is {other:?}: it must be verify-full or off"),
    };
    if allow_unverified && link != Link::Unverified {
        bail!("store.allow_unverified is set and nothing is unverified: take it out");
    }
    if ca_file.is_some() && !matches!(link, Link::Verified { .. }) {
        bail!("store.ca_file is set and there is no TLS: take it out");
    }
    Ok(link)
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let postgres = match self.backend().map_err(|_| fmt::Error)? {
            Backend::Sqlite { open_workspaces } => {
                writeln!(f, "store.backend = \"sqlite\"")?;
                return write!(f, "store.open_workspaces = {open_workspaces}");
            }
            Backend::Postgres(postgres) => postgres,
        };
        writeln!(f, "store.backend = \"postgres\"")?;
        writeln!(f, "store.host = {:?}", postgres.host)?;
        writeln!(f, "store.port = {}", postgres.port)?;
        writeln!(f, "store.database = {:?}", postgres.database)?;
        writeln!(f, "store.user = {:?}", postgres.user)?;
        match &postgres.password_file {
            Some(file) => writeln!(f, "store.password_file = {:?}", file.display().to_string())?,
            None => writeln!(f, "# store.password_file is not set: no password is sent")?,
        }
        match &postgres.link {
            Link::Own => writeln!(f, "store.tls = \"off\"")?,
            Link::Unverified => writeln!(f, "store.tls = \"off\"\nstore.allow_unverified = true")?,
            Link::Verified { ca_file } => {
                writeln!(f, "store.tls = \"verify-full\"")?;
                match ca_file {
                    Some(file) => writeln!(f, "store.ca_file = {:?}", file.display().to_string())?,
                    None => writeln!(f, "# store.ca_file is not set: whom this system trusts")?,
                }
            }
        }
        writeln!(f, "store.connections = {}", postgres.connections)?;
        write!(f, "store.patience_ms = {}", postgres.patience.as_millis())
    }
}

#[cfg(test)]
mod tests;
