//! Where a call meets what it may cost: a guard that settles it, however it ends.

use std::sync::Arc;

use skep_authz::rights::GatewayUse;
use skep_authz::{Authorized, Denied};
use skep_domain::Id;
use skep_ledger::id_text;
use skep_llm::Usage;
use skep_llm::relay::Ask;

use super::choice::Choice;
use super::tokens::TakenTokens;
use super::watch::Watched;
use super::{AnswerFacts, CallCost, GatewayCall};
use crate::meter::{CallOutcome, Ending, Measured, ModelCall, Reserved};
use crate::{App, AppError};

/// A call that is reserved for. Let go without a word, it counts as left by its caller.
pub(super) struct Open {
    app: Arc<App>,
    reserved: Option<Reserved>,
    /// Who is asked.
    provider: String,
    taken: TakenTokens,
    /// What it has come to, if it is let go now.
    left: Ending,
    watched: Option<Box<Watched>>,
}

impl Open {
    /// Reserves what a call may cost at most. Nothing goes to its provider before. What costs nothing is not
    /// reserved for, and leaves no usage.
    pub(super) async fn begin(
        app: &Arc<App>,
        authorized: &Authorized<GatewayUse>,
        choice: &Choice,
        (ask, call): (&Ask, &GatewayCall),
        taken: TakenTokens,
    ) -> Result<Self, AppError> {
        let view = &choice.provider.view;
        let most = view.max_output.saturating_mul(ask.answers);
        let nobody = Denied::MissingCredential;
        let left = Ending {
            usage: Usage {
                input: ask.estimate,
                ..Usage::default()
            },
            measured: Measured::Counted,
            outcome: CallOutcome::Cancelled,
        };
        if ask.format.is_free() {
            return Ok(Self {
                app: Arc::clone(app),
                reserved: None,
                provider: view.name.clone(),
                taken,
                left,
                watched: None,
            });
        }
        let reserved = app
            .reserve_call(ModelCall {
                organization: authorized.organization(),
                workspace: authorized.workspace(),
                principal: authorized.principal().ok_or(nobody)?,
                credential: authorized.credential().ok_or(nobody)?,
                provider: view.name.clone(),
                model: choice.model.clone(),
                request: call.request.clone(),
                input: ask.input,
                output: ask.output.unwrap_or(most),
            })
            .await?;
        Ok(Self {
            app: Arc::clone(app),
            reserved: Some(reserved),
            provider: view.name.clone(),
            taken,
            left,
            watched: app.watched(choice, (ask, call)),
        })
    }

    /// What it comes to if its caller leaves now.
    pub(super) fn left_with(&mut self, usage: Usage, measured: Measured) {
        if let Some(watched) = &mut self.watched {
            watched.came(self.app.store.now());
        }
        self.left.usage = usage;
        self.left.measured = measured;
    }

    /// What its caller may know while it is under way.
    pub(super) fn facts(&self) -> AnswerFacts {
        let reserved = self.reserved.as_ref();
        AnswerFacts {
            provider: self.provider.clone(),
            usage: reserved.map(|reserved| id_text(reserved.id().to_bytes())),
            cost: reserved.and_then(Reserved::most).map(CallCost::AtMost),
            left: reserved.and_then(Reserved::left),
            tokens: self.taken.taken,
            is_again: false,
        }
    }

    fn tell(&self, ending: Ending) {
        if let Some(watched) = &self.watched {
            watched.ended(ending, self.app.store.now());
        }
    }

    /// Settles it, and says what its caller may know now.
    pub(super) fn settle(mut self, ending: Ending) -> AnswerFacts {
        let facts = self.facts();
        match self.reserved.take() {
            Some(reserved) => {
                self.tell(ending);
                self.taken.settle(ending.usage);
                facts.settled(self.app.settle_call(reserved, ending))
            }
            None => facts,
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if let Some(reserved) = self.reserved.take() {
            self.tell(self.left);
            self.taken.settle(self.left.usage);
            let _ = self.app.settle_call(reserved, self.left);
        }
    }
}
