//! The names that memories speak of, how they belong together, and proposals about them. All of it
//! is read from memories that the caller may see, so the ring holds here too.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use skep_authz::{
    Authorized,
    rights::{MemoryRead, MemoryWrite, OntologyWrite},
};
use skep_domain::{Limits, MemoryId, OntologyAction, ProposalId, ProposalState, Timestamp};
use skep_memory::{Edge, NameKind, edge, name_form, name_kind};
use skep_store::{Memory, MemoryFilter, NewProposal, PageOf, Proposal};

use crate::error::Invalid;
use crate::{App, AppError};

/// Memories that a list of names is made from, the newest.
const READ: usize = 2_000;
/// Memories of one name that its connections are made from.
const NAMING: usize = 200;
/// Memories cited for one connection.
const CITED: usize = 5;
/// Bytes of a reason.
const REASON: usize = 1_024;

/// A name and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameSeen {
    /// As the newest memory spells it.
    pub name: String,
    /// What it is of.
    pub kind: NameKind,
    /// Memories that name it.
    pub memories: usize,
    /// When the newest of them became true.
    pub last: Timestamp,
}

/// Another name that belongs to one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// The other name.
    pub name: String,
    /// What it is of.
    pub kind: NameKind,
    /// How they belong together.
    pub edge: Edge,
    /// Memories that say so.
    pub memories: usize,
    /// Some of them, the newest first.
    pub cited: Vec<MemoryId>,
}

/// All about one name.
#[derive(Debug)]
pub struct NameTold {
    /// The name as asked for.
    pub name: String,
    /// What it is of.
    pub kind: NameKind,
    /// Memories that name it, the newest first.
    pub memories: Vec<Memory>,
    /// Names that belong to it, the closest first.
    pub connections: Vec<Connection>,
}

/// A proposal to make.
#[derive(Clone, Debug)]
pub struct Propose {
    /// What it asks for.
    pub action: OntologyAction,
    /// The name it is about.
    pub name: String,
    /// The other name, for all but archiving.
    pub other: Option<String>,
    /// Why.
    pub reason: String,
}

impl App {
    /// The names in the newest memories that the caller may see, the most named first.
    ///
    /// # Errors
    /// [`AppError`].
    pub async fn list_names(
        &self,
        authorized: Authorized<MemoryRead>,
        limit: usize,
    ) -> Result<Vec<NameSeen>, AppError> {
        let mut tx = self.store.begin(authorized).await?;
        let mut seen: BTreeMap<String, NameSeen> = BTreeMap::new();
        let (mut read, mut before) = (0, None);
        while read < READ {
            let page = PageOf {
                limit: Limits::PAGE_MAX,
                before,
            };
            let memories = tx.list_memories(&MemoryFilter::default(), page).await?;
            for memory in &memories {
                note(&mut seen, memory);
            }
            read += memories.len();
            before = memories.last().map(|memory| memory.id);
            if memories.len() < Limits::PAGE_MAX as usize {
                break;
            }
        }
        let mut names: Vec<NameSeen> = seen.into_values().collect();
        names.sort_by(|a, b| b.memories.cmp(&a.memories).then(b.last.cmp(&a.last)));
        names.truncate(limit);
        Ok(names)
    }

    /// One name: the memories that name it, and what else those name.
    ///
    /// # Errors
    /// [`AppError::Invalid`]. A name that no memory has is not an error: nothing is known of it.
    pub async fn name_told(
        &self,
        authorized: Authorized<MemoryRead>,
        name: &str,
    ) -> Result<NameTold, AppError> {
        check_name("name", name)?;
        let tenant = (authorized.organization(), authorized.workspace());
        let mut tx = self.store.begin(authorized).await?;
        let seq = tx.seq().await?;
        let held = self.hot.at_least(tenant, seq).await?;
        let naming = Arc::clone(&held.index)
            .read_owned()
            .await
            .naming(name, NAMING);
        let visible = tx.authorize(&naming, &MemoryFilter::default()).await?;
        let memories = tx.load(&visible).await?;
        Ok(NameTold {
            name: name.into(),
            kind: name_kind(name),
            connections: connections(name, &memories),
            memories,
        })
    }

