//! Templates: what may be done with secrets, drafted by whoever may set them and approved by a human who is
//! somebody else. What runs is what was approved: its digest is compared at each use.

mod access;
mod check;
mod on_wire;
mod usable;

use skep_authz::rights::{SecretApprove, SecretList, SecretWrite};
use skep_authz::{Authorized, Caller, Denied, Right};
use skep_domain::{Limits, Permission, Principal, TemplateId, TemplateState, Timestamp};
use skep_store::{NewTemplate, PageOf, SeesTemplates, TemplateDecided, TemplateVersion, Tx};
use skep_vault::template::{Draft, Owner, Template};

pub use access::{AccessPage, AskAccess, GrantAccess, Lasting};
pub use on_wire::WireParts;
pub use usable::Usable;

use crate::error::Invalid;
use crate::review::REASON;
use crate::{App, AppError, Decision};

/// A version of a template with what it says.
#[derive(Debug)]
pub struct TemplateSeen {
    /// What is known of it.
    pub version: TemplateVersion,
    /// What it says.
    pub draft: Draft,
}

/// A version with the one that is in force under its name.
#[derive(Debug)]
pub struct TemplateWhole {
    /// The version.
    pub seen: TemplateSeen,
    /// The one that is in force, if that is another one.
    pub in_force: Option<TemplateSeen>,
}

/// A page of versions.
#[derive(Debug)]
pub struct TemplatePage {
    /// Newest first.
    pub items: Vec<TemplateSeen>,
    /// The last one looked at, if there may be more.
    pub next: Option<TemplateId>,
}

/// That a caller drafts or approves templates, and so is told of all of them. Others are told of what is
/// approved.
#[derive(Debug)]
pub struct Reviewer(());

/// What somebody says who approves.
#[derive(Clone, Debug)]
pub struct ApproveTemplate {
    /// The digest of what they read.
    pub digest: String,
    /// Grants it to every agent with the same step.
    pub every_agent: Option<Lasting>,
}

impl Reviewer {
    /// If they are one.
    #[must_use]
    pub fn of(caller: &Caller) -> Option<Self> {
        let rights = [Permission::SecretWrite, Permission::SecretApprove];
        let has = |right: &Permission| caller.require(*right).is_ok();
        rights.iter().any(has).then_some(Self(()))
    }
}

impl App {
    /// Keeps a version of a template, which waits for somebody who approves it. One that waits already is
    /// the same version.
    ///
    /// # Errors
    /// [`AppError::Invalid`]; [`AppError::Conflict`] when it is in force already, or too many wait.
    pub async fn draft_template(
        &self,
        authorized: Authorized<SecretWrite>,
        draft: Draft,
    ) -> Result<TemplateSeen, AppError> {
        let drafter = authorized.principal();
        let drafter = drafter.ok_or(AppError::Internal("upkeep drafts nothing"))?;
        let template = check::check(draft, &self.redactor)?;
        let new = NewTemplate {
            id: self.store.mint(),
            name: template.name().clone(),
            digest: digest(&template),
            text: check::written(template.draft())?,
            at: self.store.now(),
        };
        let mut tx = self.store.begin(authorized).await?;
        for known in tx.templates_named(&new.name).await? {
            match known.state {
                TemplateState::Waiting
                    if known.digest == new.digest && known.drafter == drafter =>
                {
                    return seen(known);
                }
                TemplateState::Approved if known.digest == new.digest => {
                    return Err(AppError::Conflict("just this is in force already"));
                }
                _ => {}
            }
        }
        let version = tx.draft_template(&new).await?.ok_or(AppError::Conflict(
            "as many templates wait as may: have some approved or rejected first",
        ))?;
        tx.commit().await?;
        Ok(TemplateSeen {
            draft: template.draft().clone(),
            version: TemplateVersion {
                id: new.id,
                name: new.name,
                version,
                state: TemplateState::Waiting,
                digest: new.digest,
                text: new.text,
                drafter,
                at: new.at,
                decided: None,
            },
        })
    }

