//! Leases: a program uses secrets that it never holds, through a proxy of its own, for as long as whoever
//! started it may use the templates behind it.
//!
//! A lease is as good as all of its templates and the credential that began it. Both are asked about again
//! at each use of a value, and every few seconds beside that; what does not hold any more ends it.

mod authority;
mod broker;
mod held;
mod of_run;
mod sweep;
mod terms;
mod variable;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use skep_authz::Authorized;
use skep_authz::rights::SecretUse;
use skep_crypto::Plain;
use skep_domain::{LeaseId, RecordName, Timestamp};
use skep_vault::template::{Owner, Rule};
use skep_wire::{Environment, Lease, Listen, Wire, WireError};

use crate::error::Invalid;
use crate::templates::Usable;
use crate::{App, AppError};

pub use authority::wire_authority;
use broker::Broker;
pub(crate) use held::Leases;
use held::{Behind, Entry, Held, Whose};
pub(crate) use of_run::{OfRun, RunLease};
pub use sweep::LeaseDesk;

/// Templates that one lease names at most.
const TEMPLATES: usize = 16;

/// The proxy of a daemon, and how much of it there is for whom.
pub struct Proxy {
    /// The proxy.
    pub wire: Wire,
    /// The file of certificates that programs trust.
    pub bundle: PathBuf,
    /// Leases that callers have at a time. The proxy has room for those of runs beside them.
    pub leases: usize,
    /// Leases of one credential at a time.
    pub each: usize,
    /// How long a lease goes on without being renewed.
    pub renewed: Duration,
}

/// What a caller asks for.
#[derive(Clone, Debug, Default)]
pub struct BeginLease {
    /// Names of templates; all that the caller may use if there are none.
    pub templates: Vec<String>,
    /// Seconds that it lasts at most.
    pub seconds: Option<u32>,
    /// Whether it goes on without being renewed.
    pub unattended: bool,
}

/// A lease that has begun.
pub struct BegunLease {
    /// Its id.
    pub id: LeaseId,
    /// What the program's environment has to hold, but for placeholders.
    pub environment: Vec<(&'static str, Plain<String>)>,
    /// The URL of the proxy, password and all.
    pub proxy: Plain<String>,
    /// The file of certificates.
    pub bundle: PathBuf,
    /// What stands for which secret, and where that may go.
    pub placeholders: Vec<LeasedSecret>,
    /// Name, origin and URL of each base.
    pub bases: Vec<(String, String, Plain<String>)>,
    /// Hosts that it gets through to unread.
    pub hosts: Vec<String>,
    /// The names of its templates.
    pub templates: Vec<String>,
    /// When it ends, whatever is done.
    pub ends_at: Timestamp,
    /// How soon it has to be renewed.
    pub renewed: Option<Duration>,
}

/// A secret of a lease.
#[derive(Debug)]
pub struct LeasedSecret {
    /// What the program writes in its place.
    pub placeholder: String,
    /// What it is called.
    pub secret: String,
    /// Whose it is.
    pub owner: Owner,
    /// Where it may go, each with the name of the template that says so.
    pub rules: Vec<(String, Rule)>,
}

/// A lease under way.
#[derive(Clone, Debug)]
pub struct LeaseView {
    /// Its id.
    pub id: LeaseId,
    /// The names of its templates.
    pub templates: Vec<String>,
    /// When it began.
    pub began_at: Timestamp,
    /// When it ends, whatever is done.
    pub ends_at: Timestamp,
    /// Whether it goes on without being renewed.
    pub unattended: bool,
    /// How often a value was sent.
    pub uses: u64,
    /// How often something was refused.
    pub refused: u64,
}

/// Writes the id of a lease as its owner knows it.
pub type LeaseText<'a> = &'a (dyn Fn(LeaseId) -> String + Send + Sync);

const NO_PROXY: AppError = AppError::Conflict("this daemon has no proxy for secrets");
const NONE: AppError = AppError::Conflict(
    "there is no template for requests that you may use: see which there are with skep template list, and ask for \
     one with skep access ask NAME --reason …",
);

impl App {
    /// Lets programs use secrets through this proxy.
    #[must_use]
    pub fn with_wire(mut self, proxy: Proxy) -> Self {
        self.leases = Some(Leases::new(proxy));
        self
    }

