//! Rows of standing texts.

use skep_crypto::Sealed;
use skep_domain::{DirectiveId, Principal, Timestamp, WorkspaceId};

/// A version of a standing text.
#[derive(Clone, Debug)]
pub struct DirectiveRow {
    /// Its id.
    pub id: DirectiveId,
    /// Where it counts; zeros for every workspace of the organization.
    pub workspace: WorkspaceId,
    /// Counted from one for each place; given by the backend.
    pub version: u32,
    /// Who wrote it.
    pub drafter: Principal,
    /// When.
    pub at: Timestamp,
    /// What it says.
    pub body: Sealed,
}

/// That a version counts from then on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PromotionRow {
    /// Where; zeros for every workspace of the organization.
    pub workspace: WorkspaceId,
    /// Counted from one for each place; given by the backend.
    pub ordinal: u32,
    /// Which version; 0 for none.
    pub version: u32,
    /// Who said so.
    pub promoter: Principal,
    /// When.
    pub at: Timestamp,
}
