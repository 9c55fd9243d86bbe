//! Where each harness of this machine keeps what calls its hooks.

use std::path::{Path, PathBuf};

use super::edit::Shape;
use super::server::Form;
use crate::environment::Environment;
use crate::hook::table::{Row, TABLE};

/// What kind of file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A list of entries, beside those of others.
    Entries(Shape),
    /// A file of our own.
    Plugin,
    /// A list of servers of tools, beside those of others.
    Servers(Form),
}

/// A harness and its file.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) row: &'static Row,
    /// What is noted of it under which name.
    pub(crate) name: &'static str,
    pub(crate) file: PathBuf,
    pub(crate) kind: Kind,
    /// Servers of tools that stand in the same file.
    pub(crate) also: Option<Form>,
    /// Whether the harness is on this machine: its folder is there, or its program.
    pub(crate) is_here: bool,
}

/// Every harness that can be wired, in the order of the table: what calls its hooks, then what starts
/// its tools, where that is another file.
pub(crate) fn all(environment: &Environment) -> Vec<Place> {
    let places = TABLE.iter().filter_map(|row| {
        let (folder, file, kind) = of(row.name, environment)?;
        let is_here = folder.is_dir() || program(row.name);
        let hooks = Place {
            row: Row::named(row.name)?,
            name: row.name,
            file: folder.join(file),
            kind,
            also: (row.name == "gemini").then_some(Form::Servers),
            is_here,
        };
        let tools = tools_of(row.name, &folder, environment).map(|(name, file, form)| Place {
            name,
            file,
            kind: Kind::Servers(form),
            also: None,
            ..hooks.clone()
        });
        Some([Some(hooks), tools].into_iter().flatten())
    });
    places.flatten().collect()
}

/// Where a harness keeps the servers of tools that it starts, if not in the file of its hooks.
fn tools_of(
    name: &str,
    folder: &Path,
    environment: &Environment,
) -> Option<(&'static str, PathBuf, Form)> {
    Some(match name {
        "claude" => {
            // Beside its folder, or in the one that was named for it.
            let beside = match &environment.claude_home {
                Some(named) => named.clone(),
                None => environment.user_home.clone()?,
            };
            ("claude-mcp", beside.join(".claude.json"), Form::Servers)
        }
        "codex" => ("codex-mcp", folder.join("config.toml"), Form::Toml),
        "cursor" => ("cursor-mcp", folder.join("mcp.json"), Form::Servers),
        "opencode" => {
            let with_comments = folder.join("opencode.jsonc");
            let plain = folder.join("opencode.json");
            let file = if with_comments.is_file() {
                with_comments
            } else {
                plain
            };
            ("opencode-mcp", file, Form::Local)
        }
        _ => return None,
    })
}

fn of(name: &str, environment: &Environment) -> Option<(PathBuf, &'static str, Kind)> {
    let home = |folder: &str| Some(environment.user_home.as_ref()?.join(folder));
    let said = |path: &Option<PathBuf>, folder: &str| path.clone().or_else(|| home(folder));
    let grouped = Kind::Entries(Shape::Grouped);
    match name {
        "claude" => Some((
            said(&environment.claude_home, ".claude")?,
            "settings.json",
            grouped,
        )),
        "codex" => Some((
            said(&environment.codex_home, ".codex")?,
            "hooks.json",
            grouped,
        )),
        "cursor" => Some((home(".cursor")?, "hooks.json", Kind::Entries(Shape::Flat))),
        "gemini" => Some((home(".gemini")?, "settings.json", grouped)),
        "opencode" => {
            let config = said(&environment.config_home, ".config")?;
            Some((config.join("opencode"), "plugins/skep.js", Kind::Plugin))
        }
        _ => None,
    }
}

/// Whether a program of this name would be found.
fn program(harness: &str) -> bool {
    let name = match harness {
        "cursor" => "cursor-agent",
        other => other,
    };
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(name).is_file())
}

/// The command of an entry: the whole path, as a shell reads it.
pub(crate) fn command(program: &Path, arguments: &[&str]) -> String {
    format!(
        "{} {}",
        quoted(&program.to_string_lossy()),
        arguments.join(" ")
    )
}

/// Whether a command is `skep hook` of this harness, wherever the program is or was.
pub(crate) fn is_ours(command: &str, harness: &str) -> bool {
    let words = command.trim().rsplitn(4, ' ').collect::<Vec<_>>();
    let [_event, named, "hook", program] = words[..] else {
        return false;
    };
    let program = program.trim_matches(['\'', '"']);
    let name = program.rsplit(['/', '\\']).next().unwrap_or_default();
    named == harness && matches!(name, "skep" | "skep.exe")
}

/// In single quotes, where a shell would read something else.
fn quoted(path: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@%:,".contains(c);
    if path.chars().all(is_plain) {
        path.to_owned()
    } else {
        format!("'{}'", path.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::{Path, command, is_ours};

    #[test]
    fn a_command_is_known_again_and_no_other_is() {
        for program in [
            "/usr/bin/skep",
            "/opt/a b/skep",
            "/x'y/skep",
            "C:/x/skep.exe",
        ] {
            let command = command(Path::new(program), &["hook", "claude", "Stop"]);
            assert!(is_ours(&command, "claude"), "{command}");
            assert!(!is_ours(&command, "codex"), "{command}");
        }
        for other in [
            "",
            "skep",
            "skep recall hook claude",
            "/bin/notskep hook claude Stop",
            "echo skep hook claude Stop --x",
            "/bin/skep hook claude",
        ] {
            assert!(!is_ours(other, "claude"), "{other}");
        }
    }
}
