//! Any conversation, any answer, and providers that do not keep to anything.

use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{answered, reading, streamed, translated, turned};
use crate::Usage;
use crate::relay::Format;

/// Blocks of an answer: words, or a call of a tool.
fn blocks() -> impl Strategy<Value = Vec<Value>> {
    let words = "[a-zé€😀\"\\\\ \n]{1,12}".prop_map(|text| json!({ "type": "text", "text": text }));
    let call = ("[a-z]{1,4}", any::<i32>(), ".{0,6}").prop_map(|(name, number, text)| {
        json!({ "type": "tool_use", "id": format!("t_{number}"), "name": name, "input": { "n": number, "s": text } })
    });
    (
        proptest::option::of(words),
        proptest::collection::vec(call, 0..4),
    )
        .prop_map(|(words, calls)| words.into_iter().chain(calls).collect())
}

fn message(blocks: &[Value]) -> Value {
    let stop = if blocks.iter().any(|block| block["type"] == "tool_use") {
        "tool_use"
    } else {
        "end_turn"
    };
    json!({ "id": "i", "type": "message", "role": "assistant", "model": "m", "content": blocks, "stop_reason": stop,
            "stop_sequence": null })
}

/// A text in pieces of so many characters.
fn pieces(text: &str, size: usize) -> Vec<String> {
    let letters: Vec<char> = text.chars().collect();
    letters
        .chunks(size)
        .map(|piece| piece.iter().collect())
        .collect()
}

/// A message as its provider streams it.
fn as_events(message: &Value, size: usize) -> Vec<Value> {
    let mut all = vec![json!({ "type": "message_start", "message": {
        "id": "i", "model": "m", "usage": { "input_tokens": 3, "output_tokens": 1 } } })];
    for (index, block) in message["content"].as_array().unwrap().iter().enumerate() {
        let is_text = block["type"] == "text";
        let mut begun = block.clone();
        let (whole, kind, field) = if is_text {
            begun["text"] = json!("");
            (
                block["text"].as_str().unwrap().to_owned(),
                "text_delta",
                "text",
            )
        } else {
            begun["input"] = json!({});
            (
                block["input"].to_string(),
                "input_json_delta",
                "partial_json",
            )
        };
        all.push(json!({ "type": "content_block_start", "index": index, "content_block": begun }));
        for piece in pieces(&whole, size) {
            let mut delta = json!({ "type": kind });
            delta[field] = json!(piece);
            all.push(json!({ "type": "content_block_delta", "index": index, "delta": delta }));
        }
        all.push(json!({ "type": "content_block_stop", "index": index }));
    }
    all.push(
        json!({ "type": "message_delta", "delta": { "stop_reason": message["stop_reason"] },
                     "usage": { "output_tokens": 9 } }),
    );
    all.push(json!({ "type": "message_stop" }));
    all
}

/// A chat as its provider streams it.
fn as_chunks(chat: &Value, size: usize) -> Vec<Value> {
    let choice = &chat["choices"][0];
    let chunk = |delta: Value, finish: &Value| {
        json!({ "id": chat["id"], "model": chat["model"],
                "choices": [{ "index": 0, "delta": delta, "finish_reason": finish }] })
    };
    let mut all = vec![chunk(json!({ "role": "assistant" }), &Value::Null)];
    for piece in pieces(
        choice["message"]["content"].as_str().unwrap_or_default(),
        size,
    ) {
        all.push(chunk(json!({ "content": piece }), &Value::Null));
    }
    let calls = choice["message"]["tool_calls"].as_array();
    for (index, call) in calls.into_iter().flatten().enumerate() {
        let begun = json!({ "index": index, "id": call["id"], "type": "function",
                            "function": { "name": call["function"]["name"], "arguments": "" } });
        all.push(chunk(json!({ "tool_calls": [begun] }), &Value::Null));
        for piece in pieces(call["function"]["arguments"].as_str().unwrap(), size) {
            let part = json!({ "index": index, "function": { "arguments": piece } });
            all.push(chunk(json!({ "tool_calls": [part] }), &Value::Null));
        }
    }
    all.push(chunk(json!({}), &choice["finish_reason"]));
    all.push(json!({ "choices": [], "usage": { "prompt_tokens": 3, "completion_tokens": 9 } }));
    all
}

