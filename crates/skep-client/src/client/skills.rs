//! Skills.

use skep_api::RouteId;
use skep_api::page::{Page, PageQuery};
use skep_api::skill::{ApprovalRequest, Skill, SkillFolder, SkillQuery, SkillReason, SkillRequest};

use super::{Client, PATIENCE, paging};
use crate::ClientError;

impl Client {
    /// `POST /api/v1/skills`.
    ///
    /// # Errors
    /// As [`ClientError`] says; so with every method.
    pub async fn propose_skill(&mut self, request: &SkillRequest) -> Result<Skill, ClientError> {
        self.post(RouteId::SkillCreate, None, Some(request), PATIENCE)
            .await
    }

    /// `GET /api/v1/skills`.
    pub async fn skills(&mut self, page: &PageQuery) -> Result<Page<Skill>, ClientError> {
        self.get(RouteId::SkillList, None, &paging(page)).await
    }

    /// `GET /api/v1/skills/{id}`.
    pub async fn skill(&mut self, id: &str) -> Result<SkillFolder, ClientError> {
        self.get(RouteId::SkillGet, Some(id), &[]).await
    }

    /// `GET /api/v1/skills/review`.
    pub async fn skills_to_review(
        &mut self,
        query: &SkillQuery,
    ) -> Result<Page<Skill>, ClientError> {
        let parameters = [
            ("limit", query.limit.map(|limit| limit.to_string())),
            ("cursor", query.cursor.clone()),
            ("state", query.state.clone()),
        ];
        self.get(RouteId::SkillReviewList, None, &parameters).await
    }

    /// `GET /api/v1/skills/review/{id}`.
    pub async fn skill_to_review(&mut self, id: &str) -> Result<SkillFolder, ClientError> {
        self.get(RouteId::SkillReviewGet, Some(id), &[]).await
    }

    /// `POST /api/v1/skills/{id}/approve`.
    pub async fn approve_skill(
        &mut self,
        id: &str,
        request: &ApprovalRequest,
    ) -> Result<Skill, ClientError> {
        self.post(RouteId::SkillApprove, Some(id), Some(request), PATIENCE)
            .await
    }

    /// `POST /api/v1/skills/{id}/reject`.
    pub async fn reject_skill(&mut self, id: &str, reason: String) -> Result<Skill, ClientError> {
        let request = SkillReason { reason };
        self.post(RouteId::SkillReject, Some(id), Some(&request), PATIENCE)
            .await
    }

    /// `POST /api/v1/skills/{id}/withdraw`.
    pub async fn withdraw_skill(&mut self, id: &str, reason: String) -> Result<Skill, ClientError> {
        let request = SkillReason { reason };
        self.post(RouteId::SkillWithdraw, Some(id), Some(&request), PATIENCE)
            .await
    }
}
