//! Recorded pairs of each dialect, and what has to hold for any: what is said there and back is the same, a stream says
//! what the whole says, and nothing that a provider sends breaks anything.

mod golden;
mod hostile;

use bytes::Bytes;
use serde_json::{Value, json};

use super::{Lossy, Saying, Untold};
use crate::Usage;
use crate::relay::{Ask, Format, Reading};

const SAYING: Saying<'_> = Saying {
    model: "m",
    output: 4_096,
    newer: false,
};

fn ask(format: Format, body: &Value) -> Ask {
    Ask::read(format, body.to_string().as_bytes()).unwrap()
}

fn translated(format: Format, body: &Value) -> Result<Value, Lossy> {
    let said = super::request(&ask(format, body), body.to_string().as_bytes(), SAYING)?;
    Ok(serde_json::from_slice(&said).unwrap())
}

fn answered(caller: Format, body: &Value, usage: Usage) -> Result<Value, Untold> {
    let ask = ask(caller, &json!({ "model": "m", "messages": [] }));
    let said = super::answer(&ask, body.to_string().as_bytes(), usage, 7)?;
    Ok(serde_json::from_slice(&said).unwrap())
}

/// Reads a stream of the other dialect for a caller of this.
fn reading(caller: Format) -> Reading {
    let body = json!({
        "model": "m", "messages": [], "stream": true, "stream_options": { "include_usage": true },
    });
    Reading::of(&ask(caller, &body), other(caller), 7)
}

fn other(format: Format) -> Format {
    match format {
        Format::Chat => Format::Messages,
        _ => Format::Chat,
    }
}

/// A stream as a provider writes it.
fn streamed(format: Format, events: &[Value]) -> String {
    let mut text: String = events
        .iter()
        .map(|event| match format {
            Format::Chat => format!("data: {event}\n\n"),
            _ => format!(
                "event: {}\ndata: {event}\n\n",
                event["type"].as_str().unwrap()
            ),
        })
        .collect();
    if format == Format::Chat {
        text.push_str("data: [DONE]\n\n");
    }
    text
}

/// The events of a stream that the caller gets, without the end of a chat's.
fn events(text: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(text).unwrap();
    let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
    data.filter(|data| *data != "[DONE]")
        .map(|data| serde_json::from_str(data).unwrap())
        .collect()
}

fn turned(caller: Format, said: &[Value]) -> Vec<Value> {
    let mut reading = reading(caller);
    let text = streamed(other(caller), said);
    let mut passed = reading.push(Bytes::from(text)).unwrap().to_vec();
    passed.extend_from_slice(&reading.end().unwrap());
    assert_eq!(reading.broken(), None);
    events(&passed)
}
