//! Calls that may be asked for again: under a key of its caller's a call is made once, and whoever asks again with
//! the same key is given the same answer.
//!
//! Such a call is made to its end even if its caller leaves, since they may come back for what was paid for. Only an
//! answer that came to its end is kept; after anything else the key is free again.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use skep_authz::rights::GatewayUse;
use skep_authz::{Authorized, Denied};
use skep_domain::{Limits, MemoryId, Principal, Timestamp};
use skep_llm::Cost;
use skep_llm::relay::Ask;
use skep_store::{AnswerAsk, AnswerClaim, AnswerClaimed, KeptAnswer, StoreError};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::apart::{Apart, Place};
use super::context::Wish;
use super::stream::ModelStream;
use super::{
    AnswerFacts, Answered, CallCost, Format, GatewayCall, GatewayFault, Prepared, Relayed,
    WholeAnswer,
};
use crate::upkeep::{Tenant, maintain};
use crate::{App, AppError};

/// How long an answer is kept.
const KEPT: i64 = 24 * 3_600_000_000;
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
    /// The memories that were put into the call, and whose they are.
    given: Vec<(Principal, MemoryId)>,
    _place: Place,
}

/// What came of a key.
enum Claimed {
    /// The call is to be made.
    Ours(Claim),
    /// It was, by this claim.
    Kept(AnswerClaim, Box<KeptAnswer>),
}

/// A call, and the key under which it is asked for.
struct Asking {
    authorized: Authorized<GatewayUse>,
    call: GatewayCall,
    key: String,
    /// What else it asks for, by which it differs from one that has the same body.
    wanted: String,
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
    /// Makes a call that has a key, if nobody has. What was answered is given again to whoever may still read all that
    /// was put into the call; to others it is as if nothing had been kept.
    pub(super) async fn relay_once(
        self: &Arc<Self>,
        authorized: Authorized<GatewayUse>,
        (key, wanted): (String, String),
        (ask, call): (Ask, GatewayCall),
        mut wish: Wish<'_>,
    ) -> Result<Answered, AppError> {
        let asking = Asking {
            authorized,
            call,
            key,
            wanted,
        };
        let (mut claimed, mut asking) = self.claim(asking, None).await?;
        if let Claimed::Kept(found, kept) = claimed {
            if self.may_be_told(&mut wish, &kept).await? {
                // Whoever is answered again is given nothing anew, and nothing they say is kept twice.
                return Ok(Answered {
                    relayed: Relayed::Whole(again(*kept)),
                    context: None,
                });
            }
            (claimed, asking) = self.claim(asking, Some(found)).await?;
        }
        // What somebody else has kept meanwhile is for whoever asks once more.
        let Claimed::Ours(claim) = claimed else {
            return Err(GatewayFault::UnderWay.into());
        };
        let Asking {
            authorized, call, ..
        } = asking;
        let prepared = self.made_ready(&authorized, (ask, call), wish).await;
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

    /// Whether what was answered may be told to whoever asks again. What of others' it shows them is recorded first.
    async fn may_be_told(&self, wish: &mut Wish<'_>, kept: &KeptAnswer) -> Result<bool, AppError> {
        if kept.given.is_empty() {
            return Ok(true);
        }
        let Some(seeing) = wish.seeing.take() else {
            return Ok(false);
        };
        self.may_be_shown(seeing, &wish.reader, &kept.given).await
    }

    /// Claims a call, of its own, so that a caller who leaves ends nothing: what is claimed for nobody is let go.
    async fn claim(
        self: &Arc<Self>,
        asking: Asking,
        instead_of: Option<AnswerClaim>,
    ) -> Result<(Claimed, Asking), AppError> {
        let place = Apart::place(self, asking.authorized.organization())?;
        let (told, came) = oneshot::channel();
        let app = Arc::clone(self);
        self.gateway.apart.spawn(async move {
            let claimed = app.claimed(&asking, instead_of, place).await;
            let _ = told.send((claimed, asking));
        });
        let (claimed, asking) = came.await.map_err(|_| EARLY)?;
        Ok((claimed?, asking))
    }

    async fn claimed(
        self: &Arc<Self>,
        asking: &Asking,
        instead_of: Option<AnswerClaim>,
        place: Place,
    ) -> Result<Claimed, AppError> {
        let authorized = &asking.authorized;
        match self.claim_call(asking, instead_of).await? {
            AnswerClaimed::Ours(claim) => Ok(Claimed::Ours(Claim {
                app: Arc::clone(self),
                tenant: (authorized.organization(), authorized.workspace()),
                open: Some(claim),
                given: Vec::new(),
                _place: place,
            })),
            AnswerClaimed::Kept(found, kept) => Ok(Claimed::Kept(found, Box::new(kept))),
            AnswerClaimed::UnderWay { .. } => Err(GatewayFault::UnderWay.into()),
            AnswerClaimed::Other => Err(GatewayFault::KeyReused.into()),
        }
    }

    async fn relay_kept(
        self: &Arc<Self>,
        authorized: &Authorized<GatewayUse>,
        mut prepared: Prepared,
        mut claim: Claim,
    ) -> Result<Relayed, AppError> {
        claim.given = std::mem::take(&mut prepared.memories);
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
        asking: &Asking,
        instead_of: Option<AnswerClaim>,
    ) -> Result<AnswerClaimed, AppError> {
        let Asking {
            authorized, call, ..
        } = asking;
        let now = self.store.now();
        let run = self.gateway.apart.run.get_or_init(|| self.store.chance());
        let headers: Vec<&[u8]> = call
            .headers
            .iter()
            .flat_map(|(name, value)| [name.as_bytes(), value.as_bytes()])
            .collect();
        let path = call.format.path();
        let asked = [path.as_bytes(), &call.body, asking.wanted.as_bytes()];
        let asked = [&asked[..], &headers].concat();
        let ask = AnswerAsk {
            asker: authorized.principal().ok_or(Denied::MissingCredential)?,
            key: asking.key.as_bytes(),
            asked: &asked,
            run: *run,
            now,
            until: later(now, LONGEST.as_micros().try_into().unwrap_or(i64::MAX)),
            instead_of,
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
            given: std::mem::take(&mut self.given),
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
