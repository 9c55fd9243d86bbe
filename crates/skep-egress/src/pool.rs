//! Connections to one origin that are kept for the next call, and answers that are read as they arrive.
//!
//! Each is checked as any other call is, when it is made. A pool is for one owner: what a server sends behind
//! its answer would be the answer of whoever comes next, and that is nobody else.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use crate::call::{HEAD, HEADERS, late, message, unreachable};
use crate::{Egress, EgressError, Origin, Patience, Request, Stage};

/// Connections that wait for the next call.
const IDLE: usize = 64;
/// How long one waits. Servers end theirs after a minute or so, and a call should not meet that.
const RESTS: Duration = Duration::from_secs(30);

/// Connections to one origin, for one owner.
pub struct Pool {
    egress: Arc<Egress>,
    origin: Origin,
    patience: Patience,
    idle: Mutex<Vec<(Instant, Line)>>,
    slots: Arc<Semaphore>,
}

/// A connection, and the task that moves its bytes: it ends with the line.
struct Line {
    sender: SendRequest<Full<Bytes>>,
    _driver: JoinSet<()>,
}

/// An answer under way. Dropped before its end, it ends the connection at once.
pub struct Answering {
    status: u16,
    head: hyper::HeaderMap,
    body: Incoming,
    line: Option<Line>,
    pool: Arc<Pool>,
    _slot: OwnedSemaphorePermit,
}

impl Pool {
    /// To this origin, with so many calls under way at a time. The patience for a whole call does not count:
    /// how long a stream may last is its reader's to say.
    #[must_use]
    pub fn new(egress: Arc<Egress>, origin: Origin, patience: Patience, calls: usize) -> Self {
        Self {
            egress,
            origin,
            patience,
            idle: Mutex::default(),
            slots: Arc::new(Semaphore::new(calls)),
        }
    }

    /// Whom it is to.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Makes a call, up to the head of its answer. No redirect is followed.
    ///
    /// # Errors
    /// [`EgressError`]; [`EgressError::Busy`] when as many calls are under way as may.
    pub async fn send(self: &Arc<Self>, request: &Request) -> Result<Answering, EgressError> {
        if request.target.origin() != &self.origin {
            return Err(EgressError::Request("it is for another origin"));
        }
        let slot = Arc::clone(&self.slots).try_acquire_owned();
        let slot = slot.map_err(|_| EgressError::Busy)?;
        let with_secrets = !request.secret.is_empty();
        let mut kept = self.take().await;
        loop {
            let was_kept = kept.is_some();
            let mut line = match kept.take() {
                Some(line) => line,
                None => self.dial(with_secrets).await?,
            };
            let message = message(request, &request.target, with_secrets, true)?;
            let sent = timeout(
                self.patience.first_byte,
                line.sender.try_send_request(message),
            );
            match sent.await {
                Err(_) => return Err(late(&self.origin, Stage::FirstByte)),
                Ok(Ok(answer)) => {
                    let (head, body) = answer.into_parts();
                    return Ok(Answering {
                        status: head.status.as_u16(),
                        head: head.headers,
                        body,
                        line: Some(line),
                        pool: Arc::clone(self),
                        _slot: slot,
                    });
                }
                Ok(Err(mut error)) => {
                    // It was ended while it waited, and not a byte of this was sent.
                    if was_kept && error.take_message().is_some() {
                        continue;
                    }
                    let error = error.into_error();
                    if error.is_parse() {
                        return Err(EgressError::Answer("it is no HTTP"));
                    }
                    return Err(unreachable(&self.origin, io::Error::other(error)));
                }
            }
        }
    }

    /// A connection that waits and is still there.
    async fn take(&self) -> Option<Line> {
        loop {
            let (since, mut line) = self.idle().pop()?;
            let rested = since.elapsed() < RESTS;
            if rested && !line.sender.is_closed() && line.sender.ready().await.is_ok() {
                return Some(line);
            }
        }
    }

    fn keep(&self, line: Line) {
        let mut idle = self.idle();
        idle.retain(|(since, line)| since.elapsed() < RESTS && !line.sender.is_closed());
        if idle.len() < IDLE && !line.sender.is_closed() {
            idle.push((Instant::now(), line));
        }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<(Instant, Line)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn dial(&self, with_secrets: bool) -> Result<Line, EgressError> {
        let connecting = self.egress.connect(&self.origin, with_secrets);
        let wire = timeout(self.patience.connect, connecting)
            .await
            .unwrap_or_else(|_| Err(late(&self.origin, Stage::Connect)))?;
        let (sender, connection) = http1::Builder::new()
            .max_buf_size(HEAD)
            .max_headers(HEADERS)
            .handshake(TokioIo::new(wire))
            .await
            .map_err(|error| unreachable(&self.origin, io::Error::other(error)))?;
        let mut driver = JoinSet::new();
        driver.spawn(async move {
            // Its errors reach the request that is under way.
            let _ended = connection.await;
        });
        Ok(Line {
            sender,
            _driver: driver,
        })
    }
}

impl Answering {
    /// The status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// A header, if it is there and is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.get(name)?.to_str().ok()
    }

    /// What comes next of the body; `None` at its end.
    ///
    /// # Errors
    /// [`EgressError::Late`] when nothing comes, [`EgressError::Answer`] when it breaks off.
    pub async fn next(&mut self) -> Result<Option<Bytes>, EgressError> {
        loop {
            let frame = timeout(self.pool.patience.idle, self.body.frame()).await;
            match frame.map_err(|_| late(&self.pool.origin, Stage::Idle))? {
                None => {
                    self.rest();
                    return Ok(None);
                }
                Some(Err(_)) => {
                    self.line = None;
                    return Err(EgressError::Answer("it broke off"));
                }
                Some(Ok(frame)) => {
                    // Behind the last byte of a body whose length is known nothing more has to be waited for.
                    if self.body.is_end_stream() {
                        self.rest();
                    }
                    if let Ok(bytes) = frame.into_data() {
                        return Ok(Some(bytes));
                    }
                }
            }
        }
    }

    /// The rest of the body, if it has no more bytes than that.
    ///
    /// # Errors
    /// [`EgressError::TooLarge`], and as [`Answering::next`].
    pub async fn read(&mut self, limit: usize) -> Result<Bytes, EgressError> {
        let too_large = EgressError::TooLarge { limit };
        let declared = self.body.size_hint().lower();
        if declared > limit as u64 {
            return Err(too_large);
        }
        let Some(first) = self.next().await? else {
            return Ok(Bytes::new());
        };
        if first.len() as u64 == declared && self.line.is_none() {
            return Ok(first);
        }
        let mut whole = bytes::BytesMut::from(&first[..]);
        while let Some(more) = self.next().await? {
            if whole.len() + more.len() > limit {
                return Err(too_large);
            }
            whole.extend_from_slice(&more);
        }
        if whole.len() > limit {
            return Err(too_large);
        }
        Ok(whole.freeze())
    }

    fn rest(&mut self) {
        if let Some(line) = self.line.take() {
            self.pool.keep(line);
        }
    }
}
