//! Why a recall answered what it did, and what somebody else would have been answered.
//!
//! The verdict of the ring is worked out a second time, by the reference model over the rows as
//! they are now; what it says otherwise than the store did is listed. Nobody learns here of a
//! memory that their own ring hides; such candidates are counted for auditors, and that is all.

use std::collections::HashMap;
use std::sync::Arc;

use skep_authz::{
    Authorized,
    rights::{AuditRead, MemoryRead},
};
use skep_domain::{
    Limits, MemoryId, MemoryState, Principal, ReadingRing, RecallId, RingFacts, Timestamp,
};
use skep_index::{Aids, Candidate, Query};
use skep_memory::{Decided, Outcome, decide};
use skep_store::{Memory, Piece};

use super::trace::Trace;
use super::{Question, answer};
use crate::access::{show, show_memory};
use crate::error::Invalid;
use crate::upkeep::Tenant;
use crate::{App, AppError};

/// Whether the caller may look at the recalls of others.
#[derive(Debug)]
pub enum Scope {
    /// Their own only.
    Own,
    /// Everybody's, and as anybody.
    Everyone(Box<Authorized<AuditRead>>),
}

/// Which recall, and for whom.
#[derive(Clone, Copy, Debug)]
pub struct Explain {
    /// Which; the caller's last one if `None`.
    pub recall: Option<RecallId>,
    /// What this one would have been answered, instead of whoever asked.
    pub subject: Option<Principal>,
}

/// Why a candidate was not let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The ring hides it from this reader.
    Ring,
    /// It is quarantined, superseded or forgotten.
    State(MemoryState),
    /// The question is about other kinds.
    Kind,
    /// The question is about another project.
    Project,
    /// It did not hold at that time.
    Time,
}

/// What became of a candidate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fate {
    /// It was not let through.
    Refused(Refusal),
    /// It was, but enough better ones were.
    NotLoaded,
    /// It was decided about.
    Decided(Decided),
}

/// One candidate that the caller may see.
#[derive(Debug)]
pub struct Explained {
    /// Place among what search proposed and the caller may see, from 1.
    pub place: usize,
    /// What search made of it.
    pub candidate: Candidate,
    /// The memory.
    pub memory: Memory,
    /// What became of it.
    pub fate: Fate,
    /// The store's verdict then was another: the memory or the reader has changed since.
    pub changed: bool,
}

/// What came of working it all out again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replay {
    /// Search proposes the same; `None` when the workspace was written to since.
    pub search: Option<bool>,
    /// The ring and the filter let the same through.
    pub ring: bool,
    /// The same is answered, in the same order and form.
    pub decision: bool,
}

/// The explanation of one recall.
#[derive(Debug)]
pub struct Explanation {
    /// What was recorded of it.
    pub trace: Arc<Trace>,
    /// For whom it is explained.
    pub subject: Principal,
    /// Candidates that the caller may see, best first.
    pub candidates: Vec<Explained>,
    /// Candidates that the caller may not see, or that are gone; for whoever may look at all recalls.
    pub hidden: Option<usize>,
    /// Of the recall as it was asked; none for what somebody else would have been answered.
    pub replay: Option<Replay>,
}

const RECALL: &str = "recall";

impl App {
    /// Explains a recall.
    ///
    /// # Errors
    /// [`AppError::NotFound`] for one that is not among the last of the workspace, or is not the
    /// caller's when they may look at their own only.
    pub async fn explain_recall(
        &self,
        authorized: Authorized<MemoryRead>,
        scope: Scope,
        wanted: Explain,
    ) -> Result<Explanation, AppError> {
        let tenant = (authorized.organization(), authorized.workspace());
        let caller = authorized.principal().ok_or(AppError::NotFound(RECALL))?;
        let is_wide = matches!(scope, Scope::Everyone(_));
        if wanted.subject.is_some_and(|subject| subject != caller) && !is_wide {
            return Err(AppError::NotFound(RECALL));
        }
        // What was dropped from memory is not told as never having been there.
        self.store.check_open(tenant.0).await?;
        let trace = self.hot.trace(tenant, |trace| match wanted.recall {
            Some(id) => trace.id == id && (is_wide || trace.asker == caller),
            None => trace.asker == caller,
        });
        let trace = trace.ok_or(AppError::NotFound(RECALL))?;
        let (subject, ring) = match (wanted.subject, scope) {
            (Some(subject), Scope::Everyone(wide)) if subject != trace.asker => {
                let ring = self.store.get_ring(&wide, subject).await?;
                let unknown = || Invalid::unknown("as", "nobody of this workspace has this id");
                (subject, ring.ok_or_else(unknown)?)
            }
            _ => (trace.asker, trace.ring),
        };
        let mut tx = self.store.begin(authorized).await?;
        let ids: Vec<MemoryId> = trace.candidates.iter().map(|found| found.id).collect();
        let memories = tx.get_memories(&ids).await?;
        let project = match &trace.question.project {
            Some(name) => tx.get_project(name).await?.map(|_| name.as_str()),
            None => None,
        };
        let seq = tx.seq().await?;
        drop(tx);
        let retold = Retold::of(&trace, &ring, memories, project);
        let replay = if subject == trace.asker {
            Some(self.replay((tenant, seq), &trace, &retold).await?)
        } else {
            None
        };
        let as_asked = subject == trace.asker;
        let hidden = trace.candidates.len() - retold.seen.len();
        let candidates = retold.explained(&trace, as_asked);
        for one in &candidates {
            show_memory(&one.memory);
        }
        show(trace.asker, Piece::Recall(trace.id));
        Ok(Explanation {
            // How much there is that they may not see is nothing that a reader may know.
            hidden: is_wide.then_some(hidden),
            candidates,
            trace,
            subject,
            replay,
        })
    }

