//! The file in which Gemini CLI keeps a chat, a record a line: what its hooks do not say, or not exactly.

use std::path::Path;

use serde_json::Value;

use crate::hook::tail;

/// How much of its end is read for an answer.
const ANSWER: u64 = 256 << 10;
/// How much of it is looked through for a compression.
const COMPRESSED: u64 = 8 << 20;
/// How a record begins that replaces the whole history; nothing that anybody says begins a line.
const REPLACED: &str = "{\"$set\":{\"messages\":";
/// What the model was told to put a compressed history into.
const SNAPSHOT: &str = "<state_snapshot>";

/// The last record of an answer and its text, if it is part of `said`: the hook's own text has a space
/// more wherever the answer came in pieces, and the answers between the tools as well.
pub(super) fn last_answer(path: &str, said: &str) -> Option<(String, String)> {
    let said = squeezed(said);
    for line in tail::lines(path, ANSWER)?.lines().rev() {
        let Ok(record) = serde_json::from_str::<Value>(line) else {
            continue;
        };
        let told = |name: &str| record.get(name).and_then(Value::as_str);
        match told("type") {
            Some("gemini") => {
                let text = told("content")?.trim();
                let fits = !text.is_empty() && said.contains(&squeezed(text));
                return fits.then_some((told("id")?.to_owned(), text.to_owned()));
            }
            Some("user") => return None,
            _ => {}
        }
    }
    None
}

/// Whether the history was compressed since the file had so many bytes.
pub(in crate::hook) fn was_compressed(path: &str, since: u64) -> bool {
    let added = tail::since(path, since, COMPRESSED).unwrap_or_default();
    let mut replaced = added.lines().filter(|line| line.starts_with(REPLACED));
    replaced.any(|line| line.contains(SNAPSHOT))
}

/// How long the file is now, if it is one of records.
pub(in crate::hook) fn length(path: &str) -> Option<u64> {
    let is_records = Path::new(path)
        .extension()
        .is_some_and(|end| end == "jsonl");
    let facts = std::fs::metadata(path).ok().filter(|_| is_records)?;
    facts.is_file().then_some(facts.len())
}

fn squeezed(text: &str) -> String {
    text.split_whitespace().collect()
}

#[cfg(test)]
mod tests {
    use super::{last_answer, length, was_compressed};

    const BEGUN: &str = concat!(
        "{\"id\":\"u1\",\"type\":\"user\",\"content\":[{\"text\":\"When?\"}]}\n",
        "{\"id\":\"g1\",\"type\":\"gemini\",\"content\":\"Let me look.\"}\n",
        "{\"id\":\"g2\",\"type\":\"gemini\",\"content\":\"They go out at six.\"}\n",
        "{\"$set\":{\"lastUpdated\":\"2026-11-20T09:12:06.125Z\"}}\n",
    );

    #[test]
    fn the_record_of_an_answer_is_found_in_what_the_hook_was_told() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("chat.jsonl");
        std::fs::write(&path, BEGUN).unwrap();
        let found = |said| last_answer(path.to_str().unwrap(), said);
        let whole = Some(("g2".to_owned(), "They go out at six.".to_owned()));
        assert_eq!(found("They go out at six."), whole);
        assert_eq!(found("Let me look. \nThey go ou t at six."), whole);
        assert_eq!(found("Something else."), None);
        assert_eq!(last_answer("/nowhere", "x"), None);
        let asked = "{\"id\":\"u2\",\"type\":\"user\",\"content\":[{\"text\":\"And?\"}]}\n";
        std::fs::write(&path, format!("{BEGUN}{asked}")).unwrap();
        assert_eq!(
            found("They go out at six."),
            None,
            "an answer to another prompt"
        );
    }

    #[test]
    fn only_a_history_that_was_replaced_by_a_summary_is_compressed() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("chat.jsonl");
        std::fs::write(&path, BEGUN).unwrap();
        let at = path.to_str().unwrap();
        let before = length(at).unwrap();
        let add = |line: &str| {
            let text = std::fs::read_to_string(&path).unwrap();
            std::fs::write(&path, format!("{text}{line}\n")).unwrap();
            was_compressed(at, before)
        };
        assert!(!add(
            "{\"id\":\"u3\",\"type\":\"user\",\"content\":\"<state_snapshot>?\"}"
        ));
        assert!(!add("{\"$set\":{\"messages\":[{\"id\":\"u1\"}]}}"));
        assert!(add(
            "{\"$set\":{\"messages\":[{\"content\":[{\"text\":\"<state_snapshot>x\"}]}]}}"
        ));
        assert!(!was_compressed(at, length(at).unwrap()), "that was before");
        assert!(!was_compressed("/nowhere", 0));
        assert_eq!(length("/dev/zero"), None);
    }
}
