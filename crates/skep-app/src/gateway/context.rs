//! What a model call is given beside what its caller wrote: whether, by whose word, and how it goes in.

use std::collections::HashMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use skep_authz::rights::{GatewayConfigure, GatewayUse, MemoryRead, SessionCapture};
use skep_authz::{Authorized, Caller, Denied};
use skep_domain::{AgentId, Id, MemoryId, Principal};
use skep_llm::relay;

use super::exchange::Asked;
use super::{Format, GatewayCall};
use crate::access::Decision;
use crate::inject::{CallRights, Conversation, IdText, Reader, deadline};
use crate::upkeep::Tenant;
use crate::{App, AppError};

/// What the names of these settings begin with.
const PREFIX: &str = "context.";
/// Agents of one organization that have one.
const AGENTS: usize = 4_096;

/// What a model is given with a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MemoryMode {
    /// Memories that answer what was said last.
    On,
    /// The directive alone.
    Directive,
    /// Nothing.
    #[default]
    Off,
}

/// What the calls of an agent are given where they say nothing themselves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentContext {
    /// What its model is given.
    pub memory: MemoryMode,
    /// Whether what is said in its calls is kept as turns.
    #[serde(default)]
    pub capture: bool,
}

/// The same, with whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AgentContextView {
    /// The agent.
    pub agent: AgentId,
    /// What its calls are given.
    pub context: AgentContext,
}

/// What a call itself asks for, and what its caller may.
pub struct ContextAsked<'a> {
    /// What its model is to be given; what is set for its agent if absent.
    pub memory: Option<MemoryMode>,
    /// Whether what is said is kept, and in which session.
    pub keeping_in: KeepingIn,
    /// The rights that memories take.
    pub rights: Result<CallRights, Denied>,
    /// The right that keeping takes.
    pub keeping: Result<Authorized<SessionCapture>, Denied>,
    /// Who is shown what goes in, and by which route.
    pub caller: &'a Caller,
    /// The method and path of the route.
    pub route: String,
    /// Writes ids.
    pub id_text: IdText<'a>,
}

/// Where what is said in a call is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum KeepingIn {
    /// As is set for its agent, in a session of its conversation.
    #[default]
    AsSet,
    /// In a session of its conversation, whatever is set.
    Conversation,
    /// Nowhere.
    Nowhere,
    /// In the session of this name.
    Session(String),
}

/// What a model was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContextTold {
    /// So many memories, and the directive if there is one.
    Blocks(usize),
    /// The directive alone, as asked for.
    Directive,
    /// The directive alone at most: memories were not to be had in time.
    Degraded,
    /// Nothing, since calls of this form have no place for it.
    NoPlace,
}

/// What goes on in the place of what came.
#[derive(Default)]
pub(super) struct GivenContext {
    /// The body, if it changes.
    pub(super) body: Option<Bytes>,
    pub(super) told: Option<ContextTold>,
    /// What was said, if that is to be kept.
    pub(super) asked: Option<(Authorized<SessionCapture>, Asked)>,
    /// The memories in it, and whose they are.
    pub(super) memories: Vec<(Principal, MemoryId)>,
}

/// What is wanted of a call, by whoever may want it.
pub(super) struct Wish<'a> {
    mode: MemoryMode,
    /// The rights that memories take, where they are wanted and had.
    rights: Option<CallRights>,
    /// The right that keeping takes, where that is wanted and had.
    keeping: Option<Authorized<SessionCapture>>,
    /// The session that is named for it.
    session: Option<String>,
    /// To look whether what an answer of before was made with may still be read, had by whoever may be given memories,
    /// wanted or not.
    pub(super) seeing: Option<Authorized<MemoryRead>>,
    pub(super) reader: Reader<'a>,
    id_text: IdText<'a>,
    /// Whether there is a place for it.
    has_place: bool,
    keeps: bool,
}

impl Wish<'_> {
    /// Nothing is to be put in, and nothing kept.
    const fn is_for_nothing(&self) -> bool {
        matches!(self.mode, MemoryMode::Off) && !self.keeps
    }
}

impl ContextAsked<'_> {
    /// What the call itself asks for, by which it differs from one that has the same body.
    pub(super) fn wanted(&self) -> String {
        format!("{:?} {:?}", self.memory, self.keeping_in)
    }
}

