//! Entries of our own among others in a harness's configuration. Whatever is there keeps its bytes:
//! comments, order, indents.

use std::fmt;

use jsonc_parser::cst::{CstArray, CstInputValue, CstNode, CstObject, CstRootNode};
use jsonc_parser::{ParseOptions, json};

/// Where a harness puts the command of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// `{"matcher": …, "hooks": [{"type": "command", "command": …}]}`
    Grouped,
    /// `{"command": …}`, in a file that has a version.
    Flat,
}

/// One entry.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) event: &'static str,
    pub(crate) command: String,
    pub(crate) timeout: u32,
    pub(crate) matcher: Option<&'static str>,
}

/// Why a file is left as it is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum EditError {
    /// It cannot be read as JSON.
    Unreadable(String),
    /// Something of this name is there and is not what a harness expects.
    Shape(String),
}

/// A text with our entries, and what had to be made for them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Edited {
    pub(crate) text: String,
    /// Events whose list was not there.
    pub(crate) made: Vec<String>,
    /// Nothing of the kind was there at all.
    pub(crate) made_hooks: bool,
}

impl fmt::Display for EditError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(why) => write!(f, "it is not JSON: {why}"),
            Self::Shape(what) => write!(f, "`{what}` is not what the harness expects there"),
        }
    }
}

/// The text with these entries, each once and as it should be, and no other of ours.
pub(crate) fn with(
    text: &str,
    shape: Shape,
    entries: &[Entry],
    is_ours: &dyn Fn(&str) -> bool,
) -> Result<Edited, EditError> {
    let root = parse(text)?;
    let object = match root.value() {
        None => root.object_value_or_set(),
        Some(_) => root
            .object_value()
            .ok_or_else(|| EditError::Shape("the whole file".into()))?,
    };
    if shape == Shape::Flat && object.get("version").is_none() {
        object.append("version", json!(1));
    }
    let made_hooks = object.get("hooks").is_none();
    let hooks = object
        .object_value_or_create("hooks")
        .ok_or_else(|| EditError::Shape("hooks".into()))?;
    for (event, list) in lists(&hooks) {
        if entries.iter().all(|entry| entry.event != event) {
            take_out(&list, is_ours);
        }
    }
    let mut made = Vec::new();
    for entry in entries {
        if hooks.get(entry.event).is_none() {
            made.push(entry.event.to_owned());
        }
        let list = hooks
            .array_value_or_create(entry.event)
            .ok_or_else(|| EditError::Shape(format!("hooks.{}", entry.event)))?;
        put(&list, shape, entry, is_ours);
    }
    Ok(Edited {
        text: root.to_string(),
        made,
        made_hooks,
    })
}

/// The text without any entry of ours; and without the lists that were made for them, where nobody
/// else put something in.
pub(crate) fn without(
    text: &str,
    made: &[String],
    made_hooks: bool,
    is_ours: &dyn Fn(&str) -> bool,
) -> Result<String, EditError> {
    let root = parse(text)?;
    let Some(hooks) = root
        .object_value()
        .and_then(|all| all.object_value("hooks"))
    else {
        return Ok(text.to_owned());
    };
    for (event, list) in lists(&hooks) {
        take_out(&list, is_ours);
        if list.elements().is_empty() && made.contains(&event) {
            remove(&hooks, &event);
        }
    }
    if made_hooks
        && hooks.properties().is_empty()
        && let Some(object) = root.object_value()
    {
        remove(&object, "hooks");
    }
    Ok(root.to_string())
}

/// Whether nothing is in it but what a new file begins with.
pub(crate) fn is_bare(text: &str) -> bool {
    let Ok(root) = parse(text) else { return false };
    let bare = |all: CstObject| {
        let mut properties = all.properties().into_iter();
        properties.all(|one| {
            one.name()
                .and_then(|name| name.decoded_value().ok())
                .is_some_and(|name| name == "version")
        })
    };
    root.object_value().is_none_or(bare)
}

