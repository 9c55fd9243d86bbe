//! How two names that one memory speaks of belong together.

use skep_domain::MemoryKind;

use crate::name::{NameKind, name_form, name_kind};

/// The sort of a connection, the more telling ones first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Edge {
    /// One is part of the other: a symbol of a type, a file of a folder.
    PartOf,
    /// An error that shows with it.
    FailsWith,
    /// They are changed together.
    ChangesWith,
    /// A command that is about it.
    RunsOn,
    /// One statement names both.
    NamedWith,
}

impl Edge {
    /// The name in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PartOf => "part_of",
            Self::FailsWith => "fails_with",
            Self::ChangesWith => "changes_with",
            Self::RunsOn => "runs_on",
            Self::NamedWith => "named_with",
        }
    }
}

/// The connection of two names in a statement.
#[must_use]
pub fn edge(a: &str, b: &str, kind: MemoryKind, text: &str) -> Edge {
    let kinds = [name_kind(a), name_kind(b)];
    let has = |kind: NameKind| kinds.contains(&kind);
    let both = |kind: NameKind| kinds == [kind, kind];
    if is_part(a, b) || is_part(b, a) {
        Edge::PartOf
    } else if has(NameKind::Error) && !both(NameKind::Error) && kind != MemoryKind::Procedure {
        Edge::FailsWith
    } else if both(NameKind::File) && text.contains("together") {
        Edge::ChangesWith
    } else if has(NameKind::Command) && !both(NameKind::Command) {
        Edge::RunsOn
    } else {
        Edge::NamedWith
    }
}

/// Whether `a` lies within `b`: `pool::open` in `pool`, `src/a.rs` in `src`.
fn is_part(a: &str, b: &str) -> bool {
    let (a, b) = (name_form(a), name_form(b));
    a.strip_prefix(b.as_str())
        .is_some_and(|rest| rest.starts_with("::") || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_telling_connection_counts() {
        let fact = MemoryKind::Fact;
        for (a, b, text, expected) in [
            ("Pool::open()", "Pool", "", Edge::PartOf),
            ("src", "src/a.rs", "", Edge::PartOf),
            ("E0382", "src/a.rs", "", Edge::FailsWith),
            (
                "a.rs",
                "b.rs",
                "a.rs and b.rs change together",
                Edge::ChangesWith,
            ),
            ("a.rs", "b.rs", "a.rs calls b.rs", Edge::NamedWith),
            ("cargo test", "src/a.rs", "", Edge::RunsOn),
            ("busy_timeout", "Pool", "", Edge::NamedWith),
        ] {
            assert_eq!(edge(a, b, fact, text), expected, "{a} {b}");
            assert_eq!(edge(b, a, fact, text), expected, "{b} {a}");
        }
    }
}
