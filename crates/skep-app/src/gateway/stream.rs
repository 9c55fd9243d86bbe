//! An answer as it comes: events in, events out, as fast as the caller takes them and no faster.

use std::vec::IntoIter;

use bytes::Bytes;
use skep_egress::Answering;
use skep_llm::relay::{Ask, Reading, broken_off};

use super::meter::Open;
use super::send::Sending;
use crate::meter::{CallOutcome, Ending, Measured};

/// A stream on its way to its caller. Dropped before its end, it ends the call upstream at once, and what came of
/// it so far is settled.
pub struct ModelStream {
    source: Source,
    reading: Reading,
    open: Option<Open>,
    ask: Ask,
    request: String,
    provider: String,
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
    pub(super) fn new(
        source: Source,
        reading: Reading,
        open: Open,
        (sending, provider): (&Sending<'_>, String),
    ) -> Self {
        Self {
            source,
            reading,
            open: Some(open),
            ask: sending.ask.clone(),
            request: sending.call.request.clone(),
            provider,
        }
    }

    /// Who answers.
    #[must_use]
    pub fn provider(&self) -> &str {
        &self.provider
    }

    /// What goes to the caller next; `None` at the end. A stream that cannot go on ends with an error in the
    /// caller's dialect.
    pub async fn next(&mut self) -> Option<Bytes> {
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
                        if whole.is_empty() {
                            continue;
                        }
                        return Some(whole);
                    }
                    Err(garbled) => garbled.to_string(),
                },
                Ok(None) => match self.reading.end() {
                    Ok(left) => {
                        self.finish(CallOutcome::Finished);
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

    fn finish(&mut self, outcome: CallOutcome) {
        self.source = Source::Over;
        let ending = self.ending(outcome);
        if let Some(open) = self.open.take() {
            open.settle(ending);
        }
    }

    fn break_off(&mut self, problem: &str) -> Bytes {
        tracing::warn!(provider = self.provider, problem, "a stream broke off");
        let is_over = self.reading.is_over();
        self.finish(if is_over {
            CallOutcome::Finished
        } else {
            CallOutcome::Failed
        });
        if is_over {
            // All of it has come; that its connection ended badly is nobody's concern.
            return Bytes::new();
        }
        let message = "The provider's stream broke off; what came so far is not all of it.";
        broken_off(
            self.ask.format.dialect(),
            "UPSTREAM_ERROR",
            message,
            &self.request,
        )
    }
}
