//! The ways in to the installation's own rows: checks of credentials, and transactions on what
//! organizations, callers and doors may touch.

use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use skep_authz::{Authorized, Caller, Checked, Denied, Presented, Right, authenticate};
use skep_crypto::{BearerKind, Random};
use skep_domain::{Bindings, CredentialId, OrganizationId, Timestamp, WorkspaceId};

use tokio::sync::broadcast;

use super::{AuthenticateError, Store};
use crate::StoreError;
use crate::access::{Announcement, CredentialBody, DoorTx, Minted, OrgTx, Revocation, SelfTx};
use crate::backend::Mode;
use crate::row::PepperUse;
use crate::scope::{ControlKey, ScopeKey};

/// Stands for the name of a workspace that does not open: no name may have brackets.
const CLOSED: &str = "(key withdrawn)";

impl Store {
    /// The workspaces of the organization in which the right was proved, by age.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_workspaces<P: Right>(
        &self,
        authorized: Authorized<P>,
    ) -> Result<Vec<(WorkspaceId, String, Timestamp)>, StoreError> {
        let organization = authorized.organization();
        let mut rows = self.control_tx(Mode::Read).await?;
        let found = rows.list_workspaces_of(organization).await?;
        drop(rows);
        let mut named = Vec::with_capacity(found.len());
        for workspace in found {
            let scope = ScopeKey::provision(organization, workspace.id);
            let name = match self.name_of(&scope).await {
                // Deleted since it was listed.
                Err(StoreError::Gone) => continue,
                // So that whoever withdrew its key sees what there is.
                Err(StoreError::Closed(_)) => CLOSED.to_owned(),
                outcome => outcome?,
            };
            named.push((workspace.id, name, workspace.created_at));
        }
        Ok(named)
    }

    /// Finds whose credential it is.
    ///
    /// # Errors
    /// [`AuthenticateError`].
    pub async fn check(&self, presented: Presented) -> Result<Checked, AuthenticateError> {
        let row = self.backend.credential(&presented.key()).await?;
        let bindings = match row
            .as_ref()
            .and_then(|row| row.body().map(|body| (row, body)))
        {
            None => Arc::new(Bindings::default()),
            Some((row, body)) => {
                let body = CredentialBody::open(&self.control, row.organization(), row.id(), body)?;
                Arc::new(body.bindings)
            }
        };
        let now = self.clock.now();
        Ok(authenticate(presented, row, bindings, &self.instance, now)?)
    }

    /// Finds whose credential it is, one that is checked without a slow hash.
    ///
    /// # Errors
    /// [`AuthenticateError`].
    pub async fn authenticate(&self, presented: Presented) -> Result<Caller, AuthenticateError> {
        match self.check(presented).await? {
            Checked::Caller(caller) => Ok(*caller),
            Checked::Slow(_) => Err(Denied::InvalidCredential.into()),
        }
    }

    /// Mints a credential that nobody knows of until it is kept. A personal access token takes tens
    /// of milliseconds and 19 MiB: do that where blocking is fine.
    ///
    /// # Errors
    /// [`StoreError::Crypto`].
    pub fn mint_bearer(&self, kind: BearerKind) -> Result<Minted, StoreError> {
        let pepper = self.pepper.load(Ordering::Relaxed);
        Minted::new(kind, self.mint(), &self.instance, pepper, &*self.random)
    }

    /// Mints the next secret of a login, for [`DoorTx::renew_login`].
    ///
    /// # Errors
    /// [`StoreError::Crypto`].
    pub fn mint_next(&self, login: CredentialId) -> Result<Minted, StoreError> {
        let pepper = self.pepper.load(Ordering::Relaxed);
        let kind = BearerKind::Refresh;
        Minted::new(kind, login, &self.instance, pepper, &*self.random)
    }

    /// Tells of every revocation from now on, once it is durable. Whoever falls behind is told that
    /// they missed some.
    #[must_use]
    pub fn revocations(&self) -> broadcast::Receiver<Revocation> {
        self.crier.listen()
    }

    /// The source of randomness, for what is minted outside.
    #[must_use]
    pub fn random(&self) -> &dyn Random {
        &*self.random
    }

    /// The name of a workspace, for whoever found that its reader belongs there: see
    /// [`DoorTx::list_homes_of`].
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn name_for_member(
        &self,
        (organization, workspace): (OrganizationId, WorkspaceId),
    ) -> Result<String, StoreError> {
        let scope = ScopeKey::provision(organization, workspace);
        match self.name_of(&scope).await {
            // They log in all the same, and may be the one who gives its key back.
            Err(StoreError::Closed(_)) => Ok(CLOSED.to_owned()),
            outcome => outcome,
        }
    }

    /// Puts the next pepper in force. Credentials made under older ones go on working.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn raise_pepper(&self) -> Result<u32, StoreError> {
        let key = ControlKey::new();
        let mut rows = self.backend.begin_control(&key, Mode::Write).await?;
        let pepper = rows.raise_pepper().await?;
        rows.announce(&[Announcement::Keys]).await?;
        rows.commit().await?;
        self.pepper.fetch_max(pepper, Ordering::Relaxed);
        Ok(pepper)
    }

    /// The number of the pepper in force, and what each one guards.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn peppers(&self) -> Result<(u32, Vec<PepperUse>), StoreError> {
        let key = ControlKey::new();
        let mut rows = self.backend.begin_control(&key, Mode::Read).await?;
        Ok((rows.pepper().await?, rows.peppers_in_use(self.now()).await?))
    }

    /// The generation of signing keys, and since when it is in force.
    #[must_use]
    pub fn signing(&self) -> (u32, Timestamp) {
        let held = self.signing.lock();
        *held.unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts the next generation of signing keys in force, from this moment on.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when somebody else did meanwhile.
    pub async fn raise_signing(&self) -> Result<(), StoreError> {
        let key = ControlKey::new();
        let mut rows = self.backend.begin_control(&key, Mode::Write).await?;
        let ((from, _), now) = (rows.signing().await?, self.now());
        if from != self.signing().0 || !rows.raise_signing(from, now).await? {
            return Err(StoreError::Conflict("signing keys changed meanwhile"));
        }
        rows.announce(&[Announcement::Keys]).await?;
        rows.commit().await?;
        let held = self.signing.lock();
        *held.unwrap_or_else(PoisonError::into_inner) = (from + 1, now);
        Ok(())
    }

    /// Opens a transaction on the rows of the organization in which the right was proved.
    ///
    /// # Errors
    /// [`StoreError`]; nothing was changed.
    pub async fn begin_org<P: Right>(
        &self,
        authorized: Authorized<P>,
    ) -> Result<OrgTx<P>, StoreError> {
        let mode = if P::WRITES { Mode::Write } else { Mode::Read };
        Ok(OrgTx::new(self.control_tx(mode).await?, authorized))
    }

    /// Opens a transaction on what belongs to a caller alone.
    ///
    /// # Errors
    /// [`StoreError`]; nothing was changed. [`StoreError::OutOfBounds`] for a caller that another
    /// daemon vouches for.
    pub async fn begin_self(&self, caller: &Caller, mode: Mode) -> Result<SelfTx, StoreError> {
        if caller.is_vouched() {
            return Err(StoreError::OutOfBounds("it is kept by another daemon"));
        }
        Ok(SelfTx::new(self.control_tx(mode).await?, caller))
    }

    /// Opens a transaction for those not yet known, confined to nothing; banned by `clippy.toml`
    /// outside the doors of `skep-app`.
    ///
    /// # Errors
    /// [`StoreError`]; nothing was changed.
    pub async fn begin_door(&self, mode: Mode) -> Result<DoorTx, StoreError> {
        self.control_tx(mode).await
    }

    pub(super) async fn control_tx(&self, mode: Mode) -> Result<DoorTx, StoreError> {
        let rows = self.backend.begin_control(&ControlKey::new(), mode).await?;
        Ok(DoorTx::new(
            rows,
            Arc::clone(&self.control),
            self.clock.now(),
            &self.crier,
        ))
    }
}
