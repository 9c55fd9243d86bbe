//! Proposals about names, on a thread that may block.

use async_trait::async_trait;
use skep_domain::{Principal, ProposalId, ProposalState, Timestamp};
use skep_store::backend::{OntologyRows, PageOf};
use skep_store::row::ProposalRow;
use skep_store::{ScopeKey, StoreError};

use super::SqliteTx;
use crate::ontology;

#[async_trait]
impl OntologyRows for SqliteTx {
    async fn put_proposal(&mut self, scope: &ScopeKey, row: ProposalRow) -> Result<(), StoreError> {
        self.run(scope, move |rows| ontology::put(rows, &row)).await
    }

    async fn proposals(
        &mut self,
        scope: &ScopeKey,
        state: ProposalState,
        page: PageOf<ProposalId>,
    ) -> Result<Vec<ProposalRow>, StoreError> {
        self.run(scope, move |rows| ontology::list(rows, state, page))
            .await
    }

    async fn decide_proposal(
        &mut self,
        scope: &ScopeKey,
        id: ProposalId,
        state: ProposalState,
        by: (Principal, Timestamp),
    ) -> Result<bool, StoreError> {
        self.run(scope, move |rows| ontology::decide(rows, id, state, by))
            .await
    }
}
