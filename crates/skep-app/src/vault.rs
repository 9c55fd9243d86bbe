//! Secrets and settings of the vault: set, told of, removed. What uses a secret is elsewhere; nothing here
//! gives one away.

pub(crate) mod canary;
mod rotating;
mod using;

use std::sync::Arc;

use skep_authz::rights::{OrgManage, SecretList, SecretWrite, SettingRead, SettingWrite};
use skep_authz::{Authorized, Denied, Right};
use skep_crypto::Plain;
use skep_domain::{Id, OrganizationId, Permission, Principal, RecordName, Reference, WorkspaceId};
use skep_reference::References;
use skep_store::Closing;
use skep_vault::{Class, Listed, Scope, Secret, Setting, Vault, VaultError};

use crate::error::Invalid;
use crate::{App, AppError};

pub use rotating::VaultDesk;

/// A record to set or to remove.
#[derive(Debug)]
pub struct RecordAt {
    /// Whose it is.
    pub scope: Scope,
    /// What it is called, as it was asked for.
    pub name: String,
    /// The right to change what every workspace of the organization shares, if the caller has it.
    pub shared: Option<Authorized<OrgManage>>,
}

/// What a secret is set to. It has no `Debug`: it may hold the value.
pub enum GivenSecret {
    /// This.
    Value(Vec<u8>),
    /// Whatever is kept there, each time that it is used.
    Elsewhere(Reference),
}

/// The records of a class that a caller is told of.
#[derive(Debug)]
pub struct Records<T> {
    /// By place, then by name.
    pub items: Vec<(Scope, T)>,
    /// Files that are not what was written.
    pub damaged: Vec<String>,
}

/// A setting with its value.
#[derive(Debug)]
pub struct SettingHeld {
    /// What is known of it.
    pub about: Listed,
    /// What it says.
    pub value: String,
}

impl App {
    /// Keeps secrets and settings in this vault.
    #[must_use]
    pub fn with_vault(mut self, vault: Arc<Vault>) -> Self {
        self.vault = Some(vault);
        self
    }

    /// Looks up secrets that are kept elsewhere as the operator lets it.
    #[must_use]
    pub fn with_references(mut self, references: References) -> Self {
        self.references = references;
        self
    }

    /// Which secrets there are, of the organization, the workspace, and an agent: the caller's own if
    /// none is named.
    ///
    /// # Errors
    /// [`AppError::Conflict`] where no vault is kept.
    pub async fn list_secrets(
        &self,
        authorized: Authorized<SecretList>,
        agent: Option<Scope>,
    ) -> Result<Records<Listed>, AppError> {
        self.on_vault(authorized.organization(), move |vault| {
            let mut records = Records::new();
            for scope in places(&authorized, agent) {
                let listing = vault.list::<Secret>(&authorized, scope)?;
                records.damaged.extend(listing.damaged);
                let items = listing.records.into_iter();
                records.items.extend(items.map(|listed| (scope, listed)));
            }
            Ok(records)
        })
        .await
    }

    /// Sets a secret, or where it is kept.
    ///
    /// # Errors
    /// [`AppError::Invalid`], also where the operator lets no reference lead; [`AppError::Conflict`] when
    /// there are too many.
    pub async fn set_secret(
        &self,
        authorized: Authorized<SecretWrite>,
        at: RecordAt,
        given: GivenSecret,
    ) -> Result<Listed, AppError> {
        let organization = authorized.organization();
        let set = match given {
            GivenSecret::Value(value) => {
                let value = Plain::new(value);
                if let Ok(name) = RecordName::parse(&at.name) {
                    canary::check(&name, Some(value.expose())).map_err(|why| at_name(&why))?;
                }
                self.set_record::<Secret>(authorized, at, value).await
            }
            GivenSecret::Elsewhere(reference) => self.refer_secret(authorized, at, reference).await,
        };
        self.forget_providers_of(organization);
        set
    }