    /// Begins a lease for whoever asks. `until` is when their credential ends.
    ///
    /// # Errors
    /// [`AppError::Conflict`] where there is no proxy, or nothing that they may use; whatever stands
    /// against a template that was named; [`AppError::Overloaded`] when there are too many.
    pub async fn begin_lease(
        self: &Arc<Self>,
        (authorized, until): (Authorized<SecretUse>, Option<Timestamp>),
        wanted: BeginLease,
        text: LeaseText<'_>,
    ) -> Result<BegunLease, AppError> {
        for name in &wanted.templates {
            let named = RecordName::parse(name);
            named.map_err(|error| Invalid::unknown("templates", &error.to_string()))?;
        }
        let leases = self.leases.as_ref().ok_or(NO_PROXY)?;
        let whose = Whose::of(&authorized)?;
        leases.has_room_for(&whose)?;
        let templates = self.leased(&authorized, &wanted.templates).await?;
        let began_at = self.store.now();
        let ends_at = ends(began_at, &wanted, &templates, until)?;
        let drawn = terms::draw(&templates, authorized.agent())?;
        let id = self.store.mint::<LeaseId>();
        let renewed = (!wanted.unattended).then_some(leases.proxy.renewed);
        let held = Arc::new(Held::new(
            (id, text(id)),
            whose,
            templates.iter().map(Behind::of).collect(),
            (began_at, ends_at, renewed),
            drawn.secrets,
        ));
        let lasts = Duration::from_micros(micros_between(began_at, ends_at));
        let terms = drawn
            .terms
            .named(&held.text)
            .lasting(lasts)
            .listen(Listen::Tcp);
        let broker = Arc::new(Broker::new(self, &held));
        let begun = leases.proxy.wire.lease(terms, broker.clone(), broker).await;
        let lease = begun.map_err(refused)?;
        let address = lease.address().ok_or(NO_PROXY)?;
        let environment = Environment::new(address, &leases.proxy.bundle).of(&lease);
        let begun = BegunLease {
            id,
            environment: wiped(environment),
            proxy: Plain::new(lease.proxy_url(address)),
            bundle: leases.proxy.bundle.clone(),
            placeholders: drawn.placeholders,
            bases: bases(drawn.bases, &lease, address),
            hosts: drawn.hosts,
            templates: held.names(),
            ends_at,
            renewed,
        };
        leases.keep(Entry { held, lease })?;
        Ok(begun)
    }

    /// Says that the program of a lease still runs.
    ///
    /// # Errors
    /// [`AppError::NotFound`] for one that has ended, and for another's; whatever has come to stand
    /// against it, which ends it.
    pub async fn renew_lease(
        &self,
        authorized: Authorized<SecretUse>,
        id: LeaseId,
    ) -> Result<(Timestamp, Option<Duration>), AppError> {
        let leases = self.leases.as_ref().ok_or(AppError::NotFound("lease"))?;
        let held = leases.get(id, &Whose::of(&authorized)?, self.store.now())?;
        if let Err(error) = self.still_stands(&held).await {
            if sweep::is_final(&error) {
                leases.end(id);
            }
            return Err(error);
        }
        held.renew(self.store.now());
        Ok((held.ends_at, held.renewed))
    }

    /// Ends a lease, at once.
    ///
    /// # Errors
    /// As [`App::renew_lease`].
    pub fn end_lease(
        &self,
        authorized: &Authorized<SecretUse>,
        id: LeaseId,
    ) -> Result<(), AppError> {
        let leases = self.leases.as_ref().ok_or(AppError::NotFound("lease"))?;
        leases.get(id, &Whose::of(authorized)?, self.store.now())?;
        leases.end(id);
        Ok(())
    }

