//! Templates and who may use them.

use async_trait::async_trait;
use skep_domain::{AccessId, AgentId, Principal, TemplateId, TemplateState, Timestamp};
use skep_store::backend::{AccessRows, PageOf, TemplateRows};
use skep_store::row::{AccessRow, Fingerprint, TemplateRow};
use skep_store::{ScopeKey, StoreError};

use super::{PostgresTx, step};
use crate::template;

#[async_trait]
impl TemplateRows for PostgresTx {
    async fn count_templates(
        &mut self,
        scope: &ScopeKey,
        state: TemplateState,
    ) -> Result<u64, StoreError> {
        step!(self, scope, template::count, state)
    }

    async fn put_template(&mut self, scope: &ScopeKey, row: TemplateRow) -> Result<(), StoreError> {
        step!(self, scope, template::put, &row)
    }

    async fn template(
        &mut self,
        scope: &ScopeKey,
        id: TemplateId,
    ) -> Result<Option<TemplateRow>, StoreError> {
        step!(self, scope, template::get, id)
    }

    async fn templates(
        &mut self,
        scope: &ScopeKey,
        state: TemplateState,
        page: PageOf<TemplateId>,
    ) -> Result<Vec<TemplateRow>, StoreError> {
        step!(self, scope, template::list, state, page)
    }

    async fn templates_named(
        &mut self,
        scope: &ScopeKey,
        name: Fingerprint,
        limit: u32,
    ) -> Result<Vec<TemplateRow>, StoreError> {
        step!(self, scope, template::named, name, limit)
    }

    async fn approved_template(
        &mut self,
        scope: &ScopeKey,
        name: Fingerprint,
    ) -> Result<Option<TemplateRow>, StoreError> {
        step!(self, scope, template::approved, name)
    }

    async fn set_template(&mut self, scope: &ScopeKey, row: TemplateRow) -> Result<(), StoreError> {
        step!(self, scope, template::set, &row)
    }

    async fn supersede_template(
        &mut self,
        scope: &ScopeKey,
        name: Fingerprint,
    ) -> Result<(), StoreError> {
        step!(self, scope, template::supersede, name)
    }

    async fn prune_templates(&mut self, scope: &ScopeKey, keep: u32) -> Result<(), StoreError> {
        step!(self, scope, template::prune, keep)
    }
}

#[async_trait]
impl AccessRows for PostgresTx {
    async fn put_access(&mut self, scope: &ScopeKey, row: AccessRow) -> Result<(), StoreError> {
        step!(self, scope, template::put_access, &row)
    }

    async fn access(
        &mut self,
        scope: &ScopeKey,
        id: AccessId,
    ) -> Result<Option<AccessRow>, StoreError> {
        step!(self, scope, template::access, id)
    }

    async fn accesses(
        &mut self,
        scope: &ScopeKey,
        agent: Option<AgentId>,
        page: PageOf<AccessId>,
    ) -> Result<Vec<AccessRow>, StoreError> {
        step!(self, scope, template::accesses, agent, page)
    }

    async fn waiting_access(
        &mut self,
        scope: &ScopeKey,
        agent: AgentId,
        template: Option<Fingerprint>,
    ) -> Result<Vec<AccessRow>, StoreError> {
        step!(self, scope, template::waiting, agent, template)
    }

    async fn grants_of(
        &mut self,
        scope: &ScopeKey,
        agent: AgentId,
        template: Option<Fingerprint>,
        now: Timestamp,
    ) -> Result<Vec<AccessRow>, StoreError> {
        step!(self, scope, template::grants, agent, template, now)
    }

    async fn count_grants(&mut self, scope: &ScopeKey, now: Timestamp) -> Result<u64, StoreError> {
        step!(self, scope, template::count_grants, now)
    }

    async fn set_access(&mut self, scope: &ScopeKey, row: AccessRow) -> Result<(), StoreError> {
        step!(self, scope, template::set_access, &row)
    }

    async fn supersede_grant(
        &mut self,
        scope: &ScopeKey,
        template: Fingerprint,
        agent: Option<AgentId>,
    ) -> Result<(), StoreError> {
        step!(self, scope, template::supersede_grant, template, agent)
    }

    async fn revoke_grants(
        &mut self,
        scope: &ScopeKey,
        template: Fingerprint,
        by: (Principal, Timestamp),
    ) -> Result<(), StoreError> {
        step!(self, scope, template::revoke_grants, template, by)
    }

    async fn prune_accesses(
        &mut self,
        scope: &ScopeKey,
        now: Timestamp,
        keep: u32,
    ) -> Result<(), StoreError> {
        step!(self, scope, template::prune_accesses, now, keep)
    }
}
