//! Requests byte by byte, recorded shapes of answers, and errors that repeat nothing.

use proptest::prelude::*;
use serde_json::json;

use crate::{
    Cost, Dialect, Failure, NotStructured, Price, Prompt, Reply, Response, Schema, Target, Usage,
    retry_after, structured,
};

fn prompt() -> Prompt {
    Prompt {
        system: "Read.".into(),
        user: "<data>".into(),
        schema: Schema {
            name: "kept",
            purpose: "What is kept.",
            json: json!({ "type": "object" }),
        },
        max_output: 900,
    }
}

fn target(dialect: Dialect, structured: bool, reasoning: bool) -> Target {
    Target {
        dialect,
        model: "some-model".into(),
        structured,
        reasoning,
    }
}

#[test]
fn requests_are_of_their_dialect() {
    let mut shown = String::new();
    for (dialect, structured, reasoning) in [
        (Dialect::OpenAi, true, false),
        (Dialect::OpenAi, false, true),
        (Dialect::Anthropic, true, false),
        (Dialect::Anthropic, false, false),
    ] {
        let request = target(dialect, structured, reasoning).request(&prompt());
        shown.push_str(&format!(
            "POST {} {:?} {:?}\n{}\n\n",
            request.path,
            request.headers,
            request.key,
            sorted(serde_json::from_slice(&request.body).unwrap()),
        ));
    }
    insta::assert_snapshot!(shown);
}

/// The same, by name: in which order a map keeps its keys depends on what else is built beside.
fn sorted(value: serde_json::Value) -> serde_json::Value {
    use serde_json::Value;
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.into_iter().collect();
            fields.sort_by(|a, b| a.0.cmp(&b.0));
            let fields = fields.into_iter();
            Value::Object(fields.map(|(key, value)| (key, sorted(value))).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        other => other,
    }
}

fn read(dialect: Dialect, body: &str) -> Result<Reply, Failure> {
    target(dialect, true, false).read(&Response {
        status: 200,
        retry_after: None,
        body: body.into(),
    })
}

const OPENAI: &str = r#"{"id":"chatcmpl-9","object":"chat.completion","created":1767225600,"model":"m","choices":[{"index":0,
"message":{"role":"assistant","content":"{\"memories\":[]}","refusal":null},"logprobs":null,"finish_reason":"stop"}],
"usage":{"prompt_tokens":812,"completion_tokens":9,"total_tokens":821,"prompt_tokens_details":{"cached_tokens":0}},"system_fingerprint":"fp"}"#;
const OLLAMA: &str = r#"{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"qwen3:8b","system_fingerprint":"fp_ollama",
"choices":[{"index":0,"message":{"role":"assistant","content":"{}"},"finish_reason":"stop"}]}"#;
const ANTHROPIC: &str = r#"{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"I'll note it."},
{"type":"tool_use","id":"toolu_1","name":"kept","input":{"memories":[]}}],"stop_reason":"tool_use","stop_sequence":null,
"usage":{"input_tokens":700,"cache_creation_input_tokens":10,"cache_read_input_tokens":90,"output_tokens":40}}"#;

