//! Templates and who may use them.

use skep_api::RouteId;
use skep_api::page::{Page, PageQuery};
use skep_api::template::{
    Access, ApproveTemplateRequest, AskAccessRequest, GiveAccessRequest, GrantAccessRequest,
    Template, TemplateQuery, TemplateReason, TemplateShown, TemplateText,
};

use super::{Client, PATIENCE, paging};
use crate::ClientError;

impl Client {
    /// `POST /api/v1/templates`.
    ///
    /// # Errors
    /// As [`ClientError`] says; so with every method.
    pub async fn draft_template(&mut self, text: &TemplateText) -> Result<Template, ClientError> {
        self.post(RouteId::TemplateCreate, None, Some(text), PATIENCE)
            .await
    }

    /// `GET /api/v1/templates`.
    pub async fn templates(
        &mut self,
        query: &TemplateQuery,
    ) -> Result<Page<Template>, ClientError> {
        let parameters = [
            ("limit", query.limit.map(|limit| limit.to_string())),
            ("cursor", query.cursor.clone()),
            ("state", query.state.clone()),
        ];
        self.get(RouteId::TemplateList, None, &parameters).await
    }

    /// `GET /api/v1/templates/{id}`.
    pub async fn template(&mut self, id: &str) -> Result<TemplateShown, ClientError> {
        self.get(RouteId::TemplateGet, Some(id), &[]).await
    }

    /// `POST /api/v1/templates/{id}/approve`.
    pub async fn approve_template(
        &mut self,
        id: &str,
        request: &ApproveTemplateRequest,
    ) -> Result<Template, ClientError> {
        self.post(RouteId::TemplateApprove, Some(id), Some(request), PATIENCE)
            .await
    }

    /// `POST /api/v1/templates/{id}/reject`.
    pub async fn reject_template(
        &mut self,
        id: &str,
        reason: String,
    ) -> Result<Template, ClientError> {
        let request = TemplateReason { reason };
        self.post(RouteId::TemplateReject, Some(id), Some(&request), PATIENCE)
            .await
    }

    /// `POST /api/v1/templates/{id}/withdraw`.
    pub async fn withdraw_template(
        &mut self,
        id: &str,
        reason: String,
    ) -> Result<Template, ClientError> {
        let request = TemplateReason { reason };
        self.post(
            RouteId::TemplateWithdraw,
            Some(id),
            Some(&request),
            PATIENCE,
        )
        .await
    }

    /// `GET /api/v1/access`.
    pub async fn access(&mut self, page: &PageQuery) -> Result<Page<Access>, ClientError> {
        self.get(RouteId::AccessList, None, &paging(page)).await
    }

    /// `POST /api/v1/access`.
    pub async fn ask_access(&mut self, request: &AskAccessRequest) -> Result<Access, ClientError> {
        self.post(RouteId::AccessAsk, None, Some(request), PATIENCE)
            .await
    }

    /// `POST /api/v1/access/grant`.
    pub async fn give_access(
        &mut self,
        request: &GiveAccessRequest,
    ) -> Result<Access, ClientError> {
        self.post(RouteId::AccessGive, None, Some(request), PATIENCE)
            .await
    }

    /// `POST /api/v1/access/{id}/grant`.
    pub async fn grant_access(
        &mut self,
        id: &str,
        seconds: Option<u64>,
    ) -> Result<Access, ClientError> {
        let request = GrantAccessRequest { seconds };
        self.post(RouteId::AccessGrant, Some(id), Some(&request), PATIENCE)
            .await
    }

    /// `POST /api/v1/access/{id}/refuse`.
    pub async fn refuse_access(&mut self, id: &str, reason: String) -> Result<Access, ClientError> {
        let request = TemplateReason { reason };
        self.post(RouteId::AccessRefuse, Some(id), Some(&request), PATIENCE)
            .await
    }

    /// `POST /api/v1/access/{id}/revoke`.
    pub async fn revoke_access(&mut self, id: &str, reason: String) -> Result<Access, ClientError> {
        let request = TemplateReason { reason };
        self.post(RouteId::AccessRevoke, Some(id), Some(&request), PATIENCE)
            .await
    }
}