/// Every event that has an entry of ours.
pub(crate) fn ours(text: &str, is_ours: &dyn Fn(&str) -> bool) -> Result<Vec<String>, EditError> {
    let root = parse(text)?;
    let hooks = root
        .object_value()
        .and_then(|all| all.object_value("hooks"));
    let all = hooks.map(|hooks| lists(&hooks)).unwrap_or_default();
    let has = |list: &CstArray| list.elements().iter().any(|one| holds(one, is_ours));
    let with = all.into_iter().filter(|(_, list)| has(list));
    Ok(with.map(|(event, _)| event).collect())
}

fn parse(text: &str) -> Result<CstRootNode, EditError> {
    CstRootNode::parse(text, &ParseOptions::default())
        .map_err(|error| EditError::Unreadable(error.to_string()))
}

fn lists(hooks: &CstObject) -> Vec<(String, CstArray)> {
    let named = |one: jsonc_parser::cst::CstObjectProp| {
        let name = one.name()?.decoded_value().ok()?;
        Some((name, one.value()?.as_array()?))
    };
    hooks.properties().into_iter().filter_map(named).collect()
}

fn remove(object: &CstObject, name: &str) {
    if let Some(property) = object.get(name) {
        property.remove();
    }
}

/// Puts an entry at the end, unless it stands there already.
fn put(list: &CstArray, shape: Shape, entry: &Entry, is_ours: &dyn Fn(&str) -> bool) {
    let value = value(shape, entry);
    let elements = list.elements();
    let found: Vec<&CstNode> = elements.iter().filter(|one| holds(one, is_ours)).collect();
    if let [one] = found[..]
        && one.to_serde_value() == plain(&value)
    {
        return;
    }
    take_out(list, is_ours);
    list.append(value);
}

/// Takes ours out of a list, and the groups that had nothing else.
fn take_out(list: &CstArray, is_ours: &dyn Fn(&str) -> bool) {
    for element in list.elements() {
        if !holds(&element, is_ours) {
            continue;
        }
        let inner = element.as_object().and_then(|one| one.array_value("hooks"));
        if let Some(inner) = inner {
            for one in inner.elements() {
                if is_command(&one, is_ours) {
                    one.remove();
                }
            }
            if !inner.elements().is_empty() {
                continue;
            }
        }
        element.remove();
    }
}

/// Whether an element of a list has a command of ours, in a group or by itself.
fn holds(element: &CstNode, is_ours: &dyn Fn(&str) -> bool) -> bool {
    let inner = element.as_object().and_then(|one| one.array_value("hooks"));
    let in_group = inner.is_some_and(|inner| {
        let mut all = inner.elements().into_iter();
        all.any(|one| is_command(&one, is_ours))
    });
    in_group || is_command(element, is_ours)
}

fn is_command(node: &CstNode, is_ours: &dyn Fn(&str) -> bool) -> bool {
    let command = node
        .as_object()
        .and_then(|one| one.get("command"))
        .and_then(|property| property.value())
        .and_then(|value| value.as_string_lit())
        .and_then(|text| text.decoded_value().ok());
    command.is_some_and(|command| is_ours(&command))
}

fn value(shape: Shape, entry: &Entry) -> CstInputValue {
    let Entry {
        command, timeout, ..
    } = entry;
    let timeout = f64::from(*timeout);
    let command = command.as_str();
    match (shape, entry.matcher) {
        (Shape::Flat, _) => json!({ "command": command, "timeout": timeout }),
        (Shape::Grouped, None) => json!({
            "hooks": [{ "type": "command", "command": command, "timeout": timeout }]
        }),
        (Shape::Grouped, Some(matcher)) => json!({
            "matcher": matcher,
            "hooks": [{ "type": "command", "command": command, "timeout": timeout }]
        }),
    }
}

/// As it would be read.
fn plain(value: &CstInputValue) -> Option<serde_json::Value> {
    let alone = CstRootNode::parse("", &ParseOptions::default()).ok()?;
    alone.set_value(value.clone());
    alone.to_serde_value()
}

#[cfg(test)]
mod tests;
