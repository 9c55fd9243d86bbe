//! The lease of a program that the daemon runs: of one template, over a socket of its own, until the run ends.
//!
//! It is a lease like any other: decided anew at each use, recorded, looked at by the sweep. It belongs to the
//! run alone, so that nobody lists, renews or ends it, and none but the run's program gets to its socket.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::slice;
use std::sync::Arc;
use std::time::Duration;

use skep_authz::Authorized;
use skep_authz::rights::SecretUse;
use skep_domain::{LeaseId, Timestamp};
use skep_wire::{Environment, Listen};

use super::broker::Broker;
use super::held::{Behind, Entry, Held, Whose};
use super::{NO_PROXY, refused, terms};
use crate::templates::Usable;
use crate::{App, AppError};

/// What a run has a lease for.
pub(crate) struct OfRun<'a> {
    /// Whoever asked for the run, as they stand now.
    pub(crate) authorized: &'a Authorized<SecretUse>,
    pub(crate) usable: &'a Usable,
    /// The run, as the record names it.
    pub(crate) label: &'a str,
    /// Where the proxy listens. Nothing is there yet.
    pub(crate) socket: PathBuf,
    /// Where its program finds it.
    pub(crate) address: SocketAddr,
    pub(crate) lasts: Duration,
}

/// The lease of a run. Dropped, it is over.
pub(crate) struct RunLease {
    app: Arc<App>,
    id: LeaseId,
    /// Where the proxy listens.
    pub(crate) socket: PathBuf,
    /// The file of certificates.
    pub(crate) bundle: PathBuf,
    /// What leads its program to the proxy.
    pub(crate) environment: Vec<(&'static str, String)>,
    /// By the variable in which its program looks for each secret, what it finds there.
    pub(crate) placeholders: Vec<(String, String)>,
}

impl App {
    /// Begins the lease of a run.
    pub(crate) async fn begin_lease_of(
        self: &Arc<Self>,
        run: OfRun<'_>,
    ) -> Result<RunLease, AppError> {
        let leases = self.leases.as_ref().ok_or(NO_PROXY)?;
        let drawn = terms::draw(slice::from_ref(run.usable), run.authorized.agent())?;
        let id = self.store.mint::<LeaseId>();
        let began_at = self.store.now();
        let lasts = i64::try_from(run.lasts.as_micros()).unwrap_or(i64::MAX);
        let ends_at = Timestamp::from_micros(began_at.as_micros().saturating_add(lasts));
        let held = Arc::new(Held::new(
            (id, run.label.to_owned()),
            Whose::of(run.authorized)?,
            vec![Behind::of(run.usable)],
            (began_at, ends_at, None),
            drawn.secrets,
        ));
        let terms = drawn
            .terms
            .named(run.label)
            .lasting(run.lasts)
            .listen(Listen::Unix(run.socket.clone()));
        let broker = Arc::new(Broker::new(self, &held));
        let begun = leases.proxy.wire.lease(terms, broker.clone(), broker).await;
        let lease = begun.map_err(refused)?;
        let bundle = leases.proxy.bundle.clone();
        let environment = Environment::new(run.address, &bundle).of(&lease);
        leases.keep_of_run(Entry { held, lease });
        let placeholders = drawn.placeholders.into_iter();
        Ok(RunLease {
            app: Arc::clone(self),
            id,
            socket: run.socket,
            bundle,
            environment,
            placeholders: placeholders
                .filter_map(|secret| Some((secret.variable()?, secret.placeholder)))
                .collect(),
        })
    }
}

impl Drop for RunLease {
    fn drop(&mut self) {
        if let Some(leases) = &self.app.leases {
            leases.end(self.id);
        }
    }
}
