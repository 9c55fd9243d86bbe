//! Secrets with a beginning and an end: private spans, private keys, passwords in URLs.

use super::Finding;
use super::shape::{is_generated, is_placeholder};
use std::ops::Range;

pub(super) const PRIVATE: &str = "private";
pub(super) const PEM: &str = "private-key";
pub(super) const URL_PASSWORD: &str = "url-password";

const OPEN: &str = "<private>";
const CLOSE: &str = "</private>";

/// Spans that their author marked `<private>…</private>`, tags included.
///
/// Spans nest. One that is not closed reaches to the end. A tag between backticks is talk about the
/// tag and opens nothing.
pub(super) fn private_spans(text: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut open: Option<usize> = None;
    let mut depth = 0_usize;
    for (at, _) in text.match_indices('<') {
        let tag = &text.as_bytes()[at..];
        if starts_with(tag, OPEN) {
            if open.is_none() && is_quoted(text, at..at + OPEN.len()) {
                continue;
            }
            open.get_or_insert(at);
            depth += 1;
        } else if starts_with(tag, CLOSE) && depth > 0 {
            depth -= 1;
            if depth == 0
                && let Some(start) = open.take()
            {
                found.push(Finding {
                    rule: PRIVATE,
                    range: start..at + CLOSE.len(),
                });
            }
        }
    }
    if let Some(start) = open {
        found.push(Finding {
            rule: PRIVATE,
            range: start..text.len(),
        });
    }
    found
}

fn starts_with(bytes: &[u8], tag: &str) -> bool {
    bytes
        .get(..tag.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(tag.as_bytes()))
}

fn is_quoted(text: &str, range: Range<usize>) -> bool {
    text[..range.start].ends_with('`') && text[range.end..].starts_with('`')
}

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const LABEL_END: &str = "PRIVATE KEY";
/// Dashes, label and dashes of an armour line are never longer.
const ARMOUR_MAX: usize = 80;
/// A key whose end is missing is taken to reach over this much base64 at most.
const KEY_MAX: usize = 16 << 10;

/// Private keys in PEM armour (RFC 7468), also those whose beginning or end was cut off.
pub(super) fn private_keys(text: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut from = 0;
    let last_end = text.rfind(END);
    while let Some(start) = text[from..].find("-----").map(|at| from + at) {
        from = start + 5;
        if let Some(body) = armour(text, start, BEGIN) {
            let is_closed = last_end.is_some_and(|last| last >= body);
            let end = if is_closed {
                end_of_key(text, body)
            } else {
                None
            };
            let end = end.unwrap_or_else(|| base64_end(text, body));
            // An armour line alone is talk about keys.
            let letters = text[body..end]
                .bytes()
                .filter(u8::is_ascii_alphanumeric)
                .count();
            if letters >= 40 {
                found.push(Finding {
                    rule: PEM,
                    range: start..end,
                });
            }
            from = end.max(from);
        } else if let Some(end) = armour(text, start, END) {
            let head = base64_start(text, start);
            if head + 40 <= start {
                found.push(Finding {
                    rule: PEM,
                    range: head..end,
                });
            }
            from = end;
        }
    }
    found
}

/// Where the armour line that begins at `at` ends, if it is one of a private key.
fn armour(text: &str, at: usize, kind: &str) -> Option<usize> {
    let label = text[at..].strip_prefix(kind)?;
    let window = &label[..label.floor_char_boundary(ARMOUR_MAX)];
    let dashes = window.find("-----")?;
    let name = &window[..dashes];
    let is_key = name.contains(LABEL_END) && !name.contains('\n');
    is_key.then_some(at + kind.len() + dashes + 5)
}

fn end_of_key(text: &str, body: usize) -> Option<usize> {
    let window = &text[body..text.floor_char_boundary(body + KEY_MAX).max(body)];
    let at = body + window.find(END)?;
    // The end of something else means that ours is missing.
    armour(text, at, END)
}

/// Base64, line breaks, escaped line breaks and armour headers, as found inside a key.
fn is_key_char(c: char) -> bool {
    c.is_ascii_alphanumeric()
        || matches!(
            c,
            '+' | '/' | '=' | '\n' | '\r' | '\\' | ' ' | '\t' | ',' | '"' | ':' | '-'
        )
}

