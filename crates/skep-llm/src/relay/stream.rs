//! An answer that comes as a stream: what of it goes on to the caller, and what it has cost so far.

use bytes::{Bytes, BytesMut};
use serde::Deserialize;

use super::events::{self, Events, TooLong};
use super::spent::Count;
use super::{Ask, Format};
use crate::{Dialect, Usage};

/// Bytes of text that count as a token when the provider did not count: fewer than English has, so that what
/// is counted here is rather too much.
pub(super) const BYTES_OF_TOKEN: u64 = 3;

/// A stream under way.
#[derive(Debug)]
pub struct Reading {
    format: Format,
    /// Whether the event that only counts is ours alone.
    hides_count: bool,
    events: Events,
    spent: Option<Usage>,
    text: u64,
    is_over: bool,
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
    #[serde(borrow, default)]
    choices: Option<Vec<&'a serde_json::value::RawValue>>,
    #[serde(borrow, default)]
    delta: Option<&'a serde_json::value::RawValue>,
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
        Self {
            format: ask.format,
            hides_count: ask.wants_usage_added(),
            events: Events::default(),
            spent: None,
            text: 0,
            is_over: false,
            broken: None,
        }
    }

    /// Takes what came, and gives what goes on to the caller: all events that are whole now, in one piece.
    ///
    /// # Errors
    /// [`Garbled`]; the caller is told with [`broken_off`], and nothing more goes on.
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

    /// Whether the last event of the dialect has come.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.is_over
    }

    fn pass(&mut self, whole: Bytes) -> Result<Bytes, Garbled> {
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
        Ok(match self.format {
            Format::Chat => self.look_at_chat(&seen),
            Format::Messages => {
                self.look_at_messages(&seen);
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
        let Some(count) = seen.usage.and_then(Count::of_chat) else {
            return false;
        };
        self.spent = Some(count);
        self.hides_count && choices.is_empty()
    }

    fn look_at_messages(&mut self, seen: &Seen<'_>) {
        let begun = seen.message.as_ref().and_then(|message| message.usage);
        if let Some(count) = seen.usage.or(begun) {
            self.spent = count.of_messages(self.spent).or(self.spent);
        }
        self.text += seen
            .delta
            .map_or(0, |delta| delta.get().len().saturating_sub(30)) as u64;
        self.is_over |= matches!(seen.kind, Some("message_stop" | "error"));
    }
}

/// The last event of a stream that cannot go on, as the dialect's own clients understand it.
#[must_use]
pub fn broken_off(dialect: Dialect, code: &str, message: &str, request: &str) -> Bytes {
    let text = match dialect {
        Dialect::OpenAi => {
            let error = serde_json::json!({ "error": {
                "message": message, "type": "upstream_error", "param": null, "code": code,
            }});
            format!("data: {error}\n\n")
        }
        Dialect::Anthropic => {
            let error = serde_json::json!({ "type": "error", "request_id": request, "error": {
                "type": "api_error", "message": message, "code": code,
            }});
            format!("event: error\ndata: {error}\n\n")
        }
    };
    text.into()
}
