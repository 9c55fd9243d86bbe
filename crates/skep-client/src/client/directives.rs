//! Standing texts that models are given.

use skep_api::RouteId;
use skep_api::directive::{
    Directive, DirectiveQuery, Directives, DirectivesQuery, DraftDirectiveRequest,
    PromoteDirectiveRequest, PromotedDirective,
};

use super::{Client, PATIENCE};
use crate::ClientError;

impl Client {
    /// `GET /api/v1/directives`, of `workspace` or `organization`.
    ///
    /// # Errors
    /// As [`ClientError`] says; so with every method.
    pub async fn directives(&mut self, query: &DirectivesQuery) -> Result<Directives, ClientError> {
        let query = [("of", query.of.clone())];
        self.get(RouteId::DirectiveList, None, &query).await
    }

    /// `GET /api/v1/directives/version`.
    pub async fn directive(&mut self, query: &DirectiveQuery) -> Result<Directive, ClientError> {
        let query = [
            ("of", query.of.clone()),
            ("version", query.version.map(|version| version.to_string())),
        ];
        self.get(RouteId::DirectiveGet, None, &query).await
    }

    /// `POST /api/v1/directives`.
    pub async fn draft_directive(
        &mut self,
        request: &DraftDirectiveRequest,
    ) -> Result<Directive, ClientError> {
        self.post(RouteId::DirectiveDraft, None, Some(request), PATIENCE)
            .await
    }

    /// `POST /api/v1/directives/promote`.
    pub async fn promote_directive(
        &mut self,
        request: &PromoteDirectiveRequest,
    ) -> Result<PromotedDirective, ClientError> {
        self.post(RouteId::DirectivePromote, None, Some(request), PATIENCE)
            .await
    }
}
