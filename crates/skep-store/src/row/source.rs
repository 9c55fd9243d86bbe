//! What a backend stores about sources: where memories were read from.

use skep_crypto::Sealed;
use skep_domain::{
    MemoryId, PolicyGroupId, Principal, ProjectId, SourceId, SourceKind, Timestamp, Trust,
    Visibility,
};

use super::Fingerprint;

/// A source.
#[derive(Clone, Debug)]
pub struct SourceRow {
    /// Its id.
    pub id: SourceId,
    /// Of owner, kind and location: unique in the workspace.
    pub fingerprint: Fingerprint,
    /// What sort of place.
    pub kind: SourceKind,
    /// Whose word its memories are.
    pub trust: Trust,
    /// Who may read them.
    pub visibility: Visibility,
    /// Who added it.
    pub owner: Principal,
    /// Their policy group then.
    pub owner_group: Option<PolicyGroupId>,
    /// The project, if known.
    pub project: Option<ProjectId>,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it was read last.
    pub synced_at: Option<Timestamp>,
    /// Location and title.
    pub body: Sealed,
}

/// A source with what was counted about it.
#[derive(Clone, Debug)]
pub struct SourceSummaryRow {
    /// The source.
    pub source: SourceRow,
    /// Sealed name of its project.
    pub project_name: Option<Sealed>,
    /// Documents it has.
    pub documents: u64,
    /// Memories made of them that recall may return.
    pub chunks: u64,
}

/// A memory made of a piece of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChunkRow {
    /// The memory.
    pub memory: MemoryId,
    /// Of its text and place.
    pub chunk: Fingerprint,
}
