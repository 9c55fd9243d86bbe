//! Names that memories speak of: what sort each is, and the form under which two spellings meet.

use crate::distil::entities;

/// Names in one text, at most.
const NAMES_MAX: usize = 64;

/// What a name is of, judged by its spelling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NameKind {
    /// A file or a folder.
    File,
    /// A type, a function, a variable.
    Symbol,
    /// Something to run, or a flag of it.
    Command,
    /// An error code.
    Error,
    /// A host, a URL, a port.
    Service,
    /// An issue or a pull request.
    Issue,
    /// Anything else.
    Term,
}

/// The names in a text, in order of appearance, without doubles.
#[must_use]
pub fn names(text: &str) -> Vec<String> {
    let mut names = entities(text);
    names.truncate(NAMES_MAX);
    names
}

/// The form under which two spellings of one name meet: without what surrounds it, in small letters.
#[must_use]
pub fn name_form(name: &str) -> String {
    let name = name.trim().trim_matches(['`', '"', '\'']);
    let name = name.strip_suffix("()").unwrap_or(name);
    let name = name.trim_end_matches(['.', ',', ';', ':', '/', '?', '!']);
    let name = name.strip_prefix("./").unwrap_or(name);
    name.replace('\\', "/").to_lowercase()
}

/// The last part of a path or of a qualified symbol, in its form, if it has more than one part and
/// the last one is telling.
#[must_use]
pub fn name_tail(form: &str) -> Option<&str> {
    let tail = form.rsplit(['/', ':']).next()?;
    let is_file = tail.len() >= 4 && tail.contains('.');
    let is_symbol = form.contains("::") && tail.len() >= 5;
    (tail.len() < form.len() && (is_file || is_symbol)).then_some(tail)
}

/// What sort of name it is.
#[must_use]
pub fn name_kind(name: &str) -> NameKind {
    let is_code = |prefix: &str, digits: usize| {
        name.strip_prefix(prefix)
            .is_some_and(|rest| rest.len() >= digits && rest.chars().all(|c| c.is_ascii_digit()))
    };
    let is_loud = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    let first = name.split(' ').next().unwrap_or_default();
    if name.contains("://") || name.starts_with("port ") || name.starts_with("localhost") {
        NameKind::Service
    } else if is_code("#", 1) {
        NameKind::Issue
    } else if is_code("E", 4)
        || is_code("TS", 4)
        || ((name.starts_with("ERR_") || name.starts_with("SQLITE_")) && name.chars().all(is_loud))
        || (name.starts_with('E')
            && name.len() >= 5
            && name.chars().all(|c| c.is_ascii_uppercase()))
    {
        NameKind::Error
    } else if name.starts_with("--") || COMMANDS.contains(&first) && name.contains(' ') {
        NameKind::Command
    } else if !name.contains(' ') && (name.contains('/') || has_ending(name)) {
        NameKind::File
    } else if !name.contains(' ')
        && (name.contains("::")
            || name.ends_with("()")
            || name.contains('_')
            || name.chars().skip(1).any(char::is_uppercase))
    {
        NameKind::Symbol
    } else {
        NameKind::Term
    }
}

/// Whether a name ends like a file: `.rs`, `.toml`.
fn has_ending(name: &str) -> bool {
    matches!(name, "Dockerfile" | "Makefile")
        || name.rsplit_once('.').is_some_and(|(stem, ending)| {
            !stem.is_empty()
                && (1..=5).contains(&ending.len())
                && ending.chars().all(|c| c.is_ascii_lowercase())
                && !name.contains("::")
        })
}

const COMMANDS: [&str; 28] = [
    "apt",
    "bash",
    "brew",
    "bun",
    "cargo",
    "cmake",
    "curl",
    "deno",
    "docker",
    "gh",
    "git",
    "go",
    "gradle",
    "helm",
    "kubectl",
    "make",
    "mvn",
    "node",
    "npm",
    "npx",
    "pip",
    "pnpm",
    "poetry",
    "pytest",
    "python",
    "terraform",
    "uv",
    "yarn",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_by_their_spelling() {
        for (name, kind) in [
            ("crates/store/src/pool.rs", NameKind::File),
            ("Cargo.toml", NameKind::File),
            ("Makefile", NameKind::File),
            ("Pool::open()", NameKind::Symbol),
            ("busy_timeout", NameKind::Symbol),
            ("SKEP_HOME", NameKind::Symbol),
            ("fooBar", NameKind::Symbol),
            ("cargo nextest run", NameKind::Command),
            ("--home", NameKind::Command),
            ("E0382", NameKind::Error),
            ("SQLITE_BUSY", NameKind::Error),
            ("ENOENT", NameKind::Error),
            ("https://docs.example/a", NameKind::Service),
            ("port 3850", NameKind::Service),
            ("#42", NameKind::Issue),
            ("BEGIN IMMEDIATE", NameKind::Term),
        ] {
            assert_eq!(name_kind(name), kind, "{name}");
        }
    }

    #[test]
    fn spellings_of_one_name_meet() {
        for (a, b) in [
            ("`Pool::open()`", "pool::open"),
            ("./src/lib.rs", "src/lib.rs"),
            ("src\\lib.rs,", "src/lib.rs"),
            ("target/", "target"),
        ] {
            assert_eq!(name_form(a), name_form(b));
        }
        assert_eq!(name_tail("crates/a/src/pool.rs"), Some("pool.rs"));
        assert_eq!(name_tail("pool::open_in"), Some("open_in"));
        assert_eq!(name_tail("pool::new"), None);
        assert_eq!(name_tail("pool.rs"), None);
        assert_eq!(name_tail(""), None);
    }
}
