//! Where a database is, and how it is reached: over TLS to whom the certificate names, or over a link that
//! needs none.

use std::error::Error;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, RootCertStore};
use skep_crypto::Plain;
use skep_store::StoreError;
use tokio_postgres::Config;
use tokio_postgres::config::{ChannelBinding, SslMode};

/// A database, and whom to log in as.
pub struct Server {
    /// A name, an address, or the folder of a Unix socket.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The database's name.
    pub database: String,
    /// The role.
    pub user: String,
    /// What proves it, if the server asks.
    pub password: Option<Plain<String>>,
    /// How the link is kept.
    pub tls: Tls,
    /// How long a connection may take to come about.
    pub patience: Duration,
}

/// How the link to a database is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tls {
    /// Not at all: what goes over it stays on this machine, or somebody takes that upon themselves.
    Off,
    /// TLS 1.2 or 1.3 to whom the certificate names, and a login that is bound to that certificate, so that
    /// nobody in between can pass it on.
    VerifyFull {
        /// Whose signature counts, in PEM; the system's authorities if none are named.
        authorities: Option<Vec<u8>>,
    },
}

impl Tls {
    /// As PostgreSQL calls it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::VerifyFull { .. } => "verify-full",
        }
    }
}

impl Server {
    /// What a connection is made with. Reads files when it asks the system whom it trusts.
    pub(crate) fn settings(&self) -> Result<(Config, ClientConfig), StoreError> {
        let mut config = Config::new();
        if self.host.starts_with('/') {
            config.host_path(&self.host);
        } else {
            config.host(&self.host);
        }
        config
            .port(self.port)
            .dbname(&self.database)
            .user(&self.user)
            .connect_timeout(self.patience);
        if let Some(password) = &self.password {
            config.password(password.expose());
        }
        let roots = match &self.tls {
            Tls::Off => {
                config.ssl_mode(SslMode::Disable);
                RootCertStore::empty()
            }
            Tls::VerifyFull { authorities } => {
                config.ssl_mode(SslMode::Require);
                config.channel_binding(ChannelBinding::Require);
                roots(authorities.as_deref())?
            }
        };
        Ok((config, client(roots)?))
    }
}

fn roots(authorities: Option<&[u8]>) -> Result<RootCertStore, StoreError> {
    let certificates: Vec<_> = match authorities {
        Some(pem) => CertificateDer::pem_slice_iter(pem)
            .collect::<Result<_, _>>()
            .map_err(|error| refused(&format!("the authority's file is not PEM: {error}")))?,
        None => rustls_native_certs::load_native_certs().certs,
    };
    let mut roots = RootCertStore::empty();
    let (added, _unreadable) = roots.add_parsable_certificates(certificates);
    match (added, authorities) {
        (0, Some(_)) => Err(refused("the authority's file holds no certificate")),
        (0, None) => Err(refused(
            "no certificate authority is known: install this system's ca-certificates, or name a file",
        )),
        _ => Ok(roots),
    }
}

fn client(roots: RootCertStore) -> Result<ClientConfig, StoreError> {
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13, &TLS12])
        .map_err(|_| refused("this build has no usable cipher"))?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

/// Why no connection came about, as far as it is not the server's own word: the layers' texts, which hold
/// neither password nor content.
pub(crate) fn reason(error: &dyn Error) -> String {
    let mut said = error.to_string();
    let mut next = error.source();
    while let Some(inner) = next {
        let text = inner.to_string();
        // A layer that repeats the one below says nothing of its own.
        if !said.ends_with(&text) {
            said.push_str(": ");
            said.push_str(&text);
        }
        next = inner.source();
    }
    said
}

fn refused(why: &str) -> StoreError {
    StoreError::Refused(why.into())
}

/// Shows nothing that proves anything.
impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("database", &self.database)
            .field("user", &self.user)
            .field("tls", &self.tls.name())
            .finish_non_exhaustive()
    }
}
