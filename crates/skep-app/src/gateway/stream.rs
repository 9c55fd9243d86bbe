//! An answer as it comes: events in, events out, as fast as the caller takes them and no faster.

use std::sync::Arc;
use std::vec::IntoIter;

use bytes::Bytes;
use skep_egress::Answering;
use skep_llm::relay::{Ask, Reading};

use super::AnswerFacts;
use super::again::{Keeping, LONGEST};
use super::exchange::Hearing;
use super::meter::Open;
use super::send::Sending;
use crate::App;
use crate::meter::{CallOutcome, Ending, Measured};

/// A stream on its way to its caller. Dropped before its end, it ends the call upstream at once, and what came of
/// it so far is settled; one whose answer is kept goes on without its caller.
pub struct ModelStream {
    live: Option<Live>,
    facts: AnswerFacts,
}

/// One that has not been dropped.
struct Live {
    source: Source,
    reading: Reading,
    open: Option<Open>,
    /// Whoever keeps what is said.
    hearing: Option<Hearing>,
    ask: Ask,
    request: String,
    provider: String,
    /// How it ended, when it did.
    outcome: Option<CallOutcome>,
    keeping: Option<Keeping>,
}

/// Where it comes from.
pub(super) enum Source {
    /// A provider's connection.
    Said(Box<Answering>),
    /// The provider that is built in.
    Told(IntoIter<Bytes>),
    /// Nothing more comes.
    Over,
}

impl ModelStream {
    pub(super) fn new(source: Source, reading: Reading, open: Open, sending: &Sending<'_>) -> Self {
        let facts = open.facts();
        let live = Live {
            source,
            reading,
            open: Some(open),
            hearing: None,
            ask: sending.ask.clone(),
            request: sending.call.request.clone(),
            provider: facts.provider.clone(),
            outcome: None,
            keeping: None,
        };
        Self {
            live: Some(live),
            facts,
        }
    }

    pub(super) fn keep(&mut self, keeping: Keeping) {
        if let Some(live) = &mut self.live {
            live.keeping = Some(keeping);
        }
    }

    /// What else is known of it, now that it begins.
    #[must_use]
    pub const fn facts(&self) -> &AnswerFacts {
        &self.facts
    }

    /// The same, with whoever keeps what is said listening until it ends.
    #[must_use]
    pub(super) fn heard_by(self, hearing: Hearing) -> Self {
        let mut stream = self;
        if let Some(live) = &mut stream.live {
            live.hearing = Some(hearing);
        }
        stream
    }

    /// What goes to the caller next; `None` at the end. A stream that cannot go on ends with an error in the
    /// caller's dialect.
    pub async fn next(&mut self) -> Option<Bytes> {
        self.live.as_mut()?.next(&self.facts).await
    }
}

impl Drop for ModelStream {
    fn drop(&mut self) {
        let Some(live) = self.live.take() else {
            return;
        };
        if let Some(app) = live.wanted_by() {
            let rest = live.go_on(self.facts.clone());
            app.gateway.apart.spawn(rest);
        }
    }
}

impl Live {
    /// What goes to the caller next. When the last of it does, all of it is kept.
    async fn next(&mut self, facts: &AnswerFacts) -> Option<Bytes> {
        let piece = self.piece().await;
        if let (Some(keeping), Some(piece)) = (&mut self.keeping, &piece) {
            keeping.push(piece);
        }
        if let Some(outcome) = self.outcome
            && let Some(keeping) = self.keeping.take()
            && outcome == CallOutcome::Finished
        {
            keeping.end(facts).await;
        }
        piece
    }

    /// Who sees to the rest of it, if somebody may come back for that.
    fn wanted_by(&self) -> Option<Arc<App>> {
        let keeping = self.keeping.as_ref();
        keeping.filter(|_| self.outcome.is_none()).map(Keeping::app)
    }

    async fn go_on(mut self, facts: AnswerFacts) {
        let rest = async { while self.next(&facts).await.is_some() {} };
        if tokio::time::timeout(LONGEST, rest).await.is_err() {
            tracing::warn!("a stream without a caller did not come to its end");
        }
    }

    async fn piece(&mut self) -> Option<Bytes> {
        loop {
            if let Some(garbled) = self.reading.broken()
                && !matches!(self.source, Source::Over)
            {
                return Some(self.break_off(&garbled.to_string()));
            }
            let came = match &mut self.source {
                Source::Over => return None,
                Source::Told(events) => Ok(events.next()),
                Source::Said(answering) => answering.next().await,
            };
            let problem = match came {
                Ok(Some(bytes)) => match self.reading.push(bytes) {
                    Ok(whole) => {
                        self.note();
                        if let Some(hearing) = &mut self.hearing {
                            hearing.heard().events(&whole);
                        }
                        if whole.is_empty() {
                            continue;
                        }
                        return Some(whole);
                    }
                    Err(garbled) => garbled.to_string(),
                },
                Ok(None) => match self.reading.end() {
                    Ok(left) => {
                        if let Some(hearing) = &mut self.hearing {
                            hearing.heard().events(&left);
                        }
                        self.finish(self.outcome_at_end());
                        return Some(left).filter(|left| !left.is_empty());
                    }
                    Err(garbled) => garbled.to_string(),
                },
                Err(error) => error.to_string(),
            };
            return Some(self.break_off(&problem));
        }
    }

    /// What it comes to if its caller leaves now.
    fn note(&mut self) {
        let ending = self.ending(CallOutcome::Cancelled);
        if let Some(open) = &mut self.open {
            open.left_with(ending.usage, ending.measured);
        }
    }

    fn ending(&self, outcome: CallOutcome) -> Ending {
        let told = self.reading.told();
        Ending {
            usage: told.unwrap_or_else(|| self.reading.counted(self.ask.estimate)),
            measured: if told.is_some() {
                Measured::Provider
            } else {
                Measured::Counted
            },
            outcome,
        }
    }

    /// How one has ended whose last event has come: that may say that its provider failed.
    fn outcome_at_end(&self) -> CallOutcome {
        if self.reading.has_failed() {
            CallOutcome::Failed
        } else {
            CallOutcome::Finished
        }
    }

    fn finish(&mut self, outcome: CallOutcome) {
        self.source = Source::Over;
        self.outcome = Some(outcome);
        self.hearing = None;
        let ending = self.ending(outcome);
        if let Some(open) = self.open.take() {
            open.settle(ending);
        }
    }

    fn break_off(&mut self, problem: &str) -> Bytes {
        tracing::warn!(provider = self.provider, problem, "a stream broke off");
        let is_over = self.reading.is_over();
        self.finish(if is_over {
            self.outcome_at_end()
        } else {
            CallOutcome::Failed
        });
        if is_over {
            // All of it has come; that its connection ended badly is nobody's concern.
            return Bytes::new();
        }
        let message = "The provider's stream broke off; what came so far is not all of it.";
        self.reading
            .broken_off("UPSTREAM_ERROR", message, &self.request)
    }
}
