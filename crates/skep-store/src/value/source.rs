//! Sources: where memories were read from, and what reading them changed.

use skep_domain::{ProjectId, SourceId, SourceKind, Timestamp, Trust, Visibility};

use super::NewMemory;

/// A source to add.
#[derive(Clone, Debug)]
pub struct NewSource {
    /// Id to use if it is new.
    pub id: SourceId,
    /// What sort of place.
    pub kind: SourceKind,
    /// Where it is.
    pub location: String,
    /// What a person would call it.
    pub title: Option<String>,
    /// Whose word its memories are.
    pub trust: Trust,
    /// Who may read them.
    pub visibility: Visibility,
    /// The project, if known.
    pub project: Option<ProjectId>,
    /// When it was added.
    pub created_at: Timestamp,
}

/// A source as it is read.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its id.
    pub id: SourceId,
    /// What sort of place.
    pub kind: SourceKind,
    /// Where it is.
    pub location: String,
    /// What a person would call it.
    pub title: Option<String>,
    /// Whose word its memories are.
    pub trust: Trust,
    /// Who may read them.
    pub visibility: Visibility,
    /// The project's name, if known.
    pub project: Option<String>,
    /// The project.
    pub project_id: Option<ProjectId>,
    /// Whether the reader of this added it.
    pub is_own: bool,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it was read last.
    pub synced_at: Option<Timestamp>,
    /// Documents it has.
    pub documents: u64,
    /// Memories made of them that recall may return.
    pub chunks: u64,
}

/// What a server calls the version of a page that it sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Validators {
    /// Its `ETag`.
    pub etag: Option<String>,
    /// Its `Last-Modified`.
    pub modified: Option<String>,
}

/// A piece of a document as a memory, and what it is known by in its document.
#[derive(Clone, Debug)]
pub struct NewChunk {
    /// What makes it this piece: its text and place.
    pub identity: String,
    /// The memory to make of it.
    pub memory: NewMemory,
    /// Whoever says the same says it for this source too: nothing is made, and what is known stays
    /// nobody's but whose it was.
    pub shared: bool,
}

/// What taking in a document changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SourceChanges {
    /// Memories made.
    pub new: u32,
    /// Pieces that were there already.
    pub same: u32,
    /// Pieces that are there no more; they left recall.
    pub gone: u32,
}
