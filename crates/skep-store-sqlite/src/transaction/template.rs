//! Templates and who may use them, on a thread that may block.

use async_trait::async_trait;
use skep_domain::{AccessId, AgentId, Principal, TemplateId, TemplateState, Timestamp};
use skep_store::backend::{AccessRows, PageOf, TemplateRows};
use skep_store::row::{AccessRow, Fingerprint, TemplateRow};
use skep_store::{ScopeKey, StoreError};

use super::SqliteTx;
use crate::template;

#[async_trait]
impl TemplateRows for SqliteTx {
    async fn count_templates(
        &mut self,
        scope: &ScopeKey,
        state: TemplateState,
    ) -> Result<u64, StoreError> {
        self.run(scope, move |rows| template::count(rows, state))
            .await
    }

    async fn put_template(&mut self, scope: &ScopeKey, row: TemplateRow) -> Result<(), StoreError> {
        self.run(scope, move |rows| template::put(rows, &row)).await
    }

    async fn template(
        &mut self,
        scope: &ScopeKey,
        id: TemplateId,
    ) -> Result<Option<TemplateRow>, StoreError> {
        self.run(scope, move |rows| template::get(rows, id)).await
    }

    async fn templates(
        &mut self,
        scope: &ScopeKey,
        state: TemplateState,
        page: PageOf<TemplateId>,
    ) -> Result<Vec<TemplateRow>, StoreError> {
        self.run(scope, move |rows| template::list(rows, state, page))
            .await
    }

    async fn templates_named(
        &mut self,
        scope: &ScopeKey,
        name: Fingerprint,
        limit: u32,
    ) -> Result<Vec<TemplateRow>, StoreError> {
        self.run(scope, move |rows| template::named(rows, name, limit))
            .await
    }

    async fn approved_template(
        &mut self,
        scope: &ScopeKey,
        name: Fingerprint,
    ) -> Result<Option<TemplateRow>, StoreError> {
        self.run(scope, move |rows| template::approved(rows, name))
            .await
    }

    async fn set_template(&mut self, scope: &ScopeKey, row: TemplateRow) -> Result<(), StoreError> {
        self.run(scope, move |rows| template::set(rows, &row)).await
    }

    async fn supersede_template(
        &mut self,
        scope: &ScopeKey,
        name: Fingerprint,
    ) -> Result<(), StoreError> {
        self.run(scope, move |rows| template::supersede(rows, name))
            .await
    }

    async fn prune_templates(&mut self, scope: &ScopeKey, keep: u32) -> Result<(), StoreError> {
        self.run(scope, move |rows| template::prune(rows, keep))
            .await
    }
}

#[async_trait]
impl AccessRows for SqliteTx {
    async fn put_access(&mut self, scope: &ScopeKey, row: AccessRow) -> Result<(), StoreError> {
        self.run(scope, move |rows| template::put_access(rows, &row))
            .await
    }

    async fn access(
        &mut self,
        scope: &ScopeKey,
        id: AccessId,
    ) -> Result<Option<AccessRow>, StoreError> {
        self.run(scope, move |rows| template::access(rows, id))
            .await
    }

    async fn accesses(
        &mut self,
        scope: &ScopeKey,
        agent: Option<AgentId>,
        page: PageOf<AccessId>,
    ) -> Result<Vec<AccessRow>, StoreError> {
        self.run(scope, move |rows| template::accesses(rows, agent, page))
            .await
    }

    async fn waiting_access(
        &mut self,
        scope: &ScopeKey,
        agent: AgentId,
        template: Option<Fingerprint>,
    ) -> Result<Vec<AccessRow>, StoreError> {
        self.run(scope, move |rows| template::waiting(rows, agent, template))
            .await
    }

    async fn grants_of(
        &mut self,
        scope: &ScopeKey,
        agent: AgentId,
        template: Option<Fingerprint>,
        now: Timestamp,
    ) -> Result<Vec<AccessRow>, StoreError> {
        self.run(scope, move |rows| {
            template::grants(rows, agent, template, now)
        })
        .await
    }

    async fn count_grants(&mut self, scope: &ScopeKey, now: Timestamp) -> Result<u64, StoreError> {
        self.run(scope, move |rows| template::count_grants(rows, now))
            .await
    }

    async fn set_access(&mut self, scope: &ScopeKey, row: AccessRow) -> Result<(), StoreError> {
        self.run(scope, move |rows| template::set_access(rows, &row))
            .await
    }

    async fn supersede_grant(
        &mut self,
        scope: &ScopeKey,
        template: Fingerprint,
        agent: Option<AgentId>,
    ) -> Result<(), StoreError> {
        self.run(scope, move |rows| {
            template::supersede_grant(rows, template, agent)
        })
        .await
    }

    async fn revoke_grants(
        &mut self,
        scope: &ScopeKey,
        template: Fingerprint,
        by: (Principal, Timestamp),
    ) -> Result<(), StoreError> {
        self.run(scope, move |rows| {
            template::revoke_grants(rows, template, by)
        })
        .await
    }

    async fn prune_accesses(
        &mut self,
        scope: &ScopeKey,
        now: Timestamp,
        keep: u32,
    ) -> Result<(), StoreError> {
        self.run(scope, move |rows| template::prune_accesses(rows, now, keep))
            .await
    }
}
