//! Who may use a template: an agent asks with a reason, a human grants for a time.

use skep_authz::Authorized;
use skep_authz::rights::{SecretApprove, SecretList, SecretUse};
use skep_domain::{AccessId, AccessState, AgentId, Id, Limits, RecordName, Timestamp};
use skep_store::{Access, AccessDecision, NewAccess, PageOf, Tx};

use super::{Reviewer, later, only_humans};
use crate::error::Invalid;
use crate::{App, AppError};

const FULL: AppError =
    AppError::Conflict("as many grants are in force as may be: revoke some first");

/// How long a grant lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lasting {
    /// Until somebody revokes it.
    Open,
    /// So many seconds.
    Seconds(u64),
}

/// What an agent asks for.
#[derive(Clone, Debug)]
pub struct AskAccess {
    /// The template's name.
    pub template: String,
    /// Why.
    pub reason: String,
    /// For how long.
    pub lasting: Lasting,
}

/// What a human grants unasked.
#[derive(Clone, Debug)]
pub struct GrantAccess {
    /// The template's name.
    pub template: String,
    /// For whom; for every agent if for none.
    pub agent: Option<AgentId>,
    /// Why.
    pub reason: String,
    /// For how long.
    pub lasting: Lasting,
}

/// A page of requests and grants.
#[derive(Debug)]
pub struct AccessPage {
    /// Newest first.
    pub items: Vec<Access>,
    /// The last one looked at, if there may be more.
    pub next: Option<AccessId>,
}

impl Lasting {
    /// From a number of seconds, if there is one.
    #[must_use]
    pub fn of(seconds: Option<u64>) -> Self {
        seconds.map_or(Self::Open, Self::Seconds)
    }

    fn seconds(self) -> Option<u64> {
        match self {
            Self::Open => None,
            Self::Seconds(seconds) => Some(seconds),
        }
    }

    /// When it ends, if it does.
    pub(super) fn until(self, now: Timestamp) -> Result<Option<Timestamp>, AppError> {
        match self {
            Self::Open => Ok(None),
            Self::Seconds(seconds) if (1..=Limits::GRANT_SECONDS).contains(&seconds) => {
                Ok(Some(later(now, seconds)))
            }
            Self::Seconds(_) => {
                let why = format!("seconds is not from 1 to {}", Limits::GRANT_SECONDS);
                Err(Invalid::unknown("seconds", &why))
            }
        }
    }
}

impl App {
    /// Keeps the request of an agent for a human to decide; what waits already stays one request.
    ///
    /// # Errors
    /// [`AppError::Conflict`] for a human, who needs none; [`AppError::NoTemplate`];
    /// [`AppError::Conflict`] when it is granted already, or too many wait.
    pub async fn ask_access(
        &self,
        authorized: Authorized<SecretUse>,
        wanted: AskAccess,
    ) -> Result<Access, AppError> {
        let (now, reason) = (self.store.now(), self.reason(&wanted.reason)?);
        wanted.lasting.until(now)?;
        let template = called(&wanted.template)?;
        let agent = authorized.agent().ok_or(AppError::Conflict(
            "a human needs no grant: whoever may use secrets uses what is approved",
        ))?;
        let mut tx = self.store.begin(authorized).await?;
        if tx.approved_template(&template).await?.is_none() {
            return Err(AppError::NoTemplate(template.as_str().into()));
        }
        let held = tx.grants_of(agent, Some(&template), now).await?;
        if held.iter().any(|grant| grant.until.is_none()) {
            return Err(AppError::Conflict(
                "this is granted already, without an end",
            ));
        }
        let new = NewAccess {
            id: self.store.mint(),
            template,
            agent: Some(agent),
            reason,
            seconds: wanted.lasting.seconds(),
            at: now,
        };
        let asked = tx.ask_access(&new).await?.ok_or(AppError::Conflict(
            "as many of your requests wait as may: wait for a human to decide on them",
        ))?;
        tx.commit().await?;
        Ok(asked)
    }

    /// Requests and grants, newest first: for an agent its own and every agent's, for who drafts or approves
    /// templates all of them, for others what every agent is granted.
    ///
    /// # Errors
    /// [`AppError`].
    pub async fn list_access(
        &self,
        authorized: Authorized<SecretList>,
        reviewer: Option<&Reviewer>,
        page: PageOf<AccessId>,
    ) -> Result<AccessPage, AppError> {
        let nobody = AgentId::from_bytes([0; 16]);
        let agent = match (authorized.agent(), reviewer) {
            (Some(agent), _) => Some(agent),
            (None, Some(_)) => None,
            (None, None) => Some(nobody),
        };
        let mut tx = self.store.begin(authorized).await?;
        let items = tx.list_access(agent, page).await?;
        let full = items.len() == page.limit as usize;
        let next = items.last().filter(|_| full).map(|last| last.id);
        Ok(AccessPage { items, next })
    }

