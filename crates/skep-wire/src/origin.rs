//! The way to one origin: its connections, and sending over them.

use std::sync::{Arc, Mutex, PoisonError};

use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper::http::request::Parts;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use skep_egress::{EgressError, Offer, Opened, Origin};
use tokio::time::sleep;

use crate::body::Answer;
use crate::head;
use crate::lease::Leased;
use crate::pump::progress;
use crate::record::Record;
use crate::refusal::{Reason, Refusal};
use crate::tasks::Spawner;

/// Connections of HTTP/1.1 that are kept for a program's connection.
const IDLE: usize = 4;

/// Connections to one origin, for one connection of a program: none is used for another host, another
/// program or another lease.
pub(crate) struct Way {
    pub(crate) origin: Origin,
    idle: Mutex<Vec<http1::SendRequest<Answer>>>,
    shared: Mutex<Option<http2::SendRequest<Answer>>>,
}

enum Sender {
    Http1(http1::SendRequest<Answer>),
    Http2(http2::SendRequest<Answer>),
}

impl Way {
    pub(crate) fn to(origin: Origin) -> Self {
        Self {
            origin,
            idle: Mutex::new(Vec::new()),
            shared: Mutex::new(None),
        }
    }

    /// Sends a request, and gives the head of its answer.
    pub(crate) async fn send(
        &self,
        lease: &Arc<Leased>,
        record: &Arc<Record>,
        parts: Parts,
        mut body: Answer,
        is_upgrade: bool,
    ) -> Result<Response<Incoming>, Refusal> {
        // A kept connection may have been closed by the origin just now. What was never sent is sent
        // over another one.
        while let Some(sender) = self.kept().filter(|_| !is_upgrade) {
            match self
                .over(lease, record, sender, parts.clone(), body)
                .await?
            {
                Ok(answer) => return Ok(answer),
                Err(unsent) => body = unsent,
            }
        }
        let offer = if is_upgrade {
            Offer::Http1
        } else {
            Offer::Http2
        };
        let opened = lease
            .egress
            .open(&self.origin, offer)
            .await
            .map_err(|error| refused(&error))?;
        let sender = self.speak(lease, opened).await?;
        match self.over(lease, record, sender, parts, body).await? {
            Ok(answer) => Ok(answer),
            Err(_) => Err(broken()),
        }
    }

    fn kept(&self) -> Option<Sender> {
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = shared.as_ref() {
            if sender.is_ready() {
                return Some(Sender::Http2(sender.clone()));
            }
            if sender.is_closed() {
                *shared = None;
            }
        }
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|sender| !sender.is_closed());
        let ready = idle.iter().position(http1::SendRequest::is_ready)?;
        Some(Sender::Http1(idle.swap_remove(ready)))
    }

    async fn speak(&self, lease: &Arc<Leased>, opened: Opened) -> Result<Sender, Refusal> {
        let wire = TokioIo::new(opened.wire);
        let limits = &lease.limits;
        if opened.is_http2 {
            let made = http2::Builder::new(Spawner(Arc::clone(&lease.tasks)))
                .timer(TokioTimer::new())
                .max_header_list_size(u32::try_from(limits.head).unwrap_or(u32::MAX))
                .handshake(wire)
                .await;
            let (sender, connection) = made.map_err(|_| broken())?;
            lease.tasks.spawn(async move {
                let _ended = connection.await;
            });
            let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
            *shared = Some(sender.clone());
            return Ok(Sender::Http2(sender));
        }
        let made = http1::Builder::new()
            .max_buf_size(limits.head.max(8 << 10))
            .max_headers(limits.headers)
            .handshake(wire)
            .await;
        let (sender, connection) = made.map_err(|_| broken())?;
        lease.tasks.spawn(async move {
            let _ended = connection.with_upgrades().await;
        });
        Ok(Sender::Http1(sender))
    }

    /// The answer, or the body back when nothing of the request was sent.
    async fn over(
        &self,
        lease: &Arc<Leased>,
        record: &Arc<Record>,
        sender: Sender,
        mut parts: Parts,
        body: Answer,
    ) -> Result<Result<Response<Incoming>, Answer>, Refusal> {
        let is_http2 = matches!(sender, Sender::Http2(_));
        head::address(&mut parts, &self.origin, is_http2)?;
        let request = Request::from_parts(parts, body);
        let outcome = match sender {
            Sender::Http2(mut sender) => {
                patiently(lease, record, sender.try_send_request(request)).await?
            }
            Sender::Http1(mut sender) => {
                let outcome = patiently(lease, record, sender.try_send_request(request)).await?;
                let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
                if idle.len() < IDLE && !sender.is_closed() {
                    idle.push(sender);
                }
                outcome
            }
        };
        match outcome {
            Ok(answer) => Ok(Ok(answer)),
            Err(mut error) => match error.take_message() {
                Some(request) => Ok(Err(request.into_body())),
                None => Err(broken()),
            },
        }
    }
}

/// Waits for an answer for as long as the limits say, counted anew while the body still goes.
async fn patiently<T>(
    lease: &Leased,
    record: &Record,
    answer: impl Future<Output = T>,
) -> Result<T, Refusal> {
    let mut answer = std::pin::pin!(answer);
    loop {
        let before = progress(record);
        tokio::select! {
            answer = &mut answer => return Ok(answer),
            () = sleep(lease.limits.answer_time) => {
                if progress(record) == before {
                    return Err(Refusal::new(Reason::Late, "the origin does not answer"));
                }
            }
        }
    }
}

pub(crate) fn refused(error: &EgressError) -> Refusal {
    let reason = match error {
        EgressError::Forbidden { .. } | EgressError::Url(_) => Reason::Address,
        EgressError::Late { .. } => Reason::Late,
        _ => Reason::Origin,
    };
    Refusal::new(reason, error.to_string())
}

fn broken() -> Refusal {
    Refusal::new(
        Reason::Origin,
        "the origin broke off, or does not speak HTTP",
    )
}
