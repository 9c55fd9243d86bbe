//! Other nodes on the same rows: what they announce, what they are at, what they have used up.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use skep_authz::{Authorized, Upkeep};
use skep_domain::Timestamp;
use tokio::sync::oneshot;

use super::Store;
use crate::StoreError;
use crate::access::{Announcement, Revocation};
use crate::backend::{Heard, Hold, Mode, Work};
use crate::scope::{ControlKey, ScopeKey};

/// That a piece of work is ours where nobody else could do it.
struct Alone;

impl Hold for Alone {}

impl Store {
    /// Something that nobody can guess.
    #[must_use]
    pub fn chance(&self) -> [u8; 16] {
        self.random.array()
    }

    /// Whether other nodes may use the same rows.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.backend.shared().is_some()
    }

    /// Waits for what other nodes do, and tells it to whoever listens here; `None` where there are none.
    /// After [`Announcement::Keys`] or [`Heard::Missed`], call [`Store::read_keys`].
    pub async fn hear(&self) -> Option<Heard> {
        let heard = self.backend.shared()?.hear(&ControlKey::new()).await;
        match heard {
            Heard::Told(Announcement::Revoked(what)) => self.crier.tell(Revocation::Of(what)),
            Heard::Missed => self.crier.tell(Revocation::Anything),
            Heard::Told(Announcement::Keys) | Heard::Gone => {}
        }
        Some(heard)
    }

    /// Reads again which peppers and signing keys are in force, and lets go of opened data keys.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn read_keys(&self) -> Result<(), StoreError> {
        let key = ControlKey::new();
        let mut rows = self.backend.begin_control(&key, Mode::Read).await?;
        let (pepper, signing) = (rows.pepper().await?, rows.signing().await?);
        drop(rows);
        self.pepper.fetch_max(pepper, Ordering::Relaxed);
        let mut held = self.signing.lock().unwrap_or_else(PoisonError::into_inner);
        // A change of our own may have come in between.
        if signing.0 >= held.0 {
            *held = signing;
        }
        drop(held);
        self.open_keys().forget_where(|_| true);
        self.close_all();
        Ok(())
    }

    /// Does work that is many statements, and waits for hardly anything else, in the way that costs least on this
    /// store. If the caller goes away, it may be done all the same.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it cannot be begun.
    pub async fn at_once<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (told, mut came) = oneshot::channel();
        let work = async move {
            let _ = told.send(work.await);
        };
        self.backend.at_once(Box::pin(work)).await?;
        came.try_recv()
            .map_err(|_| StoreError::Unavailable("the store is closing".into()))
    }

    /// Has counts that were committed without a wait outlive the machine. Where the database does that by itself,
    /// within a second, there is nothing to do.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn sync(&self) -> Result<(), StoreError> {
        self.backend.sync().await
    }

    /// Whether the store answers, whatever waits for it.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn reach(&self) -> Result<(), StoreError> {
        self.backend.reach(&ControlKey::new()).await
    }

    /// Takes a piece of work on a workspace; `None` while another node does it.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn hold<P: Upkeep>(
        &self,
        authorized: Authorized<P>,
        work: Work,
    ) -> Result<Option<Box<dyn Hold>>, StoreError> {
        match self.backend.shared() {
            None => Ok(Some(Box::new(Alone))),
            Some(shared) => shared.hold(&ScopeKey::of(&authorized), work).await,
        }
    }

    /// Remembers a proof of possession as used, for every node; `false` when it was. For a store that
    /// [is shared](Store::is_shared).
    ///
    /// # Errors
    /// [`StoreError`]: nobody can tell.
    pub async fn spend_proof(
        &self,
        digest: [u8; 32],
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        match self.backend.shared() {
            None => Err(StoreError::Refused(
                "the store is this process's alone".into(),
            )),
            Some(shared) => shared.spend_proof(&ControlKey::new(), digest, until).await,
        }
    }

    /// Forgets proofs that are too old to be used again, at most so many; says how many.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn sweep_proofs(&self, limit: u32) -> Result<u64, StoreError> {
        match self.backend.shared() {
            None => Ok(0),
            Some(shared) => {
                let key = ControlKey::new();
                shared.sweep_proofs(&key, self.now(), limit).await
            }
        }
    }
}
