//! Asking another daemon who presents a credential: within a deadline, through a breaker, and never
//! going by an old answer.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use skep_api::ErrorCode;
use skep_app::{AppError, Elsewhere, Shown, ShownError};
use skep_authz::{Caller, Denied};
use skep_crypto::{MacKey, Random};
use skep_domain::{Clock, Timestamp};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tonic::Status;
use tonic::transport::Channel;

use crate::breaker::Breaker;
use crate::cache::{Asked, Cache};
use crate::connect::DEADLINE;
use crate::gate::TOKEN;
use crate::refusal::{CODE, NONCE, RETRY};
use crate::vouch;
use crate::wire::auth_service_client::AuthServiceClient;
use crate::wire::revocation::What;
use crate::wire::{Proof, ValidateTokenRequest, WatchRevocationsRequest};

/// Questions under way at a time; one more is told to come back.
const AT_ONCE: usize = 256;
/// Silence after which the news are taken to have stopped.
const SILENCE: Duration = Duration::from_secs(1);
/// Between two attempts to hear the news.
const AGAIN: Duration = Duration::from_millis(500);

/// Another daemon that knows credentials.
pub struct Remote {
    place: String,
    client: AuthServiceClient<Channel>,
    breaker: Breaker,
    cache: Cache,
    asking: Semaphore,
    clock: Arc<dyn Clock>,
    /// What answers are known by: no credential is kept.
    prints: MacKey,
    nonce: Mutex<String>,
}

impl Remote {
    /// The daemon at the other end of `channel`; `place` is how to call it in reports.
    #[must_use]
    pub fn new(
        place: String,
        channel: Channel,
        clock: Arc<dyn Clock>,
        random: &dyn Random,
    ) -> Self {
        Self {
            place,
            client: AuthServiceClient::new(channel),
            breaker: Breaker::default(),
            cache: Cache::default(),
            asking: Semaphore::new(AT_ONCE),
            clock,
            prints: MacKey::from_bytes(&random.array()),
            nonce: Mutex::default(),
        }
    }

    /// Hears of revocations and forgets answers for each, as long as it is polled. Without it nothing
    /// is remembered, and every question is asked.
    pub async fn watch(&self) {
        loop {
            let mut client = self.client.clone();
            let stream = client.watch_revocations(WatchRevocationsRequest {});
            if let Ok(Ok(stream)) = timeout(SILENCE, stream).await {
                let mut stream = stream.into_inner();
                while let Ok(Ok(Some(news))) = timeout(SILENCE, stream.message()).await {
                    // What this version does not know is a revocation too.
                    let revoked = What::try_from(news.what) != Ok(What::Beat);
                    self.cache.heard(self.clock.now(), revoked);
                }
            }
            self.cache.deaf();
            tokio::time::sleep(AGAIN).await;
        }
    }

    /// Whether an answer about this credential would come from memory now.
    #[must_use]
    pub fn remembers(&self, token: &str) -> bool {
        let print = self.prints.tag32(&[token.as_bytes()]);
        self.cache.get(&print, self.clock.now()).is_some()
    }

    async fn ask(&self, shown: Shown<'_>) -> Result<Caller, ShownError> {
        let _place = self
            .asking
            .try_acquire()
            .map_err(|_| AppError::Overloaded("too many credentials are being asked about"))?;
        if !self.breaker.lets_through(self.clock.now()) {
            return Err(away());
        }
        let proof = shown.proof.map(|proof| Proof {
            proof: proof.to_owned(),
            method: shown.method.to_owned(),
            path: shown.path.to_owned(),
        });
        let request = ValidateTokenRequest {
            token: shown.token.to_owned(),
            proof,
        };
        let mut client = self.client.clone();
        let outcome = match timeout(DEADLINE, client.validate_token(request)).await {
            Ok(Ok(said)) => vouch::caller(said.get_ref()).map_err(|_| None),
            Ok(Err(status)) => Err(self.refused(&status)),
            Err(_) => Err(None),
        };
        match outcome {
            Ok(caller) => {
                self.answered();
                Ok(caller)
            }
            Err(Some(refused)) => {
                self.answered();
                Err(refused)
            }
            Err(None) => {
                // Said once, and not with each request: there may be thousands.
                if self.breaker.failed(self.clock.now()) {
                    let place = self.place.as_str();
                    tracing::error!(place, "the daemon that checks credentials does not answer");
                }
                Err(away())
            }
        }
    }

    fn answered(&self) {
        if self.breaker.succeeded() {
            let place = self.place.as_str();
            tracing::info!(place, "the daemon that checks credentials answers again");
        }
    }

    /// What it said; `None` when that is no answer.
    fn refused(&self, status: &Status) -> Option<ShownError> {
        let told = |name| {
            status
                .metadata()
                .get(name)
                .and_then(|value| value.to_str().ok())
        };
        if let Some(nonce) = told(NONCE) {
            nonce.clone_into(&mut self.last_nonce());
            return Some(ShownError::NonceNeeded);
        }
        let code = told(CODE)?;
        let code = ErrorCode::ALL.iter().find(|known| known.as_str() == code)?;
        let error = match code {
            ErrorCode::InvalidCredential | ErrorCode::MissingCredential => {
                Denied::InvalidCredential.into()
            }
            ErrorCode::OrgSuspended => Denied::OrganizationSuspended.into(),
            ErrorCode::AgentSuspended => Denied::AgentSuspended.into(),
            ErrorCode::StepUpRequired => Denied::FactorOwed.into(),
            ErrorCode::RateLimited => AppError::RateLimited {
                retry_after_ms: told(RETRY).and_then(|millis| millis.parse().ok())?,
            },
            ErrorCode::Overloaded => AppError::Overloaded("the daemon that checks credentials"),
            _ => return None,
        };
        Some(error.into())
    }

    fn keep(&self, print: [u8; 32], asked: Asked, outcome: &Result<Caller, ShownError>) {
        match outcome {
            Ok(caller) => self.cache.put(print, asked, caller),
            Err(_) => self.cache.remove(&print),
        }
    }

    fn last_nonce(&self) -> std::sync::MutexGuard<'_, String> {
        self.nonce.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Elsewhere for Remote {
    async fn validate(&self, shown: Shown<'_>) -> Result<Caller, ShownError> {
        let fits = shown.token.len() <= TOKEN
            && shown.proof.is_none_or(|proof| proof.len() <= TOKEN)
            && shown.token.bytes().all(|byte| byte.is_ascii_graphic());
        // What was said of a token with a proof holds for that proof alone; and a token that needs one
        // is asked about without, to be told so.
        if !fits || (shown.with_proof && shown.proof.is_none()) {
            return Err(AppError::from(Denied::InvalidCredential).into());
        }
        if shown.with_proof {
            return self.ask(shown).await;
        }
        let print = self.prints.tag32(&[shown.token.as_bytes()]);
        let now: Timestamp = self.clock.now();
        if let Some(caller) = self.cache.get(&print, now) {
            return Ok(caller);
        }
        let asked = self.cache.asked(now);
        let outcome = self.ask(shown).await;
        self.keep(print, asked, &outcome);
        outcome
    }

    fn nonce(&self) -> String {
        self.last_nonce().clone()
    }

    fn standing(&self) -> (String, bool) {
        (self.place.clone(), self.breaker.is_closed())
    }
}

fn away() -> ShownError {
    AppError::AuthServiceAway.into()
}

impl std::fmt::Debug for Remote {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Remote")
            .field("place", &self.place)
            .field("breaker", &self.breaker)
            .finish_non_exhaustive()
    }
}
