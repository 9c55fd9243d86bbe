//! From one dialect to the other, for calls whose provider speaks the other one: requests, answers, streams and errors.
//!
//! What can be said in both is said in both, and nothing is left out in silence: a request is taken apart field by field, and
//! what is left over, or has no equal, is refused by its name. Pure, and in constant memory where answers come as streams.

mod answer;
mod chat_events;
mod fault;
mod fields;
mod message_events;
mod to_chat;
mod to_messages;
mod tools;

use bytes::Bytes;
use serde_json::Value;

pub use fault::fault;

use self::chat_events::ChatEvents;
use self::message_events::MessageEvents;
use super::{Ask, Format};
use crate::Usage;

/// Parts of a piece of JSON that is translated.
const PARTS: usize = 500_000;
const UNREAD: &str = "is no JSON object that can be read, or one of too many parts";
const UNTOLD: Untold = Untold("it is no JSON, or of too many parts");

/// A request that the other dialect cannot say, as a sentence for whoever wrote it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} {problem}")]
pub struct Lossy {
    /// Where it stands, such as `messages[3].content[0].type`.
    pub field: String,
    /// Why it cannot be said.
    pub problem: String,
}

/// An answer that the other dialect cannot say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it cannot be said in the caller's dialect: {0}")]
pub struct Untold(pub &'static str);

/// How a request is said to its provider.
#[derive(Clone, Copy, Debug)]
pub struct Saying<'a> {
    /// The model's name there.
    pub model: &'a str,
    /// Tokens of an answer where the request says nothing and the provider has to be told.
    pub output: u64,
    /// Whether the provider calls the bound of an answer by its newer name.
    pub newer: bool,
}

/// The body that goes to a provider of the other dialect.
///
/// # Errors
/// [`Lossy`].
pub fn request(ask: &Ask, body: &[u8], saying: Saying<'_>) -> Result<Bytes, Lossy> {
    let body = parsed(body).ok_or_else(|| Lossy::of("body", UNREAD))?;
    let said = match ask.format {
        Format::Chat => to_messages::request(body, saying)?,
        Format::Messages => to_chat::request(body, saying)?,
        Format::Responses | Format::Embeddings | Format::CountTokens => {
            return Err(Lossy::of("model", "is of a provider of the other dialect"));
        }
    };
    Ok(said.to_string().into())
}

/// A whole answer of the other dialect's in the caller's, with what it cost and the time in seconds.
///
/// # Errors
/// [`Untold`].
pub fn answer(ask: &Ask, body: &[u8], usage: Usage, now: i64) -> Result<Bytes, Untold> {
    let body = parsed(body).ok_or(UNTOLD)?;
    let said = match ask.format {
        Format::Chat => answer::to_chat(&body, usage, now)?,
        Format::Messages => answer::to_message(&body, usage)?,
        Format::Responses | Format::Embeddings | Format::CountTokens => {
            return Err(Untold("it has no equal"));
        }
    };
    Ok(said.to_string().into())
}

/// A piece of JSON as a tree, which may take up much more room than its text: one that is all parts and no words is
/// none.
fn parsed(text: &[u8]) -> Option<Value> {
    let parts = memchr::memchr3_iter(b',', b'[', b'{', text).count();
    (parts <= PARTS).then(|| serde_json::from_slice(text).ok())?
}

/// A stream of the other dialect's that becomes one of the caller's, event by event.
#[derive(Debug)]
pub(super) enum Turning {
    Chat(ChatEvents),
    Messages(MessageEvents),
}

impl Turning {
    /// For the answer to this.
    pub(super) fn of(ask: &Ask, now: i64) -> Option<Self> {
        match ask.format {
            Format::Chat => Some(Self::Chat(ChatEvents::new(ask.tells_usage, now))),
            Format::Messages => Some(Self::Messages(MessageEvents::default())),
            Format::Responses | Format::Embeddings | Format::CountTokens => None,
        }
    }

    /// What the caller gets for an event's data, with what was spent as far as is known.
    ///
    /// # Errors
    /// [`Untold`].
    pub(super) fn turn(&mut self, data: &[u8], spent: Usage) -> Result<String, Untold> {
        let mut out = String::new();
        match self {
            Self::Chat(events) => events.turn(data, spent, &mut out)?,
            Self::Messages(events) => events.turn(data, spent, &mut out)?,
        }
        Ok(out)
    }
}

impl Turning {
    /// Whether nothing more is said.
    pub(super) const fn is_over(&self) -> bool {
        match self {
            Self::Chat(events) => events.is_over(),
            Self::Messages(events) => events.is_over(),
        }
    }
}

impl Lossy {
    fn of(field: impl Into<String>, problem: &str) -> Self {
        Self {
            field: field.into(),
            problem: problem.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests;
