//! Makes what was read fit what the daemon takes.

use skep_api::Limits;

/// Characters of a title.
const TITLE: usize = 120;
/// Bytes of one path.
const PATH: usize = 1_024;
/// Paths of one turn.
const PATHS: usize = 200;

/// Cuts the middle out of a text that is longer than a stored turn may be, and says how much.
/// `true` if anything was cut.
pub(crate) fn body(text: &mut String) -> bool {
    if text.len() <= Limits::TURN_BODY {
        return false;
    }
    // Beginnings say what a thing is, endings how it went.
    let head = text.floor_char_boundary(Limits::TURN_BODY / 4 * 3 - 64);
    let tail = text.ceil_char_boundary(text.len() - (Limits::TURN_BODY / 4 - 64));
    let marker = format!("\n[… {} bytes cut …]\n", tail - head);
    text.replace_range(head..tail, &marker);
    true
}

/// Where a memory comes from, as far as the daemon takes that: the first of very many, the beginning of a very
/// long one.
pub(crate) fn references(references: &mut Vec<String>) {
    references.truncate(PATHS);
    for one in references {
        one.truncate(head(one, PATH).len());
    }
}

/// The first so many bytes, at a character's boundary.
pub(crate) fn head(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

/// As [`head`], saying how much is missing.
pub(crate) fn excerpt(text: &str, bytes: usize) -> String {
    if text.len() <= bytes {
        return text.to_owned();
    }
    let head = head(text, bytes);
    format!("{head} [… {} bytes more]", text.len() - head.len())
}

/// The first line of a text, as a title.
pub(crate) fn title(text: &str) -> Option<String> {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty())?;
    let short: String = line.chars().take(TITLE).collect();
    Some(short)
}

/// A name that the daemon takes, from the last part of a path or URL: letters, digits, `.`, `_`,
/// `-`, anything else becoming `-`.
pub(crate) fn project(path: &str) -> Option<String> {
    let last = path
        .trim_end_matches(['/', '\\'])
        .rsplit(['/', '\\', ':'])
        .next()?;
    let last = last.strip_suffix(".git").unwrap_or(last);
    let name: String = last
        .chars()
        .map(|c| {
            if c.is_alphanumeric() || "._-".contains(c) {
                c
            } else {
                '-'
            }
        })
        .take(Limits::NAME_CHARS)
        .collect();
    let name = name.trim_matches('-');
    (!name.is_empty() && name.chars().any(char::is_alphanumeric)).then(|| name.to_owned())
}

/// Paths as a turn carries them: relative to the working directory where they lie under it.
pub(crate) fn paths<'a>(
    paths: impl IntoIterator<Item = &'a str>,
    cwd: Option<&str>,
) -> Vec<String> {
    let cwd = cwd.map(|cwd| format!("{}/", cwd.trim_end_matches('/')));
    let mut kept: Vec<String> = Vec::new();
    for path in paths {
        let relative = cwd
            .as_deref()
            .and_then(|cwd| path.strip_prefix(cwd))
            .unwrap_or(path);
        let fits = !relative.is_empty() && relative.len() <= PATH;
        if fits && kept.len() < PATHS && !kept.iter().any(|known| known == relative) {
            kept.push(relative.to_owned());
        }
    }
    kept
}

/// A client's own identity (a session, an event), shortened so that it fits and stays distinct.
pub(crate) fn client_key(key: String) -> String {
    if key.len() <= Limits::CLIENT_KEY {
        return key;
    }
    let digest = super::cursor::fingerprint(key.as_bytes());
    format!("{}~{digest:016x}", head(&key, Limits::CLIENT_KEY - 17))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};
    use skep_api::Limits;

    use super::{body, client_key, paths, project, title};

    proptest! {
        #[test]
        fn n12_a_body_fits_and_keeps_both_ends(seed in any::<String>(), times in 1usize..4000) {
            let whole = format!("<{}>", seed.repeat(times.min(200_000 / seed.len().max(1))));
            let mut cut = whole.clone();
            let was_cut = body(&mut cut);
            prop_assert!(cut.len() <= Limits::TURN_BODY);
            prop_assert_eq!(was_cut, whole.len() > Limits::TURN_BODY);
            prop_assert!(cut.starts_with('<') && cut.ends_with('>'));
        }
    }

    #[test]
    fn a_cut_body_says_how_much_is_gone() {
        let mut text = "é".repeat(50_000);
        assert!(body(&mut text));
        let (head, rest) = text.split_once("\n[… ").unwrap();
        let (gone, tail) = rest.split_once(" bytes cut …]\n").unwrap();
        assert_eq!(
            head.len() + gone.parse::<usize>().unwrap() + tail.len(),
            100_000
        );
        let mut exact = "x".repeat(Limits::TURN_BODY);
        assert!(!body(&mut exact));
    }

    #[test]
    fn projects_come_from_the_last_part() {
        for (path, name) in [
            ("/home/x/harbor", Some("harbor")),
            ("/home/x/harbor/", Some("harbor")),
            ("https://git.example/team/harbor.git", Some("harbor")),
            ("git@git.example:harbor.git", Some("harbor")),
            ("C:\\code\\My App", Some("My-App")),
            ("/home/x/(old) harbor", Some("old--harbor")),
            ("/", None),
            ("", None),
            ("/...", None),
        ] {
            assert_eq!(project(path).as_deref(), name, "{path:?}");
        }
    }

    #[test]
    fn paths_are_relative_distinct_and_few() {
        let many: Vec<String> = (0..300).map(|at| format!("/w/f{at}")).collect();
        let kept = paths(many.iter().map(String::as_str), Some("/w"));
        assert_eq!((kept.len(), kept[0].as_str()), (200, "f0"));
        assert_eq!(
            paths(["/w/a", "/w/a", "", "/v/b"], Some("/w/")),
            ["a", "/v/b"]
        );
    }

    #[test]
    fn titles_and_keys_fit() {
        assert_eq!(title("\n  \n Fix it \nnow").as_deref(), Some("Fix it"));
        assert_eq!(title(" \n"), None);
        assert_eq!(title(&"é".repeat(500)).unwrap().chars().count(), 120);
        let (one, two) = (client_key("a".repeat(300)), client_key("a".repeat(301)));
        assert!(one.len() <= Limits::CLIENT_KEY && one != two);
        assert_eq!(client_key("short".into()), "short");
    }
}
