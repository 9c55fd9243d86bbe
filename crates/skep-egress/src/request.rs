//! What is asked, and the credential that goes with it.

use bytes::Bytes;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use zeroize::Zeroizing;

use crate::{EgressError, Target};

/// Bytes of a request's body.
const BODY: usize = 8 << 20;
/// Bytes of an answer, unless the caller says otherwise.
const ANSWER: usize = 1 << 20;
/// Bytes of an answer, whatever the caller says.
const ANSWER_MAX: usize = 64 << 20;
/// Headers of a request.
const HEADERS: usize = 32;

/// Headers that carry credentials: they are given as a [`Secret`], so that they stay behind when
/// the origin changes.
const CREDENTIALS: [&str; 5] = [
    "authorization",
    "cookie",
    "proxy-authorization",
    "x-api-key",
    "api-key",
];

/// Headers that say how a message is framed or where it goes, and are written here alone.
const OURS: [&str; 11] = [
    "accept-encoding",
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// The value of a header that is a credential, wiped when dropped.
///
/// ```compile_fail,E0277
/// println!("{:?}", skep_egress::Secret::new("hunter2".into()));
/// ```
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes charge of `value`.
    #[must_use]
    pub fn new(value: String) -> Self {
        Self(Zeroizing::new(value))
    }

    /// `Bearer` and the token.
    #[must_use]
    pub fn bearer(token: &str) -> Self {
        Self(Zeroizing::new(format!("Bearer {token}")))
    }
}

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Get,
    Post,
}

/// A request. It has no `Debug`: it may hold a credential.
///
/// ```compile_fail,E0277
/// let target = skep_egress::Target::parse("https://example.com").unwrap();
/// println!("{:?}", skep_egress::Request::get(target));
/// ```
pub struct Request {
    pub(crate) verb: Verb,
    pub(crate) target: Target,
    pub(crate) plain: HeaderMap,
    pub(crate) secret: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) at_most: usize,
}

impl Request {
    /// Asks for something.
    #[must_use]
    pub fn get(target: Target) -> Self {
        Self {
            verb: Verb::Get,
            target,
            plain: HeaderMap::new(),
            secret: HeaderMap::new(),
            body: Bytes::new(),
            at_most: ANSWER,
        }
    }

    /// Sends something, to this target and no other: no redirect is followed.
    ///
    /// # Errors
    /// [`EgressError::Request`] for a body of more than 8 MiB.
    pub fn post(target: Target, body: impl Into<Bytes>) -> Result<Self, EgressError> {
        let body = body.into();
        if body.len() > BODY {
            return Err(EgressError::Request("its body is larger than 8 MiB"));
        }
        Ok(Self {
            verb: Verb::Post,
            body,
            ..Self::get(target)
        })
    }

    /// Passes something on, as [`Request::post`] does, of up to 64 MiB.
    ///
    /// # Errors
    /// [`EgressError::Request`] for a body that is larger.
    pub fn relay(target: Target, body: Bytes) -> Result<Self, EgressError> {
        if body.len() > ANSWER_MAX {
            return Err(EgressError::Request("its body is larger than 64 MiB"));
        }
        Ok(Self {
            verb: Verb::Post,
            body,
            ..Self::get(target)
        })
    }

    /// With a header that is no secret.
    ///
    /// # Errors
    /// [`EgressError::Request`] for one that is, for one that this crate writes, and for what is
    /// no header.
    pub fn header(mut self, name: &str, value: &str) -> Result<Self, EgressError> {
        let name = self.header_name(name)?;
        if CREDENTIALS.contains(&name.as_str()) {
            return Err(EgressError::Request(
                "a header that holds a credential is given as a secret",
            ));
        }
        let value = HeaderValue::from_str(value)
            .map_err(|_| EgressError::Request("a header's value holds what no header may"))?;
        self.plain.insert(name, value);
        Ok(self)
    }

    /// With a credential. It goes to the origin of the target and to no other, and never in clear
    /// over the internet.
    ///
    /// # Errors
    /// [`EgressError::Request`].
    pub fn secret(mut self, name: &str, value: &Secret) -> Result<Self, EgressError> {
        let name = self.header_name(name)?;
        let mut value = HeaderValue::from_str(&value.0)
            .map_err(|_| EgressError::Request("the credential holds what no header may"))?;
        value.set_sensitive(true);
        self.secret.insert(name, value);
        Ok(self)
    }

    /// With an answer of at most so many bytes; never more than 64 MiB.
    #[must_use]
    pub fn at_most(mut self, bytes: usize) -> Self {
        self.at_most = bytes.min(ANSWER_MAX);
        self
    }

    fn header_name(&self, name: &str) -> Result<HeaderName, EgressError> {
        let name = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| EgressError::Request("a header's name is none"))?;
        if OURS.contains(&name.as_str()) {
            return Err(EgressError::Request(
                "that header is not the caller's to set",
            ));
        }
        if self.plain.len() + self.secret.len() >= HEADERS {
            return Err(EgressError::Request("it has more than 32 headers"));
        }
        Ok(name)
    }
}
