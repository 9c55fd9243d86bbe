//! An answer that comes as a stream: what of it goes on to the caller, and what it has cost so far.

use bytes::{Bytes, BytesMut};
use serde::Deserialize;
use serde_json::json;

use super::events::{self, Events, TooLong};
use super::spent::Count;
use super::translate::{Turning, Untold};
use super::{Ask, Format};
use crate::Usage;

/// Bytes of text that count as a token when the provider did not count: fewer than English has, so that what
/// is counted here is rather too much.
pub(super) const BYTES_OF_TOKEN: u64 = 3;

/// A stream under way.
#[derive(Debug)]
pub struct Reading {
    /// What its provider speaks.
    format: Format,
    /// What its caller does.
    caller: Format,
    /// What makes the one of the other.
    turning: Option<Turning>,
    /// Tokens that were read, as far as that can be told.
    estimate: u64,
    /// Whether the event that only counts is ours alone.
    hides_count: bool,
    events: Events,
    spent: Option<Usage>,
    text: u64,
    /// Events of a response so far; each says its number.
    number: u64,
    is_over: bool,
    /// Whether the provider said that it failed.
    has_failed: bool,
    broken: Option<Garbled>,
}

/// A stream that is none of its dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Garbled {
    /// An event that does not end.
    #[error(transparent)]
    TooLong(#[from] TooLong),
    /// An event whose data is no JSON.
    #[error("an event is no JSON")]
    Json,
    /// It ended before its last event.
    #[error("it ended before its last event")]
    CutOff,
    /// It cannot be said in the other dialect.
    #[error(transparent)]
    Untold(#[from] Untold),
}

/// What is looked at of an event. Whatever else it holds is nobody's business here.
#[derive(Deserialize)]
struct Seen<'a> {
    #[serde(rename = "type", borrow, default)]
    kind: Option<&'a str>,
    #[serde(default)]
    usage: Option<Count>,
    #[serde(default)]
    message: Option<Begun>,
    #[serde(default)]
    response: Option<Begun>,
    #[serde(default)]
    sequence_number: Option<u64>,
    #[serde(borrow, default)]
    choices: Option<Vec<&'a serde_json::value::RawValue>>,
    #[serde(borrow, default)]
    delta: Option<&'a serde_json::value::RawValue>,
    #[serde(default)]
    error: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Begun {
    #[serde(default)]
    usage: Option<Count>,
}

impl Reading {
    /// Of the answer to this.
    #[must_use]
    pub fn new(ask: &Ask) -> Self {
        Self::of(ask, ask.format, 0)
    }

    /// Of the answer to this of a provider that speaks so, with the time in seconds.
    #[must_use]
    pub fn of(ask: &Ask, speaks: Format, now: i64) -> Self {
        let turning = Turning::of(ask, now).filter(|_| speaks != ask.format);
        Self {
            format: speaks,
            caller: ask.format,
            turning,
            estimate: ask.estimate,
            hides_count: ask.wants_usage_added(),
            events: Events::default(),
            spent: None,
            text: 0,
            number: 0,
            is_over: false,
            has_failed: false,
            broken: None,
        }
    }

    /// Takes what came, and gives what goes on to the caller: all events that are whole now, in one piece.
    ///
    /// # Errors
    /// [`Garbled`]; the caller is told with [`Reading::broken_off`], and nothing more goes on.
    pub fn push(&mut self, came: Bytes) -> Result<Bytes, Garbled> {
        if let Some(garbled) = self.broken {
            return Err(garbled);
        }
        match self.events.push(came)? {
            None => Ok(Bytes::new()),
            Some(whole) => self.pass(whole),
        }
    }

    /// What was wrong behind the last events that went on.
    #[must_use]
    pub fn broken(&self) -> Option<Garbled> {
        self.broken
    }

    /// Takes the end of the stream, and gives what is left for the caller.
    ///
    /// # Errors
    /// [`Garbled::CutOff`] when the dialect's last event never came.
    pub fn end(&mut self) -> Result<Bytes, Garbled> {
        if let Some(garbled) = self.broken {
            return Err(garbled);
        }
        let rest = self.events.rest();
        let left = if rest.is_empty() {
            rest
        } else {
            self.pass(rest)?
        };
        if self.is_over {
            Ok(left)
        } else {
            Err(Garbled::CutOff)
        }
    }

    /// What the provider says was spent, if it has said so to the end.
    #[must_use]
    pub fn told(&self) -> Option<Usage> {
        let said_all = self.is_over || self.format == Format::Chat;
        self.spent.filter(|_| said_all)
    }

    /// What was spent as far as it can be counted here, of a request of so many tokens.
    #[must_use]
    pub fn counted(&self, input: u64) -> Usage {
        let written = self.text.div_ceil(BYTES_OF_TOKEN);
        match self.spent {
            // Its beginning counted what was read; what was written since was not counted to the end.
            Some(begun) => Usage {
                output: begun.output.max(written),
                ..begun
            },
            None => Usage {
                input,
                output: written,
                ..Usage::default()
            },
        }
    }

    /// Whether the provider said, in an event of its dialect, that it failed.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.has_failed
    }

    /// Whether the last event of the dialect has come.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.is_over
    }

    fn pass(&mut self, whole: Bytes) -> Result<Bytes, Garbled> {
        if let Some(turning) = self.turning.take() {
            return self.pass_turned(turning, whole);
        }
        let (mut hidden, mut kept) = (false, Vec::new());
        for event in events::each(whole.clone()) {
            match self.look(&event) {
                Ok(false) => kept.push(event),
                Ok(true) => hidden = true,
                // What came before it was good, and goes on.
                Err(garbled) if !kept.is_empty() => {
                    (self.broken, hidden) = (Some(garbled), true);
                    break;
                }
                Err(garbled) => return Err(garbled),
            }
        }
        if !hidden {
            return Ok(whole);
        }
        let mut left = BytesMut::with_capacity(whole.len());
        for event in &kept {
            left.extend_from_slice(event);
        }
        Ok(left.freeze())
    }

    /// The same for a caller who speaks the other dialect. What comes behind the last event is nobody's.
    fn pass_turned(&mut self, mut turning: Turning, whole: Bytes) -> Result<Bytes, Garbled> {
        let mut out = String::new();
        for event in events::each(whole) {
            if self.is_over {
                break;
            }
            match self.turn(&mut turning, &event) {
                Ok(said) => out.push_str(&said),
                // What came before it was good, and goes on.
                Err(garbled) if !out.is_empty() => {
                    self.broken = Some(garbled);
                    break;
                }
                Err(garbled) => {
                    self.broken = Some(garbled);
                    return Err(garbled);
                }
            }
        }
        self.turning = Some(turning);
        Ok(out.into())
    }

    fn turn(&mut self, turning: &mut Turning, event: &Bytes) -> Result<String, Garbled> {
        self.look(event)?;
        let Some(data) = events::data(event) else {
            return Ok(String::new());
        };
        let spent = self.spent.unwrap_or_else(|| self.counted(self.estimate));
        let said = turning.turn(&data, spent)?;
        self.is_over |= turning.is_over();
        Ok(said)
    }

    /// Looks at an event; whether it stays here.
    fn look(&mut self, event: &Bytes) -> Result<bool, Garbled> {
        let Some(data) = events::data(event) else {
            return Ok(false);
        };
        if data[..] == b"[DONE]"[..] {
            self.is_over = true;
            return Ok(false);
        }
        let text = std::str::from_utf8(&data).map_err(|_| Garbled::Json)?;
        let seen: Seen<'_> = match serde_json::from_str(text) {
            Ok(seen) => seen,
            // Of another shape, which a provider may have; what is no JSON it may not.
            Err(_) if serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok() => {
                self.text += text.len() as u64;
                return Ok(false);
            }
            Err(_) => return Err(Garbled::Json),
        };
        self.has_failed |=
            seen.error.is_some() || matches!(seen.kind, Some("error" | "response.failed"));
        Ok(match self.format {
            Format::Chat => self.look_at_chat(&seen),
            Format::Messages => {
                self.look_at_messages(&seen);
                false
            }
            // What is not a stream of words has no events of its own.
            Format::Responses | Format::Embeddings | Format::CountTokens => {
                self.look_at_response(&seen);
                false
            }
        })
    }

    fn look_at_chat(&mut self, seen: &Seen<'_>) -> bool {
        let choices = seen.choices.as_deref().unwrap_or_default();
        // The frame of a choice is some seventy bytes around its words.
        let words = choices
            .iter()
            .map(|choice| choice.get().len().saturating_sub(60));
        self.text += words.sum::<usize>() as u64;
        let Some(count) = seen.usage.and_then(|count| count.of(self.format, None)) else {
            return false;
        };
        self.spent = Some(count);
        self.hides_count && choices.is_empty()
    }

    fn look_at_messages(&mut self, seen: &Seen<'_>) {
        let begun = seen.message.as_ref().and_then(|message| message.usage);
        if let Some(count) = seen.usage.or(begun) {
            self.spent = count.of(self.format, self.spent).or(self.spent);
        }
        self.text += seen
            .delta
            .map_or(0, |delta| delta.get().len().saturating_sub(30)) as u64;
        self.is_over |= matches!(seen.kind, Some("message_stop" | "error"));
    }

    fn look_at_response(&mut self, seen: &Seen<'_>) {
        let told = seen.response.as_ref().and_then(|response| response.usage);
        if let Some(count) = told {
            self.spent = count.of(self.format, None).or(self.spent);
        }
        self.text += seen
            .delta
            .map_or(0, |delta| delta.get().len().saturating_sub(2)) as u64;
        self.number = seen
            .sequence_number
            .map_or(self.number, |number| number.saturating_add(1));
        self.is_over |= matches!(
            seen.kind,
            Some("response.completed" | "response.incomplete" | "response.failed" | "error")
        );
    }

    /// The last event of a stream that cannot go on, as the dialect's own clients understand it.
    #[must_use]
    pub fn broken_off(&self, code: &str, message: &str, request: &str) -> Bytes {
        let error =
            json!({ "message": message, "type": "upstream_error", "param": null, "code": code });
        let text = match self.caller {
            Format::Chat | Format::Embeddings => {
                let data = json!({ "error": error });
                format!("data: {data}\n\n")
            }
            // As its own event says it, and as its clients look for it.
            Format::Responses => {
                let data = json!({
                    "type": "error", "sequence_number": self.number, "code": code, "message": message, "param": null,
                    "error": error,
                });
                format!("event: error\ndata: {data}\n\n")
            }
            Format::Messages | Format::CountTokens => {
                let data = json!({ "type": "error", "request_id": request, "error": {
                    "type": "api_error", "message": message, "code": code,
                }});
                format!("event: error\ndata: {data}\n\n")
            }
        };
        text.into()
    }
}
