//! The last answer in a transcript, for the id under which an import would find it.

use serde_json::Value;

use crate::hook::tail;

/// How much of a transcript's end is read.
const TAIL: u64 = 256 << 10;

/// The record of the last answer, and its text. With `said`, only a record of exactly that: the
/// transcript may lag behind the event.
pub(super) fn last_answer(path: &str, said: Option<&str>) -> Option<(String, String)> {
    for line in tail::lines(path, TAIL)?.lines().rev() {
        let Ok(record) = serde_json::from_str::<Value>(line) else {
            continue;
        };
        match record.get("type").and_then(Value::as_str) {
            Some("assistant") => {
                if let Some(found) = answer_in(&record, said) {
                    return Some(found);
                }
            }
            // What came before the last prompt answers another one.
            Some("user") if is_prompt(&record) => return None,
            _ => {}
        }
    }
    None
}

fn answer_in(record: &Value, said: Option<&str>) -> Option<(String, String)> {
    let uuid = record.get("uuid")?.as_str()?;
    let blocks = record.pointer("/message/content")?.as_array()?;
    let texts = blocks.iter().enumerate().rev().filter_map(|(at, block)| {
        let is_text = block.get("type").and_then(Value::as_str) == Some("text");
        let text = block.get("text")?.as_str()?;
        (is_text && !text.trim().is_empty()).then_some((at, text))
    });
    let mut fitting = texts.filter(|(_, text)| said.is_none_or(|said| said.trim() == text.trim()));
    fitting.next().map(|(at, text)| {
        let id = match at {
            0 => uuid.to_owned(),
            at => format!("{uuid}#{at}"),
        };
        (id, text.to_owned())
    })
}

fn is_prompt(record: &Value) -> bool {
    match record.pointer("/message/content") {
        Some(Value::String(_)) => true,
        Some(Value::Array(blocks)) => blocks
            .iter()
            .any(|block| block.get("type").and_then(Value::as_str) == Some("text")),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use serde_json::json;

    use super::{TAIL, last_answer};

    fn assistant(uuid: &str, texts: &[&str]) -> String {
        let blocks: Vec<_> = texts
            .iter()
            .map(|text| json!({ "type": "text", "text": text }))
            .collect();
        json!({ "type": "assistant", "uuid": uuid, "message": { "content": blocks } }).to_string()
    }

    #[test]
    fn the_last_answer_to_the_last_prompt_is_found() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("t.jsonl");
        let prompt = json!({ "type": "user", "uuid": "u", "message": { "content": "go on" } });
        let result = json!({ "type": "user", "uuid": "r", "message": {
            "content": [{ "type": "tool_result", "content": "x" }] } });
        let text = [
            assistant("a1", &["old"]),
            prompt.to_string(),
            assistant("a2", &["first", "second"]),
            result.to_string(),
            "{half".to_owned(),
        ]
        .join("\n");
        std::fs::write(&path, text).unwrap();
        let path = path.to_str().unwrap();
        let found = |said| last_answer(path, said);
        let second = Some(("a2#1".to_owned(), "second".to_owned()));
        assert_eq!(found(None), second);
        assert_eq!(found(Some("second\n")), second);
        assert_eq!(found(Some("first")), Some(("a2".into(), "first".into())));
        assert_eq!(found(Some("old")), None);
        assert_eq!(last_answer("/dev/zero", None), None);
        assert_eq!(last_answer("/nowhere", None), None);
    }

    #[test]
    fn n12_only_the_end_of_a_long_transcript_is_read() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("t.jsonl");
        let mut text = assistant("a1", &["early"]) + "\n";
        while text.len() < 2 * TAIL as usize {
            writeln!(
                text,
                "{}",
                json!({ "type": "progress", "data": "x".repeat(99) })
            )
            .unwrap();
        }
        std::fs::write(&path, &text).unwrap();
        assert_eq!(last_answer(path.to_str().unwrap(), None), None);
        text += &assistant("a2", &["late"]);
        std::fs::write(&path, &text).unwrap();
        let found = last_answer(path.to_str().unwrap(), None);
        assert_eq!(found, Some(("a2".into(), "late".into())));
    }
}
