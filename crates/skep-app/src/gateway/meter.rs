//! Where a call meets what it may cost: a guard that settles it, however it ends.

use std::sync::Arc;

use skep_authz::rights::GatewayUse;
use skep_authz::{Authorized, Denied};
use skep_llm::Usage;
use skep_llm::relay::Ask;

use super::GatewayCall;
use super::choice::Choice;
use crate::meter::{CallOutcome, Ending, Measured, ModelCall, Reserved};
use crate::{App, AppError};

/// A call that is reserved for. Let go without a word, it counts as left by its caller.
pub(super) struct Open {
    app: Arc<App>,
    reserved: Option<Reserved>,
    /// What it has come to, if it is let go now.
    left: Ending,
}

impl Open {
    /// Reserves what a call may cost at most. Nothing goes to its provider before.
    pub(super) async fn begin(
        app: &Arc<App>,
        authorized: &Authorized<GatewayUse>,
        choice: &Choice,
        (ask, call): (&Ask, &GatewayCall),
    ) -> Result<Self, AppError> {
        let view = &choice.provider.view;
        let most = view.max_output.saturating_mul(ask.answers);
        let nobody = Denied::MissingCredential;
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
            left: Ending {
                usage: Usage {
                    input: ask.estimate,
                    ..Usage::default()
                },
                measured: Measured::Counted,
                outcome: CallOutcome::Cancelled,
            },
        })
    }

    /// What it comes to if its caller leaves now.
    pub(super) fn left_with(&mut self, usage: Usage, measured: Measured) {
        self.left.usage = usage;
        self.left.measured = measured;
    }

    pub(super) fn settle(mut self, ending: Ending) {
        if let Some(reserved) = self.reserved.take() {
            self.app.settle_call(reserved, ending);
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if let Some(reserved) = self.reserved.take() {
            self.app.settle_call(reserved, self.left);
        }
    }
}
