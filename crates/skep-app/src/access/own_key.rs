//! Keys that organizations keep themselves: withdrawn and given back by them; put in force, changed and taken off by
//! whoever runs the daemon.

use skep_authz::rights::OrgManage;
use skep_authz::{Authorized, Caller};
use skep_domain::OrganizationId;
use skep_store::{Mode, OwnKey, StoreError};

use super::agents::parse_name;
use super::door;
use crate::error::Invalid;
use crate::{App, AppError};

/// Bytes that the name of a place may have.
const PLACE: usize = 512;

/// An organization, as whoever runs the daemon names it.
#[derive(Clone, Debug)]
pub enum Whose {
    /// By its id: the one that the credential is of.
    Id(OrganizationId),
    /// By its name.
    Name(String),
}

/// An organization's own key, and the organization's name.
#[derive(Clone, Debug)]
pub struct OwnKeyView {
    /// Its name, if it has one.
    pub name: Option<String>,
    /// How its key stands.
    pub key: OwnKey,
}

/// What is done with an organization's own key by whoever runs the daemon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyChange {
    /// Put in force, from this place.
    Enclose(String),
    /// Another one put in force in its stead, from this place.
    Change(String),
    /// Taken off; where it was is known.
    Release(String),
}

impl App {
    /// How the organization's own key stands.
    ///
    /// # Errors
    /// [`AppError::NotFound`] when it never had one.
    pub async fn own_key(&self, authorized: Authorized<OrgManage>) -> Result<OwnKey, AppError> {
        self.key_of(authorized.organization()).await
    }

    /// Withdraws the organization's own key: when this returns, nothing of its workspaces is in this daemon's
    /// memory, and nothing of them opens until it is given back.
    ///
    /// # Errors
    /// [`AppError::Conflict`] when it has none.
    pub async fn withdraw_key(
        &self,
        authorized: Authorized<OrgManage>,
    ) -> Result<OwnKey, AppError> {
        let organization = authorized.organization();
        let withdrawn = self.store.withdraw_key(authorized).await;
        // Also when nobody could write it down: then it is out of memory, and whoever withdrew it tries again.
        if !matches!(withdrawn, Err(StoreError::Refused(_))) {
            self.drop_organization(organization);
        }
        withdrawn.map_err(refused)?;
        self.key_of(organization).await
    }

    /// Gives it back. Whoever keeps it is asked at once, and may not give it all the same.
    ///
    /// # Errors
    /// As [`App::withdraw_key`].
    pub async fn restore_key(&self, authorized: Authorized<OrgManage>) -> Result<OwnKey, AppError> {
        let organization = authorized.organization();
        let restored = self.store.restore_key(authorized).await;
        restored.map_err(refused)?;
        self.key_of(organization).await
    }

    /// The own keys of all organizations.
    ///
    /// # Errors
    /// [`AppError::Denied`] for anybody but whoever runs the installation.
    pub async fn own_keys(&self, caller: &Caller) -> Result<Vec<OwnKeyView>, AppError> {
        caller.require_installation()?;
        let mut views = Vec::new();
        for key in self.store.own_keys().await? {
            let name = self.name_of(key.organization).await?;
            views.push(OwnKeyView { name, key });
        }
        Ok(views)
    }

    /// Puts an organization's own key in force, changes it, or takes it off, while everything is served.
    ///
    /// # Errors
    /// As [`App::own_keys`]; [`AppError::Unfit`] with what stands against it, and nothing was changed.
    pub async fn change_own_key(
        &self,
        caller: &Caller,
        whose: Whose,
        change: KeyChange,
    ) -> Result<OwnKeyView, AppError> {
        caller.require_installation()?;
        let (KeyChange::Enclose(place) | KeyChange::Change(place) | KeyChange::Release(place)) =
            &change;
        Invalid::check_length("place", place, PLACE)?;
        let organization = self.named(whose).await?;
        let store = &self.store;
        let changed = match &change {
            KeyChange::Enclose(place) => store.enclose(organization, place).await,
            KeyChange::Change(place) => store.change_key(organization, place).await,
            KeyChange::Release(_) => store.disclose(organization).await,
        };
        let workspaces = changed.map_err(refused)?;
        tracing::info!(
            workspaces,
            ?change,
            "the own key of an organization was changed"
        );
        self.vault_bell.notify_one();
        Ok(OwnKeyView {
            name: self.name_of(organization).await?,
            key: self.key_of(organization).await?,
        })
    }

    async fn key_of(&self, organization: OrganizationId) -> Result<OwnKey, AppError> {
        let found = self.store.own_key(organization).await?;
        found.ok_or(AppError::NotFound("key of the organization's own"))
    }

    async fn name_of(&self, organization: OrganizationId) -> Result<Option<String>, AppError> {
        let mut tx = door!(self, Mode::Read).await?;
        let found = tx.get_organization(organization).await?;
        Ok(found.and_then(|organization| organization.name))
    }

    async fn named(&self, whose: Whose) -> Result<OrganizationId, AppError> {
        let name = match whose {
            Whose::Id(id) => return Ok(id),
            Whose::Name(name) => parse_name("organization", &name)?,
        };
        let mut tx = door!(self, Mode::Read).await?;
        let found = tx.get_organization_named(&name).await?;
        Ok(found.ok_or(AppError::NotFound("organization"))?.id)
    }
}

/// What stood against a change of a key, in words for whoever asked.
fn refused(error: StoreError) -> AppError {
    match error {
        StoreError::Refused(why) => AppError::Unfit(why),
        StoreError::Conflict(_) => {
            AppError::Conflict("somebody else is changing this key just now: look how it stands")
        }
        other => other.into(),
    }
}
