//! Skills, on a thread that may block.

use async_trait::async_trait;
use skep_crypto::Sealed;
use skep_domain::{SkillId, SkillState};
use skep_store::backend::{PageOf, SkillRows};
use skep_store::row::{Fingerprint, SkillRow};
use skep_store::{ScopeKey, StoreError};

use super::SqliteTx;
use crate::skill;

#[async_trait]
impl SkillRows for SqliteTx {
    async fn last_skill_version(
        &mut self,
        scope: &ScopeKey,
        name: Fingerprint,
    ) -> Result<u32, StoreError> {
        self.run(scope, move |rows| skill::last_version(rows, name))
            .await
    }

    async fn count_skills(
        &mut self,
        scope: &ScopeKey,
        state: SkillState,
    ) -> Result<u64, StoreError> {
        self.run(scope, move |rows| skill::count(rows, state)).await
    }

    async fn put_skill(
        &mut self,
        scope: &ScopeKey,
        row: SkillRow,
        files: Sealed,
    ) -> Result<(), StoreError> {
        self.run(scope, move |rows| skill::put(rows, &row, &files))
            .await
    }

    async fn skill(
        &mut self,
        scope: &ScopeKey,
        id: SkillId,
    ) -> Result<Option<SkillRow>, StoreError> {
        self.run(scope, move |rows| skill::get(rows, id)).await
    }

    async fn skill_files(
        &mut self,
        scope: &ScopeKey,
        id: SkillId,
    ) -> Result<Option<Sealed>, StoreError> {
        self.run(scope, move |rows| skill::files(rows, id)).await
    }

    async fn skills(
        &mut self,
        scope: &ScopeKey,
        state: SkillState,
        page: PageOf<SkillId>,
    ) -> Result<Vec<SkillRow>, StoreError> {
        self.run(scope, move |rows| skill::list(rows, state, page))
            .await
    }

    async fn set_skill(&mut self, scope: &ScopeKey, row: SkillRow) -> Result<(), StoreError> {
        self.run(scope, move |rows| skill::set(rows, &row)).await
    }

    async fn supersede_skill(
        &mut self,
        scope: &ScopeKey,
        name: Fingerprint,
    ) -> Result<(), StoreError> {
        self.run(scope, move |rows| skill::supersede(rows, name))
            .await
    }
}
