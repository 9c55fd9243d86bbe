//! Keys that organizations keep themselves are asked for again and again; what is not given any more is dropped
//! from memory, at once.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use skep_domain::OrganizationId;
use skep_store::{Closing, StoreError};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::access::Decision;
use crate::{App, AppError};

/// Between two looks whether a key is about to be too old. A look that finds none costs nothing.
const LOOK: Duration = Duration::from_secs(1);

/// The loop that asks, to be run by whoever owns the daemon's tasks.
pub struct KeyDesk {
    app: Arc<App>,
    /// How often opened keys had been forgotten at the last look.
    seen: AtomicU64,
}

impl App {
    /// Drops whatever is in memory of an organization that has closed its workspaces, and ends what is done for
    /// it.
    pub(crate) fn drop_organization(&self, organization: OrganizationId) {
        self.hot.forget_organization(organization);
        self.forget_execs_of_organization(organization);
        self.forget_providers_of(organization);
        self.standings.forget(organization);
        if let Some(leases) = &self.leases {
            leases.end_of(organization);
        }
        if let Some(vault) = &self.vault {
            vault.take_back(organization);
        }
    }

    /// Goes on with what stood still while an organization had closed its workspaces.
    async fn take_up_organization(&self, organization: OrganizationId) -> Result<(), AppError> {
        let mut there = self.store.workspaces().await?;
        there.retain(|(whose, _)| *whose == organization);
        for tenant in &there {
            self.dirty.mark(*tenant);
            self.mark_for_model(*tenant);
        }
        self.vault_bell.notify_one();
        self.take_up_execs_of(&there).await
    }
}

impl KeyDesk {
    /// The loop of an application.
    #[must_use]
    pub fn new(app: Arc<App>) -> Self {
        let seen = AtomicU64::new(0);
        Self { app, seen }
    }

    /// Runs until it is dropped.
    pub async fn run(self) {
        let mut closed = HashSet::new();
        loop {
            self.look(&mut closed).await;
            let _ = timeout(LOOK, self.app.store.key_moved()).await;
        }
    }

    /// Asks for each key that is about to be too old, all at a time: one that does not answer keeps no other one
    /// waiting. Says which are closed.
    pub async fn look(&self, closed: &mut HashSet<OrganizationId>) {
        let known = self.known();
        if let Err(error) = self.app.store.scrub_keys().await {
            tracing::warn!(%error, "older forms of data keys are still in the store's files");
        }
        // Before anybody is asked, which may take long.
        self.drop_closed(&known);
        let mut asking = JoinSet::new();
        for organization in &known {
            let (app, organization) = (Arc::clone(&self.app), *organization);
            asking.spawn(async move { (organization, app.store.ask_again(organization).await) });
        }
        while let Some(asked) = asking.join_next().await {
            let Ok((organization, outcome)) = asked else {
                continue;
            };
            match outcome {
                Err(StoreError::Closed(closing)) => {
                    if closed.insert(organization) {
                        self.told_closed(organization, closing);
                    }
                }
                Ok(()) => {
                    if closed.remove(&organization) {
                        self.told_open(organization).await;
                    }
                }
                // The store cannot be asked: what is too old is closed all the same, below.
                Err(error) => {
                    tracing::warn!(%error, "the key of an organization was not looked up");
                }
            }
            self.drop_closed(&[organization]);
        }
    }

    /// Those that keep a key of their own. After another node has changed something, whoever has an index here may
    /// be one of them.
    fn known(&self) -> Vec<OrganizationId> {
        let mut known = self.app.store.known_owners();
        let forgotten = self.app.store.forgotten();
        if self.seen.swap(forgotten, Ordering::Relaxed) != forgotten {
            let hot = self.app.hot.organizations();
            known.extend(
                hot.into_iter()
                    .filter(|one| !known.contains(one))
                    .collect::<Vec<_>>(),
            );
        }
        known
    }

    /// Again and again: what was under way when a key went may have left something behind.
    fn drop_closed(&self, known: &[OrganizationId]) {
        for organization in known {
            if self.app.store.is_closed(*organization) {
                self.app.drop_organization(*organization);
            }
        }
    }

    fn told_closed(&self, organization: OrganizationId, closing: Closing) {
        tracing::warn!(%closing, "the workspaces of an organization are closed");
        let decision = Decision {
            action: "org.key_closed".into(),
            reason: closing.to_string(),
            organization: Some(organization),
            ..Decision::default()
        };
        self.app.record_denied(decision, None);
    }

    async fn told_open(&self, organization: OrganizationId) {
        tracing::info!("the workspaces of an organization are open again");
        let decision = Decision {
            action: "org.key_opened".into(),
            organization: Some(organization),
            ..Decision::default()
        };
        let app = &self.app;
        if let Err(error) = app.record_allowed(decision, None).await {
            tracing::warn!(%error, "that an organization is open again is not in the record");
        }
        if let Err(error) = app.take_up_organization(organization).await {
            tracing::warn!(%error, "what waited for an organization is not taken up");
        }
    }
}
