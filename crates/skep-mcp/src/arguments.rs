//! What tools take.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

/// `memory_search`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Search {
    /// What you want to know, in words: a question, or names and terms that the answer would have.
    #[schemars(length(min = 1, max = 4096))]
    pub(crate) query: String,
    /// Memories wanted, best first; 8 if left out.
    #[serde(default)]
    #[schemars(range(min = 1, max = 20))]
    pub(crate) limit: Option<u32>,
    /// Only memories of this project. Leave it out to search all that you may read.
    #[serde(default)]
    pub(crate) project: Option<String>,
    /// Only these kinds: fact, decision, convention, preference, gotcha, reference, procedure.
    #[serde(default)]
    pub(crate) kinds: Vec<String>,
    /// Answer as of then, such as 2026-01-31T00:00:00Z: what was known and held at that moment.
    #[serde(default)]
    pub(crate) as_of: Option<String>,
    /// Give whole statements instead of one line each; `memory_get` gives single ones in full.
    #[serde(default)]
    pub(crate) full: bool,
}

/// `memory_get`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Get {
    /// The memory, mem_…, as a search or the timeline shows it.
    pub(crate) id: String,
    /// Also give the turns of the conversation that it was learned from.
    #[serde(default)]
    pub(crate) turns: bool,
}

/// `memory_store`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Store {
    /// One statement that stands on its own: what holds, and why. Name files, symbols, versions.
    #[schemars(length(min = 1, max = 16384))]
    pub(crate) text: String,
    /// What sort of statement; fact if left out.
    #[serde(default)]
    #[schemars(extend("enum" = ["fact", "decision", "convention", "preference", "gotcha", "reference", "procedure"]))]
    pub(crate) kind: Option<String>,
    /// The project that it is about; usually the name of the repository's folder.
    #[serde(default)]
    pub(crate) project: Option<String>,
    /// Who may read it: workspace (everybody here, if left out), own (this agent), private.
    #[serde(default)]
    #[schemars(extend("enum" = ["workspace", "own", "private"]))]
    pub(crate) visibility: Option<String>,
}

/// `memory_forget`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Forget {
    /// The memory, mem_….
    pub(crate) id: String,
    /// Why it should not be recalled any more; it is kept in the memory's history.
    #[schemars(length(min = 1, max = 1024))]
    pub(crate) reason: String,
}

/// `memory_timeline`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Timeline {
    /// A memory, mem_…: every version of it and what took its place, the earliest first. Leave it out
    /// for what was learned last, newest first.
    #[serde(default)]
    pub(crate) id: Option<String>,
    /// Only this kind.
    #[serde(default)]
    #[schemars(extend("enum" = ["fact", "decision", "convention", "preference", "gotcha", "reference", "procedure"]))]
    pub(crate) kind: Option<String>,
    /// As it was known then, such as 2026-01-31T00:00:00Z.
    #[serde(default)]
    pub(crate) as_of: Option<String>,
    /// Lines wanted; 20 if left out.
    #[serde(default)]
    #[schemars(range(min = 1, max = 50))]
    pub(crate) limit: Option<u32>,
    /// `next` of the answer before, for what is older.
    #[serde(default)]
    pub(crate) cursor: Option<String>,
}

/// `session_context`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Earlier {
    /// A session, ses_…: what came of it and its last turns. Leave it out for the list of sessions,
    /// newest first.
    #[serde(default)]
    pub(crate) session: Option<String>,
    /// Tokens that the turns may take; 2000 if left out.
    #[serde(default)]
    #[schemars(range(min = 100, max = 8000))]
    pub(crate) tokens: Option<u32>,
    /// Sessions wanted in the list; 10 if left out.
    #[serde(default)]
    #[schemars(range(min = 1, max = 50))]
    pub(crate) limit: Option<u32>,
}

/// `secret_use`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UseSecret {
    /// The name of a template, as `secret_list` shows it.
    #[serde(default)]
    pub(crate) template: Option<String>,
    /// What is filled in, by the names of its parameters.
    #[serde(default)]
    pub(crate) arguments: BTreeMap<String, String>,
    /// An earlier run, exe_…, to look at again instead of starting one.
    #[serde(default)]
    pub(crate) run: Option<String>,
    /// Seconds to wait for its end; 60 if left out.
    #[serde(default)]
    #[schemars(range(min = 0, max = 300))]
    pub(crate) wait_seconds: Option<u32>,
}

/// `memory_update`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Update {
    /// The memory, mem_….
    pub(crate) id: String,
    /// The statement as it should read from now on; the version before stays in the history.
    #[schemars(length(min = 1, max = 16384))]
    pub(crate) text: String,
    /// Why it changes.
    #[schemars(length(min = 1, max = 1024))]
    pub(crate) reason: String,
}

