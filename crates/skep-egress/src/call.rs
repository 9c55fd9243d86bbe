//! A call: resolve, check, connect to what was checked, ask, and follow redirects by hand.

use std::io;
use std::net::{IpAddr, SocketAddr};

use http_body_util::Full;
use hyper::client::conn::http1;
use hyper::header::{ACCEPT_ENCODING, CONNECTION, HOST, HeaderValue, USER_AGENT};
use hyper::{Method, body::Bytes};
use hyper_util::rt::TokioIo;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::request::Verb;
use crate::response::Head;
use crate::{Egress, EgressError, Host, Origin, Place, Request, Response, Scheme, Stage, Target};
use crate::{Offer, Wire};

/// Redirects that are followed.
const REDIRECTS: usize = 3;
/// Addresses of one host that are tried.
const TRIES: usize = 8;
/// Bytes of an answer's head.
pub(crate) const HEAD: usize = 64 << 10;
/// Headers of an answer.
pub(crate) const HEADERS: usize = 128;

impl Egress {
    /// Makes a call. An answer is an answer, whatever its status.
    ///
    /// # Errors
    /// [`EgressError`].
    pub async fn send(&self, request: &Request) -> Result<Response, EgressError> {
        let _slot = self.slots.try_acquire().map_err(|_| EgressError::Busy)?;
        timeout(self.patience.whole, self.follow(request))
            .await
            .unwrap_or_else(|_| Err(late(request.target.origin(), Stage::Whole)))
    }

    async fn follow(&self, request: &Request) -> Result<Response, EgressError> {
        let mut target = request.target.clone();
        let mut still_there = true;
        for hop in 0..=REDIRECTS {
            // The driver ends with the connection's last use, at the end of this turn.
            let mut driver = JoinSet::new();
            let head = self.ask(request, &target, still_there, &mut driver).await?;
            let Some(location) = head.redirect()? else {
                return head.read(target, request.at_most, self.patience).await;
            };
            if request.verb == Verb::Post {
                return Err(EgressError::Redirect(
                    "what is sent goes to its address only; configure the one that it moved to",
                ));
            }
            if hop == REDIRECTS {
                break;
            }
            let next = target.join(location)?;
            if target.origin().scheme == Scheme::Https && next.origin().scheme == Scheme::Http {
                return Err(EgressError::Redirect("it leads from https to http"));
            }
            // Once away, a credential does not come back: who sent us away chose where.
            still_there &= next.origin() == request.target.origin();
            target = next;
        }
        Err(EgressError::Redirect("there are more than three of them"))
    }

    /// One hop, up to the head of its answer.
    async fn ask(
        &self,
        request: &Request,
        target: &Target,
        still_there: bool,
        driver: &mut JoinSet<()>,
    ) -> Result<Head, EgressError> {
        let origin = target.origin();
        let with_secrets = still_there && !request.secret.is_empty();
        let wire = timeout(self.patience.connect, self.connect(origin, with_secrets))
            .await
            .unwrap_or_else(|_| Err(late(origin, Stage::Connect)))?;
        let (mut sender, connection) = http1::Builder::new()
            .max_buf_size(HEAD)
            .max_headers(HEADERS)
            .handshake(TokioIo::new(wire))
            .await
            .map_err(|error| unreachable(origin, io::Error::other(error)))?;
        driver.spawn(async move {
            // Its errors reach the request that is under way.
            let _ended = connection.await;
        });
        let message = message(request, target, with_secrets, false)?;
        let answer = timeout(self.patience.first_byte, sender.send_request(message))
            .await
            .map_err(|_| late(origin, Stage::FirstByte))?;
        answer.map(Head).map_err(|error| {
            if error.is_parse() {
                EgressError::Answer("it is no HTTP")
            } else {
                unreachable(origin, io::Error::other(error))
            }
        })
    }

    pub(crate) async fn connect(
        &self,
        origin: &Origin,
        with_secrets: bool,
    ) -> Result<Box<dyn Wire>, EgressError> {
        let addresses = self.checked_addresses(origin).await?;
        let outside = addresses
            .iter()
            .any(|address| Place::of(*address) == Place::Public);
        if with_secrets && outside && origin.scheme == Scheme::Http {
            return Err(EgressError::Request(
                "a credential does not go over the internet in clear: use https",
            ));
        }
        let wire = self.dial_one(origin, &addresses).await?;
        match origin.scheme {
            Scheme::Http => Ok(wire),
            Scheme::Https => Ok(self.over_tls(origin, wire, Offer::Http1).await?.wire),
        }
    }

    /// Nothing after this looks the name up again.
    pub(crate) async fn checked_addresses(
        &self,
        origin: &Origin,
    ) -> Result<Vec<IpAddr>, EgressError> {
        self.reach.check_origin(origin)?;
        let addresses = match &origin.host {
            Host::Address(address) => vec![*address],
            Host::Name(name) => self
                .resolver
                .resolve(name)
                .await
                .map_err(|_| self.reach.unresolved(origin))?,
        };
        self.reach.check_addresses(origin, &addresses)?;
        Ok(addresses)
    }

    pub(crate) async fn dial_one(
        &self,
        origin: &Origin,
        addresses: &[IpAddr],
    ) -> Result<Box<dyn Wire>, EgressError> {
        let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
        let mut left = addresses.len().min(TRIES) as u32;
        for address in addresses.iter().take(TRIES) {
            // An address that swallows what it is sent must leave time for the next one.
            let share = self.patience.connect / left.min(3);
            left -= 1;
            let dialled = self.dial.dial(SocketAddr::new(*address, origin.port));
            match timeout(share, dialled).await {
                Ok(Ok(wire)) => return Ok(wire),
                Ok(Err(error)) => last = error,
                Err(_) => last = io::ErrorKind::TimedOut.into(),
            }
        }
        Err(unreachable(origin, last))
    }
}

pub(crate) fn message(
    request: &Request,
    target: &Target,
    with_secrets: bool,
    keeps_open: bool,
) -> Result<hyper::Request<Full<Bytes>>, EgressError> {
    let unusable = |_| EgressError::Url("it cannot be sent");
    let method = match request.verb {
        Verb::Get => Method::GET,
        Verb::Post => Method::POST,
    };
    let mut message = hyper::Request::new(Full::new(request.body.clone()));
    *message.method_mut() = method;
    *message.uri_mut() = target
        .path()
        .parse()
        .map_err(|_| EgressError::Url("its path cannot be sent"))?;
    let headers = message.headers_mut();
    headers.extend(request.plain.clone());
    if with_secrets {
        headers.extend(request.secret.clone());
    }
    let host = HeaderValue::from_str(&target.origin().authority()).map_err(unusable)?;
    headers.insert(HOST, host);
    if !keeps_open {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    headers
        .entry(USER_AGENT)
        .or_insert(HeaderValue::from_static(concat!(
            "skep/",
            env!("CARGO_PKG_VERSION")
        )));
    Ok(message)
}

pub(crate) fn late(origin: &Origin, stage: Stage) -> EgressError {
    EgressError::Late {
        host: origin.host.to_string(),
        stage,
    }
}

pub(crate) fn unreachable(origin: &Origin, source: io::Error) -> EgressError {
    EgressError::Unreachable {
        host: origin.host.to_string(),
        source,
    }
}
