//! Answers of origins: no value in them reaches the program.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use hyper::header::{
    ALT_SVC, CONTENT_ENCODING, CONTENT_LENGTH, HeaderName, HeaderValue, TRANSFER_ENCODING,
};
use hyper::{HeaderMap, Response, StatusCode, Version};
use tokio::time::timeout;

use crate::body::{Answer, Flow, Towards, empty, full};
use crate::lease::Leased;
use crate::matcher::{Matcher, Patterns, Piece};
use crate::record::Record;
use crate::refusal::{Reason, Refusal};
use crate::{forms, head};

/// Bytes of an answer of known length that is held, so that its new length can be said. In a longer
/// one, what takes a value's place is as long as the value.
const HELD: u64 = 64 << 10;

/// What is taken out of answers, and what takes its place.
#[derive(Clone)]
pub(crate) struct Values {
    patterns: Arc<Patterns>,
    placeholders: Arc<[String]>,
}

impl Values {
    /// By the number of a placeholder, a value.
    pub(crate) fn new(
        values: &[(usize, skep_crypto::Plain<String>)],
        placeholders: Arc<[String]>,
    ) -> Self {
        let list = values
            .iter()
            .flat_map(|(nth, value)| forms::of(value).into_iter().map(move |form| (form, *nth)));
        Self {
            patterns: Patterns::new(list.collect()),
            placeholders,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    pub(crate) fn scrub(&self, keeps_length: bool, record: &Arc<Record>) -> Scrub {
        Scrub {
            matcher: Matcher::new(Arc::clone(&self.patterns)),
            values: self.clone(),
            keeps_length,
            record: Arc::clone(record),
        }
    }
}

/// Takes values out of one stream.
pub(crate) struct Scrub {
    matcher: Matcher,
    values: Values,
    keeps_length: bool,
    record: Arc<Record>,
}

impl Scrub {
    pub(crate) fn keeps_length(&self) -> bool {
        self.keeps_length
    }

    pub(crate) fn holds_nothing(&self) -> bool {
        self.matcher.holds_nothing()
    }

    pub(crate) fn feed(&mut self, data: &[u8]) -> Bytes {
        let mut out = BytesMut::with_capacity(data.len());
        let write = Writing {
            placeholders: &self.values.placeholders,
            keeps_length: self.keeps_length,
            record: &self.record,
        };
        self.matcher
            .feed(data, &mut |piece| write.piece(&piece, &mut out));
        out.freeze()
    }

    pub(crate) fn end(&mut self) -> Bytes {
        let mut out = BytesMut::new();
        let write = Writing {
            placeholders: &self.values.placeholders,
            keeps_length: self.keeps_length,
            record: &self.record,
        };
        self.matcher.end(&mut |piece| write.piece(&piece, &mut out));
        out.freeze()
    }

    /// Header by header, name and value. A name that holds a value is left out: in it the value has
    /// lost its case, and cannot be a placeholder.
    pub(crate) fn headers(&self, headers: &HeaderMap) -> HeaderMap {
        let write = Writing {
            placeholders: &self.values.placeholders,
            keeps_length: false,
            record: &self.record,
        };
        let mut out = HeaderMap::with_capacity(headers.len());
        for (name, value) in headers {
            let patterns = &self.values.patterns;
            if patterns.occur_ignoring_case(name.as_str().as_bytes()) {
                self.record.scrubbed.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            let mut bytes = BytesMut::new();
            patterns.scan(value.as_bytes(), |piece| write.piece(&piece, &mut bytes));
            if let Ok(value) = HeaderValue::from_maybe_shared(bytes.freeze()) {
                out.append(name, value);
            }
        }
        out
    }
}

struct Writing<'a> {
    placeholders: &'a [String],
    keeps_length: bool,
    record: &'a Record,
}

impl Writing<'_> {
    fn piece(&self, piece: &Piece<'_>, out: &mut BytesMut) {
        match piece {
            Piece::Text(text) => out.extend_from_slice(text),
            Piece::Hit { name, length } => {
                self.record.scrubbed.fetch_add(1, Ordering::Relaxed);
                let placeholder = self.placeholders.get(*name).map_or("", String::as_str);
                if self.keeps_length {
                    let filled = placeholder.bytes().chain(std::iter::repeat(b'*'));
                    out.extend(filled.take(*length));
                } else {
                    out.extend_from_slice(placeholder.as_bytes());
                }
            }
        }
    }
}

/// What a request that is answered was.
pub(crate) struct Question<'a> {
    pub(crate) lease: &'a Arc<Leased>,
    pub(crate) record: &'a Arc<Record>,
    pub(crate) values: &'a Values,
    pub(crate) is_head: bool,
    /// A part was asked for, which the origin was not told.
    pub(crate) had_range: bool,
    pub(crate) version: Version,
}

impl Question<'_> {
    /// The answer as the program gets it.
    pub(crate) async fn answer(
        &self,
        response: Response<Incoming>,
    ) -> Result<Response<Answer>, Refusal> {
        let (parts, body) = response.into_parts();
        let status = parts.status;
        let has_body = !self.is_head
            && !matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
            && !body.is_end_stream();
        if !self.values.is_empty() && has_body {
            self.look_at_framing(status, &parts.headers)?;
        }
        let mut headers = parts.headers;
        head::strip_hops(&mut headers, self.version);
        // It would lead a program past the proxy.
        headers.remove(ALT_SVC);
        let scrub = self.values.scrub(false, self.record);
        if !self.values.is_empty() {
            headers = scrub.headers(&headers);
        }
        let body = if has_body {
            headers.remove(CONTENT_LENGTH);
            self.body(body, scrub).await?
        } else {
            empty()
        };
        // No reason phrase: it is text of the origin's that nobody reads.
        let mut answer = Response::new(body);
        *answer.status_mut() = status;
        *answer.headers_mut() = headers;
        self.record.status(status.as_u16());
        Ok(answer)
    }

    fn look_at_framing(&self, status: StatusCode, headers: &HeaderMap) -> Result<(), Refusal> {
        let only = |name: HeaderName, fine: &str| {
            let all = headers.get_all(name);
            all.iter()
                .all(|value| value.as_bytes().eq_ignore_ascii_case(fine.as_bytes()))
        };
        if !only(CONTENT_ENCODING, "identity") || !only(TRANSFER_ENCODING, "chunked") {
            return Err(Refusal::new(
                Reason::Answer,
                "the origin's answer is compressed, though it was asked not to be",
            ));
        }
        if status == StatusCode::PARTIAL_CONTENT && self.had_range {
            return Err(Refusal::new(
                Reason::Answer,
                "the origin's answer is a part of what was asked for",
            ));
        }
        Ok(())
    }

    async fn body(&self, body: Incoming, scrub: Scrub) -> Result<Answer, Refusal> {
        let flow = |body, scrub| {
            Flow::new(body, Towards::Program, self.lease, self.record, scrub).boxed_unsync()
        };
        if self.values.is_empty() {
            return Ok(flow(body, None));
        }
        match body.size_hint().exact() {
            None => Ok(flow(body, Some(scrub))),
            Some(length) if length > HELD => {
                Ok(flow(body, Some(self.values.scrub(true, self.record))))
            }
            Some(_) => {
                let whole = flow(body, Some(scrub)).collect();
                match timeout(self.lease.limits.idle_time, whole).await {
                    Ok(Ok(whole)) => Ok(full(whole.to_bytes())),
                    Ok(Err(_)) | Err(_) => Err(Refusal::new(
                        Reason::BrokenOff,
                        "the origin broke off its answer",
                    )),
                }
            }
        }
    }
}
