//! Calls that may be asked for again: under a key of its caller's a call is made once, and whoever asks again with
//! the same key is given the same answer.
//!
//! Such a call is made to its end even if its caller leaves, since they may come back for what was paid for. Only an
//! answer that came to its end is kept; after anything else the key is free again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use skep_authz::rights::GatewayUse;
use skep_authz::{Authorized, Denied};
use skep_domain::{Limits, OrganizationId, Timestamp};
use skep_llm::Cost;
use skep_llm::relay::Ask;
use skep_store::{AnswerAsk, AnswerClaim, AnswerClaimed, KeptAnswer, StoreError};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use super::stream::ModelStream;
use super::{
    AnswerFacts, Answered, CallCost, ContextAsked, Format, GatewayCall, GatewayFault, Prepared,
    Relayed, WholeAnswer,
};
use crate::upkeep::{Tenant, maintain};
use crate::{App, AppError};

/// How long an answer is kept.
const KEPT: i64 = 24 * 3_600_000_000;
/// Calls with a key that may be under way: of all, and of one organization.
const PLACES: usize = 512;
const OWN_PLACES: usize = 256;
/// Between two tries to free a key; after the last it is free when its time is over.
const PAUSES: [Duration; 5] = [
    Duration::from_millis(100),
    Duration::from_secs(1),
    Duration::from_secs(5),
    Duration::from_secs(20),
    Duration::from_mins(1),
];
/// Between two looks for old ones. What is over is given to nobody before it is removed.
const CLEAR: Duration = Duration::from_hours(6);
/// How long a call may be under way at most.
pub(super) const LONGEST: Duration = Duration::from_hours(1);

const EARLY: AppError = AppError::Internal("a model call ended early");

/// What goes on without a caller.
#[derive(Default)]
pub(super) struct Apart {
    tasks: Mutex<JoinSet<()>>,
    /// Calls with a key that are under way.
    places: Mutex<HashMap<OrganizationId, usize>>,
    /// The run of this program: claims of an earlier one are nobody's.
    run: OnceLock<[u8; 16]>,
}

/// One of the calls that may be under way.
struct Place {
    app: Arc<App>,
    organization: OrganizationId,
}

/// Removes old answers, to be run by whoever owns the daemon's tasks.
#[derive(Debug)]
pub struct AnswerDesk {
    app: Arc<App>,
}

/// That a call is this caller's to make. Let go without an answer, it frees the key.
pub(super) struct Claim {
    app: Arc<App>,
    tenant: Tenant,
    open: Option<AnswerClaim>,
    _place: Place,
}

/// What came of a key.
enum Claimed {
    /// The call is to be made.
    Ours(Claim),
    /// It was.
    Kept(Box<WholeAnswer>),
}

/// An answer that is written down while it goes to its caller.
pub(super) struct Keeping {
    claim: Claim,
    body: Vec<u8>,
    is_too_long: bool,
}

impl AnswerDesk {
    /// The loop of an application.
    #[must_use]
    pub const fn new(app: Arc<App>) -> Self {
        Self { app }
    }

    /// Removes them now and then, until it is dropped.
    pub async fn run(self) {
        loop {
            tokio::time::sleep(CLEAR).await;
            self.app.clear_answers().await;
        }
    }
}

impl App {
    /// Makes a call that has a key, if nobody has.
    pub(super) async fn relay_once(
        self: &Arc<Self>,
        authorized: Authorized<GatewayUse>,
        key: String,
        (ask, call): (Ask, GatewayCall),
        asked: ContextAsked<'_>,
    ) -> Result<Answered, AppError> {
        let place = Apart::place(self, authorized.organization())?;
        let wanted = asked.wanted();
        let (told, came) = oneshot::channel();
        let app = Arc::clone(self);
        // Of its own, so that a caller who leaves ends nothing: what is claimed for nobody is let go.
        self.gateway.apart.spawn(async move {
            let claimed = app.claim(&authorized, &key, (&call, &wanted), place).await;
            let _ = told.send((claimed, authorized, call));
        });
        let (claimed, authorized, call) = came.await.map_err(|_| EARLY)?;
        let claim = match claimed? {
            Claimed::Ours(claim) => claim,
            Claimed::Kept(whole) => {
                return Ok(Answered {
                    relayed: Relayed::Whole(*whole),
                    context: None,
                });
            }
        };
        // Whoever is answered again is given nothing again, and nothing they say is kept twice.
        let prepared = self.made_ready(&authorized, (ask, call), asked).await;
        let (prepared, context) = prepared?;
        let (told, came) = oneshot::channel();
        let app = Arc::clone(self);
        // A stream that nobody takes goes on as well.
        self.gateway.apart.spawn(async move {
            let made = app.relay_kept(&authorized, prepared, claim).await;
            let _ = told.send(made);
        });
        let relayed = came.await.map_err(|_| EARLY)??;
        Ok(Answered { relayed, context })
    }

