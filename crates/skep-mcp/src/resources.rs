//! Resources: the tree of memories, and single memories, by URIs. The same tree that `skep ls` shows, read
//! only, and each file in the form that stored text has before a model.

use rmcp::model::{ListResourcesResult, Resource, ResourceContents, ResourceTemplate};
use serde::de::DeserializeOwned;
use skep_api::memory::Memory;
use skep_api::tree::{Entry, File, FileRequest, FindRequest, ListRequest, Listing, Type};
use skep_api::{ErrorCode, RouteId};
use skep_memory::escaped;

use crate::daemon::{Ask, Daemon, Refusal};
use crate::frame::{Shown, framed};
use crate::tools::ONE;
use crate::view::source;

const TREE: &str = "skep://tree";
const MEMORIES: &str = "skep://memories/";
const MARKDOWN: &str = "text/markdown";
/// Files on one page of the list.
const PAGE: u32 = 50;
/// Entries of a folder that is read.
const ENTRIES: u32 = 200;

/// Where the tree's overview is.
const INDEX: &str = "/index.md";

/// A page of the files, the newest first; the first page begins with the overview.
pub(crate) async fn list(
    daemon: &impl Daemon,
    cursor: Option<String>,
) -> Result<ListResourcesResult, Refusal> {
    let is_first = cursor.is_none();
    let request = FindRequest {
        limit: Some(PAGE),
        cursor,
        ..FindRequest::default()
    };
    let found: Listing = asked(daemon, Ask::of(RouteId::TreeFind).body(&request)?).await?;
    let overview = Resource::new(uri(INDEX), "index.md")
        .with_title("Overview")
        .with_description("Projects, kinds and days, and how much is remembered in each.")
        .with_mime_type(MARKDOWN);
    let files = found.entries.iter().map(resource);
    let mut listed = ListResourcesResult::with_all_items(
        is_first
            .then_some(overview)
            .into_iter()
            .chain(files)
            .collect(),
    );
    listed.next_cursor = found.next;
    Ok(listed)
}

/// What else can be read.
pub(crate) fn templates() -> Vec<ResourceTemplate> {
    vec![
        ResourceTemplate::new(format!("{TREE}/{{+path}}"), "tree")
            .with_title("Tree of memories")
            .with_description(
                "A file of the tree, such as projects/harbour/…; with a slash at its end, a folder's entries.",
            )
            .with_mime_type(MARKDOWN),
        ResourceTemplate::new(format!("{MEMORIES}{{id}}"), "memory")
            .with_title("One memory")
            .with_description("A memory by its id, mem_….")
            .with_mime_type(MARKDOWN),
    ]
}

/// What stands at a URI; `None` for one that is none of ours.
pub(crate) async fn read(
    daemon: &impl Daemon,
    uri: &str,
) -> Result<Option<ResourceContents>, Refusal> {
    let text = if let Some(id) = uri.strip_prefix(MEMORIES) {
        let memory: Memory = asked(daemon, Ask::of(RouteId::MemoryGet).about(id)).await?;
        whole(daemon, &memory, &memory.text)
    } else if let Some(path) = uri.strip_prefix(TREE).and_then(path_of) {
        match path.strip_suffix('/') {
            Some(folder) => entries(daemon, folder).await?,
            None => file(daemon, path).await?,
        }
    } else {
        return Ok(None);
    };
    Ok(Some(
        ResourceContents::text(text, uri).with_mime_type(MARKDOWN),
    ))
}

/// Whether a URI leads nowhere, for the caller.
pub(crate) fn is_absent(refusal: &Refusal) -> bool {
    matches!(
        refusal.code,
        Some(ErrorCode::NotFound | ErrorCode::ValidationError)
    )
}

