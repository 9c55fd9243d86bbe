//! Proposals about names, sealed on the way in and opened on the way out.

use skep_authz::rights::{MemoryWrite, OntologyWrite};
use skep_authz::{CanRead, Upkeep};
use skep_domain::{Id, OntologyAction, ProposalId, ProposalState, Timestamp};

use super::Tx;
use crate::StoreError;
use crate::backend::PageOf;
use crate::body::{BodyReader, BodyWriter};
use crate::keys::{WorkspaceKeys, column};
use crate::row::ProposalRow;
use crate::value::{NewProposal, Proposal};

/// Accepted proposals that an index follows, at most.
const RULES: u32 = 2_000;

impl Tx<MemoryWrite> {
    /// Keeps a proposal of whoever acts.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn propose(&mut self, new: &NewProposal) -> Result<(), StoreError> {
        let body = BodyWriter::default()
            .text(new.action.as_str())
            .text(&new.name)
            .option(new.other.as_deref())
            .text(&new.reason)
            .finish();
        let row = ProposalRow {
            id: new.id,
            state: ProposalState::Waiting,
            proposer: self.owner()?,
            at: new.at,
            decided: None,
            body: self
                .keys
                .seal(column::PROPOSAL_BODY, new.id.to_bytes(), &body),
        };
        self.backend.put_proposal(&self.scope, row).await
    }
}

impl Tx<OntologyWrite> {
    /// Proposals in a state, newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_proposals(
        &mut self,
        state: ProposalState,
        page: PageOf<ProposalId>,
    ) -> Result<Vec<Proposal>, StoreError> {
        self.proposals(state, page).await
    }

    /// Decides a proposal that waits; `false` when there is none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn decide_proposal(
        &mut self,
        id: ProposalId,
        accepted: bool,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let state = if accepted {
            ProposalState::Accepted
        } else {
            ProposalState::Rejected
        };
        let by = (self.owner()?, at);
        self.backend
            .decide_proposal(&self.scope, id, state, by)
            .await
    }
}

impl<P: Upkeep> Tx<P> {
    /// What was accepted, newest first, for the index.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_name_rules(&mut self) -> Result<Vec<Proposal>, StoreError> {
        let page = PageOf {
            limit: RULES,
            before: None,
        };
        self.proposals(ProposalState::Accepted, page).await
    }
}

impl<P: CanRead> Tx<P> {
    async fn proposals(
        &mut self,
        state: ProposalState,
        page: PageOf<ProposalId>,
    ) -> Result<Vec<Proposal>, StoreError> {
        let rows = self.backend.proposals(&self.scope, state, page).await?;
        rows.iter()
            .map(|row| open_proposal(&self.keys, row))
            .collect()
    }
}

fn open_proposal(keys: &WorkspaceKeys, row: &ProposalRow) -> Result<Proposal, StoreError> {
    let opened = keys.open(column::PROPOSAL_BODY, row.id.to_bytes(), &row.body)?;
    let mut reader = BodyReader(opened.expose());
    let (action, name) = (reader.text()?, reader.text()?);
    let (other, reason) = (reader.option()?, reader.text()?);
    reader.end()?;
    let action = OntologyAction::parse(&action)
        .ok_or(StoreError::Damaged("a proposal asks for something unknown"))?;
    Ok(Proposal {
        proposal: NewProposal {
            id: row.id,
            action,
            name,
            other,
            reason,
            at: row.at,
        },
        state: row.state,
        proposer: row.proposer,
        decided: row.decided,
    })
}
