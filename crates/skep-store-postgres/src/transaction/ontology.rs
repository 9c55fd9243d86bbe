//! Proposals about names.

use async_trait::async_trait;
use skep_domain::{Principal, ProposalId, ProposalState, Timestamp};
use skep_store::backend::{OntologyRows, PageOf};
use skep_store::row::ProposalRow;
use skep_store::{ScopeKey, StoreError};

use super::{PostgresTx, step};
use crate::ontology;

#[async_trait]
impl OntologyRows for PostgresTx {
    async fn put_proposal(&mut self, scope: &ScopeKey, row: ProposalRow) -> Result<(), StoreError> {
        step!(self, scope, ontology::put, &row)
    }

    async fn proposals(
        &mut self,
        scope: &ScopeKey,
        state: ProposalState,
        page: PageOf<ProposalId>,
    ) -> Result<Vec<ProposalRow>, StoreError> {
        step!(self, scope, ontology::list, state, page)
    }

    async fn decide_proposal(
        &mut self,
        scope: &ScopeKey,
        id: ProposalId,
        state: ProposalState,
        by: (Principal, Timestamp),
    ) -> Result<bool, StoreError> {
        step!(self, scope, ontology::decide, id, state, by)
    }
}
