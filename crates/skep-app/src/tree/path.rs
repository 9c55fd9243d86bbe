//! Paths of the tree. There are few shapes, and what is none of them is nowhere: nothing is resolved,
//! followed or made shorter.

use skep_domain::{FilePath, MemoryKind};

use super::name;

/// Bytes of a path.
pub(super) const PATH: usize = 1_024;

/// A folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Folder {
    Root,
    Projects,
    Days,
    Kinds,
    /// By the name of the folder.
    Project(String),
    /// Such as `2026-11-22`.
    Day(String),
    Kind(MemoryKind),
}

/// A place among one's own files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OwnPath {
    pub(super) path: FilePath,
    /// A slash at its end says that it is a folder.
    pub(super) is_folder: bool,
}

/// What a path leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Folder(Folder),
    Index,
    /// A memory's file, by name.
    File(Folder, String),
    /// What whoever looks keeps for themselves.
    Own(OwnPath),
}

impl Folder {
    /// Its path, without a slash at the end.
    pub(super) fn path(&self) -> String {
        match self {
            Self::Root => String::new(),
            Self::Projects => "/projects".into(),
            Self::Days => "/days".into(),
            Self::Kinds => "/kinds".into(),
            Self::Project(name) => format!("/projects/{name}"),
            Self::Day(day) => format!("/days/{day}"),
            Self::Kind(kind) => format!("/kinds/{}", kind.as_str()),
        }
    }

    /// Whether it holds files of memories, and not folders.
    pub(super) fn has_files(&self) -> bool {
        matches!(self, Self::Project(_) | Self::Day(_) | Self::Kind(_))
    }

    fn parse(parts: &[&str]) -> Option<Self> {
        match parts {
            [] => Some(Self::Root),
            ["projects"] => Some(Self::Projects),
            ["days"] => Some(Self::Days),
            ["kinds"] => Some(Self::Kinds),
            ["projects", project] => Some(Self::Project((*project).into())),
            ["days", day] if is_day(day) => Some(Self::Day((*day).into())),
            ["kinds", kind] => MemoryKind::parse(kind).map(Self::Kind),
            _ => None,
        }
    }
}

impl Place {
    /// What a path leads to; `None` for one that no tree has.
    pub(super) fn parse(path: &str) -> Option<Self> {
        let inside = path.strip_prefix('/').filter(|_| path.len() <= PATH)?;
        let inside = match inside.strip_suffix('/') {
            Some("") => return None,
            Some(inside) => inside,
            None => inside,
        };
        if let Ok(own) = FilePath::parse(&path[..=inside.len()]) {
            return Some(Self::Own(OwnPath {
                path: own,
                is_folder: path.ends_with('/'),
            }));
        }
        let parts: Vec<&str> = inside.split('/').collect();
        match parts.as_slice() {
            [""] => Some(Self::Folder(Folder::Root)),
            parts if parts.contains(&"") => None,
            ["index.md"] if !path.ends_with('/') => Some(Self::Index),
            [above @ .., file] => match Folder::parse(above) {
                Some(folder) if folder.has_files() => {
                    let is_file = name::id_in(file).is_some() && !path.ends_with('/');
                    is_file.then(|| Self::File(folder, (*file).into()))
                }
                _ => Folder::parse(&parts).map(Self::Folder),
            },
            [] => None,
        }
    }
}

/// Years before our era and beyond 9999 are written with a sign and more digits.
pub(super) fn is_day(text: &str) -> bool {
    let [year @ .., b'-', a, b, b'-', c, d] = text.as_bytes() else {
        return false;
    };
    let year = year.strip_prefix(b"-").unwrap_or(year);
    let is_year = (4..=6).contains(&year.len()) && year.iter().all(u8::is_ascii_digit);
    is_year && [a, b, c, d].iter().all(|digit| digit.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};
    use skep_domain::MemoryKind;

    use super::{Folder, Place, is_day};

    #[test]
    fn n14_a_path_is_one_of_a_few_shapes_or_nowhere() {
        let folder = |folder| Some(Place::Folder(folder));
        let file = |folder, name: &str| Some(Place::File(folder, name.into()));
        let harbor = || Folder::Project("harbor".into());
        for (path, expected) in [
            ("/", folder(Folder::Root)),
            ("/index.md", Some(Place::Index)),
            ("/projects", folder(Folder::Projects)),
            ("/projects/", folder(Folder::Projects)),
            ("/projects/harbor", folder(harbor())),
            (
                "/projects/index.md",
                folder(Folder::Project("index.md".into())),
            ),
            ("/projects/harbor/a.mem_1.md", file(harbor(), "a.mem_1.md")),
            ("/days/2026-11-22", folder(Folder::Day("2026-11-22".into()))),
            (
                "/kinds/decision",
                folder(Folder::Kind(MemoryKind::Decision)),
            ),
            ("", None),
            ("projects", None),
            ("//", None),
            ("//projects", None),
            ("/projects//", None),
            ("/./projects", None),
            ("/../projects", None),
            ("/projects/../kinds", None),
            ("/projects/harbor/..", None),
            ("/projects/harbor/a.mem_1.md/", None),
            ("/projects/harbor/sub/a.mem_1.md", None),
            (
                "/projects/a.mem_1.md",
                folder(Folder::Project("a.mem_1.md".into())),
            ),
            ("/a.mem_1.md", None),
            ("/index.md/", None),
            ("/days/today", None),
            ("/days/2026-11-22/..", None),
            ("/kinds/rumour", None),
            ("/etc/passwd", None),
            (
                "/projects/harbor\\a.mem_1.md",
                folder(Folder::Project("harbor\\a.mem_1.md".into())),
            ),
        ] {
            assert_eq!(Place::parse(path), expected, "{path:?}");
        }
        assert_eq!(
            Place::parse(&format!("/projects/{}", "x".repeat(2_000))),
            None
        );
    }

    #[test]
    fn days_are_dates() {
        for (text, is) in [
            ("2026-11-22", true),
            ("-009999-01-01", true),
            ("2026-11-2", false),
            ("-11-22", false),
            ("", false),
            ("é6-11-22", false),
            ("2026-1é-22", false),
        ] {
            assert_eq!(is_day(text), is, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn n19_any_text_is_read_without_a_panic(text in any::<String>()) {
            let _ = Place::parse(&text);
            let _ = Place::parse(&format!("/days/{text}"));
            let _ = Place::parse(&format!("/projects/{text}"));
        }
    }
}
