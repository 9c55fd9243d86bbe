//! What a provider said, judged: an answer, a refusal that the caller can do something about, or none.

use memchr::memmem;
use skep_crypto::Plain;
use skep_egress::EgressError;
use skep_llm::Usage;
use skep_llm::relay::{self, Reading};

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

/// What the provider that is built in says.
pub(super) fn of_mock(sending: &Sending<'_>, open: Open, now: i64) -> Relayed {
    let (ask, call) = (sending.ask, sending.call);
    let provider = sending.choice.provider.view.name.clone();
    let id = &call.request;
    let whole = if ask.stream {
        match relay::mocked_stream(ask, &call.body, id, now) {
            Ok(events) => {
                let source = Source::Told(events.into_iter());
                let stream = ModelStream::new(source, Reading::new(ask), open, (sending, provider));
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
    open.settle(Ending {
        usage: usage.unwrap_or_default(),
        measured: Measured::Provider,
        outcome,
    });
    Relayed::Whole(WholeAnswer {
        status: whole.status,
        body: whole.body,
        retry_after: (whole.status == 429).then(|| "1".to_owned()),
        provider,
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
        let provider = sending.choice.provider.view.name.clone();
        let source = Source::Said(Box::new(said.answering));
        let stream = ModelStream::new(source, Reading::new(sending.ask), open, (sending, provider));
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
    let Ok(told) = relay::spent(sending.ask.format, &body) else {
        return fail(sending, open, "it is no JSON");
    };
    let counted = || Usage {
        input: sending.ask.estimate,
        output: (body.len() as u64).div_ceil(3),
        ..Usage::default()
    };
    open.settle(Ending {
        usage: told.unwrap_or_else(counted),
        measured: if told.is_some() {
            Measured::Provider
        } else {
            Measured::Counted
        },
        outcome: CallOutcome::Finished,
    });
    Ok(Relayed::Whole(WholeAnswer {
        status: 200,
        body,
        retry_after: None,
        provider: name.clone(),
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
    open.settle(Ending {
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
    match words {
        Ok(body) if may_be_passed_on(&body, said.key.as_deref()) => {
            Ok(Relayed::Whole(WholeAnswer {
                status,
                body,
                retry_after: retry_after.filter(|text| text.len() <= LATER),
                provider,
            }))
        }
        Ok(_) | Err(EgressError::TooLarge { .. }) => {
            Err(failed(GatewayFault::Answered { provider, status }))
        }
        Err(error) => Err(Failed::on_the_way(&provider, &error)),
    }
}

/// JSON that does not hold the key, nor a beginning of it that a provider would show.
fn may_be_passed_on(body: &[u8], key: Option<&Plain<Vec<u8>>>) -> bool {
    if serde_json::from_slice::<serde::de::IgnoredAny>(body).is_err() {
        return false;
    }
    let Some(key) = key else { return true };
    let key = key.expose().trim_ascii();
    let shown = key.get(..key.len().min(12)).unwrap_or_default();
    shown.is_empty() || memmem::find(body, shown).is_none()
}