    /// Grants a template that is approved, unasked or as an answer to what waits.
    ///
    /// # Errors
    /// [`AppError::Denied`] for an agent; [`AppError::NoTemplate`]; [`AppError::Conflict`] when too many
    /// grants are in force.
    pub async fn grant_access(
        &self,
        authorized: Authorized<SecretApprove>,
        wanted: GrantAccess,
    ) -> Result<Access, AppError> {
        only_humans(&authorized)?;
        let now = self.store.now();
        let until = wanted.lasting.until(now)?;
        Invalid::check_length("reason", &wanted.reason, Limits::ACCESS_REASON)?;
        let template = called(&wanted.template)?;
        let mut tx = self.store.begin(authorized).await?;
        if tx.approved_template(&template).await?.is_none() {
            return Err(AppError::NoTemplate(template.as_str().into()));
        }
        let new = NewAccess {
            id: self.store.mint(),
            template,
            agent: wanted.agent,
            reason: self.take_in_line(&wanted.reason),
            seconds: wanted.lasting.seconds(),
            at: now,
        };
        let granted = tx.grant_access(&new, until).await?.ok_or(FULL)?;
        tx.commit().await?;
        Ok(granted)
    }

    /// Grants what an agent asked for: for as long as it asked, or as is said here.
    ///
    /// # Errors
    /// As [`App::grant_access`]; [`AppError::Conflict`] when it does not wait.
    pub async fn grant_request(
        &self,
        authorized: Authorized<SecretApprove>,
        id: AccessId,
        lasting: Option<Lasting>,
    ) -> Result<Access, AppError> {
        only_humans(&authorized)?;
        let at = self.store.now();
        let mut tx = self.store.begin(authorized).await?;
        let asked = in_state(&mut tx, id, AccessState::Waiting).await?;
        if tx.approved_template(&asked.template).await?.is_none() {
            return Err(AppError::NoTemplate(asked.template.as_str().into()));
        }
        let lasting = lasting.unwrap_or(Lasting::of(asked.seconds));
        let decision = AccessDecision {
            state: AccessState::Granted,
            until: lasting.until(at)?,
            reason: None,
            at,
        };
        settled(tx, id, decision).await
    }

    /// Turns a request down.
    ///
    /// # Errors
    /// [`AppError::Denied`] for an agent; [`AppError::NotFound`]; [`AppError::Conflict`] when it does not
    /// wait.
    pub async fn refuse_request(
        &self,
        authorized: Authorized<SecretApprove>,
        id: AccessId,
        reason: &str,
    ) -> Result<Access, AppError> {
        let change = (AccessState::Waiting, AccessState::Refused);
        self.end_access(authorized, id, change, reason).await
    }

    /// Takes a grant back, at once.
    ///
    /// # Errors
    /// [`AppError::Denied`] for an agent; [`AppError::NotFound`]; [`AppError::Conflict`] when it is no
    /// grant.
    pub async fn revoke_grant(
        &self,
        authorized: Authorized<SecretApprove>,
        id: AccessId,
        reason: &str,
    ) -> Result<Access, AppError> {
        let change = (AccessState::Granted, AccessState::Revoked);
        self.end_access(authorized, id, change, reason).await
    }

    async fn end_access(
        &self,
        authorized: Authorized<SecretApprove>,
        id: AccessId,
        (from, to): (AccessState, AccessState),
        reason: &str,
    ) -> Result<Access, AppError> {
        only_humans(&authorized)?;
        let reason = self.reason(reason)?;
        let mut tx = self.store.begin(authorized).await?;
        let held = in_state(&mut tx, id, from).await?;
        let decision = AccessDecision {
            state: to,
            until: held.until,
            reason: Some(&reason),
            at: self.store.now(),
        };
        settled(tx, id, decision).await
    }
}

/// The name of a template that somebody sent.
fn called(template: &str) -> Result<RecordName, AppError> {
    RecordName::parse(template).map_err(|error| Invalid::unknown("template", &error.to_string()))
}

/// Grants a template to every agent, as a part of approving it.
pub(super) async fn open_to_all(
    tx: &mut Tx<SecretApprove>,
    id: AccessId,
    (template, until): (RecordName, Option<Timestamp>),
    at: Timestamp,
) -> Result<(), AppError> {
    let new = NewAccess {
        id,
        template,
        agent: None,
        reason: String::new(),
        seconds: None,
        at,
    };
    tx.grant_access(&new, until).await?.ok_or(FULL)?;
    Ok(())
}

async fn in_state(
    tx: &mut Tx<SecretApprove>,
    id: AccessId,
    state: AccessState,
) -> Result<Access, AppError> {
    let found = tx.get_access(id).await?;
    let found = found.ok_or(AppError::NotFound("request for access"))?;
    if found.state == state {
        Ok(found)
    } else {
        Err(AppError::Conflict(if state == AccessState::Waiting {
            "this request does not wait any more"
        } else {
            "this is no grant any more, or none yet"
        }))
    }
}

async fn settled(
    mut tx: Tx<SecretApprove>,
    id: AccessId,
    decision: AccessDecision<'_>,
) -> Result<Access, AppError> {
    let settled = tx.decide_access(id, decision).await?.ok_or(FULL)?;
    tx.commit().await?;
    Ok(settled)
}
