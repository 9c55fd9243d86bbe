//! Pairs in the documented shapes of both dialects, each with where it is from.

use serde_json::{Value, json};

use super::{answered, translated, turned};
use crate::relay::{Format, spent};

fn pairs(text: &str) -> Vec<Value> {
    serde_json::from_str(text).unwrap()
}

#[test]
fn what_both_say_goes_there_and_back() {
    for pair in pairs(include_str!("../golden/requests.json")) {
        let name = &pair["name"];
        let there = translated(Format::Chat, &pair["chat"]).unwrap();
        assert_eq!(there, pair["messages"], "{name}");
        let back = translated(Format::Messages, &pair["messages"]).unwrap();
        assert_eq!(back, pair["chat"], "{name}");
    }
}

#[test]
fn what_one_says_in_more_ways_than_the_other() {
    for pair in pairs(include_str!("../golden/one_way.json")) {
        let said = translated(Format::Chat, &pair["chat"]).unwrap();
        assert_eq!(said, pair["messages"], "{}", pair["name"]);
    }
}

#[test]
fn what_cannot_be_said_is_refused_by_its_name() {
    for case in pairs(include_str!("../golden/refused.json")) {
        let format = if case["from"] == "chat" {
            Format::Chat
        } else {
            Format::Messages
        };
        let talk = json!([{ "role": "user", "content": "x" }]);
        let mut body = json!({ "model": "m", "max_tokens": 9, "messages": talk });
        if !case["messages"].is_null() {
            body["messages"] = case["messages"].clone();
        }
        for (field, value) in case["with"].as_object().into_iter().flatten() {
            body[field] = value.clone();
        }
        match translated(format, &body) {
            Err(lossy) => assert_eq!(case["field"], lossy.field.as_str(), "{case}: {lossy}"),
            Ok(said) => panic!("{case} was said as {said}"),
        }
    }
}

#[test]
fn a_whole_answer_in_both_dialects() {
    for pair in pairs(include_str!("../golden/answers.json")) {
        let (chat, message) = (&pair["chat"], &pair["message"]);
        let told = spent(Format::Messages, message.to_string().as_bytes());
        let told = told.unwrap().unwrap();
        let of_chat = spent(Format::Chat, chat.to_string().as_bytes()).unwrap();
        assert_eq!(of_chat, Some(told), "both count the same");
        assert_eq!(&answered(Format::Chat, message, told).unwrap(), chat);
        assert_eq!(&answered(Format::Messages, chat, told).unwrap(), message);
    }
}

#[test]
fn a_stream_in_both_dialects() {
    for case in pairs(include_str!("../golden/streams.json")) {
        let said = case["said"].as_array().unwrap();
        if case["upstream"] == "chat" {
            assert_eq!(json!(turned(Format::Messages, said)), case["events"]);
            continue;
        }
        let chunks = turned(Format::Chat, said);
        let (last, chunks) = chunks.split_last().unwrap();
        let deltas: Vec<_> = chunks
            .iter()
            .map(|chunk| chunk["choices"][0]["delta"].clone())
            .collect();
        assert_eq!(json!(deltas), case["deltas"]);
        let finish = &chunks.last().unwrap()["choices"][0]["finish_reason"];
        assert_eq!(finish, &case["finish"]);
        for (name, tokens) in case["usage"].as_object().unwrap() {
            assert_eq!(&last["usage"][name], tokens);
        }
    }
}

#[test]
fn why_an_answer_ended_is_never_guessed() {
    let message = |stop: &str| {
        let body = json!({ "id": "i", "model": "m", "content": [{ "type": "text", "text": "x" }], "stop_reason": stop });
        let said = answered(Format::Chat, &body, crate::Usage::default());
        said.map(|said| said["choices"][0]["finish_reason"].clone())
    };
    for (stop, finish) in [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("tool_use", "tool_calls"),
        ("refusal", "content_filter"),
    ] {
        assert_eq!(message(stop), Ok(json!(finish)));
    }
    assert!(message("pause_turn").is_err() && message("").is_err());
    let chat = |message: Value, finish: &str| {
        let body = json!({ "id": "i", "model": "m", "choices": [{ "index": 0, "message": message, "finish_reason": finish }] });
        let said = answered(Format::Messages, &body, crate::Usage::default());
        said.map(|said| said["stop_reason"].clone())
    };
    let words = json!({ "content": "x" });
    assert_eq!(chat(words.clone(), "content_filter"), Ok(json!("refusal")));
    assert_eq!(
        chat(json!({ "refusal": "no" }), "stop"),
        Ok(json!("refusal"))
    );
    assert!(chat(words, "because").is_err());
    // As some servers say it behind a call.
    let call =
        json!({ "tool_calls": [{ "id": "c", "function": { "name": "f", "arguments": "" } }] });
    assert_eq!(chat(call, "stop"), Ok(json!("tool_use")));
}
