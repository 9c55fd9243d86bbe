//! Who connects, before they have shown that they know the lease.
//!
//! Everybody on the machine can open a connection to a lease's port. Until a first request has the password, or
//! the path of a base, a connection has no place among those of the lease: it waits among a few others, for a
//! short time, and the one that waits longest goes when there are too many.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit};
use tokio::time::sleep;

use crate::lease::Leased;
use crate::refusal::{Reason, Refusal};

/// One connection to the proxy itself.
#[derive(Default)]
pub(crate) struct Guest {
    places: Mutex<Option<[OwnedSemaphorePermit; 2]>>,
    shown_out: Notify,
}

/// Those who have shown nothing so far, oldest first.
pub(crate) struct Waiting {
    most: usize,
    guests: Mutex<VecDeque<Weak<Guest>>>,
}

impl Guest {
    /// The connection has shown that it knows the lease: from now on it has a place of it, if there is one.
    pub(crate) fn admit(&self, lease: &Leased) -> Result<(), Refusal> {
        let mut places = self.places();
        if places.is_some() {
            return Ok(());
        }
        let taken = [&lease.connections, &lease.together]
            .map(|places| Arc::clone(places).try_acquire_owned());
        let [Ok(own), Ok(of_all)] = taken else {
            return Err(Refusal::new(
                Reason::Exhausted,
                "as many connections are open as there may be: close some",
            ));
        };
        *places = Some([own, of_all]);
        Ok(())
    }

    /// Ends when the connection has to go; never, once it has a place.
    pub(crate) async fn overstays(&self, patience: Duration) {
        tokio::select! {
            () = sleep(patience) => {}
            () = self.shown_out.notified() => {}
        }
        if self.places().is_some() {
            std::future::pending::<()>().await;
        }
    }

    fn places(&self) -> MutexGuard<'_, Option<[OwnedSemaphorePermit; 2]>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    pub(crate) fn new(most: usize) -> Self {
        Self {
            most,
            guests: Mutex::default(),
        }
    }

    /// One more waits. Where there are too many, the oldest goes.
    pub(crate) fn take_in(&self, guest: &Arc<Guest>) {
        let mut guests = self.guests.lock().unwrap_or_else(PoisonError::into_inner);
        guests.retain(|known| {
            let known = known.upgrade();
            known.is_some_and(|known| known.places().is_none())
        });
        while guests.len() >= self.most {
            if let Some(oldest) = guests.pop_front().and_then(|oldest| oldest.upgrade()) {
                oldest.shown_out.notify_one();
            }
        }
        guests.push_back(Arc::downgrade(guest));
    }
}
