//! An origin within this process that says back what it is sent, in whatever writing it is asked for.
//!
//! With it whoever runs a daemon can see what the proxy keeps from a program, on the daemon that they use,
//! with no host that would have to be trusted for it. It is reached through the proxy alone, by a template
//! that names it and that somebody approved, like every other origin; it has no address, listens nowhere, and
//! forgets what it heard when its connection ends.

mod writing;

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use base64ct::{Base64UrlUnpadded, Encoding};
use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::header::{AUTHORIZATION, CONTENT_ENCODING, HeaderMap, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use skep_crypto::sha256;
use skep_egress::{Host, Inside, Origin, Scheme};
use zeroize::Zeroizing;

use crate::basic;
use crate::tasks::Tasks;

/// Bytes that a connection holds in each direction.
const PIPE: usize = 64 << 10;
/// What stands before the credential in a long answer: more than is held back to be looked through whole.
const LONG: usize = 80 << 10;

/// The origin; its connections end with it.
pub struct Trial(Arc<Tasks>);

/// What one connection was told last.
#[derive(Default)]
struct Heard(Mutex<Zeroizing<Vec<u8>>>);

/// A body whose length is announced or not.
struct Said {
    pieces: VecDeque<Bytes>,
    length: Option<u64>,
}

impl Trial {
    /// Its name, which no resolver knows: RFC 6761 keeps `.invalid` for that.
    pub const HOST: &str = "trial.skep.invalid";

    /// One that nobody has told anything.
    #[must_use]
    pub fn start() -> Self {
        Self(Tasks::new())
    }

    /// As rules name it.
    #[must_use]
    pub fn origin() -> Origin {
        Origin {
            scheme: Scheme::Https,
            host: Host::Name(Self::HOST.to_owned()),
            port: 443,
        }
    }
}

impl Inside for Trial {
    fn open(&self) -> Box<dyn skep_egress::Wire> {
        let (ours, theirs) = tokio::io::duplex(PIPE);
        let heard = Arc::new(Heard::default());
        self.0.spawn(async move {
            let service = service_fn(move |request: Request<Incoming>| {
                let answer = heard.answer(&request);
                async { Ok::<_, Infallible>(answer) }
            });
            let _ended = http1::Builder::new()
                .serve_connection(TokioIo::new(ours), service)
                .await;
        });
        Box::new(theirs)
    }
}

impl Heard {
    /// `/digest`; `/say/<writing>/<shape>` of the request's own credential; `/again/…` of the one before.
    fn answer(&self, request: &Request<Incoming>) -> Response<Said> {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(credential) = credential(request.headers()) {
            *last = credential;
        }
        let steps: Vec<&str> = request.uri().path().split('/').skip(1).collect();
        let found = match steps.as_slice() {
            ["digest"] => Some(Response::new(Said::whole(digest(&last).into()))),
            ["say" | "again", writing, shape] => {
                writing::written(writing, &last).and_then(|text| shaped(shape, text))
            }
            _ => None,
        };
        found.unwrap_or_else(|| {
            let mut nothing = Response::new(Said::whole("no such writing, or shape".into()));
            *nothing.status_mut() = StatusCode::NOT_FOUND;
            nothing
        })
    }
}

/// What stands behind `Bearer`, the password of `Basic`, or all of another header.
fn credential(headers: &HeaderMap) -> Option<Zeroizing<Vec<u8>>> {
    let held = headers.get(AUTHORIZATION)?.as_bytes();
    if let Some(pair) = basic::decoded(held) {
        let colon = pair.iter().position(|byte| *byte == b':')?;
        return Some(Zeroizing::new(pair[colon + 1..].to_vec()));
    }
    let bare = held.strip_prefix(b"Bearer ").unwrap_or(held);
    Some(Zeroizing::new(bare.to_vec()))
}

fn shaped(shape: &str, text: Vec<u8>) -> Option<Response<Said>> {
    let mut answer = match shape {
        "body" | "error" | "packed" => Response::new(Said::whole(text.into())),
        "letters" => {
            let letters = text.iter().map(|byte| Bytes::copy_from_slice(&[*byte]));
            Response::new(Said {
                pieces: letters.collect(),
                length: None,
            })
        }
        "long" => {
            let mut all = vec![b'.'; LONG];
            all.extend(text);
            Response::new(Said::whole(all.into()))
        }
        "header" => {
            let mut answer = Response::new(Said::whole("see the header".into()));
            let value = HeaderValue::from_bytes(&text).ok()?;
            answer.headers_mut().insert("x-said", value);
            return Some(answer);
        }
        _ => return None,
    };
    if shape == "error" {
        *answer.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    }
    if shape == "packed" {
        let packed = HeaderValue::from_static("gzip");
        answer.headers_mut().insert(CONTENT_ENCODING, packed);
    }
    Some(answer)
}

/// That it arrived, for who knows it: nobody gets from here to the credential.
fn digest(credential: &[u8]) -> String {
    let whole = Base64UrlUnpadded::encode_string(&sha256(credential));
    whole.chars().take(22).collect()
}

impl Said {
    fn whole(bytes: Bytes) -> Self {
        Self {
            length: Some(bytes.len() as u64),
            pieces: [bytes].into(),
        }
    }
}

impl Body for Said {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.pieces.pop_front().map(|piece| Ok(Frame::data(piece))))
    }

    fn size_hint(&self) -> SizeHint {
        self.length
            .map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
