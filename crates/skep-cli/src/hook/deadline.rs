//! In time, whatever happens: how long an event may take, and the one answer that it gets.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use super::Asked;
use super::log::Log;
use crate::context::Context;

/// To hand over what was said; the rest waits in the spool.
const CAPTURE: Duration = Duration::from_millis(40);
/// To find memories for a prompt; and for an answer, after which nothing may come for long.
const PROMPT: Duration = Duration::from_millis(150);
/// To prime a session, and to wait for a daemon that was not up; and for a session's end, after which nothing
/// comes at all: what waits is not known in the next one.
const START: Duration = Duration::from_secs(1);
/// For a daemon on another machine, at events that speak to it.
const DISTANT: Duration = Duration::from_millis(2_500);
/// How much later the process ends, come what may: for stdin, the disk and names to resolve.
const GRACE: Duration = Duration::from_secs(1);

/// Events by what they are for a session, in the words of all harnesses.
const STARTS: [&str; 4] = [
    "SessionStart",
    "sessionStart",
    "session.created",
    "session.compacted",
];
const ENDS: [&str; 4] = ["SessionEnd", "sessionEnd", "session.deleted", "dispose"];
const PROMPTS: [&str; 3] = ["UserPromptSubmit", "BeforeAgent", "chat.message"];
const ANSWERS: [&str; 4] = ["Stop", "AfterAgent", "afterAgentResponse", "session.idle"];

/// How long one event may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline {
    began: Instant,
    inner: Duration,
}

impl Deadline {
    pub(super) fn of(asked: &Asked, context: &Context<'_>) -> Self {
        let distant = context.reach().is_ok_and(|reach| reach.server().is_some());
        let usual = match asked.event {
            _ if distant => DISTANT,
            event if STARTS.contains(&event) || ENDS.contains(&event) => START,
            event if PROMPTS.contains(&event) || ANSWERS.contains(&event) => PROMPT,
            _ => CAPTURE,
        };
        Self {
            began: Instant::now(),
            inner: asked.deadline.unwrap_or(usual),
        }
    }

    /// When nothing more is asked of the daemon.
    pub(super) fn inner(&self) -> Instant {
        self.began + self.inner
    }

    /// When what waits has had its share of a session's start.
    pub(super) fn half(&self) -> Instant {
        self.began + self.inner / 2
    }

    /// What is left until then.
    pub(super) fn left(&self) -> Duration {
        self.inner().saturating_duration_since(Instant::now())
    }

    /// When the process ends at the latest, from now.
    pub(super) fn outer(&self) -> Duration {
        self.inner + GRACE
    }
}

/// Says one thing, once: the answer, or at the last moment that there is none.
pub(super) struct Voice(Arc<AtomicBool>);

impl Voice {
    /// After `limit` it says `nothing`, and the process ends.
    pub(super) fn with_limit(limit: Duration, nothing: String, log: Log) -> Self {
        let spoken = Arc::new(AtomicBool::new(false));
        let voice = Self(Arc::clone(&spoken));
        std::thread::spawn(move || {
            std::thread::sleep(limit);
            if !spoken.swap(true, Ordering::AcqRel) {
                log.line("out of time");
                write(&nothing);
            }
            leave();
        });
        voice
    }

    pub(super) fn say(&self, answer: &str) {
        if !self.0.swap(true, Ordering::AcqRel) {
            write(answer);
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the thread that would return is the one that is held up"
)]
fn leave() {
    std::process::exit(0);
}

/// In one piece; whom it does not reach does not miss it.
fn write(text: &str) {
    let mut out = std::io::stdout().lock();
    let _closed = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
