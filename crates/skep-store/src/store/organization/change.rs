//! Putting the keys of an organization's workspaces under a key of its own, under another one, and under none
//! again: each time in one transaction, so that a kill leaves all of them as they were, or all as they should be.
//! The data keys stay the same, so whoever reads meanwhile does not notice.

use std::sync::Arc;

use skep_crypto::{KeyEncryptionKey, VaultKey, WrappedKey};
use skep_domain::{Id, OrganizationId};

use super::state::{InForce, State};
use super::{ASKED_AGAIN, MadeKey, NO_KEY, NotGiven, OrganizationKeeper, Store, VAULT_KEY};
use crate::StoreError;
use crate::access::Announcement;
use crate::backend::{ControlTx, Mode};
use crate::scope::ControlKey;

/// What a data key is under.
enum Under<'a> {
    Installation,
    Both(&'a KeyEncryptionKey),
}

impl Store {
    /// Puts the keys of the organization's workspaces under the one that is kept at `place`, and those of every
    /// workspace to come; says of how many. What is under it already stays so.
    ///
    /// # Errors
    /// [`StoreError::Closed`] and [`StoreError::Refused`] when the key cannot be had, or another one is in force;
    /// nothing was changed.
    pub async fn enclose(
        &self,
        organization: OrganizationId,
        place: &str,
    ) -> Result<u64, StoreError> {
        let before = self.state(organization).await?;
        if let Some(in_force) = before.as_ref().and_then(|state| state.in_force.as_ref()) {
            if in_force.place != place {
                let why = "another key of the organization's own is in force: change it instead";
                return Err(StoreError::Refused(why.into()));
            }
            let lock = self.lock_of(organization).await?;
            return self.enclose_rest(organization, &lock).await;
        }
        let (lock, made) = self.made(organization, place).await?;
        let vault = match &before {
            Some(state) => VaultKey::parse(&state.vault),
            None => Some(VaultKey::generate(&*self.random)),
        };
        let vault = vault.ok_or(StoreError::Damaged("the key of an organization"))?;
        let mut rows = self.writing().await?;
        if self.read_state(&mut *rows, organization).await? != before {
            return Err(StoreError::Conflict("a key of this organization"));
        }
        let state = self.in_force((place, made), &lock, &vault);
        let moved = self
            .rewrap_all(
                &mut *rows,
                organization,
                Under::Installation,
                Under::Both(&lock),
            )
            .await?;
        self.write_state(&mut *rows, organization, &state).await?;
        rows.announce(&[Announcement::Keys]).await?;
        rows.commit().await?;
        self.close(organization, None);
        self.leave_nothing_behind().await;
        Ok(moved)
    }

    /// Encloses workspaces that were made without the key, by a node that had not heard of it.
    pub(super) async fn enclose_rest(
        &self,
        organization: OrganizationId,
        lock: &KeyEncryptionKey,
    ) -> Result<u64, StoreError> {
        let mut rows = self
            .backend
            .begin_control(&ControlKey::new(), Mode::Read)
            .await?;
        let keys = rows.wrapped_keys().await?;
        drop(rows);
        let is_left = |(whose, _, key): &(OrganizationId, _, WrappedKey)| {
            *whose == organization && !key.is_layered()
        };
        if !keys.iter().any(is_left) {
            return Ok(0);
        }
        let mut rows = self.writing().await?;
        // It may have been given up, or changed, since the lock was had.
        let state = self.read_state(&mut *rows, organization).await?;
        let in_force = state.and_then(|state| state.in_force);
        if in_force.is_none_or(|in_force| in_force.name != lock.name()) {
            return Ok(0);
        }
        let moved = self
            .rewrap_all(
                &mut *rows,
                organization,
                Under::Installation,
                Under::Both(lock),
            )
            .await?;
        rows.announce(&[Announcement::Keys]).await?;
        rows.commit().await?;
        self.forget_own(organization);
        self.leave_nothing_behind().await;
        Ok(moved)
    }

    /// Puts another key of the organization's own in force, from `place`, which may be the same as before; says
    /// for how many workspaces. Both have to be given.
    ///
    /// # Errors
    /// As [`Store::enclose`].
    pub async fn change_key(
        &self,
        organization: OrganizationId,
        place: &str,
    ) -> Result<u64, StoreError> {
        let (old, before) = self.held_now(organization).await?;
        let vault = unwrapped(&old, &before)?;
        let (lock, made) = self.made(organization, place).await?;
        let mut rows = self.writing().await?;
        if self.read_state(&mut *rows, organization).await?.as_ref() != Some(&before) {
            return Err(StoreError::Conflict("a change of this key"));
        }
        let state = self.in_force((place, made), &lock, &vault);
        let moved = self
            .rewrap_all(
                &mut *rows,
                organization,
                Under::Both(&old),
                Under::Both(&lock),
            )
            .await?;
        self.write_state(&mut *rows, organization, &state).await?;
        rows.announce(&[Announcement::Keys]).await?;
        rows.commit().await?;
        self.close(organization, None);
        self.leave_nothing_behind().await;
        Ok(moved)
    }

