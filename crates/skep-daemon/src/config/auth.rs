//! The sections `[auth]` and `[mail]`: how people come in, and what letters to them go through.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use serde::Deserialize;
use skep_app::PeopleSettings;
use skep_app::passkey::RelyingParty;
use skep_egress::{MailSecurity, MailServer, Mailer};

use crate::files;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Auth {
    /// Where browsers reach this daemon, such as `https://skep.example.org`; passkeys are made for it,
    /// letters name it, and cookies demand TLS if it has it.
    public_url: String,
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
    pub(crate) fn party(&self) -> anyhow::Result<Option<RelyingParty>> {
        if self.public_url.is_empty() {
            return Ok(None);
        }
        let origin = self.public_url.trim_end_matches('/');
        let party = RelyingParty::of(origin).with_context(|| {
            format!(
                "auth.public_url is {:?}: expected https:// and a host name, or http://localhost with a port",
                self.public_url
            )
        })?;
        Ok(Some(party))
    }

    /// What the application is told.
    pub(crate) fn settings(&self, mail: &Mail, home: &Path) -> anyhow::Result<PeopleSettings> {
        Ok(PeopleSettings {
            party: self.party()?,
            mailer: mail.mailer(home)?.map(Arc::new),
            ..PeopleSettings::default()
        })
    }
}

impl Mail {
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
        write!(f, "auth.public_url = {:?}", self.public_url)
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
