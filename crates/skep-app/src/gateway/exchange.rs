//! What was said in a model call, kept as turns: behind the answer, which waits for none of it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use skep_authz::Authorized;
use skep_authz::rights::SessionCapture;
use skep_domain::{CaptureOrigin, Harness, Limits, Timestamp, TurnRole};
use skep_llm::relay::{Format, Heard};
use skep_store::Branch;
use tokio::sync::Notify;

use crate::App;
use crate::capture::{Capture, TurnIn};

/// Bytes that one answer may be heard.
const HEARD: usize = 64 << 10;
/// Exchanges that wait to be kept. One more is counted as lost.
const WAITING: usize = 256;

/// Exchanges that wait to be kept.
#[derive(Default)]
pub(crate) struct Exchanges {
    waiting: Mutex<VecDeque<(Authorized<SessionCapture>, Capture)>>,
    /// Whoever writes: one at a time, so that all is written when the last one is done.
    writing: tokio::sync::Mutex<()>,
    bell: Notify,
}

/// A call whose words are kept when it ends, however it ends.
pub(super) struct Hearing {
    app: Arc<App>,
    kept: Option<(Authorized<SessionCapture>, Capture)>,
    heard: Heard,
    answer: String,
}

/// Keeps what was said in model calls, to be run by whoever owns the daemon's tasks.
pub struct ExchangeDesk {
    app: Arc<App>,
}

/// What a person said last, and where.
pub(crate) struct Asked {
    pub(crate) session: String,
    /// The same for the same words at the same place of a conversation, so that they are one turn however often a
    /// program sends them.
    pub(crate) anchor: String,
    pub(crate) text: String,
}

impl Exchanges {
    fn held(&self) -> MutexGuard<'_, VecDeque<(Authorized<SessionCapture>, Capture)>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hearing {
    pub(super) fn new(
        app: &Arc<App>,
        right: Authorized<SessionCapture>,
        (format, request): (Format, &str),
        asked: Asked,
    ) -> Self {
        let user = turn(
            format!("said-{}", asked.anchor),
            TurnRole::User,
            app.store.now(),
            asked.text,
        );
        let batch = Capture {
            harness: Harness::Gateway,
            title: Some(asked.session.clone()),
            external_id: asked.session,
            project: None,
            cwd: None,
            turns: vec![user],
            cursor: None,
            origin: CaptureOrigin::Call,
            spool: None,
            ended: false,
        };
        Self {
            app: Arc::clone(app),
            kept: Some((right, batch)),
            heard: Heard::new(format, HEARD),
            answer: format!("answer-{request}"),
        }
    }

    /// Keeps nothing: the call was refused.
    pub(super) fn forget(mut self) {
        self.kept = None;
    }

    /// What is heard of the answer.
    pub(super) fn heard(&mut self) -> &mut Heard {
        &mut self.heard
    }
}

impl Drop for Hearing {
    fn drop(&mut self) {
        let Some((right, mut batch)) = self.kept.take() else {
            return;
        };
        let text = self.heard.text();
        if !text.trim().is_empty() {
            let at = self.app.store.now();
            let id = std::mem::take(&mut self.answer);
            batch
                .turns
                .push(turn(id, TurnRole::Assistant, at, text.to_owned()));
        }
        let mut waiting = self.app.exchanges.held();
        if waiting.len() >= WAITING {
            let tenant = (right.organization(), right.workspace());
            self.app.losses.note(tenant, batch.turns.len() as u64);
            return;
        }
        waiting.push_back((right, batch));
        drop(waiting);
        self.app.exchanges.bell.notify_one();
    }
}

fn turn(mut id: String, role: TurnRole, at: Timestamp, text: String) -> TurnIn {
    id.truncate(Limits::CLIENT_KEY);
    TurnIn {
        client_event_id: id,
        role,
        at,
        text,
        tool: None,
        is_error: false,
        paths: Vec::new(),
        branch: Branch::default(),
        author: None,
    }
}

impl ExchangeDesk {
    /// The loop of an application.
    #[must_use]
    pub fn new(app: Arc<App>) -> Self {
        Self { app }
    }

    /// Runs until it is dropped.
    pub async fn run(self) {
        loop {
            self.write().await;
            self.app.exchanges.bell.notified().await;
        }
    }

    /// Keeps what waits. What cannot be kept is counted, as with every capture.
    pub async fn write(&self) {
        let _one_at_a_time = self.app.exchanges.writing.lock().await;
        loop {
            let next = self.app.exchanges.held().pop_front();
            let Some((right, batch)) = next else { return };
            if let Err(error) = self.app.capture(right, batch).await {
                tracing::warn!(%error, "what was said in a model call could not be kept");
            }
        }
    }
}
