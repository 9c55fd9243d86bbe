//! `skep mcp` among the servers of tools that a harness starts. Whatever is there keeps its bytes.

use std::path::Path;

use jsonc_parser::cst::{CstInputValue, CstObject, CstRootNode};
use jsonc_parser::{ParseOptions, json};
use toml_edit::{Array, DocumentMut, Item, Table, TableLike, value};

use super::edit::EditError;

/// How a harness writes its servers down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// `"mcpServers": {"skep": {"command": …, "args": ["mcp"]}}`
    Servers,
    /// `"mcp": {"skep": {"type": "local", "command": […, "mcp"], "enabled": true}}`
    Local,
    /// `[mcp_servers.skep]` with `command` and `args`.
    Toml,
}

/// The name under which it stands there, and that its tools carry.
const NAME: &str = "skep";
const VERB: &str = "mcp";
const TABLE: &str = "mcp_servers";

impl Form {
    /// Where the servers are.
    pub(crate) const fn key(self) -> &'static str {
        match self {
            Self::Servers => "mcpServers",
            Self::Local => "mcp",
            Self::Toml => TABLE,
        }
    }

    /// The text with our server, and whether the place for servers had to be made.
    pub(crate) fn with(self, text: &str, program: &Path) -> Result<(String, bool), EditError> {
        let program = program.to_string_lossy();
        match self {
            Self::Toml => with_table(text, &program),
            Self::Servers | Self::Local => self.with_object(text, &program),
        }
    }

    /// The text without it, and without the place that was made for it, if nobody else is in there.
    pub(crate) fn without(self, text: &str, was_made: bool) -> Result<String, EditError> {
        match self {
            Self::Toml => without_table(text, was_made),
            Self::Servers | Self::Local => self.without_object(text, was_made),
        }
    }

    /// Whether our server is there, by whatever path.
    pub(crate) fn is_in(self, text: &str) -> Result<bool, EditError> {
        match self {
            Self::Toml => {
                let document = document(text)?;
                Ok(table(&document).is_some_and(is_our_table))
            }
            Self::Servers | Self::Local => {
                let root = parse(text)?;
                Ok(self
                    .servers(&root)
                    .is_some_and(|servers| self.is_ours(&servers)))
            }
        }
    }

    /// Whether nothing is in it.
    pub(crate) fn is_bare(self, text: &str) -> bool {
        match self {
            Self::Toml => text.trim().is_empty(),
            Self::Servers | Self::Local => super::edit::is_bare(text),
        }
    }

    fn with_object(self, text: &str, program: &str) -> Result<(String, bool), EditError> {
        let root = parse(text)?;
        let object = match root.value() {
            None => root.object_value_or_set(),
            Some(_) => root
                .object_value()
                .ok_or_else(|| EditError::Shape("the whole file".into()))?,
        };
        let was_made = object.get(self.key()).is_none();
        let servers = object
            .object_value_or_create(self.key())
            .ok_or_else(|| EditError::Shape(self.key().into()))?;
        let entry = self.entry(program);
        match servers.get(NAME) {
            None => {
                servers.append(NAME, entry);
            }
            Some(_) if !self.is_ours(&servers) => return Err(self.foreign()),
            Some(property) => {
                let now = property.value().and_then(|value| value.to_serde_value());
                if now != plain(&entry) {
                    property.set_value(entry);
                }
            }
        }
        Ok((root.to_string(), was_made))
    }

    fn without_object(self, text: &str, was_made: bool) -> Result<String, EditError> {
        let root = parse(text)?;
        let Some(servers) = self.servers(&root) else {
            return Ok(text.to_owned());
        };
        if self.is_ours(&servers)
            && let Some(property) = servers.get(NAME)
        {
            property.remove();
        }
        if was_made
            && servers.properties().is_empty()
            && let Some(property) = root.object_value().and_then(|all| all.get(self.key()))
        {
            property.remove();
        }
        Ok(root.to_string())
    }

    fn servers(self, root: &CstRootNode) -> Option<CstObject> {
        root.object_value()?.object_value(self.key())
    }

    /// Whether the server of our name runs `skep mcp`.
    fn is_ours(self, servers: &CstObject) -> bool {
        let entry = servers.get(NAME).and_then(|property| property.value());
        let Some(entry) = entry.and_then(|entry| entry.to_serde_value()) else {
            return false;
        };
        let words: Vec<&str> = match self {
            Self::Local => texts(&entry["command"]),
            Self::Servers | Self::Toml => {
                let program = entry["command"].as_str();
                program.into_iter().chain(texts(&entry["args"])).collect()
            }
        };
        runs_us(&words)
    }

    fn entry(self, program: &str) -> CstInputValue {
        match self {
            Self::Local => json!({ "type": "local", "command": [program, VERB], "enabled": true }),
            Self::Servers | Self::Toml => json!({ "command": program, "args": [VERB] }),
        }
    }

    fn foreign(self) -> EditError {
        EditError::Shape(format!("{}.{NAME}", self.key()))
    }
}

