//! Conversations of a ChatGPT export: its archive, `conversations.json`, or its parts, or what comes from stdin.
//!
//! A conversation is a graph of messages, since a prompt may be edited and an answer made again. What a person
//! sees is the way from `current_node` up to the root; the other ways are counted and left out.

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;
use skep_api::capture::{Branch, SessionRef, TurnInput};
use skep_api::{Harness, Instant, Limits, Timestamp, TurnRole};

use super::batch::Batcher;
use super::clip;
use super::cursor::fingerprint;
use super::elements::Elements;
use super::progress::{Progress, Unit};
use super::sender::{Sender, source_name};
use super::transcript::{Found, files, json_problem, spoken};
use super::zip::{Archive, is_zip};
use crate::failure::Failure;
use crate::output::Output;

/// Bytes of one conversation.
const CONVERSATION: usize = 64 << 20;
/// The version of this reader: another one reads everything again.
const VERSION: u8 = 1;

#[derive(Debug, Deserialize)]
struct Conversation {
    id: Option<String>,
    #[serde(rename = "conversation_id")]
    other_id: Option<String>,
    title: Option<String>,
    create_time: Option<f64>,
    current_node: Option<String>,
    #[serde(default)]
    mapping: BTreeMap<String, Node>,
}

#[derive(Debug, Deserialize)]
struct Node {
    message: Option<Message>,
    parent: Option<String>,
    #[serde(default)]
    children: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Message {
    id: Option<String>,
    #[serde(default)]
    author: Author,
    create_time: Option<f64>,
    #[serde(default)]
    content: Value,
    weight: Option<f64>,
    recipient: Option<String>,
    #[serde(default)]
    metadata: Value,
}

#[derive(Debug, Default, Deserialize)]
struct Author {
    #[serde(default)]
    role: String,
    name: Option<String>,
}

/// Imports what is at a path, or from stdin for `-`.
pub(crate) async fn run(
    sender: &mut Sender,
    path: &Path,
    project: Option<&str>,
    output: &Output,
) -> Result<(), Failure> {
    if path == Path::new("-") {
        sender.report.sources += 1;
        let mut progress = Progress::new(output, Unit::Bytes, 0);
        let document = Elements::new(std::io::stdin().lock(), CONVERSATION);
        conversations(sender, document, ("stdin", project), &mut progress).await?;
        progress.finish();
        return Ok(());
    }
    let (paths, problems) = files(path, |path| {
        is_wanted(&path.file_name().unwrap_or_default().to_string_lossy())
    });
    for (path, why) in problems {
        sender.report.unreadable(&path.display().to_string(), why);
    }
    if paths.is_empty() && sender.report.unreadable.is_empty() {
        let why = "it has no conversations.json in it";
        sender.report.unreadable(&path.display().to_string(), why);
    }
    let sizes = paths.iter().filter_map(|path| path.metadata().ok());
    let mut progress = Progress::new(output, Unit::Bytes, sizes.map(|facts| facts.len()).sum());
    for path in paths {
        sender.report.sources += 1;
        let name = path.display().to_string();
        progress.name(&path.file_name().unwrap_or_default().to_string_lossy());
        let opened = File::open(&path).and_then(|mut file| {
            let is_zip = is_zip(&mut file)?;
            Ok((file, is_zip))
        });
        match opened {
            Ok((file, true)) => archived(sender, file, (&name, project), &mut progress).await?,
            Ok((file, false)) => {
                let document = Elements::new(file, CONVERSATION);
                conversations(sender, document, (&name, project), &mut progress).await?;
            }
            Err(error) => sender.report.unreadable(&name, error.to_string()),
        }
    }
    progress.finish();
    Ok(())
}

/// Whether a file's name is that of conversations, or of a part of them.
fn is_wanted(name: &str) -> bool {
    let part = name.strip_prefix("conversations");
    part.and_then(|part| part.strip_suffix(".json")).is_some()
}

/// The conversations of an archive, as it was downloaded.
async fn archived(
    sender: &mut Sender,
    file: File,
    (name, project): (&str, Option<&str>),
    progress: &mut Progress<'_>,
) -> Result<(), Failure> {
    let fits = |path: &str| path.rsplit('/').next().is_some_and(is_wanted);
    let mut archive = match Archive::open(file, fits) {
        Ok(archive) => archive,
        Err(error) => {
            sender.report.unreadable(name, error.to_string());
            return Ok(());
        }
    };
    let members = archive.members();
    if members.is_empty() {
        let why = "no conversations.json is in this archive".to_owned();
        sender.report.unreadable(name, why);
    }
    let sizes = members.iter().map(|member| member.bytes);
    progress.of(sizes.fold(0, u64::saturating_add));
    for member in members {
        let name = format!("{name}/{}", member.name);
        match archive.read(&member) {
            Ok(unpacked) => {
                let document = Elements::new(unpacked, CONVERSATION);
                conversations(sender, document, (&name, project), progress).await?;
            }
            Err(error) => sender.report.unreadable(&name, error.to_string()),
        }
    }
    Ok(())
}

async fn conversations<R: Read>(
    sender: &mut Sender,
    mut document: Elements<R>,
    (name, project): (&str, Option<&str>),
    progress: &mut Progress<'_>,
) -> Result<(), Failure> {
    let mut before = 0;
    loop {
        let element = match document.next() {
            Ok(Some(element)) => element,
            Ok(None) => return Ok(()),
            Err(broken) => {
                sender.report.unreadable(name, broken.to_string());
                return Ok(());
            }
        };
        progress.advance(element.end - before);
        before = element.end;
        let Some(bytes) = element.bytes else {
            let why = format!("a conversation of more than {} MiB", CONVERSATION >> 20);
            sender.report.fail(name, element.number, why);
            continue;
        };
        match serde_json::from_slice::<Conversation>(bytes) {
            Ok(conversation) => {
                let version = format!("{VERSION}:{:016x}", fingerprint(bytes));
                one(sender, conversation, (element.number, version), project).await?;
            }
            Err(error) => {
                let why = json_problem(&error);
                sender.report.fail(name, element.number, why);
            }
        }
    }
}

async fn one(
    sender: &mut Sender,
    conversation: Conversation,
    (number, version): (u64, String),
    project: Option<&str>,
) -> Result<(), Failure> {
    let named = conversation.other_id.as_ref().or(conversation.id.as_ref());
    let Some(id) = named.cloned() else {
        sender.report.skip("conversation without an id");
        return Ok(());
    };
    sender.report.conversations += 1;
    let source = source_name(Harness::ChatGpt.as_str(), &id);
    if sender.cursor(&source).await?.as_deref() == Some(version.as_str()) {
        sender.report.unchanged += 1;
        return Ok(());
    }
    let session = SessionRef {
        harness: Harness::ChatGpt.as_str().into(),
        external_id: clip::client_key(id),
        title: conversation.title.as_deref().and_then(clip::title),
        project: project.map(str::to_owned),
        cwd: None,
    };
    let found = read(conversation);
    for reason in &found.skipped {
        sender.report.skip(reason);
    }
    sender.report.cut += found.cut;
    let mut batcher = Batcher::new(None);
    let mut session_id = None;
    let full = batcher.add(number, found.turns, version);
    for batch in full.into_iter().chain(batcher.finish()) {
        session_id = sender.send(&session, batch, &source).await?.or(session_id);
    }
    if let Some(id) = session_id {
        sender.end(&id).await?;
    }
    Ok(())
}

/// The turns of the way that the conversation went, oldest first.
fn read(mut conversation: Conversation) -> Found {
    let mut found = Found::default();
    let begun = conversation.create_time;
    let (way, loops) = way(&conversation);
    if loops {
        found.skip("messages in a circle");
    }
    let messages = conversation.mapping.values();
    let all = messages.filter(|node| node.message.is_some()).count();
    let mut last = begun;
    let mut taken = 0;
    for key in way {
        let Some(message) = conversation
            .mapping
            .get_mut(&key)
            .and_then(|node| node.message.take())
        else {
            continue;
        };
        taken += 1;
        last = message.create_time.or(last);
        turn(key, message, instant(last), &mut found);
    }
    for _ in taken..all {
        found.skip("another way of the conversation");
    }
    found
}

/// From the root to the current node; to the newest end where none is named. `true` for a circle.
fn way(conversation: &Conversation) -> (Vec<String>, bool) {
    let nodes = &conversation.mapping;
    let named = conversation.current_node.as_ref();
    let time = |node: &Node| {
        node.message
            .as_ref()
            .and_then(|message| message.create_time)
    };
    let newest = || {
        let ends = nodes.iter().filter(|(_, node)| node.children.is_empty());
        ends.max_by(|(_, a), (_, b)| {
            time(a)
                .partial_cmp(&time(b))
                .unwrap_or(std::cmp::Ordering::Equal)
        })
        .map(|(key, _)| key)
    };
    let mut here = named.filter(|key| nodes.contains_key(*key)).or_else(newest);
    let (mut way, mut seen) = (Vec::new(), HashSet::new());
    while let Some(key) = here {
        if !seen.insert(key) {
            way.reverse();
            return (way, true);
        }
        way.push(key.clone());
        here = nodes
            .get(key)
            .and_then(|node| node.parent.as_ref())
            .filter(|key| nodes.contains_key(*key));
    }
    way.reverse();
    (way, false)
}

fn turn(key: String, message: Message, at: Instant, found: &mut Found) {
    let hidden = &message.metadata["is_visually_hidden_from_conversation"];
    if message.weight == Some(0.0) || hidden == &Value::Bool(true) {
        return found.skip("hidden");
    }
    let kind = message.content["content_type"]
        .as_str()
        .unwrap_or("text")
        .to_owned();
    let called = message.recipient.as_deref().filter(|to| *to != "all");
    let (role, tool) = match (message.author.role.as_str(), called) {
        ("user", _) => (TurnRole::User, None),
        ("assistant", Some(tool)) => (TurnRole::ToolCall, Some(tool.to_owned())),
        ("assistant", None) => (TurnRole::Assistant, None),
        ("tool", _) => (
            TurnRole::ToolResult,
            Some(message.author.name.unwrap_or_else(|| "tool".into())),
        ),
        _ => return found.skip("message of the harness"),
    };
    let text = match kind.as_str() {
        "thoughts" | "reasoning_recap" => return found.skip("thinking"),
        "user_editable_context" | "model_editable_context" => {
            return found.skip("message of the harness");
        }
        _ => text_of(&message.content, found),
    };
    if text.trim().is_empty() {
        return found.skip("empty");
    }
    let id = message.id.unwrap_or(key);
    let turn = spoken(id, role, at, text, Branch::Main);
    found.turn(TurnInput { tool, ..turn });
}

/// What a message says; pictures, sounds and files are counted and left out.
fn text_of(content: &Value, found: &mut Found) -> String {
    if let Some(parts) = content["parts"].as_array() {
        let mut texts = Vec::new();
        for part in parts {
            match part.as_str().or_else(|| part["text"].as_str()) {
                Some(text) => texts.push(text),
                None => found.skip("picture, sound or file"),
            }
        }
        return texts.join("\n");
    }
    let one = ["text", "result"]
        .iter()
        .find_map(|field| content[*field].as_str());
    one.unwrap_or_default().to_owned()
}

/// Seconds since 1970, to the microsecond; beyond what a time can be, 1970.
fn instant(seconds: Option<f64>) -> Instant {
    let seconds = seconds
        .filter(|seconds| seconds.abs() < 1e11)
        .unwrap_or_default();
    Instant(Timestamp::from_micros((seconds * 1e6).round() as i64))
}

const _: () = assert!(CONVERSATION > Limits::TURN_BODY);

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{instant, read};

