//! Skills that a team's agents share: proposed by whoever writes, read and approved by a human, signed, and
//! only then handed out. What a skill says goes into agents as instructions, so nothing here is lenient: what
//! cannot be seen, hides a secret or leads out of its folder is refused, not mended.

mod approval;
mod folder;

use skep_authz::rights::{MemoryWrite, SkillPublish, SkillRead};
use skep_authz::{Authorized, Denied};
use skep_domain::{Permission, SkillId, SkillState};
use skep_store::{NewSkill, PageOf, Skill, SkillFile, Tx};

pub use approval::Approval;

pub(crate) use folder::{check_digest, hex};

use crate::error::Invalid;
use crate::review::REASON;
use crate::{App, AppError};

/// A version to propose.
#[derive(Clone, Debug)]
pub struct ProposeSkill {
    /// Its files, `SKILL.md` among them.
    pub files: Vec<SkillFile>,
    /// Why it should be had.
    pub note: Option<String>,
}

/// A page of versions.
#[derive(Debug)]
pub struct SkillPage {
    /// Newest first.
    pub items: Vec<Skill>,
    /// The last one looked at, if there may be more.
    pub next: Option<SkillId>,
}

/// A version with its files.
#[derive(Debug)]
pub struct SkillWhole {
    /// What is known of it.
    pub skill: Skill,
    /// In the order of their paths.
    pub files: Vec<SkillFile>,
}

/// What a reviewer says who approves.
#[derive(Clone, Debug)]
pub struct Approved {
    /// The digest of what they read.
    pub digest: String,
    /// That they read what was found in it, and approve all the same.
    pub accepts_findings: bool,
}

impl App {
    /// Keeps a version of a skill for a reviewer. Nobody gets it before that.
    ///
    /// # Errors
    /// [`AppError::Invalid`]; [`AppError::Conflict`] when too many wait.
    pub async fn propose_skill(
        &self,
        authorized: Authorized<MemoryWrite>,
        wanted: ProposeSkill,
    ) -> Result<Skill, AppError> {
        let proposer = authorized
            .principal()
            .ok_or(AppError::Internal("upkeep proposes nothing"))?;
        if let Some(note) = &wanted.note {
            Invalid::check_length("note", note, REASON)?;
        }
        let folder = folder::check(wanted.files, &self.redactor)?;
        let findings = folder.findings(authorized.agent().is_some());
        let new = NewSkill {
            id: self.store.mint(),
            digest: folder.digest(),
            name: folder.name,
            description: folder.description,
            note: wanted.note.map(|note| self.take_in_line(&note)),
            findings,
            files: folder.files,
            at: self.store.now(),
        };
        let mut tx = self.store.begin(authorized).await?;
        let version = tx.propose_skill(&new).await?.ok_or(AppError::Conflict(
            "as many skills wait for a reviewer as may: have some approved or rejected first",
        ))?;
        tx.commit().await?;
        Ok(Skill {
            id: new.id,
            name: new.name,
            version,
            state: SkillState::Waiting,
            description: new.description,
            note: new.note,
            digest: new.digest,
            findings: new.findings,
            proposer,
            at: new.at,
            decided: None,
        })
    }

    /// What was approved, newest first: of each skill one version.
    ///
    /// # Errors
    /// [`AppError`].
    pub async fn list_approved_skills(
        &self,
        authorized: Authorized<SkillRead>,
        page: PageOf<SkillId>,
    ) -> Result<SkillPage, AppError> {
        let mut tx = self.store.begin(authorized).await?;
        let items = tx.list_approved_skills(page).await?;
        Ok(SkillPage::of(items, page))
    }

    /// One that was approved, with its files.
    ///
    /// # Errors
    /// [`AppError::NotFound`], also for one that waits or is no longer approved.
    pub async fn approved_skill(
        &self,
        authorized: Authorized<SkillRead>,
        id: SkillId,
    ) -> Result<SkillWhole, AppError> {
        let mut tx = self.store.begin(authorized).await?;
        let found = tx.get_approved_skill(id).await?;
        let (skill, files) = found.ok_or(AppError::NotFound("approved skill"))?;
        Ok(SkillWhole { skill, files })
    }

    /// Versions in a state, for a reviewer, newest first.
    ///
    /// # Errors
    /// [`AppError::Denied`] for an agent.
    pub async fn list_skills(
        &self,
        authorized: Authorized<SkillPublish>,
        state: SkillState,
        page: PageOf<SkillId>,
    ) -> Result<SkillPage, AppError> {
        only_humans(&authorized)?;
        let mut tx = self.store.begin(authorized).await?;
        let items = tx.list_skills(state, page).await?;
        Ok(SkillPage::of(items, page))
    }

    /// One version with its files, for a reviewer.
    ///
    /// # Errors
    /// [`AppError::Denied`] for an agent; [`AppError::NotFound`].
    pub async fn skill(
        &self,
        authorized: Authorized<SkillPublish>,
        id: SkillId,
    ) -> Result<SkillWhole, AppError> {
        only_humans(&authorized)?;
        let mut tx = self.store.begin(authorized).await?;
        let (skill, files) = get(&mut tx, id).await?;
        Ok(SkillWhole { skill, files })
    }

