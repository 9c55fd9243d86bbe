//! Skills.

use async_trait::async_trait;
use skep_crypto::Sealed;
use skep_domain::{SkillId, SkillState};
use skep_store::backend::{PageOf, SkillRows};
use skep_store::row::{Fingerprint, SkillRow};
use skep_store::{ScopeKey, StoreError};

use super::{PostgresTx, step};
use crate::skill;

#[async_trait]
impl SkillRows for PostgresTx {
    async fn last_skill_version(
        &mut self,
        scope: &ScopeKey,
        name: Fingerprint,
    ) -> Result<u32, StoreError> {
        step!(self, scope, skill::last_version, name)
    }

    async fn count_skills(
        &mut self,
        scope: &ScopeKey,
        state: SkillState,
    ) -> Result<u64, StoreError> {
        step!(self, scope, skill::count, state)
    }

    async fn put_skill(
        &mut self,
        scope: &ScopeKey,
        row: SkillRow,
        files: Sealed,
    ) -> Result<(), StoreError> {
        step!(self, scope, skill::put, &row, &files)
    }

    async fn skill(
        &mut self,
        scope: &ScopeKey,
        id: SkillId,
    ) -> Result<Option<SkillRow>, StoreError> {
        step!(self, scope, skill::get, id)
    }

    async fn skill_files(
        &mut self,
        scope: &ScopeKey,
        id: SkillId,
    ) -> Result<Option<Sealed>, StoreError> {
        step!(self, scope, skill::files, id)
    }

    async fn skills(
        &mut self,
        scope: &ScopeKey,
        state: SkillState,
        page: PageOf<SkillId>,
    ) -> Result<Vec<SkillRow>, StoreError> {
        step!(self, scope, skill::list, state, page)
    }

    async fn set_skill(&mut self, scope: &ScopeKey, row: SkillRow) -> Result<(), StoreError> {
        step!(self, scope, skill::set, &row)
    }

    async fn supersede_skill(
        &mut self,
        scope: &ScopeKey,
        name: Fingerprint,
    ) -> Result<(), StoreError> {
        step!(self, scope, skill::supersede, name)
    }
}
