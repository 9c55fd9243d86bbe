//! Words that do not belong: marks of unfinished work, silenced lints, folders of one machine.

use super::rust_text::{Kind, Piece};
use crate::problem::Problem;

/// Marks of unfinished work, in comments; a string may speak of them.
pub(super) fn unfinished(path: &str, pieces: &[Piece]) -> Vec<Problem> {
    const MARKS: &[&str] = &[
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("XX", "X"),
        concat!("HA", "CK"),
    ];
    let comments = pieces.iter().filter(|piece| piece.kind == Kind::Comment);
    let mut problems = Vec::new();
    for piece in comments {
        for (nth, line) in piece.text.split('\n').enumerate() {
            let mut words = line.split(|c: char| !c.is_alphanumeric());
            if let Some(mark) = words.find(|word| MARKS.contains(word)) {
                let message = format!("`{mark}`: finish it, or open an issue");
                let at = piece.line + nth;
                problems.push(Problem::at(path, at, "unfinished", message));
            }
        }
    }
    problems
}

/// Attributes that silence a lint for good; `expect` goes away when its cause does.
pub(super) fn allowed_lints(path: &str, pieces: &[Piece]) -> Vec<Problem> {
    let code = pieces.iter().filter(|piece| piece.kind == Kind::Code);
    let mut problems = Vec::new();
    for piece in code {
        for (start, _) in piece.text.match_indices("allow(") {
            let before = &piece.text[..start];
            let glued = before.ends_with(|c: char| c.is_alphanumeric() || "_.:".contains(c));
            let attribute = before.rfind("#[").max(before.rfind("#!["));
            let inside = attribute.is_some_and(|open| !before[open..].contains(']'));
            if inside && !glued {
                let line = piece.line + before.matches('\n').count();
                let message = "use `#[expect(lint, reason = \"…\")]`";
                problems.push(Problem::at(path, line, "silenced", message));
            }
        }
    }
    problems
}

/// Folders that exist on one machine only. A made-up name, as an example needs it, is nobody's.
pub(super) fn machine_paths(path: &str, text: &str) -> Vec<Problem> {
    const FOLDERS: &[&str] = &[
        concat!("/wo", "rk/"),
        concat!("/ho", "me/"),
        concat!("/Us", "ers/"),
        concat!("bash_", "jobs"),
        concat!("/tmp/tar", "get"),
    ];
    const NOBODY: &[&str] = &["dev", "somebody", "user", "x", "you"];
    let ours = |line: &str, start: usize, folder: &str| {
        // The middle of a longer path, of an address or of a route is no folder.
        let goes_on =
            line[..start].ends_with(|c: char| c.is_alphanumeric() || "-_.}>~*".contains(c));
        let after = &line[start + folder.len()..];
        let owner = after.split(|c: char| !c.is_alphanumeric()).next();
        !goes_on && !owner.is_some_and(|owner| NOBODY.contains(&owner))
    };
    let mut problems = Vec::new();
    for (nth, line) in text.lines().enumerate() {
        let found = FOLDERS.iter().find(|folder| {
            let mut places = line.match_indices(**folder);
            places.any(|(start, _)| ours(line, start, folder))
        });
        if let Some(folder) = found {
            let message = format!("`{folder}` is a folder of one machine: take it from outside");
            problems.push(Problem::at(path, nth + 1, "machine-path", message));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::{allowed_lints, machine_paths, unfinished};
    use crate::tidy::rust_text::pieces;

    #[test]
    fn marks_of_unfinished_work_are_red_in_comments_only() {
        let table = [
            ("// all done".to_owned(), 0),
            (format!("// {}: later", concat!("TO", "DO")), 1),
            (format!("/* a\n {}(me) */", concat!("FIX", "ME")), 1),
            (format!("/// {} here", concat!("XX", "X")), 1),
            (format!("let mark = \"{}\";", concat!("TO", "DO")), 0),
            ("// todo lists and Toledo".to_owned(), 0),
        ];
        for (text, count) in table {
            assert_eq!(unfinished("a.rs", &pieces(&text)).len(), count, "{text}");
        }
    }

    #[test]
    fn silenced_lints_are_red() {
        let table = [
            ("#[expect(dead_code, reason = \"r\")]", 0),
            ("#[allow(dead_code)]", 1),
            ("#![allow(dead_code)]", 1),
            ("#[cfg_attr(test, allow(dead_code))]", 1),
            ("#[derive(Debug)]\nfn f() { limiter.allow(1); allow(2) }", 0),
            ("// #[allow(dead_code)]", 0),
            ("\"#[allow(dead_code)]\"", 0),
        ];
        for (text, count) in table {
            assert_eq!(allowed_lints("a.rs", &pieces(text)).len(), count, "{text}");
        }
    }

    #[test]
    fn folders_of_one_machine_are_red() {
        let table = [
            (format!("cd {}main", concat!("/wo", "rk/")), 1),
            (format!("\"{}ada/src\"", concat!("/ho", "me/")), 1),
            (format!("see {}", concat!("bash_", "jobs")), 1),
            (format!("src{}a.rs", concat!("/wo", "rk/")), 0),
            (format!("{}somebody/.skep", concat!("/ho", "me/")), 0),
            ("/tmp/x, ~/.skep, $HOME/x".to_owned(), 0),
        ];
        for (text, count) in table {
            assert_eq!(machine_paths("a.md", &text).len(), count, "{text}");
        }
    }
}