    async fn refer_secret(
        &self,
        authorized: Authorized<SecretWrite>,
        at: RecordAt,
        reference: Reference,
    ) -> Result<Listed, AppError> {
        let (name, now) = (named(&at, authorized.organization())?, self.store.now());
        canary::check(&name, None).map_err(|why| at_name(&why))?;
        (self.references.check(authorized.organization(), &reference))
            .map_err(|error| Invalid::unknown("reference", &error.to_string()))?;
        self.on_vault(authorized.organization(), move |vault| {
            vault.refer(&authorized, at.scope, &name, reference, now)
        })
        .await
    }

    /// Removes a secret; `false` if there was none.
    ///
    /// # Errors
    /// As [`App::set_secret`].
    pub async fn remove_secret(
        &self,
        authorized: Authorized<SecretWrite>,
        at: RecordAt,
    ) -> Result<bool, AppError> {
        let organization = authorized.organization();
        let removed = self.remove_record::<Secret>(authorized, at).await;
        self.forget_providers_of(organization);
        removed
    }

    /// Which settings there are, with their values, in the same order.
    ///
    /// # Errors
    /// As [`App::list_secrets`].
    pub async fn list_settings(
        &self,
        authorized: Authorized<SettingRead>,
        agent: Option<Scope>,
    ) -> Result<Records<SettingHeld>, AppError> {
        self.on_vault(authorized.organization(), move |vault| {
            let mut records = Records::new();
            for scope in places(&authorized, agent) {
                let listing = vault.read_all::<Setting>(&authorized, scope)?;
                records.damaged.extend(listing.damaged);
                for (about, value) in listing.records {
                    let value = String::from_utf8_lossy(value.expose()).into_owned();
                    records.items.push((scope, SettingHeld { about, value }));
                }
            }
            Ok(records)
        })
        .await
    }

    /// Sets a setting.
    ///
    /// # Errors
    /// As [`App::set_secret`].
    pub async fn set_setting(
        &self,
        authorized: Authorized<SettingWrite>,
        at: RecordAt,
        value: String,
    ) -> Result<Listed, AppError> {
        let value = Plain::new(value.into_bytes());
        self.set_record::<Setting>(authorized, at, value).await
    }

    /// Removes a setting; `false` if there was none.
    ///
    /// # Errors
    /// As [`App::set_secret`].
    pub async fn remove_setting(
        &self,
        authorized: Authorized<SettingWrite>,
        at: RecordAt,
    ) -> Result<bool, AppError> {
        self.remove_record::<Setting>(authorized, at).await
    }

    /// What the record of decisions calls a secret: a keyed hash of its place and its name, so that the
    /// record says which one without saying its name.
    #[must_use]
    pub fn secret_mark(
        &self,
        (organization, workspace): (OrganizationId, WorkspaceId),
        scope: Scope,
        name: &RecordName,
    ) -> String {
        let (of, whose): (&[u8], [u8; 16]) = match scope {
            Scope::Organization => (b"organization", organization.to_bytes()),
            Scope::Workspace => (b"workspace", workspace.to_bytes()),
            Scope::Agent(agent) => (b"agent", agent.to_bytes()),
        };
        let key = name.key();
        let parts = [b"secret mark", of, &whose[..], key.as_bytes()];
        let tag = self.store.instance_keys().fingerprint.tag16(&parts);
        format!("secret_{}", crate::skills::hex(&tag[..8]))
    }

    /// Removes what this host's vault holds of a workspace that is erased.
    pub(crate) async fn forget_vault_of(&self, workspace: WorkspaceId) -> Result<(), AppError> {
        if self.vault.is_none() {
            return Ok(());
        }
        self.in_vault(move |vault| vault.forget_workspace(workspace).map(|_| ()))
            .await
    }

