//! The sections `[auth]` and `[mail]`: how people come in, and what letters to them go through.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use serde::Deserialize;
use skep_app::passkey::RelyingParty;
use skep_app::{IssuerCalls, PeopleSettings};
use skep_egress::{Egress, MailSecurity, MailServer, Mailer, Patience, Reach};

use super::grpc::{self, Grpc};
use super::sources;
use crate::files;

/// Calls to issuers that may be under way at a time.
const CALLS: usize = 8;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Auth {
    /// Whether anybody may make an account, with an organization of its own; needs `[mail]`.
    public_registration: bool,
    /// `public`: organizations may trust issuers that everybody can reach. `off`: none but `sso_allow`.
    sso: String,
    /// Issuers inside that may be trusted too, such as `https://login.internal`.
    sso_allow: Vec<String>,
    /// The daemon that knows credentials, `unix:PATH` or `https://HOST:PORT`; this one if empty.
    pub(super) endpoint: String,
    /// The authority of its certificate, for `https`.
    pub(super) endpoint_ca: Option<PathBuf>,
    /// Our certificate there.
    pub(super) endpoint_certificate: Option<PathBuf>,
    /// Its key, readable by its owner alone.
    pub(super) endpoint_key: Option<PathBuf>,
    /// Where other programs ask about credentials.
    pub(crate) grpc: Grpc,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Mail {
    /// The server's name; no letters are sent if empty.
    host: String,
    /// Its port.
    port: u16,
    /// `starttls`, `tls`, or `none` for a relay on this machine.
    security: String,
    /// Who we are there; no login if empty.
    user: String,
    /// A file with the password, readable by its owner alone. A relative path is one in the data
    /// directory.
    password_file: Option<PathBuf>,
    /// Whom letters are from, such as `Skep <skep@example.org>`.
    from: String,
}

impl Default for Auth {
    fn default() -> Self {
        Self {
            public_registration: false,
            sso: "public".into(),
            sso_allow: Vec::new(),
            endpoint: String::new(),
            endpoint_ca: None,
            endpoint_certificate: None,
            endpoint_key: None,
            grpc: Grpc::default(),
        }
    }
}

impl Default for Mail {
    fn default() -> Self {
        Self {
            host: String::new(),
            port: 587,
            security: "starttls".into(),
            user: String::new(),
            password_file: None,
            from: String::new(),
        }
    }
}

impl Auth {
    /// The files in which it has keys.
    pub(crate) fn key_files(&self) -> impl Iterator<Item = &Path> {
        self.endpoint_key.iter().map(PathBuf::as_path)
    }

    /// Without letters nobody could show that an address is theirs.
    pub(crate) fn check(&self, mail: &Mail) -> anyhow::Result<()> {
        if self.public_registration && mail.host.is_empty() {
            bail!("auth.public_registration needs letters: set mail.host and mail.from");
        }
        Ok(())
    }

    /// How issuers of organizations are asked.
    pub(crate) fn issuers(&self) -> anyhow::Result<IssuerCalls> {
        let patience = Patience {
            connect: Duration::from_secs(3),
            first_byte: Duration::from_secs(5),
            idle: Duration::from_secs(5),
            whole: Duration::from_secs(10),
        };
        let way = |reach| Egress::new(reach).with_patience(patience).with_calls(CALLS);
        let calls = match self.sso.as_str() {
            "public" => IssuerCalls::default().with_public(way(Reach::Public)),
            "off" => IssuerCalls::default(),
            other => bail!("auth.sso is {other:?}: it must be public or off"),
        };
        let origins = self.sso_allow.iter();
        let origins = origins.map(|url| sources::origin("auth.sso_allow", url));
        let origins = origins.collect::<anyhow::Result<Vec<_>>>()?;
        if origins.is_empty() {
            return Ok(calls);
        }
        let listed = way(Reach::Listed(origins.clone()));
        Ok(calls.with_listed(origins, listed))
    }

    /// What the application is told.
    pub(crate) fn settings(
        &self,
        public_url: Option<String>,
        mail: &Mail,
        home: &Path,
    ) -> anyhow::Result<PeopleSettings> {
        Ok(PeopleSettings {
            // Browsers make no passkeys for an address.
            party: public_url.as_deref().and_then(RelyingParty::of),
            public_url,
            issuers: self.issuers()?,
            public_registration: self.public_registration,
            mailer: mail.mailer(home)?.map(Arc::new),
            ..PeopleSettings::default()
        })
    }
}

impl Mail {
    /// The files in which it has keys.
    pub(crate) fn key_files(&self) -> impl Iterator<Item = &Path> {
        self.password_file.iter().map(PathBuf::as_path)
    }

    /// Checks what can be checked without reading a file.
    pub(crate) fn security(&self) -> anyhow::Result<MailSecurity> {
        Ok(match self.security.as_str() {
            "starttls" => MailSecurity::StartTls,
            "tls" => MailSecurity::Tls,
            "none" => MailSecurity::Loopback,
            other => bail!("mail.security is {other:?}: it must be starttls, tls or none"),
        })
    }

    fn mailer(&self, home: &Path) -> anyhow::Result<Option<Mailer>> {
        if self.host.is_empty() {
            return Ok(None);
        }
        let login = match (&self.password_file, self.user.as_str()) {
            (None, "") => None,
            (Some(file), user) if !user.is_empty() => {
                let password = files::read_key(&home.join(file))?;
                Some((user.to_owned(), password.expose().clone().into()))
            }
            _ => bail!("mail.user and mail.password_file go together"),
        };
        let server = MailServer {
            host: self.host.clone(),
            port: self.port,
            security: self.security()?,
            login,
            from: self.from.clone(),
            trusted: Vec::new(),
        };
        Ok(Some(Mailer::new(&server)?))
    }
}

impl fmt::Display for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "auth.public_registration = {}", self.public_registration)?;
        writeln!(f, "auth.sso = {:?}", self.sso)?;
        writeln!(f, "auth.sso_allow = {:?}", self.sso_allow)?;
        grpc::shown(self, f)
    }
}

impl fmt::Display for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.is_empty() {
            return f.write_str("# mail.host is not set: no letters are sent");
        }
        writeln!(f, "mail.host = {:?}", self.host)?;
        writeln!(f, "mail.port = {}", self.port)?;
        writeln!(f, "mail.security = {:?}", self.security)?;
        writeln!(f, "mail.user = {:?}", self.user)?;
        match &self.password_file {
            Some(file) => writeln!(f, "mail.password_file = {:?}", file.display().to_string())?,
            None => writeln!(f, "# mail.password_file is not set")?,
        }
        write!(f, "mail.from = {:?}", self.from)
    }
}
