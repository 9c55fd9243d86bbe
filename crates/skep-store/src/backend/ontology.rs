//! The part of the port that keeps proposals about names.

use async_trait::async_trait;
use skep_domain::{Principal, ProposalId, ProposalState, Timestamp};

use super::PageOf;
use crate::StoreError;
use crate::row::ProposalRow;
use crate::scope::ScopeKey;

/// Proposals about names.
#[async_trait]
pub trait OntologyRows: Send {
    /// Keeps a proposal.
    async fn put_proposal(&mut self, scope: &ScopeKey, row: ProposalRow) -> Result<(), StoreError>;
    /// Proposals in a state, newest first.
    async fn proposals(
        &mut self,
        scope: &ScopeKey,
        state: ProposalState,
        page: PageOf<ProposalId>,
    ) -> Result<Vec<ProposalRow>, StoreError>;
    /// Decides one that waits. `false` when none with this id does.
    async fn decide_proposal(
        &mut self,
        scope: &ScopeKey,
        id: ProposalId,
        state: ProposalState,
        by: (Principal, Timestamp),
    ) -> Result<bool, StoreError>;
}
