//! Who may use a template: agents ask, humans grant, and a grant ends.

use skep_authz::rights::{SecretApprove, SecretUse};
use skep_authz::{CanWrite, Right};
use skep_domain::{AccessId, AccessState, AgentId, Id, Limits, RecordName, Timestamp};

use super::{DAMAGED, SeesTemplates, print};
use crate::StoreError;
use crate::backend::PageOf;
use crate::body::{BodyReader, BodyWriter};
use crate::keys::{WorkspaceKeys, column};
use crate::row::AccessRow;
use crate::tx::Tx;
use crate::value::{Access, AccessDecision, NewAccess};

impl Tx<SecretUse> {
    /// Keeps the request of an agent. What it waits for already stays one request; `None` when as many of
    /// its requests wait as may.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn ask_access(&mut self, new: &NewAccess) -> Result<Option<Access>, StoreError> {
        let agent = new.agent.ok_or(DAMAGED)?;
        let waiting = self
            .backend
            .waiting_access(&self.scope, agent, None)
            .await?;
        let name = print(&self.keys, &new.template);
        if let Some(same) = waiting.iter().find(|row| row.template == name) {
            return Ok(Some(open(&self.keys, same)?));
        }
        if waiting.len() as u64 >= Limits::ACCESS_WAITING {
            return Ok(None);
        }
        let row = self.access_row(new, AccessState::Waiting)?;
        self.backend.put_access(&self.scope, row.clone()).await?;
        Ok(Some(open(&self.keys, &row)?))
    }
}

impl Tx<SecretApprove> {
    /// Grants a template to an agent, or to every one, unasked; in the place of the grant there was, and
    /// answering what the agent waits for. `None` when there are as many grants as may be.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn grant_access(
        &mut self,
        new: &NewAccess,
        until: Option<Timestamp>,
    ) -> Result<Option<Access>, StoreError> {
        let name = print(&self.keys, &new.template);
        if let Some(agent) = new.agent {
            let waiting = self.backend.waiting_access(&self.scope, agent, Some(name));
            if let Some(waiting) = waiting.await?.first() {
                let (id, reason) = (waiting.id, Some(new.reason.as_str()));
                let reason = reason.filter(|reason| !reason.is_empty());
                let decision = AccessDecision {
                    state: AccessState::Granted,
                    until,
                    reason,
                    at: new.at,
                };
                return self.decide_access(id, decision).await;
            }
        }
        if self.is_full(new.at).await? {
            return Ok(None);
        }
        let agent = new.agent;
        let gone = self.backend.supersede_grant(&self.scope, name, agent);
        gone.await?;
        let row = AccessRow {
            until,
            decided: Some((self.owner()?, new.at)),
            ..self.access_row(new, AccessState::Granted)?
        };
        self.backend.put_access(&self.scope, row.clone()).await?;
        Ok(Some(open(&self.keys, &row)?))
    }

    /// Notes a decision; whether it may follow on the state before is the caller's to have seen in this
    /// transaction. `None` when there are as many grants as may be.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn decide_access(
        &mut self,
        id: AccessId,
        decision: AccessDecision<'_>,
    ) -> Result<Option<Access>, StoreError> {
        let row = self.backend.access(&self.scope, id).await?;
        let Some(row) = row else {
            return Err(StoreError::Refused("there is no such request".into()));
        };
        if decision.state == AccessState::Granted {
            if self.is_full(decision.at).await? {
                return Ok(None);
            }
            let (name, agent) = (row.template, row.agent);
            let gone = self.backend.supersede_grant(&self.scope, name, agent);
            gone.await?;
        }
        let why = BodyWriter::default().option(decision.reason).finish();
        let place = id.to_bytes();
        let row = AccessRow {
            state: decision.state,
            until: decision.until,
            decided: Some((self.owner()?, decision.at)),
            decision: Some(self.keys.seal(column::ACCESS_DECISION, place, &why)),
            ..row
        };
        self.backend.set_access(&self.scope, row.clone()).await?;
        let keep = Limits::ACCESS_KEPT;
        let pruned = self.backend.prune_accesses(&self.scope, decision.at, keep);
        pruned.await?;
        Ok(Some(open(&self.keys, &row)?))
    }

    async fn is_full(&mut self, now: Timestamp) -> Result<bool, StoreError> {
        let held = self.backend.count_grants(&self.scope, now).await?;
        Ok(held >= Limits::GRANTS)
    }
}

impl<P: Right + SeesTemplates> Tx<P> {
    /// One request or grant.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get_access(&mut self, id: AccessId) -> Result<Option<Access>, StoreError> {
        let row = self.backend.access(&self.scope, id).await?;
        row.map(|row| open(&self.keys, &row)).transpose()
    }

    /// Requests and grants, newest first: all of them, or an agent's and every agent's.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_access(
        &mut self,
        agent: Option<AgentId>,
        page: PageOf<AccessId>,
    ) -> Result<Vec<Access>, StoreError> {
        let rows = self.backend.accesses(&self.scope, agent, page).await?;
        rows.iter().map(|row| open(&self.keys, row)).collect()
    }

    /// What an agent is granted now, its own and every agent's: for one template, or for all.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn grants_of(
        &mut self,
        agent: AgentId,
        template: Option<&RecordName>,
        now: Timestamp,
    ) -> Result<Vec<Access>, StoreError> {
        let template = template.map(|name| print(&self.keys, name));
        let rows = self.backend.grants_of(&self.scope, agent, template, now);
        let rows = rows.await?;
        rows.iter().map(|row| open(&self.keys, row)).collect()
    }
}

impl<P: CanWrite> Tx<P> {
    fn access_row(&self, new: &NewAccess, state: AccessState) -> Result<AccessRow, StoreError> {
        let seconds = new.seconds.map(|seconds| seconds.to_string());
        let body = BodyWriter::default()
            .text(new.template.as_str())
            .text(&new.reason)
            .option(seconds.as_deref())
            .finish();
        Ok(AccessRow {
            id: new.id,
            template: print(&self.keys, &new.template),
            agent: new.agent,
            state,
            asker: self.owner()?,
            at: new.at,
            until: None,
            decided: None,
            body: self
                .keys
                .seal(column::ACCESS_BODY, new.id.to_bytes(), &body),
            decision: None,
        })
    }
}

fn open(keys: &WorkspaceKeys, row: &AccessRow) -> Result<Access, StoreError> {
    let place = row.id.to_bytes();
    let opened = keys.open(column::ACCESS_BODY, place, &row.body)?;
    let mut reader = BodyReader(opened.expose());
    let (template, reason, seconds) = (reader.text()?, reader.text()?, reader.option()?);
    reader.end()?;
    let seconds = seconds.map(|text| text.parse().map_err(|_| DAMAGED));
    let why = match &row.decision {
        Some(decision) => {
            let opened = keys.open(column::ACCESS_DECISION, place, decision)?;
            let mut reader = BodyReader(opened.expose());
            let why = reader.option()?;
            reader.end()?;
            why
        }
        None => None,
    };
    Ok(Access {
        id: row.id,
        template: RecordName::parse(&template).map_err(|_| DAMAGED)?,
        agent: row.agent,
        state: row.state,
        asker: row.asker,
        at: row.at,
        reason,
        seconds: seconds.transpose()?,
        until: row.until,
        decided: row.decided.map(|(by, at)| (by, at, why)),
    })
}
