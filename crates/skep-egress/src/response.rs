//! What came back, read within bounds.

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::header::{CONTENT_ENCODING, HeaderMap, LOCATION};
use tokio::time::timeout;

use crate::{EgressError, Host, Patience, Stage, Target};

/// An answer, whole. Whatever its status: a server that says no has answered.
#[derive(Debug)]
pub struct Response {
    status: u16,
    headers: HeaderMap,
    body: Bytes,
    target: Target,
}

impl Response {
    /// The status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// A header, if it is there and is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body, as it came: nothing is ever unpacked.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// Where it came from, after redirects.
    #[must_use]
    pub fn target(&self) -> &Target {
        &self.target
    }
}

/// The head of an answer, its body not yet read.
pub(crate) struct Head(pub(crate) hyper::Response<Incoming>);

impl Head {
    /// Where it sends us instead, as it says it.
    pub(crate) fn redirect(&self) -> Result<Option<&str>, EgressError> {
        if !matches!(self.0.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
            return Ok(None);
        }
        let Some(location) = self.0.headers().get(LOCATION) else {
            return Ok(None);
        };
        location
            .to_str()
            .map(Some)
            .map_err(|_| EgressError::Redirect("where it leads is not written in ASCII"))
    }

    pub(crate) async fn read(
        self,
        target: Target,
        limit: usize,
        patience: Patience,
    ) -> Result<Response, EgressError> {
        let (head, body) = self.0.into_parts();
        let packed = head.headers.get_all(CONTENT_ENCODING).iter();
        if packed.into_iter().any(|how| how != "identity") {
            return Err(EgressError::Answer(
                "it is compressed, which was not asked for",
            ));
        }
        let body = read_body(body, &target.origin().host, limit, patience).await?;
        Ok(Response {
            status: head.status.as_u16(),
            headers: head.headers,
            body,
            target,
        })
    }
}

async fn read_body(
    mut body: Incoming,
    host: &Host,
    limit: usize,
    patience: Patience,
) -> Result<Bytes, EgressError> {
    let mut read = BytesMut::new();
    loop {
        let frame = timeout(patience.idle, body.frame()).await;
        let frame = frame.map_err(|_| EgressError::Late {
            host: host.to_string(),
            stage: Stage::Idle,
        })?;
        let Some(frame) = frame else {
            return Ok(read.freeze());
        };
        let frame = frame.map_err(|_| EgressError::Answer("it broke off, or is no HTTP"))?;
        if let Some(data) = frame.data_ref() {
            if read.len() + data.len() > limit {
                return Err(EgressError::TooLarge { limit });
            }
            read.extend_from_slice(data);
        }
    }
}