    /// Versions in a state, newest first; for who neither drafts nor approves, what is approved.
    ///
    /// # Errors
    /// [`AppError::Denied`].
    pub async fn list_templates(
        &self,
        authorized: Authorized<SecretList>,
        reviewer: Option<&Reviewer>,
        (state, page): (TemplateState, PageOf<TemplateId>),
    ) -> Result<TemplatePage, AppError> {
        if state != TemplateState::Approved && reviewer.is_none() {
            return Err(Denied::MissingPermission(Permission::SecretWrite).into());
        }
        let mut tx = self.store.begin(authorized).await?;
        let found = tx.list_templates(state, page).await?;
        let full = found.len() == page.limit as usize;
        let next = found.last().filter(|_| full).map(|last| last.id);
        let items = found.into_iter().map(seen).collect::<Result<_, _>>()?;
        Ok(TemplatePage { items, next })
    }

    /// One version, with the one that is in force.
    ///
    /// # Errors
    /// [`AppError::NotFound`], also for one that is not approved and is not the caller's to see.
    pub async fn template(
        &self,
        authorized: Authorized<SecretList>,
        reviewer: Option<&Reviewer>,
        id: TemplateId,
    ) -> Result<TemplateWhole, AppError> {
        let mut tx = self.store.begin(authorized).await?;
        let version = get(&mut tx, id).await?;
        if version.state != TemplateState::Approved && reviewer.is_none() {
            return Err(AppError::NotFound("template"));
        }
        let in_force = tx.approved_template(&version.name).await?;
        let in_force = in_force.filter(|other| other.id != version.id);
        Ok(TemplateWhole {
            seen: seen(version)?,
            in_force: in_force.map(seen).transpose()?,
        })
    }

    /// Approves a version, which is in force from then on in the place of the one before.
    ///
    /// # Errors
    /// [`AppError::Denied`] for an agent, and for who may not manage the organization whose secret it uses;
    /// [`AppError::Forbidden`] for whoever drafted it, while somebody else could approve it;
    /// [`AppError::NotFound`]; [`AppError::Conflict`] when it does not wait or is not what was read.
    pub async fn approve_template(
        &self,
        authorized: Authorized<SecretApprove>,
        caller: &Caller,
        (id, target): (TemplateId, &str),
        wanted: &ApproveTemplate,
    ) -> Result<TemplateSeen, AppError> {
        let approver = only_humans(&authorized)?;
        crate::skills::check_digest("digest", &wanted.digest)?;
        let at = self.store.now();
        let until = wanted.every_agent.map(|lasting| lasting.until(at));
        let until = until.transpose()?;
        let others = self.has_other_approver(caller).await?;
        let mut tx = self.store.begin(authorized).await?;
        let version = get(&mut tx, id).await?;
        let template = may_be_approved(&mut tx, &version, &wanted.digest).await?;
        let named = template.secrets();
        if named.iter().any(|(owner, _)| *owner == Owner::Organization) {
            caller.require(Permission::OrgManage)?;
        }
        let alone = version.drafter == approver;
        if alone && others {
            return Err(AppError::Forbidden(
                "whoever drafted a template does not approve it: ask somebody else who may",
            ));
        }
        if alone {
            self.record_allowed(lonely(target), Some(caller)).await?;
        }
        let decided = TemplateDecided {
            by: approver,
            at,
            reason: None,
            digest: Some(version.digest.clone()),
            alone,
        };
        let state = TemplateState::Approved;
        tx.decide_template(id, state, &decided).await?;
        if let Some(until) = until {
            let name = version.name.clone();
            access::open_to_all(&mut tx, self.store.mint(), (name, until), at).await?;
        }
        decided_on(tx, id).await
    }

    /// Turns a version down that waits.
    ///
    /// # Errors
    /// [`AppError::Denied`] for an agent; [`AppError::NotFound`]; [`AppError::Conflict`] when it does not
    /// wait.
    pub async fn reject_template(
        &self,
        authorized: Authorized<SecretApprove>,
        id: TemplateId,
        reason: &str,
    ) -> Result<TemplateSeen, AppError> {
        let change = (TemplateState::Waiting, TemplateState::Rejected);
        self.end_template(authorized, id, change, reason).await
    }

    /// Takes an approval back, and all grants with it: nobody uses it from then on.
    ///
    /// # Errors
    /// [`AppError::Denied`] for an agent; [`AppError::NotFound`]; [`AppError::Conflict`] when it is not
    /// approved.
    pub async fn withdraw_template(
        &self,
        authorized: Authorized<SecretApprove>,
        id: TemplateId,
        reason: &str,
    ) -> Result<TemplateSeen, AppError> {
        let change = (TemplateState::Approved, TemplateState::Withdrawn);
        self.end_template(authorized, id, change, reason).await
    }