fn with_table(text: &str, program: &str) -> Result<(String, bool), EditError> {
    let mut document = document(text)?;
    let was_made = !document.contains_key(TABLE);
    if table(&document).is_some_and(|entry| !is_our_table(entry)) {
        return Err(Form::Toml.foreign());
    }
    let servers = document
        .entry(TABLE)
        .or_insert_with(implicit)
        .as_table_like_mut()
        .ok_or_else(|| EditError::Shape(TABLE.into()))?;
    let is_new = !servers.contains_key(NAME);
    let entry = servers
        .entry(NAME)
        .or_insert_with(|| Item::Table(Table::new()))
        .as_table_like_mut()
        .ok_or_else(|| Form::Toml.foreign())?;
    let is_same = !is_new && entry.get("command").and_then(Item::as_str) == Some(program);
    if !is_same {
        entry.insert("command", value(program));
        entry.insert("args", value(Array::from_iter([VERB])));
    }
    Ok((document.to_string(), was_made))
}

fn without_table(text: &str, was_made: bool) -> Result<String, EditError> {
    let mut document = document(text)?;
    if !table(&document).is_some_and(is_our_table) {
        return Ok(text.to_owned());
    }
    if let Some(servers) = document.get_mut(TABLE).and_then(Item::as_table_like_mut) {
        servers.remove(NAME);
    }
    let empty = document.get(TABLE).and_then(Item::as_table_like);
    if was_made && empty.is_some_and(TableLike::is_empty) {
        document.remove(TABLE);
    }
    Ok(document.to_string())
}

/// A table that stands for what is in it and has no line of its own.
fn implicit() -> Item {
    let mut table = Table::new();
    table.set_implicit(true);
    Item::Table(table)
}

fn document(text: &str) -> Result<DocumentMut, EditError> {
    text.parse()
        .map_err(|error: toml_edit::TomlError| EditError::Unreadable(error.message().to_owned()))
}

fn table(document: &DocumentMut) -> Option<&Item> {
    document.get(TABLE)?.as_table_like()?.get(NAME)
}

fn is_our_table(entry: &Item) -> bool {
    let entry = entry.as_table_like();
    let program = entry.and_then(|entry| entry.get("command")?.as_str());
    let arguments = entry.and_then(|entry| entry.get("args")?.as_array());
    let arguments = arguments
        .into_iter()
        .flatten()
        .filter_map(|one| one.as_str());
    runs_us(&program.into_iter().chain(arguments).collect::<Vec<_>>())
}

/// Whether a command is `skep mcp`, wherever the program is or was, with whatever options.
fn runs_us(words: &[&str]) -> bool {
    let [program, arguments @ ..] = words else {
        return false;
    };
    let name = program.rsplit(['/', '\\']).next().unwrap_or_default();
    matches!(name, "skep" | "skep.exe") && arguments.contains(&VERB)
}