async fn file(daemon: &impl Daemon, path: String) -> Result<String, Refusal> {
    let request = FileRequest { path };
    let file: File = asked(daemon, Ask::of(RouteId::TreeFile).body(&request)?).await?;
    if let Some(id) = &file.id {
        // Whose word it is stands beside the text, as with every note.
        let memory: Memory = asked(daemon, Ask::of(RouteId::MemoryGet).about(id)).await?;
        return Ok(whole(daemon, &memory, &file.text));
    }
    let overview = Shown {
        id: &file.path,
        kind: "reference",
        trust: "tool",
        source: "tree of memories".into(),
        text: &file.text,
    };
    Ok(framed(&[overview], ONE, &mut || daemon.nonce()).text)
}

async fn entries(daemon: &impl Daemon, folder: &str) -> Result<String, Refusal> {
    let request = ListRequest {
        path: if folder.is_empty() { "/" } else { folder }.to_owned(),
        limit: Some(ENTRIES),
        cursor: None,
    };
    let listing: Listing = asked(daemon, Ask::of(RouteId::TreeList).body(&request)?).await?;
    let mut lines = String::new();
    for entry in &listing.entries {
        let slash = if entry.node == Type::Folder { "/" } else { "" };
        let key = entry.key.as_deref().unwrap_or_default();
        lines.push_str(&format!("{}{slash}  {key}\n", entry.path));
    }
    if listing.next.is_some() {
        lines.push_str("There are more.\n");
    }
    let shown = Shown {
        id: &request.path,
        kind: "reference",
        trust: "tool",
        source: "tree of memories".into(),
        text: &lines,
    };
    Ok(framed(&[shown], ONE, &mut || daemon.nonce()).text)
}

fn whole(daemon: &impl Daemon, memory: &Memory, text: &str) -> String {
    let shown = Shown::of(memory, text, source(memory));
    framed(&[shown], ONE, &mut || daemon.nonce()).text
}

fn resource(entry: &Entry) -> Resource {
    let told = entry.key.as_deref().map(escaped).unwrap_or_default();
    let resource = Resource::new(uri(&entry.path), escaped(&entry.name))
        .with_description(told)
        .with_mime_type(MARKDOWN);
    match entry.bytes {
        Some(bytes) => resource.with_size(bytes),
        None => resource,
    }
}

/// The URI of a path: everything but what a path is made of is percent-encoded.
fn uri(path: &str) -> String {
    let mut uri = TREE.to_owned();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri
}

/// The path of a URI; `None` for what we would not have written so.
fn path_of(encoded: &str) -> Option<String> {
    if !encoded.starts_with('/') {
        return None;
    }
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        match first {
            b'%' => {
                let (digits, tail) = rest.split_at_checked(2)?;
                let digits = std::str::from_utf8(digits).ok()?;
                let plain = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
                bytes.push(u8::from_str_radix(digits, 16).ok().filter(|_| plain)?);
                rest = tail;
            }
            b'?' | b'#' => return None,
            other => bytes.push(*other),
        }
    }
    String::from_utf8(bytes).ok()
}

async fn asked<T: DeserializeOwned>(daemon: &impl Daemon, ask: Ask) -> Result<T, Refusal> {
    let answer = daemon.ask(ask).await?;
    serde_json::from_value(answer).map_err(|error| Refusal::here(&error))
}

#[cfg(test)]
mod tests {
    use super::{TREE, path_of, uri};

    #[test]
    fn a_path_comes_back_from_its_uri() {
        for path in [
            "/index.md",
            "/projects/Hafen Süd/a b.md",
            "/x/%2e%2e/?#",
            "/\u{202e}",
        ] {
            let uri = uri(path);
            assert!(uri.is_ascii() && !uri.contains([' ', '?', '#']), "{uri}");
            assert_eq!(
                path_of(uri.strip_prefix(TREE).unwrap()).as_deref(),
                Some(path)
            );
        }
        for bad in [
            "", "index.md", "/%", "/%1", "/%zz", "/%+1", "/%ff", "/a?b", "/a#b",
        ] {
            assert_eq!(path_of(bad), None, "{bad}");
        }
    }
}
