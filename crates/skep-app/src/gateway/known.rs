//! What is held of organizations' providers: their settings, their connections, and for a while their keys.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use skep_crypto::Plain;
use skep_domain::{AgentId, OrganizationId, Timestamp};
use skep_egress::{Pool, Target};
use skep_store::Mode;

use super::breaker::Breaker;
use super::context::{self, AgentContext};
use super::provider::{self, Kind, ProviderView};
use super::{CALLS, Gateway};
use crate::access::door;
use crate::{App, AppError};

/// How long settings count without another look: a change on another node is in force after that.
const FRESH_MICROS: i64 = 900_000;
/// How long a key counts without another look in the vault. A change here counts at once; this is for those that
/// are kept elsewhere.
const KEY_MICROS: i64 = 60_000_000;
/// Organizations that are held.
const HELD: usize = 4_096;

/// What is held.
#[derive(Default)]
pub(super) struct Known(Mutex<HashMap<OrganizationId, Entry>>);

struct Entry {
    read_at: Timestamp,
    all: Arc<[Arc<Provider>]>,
    contexts: HashMap<AgentId, AgentContext>,
}

/// The value of a key.
pub(super) type Key = Arc<Plain<Vec<u8>>>;

/// A provider, ready.
pub(super) struct Provider {
    pub(super) view: ProviderView,
    /// Where it is, and the way there; nowhere for the mock.
    pub(super) way: Option<(Target, Arc<Pool>)>,
    pub(super) breaker: Breaker,
    key: Mutex<Option<(Timestamp, Key)>>,
}

impl Known {
    fn held(&self) -> MutexGuard<'_, HashMap<OrganizationId, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the calls of an agent are given, as its organization's settings said when they were last read.
    pub(super) fn context(&self, organization: OrganizationId, agent: AgentId) -> AgentContext {
        let held = self.held();
        let known = held
            .get(&organization)
            .and_then(|entry| entry.contexts.get(&agent));
        known.copied().unwrap_or_default()
    }

    /// Looks again with the next call. Connections and keys stay.
    pub(super) fn look_again(&self, organization: OrganizationId) {
        if let Some(entry) = self.held().get_mut(&organization) {
            entry.read_at = Timestamp::from_micros(0);
        }
    }

    /// Drops all of an organization: its settings, its connections that wait, and its keys.
    pub(super) fn forget(&self, organization: OrganizationId) {
        self.held().remove(&organization);
    }
}

impl Provider {
    fn new(gateway: &Gateway, view: ProviderView) -> Result<Self, AppError> {
        let url = view.base_url.as_deref().or(view.kind.home());
        let way = url.map(|url| {
            let target = Target::parse(url).map_err(AppError::Egress)?;
            let pool = Pool::new(
                Arc::clone(&gateway.egress),
                target.origin().clone(),
                gateway.patience,
                CALLS,
            );
            Ok::<_, AppError>((target, Arc::new(pool)))
        });
        Ok(Self {
            way: way.transpose()?,
            view,
            breaker: Breaker::default(),
            key: Mutex::default(),
        })
    }

    /// Whether it is as it was set, and where it was allowed to be.
    pub(super) fn is_mock(&self) -> bool {
        self.view.kind == Kind::Mock
    }

    /// Its key, if it was had lately.
    pub(super) fn key(&self, now: Timestamp) -> Option<Key> {
        let held = self.key.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, key) = held.as_ref()?;
        let age = now.as_micros() - at.as_micros();
        (0..KEY_MICROS).contains(&age).then(|| Arc::clone(key))
    }

    pub(super) fn keep_key(&self, now: Timestamp, key: &Key) {
        let mut held = self.key.lock().unwrap_or_else(PoisonError::into_inner);
        *held = Some((now, Arc::clone(key)));
    }
}

impl App {
    /// The providers of an organization, as of a second ago at most. What cannot be read is no provider: a model
    /// is not called on what is not known.
    pub(super) async fn providers_of(
        &self,
        organization: OrganizationId,
    ) -> Result<Arc<[Arc<Provider>]>, AppError> {
        let now = self.store.now();
        let before = {
            let held = self.gateway.known.held();
            held.get(&organization)
                .map(|entry| (entry.read_at, Arc::clone(&entry.all)))
        };
        if let Some((at, all)) = &before
            && (0..FRESH_MICROS).contains(&(now.as_micros() - at.as_micros()))
        {
            return Ok(Arc::clone(all));
        }
        let mut tx = door!(self, Mode::Read).await?;
        let settings = tx.list_settings(organization).await?;
        drop(tx);
        let views = provider::parse(&settings);
        let known = before.map(|(_, all)| all).unwrap_or_default();
        let mut all = Vec::with_capacity(views.len());
        for view in views {
            // Its connections and its key stay, as long as nothing about it changes.
            match known.iter().find(|known| known.view == view) {
                Some(known) => all.push(Arc::clone(known)),
                None => all.push(Arc::new(Provider::new(&self.gateway, view)?)),
            }
        }
        let all: Arc<[_]> = all.into();
        let mut held = self.gateway.known.held();
        if held.len() >= HELD {
            held.clear();
        }
        let entry = Entry {
            read_at: now,
            all: Arc::clone(&all),
            contexts: context::parse(&settings),
        };
        held.insert(organization, entry);
        Ok(all)
    }

    /// Lets go of what is held of an organization's providers, its keys above all.
    pub(crate) fn forget_providers_of(&self, organization: OrganizationId) {
        self.gateway.known.forget(organization);
    }
}
