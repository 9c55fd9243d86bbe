//! The first stage of capture: what a harness says, in the one form that the later stages read.
//!
//! Readers of transcripts run in the client and send turns; what every harness spells in its own way
//! and any rule, distiller or hint depends on is made the same here, once, whoever sent it.

use std::borrow::Cow;

use skep_domain::Harness;

use super::TurnIn;

/// Paths kept of one turn.
const PATHS: usize = 200;
/// Bytes kept of one path.
const PATH: usize = 1_024;
/// Bytes kept of a tool's name.
const TOOL: usize = 128;

/// The parts of a turn that harnesses spell differently.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Normal {
    pub(super) tool: Option<String>,
    pub(super) paths: Vec<String>,
}

/// Brings a turn of a harness into the one form.
pub(super) fn normalise(harness: Harness, cwd: Option<&str>, turn: &TurnIn) -> Normal {
    let mut paths: Vec<String> = Vec::new();
    for path in turn.paths.iter().take(PATHS) {
        let path = one_path(cwd, path);
        if !path.is_empty() && !paths.contains(&path) {
            paths.push(path);
        }
    }
    Normal {
        tool: turn
            .tool
            .as_deref()
            .map(|tool| head(&tool_name(harness, tool), TOOL).to_owned())
            .filter(|tool| !tool.is_empty()),
        paths,
    }
}

/// One name for a tool: the shell of Codex has had three.
fn tool_name(harness: Harness, tool: &str) -> Cow<'_, str> {
    let tool = tool.trim();
    match (harness, tool) {
        (Harness::Codex, "local_shell" | "local_shell_call" | "container.exec") => "shell".into(),
        _ => tool.into(),
    }
}

/// Relative to the working directory where it lies under it, without a scheme in front.
fn one_path(cwd: Option<&str>, path: &str) -> String {
    let path = path.trim();
    let path = path.strip_prefix("file://").unwrap_or(path);
    let cwd = cwd
        .map(|cwd| cwd.trim_end_matches(['/', '\\']))
        .filter(|cwd| !cwd.is_empty());
    let relative = cwd
        .and_then(|cwd| path.strip_prefix(cwd))
        .and_then(|rest| rest.strip_prefix(['/', '\\']));
    let path = relative.unwrap_or(path);
    head(path.strip_prefix("./").unwrap_or(path), PATH).to_owned()
}

fn head(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

#[cfg(test)]
mod tests {
    use skep_domain::{Harness, Timestamp, TurnRole};
    use skep_store::Branch;

    use super::{Normal, normalise};
    use crate::TurnIn;

    type Case<'a> = (Harness, &'a str, &'a [&'a str], &'a str, &'a [&'a str]);

    fn turn(tool: &str, paths: &[&str]) -> TurnIn {
        TurnIn {
            client_event_id: "e".into(),
            role: TurnRole::ToolCall,
            at: Timestamp::from_micros(0),
            text: String::new(),
            tool: Some(tool.into()),
            is_error: false,
            paths: paths.iter().map(|path| (*path).to_owned()).collect(),
            branch: Branch::Main,
            author: None,
        }
    }

    #[test]
    fn what_harnesses_spell_differently_becomes_one() {
        let cases: [Case; 5] = [
            (
                Harness::ClaudeCode,
                " Bash ",
                &["/w/a.rs", "./a.rs", "a.rs"],
                "Bash",
                &["a.rs"],
            ),
            (
                Harness::Codex,
                "local_shell",
                &["file:///w/b.rs"],
                "shell",
                &["b.rs"],
            ),
            (Harness::ClaudeCode, "local_shell", &[], "local_shell", &[]),
            (
                Harness::Codex,
                "container.exec",
                &["/wide/a", ""],
                "shell",
                &["/wide/a"],
            ),
            (Harness::Other, "x", &["/w/"], "x", &[]),
        ];
        for (harness, tool, paths, tool_is, paths_are) in cases {
            let normal = normalise(harness, Some("/w/"), &turn(tool, paths));
            let expected = Normal {
                tool: Some(tool_is.into()),
                paths: paths_are.iter().map(|path| (*path).to_owned()).collect(),
            };
            assert_eq!(normal, expected, "{tool}");
        }
    }

    #[test]
    fn n12_a_turn_keeps_a_bounded_number_of_bounded_paths() {
        let many: Vec<String> = (0..500)
            .map(|n| format!("{n}{}", "é".repeat(900)))
            .collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let normal = normalise(Harness::Other, None, &turn(&"t".repeat(500), &many));
        assert_eq!(normal.paths.len(), 200);
        assert!(normal.paths.iter().all(|path| path.len() <= 1_024));
        assert_eq!(normal.tool.map(|tool| tool.len()), Some(128));
    }
}
