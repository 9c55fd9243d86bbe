//! Which stores there are, and whose references may lead there.

use skep_crypto::Plain;
use skep_domain::{Limits, OrganizationId, Reference};

use crate::{Connect, Folder, Server, Unresolved};

/// What the operator allows; nothing, unless it is named.
#[derive(Default)]
pub struct References {
    sources: Vec<(Organizations, Source)>,
}

/// Whose references may lead to a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Organizations {
    /// Those of every organization of the installation.
    All,
    /// Those of these.
    These(Vec<OrganizationId>),
}

/// A store.
pub enum Source {
    /// A server of 1Password Connect.
    OnePassword(Connect),
    /// A server of Vault, or of `OpenBao`, which speaks alike.
    Vault(Server),
    /// These variables of the daemon's.
    Environment(Vec<String>),
    /// A folder on the daemon's host.
    File(Folder),
}

impl References {
    /// With one more; the first that fits is asked.
    #[must_use]
    pub fn with(mut self, whose: Organizations, source: Source) -> Self {
        self.sources.push((whose, source));
        self
    }

    /// Whether an organization may refer to that; asked when a reference is set, and whenever it is used.
    ///
    /// # Errors
    /// [`Unresolved::NotAllowed`].
    pub fn check(
        &self,
        organization: OrganizationId,
        reference: &Reference,
    ) -> Result<(), Unresolved> {
        self.source(organization, reference).map(|_| ())
    }

    /// Looks the value up.
    ///
    /// # Errors
    /// [`Unresolved`].
    pub async fn resolve(
        &self,
        organization: OrganizationId,
        reference: &Reference,
    ) -> Result<Plain<Vec<u8>>, Unresolved> {
        let value = match (self.source(organization, reference)?, reference) {
            (Source::Vault(server), Reference::Vault { .. }) => server.look_up(reference).await,
            (Source::OnePassword(server), Reference::OnePassword { .. }) => {
                server.look_up(reference).await
            }
            (Source::Environment(_), Reference::Environment { name }) => variable(name, reference),
            (Source::File(folder), Reference::File { path }) => folder.read(path, reference).await,
            _ => Err(Unresolved::NotAllowed),
        }?;
        if (Limits::SECRET_VALUE_MIN..=Limits::RECORD_VALUE).contains(&value.expose().len()) {
            Ok(value)
        } else {
            Err(Unresolved::Unfit(reference.to_string()))
        }
    }

    fn source(
        &self,
        organization: OrganizationId,
        reference: &Reference,
    ) -> Result<&Source, Unresolved> {
        let mut sources = self.sources.iter();
        sources
            .find(|(whose, source)| whose.has(organization) && source.has(reference))
            .map(|(_, source)| source)
            .ok_or(Unresolved::NotAllowed)
    }
}

impl Organizations {
    fn has(&self, organization: OrganizationId) -> bool {
        match self {
            Self::All => true,
            Self::These(these) => these.contains(&organization),
        }
    }
}

impl Source {
    fn has(&self, reference: &Reference) -> bool {
        match (self, reference) {
            (Self::OnePassword(connect), Reference::OnePassword { vault, .. }) => {
                connect.has(vault)
            }
            (
                Self::Vault(at),
                Reference::Vault {
                    server,
                    mount,
                    path,
                    ..
                },
            ) => at.has(server, mount, path),
            (Self::Environment(names), Reference::Environment { name }) => names.contains(name),
            (Self::File(folder), Reference::File { path }) => folder.has(path),
            _ => false,
        }
    }
}

fn variable(name: &str, reference: &Reference) -> Result<Plain<Vec<u8>>, Unresolved> {
    use std::os::unix::ffi::OsStringExt;
    let value = std::env::var_os(name);
    let value = value.ok_or_else(|| Unresolved::Missing(reference.to_string()))?;
    Ok(Plain::new(value.into_vec()))
}
