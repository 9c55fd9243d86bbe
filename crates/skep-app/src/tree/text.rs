//! What stands in the files: a memory with its front matter, and the index of everything.

use std::fmt::Write as _;

use skep_domain::{MemoryId, SessionId, Timestamp};
use skep_store::Memory;

/// How ids and times are written where the tree is shown.
pub trait Wording: Send + Sync {
    /// The text of a memory's id.
    fn memory(&self, id: MemoryId) -> String;
    /// The text of a session's id.
    fn session(&self, id: SessionId) -> String;
    /// A time, which begins with its day and a `T`.
    fn time(&self, at: Timestamp) -> String;
    /// The id that a text is of, if it is one of this workspace.
    fn parse(&self, text: &str) -> Option<MemoryId>;
}

/// The day of a time, in UTC.
pub(super) fn day(wording: &dyn Wording, at: Timestamp) -> String {
    let time = wording.time(at);
    time.split('T').next().unwrap_or_default().to_owned()
}

/// A memory as a Markdown file. What comes from users stands in quotes, in which YAML reads what JSON does.
pub(super) fn file(wording: &dyn Wording, memory: &Memory) -> String {
    let mut text = String::with_capacity(memory.body.text.len() + 512);
    text.push_str("---\n");
    let mut field = |name: &str, value: &str| {
        // Writing to a String cannot fail.
        let _infallible = writeln!(text, "{name}: {value}");
    };
    field("id", &wording.memory(memory.id));
    field("kind", memory.kind.as_str());
    field("trust", memory.trust.as_str());
    if let Some(project) = &memory.project {
        field("project", &quoted(project));
    }
    if let Some(path) = &memory.body.path {
        field("path", &quoted(path.as_str()));
    }
    field("visibility", memory.visibility.as_str());
    field("valid_from", &wording.time(memory.validity.from));
    if let Some(to) = memory.validity.to {
        field("valid_to", &wording.time(to));
    }
    field("recorded_at", &wording.time(memory.validity.recorded));
    field("from", memory.harness.as_str());
    field("derived_by", memory.body.derived_by.as_str());
    if let Some(session) = memory.session {
        field("session", &wording.session(session));
    }
    if !memory.body.references.is_empty() {
        let references: Vec<String> = memory
            .body
            .references
            .iter()
            .map(|one| quoted(one))
            .collect();
        field("references", &format!("[{}]", references.join(", ")));
    }
    text.push_str("---\n\n");
    text.push_str(memory.body.text.trim_end_matches('\n'));
    text.push('\n');
    text
}

/// In double quotes, on one line, with nothing in it that a terminal or a reader of YAML acts on.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        let _infallible = match c {
            '"' | '\\' => write!(out, "\\{c}"),
            '\n' => write!(out, "\\n"),
            '\t' => write!(out, "\\t"),
            _ if c.is_control()
                || matches!(u32::from(c), 0x2028..=0x202e | 0x2066..=0x2069 | 0xfeff) =>
            {
                write!(out, "\\u{:04x}", u32::from(c))
            }
            _ => write!(out, "{c}"),
        };
    }
    out.push('"');
    out
}

/// What the index tells of a folder.
#[derive(Debug, Default)]
pub(super) struct Counted {
    pub(super) name: String,
    pub(super) path: String,
    pub(super) memories: u64,
}

/// What the index tells.
#[derive(Debug, Default)]
pub(super) struct Overview {
    pub(super) memories: u64,
    /// Not all were counted.
    pub(super) partial: bool,
    pub(super) kinds: Vec<Counted>,
    /// The most filled, and how many there are.
    pub(super) projects: (Vec<Counted>, usize),
    /// The newest, and how many there are.
    pub(super) days: (Vec<Counted>, usize),
    /// Day, key line, path and kind.
    pub(super) newest: Vec<[String; 4]>,
}

/// The file at the top of the tree.
pub(super) fn index(of: &Overview) -> String {
    let mut text = String::from("# Memories\n\n");
    let newest = if of.partial { "of the newest " } else { "" };
    let _infallible = writeln!(
        text,
        "What is remembered here that you may read: {newest}{} memories. One file is one memory. The same\n\
         files stand by project, by day and by kind.\n",
        of.memories
    );
    section(&mut text, "By kind", "/kinds", &of.kinds, of.kinds.len());
    section(
        &mut text,
        "By project",
        "/projects",
        &of.projects.0,
        of.projects.1,
    );
    section(&mut text, "By day", "/days", &of.days.0, of.days.1);
    if !of.newest.is_empty() {
        text.push_str("## Newest\n\n");
        for [day, key, path, kind] in &of.newest {
            let _infallible = writeln!(text, "- {day} {kind}: [{}]({path})", escaped(key));
        }
    }
    text
}

fn section(text: &mut String, title: &str, path: &str, folders: &[Counted], all: usize) {
    if folders.is_empty() {
        return;
    }
    let _infallible = writeln!(text, "## {title}\n");
    for folder in folders {
        let name = escaped(&folder.name);
        let _infallible = writeln!(text, "- [{name}]({}): {}", folder.path, folder.memories);
    }
    if all > folders.len() {
        let _infallible = writeln!(text, "- {} more in {path}", all - folders.len());
    }
    text.push('\n');
}

/// One line of plain text in Markdown.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            _ if c.is_control() => out.push(' '),
            '\\' | '[' | ']' | '`' | '<' | '>' | '*' | '_' => {
                out.push('\\');
                out.push(c);
            }
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

    use super::{escaped, quoted};

    proptest! {
        #[test]
        fn m01_what_is_quoted_stays_on_its_line_and_reads_back(text in any::<String>()) {
            let quoted = quoted(&text);
            let ends_a_line = quoted.contains(['\n', '\r', '\u{2028}', '\u{85}']);
            prop_assert!(!ends_a_line);
            prop_assert_eq!(serde_json::from_str::<String>(&quoted).unwrap(), text);
        }

        #[test]
        fn m01_a_line_of_the_index_stays_one(text in any::<String>()) {
            let ends_a_line = escaped(&text).contains(['\n', '\r', '\u{85}']);
            prop_assert!(!ends_a_line);
        }
    }
}
