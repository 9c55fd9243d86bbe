//! Bodies of requests in which placeholders are replaced, or which are refused for them.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::HeaderMap;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::header::CONTENT_TYPE;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::body::{Answer, Broken, Flow, Towards, empty, full};
use crate::lease::Leased;
use crate::matcher::{Matcher, Piece};
use crate::record::Record;
use crate::refusal::{Reason, Refusal, json_escaped};
use crate::rule::is_marked;
use crate::secrets::Why;
use crate::substitute::{Asking, BodyPlan};

/// Parts that wait for the origin.
const WAITING: usize = 4;

/// How a value is written, so that it stays one value where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Writing {
    Plain,
    Json,
    Form,
}

/// All that a body needs to be replaced in, while its request goes on.
pub(crate) struct Pump {
    lease: Arc<Leased>,
    record: Arc<Record>,
    plan: BodyPlan,
    writing: Writing,
    host: String,
    method: String,
    path: String,
}

/// A part of a body, or what stands for one.
enum Part {
    Text(Bytes),
    Placeholder(usize),
}

impl Pump {
    pub(crate) fn new(
        lease: &Arc<Leased>,
        record: &Arc<Record>,
        plan: BodyPlan,
        host: &str,
        parts: &hyper::http::request::Parts,
    ) -> Self {
        Self {
            lease: Arc::clone(lease),
            record: Arc::clone(record),
            plan,
            writing: Writing::of(&parts.headers),
            host: host.to_owned(),
            method: parts.method.as_str().to_owned(),
            path: parts.uri.path().to_owned(),
        }
    }

    /// The body as it goes to the origin. What is short and of known length is held, so that its new
    /// length is known, and nothing is sent when it is refused.
    pub(crate) async fn outgoing(self, body: Incoming) -> Result<Answer, Refusal> {
        if body.is_end_stream() {
            return Ok(empty());
        }
        let length = body.size_hint().exact();
        let lease = Arc::clone(&self.lease);
        let flow = Flow::new(body, Towards::Origin, &lease, &self.record, None);
        if self.plan.replace.is_empty() && self.plan.refuse.is_empty() {
            return Ok(flow.boxed_unsync());
        }
        let held = length.is_some_and(|length| length <= self.lease.limits.held_body as u64);
        if held {
            let _slot = lease.holding.acquire().await;
            return self.held(flow).await;
        }
        let (sender, receiver) = mpsc::channel(WAITING);
        lease.tasks.spawn(async move {
            if self.stream(flow, &sender).await.is_err() {
                let _gone = sender.send(Err(Broken)).await;
            }
        });
        Ok(Waiting(receiver).boxed_unsync())
    }

    async fn held(self, flow: Flow) -> Result<Answer, Refusal> {
        let whole = timeout(self.lease.limits.idle_time, flow.collect()).await;
        let Ok(Ok(whole)) = whole else {
            return Err(Refusal::new(Reason::BrokenOff, "its body broke off"));
        };
        let whole = whole.to_bytes();
        let mut matcher = Matcher::new(Arc::clone(&self.lease.patterns));
        let mut parts = Vec::new();
        matcher.feed(&whole, &mut |piece| parts.push(Part::of(&piece)));
        matcher.end(&mut |piece| parts.push(Part::of(&piece)));
        let mut out = BytesMut::with_capacity(whole.len());
        for part in parts {
            out.extend_from_slice(&self.written(part).await?);
        }
        Ok(full(out.freeze()))
    }

    async fn stream(
        &self,
        mut flow: Flow,
        sender: &mpsc::Sender<Result<Frame<Bytes>, Broken>>,
    ) -> Result<(), Broken> {
        let mut matcher = Matcher::new(Arc::clone(&self.lease.patterns));
        let mut trailers = None;
        loop {
            let mut parts = Vec::new();
            let frame = flow.frame().await.transpose()?;
            let is_over = frame.is_none();
            match frame.map(Frame::into_data) {
                None => matcher.end(&mut |piece| parts.push(Part::of(&piece))),
                Some(Ok(data)) => {
                    matcher.feed(&data, &mut |piece| parts.push(Part::of(&piece)));
                }
                Some(Err(frame)) => trailers = frame.into_trailers().ok(),
            }
            for part in parts {
                let written = self.written(part).await.map_err(|refusal| {
                    self.record.refused(refusal.reason);
                    Broken
                })?;
                let sent = sender.send(Ok(Frame::data(written))).await;
                sent.map_err(|_| Broken)?;
            }
            if is_over {
                break;
            }
        }
        if let Some(trailers) = trailers {
            self.look_at(&trailers)?;
            let sent = sender.send(Ok(Frame::trailers(trailers))).await;
            sent.map_err(|_| Broken)?;
        }
        Ok(())
    }

    fn look_at(&self, trailers: &HeaderMap) -> Result<(), Broken> {
        let marked = |(name, value): (&hyper::header::HeaderName, &hyper::header::HeaderValue)| {
            is_marked(name.as_str().as_bytes()) || is_marked(value.as_bytes())
        };
        if trailers.iter().any(marked) {
            self.record.refused(Reason::PlaceholderInHeader);
            return Err(Broken);
        }
        Ok(())
    }

    async fn written(&self, part: Part) -> Result<Bytes, Refusal> {
        let nth = match part {
            Part::Text(text) => return Ok(text),
            Part::Placeholder(nth) => nth,
        };
        let placeholder = &self.lease.placeholders[nth];
        if self.plan.refuse.contains(&nth) {
            return Err(Refusal::new(
                Reason::PlaceholderInBody,
                format!("{placeholder} stands in its body"),
            ));
        }
        if !self.plan.replace.contains(&nth) {
            return Ok(Bytes::copy_from_slice(placeholder.as_bytes()));
        }
        let asking = Asking {
            lease: &self.lease,
            host: &self.host,
            method: &self.method,
            path: &self.path,
        };
        let value = asking.value(nth, Why::Send).await?;
        self.lease.has_sent(nth);
        self.record.used(&self.lease.names[nth]);
        let value = value.expose();
        Ok(match self.writing {
            Writing::Plain => Bytes::copy_from_slice(value.as_bytes()),
            Writing::Json => Bytes::from(json_escaped(value)),
            Writing::Form => Bytes::from(form_escaped(value)),
        })
    }
}

impl Part {
    fn of(piece: &Piece<'_>) -> Self {
        match piece {
            Piece::Text(text) => Self::Text(Bytes::copy_from_slice(text)),
            Piece::Hit { name, .. } => Self::Placeholder(*name),
        }
    }
}

impl Writing {
    fn of(headers: &HeaderMap) -> Self {
        let kind = headers
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok());
        let kind = kind.unwrap_or_default().to_ascii_lowercase();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        match kind {
            "application/x-www-form-urlencoded" => Self::Form,
            _ if kind.ends_with("/json") || kind.ends_with("+json") => Self::Json,
            _ => Self::Plain,
        }
    }
}

fn form_escaped(value: &str) -> String {
    let mut out = String::with_capacity(value.len() * 3);
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// What the pump has ready.
struct Waiting(mpsc::Receiver<Result<Frame<Bytes>, Broken>>);

impl Body for Waiting {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        self.get_mut().0.poll_recv(context)
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

/// How many bytes of a body have gone, to see whether it stands still.
pub(crate) fn progress(record: &Record) -> u64 {
    record.sent.load(Ordering::Relaxed)
}
