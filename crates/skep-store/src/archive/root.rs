//! Another root key: everything that the old one wraps is wrapped under the new one, in one transaction.

use skep_crypto::{InstanceKeys, KeyEncryptionKey, RootKey};
use skep_domain::Id;

use super::Party;
use crate::StoreError;
use crate::backend::Mode;
use crate::scope::ControlKey;

/// What a change of the root key did to a store.
pub struct Changed {
    /// Workspaces whose keys are under the new one now.
    pub workspaces: u64,
    /// What was under the old one when this began; nothing when it had been done before.
    pub wrapped: u64,
    /// The keys of the whole installation, which stay what they are.
    pub keys: InstanceKeys,
}

impl Party<'_> {
    /// Wraps under what follows from `new` whatever is under what follows from `old`. All of it or nothing: a kill
    /// leaves one or the other. What is under `new` already stays, so that it can be done again.
    ///
    /// # Errors
    /// [`CryptoError::WrongKey`](skep_crypto::CryptoError::WrongKey) when something is under neither;
    /// [`StoreError::Refused`] when there is no installation. Nothing was changed.
    pub async fn change_root(&self, old: &RootKey, new: &RootKey) -> Result<Changed, StoreError> {
        let mut rows = self
            .backend
            .begin_control(&ControlKey::new(), Mode::Write)
            .await?;
        let own = rows.own_row().await?;
        let own = own.ok_or_else(|| StoreError::Refused("there is no installation here".into()))?;
        let from = KeyEncryptionKey::derive(old, own.id, &self.machine_id);
        let to = KeyEncryptionKey::derive(new, own.id, &self.machine_id);
        let secret = from.rewrap_instance(&to, &own.secret, &*self.random)?;
        let mut changed = Changed {
            workspaces: 0,
            wrapped: u64::from(secret != own.secret),
            keys: to.unwrap_instance(&secret)?.keys(),
        };
        if changed.wrapped > 0 {
            rows.put_own_secret(secret).await?;
        }
        for (organization, workspace, key) in rows.wrapped_keys().await? {
            let wrapped = from.rewrap(&to, &key, workspace.to_bytes(), &*self.random)?;
            changed.workspaces += 1;
            if wrapped != key {
                let row = (organization, workspace, wrapped);
                if !rows.put_wrapped_key(row).await? {
                    return Err(StoreError::Damaged(
                        "a workspace went while its key was wrapped",
                    ));
                }
                changed.wrapped += 1;
            }
        }
        rows.commit().await?;
        Ok(changed)
    }
}
