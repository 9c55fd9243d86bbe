//! Templates: drafted by whoever may write secrets, approved by a human, used as they were approved.

mod access;

use skep_authz::rights::{SecretApprove, SecretList, SecretUse, SecretWrite};
use skep_authz::{CanRead, Right};
use skep_domain::{Id, Limits, RecordName, TemplateId, TemplateState};

use super::Tx;
use crate::StoreError;
use crate::backend::PageOf;
use crate::body::{BodyReader, BodyWriter};
use crate::keys::{Purpose, WorkspaceKeys, column};
use crate::row::{Fingerprint, TemplateRow};
use crate::value::{NewTemplate, TemplateDecided, TemplateVersion};

const DAMAGED: StoreError = StoreError::Damaged("a template is not in the form it was written in");
/// Versions under one name that are looked through.
const NAMED: u32 = 100;
const ALONE: &str = "alone";

/// A right with which templates are read.
pub trait SeesTemplates: CanRead {}
impl SeesTemplates for SecretList {}
impl SeesTemplates for SecretUse {}
impl SeesTemplates for SecretWrite {}
impl SeesTemplates for SecretApprove {}

impl Tx<SecretWrite> {
    /// Keeps a version of a template, which waits for somebody who approves it; gives its number. `None`
    /// when as many wait as may.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn draft_template(&mut self, new: &NewTemplate) -> Result<Option<u32>, StoreError> {
        let waiting = TemplateState::Waiting;
        let waiting = self.backend.count_templates(&self.scope, waiting).await?;
        if waiting >= Limits::TEMPLATES_WAITING {
            return Ok(None);
        }
        let name = print(&self.keys, &new.name);
        let before = self.backend.templates_named(&self.scope, name, 1).await?;
        let version = before.first().map_or(0, |last| last.version) + 1;
        let body = BodyWriter::default()
            .text(new.name.as_str())
            .text(&new.digest)
            .text(&new.text)
            .finish();
        let row = TemplateRow {
            id: new.id,
            name,
            version,
            state: TemplateState::Waiting,
            drafter: self.owner()?,
            at: new.at,
            decided: None,
            body: self
                .keys
                .seal(column::TEMPLATE_BODY, new.id.to_bytes(), &body),
            decision: None,
        };
        self.backend.put_template(&self.scope, row).await?;
        Ok(Some(version))
    }
}

impl Tx<SecretApprove> {
    /// How many are approved.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count_approved_templates(&mut self) -> Result<u64, StoreError> {
        let approved = TemplateState::Approved;
        self.backend.count_templates(&self.scope, approved).await
    }

    /// Notes a decision; whether it may follow on the state before is the caller's to have seen in this
    /// transaction. What is approved takes the place of what was; what is withdrawn takes its grants along,
    /// so that they are not good for whatever is approved under its name later.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn decide_template(
        &mut self,
        id: TemplateId,
        state: TemplateState,
        decided: &TemplateDecided,
    ) -> Result<(), StoreError> {
        let row = self.backend.template(&self.scope, id).await?;
        let Some(row) = row else {
            return Err(StoreError::Refused("there is no such template".into()));
        };
        let (by, at) = (self.owner()?, decided.at);
        let name = row.name;
        if state == TemplateState::Approved {
            self.backend.supersede_template(&self.scope, name).await?;
        }
        let alone: &[&str] = if decided.alone { &[ALONE] } else { &[] };
        let decision = BodyWriter::default()
            .option(decided.reason.as_deref())
            .option(decided.digest.as_deref())
            .texts(alone)
            .finish();
        let decision = self
            .keys
            .seal(column::TEMPLATE_DECISION, id.to_bytes(), &decision);
        let row = TemplateRow {
            state,
            decided: Some((by, at)),
            decision: Some(decision),
            ..row
        };
        self.backend.set_template(&self.scope, row).await?;
        if state == TemplateState::Withdrawn {
            let by = (by, at);
            self.backend.revoke_grants(&self.scope, name, by).await?;
        }
        let keep = Limits::TEMPLATES_KEPT;
        self.backend.prune_templates(&self.scope, keep).await
    }
}

impl<P: Right + SeesTemplates> Tx<P> {
    /// Versions in a state, newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_templates(
        &mut self,
        state: TemplateState,
        page: PageOf<TemplateId>,
    ) -> Result<Vec<TemplateVersion>, StoreError> {
        let rows = self.backend.templates(&self.scope, state, page).await?;
        self.open_templates(&rows)
    }

    /// One version, in whatever state.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get_template(
        &mut self,
        id: TemplateId,
    ) -> Result<Option<TemplateVersion>, StoreError> {
        let row = self.backend.template(&self.scope, id).await?;
        row.map(|row| open(&self.keys, &row)).transpose()
    }

    /// The version that is approved under a name, whatever the case of its letters.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn approved_template(
        &mut self,
        name: &RecordName,
    ) -> Result<Option<TemplateVersion>, StoreError> {
        let name = print(&self.keys, name);
        let row = self.backend.approved_template(&self.scope, name).await?;
        row.map(|row| open(&self.keys, &row)).transpose()
    }

    /// The newest versions under a name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn templates_named(
        &mut self,
        name: &RecordName,
    ) -> Result<Vec<TemplateVersion>, StoreError> {
        let name = print(&self.keys, name);
        let rows = self.backend.templates_named(&self.scope, name, NAMED);
        let rows = rows.await?;
        self.open_templates(&rows)
    }

    fn open_templates(&self, rows: &[TemplateRow]) -> Result<Vec<TemplateVersion>, StoreError> {
        rows.iter().map(|row| open(&self.keys, row)).collect()
    }
}

/// Names differ in more than the case of letters.
fn print(keys: &WorkspaceKeys, name: &RecordName) -> Fingerprint {
    keys.fingerprint(Purpose::Template, &[name.key().as_bytes()])
}

fn open(keys: &WorkspaceKeys, row: &TemplateRow) -> Result<TemplateVersion, StoreError> {
    let opened = keys.open(column::TEMPLATE_BODY, row.id.to_bytes(), &row.body)?;
    let mut reader = BodyReader(opened.expose());
    let (name, digest, text) = (reader.text()?, reader.text()?, reader.text()?);
    reader.end()?;
    Ok(TemplateVersion {
        id: row.id,
        name: RecordName::parse(&name).map_err(|_| DAMAGED)?,
        version: row.version,
        state: row.state,
        digest,
        text,
        drafter: row.drafter,
        at: row.at,
        decided: open_decision(keys, row)?,
    })
}

fn open_decision(
    keys: &WorkspaceKeys,
    row: &TemplateRow,
) -> Result<Option<TemplateDecided>, StoreError> {
    let (Some((by, at)), Some(decision)) = (row.decided, &row.decision) else {
        return Ok(None);
    };
    let opened = keys.open(column::TEMPLATE_DECISION, row.id.to_bytes(), decision)?;
    let mut reader = BodyReader(opened.expose());
    let (reason, digest, alone) = (reader.option()?, reader.option()?, reader.option()?);
    reader.end()?;
    Ok(Some(TemplateDecided {
        by,
        at,
        reason,
        digest,
        alone: alone.is_some_and(|word| word == ALONE),
    }))
}