/// What a client makes of chunks.
fn gathered_chat(chunks: &[Value]) -> (String, Vec<(Value, Value, String)>, Value) {
    let (mut text, mut calls, mut finish) = (String::new(), Vec::new(), Value::Null);
    for choice in chunks.iter().filter_map(|chunk| chunk["choices"].get(0)) {
        text.push_str(choice["delta"]["content"].as_str().unwrap_or_default());
        for call in choice["delta"]["tool_calls"]
            .as_array()
            .into_iter()
            .flatten()
        {
            let function = &call["function"];
            if call["id"].is_string() {
                calls.push((call["id"].clone(), function["name"].clone(), String::new()));
            }
            let at = usize::try_from(call["index"].as_u64().unwrap()).unwrap();
            calls[at]
                .2
                .push_str(function["arguments"].as_str().unwrap());
        }
        if choice["finish_reason"].is_string() {
            finish = choice["finish_reason"].clone();
        }
    }
    (text, calls, finish)
}

/// What a client makes of events.
fn gathered_message(events: &[Value]) -> (Vec<Value>, Value) {
    let (mut blocks, mut parts, mut stop) =
        (Vec::<Value>::new(), Vec::<String>::new(), Value::Null);
    for event in events {
        let at = usize::try_from(event["index"].as_u64().unwrap_or(0)).unwrap();
        match event["type"].as_str().unwrap() {
            "content_block_start" => {
                assert_eq!(at, blocks.len(), "blocks come one after the other");
                blocks.push(event["content_block"].clone());
                parts.push(String::new());
            }
            "content_block_delta" => {
                let delta = &event["delta"];
                let part = delta["text"].as_str().or(delta["partial_json"].as_str());
                parts[at].push_str(part.unwrap());
            }
            "message_delta" => stop = event["delta"]["stop_reason"].clone(),
            _ => {}
        }
    }
    for (block, part) in blocks.iter_mut().zip(parts) {
        if block["type"] == "text" {
            block["text"] = json!(part);
        } else {
            block["input"] = serde_json::from_str(&part).unwrap();
        }
    }
    (blocks, stop)
}

/// Events of both dialects, in their places and out of them.
fn odd() -> impl Strategy<Value = String> {
    let index = prop_oneof![0u64..3, Just(u64::MAX), Just(1 << 40)];
    let event = (index, 0usize..22).prop_map(|(index, kind)| {
        let event = match kind {
            0 => json!({ "type": "message_start", "message": { "id": "x".repeat(9_000), "usage": { "input_tokens": index } } }),
            1 => json!({ "type": "message_start" }),
            2 => json!({ "type": "content_block_start", "index": index, "content_block": { "type": "text", "text": "é" } }),
            3 => json!({ "type": "content_block_start", "index": index, "content_block": { "type": "tool_use", "id": "t", "name": "f", "input": { "a": 1 } } }),
            4 => json!({ "type": "content_block_start", "index": index, "content_block": { "type": "tool_use" } }),
            5 => json!({ "type": "content_block_delta", "index": index, "delta": { "type": "text_delta", "text": "😀" } }),
            6 => json!({ "type": "content_block_delta", "index": index, "delta": { "type": "input_json_delta", "partial_json": "{" } }),
            7 => json!({ "type": "content_block_delta" }),
            8 => json!({ "type": "content_block_stop", "index": index }),
            9 => json!({ "type": "message_delta", "delta": { "stop_reason": "end_turn" }, "usage": { "output_tokens": index } }),
            10 => json!({ "type": "message_stop" }),
            11 => json!({ "type": "error", "error": { "type": "overloaded_error", "message": "Overloaded" } }),
            12 => json!({ "choices": [{ "index": 0, "delta": { "content": "€" } }] }),
            13 => json!({ "choices": [{ "index": index, "delta": { "content": 3 } }] }),
            14 => json!({ "choices": [{ "delta": { "tool_calls": [{ "index": index, "id": "c", "function": { "name": "f", "arguments": "{" } }] } }] }),
            15 => json!({ "choices": [{ "delta": { "tool_calls": [{ "function": { "arguments": "}" } }] } }] }),
            16 => json!({ "choices": [{ "delta": { "tool_calls": [{ "id": "c", "function": { "name": "f" } }, 3] } }] }),
            17 => json!({ "choices": [{ "finish_reason": "stop" }] }),
            18 => json!({ "choices": [], "usage": { "prompt_tokens": index, "completion_tokens": index } }),
            19 => json!({ "error": "bare" }),
            20 => json!({ "choices": { "a": index } }),
            _ => json!([index, null]),
        };
        format!("data: {event}\n\n")
    });
    prop_oneof![12 => event, 1 => Just("data: [DONE]\n\n".to_owned()), 1 => "\\PC{0,30}"]
}

