//! Responses, embeddings and counts of tokens on their way.

use bytes::Bytes;
use serde_json::{Value, json};

use super::{Ask, Format, Garbled, Misread, Reading, for_upstream, mocked, mocked_stream, spent};
use crate::Usage;

fn response(body: &str) -> Result<Ask, Misread> {
    Ask::read(Format::Responses, body.as_bytes())
}

fn upstream(body: &'static str) -> Bytes {
    let ask = response(body).unwrap();
    for_upstream(&ask, &Bytes::from_static(body.as_bytes()), "m")
}

#[test]
fn a_response_goes_on_as_the_same_bytes_and_is_never_kept() {
    let own = r#"{"model":"m", "store" : false,"input":"hi","max_output_tokens":9,"odd":[1.50]}"#;
    let ask = response(own).unwrap();
    assert_eq!((ask.output, ask.stream), (Some(9), false));
    let body = Bytes::from_static(own.as_bytes());
    assert_eq!(for_upstream(&ask, &body, "m").as_ptr(), body.as_ptr());
    assert_eq!(
        upstream(r#"{"model":"m","input":[{"role":"user","content":"hi"}],"stream":true}"#),
        r#"{"model":"m","input":[{"role":"user","content":"hi"}],"stream":true,"store":false}"#
    );
    // Said once, whatever was said before.
    assert_eq!(
        upstream(r#"{"model":"m","store":null,"input":"hi"}"#),
        r#"{"model":"m","store":false,"input":"hi"}"#
    );
}

#[test]
fn t01_what_a_provider_keeps_for_the_account_is_out_of_reach() {
    let with = |more: &str| format!(r#"{{"model":"m","input":"hi",{more}}}"#);
    for (more, field) in [
        (r#""previous_response_id":"resp_1""#, "previous_response_id"),
        (
            r#""previous_response\u005fid":"resp_1""#,
            "previous_response_id",
        ),
        (r#""conversation":{"id":"conv_1"}"#, "conversation"),
        (r#""conversation":"conv_1""#, "conversation"),
        (r#""background":true"#, "background"),
        (r#""prompt":{"id":"pmpt_1"}"#, "prompt"),
        (r#""store":true"#, "store"),
        (r#""store":1"#, "store"),
        (
            r#""tools":[{"type":"code_interpreter","container":"cntr_1"}]"#,
            "tools",
        ),
        (
            r#""tools":[{"type":"shell","environment":{"type":"container_reference","container_id":"c"}}]"#,
            "tools",
        ),
    ] {
        match response(&with(more)) {
            Err(Misread::Field { field: named, .. }) => assert_eq!(named, field, "{more}"),
            other => panic!("{more}: {other:?}"),
        }
    }
    // Said twice, so that two readers could read two things.
    let twice = with(r#""store":false,"store":true"#);
    assert_eq!(response(&twice), Err(Misread::Json));
    for more in [
        r#""previous_response_id":null,"conversation":null,"prompt":null,"background":false"#,
        r#""tools":[{"type":"code_interpreter","container":{"type":"auto"}},{"type":"function","name":"f"}]"#,
    ] {
        assert!(response(&with(more)).is_ok(), "{more}");
    }
}

#[test]
fn t01_an_item_holds_what_it_is_about() {
    let with = |item: &str| response(&format!(r#"{{"model":"m","input":[{item}]}}"#));
    for item in [
        r#"{"type":"item_reference","id":"msg_1"}"#,
        r#"{"type":null,"id":"msg_1"}"#,
        r#"{"id":"rs_1"}"#,
        r#"{"type":"reasoning","id":"rs_1","summary":[]}"#,
        r#"{"type":"message","id":"msg_1","role":"assistant"}"#,
        r#"{"role":"assistant","id":"msg_1"}"#,
        r#"{"type":"function_call","id":"fc_1","call_id":"c","name":"f"}"#,
        r#"{"type":"image_generation_call","id":"ig_1"}"#,
        r#"{"type":"something_new","id":"x_1","content":"y"}"#,
        r#"{"\u0069d":"rs_1"}"#,
        "{}",
        "3",
    ] {
        assert!(
            matches!(with(item), Err(Misread::Field { field: "input", .. })),
            "{item}"
        );
    }
    for item in [
        r#"{"role":"user","content":"x"}"#,
        r#"{"type":"message","id":"msg_1","role":"assistant","content":[{"type":"output_text","text":"y"}]}"#,
        r#"{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"gAAA"}"#,
        r#"{"type":"function_call","id":"fc_1","call_id":"c","name":"f","arguments":"{}"}"#,
        r#"{"type":"function_call_output","call_id":"c","output":"z"}"#,
        r#"{"type":"web_search_call","id":"ws_1","action":{"type":"search","query":"q"}}"#,
        r#"{"type":"something_new","content":"y"}"#,
    ] {
        assert!(with(item).is_ok(), "{item}: {:?}", with(item));
    }
}

#[test]
fn t01_a_container_of_anthropics_is_the_calls_own() {
    let with = |container: &str| {
        let body = format!(r#"{{"model":"m","messages":[],"container":{container}}}"#);
        Ask::read(Format::Messages, body.as_bytes())
    };
    for container in [r#""container_1""#, r#"{"id":"container_1"}"#] {
        assert!(
            matches!(
                with(container),
                Err(Misread::Field {
                    field: "container",
                    ..
                })
            ),
            "{container}"
        );
    }
    for container in ["null", r#"{"id":null,"skills":[]}"#] {
        assert!(with(container).is_ok(), "{container}");
    }
}

#[test]
fn m08_an_embedding_and_a_count_write_nothing() {
    for (format, body) in [
        (
            Format::Embeddings,
            r#"{"model":"m","input":["a","b"],"stream":true,"max_tokens":9}"#,
        ),
        (
            Format::CountTokens,
            r#"{"model":"m","messages":[],"stream":true,"max_tokens":9}"#,
        ),
    ] {
        let ask = Ask::read(format, body.as_bytes()).unwrap();
        assert_eq!((ask.output, ask.stream), (Some(0), false), "{body}");
        assert!(ask.input > body.len() as u64);
        assert_eq!(ask.counted(90_000).output, 0, "vectors are no words");
    }
    let told = br#"{"data":[],"usage":{"prompt_tokens":8,"total_tokens":8}}"#;
    let read = Usage {
        input: 8,
        ..Usage::default()
    };
    assert_eq!(spent(Format::Embeddings, told).unwrap(), Some(read));
    assert_eq!(
        spent(Format::CountTokens, br#"{"input_tokens":8}"#).unwrap(),
        None
    );
    for body in [r#"{"model":"m"}"#, r#"{"model":"m","input":{}}"#] {
        assert!(Ask::read(Format::Embeddings, body.as_bytes()).is_err());
        assert!(response(body).is_err());
    }
    let searching = r#"{"model":"m","input":"x","tools":[{"type":"web_search"}]}"#;
    assert!(response(searching).unwrap().input > 32_768);
}

/// As OpenAI documents the events of a response.
const STREAM: &str = "event: response.created\ndata: {\"type\":\"response.created\",\"sequence_number\":0,\"response\":{\"id\":\"resp_1\",\"status\":\"in_progress\",\"usage\":null}}\n\n\
    event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"sequence_number\":1,\"delta\":\"Hello there\"}\n\n\
    event: response.completed\ndata: {\"type\":\"response.completed\",\"sequence_number\":2,\"response\":{\"id\":\"resp_1\",\"usage\":{\"input_tokens\":36,\"input_tokens_details\":{\"cached_tokens\":12,\"cache_write_tokens\":5},\"output_tokens\":87,\"output_tokens_details\":{\"reasoning_tokens\":40},\"total_tokens\":123}}}\n\n";

#[test]
fn a_response_says_at_its_end_what_was_spent() {
    let ask = response(r#"{"model":"m","input":"hi","stream":true}"#).unwrap();
    let mut reading = Reading::new(&ask);
    assert_eq!(reading.push(Bytes::from(STREAM)).unwrap(), STREAM);
    assert_eq!(reading.end(), Ok(Bytes::new()));
    let told = Usage {
        input: 36,
        output: 87,
        cache_read: 12,
        cache_write: 5,
        reasoning: 40,
    };
    assert_eq!(reading.told(), Some(told));
    let whole = STREAM.rsplit("\"response\":").next().unwrap().trim();
    let whole = whole.strip_suffix('}').unwrap();
    assert_eq!(
        spent(Format::Responses, whole.as_bytes()).unwrap(),
        Some(told)
    );
}

#[test]
fn m10_a_response_that_breaks_off_is_told_as_one() {
    let ask = response(r#"{"model":"m","input":"hi","stream":true}"#).unwrap();
    let mut reading = Reading::new(&ask);
    let cut = STREAM.split("event: response.completed").next().unwrap();
    reading.push(Bytes::from(cut)).unwrap();
    assert_eq!(reading.end(), Err(Garbled::CutOff));
    assert_eq!(reading.told(), None);
    assert!(reading.counted(7).output >= 3);
    let last = reading.broken_off("UPSTREAM_ERROR", "It broke off.", "req");
    let text = std::str::from_utf8(&last).unwrap();
    let data = text.strip_prefix("event: error\ndata: ").unwrap();
    let data: Value = serde_json::from_str(data).unwrap();
    assert_eq!(
        (&data["type"], &data["sequence_number"]),
        (&json!("error"), &json!(2))
    );
    assert_eq!(data["error"]["code"], "UPSTREAM_ERROR");
    // What says itself that it failed is over.
    for last in ["response.failed", "response.incomplete", "error"] {
        let mut reading = Reading::new(&ask);
        let event = format!("data: {{\"type\":\"{last}\"}}\n\n");
        reading.push(Bytes::from(event)).unwrap();
        assert_eq!(reading.end(), Ok(Bytes::new()), "{last}");
        assert_eq!(
            reading.has_failed(),
            last != "response.incomplete",
            "{last}"
        );
    }
}

#[test]
fn the_mock_streams_a_response_that_says_the_same_as_the_whole() {
    let calls = r#"{"model":"mock/echo","stream":true,"input":"call tide {\"port\":\"Brest\"}","tools":[{"type":"function","name":"tide"}]}"#;
    let answered = r#"{"model":"mock/echo","stream":true,"input":[{"role":"user","content":"call tide"},{"type":"function_call_output","call_id":"c","output":"fail 500"}],"tools":[{"type":"function","name":"tide"}]}"#;
    let cut = r#"{"model":"mock/echo","stream":true,"input":"a b c","max_output_tokens":3}"#;
    for body in [calls, answered, cut] {
        let ask = response(body).unwrap();
        let whole = mocked(&ask, body.as_bytes(), "1", 2);
        let whole: Value = serde_json::from_slice(&whole.body).unwrap();
        let events = mocked_stream(&ask, body.as_bytes(), "1", 2).unwrap();
        let last = std::str::from_utf8(events.last().unwrap()).unwrap();
        let last: Value = serde_json::from_str(last.split("data: ").nth(1).unwrap()).unwrap();
        assert_eq!(last["response"], whole);
        let mut reading = Reading::new(&ask);
        for event in events {
            reading.push(event).unwrap();
        }
        reading.end().unwrap();
        let told = spent(Format::Responses, whole.to_string().as_bytes()).unwrap();
        assert_eq!(reading.told(), told);
    }
}

#[test]
fn the_mock_embeds_equal_texts_equally_and_in_bytes_as_in_numbers() {
    let embed = |input: Value, format: &str| {
        let body = json!({ "model": "mock/echo", "input": input, "dimensions": 8, "encoding_format": format });
        let body = body.to_string();
        let ask = Ask::read(Format::Embeddings, body.as_bytes()).unwrap();
        let told = mocked(&ask, body.as_bytes(), "1", 2);
        serde_json::from_slice::<Value>(&told.body).unwrap()
    };
    let many = embed(json!(["salt and rope", "tide", "salt and rope"]), "float");
    let vectors = many["data"].as_array().unwrap();
    assert_eq!(vectors[0]["embedding"], vectors[2]["embedding"]);
    assert_ne!(vectors[0]["embedding"], vectors[1]["embedding"]);
    assert_eq!(vectors[1]["embedding"].as_array().unwrap().len(), 8);
    assert_eq!(
        many["usage"],
        json!({ "prompt_tokens": 7, "total_tokens": 7 })
    );
    let one = embed(json!("tide"), "base64");
    // Four bytes a number, the lowest first: one of them is 1.0, the others nothing.
    let bytes = one["data"][0]["embedding"].as_str().unwrap();
    assert_eq!(bytes.len(), 44, "{bytes}");
    let tokens = embed(json!([1, 2, 2]), "float");
    assert_eq!(tokens["data"].as_array().unwrap().len(), 1);
    assert_eq!(tokens["usage"]["prompt_tokens"], 3);
}
