//! How many tokens the calls of an organization and of a credential may take in a while.
//!
//! What a call reads is taken before it goes, by what it looks like; once it has ended, what it really read and wrote
//! is, or what is too much is given back. So a call may take more than is left, and whoever comes next waits for it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::join_all;
use skep_authz::Authorized;
use skep_authz::rights::GatewayUse;
use skep_domain::gcra::Weight;
use skep_domain::{CredentialId, Id, OrganizationId, RateClass};
use skep_limit::{Limits, Subject, Taken};
use skep_llm::Usage;

use crate::{App, AppError};

/// Tokens that calls came to beyond those that they took, by whose they are.
type Owed = HashMap<(OrganizationId, CredentialId), i64>;

/// Who counts, and what is still to be told them.
#[derive(Default)]
pub(crate) struct Tokens {
    limits: Option<Limits>,
    owed: Mutex<Owed>,
}

/// What a call took before it went. Dropped unsettled, all of it is given back: nothing came of the call.
pub(super) struct TakenTokens {
    app: Arc<App>,
    whose: Option<(OrganizationId, CredentialId)>,
    tokens: i64,
    pub(super) taken: Option<Taken>,
}

impl App {
    /// Counts the tokens of model calls like this; without it nobody does.
    #[must_use]
    pub fn with_limits(mut self, limits: Option<Limits>) -> Self {
        self.tokens.limits = limits;
        self
    }

    /// Takes what a call is about to read.
    pub(super) async fn take_tokens(
        self: &Arc<Self>,
        authorized: &Authorized<GatewayUse>,
        tokens: u64,
    ) -> Result<TakenTokens, AppError> {
        let whose = authorized
            .credential()
            .map(|credential| (authorized.organization(), credential));
        let taken = match whose {
            Some(whose) => self.count_tokens(whose, Weight::asked(tokens)).await,
            None => None,
        };
        match taken {
            Some(taken) if !taken.allowed => Err(AppError::TokensLimited(taken)),
            taken => Ok(TakenTokens {
                app: Arc::clone(self),
                whose: whose.filter(|_| taken.is_some()),
                tokens: signed(tokens),
                taken,
            }),
        }
    }

    /// Settles what calls owe that have ended since.
    pub(crate) async fn settle_tokens(&self) {
        let owed = std::mem::take(&mut *self.tokens.owed());
        let owed = owed.into_iter().filter(|(_, tokens)| *tokens != 0);
        // A store that nodes share is asked for all of them at once: calls wait for this.
        join_all(owed.map(|(whose, tokens)| self.count_tokens(whose, Weight::spent(tokens)))).await;
    }

    async fn count_tokens(
        &self,
        (organization, credential): (OrganizationId, CredentialId),
        weight: Weight,
    ) -> Option<Taken> {
        let limits = self.tokens.limits.as_ref()?;
        let own = self.own_quotas(organization).await;
        let id = credential.to_bytes();
        let subjects = [
            Subject::Organization(organization),
            Subject::Credential(&id),
        ];
        let (key, class) = (self.limit_key(), RateClass::Tokens);
        let at = (self.store.now(), weight);
        let taken = limits.take_weight(key, class, (&subjects, &own), at).await;
        // The class is open when the store that nodes share is away: each counts alone.
        taken.ok().flatten()
    }
}

impl Tokens {
    fn owed(&self) -> MutexGuard<'_, Owed> {
        self.owed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TakenTokens {
    /// What a provider that is asked next has taken of it: nothing more.
    pub(super) fn rest(&self) -> Self {
        Self {
            app: Arc::clone(&self.app),
            whose: self.whose,
            tokens: 0,
            taken: self.taken,
        }
    }

    /// The call has ended with this. It is counted within a moment, by the task that settles what it cost.
    pub(super) fn settle(&mut self, usage: Usage) {
        self.owe(signed(weighs(usage)));
    }

    fn owe(&mut self, came_to: i64) {
        if let Some(whose) = self.whose.take() {
            let mut owed = self.app.tokens.owed();
            let sum = owed.entry(whose).or_default();
            *sum = sum.saturating_add(came_to.saturating_sub(self.tokens));
        }
    }
}

impl Drop for TakenTokens {
    fn drop(&mut self) {
        self.owe(0);
    }
}

/// What counts of a call: all that it wrote, and what it read but for what its provider had at hand.
fn weighs(usage: Usage) -> u64 {
    let read = usage.input.saturating_sub(usage.cache_read);
    read.saturating_add(usage.output)
}

fn signed(tokens: u64) -> i64 {
    i64::try_from(tokens).unwrap_or(i64::MAX)
}