/// A tree of JSON takes up many times the room of its text, so one that is all brackets is not made.
#[test]
fn n13_a_body_that_is_all_parts_is_refused() {
    let nested = |parts: usize| {
        let tools = vec!["[]"; parts].join(",");
        let body = format!(r#"{{"model":"m","messages":[],"tools":[{tools}]}}"#);
        let ask = crate::relay::Ask::read(Format::Chat, body.as_bytes()).unwrap();
        super::super::request(&ask, body.as_bytes(), super::SAYING).map_err(|lossy| lossy.field)
    };
    assert_eq!(nested(300_000), Err("body".to_owned()));
    assert_eq!(nested(3), Err("tools[0]".to_owned()));
    let answer = format!(r#"{{"content":[{}]}}"#, vec!["1"; 500_001].join(","));
    let ask = super::ask(Format::Chat, &json!({ "model": "m", "messages": [] }));
    assert!(super::super::answer(&ask, answer.as_bytes(), Usage::default(), 7).is_err());
}

/// Each event is good by itself, and stands where it must not.
#[test]
fn m10_events_out_of_order_end_the_stream() {
    let begun = json!({ "type": "message_start", "message": { "id": "i", "model": "m" } });
    let open = |index: u64| json!({ "type": "content_block_start", "index": index, "content_block": { "type": "text", "text": "" } });
    let said = |index: u64| json!({ "type": "content_block_delta", "index": index, "delta": { "type": "text_delta", "text": "x" } });
    let shut = |index: u64| json!({ "type": "content_block_stop", "index": index });
    let ended = json!({ "type": "message_delta", "delta": { "stop_reason": "end_turn" } });
    let call = |index: u64, id: Value| {
        json!({ "choices": [{ "index": 0, "delta": { "tool_calls": [
            { "index": index, "id": id, "function": { "name": "f", "arguments": "{" } } ] } }] })
    };
    let words = json!({ "choices": [{ "index": 0, "delta": { "content": "x" } }] });
    let stop = json!({ "choices": [{ "index": 0, "delta": {}, "finish_reason": "stop" }] });
    let cases = [
        (Format::Chat, vec![open(0)]),
        (Format::Chat, vec![begun.clone(), said(0)]),
        (Format::Chat, vec![begun.clone(), open(0), open(1)]),
        (Format::Chat, vec![begun.clone(), open(0), said(1)]),
        (Format::Chat, vec![begun.clone(), open(0), shut(1)]),
        (Format::Chat, vec![begun.clone(), open(0), ended.clone()]),
        (Format::Chat, vec![begun.clone(), ended.clone(), open(0)]),
        (Format::Chat, vec![begun.clone(), ended.clone(), ended]),
        (
            Format::Chat,
            vec![begun.clone(), json!({ "type": "message_stop" })],
        ),
        (Format::Chat, vec![begun.clone(), begun]),
        (
            Format::Messages,
            vec![
                call(0, json!("a")),
                call(1, json!("b")),
                call(0, Value::Null),
            ],
        ),
        (
            Format::Messages,
            vec![call(0, json!("a")), words.clone(), call(0, Value::Null)],
        ),
        (Format::Messages, vec![call(0, Value::Null)]),
        (Format::Messages, vec![stop, words.clone()]),
        (Format::Messages, vec![words]),
    ];
    for (caller, said) in cases {
        let mut reading = reading(caller);
        let text = streamed(super::other(caller), &said);
        let passed = reading.push(Bytes::from(text));
        let is_told = passed.is_err() || reading.broken().is_some();
        assert!(is_told, "{said:?} was let through");
    }
}

proptest! {
    #[test]
    fn any_conversation_goes_there_and_back(turns in proptest::collection::vec((".{1,9}", blocks()), 1..5), system in proptest::option::of(".{1,9}")) {
        let mut messages = vec![];
        for (said, blocks) in turns {
            messages.push(json!({ "role": "user", "content": said }));
            let results: Vec<_> = blocks.iter().filter(|block| block["type"] == "tool_use").map(|block| {
                json!({ "type": "tool_result", "tool_use_id": block["id"], "content": "ok" })
            }).collect();
            if !blocks.is_empty() {
                messages.push(json!({ "role": "assistant", "content": blocks }));
            }
            if !results.is_empty() {
                messages.push(json!({ "role": "user", "content": results }));
            }
        }
        messages.push(json!({ "role": "user", "content": "and now?" }));
        let mut body = json!({ "model": "m", "max_tokens": 5, "messages": messages });
        if let Some(system) = system {
            body["system"] = json!(system);
        }
        let there = translated(Format::Messages, &body).unwrap();
        prop_assert_eq!(translated(Format::Chat, &there).unwrap(), body);
    }

    #[test]
    fn a_stream_says_what_the_whole_says(blocks in blocks(), size in 1usize..7) {
        let message = message(&blocks);
        let chat = answered(Format::Chat, &message, Usage::default()).unwrap();
        let whole = &chat["choices"][0];
        let (text, calls, finish) = gathered_chat(&turned(Format::Chat, &as_events(&message, size)));
        prop_assert_eq!(text.as_str(), whole["message"]["content"].as_str().unwrap_or_default());
        prop_assert_eq!(&finish, &whole["finish_reason"]);
        let said = whole["message"]["tool_calls"].as_array().into_iter().flatten();
        let said: Vec<_> = said.map(|call| {
            let function = &call["function"];
            (call["id"].clone(), function["name"].clone(), function["arguments"].as_str().unwrap().to_owned())
        }).collect();
        prop_assert_eq!(calls, said);
        let back = answered(Format::Messages, &chat, Usage::default()).unwrap();
        let (gathered, stop) = gathered_message(&turned(Format::Messages, &as_chunks(&chat, size)));
        prop_assert_eq!(&json!(gathered), &back["content"]);
        prop_assert_eq!(&json!(gathered), &message["content"]);
        prop_assert_eq!(stop, message["stop_reason"].clone());
    }

    /// However a stream is cut on its way, in the middle of a letter too, the caller gets the same.
    #[test]
    fn where_a_stream_is_cut_changes_nothing(blocks in blocks(), cuts in proptest::collection::vec(1usize..40, 1..9), chat: bool) {
        let message = message(&blocks);
        let (caller, text) = if chat {
            (Format::Chat, streamed(Format::Messages, &as_events(&message, 3)))
        } else {
            let chat = answered(Format::Chat, &message, Usage::default()).unwrap();
            (Format::Messages, streamed(Format::Chat, &as_chunks(&chat, 3)))
        };
        let mut at_once = reading(caller);
        let whole = at_once.push(Bytes::from(text.clone())).unwrap();
        let (mut reading, mut rest, mut passed) = (reading(caller), text.as_bytes(), Vec::new());
        for cut in cuts.into_iter().cycle() {
            let (now, later) = rest.split_at(cut.min(rest.len()));
            passed.extend_from_slice(&reading.push(Bytes::copy_from_slice(now)).unwrap());
            rest = later;
            if rest.is_empty() { break; }
        }
        prop_assert_eq!(reading.end(), Ok(Bytes::new()));
        prop_assert_eq!(Bytes::from(passed), whole);
        prop_assert_eq!(reading.told(), at_once.told());
    }

    /// Whatever comes, in whatever order, nothing panics, and what goes on is in proportion to what came.
    #[test]
    fn m10_a_hostile_provider_breaks_nothing(events in proptest::collection::vec(odd(), 0..40), chat: bool) {
        let caller = if chat { Format::Chat } else { Format::Messages };
        let (mut reading, mut came, mut went) = (reading(caller), 0, 0);
        for event in events {
            came += event.len();
            match reading.push(Bytes::from(event)) {
                Ok(passed) => went += passed.len(),
                Err(_) => break,
            }
        }
        let _ = reading.end();
        prop_assert!(went <= 64 * came + 4_096, "{came} bytes became {went}");
        prop_assert!(std::mem::size_of_val(&reading) < 1_024);
    }
}
