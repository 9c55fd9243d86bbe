//! Sources: folders, files, pages and issue exports whose pieces are memories.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Instant;

/// `POST /sources`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddSourceRequest {
    /// `folder`, `file`, `url`, `issues` or `memories`.
    pub kind: String,
    /// Where it is: a URL if the daemon is to fetch it; only a name to it otherwise, it opens no file.
    pub location: String,
    /// What a person would call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// `external` (if absent) or `agent`; pages and issues are always external, and memories may be
    /// `user`, for a human who says that they are their own word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust: Option<String>,
    /// `own` (if absent), `workspace` or `private`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visibility: Option<String>,
    /// The project's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
}

/// A source.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Source {
    /// `src_…`
    pub id: String,
    /// What sort of place.
    pub kind: String,
    /// Where it is.
    pub location: String,
    /// What a person would call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Whose word its memories are.
    pub trust: String,
    /// Who may read them.
    pub visibility: String,
    /// The project's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// The caller added it, and so may sync it.
    pub own: bool,
    /// When it was added.
    pub created_at: Instant,
    /// When it was read last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub synced_at: Option<Instant>,
    /// Documents it has.
    pub documents: u64,
    /// Memories made of them that recall may return.
    pub chunks: u64,
}

/// How a document is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Markdown, with front matter and wikilinks if there are any.
    #[default]
    Markdown,
    /// A page.
    Html,
    /// Anything else that is text.
    Text,
}

/// A document to take in.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DocumentInput {
    /// Its name in the source.
    pub path: String,
    /// What the client calls this version of it, at most 256 bytes.
    pub version: String,
    /// How it is written.
    #[serde(default)]
    pub format: Format,
    /// What it says.
    pub text: String,
    /// What is known of it beside its text, in a source of memories: there, a document is one memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<MemoryInput>,
}

/// What is known of a memory that another program made, or that an export brings back.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MemoryInput {
    /// What sort of statement; `fact` if absent. What is external never becomes a `procedure`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Its line; the first of the text if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Whose word it is; it counts as far as the source's trust goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust: Option<String>,
    /// Who may read it; as the source says if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visibility: Option<String>,
    /// The project's name; the source's if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// Since when it holds; now if absent, or if it is yet to come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<Instant>,
    /// Until when it held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<Instant>,
    /// What it came through at first, such as `claude-code`; `source` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub harness: Option<String>,
    /// What made it: `person`, `rules` (if absent), `recap` or `model`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub derived_by: Option<String>,
    /// Where it was before, at most 1,000.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<String>,
}

/// A document that there is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ManifestEntry {
    /// Its name in the source.
    pub path: String,
    /// Its version.
    pub version: String,
}

/// `POST /sources/{id}/sync`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SyncRequest {
    /// All the documents that there are: what is not among them leaves recall. At most 20,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<Vec<ManifestEntry>>,
    /// Documents to take in, at most 500.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub documents: Vec<DocumentInput>,
}

/// What became of it.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct SyncResponse {
    /// Documents of the manifest that are not there in that version: bring them.
    pub wanted: Vec<String>,
    /// Memories made.
    pub new: u32,
    /// Pieces that were there already.
    pub same: u32,
    /// Pieces that left recall.
    pub gone: u32,
    /// Documents that left.
    pub documents_gone: u32,
    /// Documents with more pieces than one may have; the rest of them is not kept.
    pub cut: u32,
    /// Secrets taken out.
    pub redacted: u32,
    /// Documents of a folder that a rule of capture keeps out by their path.
    #[serde(default)]
    pub withheld: u32,
    /// Memories that wait for a human.
    #[serde(default)]
    pub held: u32,
}

/// `POST /sources/{id}/fetch`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FetchRequest {
    /// Believe a page that is gone or has nothing on it; what is known of it leaves recall then.
    #[serde(default)]
    pub allow_empty: bool,
}

/// What a fetch found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Found {
    /// Something new, which was taken in.
    Changed,
    /// What is known already.
    Unchanged,
    /// That the page is gone (404 or 410). What is known of it stays.
    Gone,
    /// A page with nothing on it. What is known of it stays.
    Empty,
}

/// What became of a fetch.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct FetchResponse {
    /// What was found.
    pub found: Found,
    /// What the server answered.
    pub status: u16,
    /// Where the answer came from, if a redirect led elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved_to: Option<String>,
    /// What changed; it never asks for anything.
    pub sync: SyncResponse,
}

/// What a purge took away.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PurgeResponse {
    /// Memories, those derived from the source's own among them.
    pub memories: u64,
}
