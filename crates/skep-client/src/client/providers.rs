//! Providers of models, and what is put into calls.

use skep_api::RouteId;
use skep_api::context::{AgentContext, AgentContexts, SetAgentContextRequest};
use skep_api::provider::{
    Provider, Providers, RemoveProviderRequest, RemovedProvider, SetProviderRequest,
};

use super::{Client, PATIENCE};
use crate::ClientError;

impl Client {
    /// `GET /api/v1/providers`.
    ///
    /// # Errors
    /// As [`ClientError`] says; so with every method.
    pub async fn providers(&mut self) -> Result<Providers, ClientError> {
        self.get(RouteId::ProviderList, None, &[]).await
    }

    /// `POST /api/v1/providers`.
    pub async fn set_provider(
        &mut self,
        request: &SetProviderRequest,
    ) -> Result<Provider, ClientError> {
        self.post(RouteId::ProviderSet, None, Some(request), PATIENCE)
            .await
    }

    /// `POST /api/v1/providers/remove`.
    pub async fn remove_provider(
        &mut self,
        request: &RemoveProviderRequest,
    ) -> Result<RemovedProvider, ClientError> {
        self.post(RouteId::ProviderRemove, None, Some(request), PATIENCE)
            .await
    }

    /// `GET /api/v1/agent-contexts`.
    pub async fn agent_contexts(&mut self) -> Result<AgentContexts, ClientError> {
        self.get(RouteId::AgentContextList, None, &[]).await
    }

    /// `POST /api/v1/agents/{id}/context`.
    pub async fn set_agent_context(
        &mut self,
        id: &str,
        request: &SetAgentContextRequest,
    ) -> Result<AgentContext, ClientError> {
        self.post(RouteId::AgentContextSet, Some(id), Some(request), PATIENCE)
            .await
    }
}