    async fn end_template(
        &self,
        authorized: Authorized<SecretApprove>,
        id: TemplateId,
        (from, to): (TemplateState, TemplateState),
        reason: &str,
    ) -> Result<TemplateSeen, AppError> {
        let by = only_humans(&authorized)?;
        let reason = self.reason(reason)?;
        let mut tx = self.store.begin(authorized).await?;
        if get(&mut tx, id).await?.state != from {
            return Err(AppError::Conflict(if from == TemplateState::Waiting {
                "this version does not wait: withdraw it if it is approved"
            } else {
                "this version is not approved: reject it if it waits"
            }));
        }
        let decided = TemplateDecided {
            by,
            at: self.store.now(),
            reason: Some(reason),
            digest: None,
            alone: false,
        };
        tx.decide_template(id, to, &decided).await?;
        decided_on(tx, id).await
    }

    /// Whether somebody beside the caller could approve, here and in person.
    async fn has_other_approver(&self, caller: &Caller) -> Result<bool, AppError> {
        let Principal::User(user) = caller.principal() else {
            return Ok(true);
        };
        let authorized: Authorized<SecretApprove> = caller.authorize()?;
        let mut tx = self.store.begin_org(authorized).await?;
        Ok(tx.has_other_approver(user).await?)
    }

    /// Why somebody decided something; it is shown to others.
    fn reason(&self, reason: &str) -> Result<String, AppError> {
        if reason.trim().is_empty() {
            return Err(Invalid::required("reason"));
        }
        Invalid::check_length("reason", reason, REASON)?;
        Ok(self.take_in_line(reason))
    }
}

/// What must hold of a version when it is approved: all of it again, so that a form which is no longer
/// taken is not approved either.
async fn may_be_approved(
    tx: &mut Tx<SecretApprove>,
    version: &TemplateVersion,
    read: &str,
) -> Result<Template, AppError> {
    if !version.state.may_be_approved() {
        return Err(AppError::Conflict(
            "this version was decided on already: draft a new one",
        ));
    }
    let template = check::opened(version)?;
    if digest(&template) != read {
        return Err(AppError::Conflict(
            "this is not what you read: its digest is another one; look at it again",
        ));
    }
    let replaces = tx.approved_template(&version.name).await?.is_some();
    if !replaces && tx.count_approved_templates().await? >= Limits::TEMPLATES {
        return Err(AppError::Conflict(
            "as many templates are approved as may be: withdraw one first",
        ));
    }
    Ok(template)
}

/// For the record: there were no four eyes on it.
fn lonely(target: &str) -> Decision {
    Decision {
        action: "template.approve_alone".into(),
        reason: "drafted and approved by the only human who may approve".into(),
        target: Some(target.to_owned()),
        ..Decision::default()
    }
}

/// No agent decides what secrets are used for, whatever its role allows. Says who does.
fn only_humans(authorized: &Authorized<SecretApprove>) -> Result<Principal, AppError> {
    match authorized.principal() {
        Some(human @ Principal::User(_)) => Ok(human),
        _ => Err(Denied::MissingPermission(Permission::SecretApprove).into()),
    }
}

fn digest(template: &Template) -> String {
    format!("sha256:{}", crate::skills::hex(&template.digest()))
}

fn seen(version: TemplateVersion) -> Result<TemplateSeen, AppError> {
    let draft = check::read(&version.text)?;
    Ok(TemplateSeen { version, draft })
}

async fn get<P: Right + SeesTemplates>(
    tx: &mut Tx<P>,
    id: TemplateId,
) -> Result<TemplateVersion, AppError> {
    let found = tx.get_template(id).await?;
    found.ok_or(AppError::NotFound("template"))
}

async fn decided_on(mut tx: Tx<SecretApprove>, id: TemplateId) -> Result<TemplateSeen, AppError> {
    let version = get(&mut tx, id).await?;
    tx.commit().await?;
    seen(version)
}

/// So many seconds later.
fn later(at: Timestamp, seconds: u64) -> Timestamp {
    let micros = i64::try_from(seconds).unwrap_or(i64::MAX);
    Timestamp::from_micros(
        at.as_micros()
            .saturating_add(micros.saturating_mul(1_000_000)),
    )
}
