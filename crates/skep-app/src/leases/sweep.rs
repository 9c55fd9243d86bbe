//! Ending what does not hold any more: leases whose time is over, that nobody renews, or whose credential or
//! templates may not be used any longer.

use std::sync::Arc;
use std::time::Duration;

use skep_authz::Caller;
use skep_authz::rights::SecretUse;
use tokio::time::sleep;

use super::held::Held;
use crate::{App, AppError};

/// Between two looks at all leases. A revocation is acted on at once, and each use of a value asks anew.
const LOOK: Duration = Duration::from_secs(5);

/// Ends leases, to be run by whoever owns the daemon's tasks.
pub struct LeaseDesk {
    app: Arc<App>,
}

impl LeaseDesk {
    /// The loop of an application.
    #[must_use]
    pub fn new(app: Arc<App>) -> Self {
        Self { app }
    }

    /// Looks at all of them every few seconds and after each revocation, until it is dropped.
    pub async fn run(self) {
        let mut revocations = self.app.revocations();
        loop {
            tokio::select! {
                () = sleep(LOOK) => {}
                revoked = revocations.next() => if revoked.is_none() {
                    return std::future::pending().await;
                },
            }
            self.app.sweep_leases().await;
        }
    }
}

impl App {
    /// Ends every lease that does not hold any more. One that cannot be looked at goes on, without values:
    /// these are given by nobody who cannot be asked.
    pub async fn sweep_leases(&self) {
        let Some(leases) = &self.leases else { return };
        for held in leases.all() {
            let why = match held.is_over(self.store.now()) {
                Some(why) => why,
                None => match self.still_stands(&held).await {
                    Err(error) if is_final(&error) => error.to_string(),
                    _ => continue,
                },
            };
            tracing::info!(lease = held.text, why, "a lease has ended");
            leases.end(held.id);
        }
    }

    /// Whoever began a lease, as they stand now, if they may still use each of its templates as it was.
    pub(super) async fn still_stands(&self, held: &Held) -> Result<Caller, AppError> {
        let whose = &held.whose;
        let tenant = (whose.organization, Some(whose.workspace));
        let caller = self
            .store
            .stands(tenant, whose.principal, whose.credential)
            .await
            .map_err(AppError::unchecked)?;
        for behind in &held.templates {
            let authorized = caller.authorize::<SecretUse>()?;
            let usable = self.usable(&authorized, &behind.name).await?;
            if usable.id != behind.id || usable.template.digest() != behind.digest {
                return Err(AppError::Conflict(
                    "a template of this lease was replaced by another",
                ));
            }
        }
        Ok(caller)
    }
}

/// Whether it says that something may not be, rather than that it cannot be known.
pub(super) fn is_final(error: &AppError) -> bool {
    matches!(
        error,
        AppError::Denied(_)
            | AppError::Invalid(_)
            | AppError::NotFound(_)
            | AppError::Forbidden(_)
            | AppError::Conflict(_)
            | AppError::Unfit(_)
            | AppError::NoTemplate(_)
            | AppError::AccessRequired(_)
            | AppError::Closed(_)
    )
}

impl std::fmt::Debug for LeaseDesk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LeaseDesk")
    }
}
