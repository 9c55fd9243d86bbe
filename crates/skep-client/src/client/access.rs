//! Keys, tokens, agents, organizations, workspaces, the record of decisions.

use skep_api::RouteId;
use skep_api::access::{
    Agent, AuditEntry, CreateAgentRequest, CreateKeyRequest, CreateTokenRequest, CreatedKey,
    EditAgentRequest, Key, NameRequest, Organization, Organizations, Revoked, StandingRequest,
    Whoami, Workspace, Workspaces,
};
use skep_api::ledger::{
    CheckpointQuery, Checkpoints, EraseEntriesRequest, ErasedEntries, Proof, ProofQuery,
};
use skep_api::own_key::{OwnKey, OwnKeyRequest, OwnKeys};
use skep_api::page::{Page, PageQuery};

use super::{Client, PATIENCE};
use crate::ClientError;

impl Client {
    /// `GET /api/v1/whoami`.
    ///
    /// # Errors
    /// As [`ClientError`] says; so with every method.
    pub async fn whoami(&mut self) -> Result<Whoami, ClientError> {
        self.get(RouteId::Whoami, None, &[]).await
    }

    /// `POST /api/v1/keys`.
    pub async fn create_key(
        &mut self,
        request: &CreateKeyRequest,
    ) -> Result<CreatedKey, ClientError> {
        self.post(RouteId::KeyCreate, None, Some(request), PATIENCE)
            .await
    }

    /// `GET /api/v1/keys`.
    pub async fn keys(&mut self, page: &PageQuery) -> Result<Page<Key>, ClientError> {
        self.get(RouteId::KeyList, None, &paging(page)).await
    }

    /// `POST /api/v1/keys/{id}/revoke`.
    pub async fn revoke_key(&mut self, id: &str) -> Result<Revoked, ClientError> {
        self.post::<(), _>(RouteId::KeyRevoke, Some(id), None, PATIENCE)
            .await
    }

    /// `POST /api/v1/tokens`.
    pub async fn create_token(
        &mut self,
        request: &CreateTokenRequest,
    ) -> Result<CreatedKey, ClientError> {
        self.post(RouteId::TokenCreate, None, Some(request), PATIENCE)
            .await
    }

    /// `GET /api/v1/tokens`.
    pub async fn tokens(&mut self, page: &PageQuery) -> Result<Page<Key>, ClientError> {
        self.get(RouteId::TokenList, None, &paging(page)).await
    }

    /// `POST /api/v1/tokens/{id}/revoke`.
    pub async fn revoke_token(&mut self, id: &str) -> Result<Revoked, ClientError> {
        self.post::<(), _>(RouteId::TokenRevoke, Some(id), None, PATIENCE)
            .await
    }

    /// `POST /api/v1/agents`.
    pub async fn create_agent(
        &mut self,
        request: &CreateAgentRequest,
    ) -> Result<Agent, ClientError> {
        self.post(RouteId::AgentCreate, None, Some(request), PATIENCE)
            .await
    }

    /// `GET /api/v1/agents`.
    pub async fn agents(&mut self, page: &PageQuery) -> Result<Page<Agent>, ClientError> {
        self.get(RouteId::AgentList, None, &paging(page)).await
    }

    /// `PATCH /api/v1/agents/{id}`.
    pub async fn edit_agent(
        &mut self,
        id: &str,
        request: &EditAgentRequest,
    ) -> Result<Agent, ClientError> {
        self.post(RouteId::AgentEdit, Some(id), Some(request), PATIENCE)
            .await
    }

    /// `GET /api/v1/orgs`.
    pub async fn organizations(&mut self) -> Result<Organizations, ClientError> {
        self.get(RouteId::OrganizationList, None, &[]).await
    }

    /// `PATCH /api/v1/orgs`.
    pub async fn name_organization(
        &mut self,
        request: &NameRequest,
    ) -> Result<Organization, ClientError> {
        self.post(RouteId::OrganizationName, None, Some(request), PATIENCE)
            .await
    }

    /// `GET /api/v1/orgs/key`.
    pub async fn own_key(&mut self) -> Result<OwnKey, ClientError> {
        self.get(RouteId::OwnKeyGet, None, &[]).await
    }

