//! Skills: whoever writes proposes them, a human approves them, everybody reads what was approved.

use skep_authz::rights::{MemoryWrite, SkillPublish, SkillRead};
use skep_authz::{CanRead, Right};
use skep_crypto::{PublicKey, Signature};
use skep_domain::{Id, Limits, SkillId, SkillName, SkillState, Timestamp};

use super::Tx;
use crate::StoreError;
use crate::backend::PageOf;
use crate::body::{BodyReader, BodyWriter};
use crate::keys::{Purpose, WorkspaceKeys, column};
use crate::row::SkillRow;
use crate::value::{Decided, NewSkill, Skill, SkillFile};

const DAMAGED: StoreError = StoreError::Damaged("a skill is not in the form it was written in");

impl Tx<MemoryWrite> {
    /// Keeps a version of a skill, which waits for a reviewer; gives its number. `None` when as many
    /// wait as may.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn propose_skill(&mut self, new: &NewSkill) -> Result<Option<u32>, StoreError> {
        let waiting = self
            .backend
            .count_skills(&self.scope, SkillState::Waiting)
            .await?;
        if waiting >= Limits::SKILLS_WAITING {
            return Ok(None);
        }
        let name = print(&self.keys, &new.name);
        let last = self.backend.last_skill_version(&self.scope, name).await?;
        let version = last + 1;
        let place = new.id.to_bytes();
        let body = BodyWriter::default()
            .text(new.name.as_str())
            .text(&new.description)
            .option(new.note.as_deref())
            .text(&new.digest)
            .texts(&new.findings)
            .finish();
        let texts: Vec<&str> = new
            .files
            .iter()
            .flat_map(|file| [file.path.as_str(), file.text.as_str()])
            .collect();
        let files = BodyWriter::default().texts(&texts).finish();
        let row = SkillRow {
            id: new.id,
            name,
            version,
            state: SkillState::Waiting,
            proposer: self.owner()?,
            at: new.at,
            decided: None,
            body: self.keys.seal(column::SKILL_BODY, place, &body),
            decision: None,
        };
        let files = self.keys.seal(column::SKILL_FILES, place, &files);
        self.backend.put_skill(&self.scope, row, files).await?;
        Ok(Some(version))
    }
}

impl Tx<SkillRead> {
    /// What was approved, newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_approved_skills(
        &mut self,
        page: PageOf<SkillId>,
    ) -> Result<Vec<Skill>, StoreError> {
        self.skills(SkillState::Approved, page).await
    }

    /// One that was approved, with its files.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get_approved_skill(
        &mut self,
        id: SkillId,
    ) -> Result<Option<(Skill, Vec<SkillFile>)>, StoreError> {
        let found = self.skill(id).await?;
        Ok(found.filter(|(skill, _)| skill.state == SkillState::Approved))
    }
}

impl Tx<SkillPublish> {
    /// Versions in any state, newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_skills(
        &mut self,
        state: SkillState,
        page: PageOf<SkillId>,
    ) -> Result<Vec<Skill>, StoreError> {
        self.skills(state, page).await
    }

    /// One version with its files, in whatever state.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get_skill(
        &mut self,
        id: SkillId,
    ) -> Result<Option<(Skill, Vec<SkillFile>)>, StoreError> {
        self.skill(id).await
    }

    /// Signs a statement of what is being approved, with the workspace's own key.
    #[must_use]
    pub fn sign_approval(&self, statement: &[u8]) -> (Signature, PublicKey) {
        let key = self.keys.approval_key();
        (key.sign(statement), key.public_key())
    }

    /// Notes a decision; whether it may follow on the state before is the caller's to have seen in this
    /// transaction. What is approved takes the place of what was.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn decide_skill(
        &mut self,
        id: SkillId,
        state: SkillState,
        (reason, approval): (Option<&str>, Option<&str>),
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let row = self.backend.skill(&self.scope, id).await?;
        let Some(row) = row else {
            return Err(StoreError::Refused("there is no such skill".into()));
        };
        if state == SkillState::Approved {
            self.backend.supersede_skill(&self.scope, row.name).await?;
        }
        let decision = BodyWriter::default()
            .option(reason)
            .option(approval)
            .finish();
        let decision = self
            .keys
            .seal(column::SKILL_DECISION, id.to_bytes(), &decision);
        let row = SkillRow {
            state,
            decided: Some((self.owner()?, at)),
            decision: Some(decision),
            ..row
        };
        self.backend.set_skill(&self.scope, row).await
    }
}

impl<P: Right + CanRead> Tx<P> {
    async fn skills(
        &mut self,
        state: SkillState,
        page: PageOf<SkillId>,
    ) -> Result<Vec<Skill>, StoreError> {
        let rows = self.backend.skills(&self.scope, state, page).await?;
        rows.iter().map(|row| open_skill(&self.keys, row)).collect()
    }

    async fn skill(&mut self, id: SkillId) -> Result<Option<(Skill, Vec<SkillFile>)>, StoreError> {
        let Some(row) = self.backend.skill(&self.scope, id).await? else {
            return Ok(None);
        };
        let skill = open_skill(&self.keys, &row)?;
        let files = self.backend.skill_files(&self.scope, id).await?;
        let files = files.ok_or(DAMAGED)?;
        let opened = self.keys.open(column::SKILL_FILES, id.to_bytes(), &files)?;
        let mut reader = BodyReader(opened.expose());
        let texts = reader.texts()?;
        reader.end()?;
        let (pairs, rest) = texts.as_chunks::<2>();
        if !rest.is_empty() {
            return Err(DAMAGED);
        }
        let file = |[path, text]: &[String; 2]| SkillFile {
            path: path.clone(),
            text: text.clone(),
        };
        Ok(Some((skill, pairs.iter().map(file).collect())))
    }
}

fn print(keys: &WorkspaceKeys, name: &SkillName) -> crate::row::Fingerprint {
    keys.fingerprint(Purpose::Skill, &[name.as_str().as_bytes()])
}

fn open_skill(keys: &WorkspaceKeys, row: &SkillRow) -> Result<Skill, StoreError> {
    let opened = keys.open(column::SKILL_BODY, row.id.to_bytes(), &row.body)?;
    let mut reader = BodyReader(opened.expose());
    let (name, description) = (reader.text()?, reader.text()?);
    let (note, digest) = (reader.option()?, reader.text()?);
    let findings = reader.texts()?;
    reader.end()?;
    Ok(Skill {
        id: row.id,
        name: SkillName::parse(&name).map_err(|_| DAMAGED)?,
        version: row.version,
        state: row.state,
        description,
        note,
        digest,
        findings,
        proposer: row.proposer,
        at: row.at,
        decided: open_decision(keys, row)?,
    })
}

fn open_decision(keys: &WorkspaceKeys, row: &SkillRow) -> Result<Option<Decided>, StoreError> {
    let (Some((by, at)), Some(decision)) = (row.decided, &row.decision) else {
        return Ok(None);
    };
    let opened = keys.open(column::SKILL_DECISION, row.id.to_bytes(), decision)?;
    let mut reader = BodyReader(opened.expose());
    let (reason, approval) = (reader.option()?, reader.option()?);
    reader.end()?;
    Ok(Some(Decided {
        by,
        at,
        reason,
        approval,
    }))
}