    async fn set_record<C: Class>(
        &self,
        authorized: Authorized<C::Change>,
        at: RecordAt,
        value: Plain<Vec<u8>>,
    ) -> Result<Listed, AppError> {
        let (name, now) = (named(&at, authorized.organization())?, self.store.now());
        self.on_vault(authorized.organization(), move |vault| {
            vault.put::<C>(&authorized, at.scope, &name, value, now)
        })
        .await
    }

    async fn remove_record<C: Class>(
        &self,
        authorized: Authorized<C::Change>,
        at: RecordAt,
    ) -> Result<bool, AppError> {
        let name = named(&at, authorized.organization())?;
        self.on_vault(authorized.organization(), move |vault| {
            vault.remove::<C>(&authorized, at.scope, &name)
        })
        .await
    }

    /// Work on what an organization has there, with the key of its own if it keeps one and gives it.
    pub(crate) async fn on_vault<T: Send + 'static>(
        &self,
        organization: OrganizationId,
        work: impl FnOnce(&Vault) -> Result<T, VaultError> + Send + 'static,
    ) -> Result<T, AppError> {
        self.lend(organization).await?;
        self.in_vault(work).await
    }

    /// Lends the vault the key that an organization's records need as well.
    pub(crate) async fn lend(&self, organization: OrganizationId) -> Result<(), AppError> {
        let Some(vault) = &self.vault else {
            return Ok(());
        };
        match self.store.vault_key(organization).await {
            Ok(None) => {}
            Ok(Some(key)) => vault.lend(organization, key),
            Err(error) => {
                vault.take_back(organization);
                return Err(error.into());
            }
        }
        Ok(())
    }

    /// Its files block, so that is done where it is fine.
    pub(crate) async fn in_vault<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Vault) -> Result<T, VaultError> + Send + 'static,
    ) -> Result<T, AppError> {
        let vault = self.vault.clone();
        let vault = vault.ok_or(AppError::Conflict("this daemon keeps no vault"))?;
        let done = tokio::task::spawn_blocking(move || work(&vault)).await;
        Ok(done.map_err(|_| AppError::Internal("a look into the vault did not end"))??)
    }
}

impl<T> Records<T> {
    const fn new() -> Self {
        Self {
            items: Vec::new(),
            damaged: Vec::new(),
        }
    }
}

/// The places that a caller is told of.
fn places<P: Right>(authorized: &Authorized<P>, agent: Option<Scope>) -> Vec<Scope> {
    let own = match authorized.principal() {
        Some(Principal::Agent(agent)) => Some(Scope::Agent(agent)),
        _ => None,
    };
    let agent = agent.or(own);
    [Scope::Organization, Scope::Workspace]
        .into_iter()
        .chain(agent)
        .collect()
}

/// Its name, if the caller may change what is in its place.
fn named(at: &RecordAt, organization: OrganizationId) -> Result<RecordName, AppError> {
    let manages = |right: &Authorized<OrgManage>| right.organization() == organization;
    if at.scope == Scope::Organization && !at.shared.as_ref().is_some_and(manages) {
        return Err(Denied::MissingPermission(Permission::OrgManage).into());
    }
    RecordName::parse(&at.name).map_err(|error| Invalid::unknown("name", &error.to_string()))
}

fn at_name(why: &AppError) -> AppError {
    Invalid::unknown("name", &why.to_string())
}

impl From<VaultError> for AppError {
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::Size(_) => Invalid::unknown("value", &error.to_string()),
            VaultError::Full => Self::Conflict("there are as many records here as one place holds"),
            VaultError::Closed => Self::Closed(Closing::Refused),
            VaultError::NotYours => {
                Self::Forbidden("what belongs to an agent is used by that agent alone")
            }
            VaultError::File(_) | VaultError::WrongKey | VaultError::Damaged { .. } => {
                tracing::error!(%error, "the vault");
                Self::Internal("the vault cannot be read: the daemon's log says why")
            }
        }
    }
}
