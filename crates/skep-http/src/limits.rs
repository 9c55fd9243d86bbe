//! Rate limits at the edge: who counts for a call, and what the answer says of it.
//!
//! Whoever has a credential counts as organization and credential, once that is proved; whoever has
//! none counts by the address that the kernel reports, before anything else is looked at.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use skep_api::{ErrorCode, Route};
use skep_authz::Caller;
use skep_domain::{Id, RateClass, RateKey, Timestamp};
use skep_limit::{Subject, Taken};

use crate::dialect::Dialect;
use crate::error::ApiError;
use crate::mount::Edge;
use crate::peer::Peer;
use dialects::Of;

mod dialects;

/// What the allowances of one request have come to.
#[derive(Debug, Default)]
pub(crate) struct Told(Mutex<Counted>);

/// Of calls, and of the tokens of models.
#[derive(Clone, Copy, Debug, Default)]
struct Counted {
    calls: Option<Taken>,
    tokens: Option<Taken>,
}

impl Told {
    /// Counts a call by where it comes from, for classes of which nobody needs a credential.
    pub(crate) async fn count_address(
        &self,
        edge: &Edge,
        route: &Route,
        parts: &Parts,
    ) -> Result<(), ApiError> {
        if !has(route.rate, RateKey::Address) {
            return Ok(());
        }
        let peer = parts.extensions.get::<Peer>();
        let address = peer.and_then(|peer| edge.site.address(peer, &parts.headers));
        let subject = match (peer, address) {
            (Some(Peer::Socket { uid }), _) => Subject::LocalUser(*uid),
            (_, Some(address)) => Subject::Address(address),
            // Whoever cannot be told apart from anybody is one with all of those.
            (_, None) => Subject::Address(IpAddr::from([0, 0, 0, 0])),
        };
        self.count(edge, route.rate, &[subject]).await
    }

    /// Counts a call of a proven caller.
    pub(crate) async fn count_caller(
        &self,
        edge: &Edge,
        route: &Route,
        caller: &Caller,
    ) -> Result<(), ApiError> {
        let credential = caller.credential().to_bytes();
        let subjects = [
            Subject::Organization(caller.organization()),
            Subject::Credential(&credential),
        ];
        self.count(edge, route.rate, &subjects).await
    }

    /// Counts a call about an account, whoever makes it.
    pub(crate) async fn count_account(
        &self,
        edge: &Edge,
        class: RateClass,
        name: &[u8],
    ) -> Result<(), ApiError> {
        self.count(edge, class, &[Subject::Account(name)]).await
    }

    async fn count(
        &self,
        edge: &Edge,
        class: RateClass,
        subjects: &[Subject<'_>],
    ) -> Result<(), ApiError> {
        let Some(limits) = &edge.limits else {
            return Ok(());
        };
        let own = match subjects {
            [Subject::Organization(id), ..] => edge.app.own_quotas(*id).await,
            _ => Arc::default(),
        };
        let (key, now) = (edge.app.limit_key(), edge.app.now());
        let taken = limits.take(key, class, subjects, &own, now).await;
        let Some(taken) = taken.map_err(|_| unavailable())? else {
            return Ok(());
        };
        self.keep(taken);
        if taken.allowed {
            return Ok(());
        }
        Err(ApiError {
            retry_after_ms: Some(micros(taken.standing.next_in).div_ceil(1_000)),
            ..ApiError::new(
                ErrorCode::RateLimited,
                format!(
                    "Too many calls of this {}: wait as long as it says.",
                    taken.key.as_str()
                ),
            )
        })
    }

    /// Of two allowances the one that refuses is told, else the one with less left.
    fn keep(&self, taken: Taken) {
        let mut told = self.counted();
        let less = |told: Taken| told.standing.remaining < taken.standing.remaining;
        if !(told.calls.is_some_and(less) && taken.allowed) {
            told.calls = Some(taken);
        }
    }

    /// What is left of the tokens that a call of a model took from.
    pub(crate) fn keep_tokens(&self, taken: Option<Taken>) {
        self.counted().tokens = taken;
    }

    fn counted(&self) -> MutexGuard<'_, Counted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says it in the answer: seconds until everything is back in the newer header, the moment of
    /// that in the older one, as clients of each expect. To clients of models also as their providers do.
    pub(crate) fn write(&self, headers: &mut HeaderMap, now: Timestamp, dialect: Option<Dialect>) {
        let Counted { calls, tokens } = *self.counted();
        for (of, taken) in [(Of::Requests, calls), (Of::Tokens, tokens)] {
            if let (Some(dialect), Some(taken)) = (dialect, taken) {
                dialects::write(headers, (dialect, of), &taken.standing, now);
            }
        }
        let Some(Taken { standing, .. }) = calls else {
            return;
        };
        let full_in = micros(standing.full_in);
        let full_at = micros(now.as_micros()).saturating_add(full_in);
        let [limit, remaining] = [standing.limit, standing.remaining].map(u64::from);
        let seconds = |micros: u64| micros.div_ceil(1_000_000);
        for (name, value) in [
            ("ratelimit-limit", limit),
            ("ratelimit-remaining", remaining),
            ("ratelimit-reset", seconds(full_in)),
            ("x-ratelimit-limit", limit),
            ("x-ratelimit-remaining", remaining),
            ("x-ratelimit-reset", seconds(full_at)),
        ] {
            headers.insert(HeaderName::from_static(name), HeaderValue::from(value));
        }
    }
}

fn has(class: RateClass, key: RateKey) -> bool {
    class.rules().iter().any(|rule| rule.key == key)
}

fn micros(micros: i64) -> u64 {
    micros.max(0).unsigned_abs()
}

fn unavailable() -> ApiError {
    ApiError::new(
        ErrorCode::AuthUnavailable,
        "How often this was called cannot be checked now, and it is not answered without: try again later.",
    )
}