fn base64_end(text: &str, body: usize) -> usize {
    let mut end = body;
    for line in text[body..].split_inclusive(['\n', ' ', '"']) {
        let word = line.trim_matches(|c: char| {
            c.is_whitespace() || matches!(c, '"' | '\'' | ',' | '\\' | '+')
        });
        let is_header = word.ends_with(':') || word.contains(',') || line.contains("ENCRYPTED");
        if !line.chars().all(is_key_char) || end - body > KEY_MAX {
            break;
        }
        if word.len() < 16 && !word.is_empty() && !word.ends_with('=') && !is_header {
            break;
        }
        end += line.len();
    }
    end
}

fn base64_start(text: &str, end: usize) -> usize {
    let floor = text.ceil_char_boundary(end.saturating_sub(KEY_MAX));
    let mut start = end;
    for line in text[floor..end].split_inclusive('\n').rev() {
        let word = line.trim();
        let is_base64 = word
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '='));
        if !is_base64
            || (word.len() < 16 && !word.is_empty() && !word.ends_with('=') && start != end)
        {
            break;
        }
        start -= line.len();
    }
    start
}

/// The longest user name and password that a URL is searched for.
const USERINFO_MAX: usize = 512;

/// Passwords in `scheme://user:password@host`, of databases, brokers and plain HTTP.
pub(super) fn url_passwords(text: &str) -> Vec<Finding> {
    text.match_indices("://")
        .filter_map(|(at, _)| password_range(text, at))
        .map(|range| Finding {
            rule: URL_PASSWORD,
            range,
        })
        .collect()
}

fn password_range(text: &str, at: usize) -> Option<Range<usize>> {
    if !text[..at].ends_with(|c: char| c.is_ascii_alphanumeric()) {
        return None;
    }
    let start = at + 3;
    let authority = &text[start..text.floor_char_boundary(start + USERINFO_MAX).max(start)];
    let is_end = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '<' | '>' | '\\');
    let authority = &authority[..authority.find(is_end).unwrap_or(authority.len())];
    let Some(colon) = authority
        .find(':')
        .filter(|colon| !authority[..*colon].contains('@'))
    else {
        // A token alone stands where the user would: `https://TOKEN@host`.
        let token = &authority[..authority.find('@')?];
        return is_generated(token).then(|| start..start + token.len());
    };
    // A password may contain `/` or `@`, unescaped, if the host after the last `@` looks like one.
    let user = &authority[..colon];
    if user.contains(['/', '?', '#', '@']) {
        return None;
    }
    let rest = &authority[colon + 1..];
    let plain_end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let at_sign = match rest[..plain_end].rfind('@') {
        Some(end) => end,
        None => rest.find('@').filter(|end| !is_port(&rest[..*end]))?,
    };
    let password = &rest[..at_sign];
    if user.ends_with("[redacted") && ends_marker(password) {
        return None;
    }
    if password == "x-oauth-basic" && is_generated(user) {
        return Some(start..start + colon);
    }
    let is_host =
        rest[at_sign + 1..].starts_with(|c: char| c.is_ascii_alphanumeric() || "[${%_".contains(c));
    let known = [
        "user",
        "username",
        "login",
        "pass",
        "password",
        "pw",
        "pwd",
        "token",
        "x-oauth-basic",
    ];
    let is_sample = is_placeholder(password)
        || password == "x-oauth-basic"
        || known.contains(&password.to_ascii_lowercase().as_str())
            && known.contains(&user.to_ascii_lowercase().as_str());
    if password.is_empty() || !is_host || is_sample {
        return None;
    }
    let from = start + colon + 1;
    Some(from..from + at_sign)
}

/// The rest of what stands where something was taken out, behind its colon: `url-password]`.
fn ends_marker(text: &str) -> bool {
    let rule = text.strip_suffix(']').unwrap_or_default();
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte == b'-';
    !rule.is_empty() && rule.bytes().all(fits)
}

/// `host:8080/path@v2` has a port where a password would stand.
fn is_port(text: &str) -> bool {
    let digits = text.chars().take_while(char::is_ascii_digit).count();
    digits > 0 && text[digits..].starts_with('/')
}