    /// Proposes something about a name; it waits for somebody with `ontology:write`.
    ///
    /// # Errors
    /// [`AppError::Invalid`].
    pub async fn propose(
        &self,
        authorized: Authorized<MemoryWrite>,
        wanted: Propose,
    ) -> Result<Proposal, AppError> {
        check_name("name", &wanted.name)?;
        Invalid::check_length("reason", &wanted.reason, REASON)?;
        let needs_other = wanted.action != OntologyAction::Archive;
        match &wanted.other {
            Some(other) if needs_other => check_name("other", other)?,
            None if !needs_other => {}
            Some(_) => return Err(Invalid::unknown("other", "archiving is about one name")),
            None => return Err(Invalid::required("other")),
        }
        let proposer = authorized.principal();
        let new = NewProposal {
            id: self.store.mint(),
            action: wanted.action,
            name: self.take_in_line(&wanted.name),
            other: wanted.other.map(|other| self.take_in_line(&other)),
            reason: self.take_in_line(&wanted.reason),
            at: self.store.now(),
        };
        let mut tx = self.store.begin(authorized).await?;
        tx.propose(&new).await?;
        tx.commit().await?;
        Ok(Proposal {
            proposal: new,
            state: ProposalState::Waiting,
            proposer: proposer.ok_or(AppError::Internal("upkeep proposes nothing"))?,
            decided: None,
        })
    }

    /// Proposals in a state, newest first.
    ///
    /// # Errors
    /// [`AppError`].
    pub async fn list_proposals(
        &self,
        authorized: Authorized<OntologyWrite>,
        state: ProposalState,
        page: PageOf<ProposalId>,
    ) -> Result<Vec<Proposal>, AppError> {
        let mut tx = self.store.begin(authorized).await?;
        Ok(tx.list_proposals(state, page).await?)
    }

    /// Accepts or rejects a proposal that waits. What is accepted holds from the next recall on.
    ///
    /// # Errors
    /// [`AppError::NotFound`] when none with this id waits.
    pub async fn decide_proposal(
        &self,
        authorized: Authorized<OntologyWrite>,
        id: ProposalId,
        accepted: bool,
    ) -> Result<(), AppError> {
        let mut tx = self.store.begin(authorized).await?;
        if !tx.decide_proposal(id, accepted, self.store.now()).await? {
            return Err(AppError::NotFound("waiting proposal"));
        }
        tx.commit().await?;
        Ok(())
    }
}

fn check_name(field: &str, name: &str) -> Result<(), AppError> {
    if name_form(name).is_empty() {
        return Err(Invalid::required(field));
    }
    Invalid::check_length(field, name, Limits::CLIENT_KEY)
}

fn note(seen: &mut BTreeMap<String, NameSeen>, memory: &Memory) {
    let forms: BTreeSet<String> = memory
        .body
        .entities
        .iter()
        .map(|name| name_form(name))
        .collect();
    for form in forms {
        let spelt = memory
            .body
            .entities
            .iter()
            .find(|name| name_form(name) == form);
        let Some(name) = spelt.filter(|_| !form.is_empty()) else {
            continue;
        };
        let entry = seen.entry(form).or_insert_with(|| NameSeen {
            name: name.clone(),
            kind: name_kind(name),
            memories: 0,
            last: memory.validity.from,
        });
        entry.memories += 1;
        entry.last = entry.last.max(memory.validity.from);
    }
}

fn connections(name: &str, memories: &[Memory]) -> Vec<Connection> {
    let own = name_form(name);
    let mut found: BTreeMap<(String, Edge), Connection> = BTreeMap::new();
    for memory in memories {
        for other in &memory.body.entities {
            let form = name_form(other);
            if form.is_empty() || form == own {
                continue;
            }
            let edge = edge(name, other, memory.kind, &memory.body.text);
            let entry = found.entry((form, edge)).or_insert_with(|| Connection {
                name: other.clone(),
                kind: name_kind(other),
                edge,
                memories: 0,
                cited: Vec::new(),
            });
            entry.memories += 1;
            if entry.cited.len() < CITED {
                entry.cited.push(memory.id);
            }
        }
    }
    let mut found: Vec<Connection> = found.into_values().collect();
    found.sort_by(|a, b| b.memories.cmp(&a.memories).then(a.edge.cmp(&b.edge)));
    found
}
