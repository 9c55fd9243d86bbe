//! The part of the port that keeps templates and who may use them.

use async_trait::async_trait;
use skep_domain::{AccessId, AgentId, Principal, TemplateId, TemplateState, Timestamp};

use super::PageOf;
use crate::StoreError;
use crate::row::{AccessRow, Fingerprint, TemplateRow};
use crate::scope::ScopeKey;

/// Templates, a row for each version.
#[async_trait]
pub trait TemplateRows: Send {
    /// How many are in a state.
    async fn count_templates(
        &mut self,
        scope: &ScopeKey,
        state: TemplateState,
    ) -> Result<u64, StoreError>;
    /// Keeps a version. One that is there is [`StoreError::Conflict`].
    async fn put_template(&mut self, scope: &ScopeKey, row: TemplateRow) -> Result<(), StoreError>;
    /// One version.
    async fn template(
        &mut self,
        scope: &ScopeKey,
        id: TemplateId,
    ) -> Result<Option<TemplateRow>, StoreError>;
    /// Versions in a state, newest first.
    async fn templates(
        &mut self,
        scope: &ScopeKey,
        state: TemplateState,
        page: PageOf<TemplateId>,
    ) -> Result<Vec<TemplateRow>, StoreError>;
    /// Versions under a name, newest first.
    async fn templates_named(
        &mut self,
        scope: &ScopeKey,
        name: Fingerprint,
        limit: u32,
    ) -> Result<Vec<TemplateRow>, StoreError>;
    /// The approved version under a name.
    async fn approved_template(
        &mut self,
        scope: &ScopeKey,
        name: Fingerprint,
    ) -> Result<Option<TemplateRow>, StoreError>;
    /// Puts state and decision of a row in the place of those that are there.
    async fn set_template(&mut self, scope: &ScopeKey, row: TemplateRow) -> Result<(), StoreError>;
    /// Moves the approved version under a name, if there is one, to superseded.
    async fn supersede_template(
        &mut self,
        scope: &ScopeKey,
        name: Fingerprint,
    ) -> Result<(), StoreError>;
    /// Deletes all but the newest of those that neither wait nor are approved.
    async fn prune_templates(&mut self, scope: &ScopeKey, keep: u32) -> Result<(), StoreError>;
}

/// Who may use templates: requests and grants.
#[async_trait]
pub trait AccessRows: Send {
    /// Keeps a request or a grant. One that is there is [`StoreError::Conflict`].
    async fn put_access(&mut self, scope: &ScopeKey, row: AccessRow) -> Result<(), StoreError>;
    /// One of them.
    async fn access(
        &mut self,
        scope: &ScopeKey,
        id: AccessId,
    ) -> Result<Option<AccessRow>, StoreError>;
    /// Newest first: all, or those that are an agent's and those that are every agent's.
    async fn accesses(
        &mut self,
        scope: &ScopeKey,
        agent: Option<AgentId>,
        page: PageOf<AccessId>,
    ) -> Result<Vec<AccessRow>, StoreError>;
    /// What an agent waits for, under a name or in all.
    async fn waiting_access(
        &mut self,
        scope: &ScopeKey,
        agent: AgentId,
        template: Option<Fingerprint>,
    ) -> Result<Vec<AccessRow>, StoreError>;
    /// Grants that an agent has now, its own and every agent's, for a template or for all.
    async fn grants_of(
        &mut self,
        scope: &ScopeKey,
        agent: AgentId,
        template: Option<Fingerprint>,
        now: Timestamp,
    ) -> Result<Vec<AccessRow>, StoreError>;
    /// How many grants are in force.
    async fn count_grants(&mut self, scope: &ScopeKey, now: Timestamp) -> Result<u64, StoreError>;
    /// Puts state, end and decision of a row in the place of those that are there.
    async fn set_access(&mut self, scope: &ScopeKey, row: AccessRow) -> Result<(), StoreError>;
    /// Moves the grant of a template for an agent, or for every one, to superseded.
    async fn supersede_grant(
        &mut self,
        scope: &ScopeKey,
        template: Fingerprint,
        agent: Option<AgentId>,
    ) -> Result<(), StoreError>;
    /// Moves all grants of a template to revoked.
    async fn revoke_grants(
        &mut self,
        scope: &ScopeKey,
        template: Fingerprint,
        by: (Principal, Timestamp),
    ) -> Result<(), StoreError>;
    /// Deletes all but the newest of those that neither wait nor are in force.
    async fn prune_accesses(
        &mut self,
        scope: &ScopeKey,
        now: Timestamp,
        keep: u32,
    ) -> Result<(), StoreError>;
}