    async fn claim(
        self: &Arc<Self>,
        authorized: &Authorized<GatewayUse>,
        key: &str,
        asked: (&GatewayCall, &str),
        place: Place,
    ) -> Result<Claimed, AppError> {
        match self.claim_call(authorized, key, asked).await? {
            AnswerClaimed::Ours(claim) => Ok(Claimed::Ours(Claim {
                app: Arc::clone(self),
                tenant: (authorized.organization(), authorized.workspace()),
                open: Some(claim),
                _place: place,
            })),
            AnswerClaimed::Kept(kept) => Ok(Claimed::Kept(Box::new(again(kept)))),
            AnswerClaimed::UnderWay { .. } => Err(GatewayFault::UnderWay.into()),
            AnswerClaimed::Other => Err(GatewayFault::KeyReused.into()),
        }
    }

    async fn relay_kept(
        self: &Arc<Self>,
        authorized: &Authorized<GatewayUse>,
        prepared: Prepared,
        claim: Claim,
    ) -> Result<Relayed, AppError> {
        let format = prepared.call.format;
        Ok(match self.relay_now(authorized, prepared).await? {
            Relayed::Whole(whole) if is_answer(format, &whole) => {
                claim.keep(&whole.facts, false, whole.body.to_vec()).await;
                Relayed::Whole(whole)
            }
            Relayed::Stream(stream) => Relayed::Stream(Box::new(stream.kept_by(claim))),
            whole @ Relayed::Whole(_) => whole,
        })
    }

    /// Waits until calls that go on without a caller have ended, for so long at most.
    pub async fn end_calls(&self, patience: Duration) {
        if !self.gateway.apart.end(Instant::now() + patience).await {
            tracing::warn!(
                "calls without a caller were ended: they count with the most that they may have cost"
            );
        }
    }

    /// Lets go of a claim without an answer, however often that takes.
    async fn free_key(&self, tenant: Tenant, claim: AnswerClaim) {
        let mut pauses = PAUSES.into_iter();
        loop {
            let dropped = async {
                let mut tx = self.store.begin(maintain(tenant)).await?;
                tx.drop_answer_claim(claim).await?;
                tx.commit().await
            };
            match dropped.await {
                Ok(_) | Err(StoreError::Gone) => return,
                Err(error) => {
                    tracing::warn!(%error, "the key of a call that failed is not free yet");
                }
            }
            let Some(pause) = pauses.next() else {
                return;
            };
            tokio::time::sleep(pause).await;
        }
    }

    async fn claim_call(
        &self,
        authorized: &Authorized<GatewayUse>,
        key: &str,
        (call, wanted): (&GatewayCall, &str),
    ) -> Result<AnswerClaimed, AppError> {
        let now = self.store.now();
        let run = self.gateway.apart.run.get_or_init(|| self.store.chance());
        let headers: Vec<&[u8]> = call
            .headers
            .iter()
            .flat_map(|(name, value)| [name.as_bytes(), value.as_bytes()])
            .collect();
        let path = call.format.path();
        let asked = [path.as_bytes(), &call.body, wanted.as_bytes()];
        let asked = [&asked[..], &headers].concat();
        let ask = AnswerAsk {
            asker: authorized.principal().ok_or(Denied::MissingCredential)?,
            key: key.as_bytes(),
            asked: &asked,
            run: *run,
            now,
            until: later(now, LONGEST.as_micros().try_into().unwrap_or(i64::MAX)),
        };
        let tenant = (authorized.organization(), authorized.workspace());
        let mut tx = self.store.begin(maintain(tenant)).await?;
        let claimed = tx.claim_answer(ask, !self.store.is_shared()).await?;
        tx.commit().await?;
        Ok(claimed)
    }

    /// Removes the answers whose time is over, of all workspaces.
    async fn clear_answers(&self) {
        let tenants = match self.store.workspaces().await {
            Ok(tenants) => tenants,
            Err(error) => return tracing::warn!(%error, "old answers cannot be removed"),
        };
        for tenant in tenants {
            let cleared = async {
                let mut tx = self.store.begin(maintain(tenant)).await?;
                tx.prune_answers(self.store.now()).await?;
                tx.commit().await
            };
            match cleared.await {
                Ok(_) | Err(StoreError::Gone) => {}
                Err(error) => tracing::warn!(%error, "old answers cannot be removed"),
            }
        }
    }
}

/// Whether an answer is one to keep. One of a response may say that it failed.
fn is_answer(format: Format, whole: &WholeAnswer) -> bool {
    #[derive(serde::Deserialize)]
    struct Said<'a> {
        #[serde(borrow, default)]
        status: Option<std::borrow::Cow<'a, str>>,
    }
    let failed = || {
        let said = serde_json::from_slice::<Said<'_>>(&whole.body);
        said.is_ok_and(|said| said.status.as_deref() == Some("failed"))
    };
    whole.status == 200 && !(format == Format::Responses && failed())
}

