//! One's own sessions and second factors, the members of the organization and its invitations.

use skep_api::RouteId;
use skep_api::page::{Page, PageQuery};
use skep_api::people::{
    AgainRequest, Browsers, Ceremony, CodeRequest, Done, FactorResponse, FactorRule,
    FactorRuleRequest, Factors, FinishPasskeyRequest, InviteRequest, Invited, Invites, Member,
    MemberRequest, PasswordRequest, ResetToken, TotpEnrolment, WithdrawRequest,
};
use skep_api::sso::{SetSsoRequest, Sso, SsoReport};

use super::{Client, PATIENCE};
use crate::ClientError;

impl Client {
    /// `POST /api/v1/setup/token`.
    pub async fn setup_token(&mut self) -> Result<ResetToken, ClientError> {
        self.post::<(), _>(RouteId::SetupToken, None, None, PATIENCE)
            .await
    }

    /// `GET /api/v1/second-factor`.
    pub async fn factor_rule(&mut self) -> Result<FactorRule, ClientError> {
        self.get(RouteId::FactorRuleGet, None, &[]).await
    }

    /// `POST /api/v1/second-factor`.
    pub async fn set_factor_rule(
        &mut self,
        request: &FactorRuleRequest,
    ) -> Result<FactorRule, ClientError> {
        self.post(RouteId::FactorRuleSet, None, Some(request), PATIENCE)
            .await
    }

    /// `GET /api/v1/sso`.
    pub async fn sso(&mut self) -> Result<Sso, ClientError> {
        self.get(RouteId::SsoGet, None, &[]).await
    }

    /// `POST /api/v1/sso`.
    pub async fn set_sso(&mut self, request: &SetSsoRequest) -> Result<Sso, ClientError> {
        self.post(RouteId::SsoSet, None, Some(request), PATIENCE)
            .await
    }

    /// `POST /api/v1/sso/test`.
    pub async fn test_sso(&mut self) -> Result<SsoReport, ClientError> {
        self.post::<(), _>(RouteId::SsoTest, None, None, PATIENCE)
            .await
    }

    /// `POST /api/v1/sso/remove`.
    pub async fn remove_sso(&mut self) -> Result<Done, ClientError> {
        self.post::<(), _>(RouteId::SsoRemove, None, None, PATIENCE)
            .await
    }

    /// `POST /api/v1/auth/logout`.
    pub async fn log_out(&mut self) -> Result<Done, ClientError> {
        self.post::<(), _>(RouteId::AuthLogout, None, None, PATIENCE)
            .await
    }

    /// `GET /api/v1/auth/sessions`.
    pub async fn browsers(&mut self) -> Result<Browsers, ClientError> {
        self.get(RouteId::BrowserList, None, &[]).await
    }

    /// `POST /api/v1/auth/sessions/{id}/end`.
    pub async fn end_browser(&mut self, id: &str) -> Result<Done, ClientError> {
        self.post::<(), _>(RouteId::BrowserEnd, Some(id), None, PATIENCE)
            .await
    }

    /// `POST /api/v1/auth/password`.
    pub async fn change_password(
        &mut self,
        request: &PasswordRequest,
    ) -> Result<Done, ClientError> {
        self.post(RouteId::PasswordChange, None, Some(request), PATIENCE)
            .await
    }

    /// `POST /api/v1/auth/step-up`.
    pub async fn step_up(&mut self, request: &CodeRequest) -> Result<FactorResponse, ClientError> {
        self.post(RouteId::StepUp, None, Some(request), PATIENCE)
            .await
    }

    /// `POST /api/v1/auth/step-up/passkey`.
    pub async fn begin_step_up(&mut self) -> Result<Ceremony, ClientError> {
        self.post::<(), _>(RouteId::StepUpPasskey, None, None, PATIENCE)
            .await
    }