/// `memory_conflicts`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Conflicts {
    /// Pairs wanted; 10 if left out.
    #[serde(default)]
    #[schemars(range(min = 1, max = 50))]
    pub(crate) limit: Option<u32>,
}

/// `name_relations`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Name {
    /// A file, a symbol, an error code, a command, a service, as memories write it.
    #[schemars(length(min = 1, max = 1024))]
    pub(crate) name: String,
}

/// `whoami`, `secret_list`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

/// `search`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Query {
    /// What to look for.
    #[schemars(length(min = 1, max = 4096))]
    pub(crate) query: String,
}

/// `fetch`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fetch {
    /// An id that search gave.
    pub(crate) id: String,
}

/// `memory`, as it comes: one flat object, since some clients take no choice between several.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CommandInput {
    /// What to do.
    #[schemars(extend("enum" = ["view", "create", "str_replace", "insert", "delete", "rename"]))]
    command: String,
    /// view, create, `str_replace`, insert, delete: the file, such as /memories/notes.txt; to view or delete,
    /// also a directory.
    #[serde(default)]
    path: Option<String>,
    /// view, for a file: first and last line wanted, counted from 1; -1 is the last.
    #[serde(default)]
    #[schemars(length(min = 2, max = 2))]
    view_range: Option<Vec<i64>>,
    /// create: what stands in the file, at most 16 KiB.
    #[serde(default)]
    file_text: Option<String>,
    /// `str_replace`: what stands in the file exactly once.
    #[serde(default)]
    old_str: Option<String>,
    /// `str_replace`: what takes its place.
    #[serde(default)]
    new_str: Option<String>,
    /// insert: the line after which; 0 for the beginning.
    #[serde(default)]
    insert_line: Option<i64>,
    /// insert: the lines that are added.
    #[serde(default)]
    insert_text: Option<String>,
    /// rename: what is renamed, a file or a directory.
    #[serde(default)]
    old_path: Option<String>,
    /// rename: its new path.
    #[serde(default)]
    new_path: Option<String>,
}

/// One command with what belongs to it.
pub(crate) enum Command {
    View {
        path: String,
        view_range: Option<Vec<i64>>,
    },
    Create {
        path: String,
        file_text: String,
    },
    StrReplace {
        path: String,
        old_str: String,
        new_str: String,
    },
    Insert {
        path: String,
        insert_line: i64,
        insert_text: String,
    },
    Delete {
        path: String,
    },
    Rename {
        old_path: String,
        new_path: String,
    },
}

impl CommandInput {
    /// The command with its own fields: none missing, and none of another's.
    pub(crate) fn command(mut self) -> Result<Command, String> {
        let name = std::mem::take(&mut self.command);
        let need = |field: &str| format!("Error: {name} needs {field}");
        let command = match name.as_str() {
            "view" => Command::View {
                path: self.path.take().ok_or_else(|| need("path"))?,
                view_range: self.view_range.take(),
            },
            "create" => Command::Create {
                path: self.path.take().ok_or_else(|| need("path"))?,
                file_text: self.file_text.take().ok_or_else(|| need("file_text"))?,
            },
            "str_replace" => Command::StrReplace {
                path: self.path.take().ok_or_else(|| need("path"))?,
                old_str: self.old_str.take().ok_or_else(|| need("old_str"))?,
                new_str: self.new_str.take().ok_or_else(|| need("new_str"))?,
            },
            "insert" => Command::Insert {
                path: self.path.take().ok_or_else(|| need("path"))?,
                insert_line: self.insert_line.take().ok_or_else(|| need("insert_line"))?,
                insert_text: self.insert_text.take().ok_or_else(|| need("insert_text"))?,
            },
            "delete" => Command::Delete {
                path: self.path.take().ok_or_else(|| need("path"))?,
            },
            "rename" => Command::Rename {
                old_path: self.old_path.take().ok_or_else(|| need("old_path"))?,
                new_path: self.new_path.take().ok_or_else(|| need("new_path"))?,
            },
            _ => {
                return Err(
                    "Error: command is one of view, create, str_replace, insert, delete, rename"
                        .into(),
                );
            }
        };
        match self.left() {
            Some(field) => Err(format!("Error: {name} takes no {field}")),
            None => Ok(command),
        }
    }

    /// A field that the command had no use for.
    fn left(&self) -> Option<&'static str> {
        let texts = [
            ("path", &self.path),
            ("file_text", &self.file_text),
            ("old_str", &self.old_str),
            ("new_str", &self.new_str),
            ("insert_text", &self.insert_text),
            ("old_path", &self.old_path),
            ("new_path", &self.new_path),
        ];
        let text = texts.iter().find(|(_, text)| text.is_some());
        let text = text.map(|(name, _)| *name);
        text.or(self.view_range.as_ref().map(|_| "view_range"))
            .or(self.insert_line.map(|_| "insert_line"))
    }
}
