//! The part of the port that keeps skills.

use async_trait::async_trait;
use skep_crypto::Sealed;
use skep_domain::{SkillId, SkillState};

use super::PageOf;
use crate::StoreError;
use crate::row::{Fingerprint, SkillRow};
use crate::scope::ScopeKey;

/// Skills, a row for each version.
#[async_trait]
pub trait SkillRows: Send {
    /// The highest version under a name; 0 when there is none.
    async fn last_skill_version(
        &mut self,
        scope: &ScopeKey,
        name: Fingerprint,
    ) -> Result<u32, StoreError>;
    /// How many are in a state.
    async fn count_skills(
        &mut self,
        scope: &ScopeKey,
        state: SkillState,
    ) -> Result<u64, StoreError>;
    /// Keeps a version with its files. One that is there is [`StoreError::Conflict`].
    async fn put_skill(
        &mut self,
        scope: &ScopeKey,
        row: SkillRow,
        files: Sealed,
    ) -> Result<(), StoreError>;
    /// One version.
    async fn skill(
        &mut self,
        scope: &ScopeKey,
        id: SkillId,
    ) -> Result<Option<SkillRow>, StoreError>;
    /// Its files.
    async fn skill_files(
        &mut self,
        scope: &ScopeKey,
        id: SkillId,
    ) -> Result<Option<Sealed>, StoreError>;
    /// Versions in a state, newest first.
    async fn skills(
        &mut self,
        scope: &ScopeKey,
        state: SkillState,
        page: PageOf<SkillId>,
    ) -> Result<Vec<SkillRow>, StoreError>;
    /// Puts state and decision of a row in the place of those that are there.
    async fn set_skill(&mut self, scope: &ScopeKey, row: SkillRow) -> Result<(), StoreError>;
    /// Moves the approved version under a name, if there is one, to superseded.
    async fn supersede_skill(
        &mut self,
        scope: &ScopeKey,
        name: Fingerprint,
    ) -> Result<(), StoreError>;
}