    #[test]
    fn a_circle_ends_and_a_missing_end_is_found() {
        let message = |text: &str, at: u32| {
            json!({ "author": { "role": "user" }, "create_time": at,
                "content": { "content_type": "text", "parts": [text] } })
        };
        let circle = json!({ "id": "c", "current_node": "b", "mapping": {
            "a": { "message": message("one", 1), "parent": "b" },
            "b": { "message": message("two", 2), "parent": "a" } } });
        let found = read(serde_json::from_value(circle).unwrap());
        assert_eq!(found.turns.len(), 2);
        assert_eq!(found.skipped, ["messages in a circle"]);
        let unnamed = json!({ "id": "c", "mapping": {
            "r": { "message": null, "parent": null, "children": ["a", "b"] },
            "a": { "message": message("old", 1), "parent": "r" },
            "b": { "message": message("new", 2), "parent": "r" } } });
        let found = read(serde_json::from_value(unnamed).unwrap());
        assert_eq!(found.turns[0].text, "new");
        assert_eq!(found.skipped, ["another way of the conversation"]);
    }

    #[test]
    fn times_beyond_time_are_none() {
        assert_eq!(instant(Some(1.5)).to_string(), "1970-01-01T00:00:01.5Z");
        for seconds in [None, Some(f64::MAX), Some(f64::INFINITY), Some(-1e300)] {
            assert_eq!(instant(seconds).to_string(), "1970-01-01T00:00:00Z");
        }
    }
}
