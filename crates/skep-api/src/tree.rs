//! The tree of memories: folders and files that are made of what the caller may read.
//!
//! All of it is asked by `POST`: a path says what a memory is about, and a URL ends in logs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Instant;

/// `POST /tree/list`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "TreeListRequest")]
pub struct ListRequest {
    /// A folder such as `/projects`, or a file.
    pub path: String,
    /// Entries, 1 to 200; 50 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// A page of entries.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "TreeListing")]
pub struct Listing {
    /// Files the newest first, projects by name, days the newest first.
    pub entries: Vec<Entry>,
    /// Cursor of the page after; absent on the last. A page may be short and not the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// Only the newest 200,000 memories were counted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub partial: bool,
}

/// What stands at a path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "TreeNode")]
pub enum Type {
    /// A folder.
    Folder,
    /// A file.
    #[default]
    File,
}

/// A file or a folder.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "TreeEntry")]
pub struct Entry {
    /// Its whole path.
    pub path: String,
    /// The last part of it.
    pub name: String,
    /// `folder` or `file`.
    #[serde(rename = "type")]
    pub node: Type,
    /// Of a folder, how many memories are in it, where that was counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memories: Option<u64>,
    /// Of a memory's file, `mem_…`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What sort of statement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Whose word it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust: Option<String>,
    /// Its line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The project's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// Since when it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<Instant>,
    /// Bytes of the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// What stands in the file, where that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// `POST /tree/file`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "TreeFileRequest")]
pub struct FileRequest {
    /// The file, such as `/index.md`.
    pub path: String,
}

/// A file.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "TreeFile")]
pub struct File {
    /// Its path.
    pub path: String,
    /// Of a memory's file, `mem_…`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What stands in it: Markdown, after a front matter in YAML.
    pub text: String,
}

/// `POST /tree/find`. What is absent lets everything through.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "TreeFindRequest")]
pub struct FindRequest {
    /// Where to begin; `/` if absent. From `/`, each file is shown once, under `/projects`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// A pattern that the whole name fits: `*`, `?`, `[a-z]`, `[!a-z]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Only this kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Only of this project, by its own name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// Only of this day, such as `2026-11-22`, in UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day: Option<String>,
    /// Also what stands in the files.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub texts: bool,
    /// Files, 1 to 200; 50 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// `POST /tree/grep`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "TreeGrepRequest")]
pub struct GrepRequest {
    /// A regular expression without look-around and back-references, at most 1 KiB.
    pub pattern: String,
    /// Where to look; `/` if absent. From `/`, each file is looked through once, under `/projects`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Capitals are no difference.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ignore_case: bool,
    /// Only the first line of each file.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub names_only: bool,
    /// Lines after which no more files are opened, 1 to 200; 50 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// `next` of the answer before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// What a search found.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "TreeGrepResponse")]
pub struct GrepResponse {
    /// Lines that fit, the newest file first.
    pub matches: Vec<Match>,
    /// Files looked through.
    pub searched: u64,
    /// Cursor to go on with; absent when everything was looked through. A call ends early after 5,000
    /// files or two seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A line that fits.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "TreeMatch")]
pub struct Match {
    /// Of which file.
    pub path: String,
    /// Counted from one.
    pub line: u32,
    /// What stands there; of a long line, the first 512 bytes.
    pub text: String,
}
