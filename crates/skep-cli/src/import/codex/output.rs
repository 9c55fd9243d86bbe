//! What a tool printed, and whether it failed, whichever way Codex wrote it down.

use serde_json::Value;

use super::record::text_of;

/// How far into an output its exit code is looked for.
const PREAMBLE: usize = 400;

/// The text, and whether the tool failed.
pub(crate) fn read(output: &Value) -> (String, bool) {
    let refused = output.get("success").and_then(Value::as_bool) == Some(false);
    let text = text_of(output);
    let (text, code) = unwrapped(&text).unwrap_or_else(|| plain(text));
    let failed = code.is_some_and(|code| code != 0);
    (text, refused || failed)
}

/// `{"output":"…","metadata":{"exit_code":1}}`
fn unwrapped(text: &str) -> Option<(String, Option<i64>)> {
    if !text.starts_with("{\"") {
        return None;
    }
    let value: Value = serde_json::from_str(text).ok()?;
    let inside = value.get("output")?.as_str()?.to_owned();
    let code = value.pointer("/metadata/exit_code").and_then(Value::as_i64);
    Some((inside, code))
}

/// A few lines about the run, such as `Exit code: 1` or `Process exited with code 1`, then `Output:`.
fn plain(text: String) -> (String, Option<i64>) {
    let preamble = &text[..text.floor_char_boundary(PREAMBLE)];
    let code = preamble.lines().find_map(|line| {
        let code = line
            .strip_prefix("Exit code: ")
            .or_else(|| line.strip_prefix("Process exited with code "))?;
        code.trim().parse().ok()
    });
    match preamble.find("\nOutput:\n") {
        Some(at) if code.is_some() => (text[at + "\nOutput:\n".len()..].to_owned(), code),
        _ => (text, code),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::read;

    #[test]
    fn each_spelling_of_an_output_is_read() {
        let cases: [(Value, &str, bool); 8] = [
            (json!("plain"), "plain", false),
            (
                json!(r#"{"output":"boom","metadata":{"exit_code":101,"duration_seconds":1.5}}"#),
                "boom",
                true,
            ),
            (
                json!(r#"{"output":"fine","metadata":{"exit_code":0}}"#),
                "fine",
                false,
            ),
            (json!(r#"{"rows":3}"#), r#"{"rows":3}"#, false),
            (
                json!("Exit code: 2\nWall time: 0.1 seconds\nOutput:\nno"),
                "no",
                true,
            ),
            (
                json!("Chunk ID: a\nProcess exited with code 0\nOutput:\nok"),
                "ok",
                false,
            ),
            (
                json!({ "content": "denied", "success": false }),
                "denied",
                true,
            ),
            (
                json!([{ "type": "input_text", "text": "a" }, { "type": "input_image" }]),
                "a\n[image]",
                false,
            ),
        ];
        for (output, text, failed) in cases {
            assert_eq!(read(&output), (text.to_owned(), failed), "{output}");
        }
    }
}
