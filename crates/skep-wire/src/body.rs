//! Bodies on their way: counted, timed, and in answers looked through.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, Full};
use hyper::HeaderMap;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::time::{Duration, Instant, Sleep, sleep};

use crate::answer::Scrub;
use crate::lease::Leased;
use crate::record::Record;
use crate::refusal::Reason;

/// A body that goes on to the program, or to the origin.
pub(crate) type Answer = UnsyncBoxBody<Bytes, Broken>;

/// It was broken off; the record says why.
#[derive(Debug, thiserror::Error)]
#[error("broken off by the proxy")]
pub(crate) struct Broken;

pub(crate) fn full(bytes: Bytes) -> Answer {
    Full::new(bytes)
        .map_err(|never| match never {})
        .boxed_unsync()
}

pub(crate) fn empty() -> Answer {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

/// Which way a body goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Towards {
    Origin,
    Program,
}

/// A body in passing.
pub(crate) struct Flow {
    body: Incoming,
    towards: Towards,
    lease: Arc<Leased>,
    record: Arc<Record>,
    scrub: Option<Scrub>,
    idle: Pin<Box<Sleep>>,
    idle_time: Duration,
    /// Bytes that it still has, where that is known and stays so.
    left: Option<u64>,
    trailers: Option<HeaderMap>,
    is_over: bool,
}

impl Flow {
    pub(crate) fn new(
        body: Incoming,
        towards: Towards,
        lease: &Arc<Leased>,
        record: &Arc<Record>,
        scrub: Option<Scrub>,
    ) -> Self {
        let left = match &scrub {
            Some(scrub) if !scrub.keeps_length() => None,
            _ => body.size_hint().exact(),
        };
        let idle_time = lease.limits.idle_time;
        Self {
            body,
            towards,
            lease: Arc::clone(lease),
            record: Arc::clone(record),
            scrub,
            idle: Box::pin(sleep(idle_time)),
            idle_time,
            left,
            trailers: None,
            is_over: false,
        }
    }

    fn broken(&mut self) -> Broken {
        self.is_over = true;
        self.record.refused(Reason::BrokenOff);
        Broken
    }

    /// What of a part goes on, nothing where it is held back.
    fn taken(&mut self, data: Bytes) -> Result<Bytes, Broken> {
        self.count(data.len())?;
        Ok(match &mut self.scrub {
            Some(scrub) => scrub.feed(&data),
            None => data,
        })
    }

    fn count(&mut self, bytes: usize) -> Result<(), Broken> {
        let counter = match self.towards {
            Towards::Origin => &self.record.sent,
            Towards::Program => &self.record.received,
        };
        counter.fetch_add(bytes as u64, Ordering::Relaxed);
        if self.lease.take_bytes(bytes) {
            return Ok(());
        }
        self.is_over = true;
        self.record.refused(Reason::Exhausted);
        Err(Broken)
    }

    /// The end of the data: what was held back, and the trailers after it.
    fn last(&mut self, trailers: Option<HeaderMap>) -> Option<Frame<Bytes>> {
        let (tail, trailers) = match &mut self.scrub {
            Some(scrub) => (scrub.end(), trailers.map(|map| scrub.headers(&map))),
            None => (Bytes::new(), trailers),
        };
        self.is_over = true;
        if tail.is_empty() {
            return trailers.map(Frame::trailers);
        }
        self.trailers = trailers;
        Some(self.data(tail))
    }

    fn data(&mut self, data: Bytes) -> Frame<Bytes> {
        if let Some(left) = &mut self.left {
            *left = left.saturating_sub(data.len() as u64);
        }
        Frame::data(data)
    }
}

impl Body for Flow {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let this = self.get_mut();
        loop {
            if this.is_over {
                return Poll::Ready(this.trailers.take().map(|map| Ok(Frame::trailers(map))));
            }
            let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(context) else {
                ready!(this.idle.as_mut().poll(context));
                return Poll::Ready(Some(Err(this.broken())));
            };
            this.idle.as_mut().reset(Instant::now() + this.idle_time);
            let frame = match frame {
                None => return Poll::Ready(this.last(None).map(Ok)),
                Some(Err(_)) => return Poll::Ready(Some(Err(this.broken()))),
                Some(Ok(frame)) => frame,
            };
            match frame.into_data() {
                Ok(data) => match this.taken(data) {
                    Ok(data) if data.is_empty() => {}
                    Ok(data) => return Poll::Ready(Some(Ok(this.data(data)))),
                    Err(broken) => return Poll::Ready(Some(Err(broken))),
                },
                Err(frame) => {
                    let trailers = frame.into_trailers().ok();
                    return Poll::Ready(this.last(trailers).map(Ok));
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        if self.is_over {
            return self.trailers.is_none();
        }
        self.body.is_end_stream() && self.scrub.as_ref().is_none_or(Scrub::holds_nothing)
    }

    fn size_hint(&self) -> SizeHint {
        self.left
            .map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
