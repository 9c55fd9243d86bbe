//! A webhook on its way: signed, sent to its own address and no other, and judged by the status of its answer alone.

use std::sync::Arc;

use bytes::Bytes;
use skep_domain::Timestamp;
use skep_egress::{Egress, EgressError, Patience, Pool, Request, Secret, Target};

use super::Sinks;
use super::kept::Kept;

/// Seconds that a sink may ask us to stay away.
const AWAY: u32 = 3_600;

/// Why something was not delivered.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failed {
    /// What happened, without where the sink is and without anything of what it answered.
    pub(crate) problem: String,
    /// The status of its answer, if there was one.
    pub(crate) status: Option<u16>,
    /// Seconds that it asked us to stay away.
    pub(crate) after: Option<u32>,
}

impl Failed {
    /// Whether it wants nothing any more.
    pub(super) fn is_gone(&self) -> bool {
        self.status == Some(410)
    }
}

/// A message.
pub(crate) struct Letter<'a> {
    pub(crate) url: &'a str,
    pub(crate) id: &'a str,
    pub(crate) content: &'static str,
    pub(crate) body: Bytes,
    /// When it is sent, in seconds, as it is signed.
    pub(crate) seconds: i64,
    pub(crate) signature: String,
}

/// Sends a message; the status of an answer that takes it.
pub(crate) async fn post(
    egress: &Arc<Egress>,
    patience: Patience,
    letter: Letter<'_>,
) -> Result<u16, Failed> {
    let (target, request) = request(letter).map_err(|error| on_the_way(&error))?;
    let pool = Pool::new(Arc::clone(egress), target.origin().clone(), patience, 1);
    // The body of the answer is not read: dropped, it ends the connection.
    let answer = Arc::new(pool)
        .send(&request)
        .await
        .map_err(|error| on_the_way(&error))?;
    let status = answer.status();
    if (200..300).contains(&status) {
        return Ok(status);
    }
    let redirect = if (300..400).contains(&status) {
        ", and redirects are not followed"
    } else {
        ""
    };
    let after = answer.header("retry-after");
    let after = after.and_then(|seconds| seconds.trim().parse::<u32>().ok());
    Err(Failed {
        problem: format!("it answered {status}{redirect}"),
        status: Some(status),
        after: after.map(|seconds| seconds.min(AWAY)),
    })
}

impl Sinks {
    /// Sends a message to a sink; the status of an answer that takes it.
    pub(super) async fn post(
        &self,
        kept: &Kept,
        (id, body): (&str, Bytes),
        now: Timestamp,
    ) -> Result<u16, Failed> {
        let seconds = seconds(now);
        let letter = Letter {
            url: &kept.url,
            id,
            content: "application/json",
            seconds,
            signature: kept.signature((id, seconds), &body, now),
            body,
        };
        post(&self.egress, self.patience(), letter).await
    }
}

/// A moment as messages say it.
pub(crate) fn seconds(at: Timestamp) -> i64 {
    at.as_micros().div_euclid(1_000_000)
}

fn request(letter: Letter<'_>) -> Result<(Target, Request), EgressError> {
    let target = Target::parse(letter.url)?;
    let request = Request::post(target.clone(), letter.body)?
        .header("content-type", letter.content)?
        .header("webhook-id", letter.id)?
        .header("webhook-timestamp", &letter.seconds.to_string())?
        // As a secret, so that nothing goes over the internet in clear.
        .secret("webhook-signature", &Secret::new(letter.signature))?;
    Ok((target, request))
}

/// What is said of a call that brought no answer: which hosts there are inside is not told.
fn on_the_way(error: &EgressError) -> Failed {
    let problem = match error {
        EgressError::Url(_) | EgressError::Forbidden { .. } => {
            "it does not lead to a place that may be called"
        }
        EgressError::Unreachable { .. } => "it cannot be reached",
        EgressError::Tls { .. } => "its TLS connection failed",
        EgressError::Late { .. } => "it took too long",
        EgressError::Redirect(_) => "it redirects, and redirects are not followed",
        EgressError::Request(_) => "it cannot be sent there in clear",
        EgressError::TooLarge { .. } | EgressError::Answer(_) => "its answer cannot be read",
        EgressError::Busy => "too many calls are under way",
    };
    Failed {
        problem: problem.to_owned(),
        status: None,
        after: None,
    }
}
