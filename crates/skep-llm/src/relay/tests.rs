//! What is read of requests and answers on their way, and what of them stays as it was.

mod forms;

use bytes::Bytes;
use proptest::prelude::*;

use super::{Ask, Format, Garbled, Misread, Reading, for_upstream, mocked, mocked_stream, spent};
use crate::Usage;

fn ask(format: Format, body: &str) -> Ask {
    Ask::read(format, body.as_bytes()).unwrap()
}

const STREAMED: &str = r#"{ "model" : "gpt-4o", "messages":[{"role":"user","content":"hi {\"model\":\"x\"}"}], "stream": true }"#;

#[test]
fn a_request_that_needs_no_change_goes_on_as_the_same_bytes() {
    let body = Bytes::from_static(
        br#"{"model":"m","messages":[],"n":2,"max_tokens":7,"odd":[1.50,{"a":null}]}"#,
    );
    let ask = Ask::read(Format::Chat, &body).unwrap();
    assert_eq!(
        (ask.model.as_str(), ask.output, ask.answers),
        ("m", Some(14), 2)
    );
    let sent = for_upstream(&ask, &body, "m");
    assert_eq!(sent.as_ptr(), body.as_ptr(), "nothing was copied");
}

#[test]
fn only_the_name_and_the_option_change_and_the_rest_stays_byte_for_byte() {
    let body = Bytes::from(STREAMED);
    let sent = for_upstream(&ask(Format::Chat, STREAMED), &body, "a\"b");
    assert_eq!(
        sent,
        r#"{ "model" : "a\"b", "messages":[{"role":"user","content":"hi {\"model\":\"x\"}"}], "stream": true ,"stream_options":{"include_usage":true}}"#
    );
    let own = r#"{"model":"m","stream_options":{"x":1},"stream":true,"messages":[]}"#;
    let sent = for_upstream(&ask(Format::Chat, own), &Bytes::from(own), "m");
    let sent: serde_json::Value = serde_json::from_slice(&sent).unwrap();
    assert_eq!(
        sent["stream_options"],
        serde_json::json!({ "x": 1, "include_usage": true })
    );
    // What is Anthropic's has no such option.
    let sent = for_upstream(&ask(Format::Messages, STREAMED), &body, "gpt-4o");
    assert_eq!(sent.as_ptr(), body.as_ptr());
}

#[test]
fn what_no_provider_could_answer_is_refused_by_name() {
    for (body, expected) in [
        ("", Misread::Json),
        ("[]", Misread::Json),
        ("{\"model\":\"m\"", Misread::Json),
        (
            "{\"model\":\"m\",\"model\":\"n\",\"messages\":[]}",
            Misread::Json,
        ),
        (
            "{\"model\":\"m\",\"messages\":[],\"max_tokens\":-1}",
            Misread::Json,
        ),
        (
            "{\"messages\":[]}",
            Misread::Field {
                field: "model",
                problem: "is missing",
            },
        ),
        (
            "{\"model\":3,\"messages\":[]}",
            Misread::Field {
                field: "model",
                problem: "must be a string",
            },
        ),
        (
            "{\"model\":\"a\\r\\nb\",\"messages\":[]}",
            Misread::Field {
                field: "model",
                problem: "must be the name of a model",
            },
        ),
        (
            "{\"model\":\"m\"}",
            Misread::Field {
                field: "messages",
                problem: "must be an array",
            },
        ),
        (
            "{\"model\":\"m\",\"messages\":[],\"n\":129}",
            Misread::Field {
                field: "n",
                problem: "is more than 128",
            },
        ),
    ] {
        assert_eq!(
            Ask::read(Format::Chat, body.as_bytes()),
            Err(expected),
            "{body}"
        );
    }
    assert_eq!(
        Ask::read(Format::Chat, b"{\"model\":\"\xff\"}"),
        Err(Misread::Json)
    );
}

