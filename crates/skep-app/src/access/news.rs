//! News of revocations, for whoever remembers checks.

use skep_store::Revocation;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use crate::App;

/// News from the moment of asking on.
#[derive(Debug)]
pub struct Revocations(Receiver<Revocation>);

impl App {
    /// Every revocation from now on, once it is durable: keys, logins, members, agents,
    /// organizations. At most 256 are held for a listener that is behind.
    #[must_use]
    pub fn revocations(&self) -> Revocations {
        Revocations(self.store.revocations())
    }
}

impl Revocations {
    /// Waits for the next one; `None` when there will be none.
    pub async fn next(&mut self) -> Option<Revocation> {
        match self.0.recv().await {
            Ok(what) => Some(what),
            Err(RecvError::Lagged(_)) => Some(Revocation::Anything),
            Err(RecvError::Closed) => None,
        }
    }
}
