//! Agents of a workspace: made, listed, let read more or less, suspended.

use skep_authz::Authorized;
use skep_authz::rights::{MemberManage, SettingRead};
use skep_domain::{AgentId, Name, PolicyGroupId, ReadPolicy, Standing, Timestamp};
use skep_store::{Agent, NewAgent, OrgTx, PolicyGroup};

use crate::{App, AppError, Invalid};

/// What an agent reads beside its own, with the group by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Policy {
    /// Nothing.
    Isolated,
    /// Whatever is shared with the workspace.
    Shared,
    /// Whatever agents of this group share.
    Group(String),
}

/// A change of an agent.
#[derive(Clone, Debug, Default)]
pub struct AgentEdit {
    /// What it reads from now on.
    pub policy: Option<Policy>,
    /// Whether it may act.
    pub standing: Option<Standing>,
}

/// An agent as it is shown.
#[derive(Clone, Debug)]
pub struct AgentView {
    /// Its id.
    pub id: AgentId,
    /// Its name.
    pub name: String,
    /// What it reads beside its own.
    pub policy: Policy,
    /// Whether it may act.
    pub standing: Standing,
    /// When it was made.
    pub created_at: Timestamp,
}

impl App {
    /// Makes an agent.
    ///
    /// # Errors
    /// [`AppError::Invalid`] for a bad name, [`AppError::Conflict`] for one that is taken.
    pub async fn create_agent(
        &self,
        authorized: Authorized<MemberManage>,
        name: &str,
        policy: &Policy,
    ) -> Result<AgentView, AppError> {
        let name = parse_name("name", name)?;
        let mut tx = self.store.begin_org(authorized).await?;
        if tx.get_agent_named(&name).await?.is_some() {
            return Err(AppError::Conflict(
                "an agent has this name, or one that looks like it",
            ));
        }
        let policy = stored(&mut tx, policy).await?;
        let id = tx.put_agent(NewAgent { name, policy }).await?;
        let view = view_of(&mut tx, id).await?;
        tx.commit().await?;
        Ok(view)
    }

    /// The agents of the workspace, oldest first.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn list_agents(
        &self,
        authorized: Authorized<SettingRead>,
        after: Option<AgentId>,
        limit: u32,
    ) -> Result<(Vec<AgentView>, bool), AppError> {
        let mut tx = self.store.begin_org(authorized).await?;
        let groups = tx.list_policy_groups().await?;
        let mut agents = tx.list_agents(after, limit + 1).await?;
        let more = agents.len() > limit as usize;
        agents.truncate(limit as usize);
        let views = agents.into_iter().map(|agent| view(agent, &groups));
        Ok((views.collect(), more))
    }

    /// Changes an agent. A suspended one is refused from the next request on.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn edit_agent(
        &self,
        authorized: Authorized<MemberManage>,
        id: AgentId,
        edit: AgentEdit,
    ) -> Result<AgentView, AppError> {
        let mut tx = self.store.begin_org(authorized).await?;
        if let Some(policy) = &edit.policy {
            let policy = stored(&mut tx, policy).await?;
            tx.set_agent_policy(id, policy).await?;
        }
        if let Some(standing) = edit.standing {
            tx.set_agent_standing(id, standing).await?;
        }
        let view = view_of(&mut tx, id).await?;
        tx.commit().await?;
        Ok(view)
    }
}

/// Reads a name, or says which field is wrong and why.
pub(super) fn parse_name(field: &str, text: &str) -> Result<Name, AppError> {
    Name::parse(text).map_err(|error| Invalid::unknown(field, &error.to_string()))
}

async fn stored(tx: &mut OrgTx<MemberManage>, policy: &Policy) -> Result<ReadPolicy, AppError> {
    Ok(match policy {
        Policy::Isolated => ReadPolicy::Isolated,
        Policy::Shared => ReadPolicy::Shared,
        Policy::Group(name) => {
            let name = parse_name("group", name)?;
            ReadPolicy::Group(tx.put_policy_group(&name).await?)
        }
    })
}

async fn view_of(tx: &mut OrgTx<MemberManage>, id: AgentId) -> Result<AgentView, AppError> {
    let agent = tx.get_agent(id).await?.ok_or(AppError::NotFound("agent"))?;
    let groups = tx.list_policy_groups().await?;
    Ok(view(agent, &groups))
}

fn view(agent: Agent, groups: &[PolicyGroup]) -> AgentView {
    let named = |id: PolicyGroupId| {
        let group = groups.iter().find(|group| group.id == id);
        group.map_or_else(String::new, |group| group.name.clone())
    };
    AgentView {
        id: agent.id,
        name: agent.name,
        policy: match agent.policy {
            ReadPolicy::Isolated => Policy::Isolated,
            ReadPolicy::Shared => Policy::Shared,
            ReadPolicy::Group(id) => Policy::Group(named(id)),
        },
        standing: agent.standing,
        created_at: agent.created_at,
    }
}
