//! What a tool answered, as text: harnesses hand it over as structured as the tool made it.

use serde_json::Value;

use crate::import::describe_call;

/// Fields that hold what a model would read, in the order in which they matter.
const TEXTS: [&str; 8] = [
    "content",
    "output",
    "llmContent",
    "result",
    "text",
    "stdout",
    "message",
    "returnDisplay",
];
/// Lists of which each item is a line.
const LISTS: [&str; 2] = ["filenames", "matches"];
/// How deep texts are looked for.
const DEPTH: usize = 4;

/// The text of a tool's answer; what has none is shown as JSON, cut short.
pub(super) fn printed(response: &Value) -> String {
    read(response, 0).unwrap_or_else(|| describe_call("", response).text)
}

fn read(value: &Value, depth: usize) -> Option<String> {
    match value {
        Value::String(text) => Some(unwrapped(text, depth)),
        Value::Array(items) => {
            let texts: Option<Vec<String>> =
                items.iter().map(|item| item_text(item, depth)).collect();
            texts.map(|texts| texts.join("\n"))
        }
        Value::Object(_) if depth == DEPTH => None,
        Value::Object(fields) => {
            if fields.contains_key("stdout") || fields.contains_key("stderr") {
                return Some(streams(value));
            }
            if fields.contains_key("structuredPatch") || fields.contains_key("originalFile") {
                // The call says what was to be changed; this is the whole file, before and after.
                return Some("done".into());
            }
            if let Some(file) = fields.get("file") {
                return read(file, depth + 1);
            }
            let list = LISTS.iter().find_map(|name| fields.get(*name)?.as_array());
            let lines = || list.and_then(|items| read(&Value::Array(items.clone()), depth + 1));
            let texts = TEXTS.iter().filter_map(|name| fields.get(*name));
            let mut texts = texts.filter_map(|inner| read(inner, depth + 1));
            texts.find(|text| !text.trim().is_empty()).or_else(lines)
        }
        _ => None,
    }
}

/// Some harnesses wrap an answer as JSON in a text.
fn unwrapped(text: &str, depth: usize) -> String {
    let wrapped = depth == 0 && text.starts_with("{\"");
    let inner = wrapped.then(|| serde_json::from_str::<Value>(text).ok());
    let inner = inner.flatten().and_then(|value| read(&value, depth + 1));
    inner.unwrap_or_else(|| text.to_owned())
}

fn item_text(item: &Value, depth: usize) -> Option<String> {
    if item.get("type").and_then(Value::as_str) == Some("image") || item.get("inlineData").is_some()
    {
        return Some("[image]".into());
    }
    if depth >= DEPTH {
        return None;
    }
    read(item, depth + 1)
}

fn streams(value: &Value) -> String {
    let stream = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default();
    let (out, err) = (stream("stdout"), stream("stderr"));
    match (out.is_empty(), err.is_empty()) {
        (false, false) => format!("{out}\n{err}"),
        (true, _) => err.to_owned(),
        (false, true) => out.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert_eq, proptest};
    use serde_json::{Value, json};

    use super::printed;

    #[test]
    fn each_form_of_an_answer_is_read() {
        let cases: [(Value, &str); 14] = [
            (json!("plain"), "plain"),
            (json!(null), ""),
            (
                json!({ "stdout": "a", "stderr": "b", "interrupted": false }),
                "a\nb",
            ),
            (json!({ "stdout": "", "stderr": "b" }), "b"),
            (json!({ "stdout": "", "stderr": "" }), ""),
            (
                json!({ "type": "text", "file": { "filePath": "/a", "content": "x", "numLines": 1 } }),
                "x",
            ),
            (
                json!({ "filePath": "/a", "originalFile": "long", "structuredPatch": [] }),
                "done",
            ),
            (
                json!([{ "type": "text", "text": "one" }, { "type": "image" }]),
                "one\n[image]",
            ),
            (
                json!({ "content": [{ "type": "text", "text": "two" }], "totalTokens": 3 }),
                "two",
            ),
            (
                json!({ "llmContent": "three", "returnDisplay": "x" }),
                "three",
            ),
            (json!({ "llmContent": { "text": "four" } }), "four"),
            (
                json!({ "filenames": ["a.rs", "b.rs"], "numFiles": 2 }),
                "a.rs\nb.rs",
            ),
            (json!("{\"exitCode\":0,\"stdout\":\"five\"}"), "five"),
            (json!({ "n": 1 }), "{\"n\":1}"),
        ];
        for (response, text) in cases {
            assert_eq!(printed(&response), text, "{response}");
        }
    }

    #[test]
    fn n12_a_deep_answer_ends() {
        let mut deep = json!("x");
        for _ in 0..100 {
            deep = json!({ "content": [deep] });
        }
        assert!(printed(&deep).len() < 1_000);
    }

    proptest! {
        #[test]
        fn a_plain_text_stays_as_it_is(text in any::<String>()) {
            let wrapped = text.starts_with("{\"");
            if !wrapped {
                prop_assert_eq!(printed(&Value::String(text.clone())), text);
            }
        }
    }
}