    /// `POST /api/v1/auth/step-up/passkey/finish`.
    pub async fn finish_step_up(
        &mut self,
        request: &FinishPasskeyRequest,
    ) -> Result<FactorResponse, ClientError> {
        self.post(RouteId::StepUpPasskeyFinish, None, Some(request), PATIENCE)
            .await
    }

    /// `GET /api/v1/auth/mfa`.
    pub async fn factors(&mut self) -> Result<Factors, ClientError> {
        self.get(RouteId::FactorList, None, &[]).await
    }

    /// `POST /api/v1/auth/mfa/totp`.
    pub async fn enrol_totp(
        &mut self,
        request: &AgainRequest,
    ) -> Result<TotpEnrolment, ClientError> {
        self.post(RouteId::TotpEnrol, None, Some(request), PATIENCE)
            .await
    }

    /// `POST /api/v1/auth/mfa/totp/confirm`.
    pub async fn confirm_totp(
        &mut self,
        request: &CodeRequest,
    ) -> Result<FactorResponse, ClientError> {
        self.post(RouteId::TotpConfirm, None, Some(request), PATIENCE)
            .await
    }

    /// `POST /api/v1/auth/mfa/recovery`.
    pub async fn renew_recovery_codes(&mut self) -> Result<FactorResponse, ClientError> {
        self.post::<(), _>(RouteId::RecoveryRenew, None, None, PATIENCE)
            .await
    }

    /// `POST /api/v1/auth/mfa/{id}/remove`.
    pub async fn remove_factor(&mut self, id: &str) -> Result<Done, ClientError> {
        self.post::<(), _>(RouteId::FactorRemove, Some(id), None, PATIENCE)
            .await
    }

    /// `POST /api/v1/auth/mfa/passkey`.
    pub async fn begin_passkey(&mut self, request: &AgainRequest) -> Result<Ceremony, ClientError> {
        self.post(RouteId::PasskeyBegin, None, Some(request), PATIENCE)
            .await
    }

    /// `POST /api/v1/auth/mfa/passkey/finish`.
    pub async fn finish_passkey(
        &mut self,
        request: &FinishPasskeyRequest,
    ) -> Result<FactorResponse, ClientError> {
        self.post(RouteId::PasskeyFinish, None, Some(request), PATIENCE)
            .await
    }

    /// `POST /api/v1/invites`.
    pub async fn invite(&mut self, request: &InviteRequest) -> Result<Invited, ClientError> {
        self.post(RouteId::InviteCreate, None, Some(request), PATIENCE)
            .await
    }

    /// `GET /api/v1/invites`.
    pub async fn invites(&mut self) -> Result<Invites, ClientError> {
        self.get(RouteId::InviteList, None, &[]).await
    }

    /// `POST /api/v1/invites/withdraw`.
    pub async fn withdraw_invite(
        &mut self,
        request: &WithdrawRequest,
    ) -> Result<Done, ClientError> {
        self.post(RouteId::InviteWithdraw, None, Some(request), PATIENCE)
            .await
    }

    /// `GET /api/v1/members`.
    pub async fn list_members(&mut self, page: &PageQuery) -> Result<Page<Member>, ClientError> {
        self.get(RouteId::MemberList, None, &super::paging(page))
            .await
    }

    /// `PATCH /api/v1/members/{id}`.
    pub async fn edit_member(
        &mut self,
        id: &str,
        request: &MemberRequest,
    ) -> Result<Done, ClientError> {
        self.post(RouteId::MemberEdit, Some(id), Some(request), PATIENCE)
            .await
    }

    /// `POST /api/v1/members/{id}/remove`.
    pub async fn remove_member(&mut self, id: &str) -> Result<Done, ClientError> {
        self.post::<(), _>(RouteId::MemberRemove, Some(id), None, PATIENCE)
            .await
    }

    /// `POST /api/v1/members/{id}/reset`.
    pub async fn reset_member(&mut self, id: &str) -> Result<ResetToken, ClientError> {
        self.post::<(), _>(RouteId::MemberReset, Some(id), None, PATIENCE)
            .await
    }
}