    /// Approves a version, which teammates get from then on in the place of the one before. What is signed
    /// names its files by their digests, so whoever gets it can tell that it is what was approved.
    ///
    /// # Errors
    /// [`AppError::Denied`] for an agent; [`AppError::NotFound`]; [`AppError::Conflict`] when it does not
    /// wait, is not what the reviewer read, or has findings that the reviewer did not accept.
    pub async fn approve_skill(
        &self,
        authorized: Authorized<SkillPublish>,
        id: SkillId,
        read: &Approved,
        names: &Approval<'_>,
    ) -> Result<Skill, AppError> {
        only_humans(&authorized)?;
        folder::check_digest("digest", &read.digest)?;
        let mut tx = self.store.begin(authorized).await?;
        let (skill, files) = get(&mut tx, id).await?;
        if !skill.state.may_be_approved() {
            return Err(AppError::Conflict(
                "this version was decided on already: propose a new one",
            ));
        }
        if skill.digest != read.digest {
            return Err(AppError::Conflict(
                "this is not what you read: its digest is another one; look at it again",
            ));
        }
        if !skill.findings.is_empty() && !read.accepts_findings {
            return Err(AppError::Conflict(
                "something was found in this skill: read the findings, and accept them if they are fine",
            ));
        }
        let at = self.store.now();
        let statement = approval::statement(&skill, &files, names, at)?;
        let (signature, key) = tx.sign_approval(&approval::signed_bytes(&statement));
        let envelope = approval::envelope(&statement, &signature, &key)?;
        tx.decide_skill(id, SkillState::Approved, (None, Some(&envelope)), at)
            .await?;
        decided(tx, id).await
    }

    /// Turns a version down that waits.
    ///
    /// # Errors
    /// [`AppError::Denied`] for an agent; [`AppError::NotFound`]; [`AppError::Conflict`] when it does not
    /// wait.
    pub async fn reject_skill(
        &self,
        authorized: Authorized<SkillPublish>,
        id: SkillId,
        reason: &str,
    ) -> Result<Skill, AppError> {
        self.end_skill(
            authorized,
            id,
            (SkillState::Waiting, SkillState::Rejected),
            reason,
        )
        .await
    }

    /// Takes an approval back: nobody gets the skill any more, and those who have it lose it with their
    /// next pull.
    ///
    /// # Errors
    /// [`AppError::Denied`] for an agent; [`AppError::NotFound`]; [`AppError::Conflict`] when it is not
    /// approved.
    pub async fn withdraw_skill(
        &self,
        authorized: Authorized<SkillPublish>,
        id: SkillId,
        reason: &str,
    ) -> Result<Skill, AppError> {
        self.end_skill(
            authorized,
            id,
            (SkillState::Approved, SkillState::Withdrawn),
            reason,
        )
        .await
    }

    async fn end_skill(
        &self,
        authorized: Authorized<SkillPublish>,
        id: SkillId,
        (from, to): (SkillState, SkillState),
        reason: &str,
    ) -> Result<Skill, AppError> {
        only_humans(&authorized)?;
        if reason.trim().is_empty() {
            return Err(Invalid::required("reason"));
        }
        Invalid::check_length("reason", reason, REASON)?;
        let reason = self.take_in_line(reason);
        let mut tx = self.store.begin(authorized).await?;
        let (skill, _) = get(&mut tx, id).await?;
        if skill.state != from {
            return Err(AppError::Conflict(if from == SkillState::Waiting {
                "this version does not wait: withdraw it if it is approved"
            } else {
                "this version is not approved: reject it if it waits"
            }));
        }
        tx.decide_skill(id, to, (Some(&reason), None), self.store.now())
            .await?;
        decided(tx, id).await
    }
}

impl SkillPage {
    fn of(items: Vec<Skill>, page: PageOf<SkillId>) -> Self {
        let full = items.len() == page.limit as usize;
        let next = items.last().filter(|_| full).map(|last| last.id);
        Self { items, next }
    }
}

/// No agent decides what agents are told, whatever its role allows.
fn only_humans(authorized: &Authorized<SkillPublish>) -> Result<(), AppError> {
    if authorized.agent().is_some() {
        return Err(Denied::MissingPermission(Permission::SkillPublish).into());
    }
    Ok(())
}

async fn get(tx: &mut Tx<SkillPublish>, id: SkillId) -> Result<(Skill, Vec<SkillFile>), AppError> {
    let found = tx.get_skill(id).await?;
    found.ok_or(AppError::NotFound("skill"))
}

async fn decided(mut tx: Tx<SkillPublish>, id: SkillId) -> Result<Skill, AppError> {
    let (skill, _) = get(&mut tx, id).await?;
    tx.commit().await?;
    Ok(skill)
}
