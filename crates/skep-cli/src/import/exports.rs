//! Memories that other programs exported as JSON: claude-mem's export, mem0's `get_memories`.

use std::borrow::Cow;
use std::fs::File;
use std::path::Path;

use serde_json::Value;
use skep_api::Instant;
use skep_api::source::{DocumentInput, Format, MemoryInput};

use super::clip;
use super::cursor::fingerprint;
use super::elements::Elements;
use super::keeper::Keeper;
use super::progress::{Progress, Unit};
use super::transcript::json_problem;
use crate::failure::Failure;
use crate::output::Output;

/// Bytes of one record.
const RECORD: usize = 4 << 20;

/// What a record is read as: a memory, or why it is left out.
type Read = Result<DocumentInput, Cow<'static, str>>;

/// A program's export.
pub(crate) struct Export {
    /// What the source is called.
    pub(crate) name: &'static str,
    /// Reads a record of a field of the document, or of a bare array.
    pub(crate) read: fn(Option<&str>, &Value) -> Read,
}

/// claude-mem.
pub(crate) const CLAUDE_MEM: Export = Export {
    name: "claude-mem",
    read: claude_mem,
};

/// mem0.
pub(crate) const MEM0: Export = Export {
    name: "mem0",
    read: mem0,
};

/// Imports one file.
pub(crate) async fn run(
    keeper: &mut Keeper,
    export: &Export,
    path: &Path,
    project: Option<&str>,
    output: &Output,
) -> Result<(), Failure> {
    let name = path.display().to_string();
    keeper.report.sources += 1;
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) => {
            keeper.report.unreadable(&name, error.to_string());
            return Ok(());
        }
    };
    let total = file.metadata().map_or(0, |facts| facts.len());
    let mut progress = Progress::new(output, Unit::Bytes, total);
    let mut document = Elements::new(file, RECORD);
    let mut before = 0;
    loop {
        let element = match document.next() {
            Ok(Some(element)) => element,
            Ok(None) => break,
            Err(broken) => {
                keeper.report.unreadable(&name, broken.to_string());
                break;
            }
        };
        progress.advance(element.end - before);
        before = element.end;
        let number = element.number;
        let Some(bytes) = element.bytes else {
            let why = format!("a record of more than {} MiB", RECORD >> 20);
            keeper.report.fail(&name, number, why);
            continue;
        };
        let read = match serde_json::from_slice::<Value>(bytes) {
            Ok(record) => (export.read)(element.field, &record),
            Err(error) => {
                keeper.report.fail(&name, number, json_problem(&error));
                continue;
            }
        };
        match read {
            Ok(mut document) => {
                if let Some(memory) = &mut document.memory {
                    clip::references(&mut memory.references);
                    if let Some(project) = project {
                        memory.project = Some(project.to_owned());
                    }
                }
                keeper.keep(document, (&name, number)).await?;
            }
            Err(reason) => keeper.report.skip(&reason),
        }
    }
    progress.finish();
    Ok(())
}

/// A memory as a document.
pub(super) fn document(path: String, text: String, memory: MemoryInput) -> DocumentInput {
    DocumentInput {
        version: format!("{:016x}", fingerprint(text.as_bytes())),
        path: clip::client_key(path),
        format: Format::Text,
        text,
        memory: Some(memory),
    }
}

/// A field that says something.
fn said<'a>(record: &'a Value, field: &str) -> Option<&'a str> {
    record[field]
        .as_str()
        .map(str::trim)
        .filter(|text| !text.is_empty())
}

/// Texts of a field: a list, or a list written as text.
fn list(record: &Value, field: &str) -> Vec<String> {
    let texts = |list: &Value| -> Vec<String> {
        let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
        list.iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect()
    };
    match &record[field] {
        Value::String(text) => {
            serde_json::from_str(text).map_or_else(|_| Vec::new(), |list| texts(&list))
        }
        list => texts(list),
    }
}

/// A time in text, or in milliseconds.
fn time(record: &Value, text: &str, millis: &str) -> Option<Instant> {
    let written = said(record, text).and_then(|text| text.parse().ok());
    written.or_else(|| {
        let millis = record[millis].as_i64()?;
        Some(Instant(skep_api::Timestamp::from_millis(millis)))
    })
}