fn later(now: Timestamp, micros: i64) -> Timestamp {
    Timestamp::from_micros(now.as_micros().saturating_add(micros))
}

/// What was answered before. It cost what it cost then, and nothing now.
fn again(kept: KeptAnswer) -> WholeAnswer {
    WholeAnswer {
        status: 200,
        body: kept.body.into(),
        retry_after: None,
        is_stream: kept.is_stream,
        facts: AnswerFacts {
            provider: kept.provider,
            cost: kept.usage.is_some().then_some(CallCost::Was(Cost(0))),
            usage: kept.usage,
            is_again: true,
            ..AnswerFacts::default()
        },
    }
}

impl Apart {
    /// Has something done, if there is anything to do it.
    pub(super) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        let mut tasks = self.tasks();
        while tasks.try_join_next().is_some() {}
        tasks.spawn_on(work, &runtime);
    }

    /// Waits for all of them; `false` when some had to be ended.
    async fn end(&self, until: Instant) -> bool {
        loop {
            let mut tasks = std::mem::take(&mut *self.tasks());
            if tasks.is_empty() {
                return true;
            }
            let all = async { while tasks.join_next().await.is_some() {} };
            if timeout_at(until, all).await.is_err() {
                tasks.shutdown().await;
                return false;
            }
        }
    }

    /// Takes a place for a call that may go on without its caller: nothing else bounds how many do.
    fn place(app: &Arc<App>, organization: OrganizationId) -> Result<Place, AppError> {
        let crowded =
            || AppError::Overloaded("too many calls with an Idempotency-Key are under way");
        let mut places = app.gateway.apart.places();
        if places.values().sum::<usize>() >= PLACES {
            return Err(crowded());
        }
        let own = places.entry(organization).or_default();
        if *own >= OWN_PLACES {
            return Err(crowded());
        }
        *own += 1;
        let app = Arc::clone(app);
        Ok(Place { app, organization })
    }

    fn places(&self) -> MutexGuard<'_, HashMap<OrganizationId, usize>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tasks(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut places = self.app.gateway.apart.places();
        if let Some(own) = places.get_mut(&self.organization) {
            *own -= 1;
            if *own == 0 {
                places.remove(&self.organization);
            }
        }
    }
}

impl Claim {
    /// Keeps the answer, whether or not anybody waits for that. Where it cannot be kept its caller has it all the
    /// same.
    async fn keep(mut self, facts: &AnswerFacts, is_stream: bool, body: Vec<u8>) {
        let Some(claim) = self.open.take() else {
            return;
        };
        let answer = KeptAnswer {
            provider: facts.provider.clone(),
            usage: facts.usage.clone(),
            is_stream,
            body,
        };
        let (app, tenant) = (Arc::clone(&self.app), self.tenant);
        let (done, kept) = oneshot::channel();
        self.app.gateway.apart.spawn(async move {
            let keeping = async {
                let now = app.store.now();
                let mut tx = app.store.begin(maintain(tenant)).await?;
                let times = (now, later(now, KEPT));
                tx.keep_answer(claim, &answer, times).await?;
                tx.commit().await
            };
            if let Err(error) = keeping.await {
                tracing::warn!(%error, "an answer could not be kept");
                app.free_key(tenant, claim).await;
            }
            let _ = done.send(());
        });
        let _ = kept.await;
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let Some(claim) = self.open.take() else {
            return;
        };
        let (app, tenant) = (Arc::clone(&self.app), self.tenant);
        self.app
            .gateway
            .apart
            .spawn(async move { app.free_key(tenant, claim).await });
    }
}

impl ModelStream {
    /// Keeps what comes, and goes on to its end if its caller leaves.
    fn kept_by(mut self, claim: Claim) -> Self {
        self.keep(Keeping {
            claim,
            body: Vec::new(),
            is_too_long: false,
        });
        self
    }
}

impl Keeping {
    /// Who sees to what goes on without a caller.
    pub(super) fn app(&self) -> Arc<App> {
        Arc::clone(&self.claim.app)
    }

    pub(super) fn push(&mut self, piece: &Bytes) {
        if self.is_too_long || self.body.len() + piece.len() > Limits::ANSWER_BYTES {
            self.is_too_long = true;
            self.body = Vec::new();
            return;
        }
        self.body.extend_from_slice(piece);
    }

    /// All of it has come.
    pub(super) async fn end(self, facts: &AnswerFacts) {
        if !self.is_too_long {
            self.claim.keep(facts, true, self.body).await;
        }
    }
}
