//! Rows of the ledger: entries' hashes, the heads of their trees, checkpoints.

use skep_crypto::Sealed;
use skep_domain::{CredentialId, Id, OrganizationId, Principal, Timestamp, UsageId, WorkspaceId};
use skep_ledger::{Hash, Log};

/// Whose entries stand in the log of nobody.
const NOBODY: [u8; 16] = [0; 16];

/// One log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogKey {
    /// Whose; nobody's before somebody is known.
    pub organization: Option<OrganizationId>,
    /// Which of theirs.
    pub log: Log,
}

/// The tree of a log: all that an append needs of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeadRow {
    /// The place of its first leaf. The record of decisions has entries from before there was a tree.
    pub first: u64,
    /// Its leaves.
    pub size: u64,
    /// The roots of its complete subtrees, 32 bytes each.
    pub frontier: Vec<u8>,
}

/// The root of a complete subtree, kept so that a proof need not read all leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TileRow {
    /// The logarithm of its leaves: 8, 16 or 24.
    pub level: u8,
    /// Its place among those of its level.
    pub position: u64,
    /// Its root.
    pub hash: Hash,
}

/// What an append makes of a tree.
#[derive(Clone, Debug)]
pub struct Growth {
    /// Its head from now on.
    pub head: HeadRow,
    /// What became complete.
    pub tiles: Vec<TileRow>,
}

/// One entry of what was used.
#[derive(Clone, Debug)]
pub struct UsageRow {
    /// Its id, unique in its organization.
    pub id: UsageId,
    /// Its place, from 1, without gaps.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// Where.
    pub workspace: Option<WorkspaceId>,
    /// Who.
    pub principal: Option<Principal>,
    /// With what.
    pub credential: Option<CredentialId>,
    /// The hash of its line.
    pub leaf: Hash,
    /// Its line.
    pub body: Sealed,
}

/// That an entry of the record of decisions names something as shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeenRow {
    /// Whose record.
    pub organization: OrganizationId,
    /// What was shown, by its id.
    pub item: [u8; 16],
    /// The entry's place.
    pub seq: u64,
}

/// A signed head of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckpointRow {
    /// The leaves that it stands for.
    pub size: u64,
    /// Their root.
    pub root: Hash,
    /// When it was signed.
    pub at: Timestamp,
    /// The signed note.
    pub note: String,
}

/// A log that has entries after its last checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AheadRow {
    /// Which.
    pub key: LogKey,
    /// Its leaves.
    pub size: u64,
    /// Those that a checkpoint stands for.
    pub signed: u64,
    /// When the last checkpoint was signed, if there is one.
    pub signed_at: Option<Timestamp>,
}

impl LogKey {
    /// The log of an organization, or of nobody.
    #[must_use]
    pub fn new(organization: Option<OrganizationId>, log: Log) -> Self {
        Self { organization, log }
    }

    /// As a column: zeros for nobody.
    #[must_use]
    pub fn owner(self) -> [u8; 16] {
        self.organization.map_or(NOBODY, Id::to_bytes)
    }

    /// From columns; `None` for the number of no log.
    #[must_use]
    pub fn from_columns(owner: [u8; 16], log: u8) -> Option<Self> {
        let organization = (owner != NOBODY).then(|| OrganizationId::from_bytes(owner));
        Log::from_code(log).map(|log| Self { organization, log })
    }
}
