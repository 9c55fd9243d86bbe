//! Recall, what explains it, what is injected, and names.

use skep_api::RouteId;
use skep_api::explain::{ExplainRequest, Explanation};
use skep_api::inject::{InjectRequest, InjectResponse, Injection};
use skep_api::ontology::{
    Decision, EntityList, EntityQuery, Proposal, ProposalQuery, ProposalRequest, RelationRequest,
    RelationResponse,
};
use skep_api::page::{Page, PageQuery};
use skep_api::recall::{RecallRequest, RecallResponse};

use super::{Client, PATIENCE, paging};
use crate::ClientError;

impl Client {
    /// `POST /api/v1/recall`.
    ///
    /// # Errors
    /// As [`ClientError`] says; so with every method.
    pub async fn recall(&mut self, request: &RecallRequest) -> Result<RecallResponse, ClientError> {
        self.post(RouteId::Recall, None, Some(request), PATIENCE)
            .await
    }

    /// `POST /api/v1/explain/recall`.
    pub async fn explain_recall(
        &mut self,
        request: &ExplainRequest,
    ) -> Result<Explanation, ClientError> {
        self.post(RouteId::ExplainRecall, None, Some(request), PATIENCE)
            .await
    }

    /// `POST /api/v1/inject`.
    pub async fn inject(&mut self, request: &InjectRequest) -> Result<InjectResponse, ClientError> {
        self.post(RouteId::Inject, None, Some(request), PATIENCE)
            .await
    }

    /// `GET /api/v1/injections`.
    pub async fn injections(&mut self, page: &PageQuery) -> Result<Page<Injection>, ClientError> {
        self.get(RouteId::InjectionList, None, &paging(page)).await
    }

    /// `GET /api/v1/entities`.
    pub async fn entities(&mut self, query: &EntityQuery) -> Result<EntityList, ClientError> {
        let limit = query.limit.map(|limit| limit.to_string());
        self.get(RouteId::EntityList, None, &[("limit", limit)])
            .await
    }

    /// `POST /api/v1/relations`.
    pub async fn relations(&mut self, name: String) -> Result<RelationResponse, ClientError> {
        let request = RelationRequest { name };
        self.post(RouteId::RelationList, None, Some(&request), PATIENCE)
            .await
    }

    /// `POST /api/v1/ontology/proposals`.
    pub async fn propose(&mut self, request: &ProposalRequest) -> Result<Proposal, ClientError> {
        self.post(RouteId::ProposalCreate, None, Some(request), PATIENCE)
            .await
    }

    /// `GET /api/v1/ontology/proposals`.
    pub async fn proposals(
        &mut self,
        query: &ProposalQuery,
    ) -> Result<Page<Proposal>, ClientError> {
        let parameters = [
            ("limit", query.limit.map(|limit| limit.to_string())),
            ("cursor", query.cursor.clone()),
            ("state", query.state.clone()),
        ];
        self.get(RouteId::ProposalList, None, &parameters).await
    }

    /// `POST /api/v1/ontology/proposals/{id}/accept` or `…/reject`.
    pub async fn decide_proposal(
        &mut self,
        id: &str,
        accepted: bool,
    ) -> Result<Decision, ClientError> {
        let route = if accepted {
            RouteId::ProposalAccept
        } else {
            RouteId::ProposalReject
        };
        self.post(route, Some(id), None::<&()>, PATIENCE).await
    }
}
