//! Where each harness of this machine keeps what calls its hooks.

use std::path::{Path, PathBuf};

use super::edit::Shape;
use crate::environment::Environment;
use crate::hook::table::{Row, TABLE};

/// What kind of file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A list of entries, beside those of others.
    Entries(Shape),
    /// A file of our own.
    Plugin,
}

/// A harness and its file.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) row: &'static Row,
    pub(crate) file: PathBuf,
    pub(crate) kind: Kind,
    /// Whether the harness is on this machine: its folder is there, or its program.
    pub(crate) is_here: bool,
}

/// Every harness that can be wired, in the order of the table.
pub(crate) fn all(environment: &Environment) -> Vec<Place> {
    let places = TABLE.iter().filter_map(|row| {
        let (folder, file, kind) = of(row.name, environment)?;
        let is_here = folder.is_dir() || program(row.name);
        Some(Place {
            row: Row::named(row.name)?,
            file: folder.join(file),
            kind,
            is_here,
        })
    });
    places.collect()
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