impl GivenContext {
    /// Nothing, and this is said of it.
    fn told(told: Option<ContextTold>) -> Self {
        Self {
            told,
            ..Self::default()
        }
    }
}

impl MemoryMode {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::On, Self::Directive, Self::Off];

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::On => "on",
            Self::Directive => "directive",
            Self::Off => "off",
        }
    }

    /// Reads a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == name)
    }
}

/// Settings that are of agents; what is not readable is as if it were not set.
pub(super) fn parse(settings: &[(String, Vec<u8>)]) -> HashMap<AgentId, AgentContext> {
    let known = settings.iter().filter_map(|(name, value)| {
        let agent = read_hex(name.strip_prefix(PREFIX)?)?;
        Some((agent, serde_json::from_slice(value).ok()?))
    });
    known.collect()
}

/// A right for something that is wanted. Whoever asks for it in so many words is told when they have it not; what somebody
/// else set for them does not stop their call.
fn had<R>(is_wanted: bool, right: Result<R, Denied>, is_asked: bool) -> Result<Option<R>, Denied> {
    match right {
        _ if !is_wanted => Ok(None),
        Ok(right) => Ok(Some(right)),
        Err(denied) if is_asked => Err(denied),
        Err(denied) => {
            // Each call of such a key says so: whoever has one must not be able to fill the log.
            tracing::debug!(%denied, "a model call goes without what is set for its agent");
            Ok(None)
        }
    }
}

fn name_of(agent: AgentId) -> String {
    format!("{PREFIX}{}", crate::skills::hex(&agent.to_bytes()))
}

fn read_hex(text: &str) -> Option<AgentId> {
    let number = u128::from_str_radix(text, 16).ok()?;
    (text.len() == 32).then(|| AgentId::from_bytes(number.to_be_bytes()))
}

