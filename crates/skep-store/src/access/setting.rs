//! What an organization has set differently from the defaults.

use skep_authz::rights::{GatewayConfigure, OrgManage, SettingRead};
use skep_domain::{Id, OrganizationId};

use super::keys::SETTING_VALUE;
use super::{DoorTx, OrgTx, Revoked};
use crate::StoreError;

impl DoorTx {
    /// The settings of an organization, by name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_settings(
        &mut self,
        organization: OrganizationId,
    ) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        let rows = self.rows.settings(organization).await?;
        rows.into_iter()
            .map(|(name, sealed)| {
                let at = (organization.to_bytes(), row_of(&name));
                let value = self.keys.open(SETTING_VALUE, at, &sealed)?;
                Ok((name, value.expose().clone()))
            })
            .collect()
    }
}

impl DoorTx {
    /// One setting of an organization.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get_setting(
        &mut self,
        organization: OrganizationId,
        name: &str,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let settings = self.list_settings(organization).await?;
        let found = settings.into_iter().find(|(held, _)| held == name);
        Ok(found.map(|(_, value)| value))
    }
}

impl OrgTx<SettingRead> {
    /// The settings of the organization, by name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_settings(&mut self) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        self.door.list_settings(self.organization).await
    }
}

impl OrgTx<OrgManage> {
    /// Revokes all that came of the word of the organization's issuer; says how many.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn revoke_confined(&mut self) -> Result<u64, StoreError> {
        let (organization, now) = (self.organization, self.door.now);
        self.door.news.add(Revoked::Credential);
        let rows = &mut self.door.rows;
        rows.revoke_confined_credentials(organization, None, now)
            .await
    }

    /// How many members that may act have no second factor.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count_without_factor(&mut self) -> Result<u32, StoreError> {
        let organization = self.organization;
        self.door.rows.count_without_factor(organization).await
    }

    /// One setting of the organization.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get_setting(&mut self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.door.get_setting(self.organization, name).await
    }

    /// Keeps a setting; the default again for `None`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_setting(
        &mut self,
        name: &str,
        value: Option<&[u8]>,
    ) -> Result<(), StoreError> {
        self.door.keep_setting(self.organization, name, value).await
    }
}

/// The settings of providers of models, and what the calls of agents are given, told apart by what their names begin
/// with.
const OF_GATEWAY: [&str; 2] = ["provider.", "context."];

impl OrgTx<GatewayConfigure> {
    /// The settings of the organization, by name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_settings(&mut self) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        self.door.list_settings(self.organization).await
    }

    /// Keeps a setting of the gateway, whose name says that it is one; none any more for `None`.
    ///
    /// # Errors
    /// [`StoreError`]; [`StoreError::OutOfBounds`] for any other setting.
    pub async fn put_gateway_setting(
        &mut self,
        name: &str,
        value: Option<&[u8]>,
    ) -> Result<(), StoreError> {
        if !OF_GATEWAY.iter().any(|of| name.starts_with(of)) {
            return Err(StoreError::OutOfBounds("it is none of the gateway's"));
        }
        self.door.keep_setting(self.organization, name, value).await
    }
}

impl DoorTx {
    async fn keep_setting(
        &mut self,
        organization: OrganizationId,
        name: &str,
        value: Option<&[u8]>,
    ) -> Result<(), StoreError> {
        let Some(value) = value else {
            let name = name.to_owned();
            self.rows.delete_setting(organization, name).await?;
            return Ok(());
        };
        let now = self.now;
        let at = (organization.to_bytes(), row_of(name));
        let sealed = self.keys.seal(SETTING_VALUE, at, value);
        self.rows
            .put_setting(organization, name.to_owned(), sealed, now)
            .await
    }
}

/// Where the value of a setting is sealed for.
pub(crate) fn setting_place(
    organization: OrganizationId,
    name: &str,
) -> (super::keys::Column, ([u8; 16], [u8; 16])) {
    (SETTING_VALUE, (organization.to_bytes(), row_of(name)))
}

/// A row that is found by its name has no id: the name's hash stands in its place.
fn row_of(name: &str) -> [u8; 16] {
    let hash = skep_crypto::sha256(name.as_bytes());
    std::array::from_fn(|at| hash[at])
}