fn texts(list: &serde_json::Value) -> Vec<&str> {
    let list = list.as_array().into_iter().flatten();
    list.filter_map(|one| one.as_str()).collect()
}

fn parse(text: &str) -> Result<CstRootNode, EditError> {
    CstRootNode::parse(text, &ParseOptions::default())
        .map_err(|error| EditError::Unreadable(error.to_string()))
}

/// As it would be read.
fn plain(entry: &CstInputValue) -> Option<serde_json::Value> {
    let alone = CstRootNode::parse("", &ParseOptions::default()).ok()?;
    alone.set_value(entry.clone());
    alone.to_serde_value()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::Form;

    const ALL: [(Form, &str); 3] = [
        (
            Form::Servers,
            "{\n  // mine\n  \"mcpServers\": {\n    \"other\": {\"command\": \"x\"},\n  },\n}\n",
        ),
        (
            Form::Local,
            "{\"mcp\": {\"other\": {\"type\": \"remote\"}}, \"theme\": \"a\"}",
        ),
        (
            Form::Toml,
            "# mine\nmodel = \"o\"   # the best\n\n[mcp_servers.other]\ncommand = 'x'\n\n[tui]\na=1\n",
        ),
    ];

    #[test]
    fn a_server_is_put_in_once_and_taken_out_to_the_byte() {
        for (form, text) in ALL {
            let (once, made) = form.with(text, Path::new("/usr/bin/skep")).unwrap();
            assert!(
                !made && form.is_in(&once).unwrap() && !form.is_in(text).unwrap(),
                "{once}"
            );
            assert!(once.contains("other") && once.contains("mine") == text.contains("mine"));
            let (twice, _) = form.with(&once, Path::new("/usr/bin/skep")).unwrap();
            assert_eq!(once, twice);
            let (moved, _) = form.with(&once, Path::new("/opt/skep")).unwrap();
            assert!(
                moved.contains("/opt/skep") && !moved.contains("/usr/bin/skep"),
                "{moved}"
            );
            let left = form.without(&moved, made).unwrap();
            assert!(!left.contains("skep"), "{left}");
            if form == Form::Toml {
                assert_eq!(left, text);
            }
        }
    }

    #[test]
    fn where_nothing_was_nothing_is_left() {
        for (form, _) in ALL {
            for text in ["", "\n"] {
                let (with, made) = form.with(text, Path::new("/usr/bin/skep")).unwrap();
                assert!(made && form.is_in(&with).unwrap(), "{with}");
                let left = form.without(&with, made).unwrap();
                assert!(form.is_bare(&left), "{left:?}");
            }
        }
    }

    #[test]
    fn a_server_of_that_name_that_is_not_ours_stays() {
        for (form, text) in [
            (
                Form::Servers,
                "{\"mcpServers\": {\"skep\": {\"command\": \"bees\", \"args\": [\"mcp\"]}}}",
            ),
            (
                Form::Servers,
                "{\"mcpServers\": {\"skep\": {\"url\": \"https://skep.example.com/mcp\"}}}",
            ),
            (Form::Servers, "{\"mcpServers\": 7}"),
            (
                Form::Local,
                "{\"mcp\": {\"skep\": {\"type\": \"remote\", \"url\": \"https://x\"}}}",
            ),
            (
                Form::Toml,
                "[mcp_servers.skep]\nurl = \"https://skep.example.com/mcp\"\n",
            ),
            (Form::Toml, "mcp_servers = 7\n"),
        ] {
            assert!(
                form.with(text, Path::new("/usr/bin/skep")).is_err(),
                "{text}"
            );
            assert_eq!(form.without(text, true).unwrap(), text);
        }
        for (form, text) in [
            (Form::Servers, "{"),
            (Form::Toml, "a = ["),
            (Form::Servers, "[]"),
        ] {
            assert!(
                form.with(text, Path::new("/usr/bin/skep")).is_err(),
                "{text}"
            );
        }
    }
}