impl App {
    /// What is wanted of a call, if its caller may want it. A call may ask for more than is set for its agent: whoever may
    /// call a model and read memories can put the ones into the other by themselves.
    pub(super) async fn wish_of<'a>(
        &self,
        authorized: &Authorized<GatewayUse>,
        format: Format,
        mut asked: ContextAsked<'a>,
    ) -> Result<Wish<'a>, AppError> {
        // What is set for agents is known by then.
        self.providers_of(authorized.organization()).await?;
        let set = authorized
            .agent()
            .map(|agent| self.gateway.known.context(authorized.organization(), agent));
        let set = set.unwrap_or_default();
        let mode = asked.memory.unwrap_or(set.memory);
        let is_named = asked.keeping_in != KeepingIn::AsSet;
        let (keeps, session) = match asked.keeping_in {
            KeepingIn::AsSet => (set.capture, None),
            KeepingIn::Conversation => (true, None),
            KeepingIn::Nowhere => (false, None),
            KeepingIn::Session(name) => (true, Some(name)),
        };
        let has_place = format.writes();
        let is_on = mode == MemoryMode::On && has_place;
        let rights = asked.rights.as_mut();
        let seeing = rights.ok().and_then(|rights| rights.seeing.take());
        let rights = had(is_on, asked.rights, asked.memory.is_some())?;
        let keeping = had(keeps && has_place, asked.keeping, is_named)?;
        let why = Decision {
            reason: asked.route,
            ..Decision::default()
        };
        Ok(Wish {
            mode,
            rights,
            keeping,
            session,
            seeing,
            reader: Reader {
                caller: asked.caller,
                why,
            },
            id_text: asked.id_text,
            has_place,
            keeps,
        })
    }

    /// What goes into a call.
    pub(super) async fn context_of(
        &self,
        authorized: &Authorized<GatewayUse>,
        call: &GatewayCall,
        wish: Wish<'_>,
    ) -> Result<GivenContext, AppError> {
        if wish.is_for_nothing() {
            return Ok(GivenContext::default());
        }
        if !wish.has_place {
            return Ok(GivenContext::told(Some(ContextTold::NoPlace)));
        }
        let mode = wish.mode;
        let said = relay::said(call.format, &call.body).unwrap_or_default();
        let texts: Vec<&str> = said.iter().map(|said| said.text.as_str()).collect();
        let key = &self.store.instance_keys().fingerprint;
        let workspace = authorized.workspace();
        let Some(conversation) = Conversation::of(key, workspace, &texts, wish.session) else {
            let told = (mode != MemoryMode::Off).then_some(ContextTold::Degraded);
            return Ok(GivenContext::told(told));
        };
        // As its caller wrote it: what is put in below is nobody's words.
        let asked_last = wish
            .keeping
            .map(|right| (right, conversation.asked(&texts)));
        if mode == MemoryMode::Off {
            return Ok(GivenContext {
                asked: asked_last,
                ..GivenContext::default()
            });
        }
        let tenant = (authorized.organization(), authorized.workspace());
        let wanted = (mode, wish.rights, (&wish.reader, wish.id_text));
        let pieces = self.pieces_of(tenant, &conversation, wanted).await;
        let (texts, told, memories) = pieces;
        let pieces: Vec<_> = texts
            .iter()
            .filter_map(|(at, text)| Some((said.get(*at)?, text.as_str())))
            .collect();
        Ok(GivenContext {
            body: (!pieces.is_empty()).then(|| relay::with_behind(&call.body, &pieces)),
            told: Some(told),
            asked: asked_last,
            memories,
        })
    }

    /// What goes behind which text, and what is said of it.
    async fn pieces_of(
        &self,
        tenant: Tenant,
        conversation: &Conversation,
        (mode, rights, (reader, id_text)): (
            MemoryMode,
            Option<CallRights>,
            (&Reader<'_>, IdText<'_>),
        ),
    ) -> (
        Vec<(usize, String)>,
        ContextTold,
        Vec<(Principal, MemoryId)>,
    ) {
        let mut late = deadline(&*self.gateway.timer);
        let (directives, is_known) = self.directives_in_time(tenant, &mut late).await;
        let (mut pieces, mut memories) = (Vec::new(), Vec::new());
        if !directives.is_empty() {
            // Behind the first text, where it is in each call of the conversation.
            pieces.push((0, self.standing_text(&directives, conversation.beginning())));
        }
        let told = match (mode, rights) {
            (MemoryMode::Directive, _) if is_known => ContextTold::Directive,
            (MemoryMode::On, Some(rights)) if is_known => {
                // Much of what a call takes up, where no memories are asked for.
                let placed = Box::pin(self.inject_into_call(
                    (rights, reader),
                    conversation,
                    (&mut late, id_text),
                ))
                .await;
                pieces.extend(placed.texts);
                memories = placed.given;
                if placed.is_degraded {
                    ContextTold::Degraded
                } else {
                    ContextTold::Blocks(placed.blocks)
                }
            }
            _ => ContextTold::Degraded,
        };
        (pieces, told, memories)
    }

    /// What is set for the calls of agents, by agent.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn list_agent_contexts(
        &self,
        authorized: Authorized<GatewayConfigure>,
    ) -> Result<Vec<AgentContextView>, AppError> {
        let mut tx = self.store.begin_org(authorized).await?;
        let known = parse(&tx.list_settings().await?);
        // The settings are the organization's, and the agents shown those of the workspace.
        let agents = tx.list_agents(None, AGENTS as u32).await?;
        let set = agents.into_iter().filter_map(|agent| {
            let context = *known.get(&agent.id)?;
            Some(AgentContextView {
                agent: agent.id,
                context,
            })
        });
        Ok(set.collect())
    }

    /// Sets what the calls of an agent are given. It counts here with the next call.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; [`AppError::Conflict`] when too many agents have one.
    pub async fn set_agent_context(
        &self,
        authorized: Authorized<GatewayConfigure>,
        view: AgentContextView,
    ) -> Result<AgentContextView, AppError> {
        let organization = authorized.organization();
        let mut tx = self.store.begin_org(authorized).await?;
        let agent = tx.get_agent(view.agent).await?;
        agent.ok_or(AppError::NotFound("agent"))?;
        let known = parse(&tx.list_settings().await?);
        if known.len() >= AGENTS && !known.contains_key(&view.agent) {
            return Err(AppError::Conflict("too many agents have a setting already"));
        }
        let value = serde_json::to_vec(&view.context)
            .map_err(|_| AppError::Internal("a setting could not be written"))?;
        // What is the default needs no row.
        let value = (view.context != AgentContext::default()).then_some(value);
        tx.put_gateway_setting(&name_of(view.agent), value.as_deref())
            .await?;
        tx.commit().await?;
        self.gateway.known.look_again(organization);
        Ok(view)
    }
}
