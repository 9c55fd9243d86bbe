//! A page as text: headings as Markdown writes them, blocks as paragraphs, scripts not at all.

use std::borrow::Cow;

/// Elements whose content is not for readers.
const HIDDEN: &[&str] = &["script", "style", "noscript", "template", "svg", "head"];
/// Elements that begin a line.
const BLOCKS: &[&str] = &[
    "p",
    "div",
    "br",
    "li",
    "ul",
    "ol",
    "tr",
    "table",
    "section",
    "article",
    "blockquote",
    "pre",
    "dt",
    "dd",
    "hr",
    "main",
    "nav",
    "header",
    "footer",
];

/// Reads once from front to back; what is not closed ends with the page.
pub(super) fn to_text(page: &str) -> String {
    let mut out = String::with_capacity(page.len() / 2);
    let mut rest = page;
    while let Some(at) = rest.find('<') {
        words(&rest[..at], &mut out);
        let tag = &rest[at + 1..];
        if let Some(comment) = tag.strip_prefix("!--") {
            rest = comment.split_once("-->").map_or("", |(_, after)| after);
            continue;
        }
        if !tag.starts_with(|c: char| c.is_ascii_alphabetic() || "/!?".contains(c)) {
            out.push('<');
            rest = tag;
            continue;
        }
        let (inside, after) = tag.split_once('>').unwrap_or((tag, ""));
        rest = after;
        let closing = inside.starts_with('/');
        let name = inside
            .trim_start_matches('/')
            .split(|c: char| !c.is_ascii_alphanumeric())
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        if HIDDEN.contains(&name.as_str()) && !closing && !inside.ends_with('/') {
            rest = after_end_of(&name, rest);
        } else if let Some(level) = heading_level(&name) {
            out.push_str("\n\n");
            if !closing {
                out.push_str(&"#".repeat(level));
                out.push(' ');
            }
        } else if BLOCKS.contains(&name.as_str()) {
            out.push_str(if name == "br" { "\n" } else { "\n\n" });
        }
    }
    words(rest, &mut out);
    out
}

fn heading_level(name: &str) -> Option<usize> {
    let level = name.strip_prefix('h')?.parse().ok()?;
    (1..=6).contains(&level).then_some(level)
}

fn after_end_of<'a>(name: &str, text: &'a str) -> &'a str {
    let bytes = text.as_bytes();
    let mut from = 0;
    while let Some(at) = text[from..].find("</") {
        let start = from + at + 2;
        let end = start + name.len();
        if bytes
            .get(start..end)
            .is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes()))
        {
            return text[end..].split_once('>').map_or("", |(_, after)| after);
        }
        from = start;
    }
    ""
}

/// Words with single spaces between them, entities resolved.
fn words(text: &str, out: &mut String) {
    let lead = text.starts_with(char::is_whitespace);
    for (at, word) in text.split_whitespace().enumerate() {
        if (at > 0 || lead) && !out.is_empty() && !out.ends_with(char::is_whitespace) {
            out.push(' ');
        }
        entities(word, out);
    }
    if text.ends_with(char::is_whitespace) && !out.is_empty() && !out.ends_with(char::is_whitespace)
    {
        out.push(' ');
    }
}

fn entities(word: &str, out: &mut String) {
    let mut rest = word;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let end = after.bytes().take(10).position(|byte| byte == b';');
        if let Some((resolved, end)) = end.and_then(|end| Some((resolve(&after[..end])?, end))) {
            out.push_str(&resolved);
            rest = &after[end + 1..];
        } else {
            out.push('&');
            rest = after;
        }
    }
    out.push_str(rest);
}

fn resolve(name: &str) -> Option<Cow<'static, str>> {
    Some(match name {
        "amp" => "&".into(),
        "lt" => "<".into(),
        "gt" => ">".into(),
        "quot" => "\"".into(),
        "apos" => "'".into(),
        "nbsp" => " ".into(),
        "mdash" => "—".into(),
        "ndash" => "–".into(),
        "hellip" => "…".into(),
        _ => {
            let digits = name.strip_prefix('#')?;
            let code = match digits.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => digits.parse().ok()?,
            };
            char::from_u32(code)
                .filter(|c| !c.is_control())?
                .to_string()
                .into()
        }
    })
}
