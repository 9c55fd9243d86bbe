//! Names in the tree. What they are made of comes from users and from what agents read, so a name holds
//! letters, digits and `-` alone, and ends with what tells it from every other.

use skep_domain::{Id, ProjectId};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Characters of a name that come from a text.
const CHARS: usize = 48;
/// Bytes of them.
const BYTES: usize = 120;
/// Bytes of a project's own name that can be its folder's.
const PLAIN: usize = 64;
/// Marks on one letter.
const MARKS: usize = 2;
/// The folder of memories that belong to no project. No project's folder begins like it.
pub(super) const WITHOUT: &str = "_none";
/// The end of every file's name.
const END: &str = ".md";

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// The name of a memory's file: the beginning of its key line, and its id.
pub(super) fn file(key: &str, id: &str) -> String {
    let slug = slug(key);
    let slug = if slug.is_empty() { "memory" } else { &slug };
    format!("{slug}.{id}{END}")
}

/// The id in a file's name.
pub(super) fn id_in(name: &str) -> Option<&str> {
    name.strip_suffix(END)?.rsplit_once('.').map(|(_, id)| id)
}

/// The name of a project's folder: its own name if that is plain, or what is plain of it with the end of
/// its id, which no plain name looks like.
pub(super) fn folder(project: ProjectId, name: &str) -> String {
    if is_plain(name) {
        return name.to_owned();
    }
    let slug = slug(name);
    let slug = if slug.is_empty() { "project" } else { &slug };
    format!("{slug}~{}", tail(project))
}

/// Lower-case ASCII that no file system and no shell takes for anything else.
pub(super) fn is_plain(name: &str) -> bool {
    let bytes = name.as_bytes();
    let fits =
        |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(byte);
    bytes.len() <= PLAIN
        && bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.last().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.iter().all(fits)
}

/// The random half of an id.
fn tail(id: ProjectId) -> String {
    let bytes = id.to_bytes();
    let bits = bytes[8..]
        .iter()
        .fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
    (0..13)
        .rev()
        .map(|at| char::from(ALPHABET[(bits >> (5 * at) & 31) as usize]))
        .collect()
}

/// Letters and digits in lower case, anything between them as one `-`.
pub(super) fn slug(text: &str) -> String {
    let mut slug = String::new();
    let (mut chars, mut marks, mut gap) = (0, 0, false);
    for c in text.nfc().flat_map(char::to_lowercase) {
        let is_mark = is_combining_mark(c);
        if !is_shown(c) || !(c.is_alphanumeric() || is_mark) {
            gap = true;
            continue;
        }
        marks = if is_mark { marks + 1 } else { 0 };
        if is_mark && (marks > MARKS || gap || slug.is_empty()) {
            continue;
        }
        let gap_bytes = usize::from(gap && !slug.is_empty());
        if chars + gap_bytes == CHARS || slug.len() + gap_bytes + c.len_utf8() > BYTES {
            break;
        }
        if gap_bytes == 1 {
            slug.push('-');
            chars += 1;
        }
        slug.push(c);
        (chars, gap) = (chars + 1, false);
    }
    slug
}

/// Whether a letter is seen, and does not turn round what stands beside it: letters that are written from
/// right to left move the dots and the id behind them.
fn is_shown(c: char) -> bool {
    !matches!(c,
        '\u{034F}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{3164}' | '\u{FFA0}'
        | '\u{180B}'..='\u{180F}' | '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}'
        | '\u{0590}'..='\u{08FF}' | '\u{200F}' | '\u{FB1D}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFF}'
        | '\u{10800}'..='\u{10FFF}' | '\u{1E800}'..='\u{1EFFF}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};
    use skep_domain::{Id, ProjectId};

    use super::{WITHOUT, file, folder, id_in, is_plain, slug};

    const ID: &str = "mem_0123456789abcdefghjkmnpqrstvwxyz";

    fn project(n: u8) -> ProjectId {
        ProjectId::from_bytes([n; 16])
    }

    /// One part of a path that leads nowhere else, on any file system.
    fn is_safe(name: &str) -> bool {
        let first = name.chars().next();
        !name.contains(['/', '\\', '\0', ':', '*', '?', '"', '<', '>', '|'])
            && first.is_some_and(char::is_alphanumeric)
            && !name.ends_with(['.', ' '])
            && !name.chars().any(|c| c.is_control() || c.is_whitespace())
            && name.len() <= 200
    }

    proptest! {
        #[test]
        fn n14_no_text_makes_a_name_that_leads_elsewhere(text in any::<String>(), n in any::<u8>()) {
            let name = file(&text, ID);
            prop_assert!(is_safe(&name), "{name:?}");
            prop_assert_eq!(id_in(&name), Some(ID));
            let name = folder(project(n), &text);
            prop_assert!(is_safe(&name), "{name:?}");
            prop_assert!(name != WITHOUT);
        }

        #[test]
        fn n14_two_projects_never_share_a_folder(a in any::<String>(), b in any::<String>()) {
            let (one, two) = (folder(project(1), &a), folder(project(2), &b));
            prop_assert!(one.to_lowercase() != two.to_lowercase() || a == b);
        }
    }

    #[test]
    fn n14_attacks_on_names() {
        for (text, expected) in [
            ("../../etc/passwd", "etc-passwd"),
            ("a/b\0c\\d", "a-b-c-d"),
            ("..", ""),
            ("con\u{202e}txt.exe", "con-txt-exe"),
            ("x\u{200b}y\u{3164}z", "x-y-z"),
            ("שלום use pnpm", "use-pnpm"),
            ("Zürich: Straße", "zürich-straße"),
            ("\u{1b}[31mred", "31mred"),
            ("हिन्दी में", "हिन्दी-में"),
            ("e\u{301}\u{301}\u{301}\u{301}\u{301}", "é\u{301}\u{301}"),
            ("日本語のメモ", "日本語のメモ"),
            ("ＦＵＬＬ", "ｆｕｌｌ"),
        ] {
            assert_eq!(slug(text), expected, "{text:?}");
        }
        assert!(slug(&"long ".repeat(1_000)).len() <= 48);
        assert!(slug(&"語".repeat(1_000)).len() <= 120);
        // Look-alikes, and names that differ in case alone, have folders of their own.
        let names = [
            "admin", "аdmin", "Admin", "ADMIN", "admin/", ".admin", "admin.", WITHOUT,
        ];
        let mut folders: Vec<String> = (0..)
            .zip(names)
            .map(|(n, name)| folder(project(n), name).to_lowercase())
            .collect();
        folders.sort();
        folders.dedup();
        assert_eq!(folders.len(), names.len(), "{folders:?}");
        assert_eq!(folder(project(1), "harbor-2.0_x"), "harbor-2.0_x");
        for plain in ["", ".", "..", "-rf", "a~b", "_none", "a b", "é", "x."] {
            assert!(!is_plain(plain), "{plain:?}");
        }
    }
}