/// An id, which may be a number.
fn id(record: &Value) -> Option<String> {
    match &record["id"] {
        Value::String(id) if !id.is_empty() => Some(id.clone()),
        Value::Number(id) => Some(id.to_string()),
        _ => None,
    }
}

fn claude_mem(field: Option<&str>, record: &Value) -> Read {
    match field {
        Some("observations") => observation(record),
        Some("summaries") => summary(record),
        Some("sessions") => Err("session without its turns".into()),
        Some("prompts") => Err("prompt without its answer".into()),
        _ => Err("not of a claude-mem export".into()),
    }
}

/// What names a record of claude-mem: its numbers are counted anew on each machine.
fn record_path(sort: &str, record: &Value) -> String {
    let session = said(record, "memory_session_id").or_else(|| said(record, "sdk_session_id"));
    let at = record["created_at_epoch"].as_i64().unwrap_or_default();
    let title = said(record, "title").unwrap_or_default();
    format!(
        "{sort}/{}/{at}/{:016x}",
        session.unwrap_or("-"),
        fingerprint(title.as_bytes())
    )
}

fn observation(record: &Value) -> Read {
    let parts = [
        said(record, "title"),
        said(record, "subtitle"),
        said(record, "narrative"),
        said(record, "text"),
    ];
    let mut parts: Vec<String> = parts.into_iter().flatten().map(str::to_owned).collect();
    parts.extend(
        list(record, "facts")
            .into_iter()
            .map(|fact| format!("- {fact}")),
    );
    if parts.is_empty() {
        return Err("empty".into());
    }
    let kind = match said(record, "type") {
        Some("decision") => "decision",
        Some("bugfix") => "gotcha",
        _ => "fact",
    };
    let mut references = vec!["claude-mem".to_owned()];
    references
        .extend(said(record, "memory_session_id").map(|session| format!("session {session}")));
    references.extend(list(record, "files_read"));
    references.extend(list(record, "files_modified"));
    let memory = MemoryInput {
        kind: Some(kind.into()),
        project: said(record, "project").and_then(clip::project),
        valid_from: time(record, "created_at", "created_at_epoch"),
        derived_by: Some("model".into()),
        references,
        ..MemoryInput::default()
    };
    Ok(document(
        record_path("observation", record),
        parts.join("\n"),
        memory,
    ))
}

fn summary(record: &Value) -> Read {
    let fields = [
        "request",
        "investigated",
        "learned",
        "completed",
        "next_steps",
        "notes",
    ];
    let lines = fields.iter().filter_map(|field| {
        let name = field.replace('_', " ");
        said(record, field).map(|text| format!("{name}: {text}"))
    });
    let lines: Vec<String> = lines.collect();
    if lines.is_empty() {
        return Err("empty".into());
    }
    let memory = MemoryInput {
        kind: Some("fact".into()),
        project: said(record, "project").and_then(clip::project),
        valid_from: time(record, "created_at", "created_at_epoch"),
        derived_by: Some("model".into()),
        references: vec!["claude-mem".into(), "summary of a session".into()],
        ..MemoryInput::default()
    };
    Ok(document(
        record_path("summary", record),
        lines.join("\n"),
        memory,
    ))
}

fn mem0(field: Option<&str>, record: &Value) -> Read {
    match field {
        None | Some("results" | "memories") => {}
        Some("relations") => return Err("relation of a graph".into()),
        Some(_) => return Err("not of mem0's memories".into()),
    }
    let text = ["memory", "text", "data"]
        .iter()
        .find_map(|field| said(record, field));
    let Some(text) = text else {
        return Err("empty".into());
    };
    let categories = list(record, "categories");
    let kind = if categories
        .iter()
        .any(|category| category.contains("preference"))
    {
        "preference"
    } else {
        "fact"
    };
    let id = id(record).unwrap_or_else(|| format!("{:016x}", fingerprint(text.as_bytes())));
    let mut references = vec![format!("mem0 {id}")];
    for field in ["user_id", "agent_id", "app_id", "run_id"] {
        references.extend(said(record, field).map(|value| format!("{field} {value}")));
    }
    references.extend(
        categories
            .into_iter()
            .map(|category| format!("category {category}")),
    );
    let memory = MemoryInput {
        kind: Some(kind.into()),
        valid_from: time(record, "created_at", "created_at_epoch"),
        derived_by: Some("model".into()),
        references,
        ..MemoryInput::default()
    };
    Ok(document(format!("memory/{id}"), text.to_owned(), memory))
}
