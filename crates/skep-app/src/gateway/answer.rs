//! What a provider said, judged: an answer, a refusal that the caller can do something about, or none.

use bytes::Bytes;
use memchr::memmem;
use skep_crypto::Plain;
use skep_egress::EgressError;
use skep_llm::Usage;
use skep_llm::relay::{self, Reading, translate};

use super::fault::{Failed, GatewayFault};
use super::meter::Open;
use super::send::{Said, Sending, ending_of};
use super::stream::{ModelStream, Source};
use super::{Relayed, WholeAnswer};
use crate::meter::{CallOutcome, Ending, Measured};

/// Bytes of an answer that comes whole.
const WHOLE: usize = 32 << 20;
/// Bytes of an answer that says why not.
const REFUSAL: usize = 64 << 10;
/// Bytes of a header that says when to come again.
const LATER: usize = 64;

/// The key that was sent.
type Shown<'a> = Option<&'a Plain<Vec<u8>>>;

/// What the provider that is built in says.
pub(super) fn of_mock(sending: &Sending<'_>, open: Open, now: i64) -> Relayed {
    let (ask, call) = (sending.ask, sending.call);
    let id = &call.request;
    let whole = if ask.stream {
        match relay::mocked_stream(ask, &call.body, id, now) {
            Ok(events) => {
                let source = Source::Told(events.into_iter());
                let stream = ModelStream::new(source, Reading::new(ask), open, sending);
                return Relayed::Stream(Box::new(stream));
            }
            Err(whole) => whole,
        }
    } else {
        relay::mocked(ask, &call.body, id, now)
    };
    let usage = relay::spent(ask.format, &whole.body).ok().flatten();
    let outcome = if whole.status == 200 {
        CallOutcome::Finished
    } else {
        CallOutcome::Failed
    };
    let facts = open.settle(Ending {
        usage: usage.unwrap_or_default(),
        measured: Measured::Provider,
        outcome,
    });
    Relayed::Whole(WholeAnswer {
        status: whole.status,
        body: whole.body,
        retry_after: (whole.status == 429).then(|| "1".to_owned()),
        is_stream: false,
        facts,
    })
}

/// What another says.
pub(super) async fn of(
    sending: &Sending<'_>,
    said: Said,
    open: Open,
    is_last: bool,
) -> Result<Relayed, Failed> {
    let status = said.answering.status();
    if !(200..300).contains(&status) {
        return refusal(sending, said, open, is_last).await;
    }
    if sending.ask.stream {
        let kind = said.answering.header("content-type").unwrap_or_default();
        if !kind.trim_start().starts_with("text/event-stream") {
            return fail(sending, open, "it was asked for a stream, and this is none");
        }
        let source = Source::Said(Box::new(said.answering));
        let reading = Reading::of(sending.ask, sending.choice.speaks, sending.began);
        let stream = ModelStream::new(source, reading, open, sending);
        return Ok(Relayed::Stream(Box::new(stream)));
    }
    whole(sending, said, open).await
}

fn fail(sending: &Sending<'_>, open: Open, problem: &str) -> Result<Relayed, Failed> {
    let failed = Failed::garbled(&sending.choice.provider.view.name, problem);
    tracing::warn!(fault = %failed.fault, "a provider's answer is none");
    open.settle(ending_of(&failed, sending));
    Err(failed)
}

async fn whole(sending: &Sending<'_>, mut said: Said, open: Open) -> Result<Relayed, Failed> {
    let name = &sending.choice.provider.view.name;
    let body = match said.answering.read(WHOLE).await {
        Ok(body) => body,
        Err(error) => {
            let failed = Failed {
                was_sent: true,
                is_theirs: false,
                ..Failed::on_the_way(name, &error)
            };
            open.settle(ending_of(&failed, sending));
            return Err(failed);
        }
    };
    let (ask, speaks) = (sending.ask, sending.choice.speaks);
    let Ok(told) = relay::spent(speaks, &body) else {
        return fail(sending, open, "it is no JSON");
    };
    let usage = told.unwrap_or_else(|| ask.counted(body.len()));
    let facts = open.settle(Ending {
        usage,
        measured: if told.is_some() {
            Measured::Provider
        } else {
            Measured::Counted
        },
        outcome: CallOutcome::Finished,
    });
    // It was paid for, whether or not it can be told.
    let body = if speaks == ask.format {
        body
    } else {
        match translate::answer(ask, &body, usage, sending.began) {
            Ok(body) => body,
            Err(untold) => return Err(Failed::garbled(name, &untold.to_string())),
        }
    };
    Ok(Relayed::Whole(WholeAnswer {
        status: 200,
        body,
        retry_after: None,
        is_stream: false,
        facts,
    }))
}

/// A provider said no. What the caller can do something about is passed on in the provider's own words, unless
/// they hold the key; the rest is told in ours.
async fn refusal(
    sending: &Sending<'_>,
    mut said: Said,
    open: Open,
    is_last: bool,
) -> Result<Relayed, Failed> {
    let status = said.answering.status();
    let provider = sending.choice.provider.view.name.clone();
    let retry_after = said.answering.header("retry-after").map(str::to_owned);
    let words = said.answering.read(REFUSAL).await;
    let facts = open.settle(Ending {
        usage: Usage::default(),
        measured: Measured::Provider,
        outcome: CallOutcome::Failed,
    });
    let is_theirs = status == 429 || status >= 500;
    let failed = |fault| Failed {
        fault,
        was_sent: true,
        is_theirs,
    };
    if matches!(status, 401 | 403) {
        return Err(failed(GatewayFault::KeyRefused(provider)));
    }
    if is_theirs && !is_last || status < 400 {
        return Err(failed(GatewayFault::Answered { provider, status }));
    }
    let key = said.key.as_deref();
    let words = words.map(|body| told(sending, status, body, key));
    match words {
        Ok(Some(body)) => Ok(Relayed::Whole(WholeAnswer {
            status,
            body,
            retry_after: retry_after.filter(|text| text.len() <= LATER),
            is_stream: false,
            facts,
        })),
        Ok(None) | Err(EgressError::TooLarge { .. }) => {
            Err(failed(GatewayFault::Answered { provider, status }))
        }
        Err(error) => Err(Failed::on_the_way(&provider, &error)),
    }
}

/// The provider's words, in the caller's dialect, if they may be passed on.
fn told(sending: &Sending<'_>, status: u16, body: Bytes, key: Shown<'_>) -> Option<Bytes> {
    if !may_be_passed_on(&body, key) {
        return None;
    }
    if sending.choice.speaks == sending.ask.format {
        return Some(body);
    }
    let dialect = sending.ask.format.dialect();
    let body = translate::fault(dialect, status, &body, &sending.call.request);
    // What was hidden by another way to write it is not any more.
    may_be_passed_on(&body, key).then_some(body)
}

/// JSON that does not hold the key, nor a beginning of it that a provider would show.
fn may_be_passed_on(body: &[u8], key: Shown<'_>) -> bool {
    if serde_json::from_slice::<serde::de::IgnoredAny>(body).is_err() {
        return false;
    }
    let Some(key) = key else { return true };
    let key = key.expose().trim_ascii();
    let shown = key.get(..key.len().min(12)).unwrap_or_default();
    shown.is_empty() || memmem::find(body, shown).is_none()
}