    /// Takes the organization's own key off again, while it is given; says of how many workspaces.
    ///
    /// # Errors
    /// As [`Store::enclose`].
    pub async fn disclose(&self, organization: OrganizationId) -> Result<u64, StoreError> {
        let (old, before) = self.held_now(organization).await?;
        let vault = unwrapped(&old, &before)?;
        let mut rows = self.writing().await?;
        if self.read_state(&mut *rows, organization).await?.as_ref() != Some(&before) {
            return Err(StoreError::Conflict("a change of this key"));
        }
        let moved = self
            .rewrap_all(
                &mut *rows,
                organization,
                Under::Both(&old),
                Under::Installation,
            )
            .await?;
        let state = State {
            in_force: None,
            vault: vault.raw().expose().clone(),
            withdrawn_at: None,
        };
        self.write_state(&mut *rows, organization, &state).await?;
        rows.announce(&[Announcement::Keys]).await?;
        rows.commit().await?;
        self.close(organization, None);
        self.leave_nothing_behind().await;
        Ok(moved)
    }

    async fn writing(&self) -> Result<Box<dyn ControlTx>, StoreError> {
        self.backend
            .begin_control(&ControlKey::new(), Mode::Write)
            .await
    }

    async fn state(&self, organization: OrganizationId) -> Result<Option<State>, StoreError> {
        let mut rows = self
            .backend
            .begin_control(&ControlKey::new(), Mode::Read)
            .await?;
        self.read_state(&mut *rows, organization).await
    }

    /// The lock in force, asked for lately.
    async fn lock_of(
        &self,
        organization: OrganizationId,
    ) -> Result<Arc<KeyEncryptionKey>, StoreError> {
        let given = self.own(organization, i64::MAX / ASKED_AGAIN).await?;
        let lock = given.and_then(|given| given.lock);
        lock.ok_or_else(|| StoreError::Refused(NO_KEY.into()))
    }

    /// The lock in force, asked for anew, and what is kept of it.
    async fn held_now(
        &self,
        organization: OrganizationId,
    ) -> Result<(Arc<KeyEncryptionKey>, State), StoreError> {
        self.owned.one(organization).forget(None);
        let lock = self.lock_of(organization).await?;
        let state = self.state(organization).await?;
        let in_force = state.as_ref().and_then(|state| state.in_force.as_ref());
        if in_force.is_none_or(|in_force| in_force.name != lock.name()) {
            return Err(StoreError::Conflict("a change of this key"));
        }
        let state = state.ok_or_else(|| StoreError::Refused(NO_KEY.into()))?;
        Ok((lock, state))
    }

    /// The key to be used from now on. One that does not come back from where it is kept wraps nothing.
    async fn made(
        &self,
        organization: OrganizationId,
        place: &str,
    ) -> Result<(KeyEncryptionKey, MadeKey), StoreError> {
        let keeper = self.owned.keeper.as_ref();
        let keeper: &Arc<dyn OrganizationKeeper> = keeper
            .filter(|keeper| keeper.shown(place).is_some())
            .ok_or_else(|| {
                let why = format!(
                    "there is no section [organization_keys.{place:?}] in the configuration"
                );
                StoreError::Refused(why)
            })?;
        let made = keeper.make(place, &*self.random).await.map_err(refused)?;
        let again = keeper.give(place, made.wrapped.as_deref()).await;
        if !again.map_err(refused)?.is(&made.key) {
            let why = "whoever keeps the key does not give back the one that it was given";
            return Err(StoreError::Refused(why.into()));
        }
        let lock = KeyEncryptionKey::of_organization(&made.key, organization.to_bytes());
        Ok((lock, made))
    }

    fn in_force(
        &self,
        (place, made): (&str, MadeKey),
        lock: &KeyEncryptionKey,
        vault: &VaultKey,
    ) -> State {
        let vault = lock.wrap_vault(vault, VAULT_KEY, &*self.random);
        State {
            in_force: Some(InForce {
                place: place.to_owned(),
                name: lock.name(),
                wrapped: made.wrapped,
            }),
            vault: vault.as_bytes().to_vec(),
            withdrawn_at: None,
        }
    }

    /// Wraps each data key of the organization that is under `from` by `to`, and says how many there were. One
    /// that opens under neither ends it.
    async fn rewrap_all(
        &self,
        rows: &mut dyn ControlTx,
        organization: OrganizationId,
        from: Under<'_>,
        to: Under<'_>,
    ) -> Result<u64, StoreError> {
        let mut moved = 0;
        for (whose, workspace, wrapped) in rows.wrapped_keys().await? {
            if whose != organization {
                continue;
            }
            let id = workspace.to_bytes();
            let data = match (&from, wrapped.is_layered()) {
                (Under::Installation | Under::Both(_), false) => self.kek.unwrap(&wrapped, id)?,
                (Under::Both(old), true) => self.kek.unwrap_layered(old, &wrapped, id)?,
                // It is where it should be, or is nobody's to move.
                (Under::Installation, true) => continue,
            };
            let anew = match &to {
                Under::Installation if !wrapped.is_layered() => continue,
                Under::Installation => self.kek.wrap(&data, id, &*self.random),
                Under::Both(lock) => self.kek.wrap_layered(lock, &data, id, &*self.random),
            };
            rows.put_wrapped_key((whose, workspace, anew)).await?;
            moved += 1;
        }
        Ok(moved)
    }
}

fn unwrapped(lock: &KeyEncryptionKey, state: &State) -> Result<VaultKey, StoreError> {
    let vault = WrappedKey::from_bytes(state.vault.clone());
    Ok(lock.unwrap_vault(&vault, VAULT_KEY)?)
}

fn refused(why: NotGiven) -> StoreError {
    StoreError::Refused(match why {
        NotGiven::Refused(why) => format!("the key was not given: {why}"),
        NotGiven::Away(why) => format!("whoever keeps the key could not be asked: {why}"),
    })
}