#[test]
fn m08_what_a_request_may_cost_is_never_below_what_it_can() {
    let many = r#"{"model":"m","messages":[],"n":128,"max_tokens":18446744073709551615}"#;
    assert_eq!(ask(Format::Chat, many).output, Some(u64::MAX));
    let few = r#"{"model":"m","messages":[],"n":3,"max_tokens":5}"#;
    assert_eq!(ask(Format::Chat, few).output, Some(15));
    let both = r#"{"model":"m","messages":[],"max_tokens":5,"max_completion_tokens":9}"#;
    assert_eq!(ask(Format::Chat, both).output, Some(9));
    assert_eq!(ask(Format::Chat, STREAMED).output, None);
    let image = r#"{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://x"}}]}]}"#;
    assert!(ask(Format::Chat, image).input > 32_768);
    assert!(ask(Format::Chat, STREAMED).input > STREAMED.len() as u64);
}

const COUNTED: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"}}]}\n\n\
    data: {\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":4,\"prompt_tokens_details\":{\"cached_tokens\":3},\"completion_tokens_details\":{\"reasoning_tokens\":2}}}\n\n\
    data: [DONE]\n\n";

#[test]
fn the_count_that_nobody_asked_for_is_read_and_taken_out() {
    let mut reading = Reading::new(&ask(Format::Chat, STREAMED));
    let passed = reading.push(Bytes::from(COUNTED)).unwrap();
    assert_eq!(
        passed,
        "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"}}]}\n\ndata: [DONE]\n\n"
    );
    assert_eq!(reading.end(), Ok(Bytes::new()));
    let told = Usage {
        input: 9,
        output: 4,
        cache_read: 3,
        cache_write: 0,
        reasoning: 2,
    };
    assert_eq!(reading.told(), Some(told));
    let own = STREAMED.replace(
        "true }",
        "true, \"stream_options\":{\"include_usage\":true}}",
    );
    let mut reading = Reading::new(&ask(Format::Chat, &own));
    assert_eq!(reading.push(Bytes::from(COUNTED)).unwrap(), COUNTED);
    assert_eq!(reading.told(), Some(told));
}

const MESSAGES: &str = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":10,\"cache_creation_input_tokens\":5,\"cache_read_input_tokens\":7,\"output_tokens\":1}}}\n\n\
    event: ping\ndata: {\"type\":\"ping\"}\n\n\
    event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"Hello there\"}}\n\n\
    event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":15}}\n\n\
    event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";

#[test]
fn anthropic_counts_are_summed_as_it_counts_them() {
    let mut reading = Reading::new(&ask(Format::Messages, STREAMED));
    assert_eq!(reading.push(Bytes::from(MESSAGES)).unwrap(), MESSAGES);
    reading.end().unwrap();
    let told = Usage {
        input: 22,
        output: 15,
        cache_read: 7,
        cache_write: 5,
        reasoning: 0,
    };
    assert_eq!(reading.told(), Some(told));
    let whole = br#"{"usage":{"input_tokens":10,"cache_creation_input_tokens":5,"cache_read_input_tokens":7,"output_tokens":15}}"#;
    assert_eq!(spent(Format::Messages, whole).unwrap(), Some(told));
}

#[test]
fn m09_a_stream_that_was_left_is_counted_by_what_came() {
    let cut = MESSAGES.split("event: message_delta").next().unwrap();
    let mut reading = Reading::new(&ask(Format::Messages, STREAMED));
    reading.push(Bytes::from(cut.to_owned())).unwrap();
    assert_eq!(reading.end(), Err(Garbled::CutOff));
    assert_eq!(reading.told(), None, "its count had only begun");
    let counted = reading.counted(1_000);
    assert_eq!((counted.input, counted.cache_read), (22, 7));
    assert!(counted.output >= 3, "{counted:?}");
    let mut reading = Reading::new(&ask(Format::Chat, STREAMED));
    reading.push(Bytes::from_static(b"data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"one two three four five six seven\"},\"finish_reason\":null}]}\n\n")).unwrap();
    let counted = reading.counted(1_000);
    assert_eq!(
        counted.input, 1_000,
        "nobody counted it: as much as it may be"
    );
    assert!(counted.output >= 7, "{counted:?}");
}

