//! One request to one origin, and its answer.

use std::sync::Arc;

use hyper::body::Incoming;
use hyper::header::{ACCEPT_ENCODING, HeaderName, HeaderValue, IF_RANGE, RANGE};
use hyper::upgrade::OnUpgrade;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use skep_crypto::Plain;

use crate::answer::{Question, Values};
use crate::body::{Answer, empty};
use crate::head::{self, with_port};
use crate::lease::Leased;
use crate::origin::Way;
use crate::pump::Pump;
use crate::record::{Outcome, Record};
use crate::refusal::{Reason, Refusal};
use crate::secrets::Why;
use crate::substitute::{self, Judge};
use crate::tunnel::{Ends, ferry};

/// Compression of frames, in which no value could be found.
const EXTENSIONS: HeaderName = HeaderName::from_static("sec-websocket-extensions");

/// A request whose origin is known, of a program that may speak.
pub(crate) struct Exchange<'a> {
    pub(crate) lease: &'a Arc<Leased>,
    pub(crate) record: &'a Arc<Record>,
    pub(crate) way: &'a Way,
}

impl Exchange<'_> {
    /// The answer: the origin's, or why there is none.
    pub(crate) async fn answer(&self, request: Request<Incoming>) -> Response<Answer> {
        match self.run(request).await {
            Ok(answer) => answer,
            Err(refusal) => {
                // The body may have been refused while it was on its way.
                let first = match self.record.outcome() {
                    Outcome::Refused(Reason::PlaceholderInBody) => Refusal::new(
                        Reason::PlaceholderInBody,
                        "a placeholder stands in its body",
                    ),
                    Outcome::Refused(reason) if refusal.reason == Reason::Origin => {
                        Refusal::new(reason, "its body could not be sent on")
                    }
                    _ => refusal,
                };
                first.answer(self.record)
            }
        }
    }

    async fn run(&self, mut request: Request<Incoming>) -> Result<Response<Answer>, Refusal> {
        let upgrade = hyper::upgrade::on(&mut request);
        let (mut parts, body) = request.into_parts();
        parts.extensions = hyper::http::Extensions::new();
        let version = parts.version;
        let is_websocket = head::is_websocket(&parts);
        head::look_at(&parts, &self.lease.limits)?;
        let judge = Judge {
            lease: self.lease,
            origin: &self.way.origin,
            parts: &parts,
        };
        let needed = judge.head()?;
        let plan = judge.body();
        let mut sent = Vec::with_capacity(needed.len());
        for nth in needed {
            sent.push((nth, judge.value(nth, Why::Send).await?));
        }
        let values = self.values(&judge, &sent).await?;
        let mut headers = substitute::headers(self.lease, &parts.headers, &sent)?;
        let host = with_port(&self.way.origin);
        let pump = Pump::new(self.lease, self.record, plan, &host, &parts);
        let had_range = headers.contains_key(RANGE);
        head::outgoing_headers(&mut headers, is_websocket);
        if !values.is_empty() {
            ask_for_what_can_be_read(&mut headers);
        }
        parts.headers = headers;
        let is_head = parts.method == hyper::Method::HEAD;
        for (nth, value) in sent {
            self.lease.has_sent(nth);
            self.record.used(&self.lease.names[nth]);
            drop(value);
        }
        let body = pump.outgoing(body).await?;
        let answer = self
            .way
            .send(self.lease, self.record, parts, body, is_websocket);
        let answer = answer.await?;
        if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
            return self.switched(answer, upgrade, is_websocket, &values);
        }
        let question = Question {
            lease: self.lease,
            record: self.record,
            values: &values,
            is_head,
            had_range,
            version,
        };
        question.answer(answer).await
    }

    /// What the answer is looked through for.
    async fn values(
        &self,
        judge: &Judge<'_>,
        sent: &[(usize, Plain<String>)],
    ) -> Result<Values, Refusal> {
        let mut all = Vec::new();
        for nth in judge.to_scrub() {
            if let Some((_, value)) = sent.iter().find(|(known, _)| *known == nth) {
                all.push((nth, Plain::new(value.expose().clone())));
            } else {
                all.push((nth, judge.value(nth, Why::Scrub).await?));
            }
        }
        Ok(Values::new(&all, Arc::clone(&self.lease.placeholders)))
    }

    /// A WebSocket: its handshake is over, and its bytes go through. Those towards the program are
    /// looked through; what takes a value's place is as long, so that frames stay whole.
    fn switched(
        &self,
        mut answer: Response<Incoming>,
        upgrade: OnUpgrade,
        was_asked: bool,
        values: &Values,
    ) -> Result<Response<Answer>, Refusal> {
        if !was_asked {
            return Err(Refusal::new(
                Reason::Answer,
                "the origin changes to a protocol that nobody asked for",
            ));
        }
        let theirs = hyper::upgrade::on(&mut answer);
        let scrub = values.scrub(true, self.record);
        let headers = if values.is_empty() {
            answer.headers().clone()
        } else {
            scrub.headers(answer.headers())
        };
        let (lease, record) = (Arc::clone(self.lease), Arc::clone(self.record));
        let scrub = (!values.is_empty()).then_some(scrub);
        self.lease.tasks.spawn(async move {
            if let (Ok(program), Ok(origin)) = (upgrade.await, theirs.await) {
                let ends = Ends {
                    program: TokioIo::new(program),
                    origin: TokioIo::new(origin),
                };
                ferry(ends, &lease, &record, scrub).await;
            }
        });
        let mut switched = Response::new(empty());
        *switched.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        *switched.headers_mut() = headers;
        self.record.status(101);
        Ok(switched)
    }
}

/// Whole and uncompressed: in a part, or in what is compressed, no value can be found.
fn ask_for_what_can_be_read(headers: &mut hyper::HeaderMap) {
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    for name in [RANGE, IF_RANGE, EXTENSIONS] {
        headers.remove(name);
    }
}
