//! The one place that gets the value of a secret, for a use by the daemon itself.

use skep_authz::rights::{GatewayUse, SecretUse};
use skep_authz::{Authorized, Denied};
use skep_crypto::Plain;
use skep_domain::{OrganizationId, Permission, RecordName};
use skep_vault::template::Owner;
use skep_vault::{Held, Scope, VaultError, Wanted};

use super::canary;
use crate::{App, AppError};

impl App {
    /// The value of a secret, for a use that was approved. Whoever calls has seen that it was, and has it
    /// recorded; nothing that answers a caller may hold what this gives.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; [`AppError::Denied`] for an agent's secret that somebody else asks for;
    /// [`AppError::Elsewhere`] when it is kept elsewhere and cannot be had from there.
    pub(crate) async fn use_secret(
        &self,
        authorized: &Authorized<SecretUse>,
        owner: Owner,
        name: &RecordName,
    ) -> Result<Plain<Vec<u8>>, AppError> {
        let scope = place(authorized, owner)?;
        let wanted = Wanted::new(authorized, scope, name)?;
        self.release(authorized.organization(), name, wanted).await
    }

    /// The key of a provider of models, which the organization keeps under this name.
    ///
    /// # Errors
    /// As [`App::use_secret`].
    pub(crate) async fn use_gateway_key(
        &self,
        authorized: &Authorized<GatewayUse>,
        name: &RecordName,
    ) -> Result<Plain<Vec<u8>>, AppError> {
        let wanted = Wanted::of_provider(authorized, name);
        self.release(authorized.organization(), name, wanted).await
    }

    async fn release(
        &self,
        organization: OrganizationId,
        name: &RecordName,
        wanted: Wanted,
    ) -> Result<Plain<Vec<u8>>, AppError> {
        #[expect(
            clippy::disallowed_methods,
            reason = "the place of this crate that gets values, for whoever uses one"
        )]
        let look =
            move |vault: &skep_vault::Vault| -> Result<_, VaultError> { vault.release(&wanted) };
        let found = self.on_vault(organization, look).await?;
        match found.ok_or(AppError::NotFound("secret"))? {
            Held::Value(value) => {
                canary::check(name, Some(value.expose()))?;
                Ok(value)
            }
            Held::Elsewhere(reference) => {
                canary::check(name, None)?;
                let found = self.references.resolve(organization, &reference).await;
                Ok(found?)
            }
        }
    }

    /// What the record calls that secret: the same when it is used as when it is set.
    pub(crate) fn mark_of_used(
        &self,
        authorized: &Authorized<SecretUse>,
        owner: Owner,
        name: &RecordName,
    ) -> Result<String, AppError> {
        let tenant = (authorized.organization(), authorized.workspace());
        Ok(self.secret_mark(tenant, place(authorized, owner)?, name))
    }
}

fn place(authorized: &Authorized<SecretUse>, owner: Owner) -> Result<Scope, AppError> {
    let scope = owner.scope(authorized.agent());
    Ok(scope.ok_or(Denied::MissingPermission(Permission::SecretUse))?)
}
