//! Secrets, without their values, and settings.

use skep_api::RouteId;
use skep_api::vault::{
    RecordQuery, RemoveRecordRequest, RemovedRecord, Secret, Secrets, SetSecretRequest,
    SetSettingRequest, Setting, SettingsList,
};

use super::{Client, PATIENCE};
use crate::ClientError;

impl Client {
    /// `GET /api/v1/secrets`.
    ///
    /// # Errors
    /// As [`ClientError`] says; so with every method.
    pub async fn secrets(&mut self, query: &RecordQuery) -> Result<Secrets, ClientError> {
        let parameters = [("agent", query.agent.clone())];
        self.get(RouteId::SecretList, None, &parameters).await
    }

    /// `POST /api/v1/secrets`.
    pub async fn set_secret(&mut self, request: &SetSecretRequest) -> Result<Secret, ClientError> {
        self.post(RouteId::SecretSet, None, Some(request), PATIENCE)
            .await
    }

    /// `POST /api/v1/secrets/remove`.
    pub async fn remove_secret(
        &mut self,
        request: &RemoveRecordRequest,
    ) -> Result<RemovedRecord, ClientError> {
        self.post(RouteId::SecretRemove, None, Some(request), PATIENCE)
            .await
    }

    /// `GET /api/v1/settings`.
    pub async fn settings(&mut self, query: &RecordQuery) -> Result<SettingsList, ClientError> {
        let parameters = [("agent", query.agent.clone())];
        self.get(RouteId::SettingList, None, &parameters).await
    }

    /// `POST /api/v1/settings`.
    pub async fn set_setting(
        &mut self,
        request: &SetSettingRequest,
    ) -> Result<Setting, ClientError> {
        self.post(RouteId::SettingSet, None, Some(request), PATIENCE)
            .await
    }

    /// `POST /api/v1/settings/remove`.
    pub async fn remove_setting(
        &mut self,
        request: &RemoveRecordRequest,
    ) -> Result<RemovedRecord, ClientError> {
        self.post(RouteId::SettingRemove, None, Some(request), PATIENCE)
            .await
    }
}
