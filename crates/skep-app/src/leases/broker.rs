//! Values for the proxy, each decided anew and recorded before it is given.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use async_trait::async_trait;
use skep_authz::rights::SecretUse;
use skep_crypto::Plain;
use skep_wire::{Asked, Event, Outcome, Reason, Secrets, Sink, Trial, Why, Withheld};
use tokio::time::timeout;

use super::held::Held;
use super::sweep::is_final;
use crate::access::Decision;
use crate::vault::canary;
use crate::{App, AppError};

/// How long a program waits for a value; what is later is not given.
const PATIENCE: Duration = Duration::from_millis(1_900);

/// What a lease asks for values.
pub(super) struct Broker {
    /// The application has the lease, not the other way round.
    app: Weak<App>,
    held: Arc<Held>,
}

impl Broker {
    pub(super) fn new(app: &Arc<App>, held: &Arc<Held>) -> Self {
        Self {
            app: Arc::downgrade(app),
            held: Arc::clone(held),
        }
    }
}

#[async_trait]
impl Secrets for Broker {
    async fn value(&self, asked: &Asked<'_>) -> Result<Plain<String>, Withheld> {
        let app = self.app.upgrade().ok_or(Withheld::Unavailable)?;
        let given = timeout(PATIENCE, app.give(&self.held, asked)).await;
        let error = match given {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(error)) => error,
            Err(_late) => {
                tracing::warn!(lease = self.held.text, "a value could not be had in time");
                return Err(Withheld::Unavailable);
            }
        };
        if is_final(&error) {
            app.record_withheld(&self.held, &error);
            return Err(Withheld::Refused(error.to_string()));
        }
        tracing::warn!(lease = self.held.text, %error, "a value cannot be had");
        Err(Withheld::Unavailable)
    }
}

impl Sink for Broker {
    fn record(&self, event: Event) {
        let Outcome::Refused(reason) = event.outcome else {
            return;
        };
        self.held.refused.fetch_add(1, Ordering::Relaxed);
        let is_decision = !matches!(
            reason,
            Reason::BrokenOff
                | Reason::Origin
                | Reason::Late
                | Reason::Answer
                | Reason::Unavailable
                // That has an entry which says more.
                | Reason::Withheld
        );
        if let Some(app) = self.app.upgrade().filter(|_| is_decision) {
            let decision = self.held.decision("wire.refuse", reason.as_str().into());
            app.record_denied_to(decision, &self.held.whose.standing());
        }
    }
}

impl Held {
    /// An entry of the record about this lease. Where it is about a caller, that one says whose it is.
    fn decision(&self, action: &str, reason: String) -> Decision {
        Decision {
            reason,
            request: self.text.clone(),
            target: Some(self.text.clone()),
            organization: Some(self.whose.organization),
            ..Decision::of(action)
        }
    }
}

impl App {
    /// A value for one request, if whoever began the lease may still use it. That it is sent is recorded
    /// first: what cannot be recorded is not given.
    async fn give(&self, held: &Held, asked: &Asked<'_>) -> Result<Plain<String>, AppError> {
        if let Some(why) = held.is_over(self.store.now()) {
            return Err(AppError::Unfit(format!("this lease has ended: {why}")));
        }
        let named = held.secrets.get(asked.secret);
        let (owner, name) = named.ok_or(AppError::NotFound("secret of this lease"))?;
        let caller = match self.still_stands(held).await {
            Ok(caller) => caller,
            Err(error) => {
                if is_final(&error) {
                    held.finish(&error.to_string());
                }
                return Err(error);
            }
        };
        if asked.why == Why::Send && is_trial(asked.host) && !canary::is(name) {
            return Err(AppError::Unfit(format!(
                "{} says back what it is sent: no secret but {} goes there",
                Trial::HOST,
                canary::NAME
            )));
        }
        let authorized = caller.authorize::<SecretUse>()?;
        let value = self.use_secret(&authorized, *owner, name).await?;
        let text = std::str::from_utf8(value.expose());
        let text = text.map_err(|_| AppError::Unfit("its value is no text".into()))?;
        let text = Plain::new(text.to_owned());
        if asked.why == Why::Send {
            let mark = self.mark_of_used(&authorized, *owner, name)?;
            let templates = held.names().join(", ");
            let reason = format!("template {templates}; secret {mark}; to {}", asked.host);
            let decision = held.decision("secret.use", reason);
            self.record_allowed(decision, Some(&caller)).await?;
            held.uses.fetch_add(1, Ordering::Relaxed);
        }
        Ok(text)
    }

    /// That a value was withheld, in the record of whose lease it is.
    fn record_withheld(&self, held: &Held, error: &AppError) {
        let reason = match error {
            AppError::Denied(_) => "INVALID_CREDENTIAL",
            AppError::NotFound(_) => "NOT_FOUND",
            _ => "PERMISSION_DENIED",
        };
        let decision = held.decision("secret.use", reason.into());
        self.record_denied_to(decision, &held.whose.standing());
    }
}

/// Whoever approves a template may take the daemon's own origin for a harmless one.
fn is_trial(host: &str) -> bool {
    let name = host.split_once(':').map_or(host, |(name, _)| name);
    name.eq_ignore_ascii_case(Trial::HOST)
}