#[test]
fn recorded_answers_read_as_text_and_tokens() {
    let openai = read(Dialect::OpenAi, OPENAI).unwrap();
    let usage = |input, output| {
        Some(Usage {
            input,
            output,
            ..Usage::default()
        })
    };
    assert_eq!(openai.text, r#"{"memories":[]}"#);
    assert!(openai.is_whole);
    assert_eq!(openai.usage, usage(812, 9));
    let ollama = read(Dialect::OpenAi, OLLAMA).unwrap();
    assert_eq!((ollama.usage, ollama.is_whole), (None, true));
    let anthropic = read(Dialect::Anthropic, ANTHROPIC).unwrap();
    assert_eq!(
        anthropic.text, r#"{"memories":[]}"#,
        "not the talk beside it"
    );
    let cached = usage(800, 40).map(|usage| Usage {
        cache_read: 90,
        cache_write: 10,
        ..usage
    });
    assert_eq!(anthropic.usage, cached, "what is cached is read too");
    assert!(anthropic.is_whole);
}

#[test]
fn m10_what_was_cut_off_declined_or_doubled_is_not_whole() {
    for (dialect, body) in [
        (Dialect::OpenAi, OPENAI.replace("\"stop\"", "\"length\"")),
        (
            Dialect::OpenAi,
            OPENAI.replace("\"stop\"", "\"content_filter\""),
        ),
        (
            Dialect::OpenAi,
            OPENAI.replace("\"refusal\":null", "\"refusal\":\"no\""),
        ),
        (
            Dialect::OpenAi,
            OPENAI.replace("\"{\\\"memories\\\":[]}\"", "null"),
        ),
        (
            Dialect::Anthropic,
            ANTHROPIC.replace(
                "\"stop_reason\":\"tool_use\"",
                "\"stop_reason\":\"max_tokens\"",
            ),
        ),
        (
            Dialect::Anthropic,
            ANTHROPIC.replace(
                "\"stop_reason\":\"tool_use\"",
                "\"stop_reason\":\"refusal\"",
            ),
        ),
        (
            Dialect::Anthropic,
            ANTHROPIC.replace(
                "\"type\":\"text\",\"text\"",
                "\"type\":\"tool_use\",\"name\"",
            ),
        ),
        (
            Dialect::Anthropic,
            ANTHROPIC.replace("\"stop_reason\":\"tool_use\"", "\"stop_reason\":null"),
        ),
    ] {
        assert!(!read(dialect, &body).unwrap().is_whole, "{body}");
    }
}

#[test]
fn m10_counts_that_are_none_are_not_believed() {
    for wrong in ["-5", "1.5", "\"812\"", "null", "1e30"] {
        let body = OPENAI.replace("812", wrong);
        assert_eq!(read(Dialect::OpenAi, &body).unwrap().usage, None, "{wrong}");
        let body = ANTHROPIC.replace("700", wrong);
        assert_eq!(
            read(Dialect::Anthropic, &body).unwrap().usage,
            None,
            "{wrong}"
        );
    }
}

#[test]
fn m10_what_is_not_of_the_dialect_is_unreadable() {
    let deep = "[".repeat(100_000);
    for body in [
        "",
        "{}",
        "null",
        "<html>",
        r#"{"choices":[]}"#,
        r#"{"content":{}}"#,
        &deep,
    ] {
        for dialect in [Dialect::OpenAi, Dialect::Anthropic] {
            assert_eq!(read(dialect, body), Err(Failure::Unreadable), "{dialect:?}");
        }
    }
}

#[test]
fn errors_say_what_to_do_and_repeat_nothing() {
    let cases: &[(u16, &str)] = &[
        (
            401,
            r#"{"error":{"message":"Incorrect API key provided: sk-canary","type":"invalid_request_error","code":"invalid_api_key"}}"#,
        ),
        (403, "sk-canary"),
        (
            404,
            r#"{"error":{"message":"model sk-canary not found","code":"model_not_found"}}"#,
        ),
        (402, ""),
        (
            429,
            r#"{"error":{"type":"insufficient_quota","code":"insufficient_quota","message":"sk-canary"}}"#,
        ),
        (
            429,
            r#"{"type":"error","error":{"type":"rate_limit_error","message":"sk-canary"}}"#,
        ),
        (
            400,
            r#"{"error":{"code":"context_length_exceeded","type":"sk-canary"}}"#,
        ),
        (
            413,
            r#"{"type":"error","error":{"type":"request_too_large"}}"#,
        ),
        (400, r#"{"error":{"code":17,"type":"sk-canary"}}"#),
        (400, r#"{"error":"json_schema is not supported sk-canary"}"#),
        (302, "sk-canary"),
        (500, "sk-canary"),
        (
            529,
            r#"{"type":"error","error":{"type":"overloaded_error"}}"#,
        ),
        (200, "sk-canary"),
    ];
    let mut shown = String::new();
    for (status, body) in cases {
        let response = Response {
            status: *status,
            retry_after: retry_after(" 7 "),
            body: body.as_bytes().to_vec(),
        };
        let failure = target(Dialect::OpenAi, true, false)
            .read(&response)
            .unwrap_err();
        shown.push_str(&format!("{status}: {failure} / {failure:?}\n"));
        shown.push_str(&format!("   {response:?}\n"));
    }
    assert!(!shown.contains("canary"), "{shown}");
    insta::assert_snapshot!(shown);
}

#[test]
fn answers_may_stand_in_a_fence_and_nothing_may_stand_around_it() {
    for (text, expected) in [
        ("[1]", Ok(vec![1])),
        (" [1]\n", Ok(vec![1])),
        ("```json\n[1]\n```", Ok(vec![1])),
        ("```\n[1]\n```", Ok(vec![1])),
        ("Here it is: [1]", Err(NotStructured::Json)),
        ("[1] I hope that helps", Err(NotStructured::Json)),
        ("[1][2]", Err(NotStructured::Json)),
        ("```json\n[1]\n```\nDone.", Err(NotStructured::Json)),
        ("<think>hm</think>[1]", Err(NotStructured::Json)),
        ("[1", Err(NotStructured::Json)),
        ("", Err(NotStructured::Json)),
        ("{\"a\":1}", Err(NotStructured::Shape)),
        ("[\"1\"]", Err(NotStructured::Shape)),
    ] {
        assert_eq!(structured::<Vec<u8>>(text), expected, "{text}");
    }
}

proptest! {
    #[test]
    fn no_bytes_make_reading_panic_and_no_call_costs_less_than_it_should(
        body in prop::collection::vec(any::<u8>(), 0..200),
        status in any::<u16>(),
        input in any::<u64>(),
        output in any::<u64>(),
        price in (0_u64..1 << 40, 0_u64..1 << 40),
    ) {
        for dialect in [Dialect::OpenAi, Dialect::Anthropic] {
            let response = Response { status, retry_after: None, body: body.clone() };
            let _ = target(dialect, true, false).read(&response);
        }
        let price = Price { input: Cost(price.0), output: Cost(price.1), ..Price::default() };
        let exact = u128::from(price.input.0) * u128::from(input) + u128::from(price.output.0) * u128::from(output);
        let Cost(cost) = price.of(Usage { input, output, ..Usage::default() });
        prop_assert!(u128::from(cost) * 1_000_000 >= exact || cost == u64::MAX);
        prop_assert!(cost == u64::MAX || u128::from(cost) * 1_000_000 < exact + 1_000_000);
    }
}