#[test]
fn m10_a_stream_that_lies_is_cut_where_it_does() {
    let start = || Reading::new(&ask(Format::Chat, STREAMED));
    assert_eq!(
        start().push(Bytes::from_static(b"data: {\"choices\":[\n\n")),
        Err(Garbled::Json)
    );
    assert_eq!(
        start().push(Bytes::from_static(b"data: \xff\n\n")),
        Err(Garbled::Json)
    );
    assert_eq!(start().end(), Err(Garbled::CutOff));
    let mut endless = start();
    let chunk = Bytes::from(vec![b'x'; 1 << 20]);
    let ended = (0..16).find_map(|_| endless.push(chunk.clone()).err());
    assert!(matches!(ended, Some(Garbled::TooLong(_))));
    // Of a shape that nobody knows, and JSON all the same: it is not ours to judge.
    let odd = Bytes::from_static(b"data: {\"choices\":{\"a\":1}}\n\n");
    assert_eq!(start().push(odd.clone()), Ok(odd));
}

#[test]
fn an_answer_that_is_no_json_is_none() {
    assert!(spent(Format::Chat, b"{\"usage\":").is_err());
    assert!(spent(Format::Chat, b"\xff").is_err());
    assert_eq!(spent(Format::Chat, b"{\"choices\":[]}").unwrap(), None);
}

#[test]
fn the_mock_says_the_same_twice_in_both_dialects() {
    for format in [Format::Chat, Format::Messages] {
        let body = r#"{"model":"mock/echo","stream":true,"messages":[{"role":"user","content":"salt and rope"}]}"#;
        let ask = ask(format, body);
        let one = mocked(&ask, body.as_bytes(), "1", 2);
        assert_eq!(one, mocked(&ask, body.as_bytes(), "1", 2));
        let counted = spent(format, &one.body).unwrap().unwrap();
        assert_eq!((counted.input, counted.output), (3, 5));
        assert!(String::from_utf8_lossy(&one.body).contains("You said: salt and rope"));
        let mut reading = Reading::new(&ask);
        for event in mocked_stream(&ask, body.as_bytes(), "1", 2).unwrap() {
            reading.push(event).unwrap();
        }
        reading.end().unwrap();
        assert_eq!(reading.told(), Some(counted), "a stream costs the same");
    }
}

proptest! {
    /// However a stream is cut on its way, what goes on is the same, and so is what was counted.
    #[test]
    fn where_a_stream_is_cut_changes_nothing(cuts in proptest::collection::vec(1usize..80, 1..40), crlf: bool, chat: bool) {
        let (format, text) = if chat { (Format::Chat, COUNTED) } else { (Format::Messages, MESSAGES) };
        let text = if crlf { text.replace('\n', "\r\n") } else { text.to_owned() };
        let whole = {
            let mut reading = Reading::new(&ask(format, STREAMED));
            (reading.push(Bytes::from(text.clone())).unwrap(), reading.told())
        };
        let mut reading = Reading::new(&ask(format, STREAMED));
        let (mut passed, mut rest) = (Vec::new(), text.as_bytes());
        for cut in cuts.into_iter().cycle() {
            let (now, later) = rest.split_at(cut.min(rest.len()));
            passed.extend_from_slice(&reading.push(Bytes::copy_from_slice(now)).unwrap());
            rest = later;
            if rest.is_empty() { break; }
        }
        prop_assert_eq!(reading.end(), Ok(Bytes::new()));
        prop_assert_eq!((Bytes::from(passed), reading.told()), whole);
    }

    #[test]
    fn whatever_comes_nothing_panics(body in "\\PC{0,200}", chunks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..60), 0..8)) {
        let _ = Ask::read(Format::Chat, body.as_bytes());
        let mut reading = Reading::new(&ask(Format::Chat, STREAMED));
        for chunk in chunks {
            if reading.push(Bytes::from(chunk)).is_err() { break; }
        }
        let _ = reading.end();
    }
}
