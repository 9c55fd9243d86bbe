//! What is told of each request, for the record.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::Reason;

/// Takes what happened, for an audit. Called once for each request, tunnel or refusal, when it is
/// over; it must not block.
pub trait Sink: Send + Sync {
    /// This happened.
    fn record(&self, event: Event);
}

/// One request, tunnel or refusal. It holds no value, no header, no query and no body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The name of the lease.
    pub lease: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Host and port, as far as they were understood.
    pub host: String,
    /// The method.
    pub method: String,
    /// The path, without its query, cut at 256 bytes.
    pub path: String,
    /// The status that the program was given, 0 where there was none.
    pub status: u16,
    /// The secrets whose values were sent.
    pub secrets: Vec<String>,
    /// How often a value was taken out of the answer.
    pub scrubbed: u64,
    /// Bytes of the body, or of the tunnel, towards the origin.
    pub sent: u64,
    /// Bytes of the body, or of the tunnel, towards the program.
    pub received: u64,
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The origin answered.
    Answered,
    /// Bytes went through unread.
    Tunnelled,
    /// It was refused, or broken off.
    Refused(Reason),
}

/// Bytes of a path that are kept.
const PATH: usize = 256;

/// An event under way: recorded when the last one who has it lets go of it.
pub(crate) struct Record {
    sink: Arc<dyn Sink>,
    event: std::sync::Mutex<Event>,
    pub(crate) sent: AtomicU64,
    pub(crate) received: AtomicU64,
    pub(crate) scrubbed: AtomicU64,
}

impl Record {
    pub(crate) fn new(sink: Arc<dyn Sink>, lease: &str, host: &str, method: &str) -> Arc<Self> {
        let event = Event {
            lease: lease.to_owned(),
            outcome: Outcome::Answered,
            host: host.to_owned(),
            method: method.to_owned(),
            path: String::new(),
            status: 0,
            secrets: Vec::new(),
            scrubbed: 0,
            sent: 0,
            received: 0,
        };
        Arc::new(Self {
            sink,
            event: std::sync::Mutex::new(event),
            sent: AtomicU64::new(0),
            received: AtomicU64::new(0),
            scrubbed: AtomicU64::new(0),
        })
    }

    pub(crate) fn path(&self, path: &str) {
        let mut end = path.len().min(PATH);
        while !path.is_char_boundary(end) {
            end -= 1;
        }
        path[..end].clone_into(&mut self.event().path);
    }

    pub(crate) fn host(&self, host: &str) {
        host.clone_into(&mut self.event().host);
    }

    pub(crate) fn outcome(&self) -> Outcome {
        self.event().outcome
    }

    pub(crate) fn status(&self, status: u16) {
        self.event().status = status;
    }

    /// The first reason stays.
    pub(crate) fn refused(&self, reason: Reason) {
        let mut event = self.event();
        if !matches!(event.outcome, Outcome::Refused(_)) {
            event.outcome = Outcome::Refused(reason);
        }
    }

    pub(crate) fn tunnelled(&self) {
        self.event().outcome = Outcome::Tunnelled;
    }

    pub(crate) fn used(&self, secret: &str) {
        let secrets = &mut self.event().secrets;
        if !secrets.iter().any(|known| known == secret) {
            secrets.push(secret.to_owned());
        }
    }

    fn event(&self) -> std::sync::MutexGuard<'_, Event> {
        self.event
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        let mut event = self.event().clone();
        event.sent = self.sent.load(Ordering::Relaxed);
        event.received = self.received.load(Ordering::Relaxed);
        event.scrubbed = self.scrubbed.load(Ordering::Relaxed);
        self.sink.record(event);
    }
}