    async fn replay(
        &self,
        (tenant, seq): (Tenant, u64),
        trace: &Trace,
        retold: &Retold,
    ) -> Result<Replay, AppError> {
        let again = decide(
            &trace.choices,
            answer::limits(&trace.question),
            trace.decided_at(),
        );
        let held = self.hot.at_least(tenant, seq).await?;
        let index = Arc::clone(&held.index).read_owned().await;
        let search = if index.seq() == trace.seq {
            let question = trace.question.clone();
            let vector = self.embed_question(&question.query).await?;
            let project = trace.project;
            let found = tokio::task::spawn_blocking(move || {
                let query = Query {
                    text: &question.query,
                    vector: Some(&vector),
                    project,
                    limit: Limits::RECALL_CANDIDATES,
                };
                let hints: Vec<&str> = question.hints.iter().map(String::as_str).collect();
                let aids = Aids {
                    hints: &hints,
                    past: question.as_of.is_some(),
                };
                index.search_with(&query, &aids)
            })
            .await
            .map_err(|_| AppError::Internal("searching ended early"))?;
            Some(found == trace.candidates[..trace.searched])
        } else {
            None
        };
        Ok(Replay {
            search,
            ring: retold.seen.iter().all(|seen| !seen.changed),
            decision: again == trace.decision,
        })
    }
}

/// The steps after search, told again for one reader over what the caller may see.
struct Retold {
    seen: Vec<Seen>,
}

struct Seen {
    candidate: Candidate,
    memory: Memory,
    refusal: Option<Refusal>,
    changed: bool,
}

impl Retold {
    fn of(trace: &Trace, ring: &ReadingRing, memories: Vec<Memory>, project: Option<&str>) -> Self {
        let mut memories: HashMap<MemoryId, Memory> = memories
            .into_iter()
            .map(|memory| (memory.id, memory))
            .collect();
        let seen = trace.candidates.iter().filter_map(|found| {
            let memory = memories.remove(&found.id)?;
            let refusal = refusal(&trace.question, project, ring, &memory);
            let passed = trace.visible.contains(&found.id);
            Some(Seen {
                candidate: *found,
                changed: *ring == trace.ring && passed != refusal.is_none(),
                refusal,
                memory,
            })
        });
        Self {
            seen: seen.collect(),
        }
    }

    /// As it was decided for the asker, or as it would be for another.
    fn explained(self, trace: &Trace, as_asked: bool) -> Vec<Explained> {
        let fates = if as_asked {
            recorded(trace)
        } else {
            self.decided_anew(trace)
        };
        let fate_of = |seen: &Seen| match (fates.get(&seen.candidate.id), seen.refusal) {
            (Some(decided), _) => Fate::Decided(*decided),
            (None, Some(refusal)) => Fate::Refused(refusal),
            (None, None) => Fate::NotLoaded,
        };
        let fates: Vec<Fate> = self.seen.iter().map(fate_of).collect();
        let explained = (1..).zip(self.seen).zip(fates);
        explained
            .map(|((place, seen), fate)| Explained {
                place,
                candidate: seen.candidate,
                memory: seen.memory,
                fate,
                changed: seen.changed,
            })
            .collect()
    }

    fn decided_anew(&self, trace: &Trace) -> HashMap<MemoryId, Decided> {
        let passing = self.seen.iter().filter(|seen| seen.refusal.is_none());
        let loaded: Vec<&Seen> = passing.take(trace.question.loaded()).collect();
        let choices: Vec<_> = loaded
            .iter()
            .map(|seen| answer::choice(&seen.memory, seen.candidate))
            .collect();
        let limits = answer::limits(&trace.question);
        let decision = decide(&choices, limits, trace.decided_at());
        let ids = loaded.iter().map(|seen| seen.candidate.id);
        ids.zip(decision.each).collect()
    }
}

fn recorded(trace: &Trace) -> HashMap<MemoryId, Decided> {
    let each = trace.decision.each.iter().copied();
    trace.loaded.iter().copied().zip(each).collect()
}

/// The reference for what the store's one statement decides.
fn refusal(
    question: &Question,
    project: Option<&str>,
    ring: &ReadingRing,
    memory: &Memory,
) -> Option<Refusal> {
    let facts = RingFacts {
        owner: memory.owner,
        owner_group: memory.owner_group,
        visibility: memory.visibility,
        project: memory.project_id,
    };
    if !ring.allows(&facts) {
        return Some(Refusal::Ring);
    }
    if !question.kinds.is_empty() && !question.kinds.contains(&memory.kind) {
        return Some(Refusal::Kind);
    }
    if project.is_some() && memory.project.as_deref() != project {
        return Some(Refusal::Project);
    }
    match (question.as_of, memory.state) {
        (Some(at), MemoryState::Active | MemoryState::Superseded) => {
            (!memory.validity.holds_at(at)).then_some(Refusal::Time)
        }
        (None, MemoryState::Active) => None,
        (_, state) => Some(Refusal::State(state)),
    }
}

impl Trace {
    /// The time that ages are measured from.
    pub(super) fn decided_at(&self) -> Timestamp {
        self.question.as_of.unwrap_or(self.at)
    }
}

impl Fate {
    /// Whether it was answered.
    #[must_use]
    pub fn is_answered(&self) -> bool {
        matches!(self, Self::Decided(decided) if matches!(decided.outcome, Outcome::Kept(_)))
    }
}
