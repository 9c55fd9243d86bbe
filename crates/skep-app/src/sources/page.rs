//! What came from a server as documents: by what it says it is, never by what it looks like.

use skep_domain::SourceKind;
use skep_egress::Response;
use skep_memory::TextForm;

/// What an answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Media {
    /// One document.
    Text(TextForm),
    /// An export of issues.
    Export,
}

/// Why an answer is not taken; each says what to do.
pub(super) type Unfit = &'static str;

const BINARY: Unfit = "it is neither Markdown nor text nor HTML: save it as text and add the file";
const UNNAMED: Unfit = "it does not say what it is: save it and add the file";
const JSON: Unfit = "it is JSON: add it with --issues if it is an export of issues";
const NO_JSON: Unfit = "it is no JSON: an export of issues is a JSON array";
const CHARSET: Unfit = "its characters are in no form that is read: save it as UTF-8 and add it";

/// The text of an answer, and what it is.
pub(super) fn read(kind: SourceKind, response: &Response) -> Result<(Media, String), Unfit> {
    let declared = response.header("content-type").unwrap_or_default();
    let path = response.target().path();
    let media = media(kind, declared, path)?;
    let text = text(response.body(), declared)?;
    Ok((media, text))
}

fn media(kind: SourceKind, declared: &str, path: &str) -> Result<Media, Unfit> {
    let essence = declared.split(';').next().unwrap_or_default().trim();
    let essence = essence.to_ascii_lowercase();
    let path = path.split('?').next().unwrap_or_default();
    let end = path.rsplit('/').next().unwrap_or_default().rsplit_once('.');
    let end = end.map(|(_, end)| end.to_ascii_lowercase());
    let by_name = match end.as_deref() {
        Some("md" | "markdown" | "mdx") => Some(TextForm::Markdown),
        Some("txt" | "text" | "rst" | "org") => Some(TextForm::Plain),
        _ => None,
    };
    let is_json = essence == "application/json" || essence.ends_with("+json");
    if kind == SourceKind::Issues {
        // Servers of raw files say text of everything.
        let may_be = is_json || matches!(&*essence, "text/plain" | "application/octet-stream" | "");
        return if may_be {
            Ok(Media::Export)
        } else {
            Err(NO_JSON)
        };
    }
    match &*essence {
        "text/markdown" | "text/x-markdown" => Ok(Media::Text(TextForm::Markdown)),
        "text/html" | "application/xhtml+xml" => Ok(Media::Text(TextForm::Html)),
        "text/plain" => Ok(Media::Text(by_name.unwrap_or(TextForm::Plain))),
        "application/octet-stream" | "" => by_name.map(Media::Text).ok_or(UNNAMED),
        _ if is_json => Err(JSON),
        _ => Err(BINARY),
    }
}

fn text(body: &[u8], declared: &str) -> Result<String, Unfit> {
    if body.iter().take(8_192).any(|byte| *byte == 0) {
        return Err(BINARY);
    }
    let charset = declared.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let named = name.trim().eq_ignore_ascii_case("charset");
        named.then(|| value.trim().trim_matches('"').to_ascii_lowercase())
    });
    match charset.as_deref() {
        None | Some("utf-8" | "utf8" | "us-ascii" | "ascii") => {
            let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
            Ok(String::from_utf8_lossy(body).into_owned())
        }
        Some("iso-8859-1" | "latin1" | "windows-1252") => {
            Ok(body.iter().map(|byte| char::from(*byte)).collect())
        }
        Some(_) => Err(CHARSET),
    }
}

#[cfg(test)]
mod tests {
    use skep_domain::SourceKind::{Issues, Url};
    use skep_memory::TextForm::{Html, Markdown, Plain};

    use super::{Media, media, text};

    #[test]
    fn an_answer_is_what_it_says_it_is() {
        for (kind, declared, path, found) in [
            (
                Url,
                "text/markdown; charset=utf-8",
                "/a",
                Some(Media::Text(Markdown)),
            ),
            (
                Url,
                "Text/HTML;charset=utf-8",
                "/a.md",
                Some(Media::Text(Html)),
            ),
            (Url, "application/xhtml+xml", "/", Some(Media::Text(Html))),
            (
                Url,
                "text/plain",
                "/a/README.md?x=.txt",
                Some(Media::Text(Markdown)),
            ),
            (Url, "text/plain", "/a", Some(Media::Text(Plain))),
            (Url, "", "/notes.TXT", Some(Media::Text(Plain))),
            (
                Url,
                "application/octet-stream",
                "/a.md",
                Some(Media::Text(Markdown)),
            ),
            (Url, "application/octet-stream", "/a.bin", None),
            (Url, "", "/", None),
            (Url, "application/json", "/a.md", None),
            (Url, "application/pdf", "/a.md", None),
            (Url, "image/png", "/a", None),
            (Url, "text/css", "/a", None),
            (
                Issues,
                "application/json; charset=utf-8",
                "/",
                Some(Media::Export),
            ),
            (
                Issues,
                "application/vnd.github+json",
                "/",
                Some(Media::Export),
            ),
            (Issues, "text/plain", "/issues.json", Some(Media::Export)),
            (Issues, "text/html", "/issues.json", None),
        ] {
            assert_eq!(media(kind, declared, path).ok(), found, "{declared} {path}");
        }
    }

    #[test]
    fn characters_are_read_as_declared() {
        for (body, declared, found) in [
            (&b"\xef\xbb\xbfcaf\xc3\xa9"[..], "text/plain", Some("café")),
            (
                b"caf\xe9",
                "text/plain; Charset=\"ISO-8859-1\"",
                Some("café"),
            ),
            (b"caf\xe9", "text/plain", Some("caf\u{fffd}")),
            (b"x", "text/plain; charset=utf-16", None),
            (b"a\0b", "text/plain", None),
            (b"", "text/plain; charset", Some("")),
        ] {
            assert_eq!(text(body, declared).ok().as_deref(), found, "{declared}");
        }
    }
}
