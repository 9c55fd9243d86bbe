//! The pass with a model: closed sessions are read by a model that the operator named, and what it
//! proposes is judged like everything else. Off unless configured; nothing depends on it.
//!
//! It runs beside upkeep, not in it: an endpoint that hangs holds up neither capture, nor recall,
//! nor the rules. Each call is paid for in three steps: its greatest cost is set aside in one
//! transaction, the call is made outside of any, and what it cost is settled in another, together
//! with what came of it. A kill in between loses the answer and leaves the greatest cost as spent.

mod desk;
mod keep;
mod prompt;
mod read;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use skep_domain::Timestamp;
use skep_llm::{Cost, Price, Request, Response, Target};
use skep_store::Work;
use skep_store::row::{ModelDayRow, ModelQueueRow};
use tokio::time::timeout;

use crate::upkeep::{Tenant, survey};
use crate::{App, AppError};

pub(crate) use desk::Desk;

/// What the operator says about the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelSettings {
    /// The model, and the dialect of its endpoint.
    pub target: Target,
    /// The endpoint's host and port, for status output.
    pub endpoint: String,
    /// Tokens of a workspace's day, UTC, read and written together.
    pub daily_tokens: u64,
    /// What a workspace's day may cost; no cap of its own if `None`.
    pub daily_cost: Option<Cost>,
    /// What tokens cost.
    pub price: Price,
}

/// The way to the endpoint. It adds the key and knows the address; it is asked for one call at a
/// time, and must give up by itself.
#[async_trait]
pub trait ModelPort: Send + Sync {
    /// Makes one call.
    ///
    /// # Errors
    /// [`NoAnswer`].
    async fn send(&self, request: Request) -> Result<Response, NoAnswer>;
}

/// Why there is no answer of any kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// The request never reached the endpoint: it cost nothing.
    #[error("the endpoint was not reached: {0}")]
    NotSent(String),
    /// The request may have been answered, and paid for.
    #[error("the endpoint's answer was lost: {0}")]
    Lost(String),
}

/// How the pass with a model stands in a workspace.
#[derive(Clone, Debug)]
pub struct ModelState {
    /// What is configured.
    pub settings: ModelSettings,
    /// What today cost so far.
    pub today: ModelDayRow,
    /// What waits.
    pub queue: ModelQueueRow,
    /// Until when no call is made, because the endpoint failed.
    pub paused_until: Option<Timestamp>,
    /// What went wrong last, if no call has succeeded since.
    pub problem: Option<String>,
}

/// The loop of the pass, to be run by whoever owns the daemon's tasks.
pub struct ModelPass {
    app: Arc<App>,
}

/// How often we look whether a pause is over, or a new day has begun.
const LOOK: Duration = Duration::from_mins(1);

impl ModelPass {
    /// The loop of an application.
    #[must_use]
    pub fn new(app: Arc<App>) -> Self {
        Self { app }
    }

    /// Runs until it is dropped; a call that is under way then stays paid for in full. What waits from before
    /// is marked by upkeep, which begins with every workspace.
    pub async fn run(self) {
        let Some(desk) = &self.app.model_pass else {
            return std::future::pending().await;
        };
        loop {
            for tenant in desk.take_all() {
                if let Err(error) = self.app.read_with_model(tenant).await {
                    tracing::warn!(%error, "a model's pass over a workspace failed; it is tried again");
                    desk.park(tenant, self.app.store.now(), LOOK.as_secs());
                }
            }
            if !desk.has_work() {
                let _ = timeout(LOOK, desk.wait()).await;
                desk.unpark(self.app.store.now());
            }
        }
    }
}

impl App {
    /// Has a model read closed sessions.
    #[must_use]
    pub fn with_model(mut self, settings: ModelSettings, port: Arc<dyn ModelPort>) -> Self {
        self.model_pass = Some(Desk::new(settings, port));
        self
    }

    /// Has a model read what of a workspace waits for it: a few windows, then it is the next
    /// workspace's turn. Does nothing where no model is configured, or while another task does it.
    ///
    /// # Errors
    /// [`AppError`]; what was settled until then is kept.
    pub async fn read_with_model(&self, tenant: Tenant) -> Result<(), AppError> {
        let Some(desk) = &self.model_pass else {
            return Ok(());
        };
        let Some(_alone) = desk.begin(tenant) else {
            return Ok(());
        };
        let held = self.store.hold(survey(tenant), Work::Model).await?;
        let Some(_held) = held else {
            desk.park(tenant, self.store.now(), LOOK.as_secs());
            return Ok(());
        };
        self.read_windows(desk, tenant).await
    }

    /// A session was closed: a model may have something to read.
    pub(crate) fn mark_for_model(&self, tenant: Tenant) {
        if let Some(desk) = &self.model_pass {
            desk.mark(tenant);
        }
    }
}
