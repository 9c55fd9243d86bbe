//! Says in a few lines what a tool was asked to do.

use serde_json::{Map, Value};

use super::clip::excerpt;

/// Lines of an edit's old and new text.
const EDIT_LINES: usize = 12;
/// Bytes of one argument nobody knows the meaning of.
const ARGUMENT: usize = 512;
/// Bytes of a prompt to a subagent, or a patch.
const PROSE: usize = 4 << 10;
/// Edits shown of a list of them.
const EDITS: usize = 8;

/// What harnesses call the one file that a tool works on.
const FILES: [&str; 5] = [
    "file_path",
    "notebook_path",
    "filePath",
    "absolute_path",
    "target_file",
];

/// A call as a turn carries it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) text: String,
    /// As the tool was given them.
    pub(crate) paths: Vec<String>,
}

/// Renders a call: what matters of its input first, known tools by their own arguments.
pub(crate) fn describe(tool: &str, input: &Value) -> Call {
    let Value::Object(fields) = input else {
        return plain(input);
    };
    let text = |name: &str| fields.get(name).and_then(Value::as_str);
    let file = FILES.iter().find_map(|name| text(name));
    let paths = file.map(str::to_owned).into_iter().collect();
    let path = file.or_else(|| text("path"));
    let lines = match tool {
        "Edit" | "MultiEdit" | "Write" | "NotebookEdit" | "edit" | "write" | "replace"
        | "write_file" | "StrReplace" => edit(path, fields),
        "Read" | "NotebookRead" | "LS" | "view_image" | "read" | "read_file" | "list"
        | "list_directory" => path.map(str::to_owned).into_iter().collect(),
        "Task" | "Agent" | "task" => chosen(fields, &["description", "prompt"]),
        "Grep" | "Glob" | "grep" | "glob" | "search_file_content" | "grep_search" => {
            chosen(fields, &["pattern", "path", "glob", "type"])
        }
        "WebFetch" | "WebSearch" | "web_search" => chosen(fields, &["url", "query", "prompt"]),
        "ExitPlanMode" => chosen(fields, &["plan"]),
        "TodoWrite" => todos(fields, "todos", "content"),
        "update_plan" => todos(fields, "plan", "step"),
        _ => match command(fields) {
            Some(command) => return shell(command),
            None => Vec::new(),
        },
    };
    if lines.is_empty() {
        return Call {
            paths,
            ..plain(input)
        };
    }
    Call {
        text: lines.join("\n"),
        paths,
    }
}

/// The shell command of a call, whichever way a harness spells it.
fn command(fields: &Map<String, Value>) -> Option<String> {
    match fields.get("command").or_else(|| fields.get("cmd"))? {
        Value::String(command) => Some(command.clone()),
        Value::Array(words) => {
            let words: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
            match words.as_slice() {
                [shell, flag, script] if shell.ends_with("sh") && flag.starts_with('-') => {
                    Some((*script).to_owned())
                }
                [] => None,
                words => Some(words.join(" ")),
            }
        }
        _ => None,
    }
}

/// A command line, or a patch that was passed through one.
fn shell(command: String) -> Call {
    if command.contains("*** Begin Patch") {
        return patch(&command);
    }
    Call {
        text: command,
        paths: Vec::new(),
    }
}

/// A patch in the format of `apply_patch`.
pub(crate) fn patch(patch: &str) -> Call {
    let touched = patch.lines().filter_map(|line| {
        let named = line.strip_prefix("*** ")?;
        ["Update File: ", "Add File: ", "Delete File: ", "Move to: "]
            .iter()
            .find_map(|verb| named.strip_prefix(verb))
    });
    Call {
        paths: touched.map(|path| path.trim().to_owned()).collect(),
        text: excerpt(patch, PROSE),
    }
}

/// The path, then the first lines of what goes and of what comes.
fn edit(path: Option<&str>, fields: &Map<String, Value>) -> Vec<String> {
    let mut lines: Vec<String> = path.map(str::to_owned).into_iter().collect();
    let single = std::slice::from_ref(fields).iter();
    let edits = fields.get("edits").and_then(Value::as_array);
    let several = edits.into_iter().flatten().filter_map(Value::as_object);
    for edit in single.chain(several).take(EDITS) {
        for (name, sign) in [
            ("old_string", '-'),
            ("oldString", '-'),
            ("new_string", '+'),
            ("newString", '+'),
            ("content", '+'),
            ("new_source", '+'),
        ] {
            if let Some(text) = edit.get(name).and_then(Value::as_str) {
                first_lines(text, sign, &mut lines);
            }
        }
    }
    lines
}

fn first_lines(text: &str, sign: char, lines: &mut Vec<String>) {
    let shown = text.lines().take(EDIT_LINES);
    lines.extend(shown.map(|line| format!("{sign} {}", excerpt(line, ARGUMENT))));
    let more = text.lines().skip(EDIT_LINES).count();
    if more > 0 {
        lines.push(format!("{sign} [… {more} lines more]"));
    }
}

fn chosen(fields: &Map<String, Value>, names: &[&str]) -> Vec<String> {
    let present = names.iter().filter_map(|name| fields.get(*name)?.as_str());
    present.map(|text| excerpt(text, PROSE)).collect()
}

fn todos(fields: &Map<String, Value>, list: &str, name: &str) -> Vec<String> {
    let items = fields.get(list).and_then(Value::as_array);
    items
        .into_iter()
        .flatten()
        .filter_map(|item| {
            let text = item.get(name)?.as_str()?;
            let status = item
                .get("status")
                .and_then(Value::as_str)
                .unwrap_or("pending");
            Some(format!("[{status}] {}", excerpt(text, ARGUMENT)))
        })
        .collect()
}

/// Any other input: compact JSON, long texts cut.
fn plain(input: &Value) -> Call {
    let text = match input {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => shortened(other, 0).to_string(),
    };
    Call {
        text: excerpt(&text, PROSE),
        paths: Vec::new(),
    }
}

fn shortened(value: &Value, depth: usize) -> Value {
    match value {
        Value::String(text) => Value::String(excerpt(text, ARGUMENT)),
        Value::Array(_) | Value::Object(_) if depth == 6 => Value::String("[…]".into()),
        Value::Array(items) => items
            .iter()
            .take(50)
            .map(|item| shortened(item, depth + 1))
            .collect(),
        Value::Object(fields) => {
            let kept = fields.iter().take(50);
            Value::Object(
                kept.map(|(name, item)| (name.clone(), shortened(item, depth + 1)))
                    .collect(),
            )
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests;