    /// `POST /api/v1/orgs/key/withdraw`.
    pub async fn withdraw_key(&mut self) -> Result<OwnKey, ClientError> {
        self.post::<(), _>(RouteId::OwnKeyWithdraw, None, None, PATIENCE)
            .await
    }

    /// `POST /api/v1/orgs/key/restore`.
    pub async fn restore_key(&mut self) -> Result<OwnKey, ClientError> {
        self.post::<(), _>(RouteId::OwnKeyRestore, None, None, PATIENCE)
            .await
    }

    /// `GET /api/v1/system/keys/organizations`.
    pub async fn own_keys(&mut self) -> Result<OwnKeys, ClientError> {
        self.get(RouteId::OwnKeyList, None, &[]).await
    }

    /// `POST /api/v1/system/keys/organizations/enclose`.
    pub async fn enclose_key(&mut self, request: &OwnKeyRequest) -> Result<OwnKey, ClientError> {
        self.post(RouteId::OwnKeyEnclose, None, Some(request), PATIENCE)
            .await
    }

    /// `POST /api/v1/system/keys/organizations/change`.
    pub async fn change_key(&mut self, request: &OwnKeyRequest) -> Result<OwnKey, ClientError> {
        self.post(RouteId::OwnKeyChange, None, Some(request), PATIENCE)
            .await
    }

    /// `POST /api/v1/system/keys/organizations/release`.
    pub async fn release_key(&mut self, request: &OwnKeyRequest) -> Result<OwnKey, ClientError> {
        self.post(RouteId::OwnKeyRelease, None, Some(request), PATIENCE)
            .await
    }

    /// `POST /api/v1/orgs/standing`.
    pub async fn set_organization_standing(
        &mut self,
        request: &StandingRequest,
    ) -> Result<Organization, ClientError> {
        self.post(RouteId::OrganizationStanding, None, Some(request), PATIENCE)
            .await
    }

    /// `GET /api/v1/workspaces`.
    pub async fn workspaces(&mut self) -> Result<Workspaces, ClientError> {
        self.get(RouteId::WorkspaceList, None, &[]).await
    }

    /// `POST /api/v1/workspaces`.
    pub async fn create_workspace(
        &mut self,
        request: &NameRequest,
    ) -> Result<Workspace, ClientError> {
        self.post(RouteId::WorkspaceCreate, None, Some(request), PATIENCE)
            .await
    }

    /// `GET /api/v1/audit`.
    pub async fn audit(&mut self, page: &PageQuery) -> Result<Page<AuditEntry>, ClientError> {
        self.get(RouteId::AuditList, None, &paging(page)).await
    }

    /// `GET /api/v1/audit/alerts`.
    pub async fn audit_alerts(
        &mut self,
        page: &PageQuery,
    ) -> Result<Page<AuditEntry>, ClientError> {
        self.get(RouteId::AuditAlerts, None, &paging(page)).await
    }

    /// `GET /api/v1/audit/checkpoints`.
    pub async fn checkpoints(
        &mut self,
        query: &CheckpointQuery,
    ) -> Result<Checkpoints, ClientError> {
        let parameters = [
            ("log", query.log.clone()),
            ("limit", query.limit.map(|limit| limit.to_string())),
            ("before", query.before.map(|before| before.to_string())),
        ];
        self.get(RouteId::AuditCheckpoints, None, &parameters).await
    }

    /// `POST /api/v1/audit/erase`.
    pub async fn erase_entries(
        &mut self,
        request: &EraseEntriesRequest,
    ) -> Result<ErasedEntries, ClientError> {
        self.post(RouteId::AuditErase, None, Some(request), PATIENCE)
            .await
    }

    /// `GET /api/v1/audit/proof`.
    pub async fn proof(&mut self, query: &ProofQuery) -> Result<Proof, ClientError> {
        let parameters = [
            ("log", query.log.clone()),
            ("entry", query.entry.map(|entry| entry.to_string())),
            ("old", query.old.map(|old| old.to_string())),
            ("size", query.size.map(|size| size.to_string())),
        ];
        self.get(RouteId::AuditProof, None, &parameters).await
    }
}

pub(super) fn paging(page: &PageQuery) -> [(&'static str, Option<String>); 2] {
    [
        ("limit", page.limit.map(|limit| limit.to_string())),
        ("cursor", page.cursor.clone()),
    ]
}