    /// The leases of the credential that asks, oldest first.
    ///
    /// # Errors
    /// [`AppError::Internal`] for upkeep, which has none.
    pub fn list_leases(
        &self,
        authorized: &Authorized<SecretUse>,
    ) -> Result<Vec<LeaseView>, AppError> {
        let whose = Whose::of(authorized)?;
        let now = self.store.now();
        Ok(self
            .leases
            .as_ref()
            .map_or_else(Vec::new, |leases| leases.of(&whose, now)))
    }

    /// The templates that a lease is begun with.
    async fn leased(
        &self,
        authorized: &Authorized<SecretUse>,
        names: &[String],
    ) -> Result<Vec<Usable>, AppError> {
        Invalid::check_count("templates", names.len(), TEMPLATES)?;
        let mut found: Vec<Usable> = Vec::new();
        if names.is_empty() {
            let all = self.usables(authorized).await?.into_iter();
            found.extend(all.filter(|usable| usable.template.requests().is_some()));
            if found.len() > TEMPLATES {
                let message =
                    "you may use more than 16 templates for requests: name those that are needed";
                return Err(Invalid::unknown("templates", message));
            }
        }
        for (at, name) in names.iter().enumerate() {
            let usable = self.usable(authorized, name).await?;
            if usable.template.requests().is_none() {
                let message = "is for a program that the daemon runs: use it with skep exec";
                return Err(Invalid::unknown(&format!("templates[{at}]"), message));
            }
            if !found.iter().any(|known| known.id == usable.id) {
                found.push(usable);
            }
        }
        if found.is_empty() {
            Err(NONE)
        } else {
            Ok(found)
        }
    }
}

/// When a lease ends: with the first of all that it depends on.
fn ends(
    began_at: Timestamp,
    wanted: &BeginLease,
    templates: &[Usable],
    until: Option<Timestamp>,
) -> Result<Timestamp, AppError> {
    if wanted.seconds == Some(0) {
        return Err(Invalid::unknown("seconds", "is at least 1"));
    }
    let after = |seconds: u32| began_at.as_micros() + i64::from(seconds) * 1_000_000;
    let longest = templates.iter().filter_map(|usable| {
        let requests = usable.template.requests()?;
        Some(after(requests.seconds))
    });
    let granted = templates.iter().filter_map(|usable| usable.until);
    let all = longest
        .chain(granted.map(Timestamp::as_micros))
        .chain(until.map(Timestamp::as_micros))
        .chain(wanted.seconds.map(after));
    let first = all.min().unwrap_or(began_at.as_micros());
    Ok(Timestamp::from_micros(first))
}

fn micros_between(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from(to.as_micros() - from.as_micros()).unwrap_or(0)
}

fn wiped(environment: Vec<(&'static str, String)>) -> Vec<(&'static str, Plain<String>)> {
    let plain = |(name, value)| (name, Plain::new(value));
    environment.into_iter().map(plain).collect()
}

fn bases(
    named: Vec<(String, String)>,
    lease: &Lease,
    address: std::net::SocketAddr,
) -> Vec<(String, String, Plain<String>)> {
    let urls = named.into_iter().filter_map(|(name, origin)| {
        let url = lease.base_url(&name, address)?;
        Some((name, origin, Plain::new(url)))
    });
    urls.collect()
}

fn refused(error: WireError) -> AppError {
    match error {
        WireError::Full(_) => AppError::Overloaded("leases"),
        WireError::Terms(why) => Invalid::unknown("templates", &why),
        WireError::Authority(why) => {
            tracing::error!(why, "the proxy's authority cannot be used");
            AppError::Internal("the proxy's authority cannot be used")
        }
        WireError::Io { what, source } => {
            tracing::error!(%source, what, "a lease could not begin");
            AppError::Overloaded("leases: this machine gives the daemon no more ports or files")
        }
    }
}
