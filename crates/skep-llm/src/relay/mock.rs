//! The provider that is built in: no model, so that a gateway can be tried, and tested, without a key.
//!
//! It says back what it was told, in words of a known number. `call NAME {…}` makes it call a tool, `fail 429` makes it
//! fail so; what a tool answered it only says back. The same request gets the same answer.

mod chat;
mod embeddings;
mod heard;
mod messages;
mod responses;

use bytes::Bytes;
use serde_json::{Value, json};

use self::heard::Heard;
use super::{Ask, Format};
use crate::{Dialect, Usage};

/// Words of what it was told that it says back at most.
const ECHO: usize = 256;
/// What stands in front of them.
const PREFACE: &str = "You said:";

/// An answer of the mock's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mocked {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Bytes,
}

/// What it says.
enum Says {
    Words { words: Vec<String>, is_cut: bool },
    Call { name: String, arguments: Value },
    Fails(u16),
}

/// What it says, and what that cost.
struct Turn {
    says: Says,
    spent: Usage,
}

/// An answer in one piece, with an id and the time in seconds.
#[must_use]
pub fn mocked(ask: &Ask, body: &[u8], id: &str, now: i64) -> Mocked {
    let turn = turn(ask, body);
    if let Says::Fails(status) = turn.says {
        return failed(ask.format, status);
    }
    let body = match ask.format {
        Format::Chat => chat::whole(ask, &turn, id, now),
        Format::Messages => messages::whole(ask, &turn, id),
        Format::Responses => responses::whole(ask, &turn, id, now),
        Format::Embeddings => embeddings::whole(ask, body),
        Format::CountTokens => json!({ "input_tokens": turn.spent.input }),
    };
    Mocked {
        status: 200,
        body: body.to_string().into(),
    }
}

/// An answer as a stream: its events, in order.
///
/// # Errors
/// The answer that is none, where it was told to fail, or where there are no streams.
pub fn mocked_stream(ask: &Ask, body: &[u8], id: &str, now: i64) -> Result<Vec<Bytes>, Mocked> {
    let turn = turn(ask, body);
    if let Says::Fails(status) = turn.says {
        return Err(failed(ask.format, status));
    }
    match ask.format {
        Format::Chat => Ok(chat::events(ask, &turn, id, now)),
        Format::Messages => Ok(messages::events(ask, &turn, id)),
        Format::Responses => Ok(responses::events(ask, &turn, id, now)),
        Format::Embeddings | Format::CountTokens => Err(mocked(ask, body, id, now)),
    }
}

fn turn(ask: &Ask, body: &[u8]) -> Turn {
    let heard = Heard::of(body);
    let says = says(&heard, ask.output.filter(|_| ask.format.writes()));
    let output = match &says {
        Says::Words { words, .. } => words.len(),
        Says::Call { arguments, .. } => 1 + arguments.to_string().len().div_ceil(4),
        Says::Fails(_) => 0,
    };
    Turn {
        says,
        spent: Usage {
            input: heard.words,
            output: output as u64,
            ..Usage::default()
        },
    }
}

fn says(heard: &Heard, most: Option<u64>) -> Says {
    let order = heard.last.as_str();
    if let Some(status) = order
        .strip_prefix("fail ")
        .and_then(|rest| rest.trim().parse().ok())
        && (400..=599).contains(&status)
        && !heard.is_result
    {
        return Says::Fails(status);
    }
    if let Some((name, arguments)) = called(order, &heard.tools)
        && !heard.is_result
    {
        return Says::Call { name, arguments };
    }
    let mut words: Vec<String> = PREFACE.split(' ').map(str::to_owned).collect();
    words.extend(order.split_whitespace().take(ECHO).map(str::to_owned));
    let most = usize::try_from(most.unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
    let is_cut = words.len() > most;
    words.truncate(most);
    Says::Words { words, is_cut }
}

/// The tool that it was told to call, if that one is offered.
fn called(last: &str, tools: &[Value]) -> Option<(String, Value)> {
    let rest = last.strip_prefix("call ")?.trim();
    let (name, arguments) = rest.split_once(' ').unwrap_or((rest, "{}"));
    let offered = tools.iter().any(|tool| {
        let named = tool.get("function").unwrap_or(tool).get("name");
        named.and_then(Value::as_str) == Some(name)
    });
    let arguments: Value = serde_json::from_str(arguments)
        .ok()
        .filter(Value::is_object)?;
    offered.then(|| (name.to_owned(), arguments))
}

fn said(says: &Says) -> String {
    match says {
        Says::Words { words, .. } => words.join(" "),
        Says::Call { .. } | Says::Fails(_) => String::new(),
    }
}

fn finish(says: &Says, cut: &'static str, whole: &'static str) -> &'static str {
    match says {
        Says::Words { is_cut: true, .. } => cut,
        _ => whole,
    }
}

/// The words, each with what stands before it.
fn pieces(says: &Says) -> impl Iterator<Item = String> {
    let words = match says {
        Says::Words { words, .. } => words.as_slice(),
        Says::Call { .. } | Says::Fails(_) => &[],
    };
    let piece = |(at, word): (usize, &String)| {
        if at == 0 {
            word.clone()
        } else {
            format!(" {word}")
        }
    };
    words.iter().enumerate().map(piece)
}

/// An event that has its name in front.
fn event(name: &str, data: &Value) -> Bytes {
    Bytes::from(format!("event: {name}\ndata: {data}\n\n"))
}

fn failed(format: Format, status: u16) -> Mocked {
    let message = "The mock was told to fail.";
    let body = match format.dialect() {
        Dialect::OpenAi => {
            json!({ "error": { "message": message, "type": "mock_error", "param": null, "code": null } })
        }
        Dialect::Anthropic => {
            json!({ "type": "error", "error": { "type": "mock_error", "message": message } })
        }
    };
    Mocked {
        status,
        body: body.to_string().into(),
    }
}
