//! Capture: batches, gates, rules, pauses, bindings, how far imports came.

use skep_api::RouteId;
use skep_api::capture::{
    Binding, BindingsResponse, CaptureRequest, CaptureResponse, CursorRequest, CursorResponse,
    PauseRequest, PausesResponse, ResumeRequest, RulesResponse, SessionCaptureRequest,
    UnbindRequest, UnbindResponse,
};

use super::{CAPTURE_PATIENCE, Client, PATIENCE};
use crate::ClientError;

impl Client {
    /// `POST /api/v1/capture`.
    ///
    /// # Errors
    /// As [`ClientError`] says; so with every method.
    pub async fn capture(
        &mut self,
        batch: &CaptureRequest,
    ) -> Result<CaptureResponse, ClientError> {
        self.post(RouteId::Capture, None, Some(batch), CAPTURE_PATIENCE)
            .await
    }

    /// `GET /api/v1/capture/rules`.
    pub async fn capture_rules(&mut self) -> Result<RulesResponse, ClientError> {
        self.get(RouteId::CaptureRules, None, &[]).await
    }

    /// `POST /api/v1/capture/pause`.
    pub async fn pause(&mut self, request: &PauseRequest) -> Result<PausesResponse, ClientError> {
        self.post(RouteId::CapturePause, None, Some(request), PATIENCE)
            .await
    }

    /// `POST /api/v1/capture/resume`.
    pub async fn resume(&mut self, request: &ResumeRequest) -> Result<PausesResponse, ClientError> {
        self.post(RouteId::CaptureResume, None, Some(request), PATIENCE)
            .await
    }

    /// `POST /api/v1/sessions/{id}/capture`.
    pub async fn switch_session(
        &mut self,
        id: &str,
        request: &SessionCaptureRequest,
    ) -> Result<SessionCaptureRequest, ClientError> {
        self.post(RouteId::SessionCapture, Some(id), Some(request), PATIENCE)
            .await
    }

    /// `GET /api/v1/projects`.
    pub async fn bindings(&mut self) -> Result<BindingsResponse, ClientError> {
        self.get(RouteId::ProjectList, None, &[]).await
    }

    /// `POST /api/v1/projects/bind`.
    pub async fn bind(&mut self, request: &Binding) -> Result<Binding, ClientError> {
        self.post(RouteId::ProjectBind, None, Some(request), PATIENCE)
            .await
    }

    /// `POST /api/v1/projects/unbind`.
    pub async fn unbind(&mut self, request: &UnbindRequest) -> Result<UnbindResponse, ClientError> {
        self.post(RouteId::ProjectUnbind, None, Some(request), PATIENCE)
            .await
    }

    /// `POST /api/v1/imports/cursor`.
    pub async fn import_cursor(
        &mut self,
        request: &CursorRequest,
    ) -> Result<CursorResponse, ClientError> {
        self.post(RouteId::ImportCursor, None, Some(request), PATIENCE)
            .await
    }
}
