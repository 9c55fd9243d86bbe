//! What somebody may use now: approved, unchanged since, and granted to the agent who asks. Asked anew at
//! each use, so that what is withdrawn or ends does so at once.

use skep_authz::Authorized;
use skep_authz::rights::SecretUse;
use skep_domain::{Principal, RecordName, TemplateId, TemplateState, Timestamp};
use skep_exec::Demand;
use skep_store::{Access, PageOf, TemplateVersion};
use skep_vault::template::Template;

use super::check::opened;
use super::on_wire::{self, WireParts};
use crate::error::Invalid;
use crate::{App, AppError};

/// Templates that are looked through at a time.
const PAGE: u32 = 200;

/// A template that the caller may use now.
#[derive(Debug)]
pub struct Usable {
    /// Which version.
    pub id: TemplateId,
    /// What was approved.
    pub template: Template,
    /// When the caller's grant ends, if it does.
    pub until: Option<Timestamp>,
}

impl Usable {
    /// What the proxy is told of it: of either form, and of a program that sends nowhere nothing.
    ///
    /// # Errors
    /// [`AppError::Internal`] when the proxy no longer takes it; it did when it was approved.
    pub fn wire(&self) -> Result<WireParts, AppError> {
        let parts = WireParts::of(&self.template);
        parts.map_err(|_| AppError::Internal("the proxy does not take an approved template"))
    }

    /// Without which layers of the sandbox its program does not start.
    #[must_use]
    pub fn demand(&self) -> Option<Demand> {
        self.template.program().map(on_wire::demand)
    }
}

impl App {
    /// The template of this name, if the caller may use it now. Whoever does something with it later asks
    /// again then.
    ///
    /// # Errors
    /// [`AppError::NoTemplate`] when none is approved; [`AppError::AccessRequired`] for an agent without a
    /// grant that is in force.
    pub async fn usable(
        &self,
        authorized: &Authorized<SecretUse>,
        name: &str,
    ) -> Result<Usable, AppError> {
        let name = RecordName::parse(name)
            .map_err(|error| Invalid::unknown("template", &error.to_string()))?;
        let mut tx = self.store.begin(authorized.to_look()).await?;
        let found = tx.approved_template(&name).await?;
        let found = found.ok_or_else(|| AppError::NoTemplate(name.as_str().into()))?;
        let until = match authorized.principal() {
            Some(Principal::User(_)) => Ends::Never,
            Some(Principal::Agent(agent)) => {
                let now = self.store.now();
                let grants = tx.grants_of(agent, Some(&name), now).await?;
                let ends = longest(grants.iter(), now);
                ends.ok_or_else(|| AppError::AccessRequired(name.as_str().into()))?
            }
            None => return Err(AppError::Internal("upkeep uses no secret")),
        };
        usable(&found, until.time())
    }

    /// Every template that the caller may use now.
    ///
    /// # Errors
    /// [`AppError`].
    pub async fn usables(
        &self,
        authorized: &Authorized<SecretUse>,
    ) -> Result<Vec<Usable>, AppError> {
        let mut tx = self.store.begin(authorized.to_look()).await?;
        let now = self.store.now();
        let grants = match authorized.principal() {
            Some(Principal::User(_)) => None,
            Some(Principal::Agent(agent)) => Some(tx.grants_of(agent, None, now).await?),
            None => return Err(AppError::Internal("upkeep uses no secret")),
        };
        let mut all = Vec::new();
        let mut before = None;
        loop {
            let page = PageOf {
                limit: PAGE,
                before,
            };
            let found = tx.list_templates(TemplateState::Approved, page).await?;
            before = found.last().map(|last| last.id);
            for version in &found {
                let key = version.name.key();
                let ends = match &grants {
                    None => Some(Ends::Never),
                    Some(grants) => {
                        let same = |grant: &&Access| grant.template.key() == key;
                        longest(grants.iter().filter(same), now)
                    }
                };
                if let Some(until) = ends {
                    all.push(usable(version, until.time())?);
                }
            }
            if found.len() < PAGE as usize {
                return Ok(all);
            }
        }
    }
}

/// How long something may be used.
#[derive(Clone, Copy)]
enum Ends {
    Never,
    At(Timestamp),
}

impl Ends {
    fn time(self) -> Option<Timestamp> {
        match self {
            Self::Never => None,
            Self::At(time) => Some(time),
        }
    }
}

/// When the last of them ends; `None` if there is none.
fn longest<'a>(grants: impl Iterator<Item = &'a Access>, now: Timestamp) -> Option<Ends> {
    let in_force = grants.filter(|grant| grant.state.is_in_force(grant.until, now));
    let ends = in_force.map(|grant| grant.until.map_or(Ends::Never, Ends::At));
    ends.reduce(|one, other| match (one, other) {
        (Ends::At(one), Ends::At(other)) => Ends::At(one.max(other)),
        _ => Ends::Never,
    })
}

/// What was approved is what is kept, or it is not used.
fn usable(version: &TemplateVersion, until: Option<Timestamp>) -> Result<Usable, AppError> {
    let approved = version.decided.as_ref();
    let approved = approved.and_then(|decided| decided.digest.as_ref());
    if version.state != TemplateState::Approved || approved != Some(&version.digest) {
        return Err(AppError::Internal("a template is not what was approved"));
    }
    Ok(Usable {
        id: version.id,
        template: opened(version)?,
        until,
    })
}
