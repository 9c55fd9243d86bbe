//! Recall in five steps: search gives ids, the channels are fused, the store authorizes, only then
//! is content loaded, ranked and packed.

mod answer;
mod explain;
mod trace;

pub use explain::{Explain, Explained, Explanation, Fate, Refusal, Replay, Scope};
pub use trace::Trace;
pub(crate) use trace::Traces;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use skep_authz::{Authorized, rights::MemoryRead};
use skep_domain::{
    Limits, MemoryId, MemoryKind, Principal, ProjectId, ReadingRing, RecallId, Timestamp,
};
use skep_index::{Aids, Candidate, Query};
use skep_store::{Memory, MemoryFilter, Tx, Visible};

use crate::error::Invalid;
use crate::hot::Held;
use crate::upkeep::Tenant;
use crate::{App, AppError};

/// A question.
#[derive(Clone, Debug)]
pub struct Question {
    /// In words.
    pub query: String,
    /// Items wanted.
    pub items: usize,
    /// Tokens that all items together may take.
    pub tokens: u32,
    /// As of then; now if `None`.
    pub as_of: Option<Timestamp>,
    /// Only this project.
    pub project: Option<String>,
    /// Only these kinds; all if empty.
    pub kinds: Vec<MemoryKind>,
    /// Names of what the asker has in front of them: open files, symbols, error codes.
    pub hints: Vec<String>,
    /// Milliseconds after which to stop waiting for the index.
    pub deadline_ms: u32,
}

/// The answer.
#[derive(Debug, Default)]
pub struct Recalled {
    /// Under which it can be explained; none when nothing was searched.
    pub id: Option<RecallId>,
    /// Best first.
    pub items: Vec<Answer>,
    /// What was not at hand.
    pub degraded: Vec<String>,
    /// Candidates that the ring let through.
    pub visible: usize,
    /// Visible ones left out.
    pub cut: usize,
    /// Where the time went.
    pub timing: Timing,
}

/// One item and its scores.
#[derive(Debug)]
pub struct Answer {
    /// The memory.
    pub memory: Memory,
    /// What search made of it.
    pub candidate: Candidate,
    /// After recency and trust.
    pub rank: f32,
    /// Estimated tokens.
    pub tokens: u32,
}

/// Microseconds per stage.
#[derive(Clone, Copy, Debug, Default)]
pub struct Timing {
    /// Embedding the query.
    pub embed: u64,
    /// Bringing the index up to date.
    pub catch_up: u64,
    /// Searching and fusing.
    pub search: u64,
    /// Authorizing.
    pub authorize: u64,
    /// Loading and opening.
    pub load: u64,
    /// Ranking and packing.
    pub rank: u64,
    /// All of it.
    pub total: u64,
}

/// What search proposes, and where.
struct Found {
    held: Arc<Held>,
    /// The `seq` that the index was at.
    seq: u64,
    candidates: Vec<Candidate>,
}

/// Loaded for each item wanted.
const SPARE: usize = 3;

/// One recall under way: what its steps share.
struct Course<'a> {
    app: &'a App,
    tenant: Tenant,
    tx: Tx<MemoryRead>,
    question: Question,
    project: Option<ProjectId>,
    recalled: Recalled,
    lap: Lap<'a>,
}

impl App {
    /// Answers a question with what the caller may see.
    ///
    /// # Errors
    /// [`AppError::Invalid`], [`AppError::Store`].
    pub async fn recall(
        &self,
        authorized: Authorized<MemoryRead>,
        question: Question,
    ) -> Result<Recalled, AppError> {
        check(&question)?;
        let (asker, ring) = (authorized.principal(), authorized.ring());
        let tenant = (authorized.organization(), authorized.workspace());
        let lap = Lap::start(self);
        let mut tx = self.store.begin(authorized).await?;
        let project = match &question.project {
            None => None,
            Some(name) => match tx.get_project(name).await? {
                Some(project) => Some(project),
                // A project that nobody has written to holds nothing.
                None => return Ok(Recalled::default()),
            },
        };
        let mut course = Course {
            app: self,
            tenant,
            tx,
            question,
            project,
            recalled: Recalled::default(),
            lap,
        };
        let Some(found) = course.search().await? else {
            return Ok(course.recalled);
        };
        course.answer(found, asker.map(|asker| (asker, ring))).await
    }

    /// The vector of a question, made off the runtime: it takes milliseconds.
    async fn embed_question(&self, question: &str) -> Result<Vec<f32>, AppError> {
        let (embedder, question) = (Arc::clone(&self.embedder), question.to_owned());
        tokio::task::spawn_blocking(move || embedder.embed(&question))
            .await
            .map_err(|_| AppError::Internal("embedding ended early"))
    }
}

impl Course<'_> {
    /// Steps one and two: ids from every channel, fused. No content is read. Nothing is found when
    /// the index is not there in time.
    async fn search(&mut self) -> Result<Option<Found>, AppError> {
        let seq = self.tx.seq().await?;
        let vector = self.app.embed_question(&self.question.query).await?;
        self.recalled.timing.embed = self.lap.next();
        let deadline = Duration::from_millis(self.question.deadline_ms.into());
        let held = self.app.hot.at_least(self.tenant, seq);
        let Ok(held) = tokio::time::timeout(deadline, held).await else {
            // Whoever loads it must not depend on anybody waiting.
            self.app.dirty.mark(self.tenant);
            self.degraded("the index is still loading: ask again in a moment".into());
            return Ok(None);
        };
        let held = held?;
        if held.is_due() {
            self.app.dirty.mark(self.tenant);
        }
        let index = Arc::clone(&held.index).read_owned().await;
        self.recalled.timing.catch_up = self.lap.next();
        if index.missing_vectors() > 0 {
            self.degraded(format!(
                "{} memories wait for their vector: they are found by words and a draft of it",
                index.missing_vectors()
            ));
        }
        let (text, project) = (self.question.query.clone(), self.project);
        let hints = self.question.hints.clone();
        let past = self.question.as_of.is_some();
        let seq = index.seq();
        let candidates = tokio::task::spawn_blocking(move || {
            let query = Query {
                text: &text,
                vector: Some(&vector),
                project,
                limit: Limits::RECALL_CANDIDATES,
            };
            let hints: Vec<&str> = hints.iter().map(String::as_str).collect();
            let aids = Aids {
                hints: &hints,
                past,
            };
            index.search_with(&query, &aids)
        })
        .await
        .map_err(|_| AppError::Internal("searching ended early"))?;
        self.recalled.timing.search = self.lap.next();
        Ok(Some(Found {
            held,
            seq,
            candidates,
        }))
    }

    /// Steps three to five: who may see it, what it says, what is answered.
    async fn answer(
        mut self,
        mut found: Found,
        asker: Option<(Principal, ReadingRing)>,
    ) -> Result<Recalled, AppError> {
        let filter = MemoryFilter {
            project: self.project,
            kinds: self.question.kinds.clone(),
            as_of: self.question.as_of,
        };
        let searched = found.candidates.len();
        let ids: Vec<MemoryId> = found.candidates.iter().map(|found| found.id).collect();
        let mut passed = self.tx.authorize(&ids, &filter).await?;
        let related = self.related(&found, &passed).await;
        if !related.is_empty() {
            let ids: Vec<MemoryId> = related.iter().map(|found| found.id).collect();
            passed.extend(self.tx.authorize(&ids, &filter).await?);
            found.candidates.extend(related);
        }
        self.recalled.timing.authorize = self.lap.next();
        self.recalled.visible = passed.len();
        let visible = passed.iter().map(Visible::id).collect();
        passed.truncate(self.question.loaded());
        let memories = self.tx.load(&passed).await?;
        self.recalled.timing.load = self.lap.next();
        let now = self.app.store.now();
        let at = self.question.as_of.unwrap_or(now);
        let (loaded, choices, decision) = answer::decide_and_fill(
            &mut self.recalled,
            memories,
            &found.candidates,
            &self.question,
            at,
        );
        if let Some((asker, ring)) = asker {
            let id = self.app.store.mint();
            self.recalled.id = Some(id);
            found.held.traces.put(Trace {
                id,
                at: now,
                asker,
                ring,
                question: self.question,
                project: self.project,
                seq: found.seq,
                searched,
                candidates: found.candidates,
                visible,
                loaded,
                choices,
                decision,
            });
        }
        self.recalled.timing.rank = self.lap.next();
        self.recalled.timing.total = self.lap.total();
        Ok(self.recalled)
    }

    /// What the visible name beside the question, one name further; only for a question that names
    /// something. Nothing of what is hidden leads there.
    async fn related(&mut self, found: &Found, passed: &[Visible<MemoryId>]) -> Vec<Candidate> {
        let named: HashMap<MemoryId, f32> = found
            .candidates
            .iter()
            .filter(|candidate| candidate.graph > 0.0)
            .map(|candidate| (candidate.id, candidate.graph))
            .collect();
        let relays = passed.iter().map(Visible::id);
        let mut relays: Vec<MemoryId> = relays.filter(|id| named.contains_key(id)).collect();
        if relays.is_empty() {
            return Vec::new();
        }
        relays.sort_by(|a, b| named[b].total_cmp(&named[a]));
        let hints: Vec<&str> = self.question.hints.iter().map(String::as_str).collect();
        let query = Query {
            text: &self.question.query,
            vector: None,
            project: self.project,
            limit: Limits::RECALL_CANDIDATES,
        };
        let index = found.held.index.read().await;
        let aids = Aids {
            hints: &hints,
            past: self.question.as_of.is_some(),
        };
        let mut related = index.related(&query, &aids, &relays);
        let known: HashSet<MemoryId> = found.candidates.iter().map(|found| found.id).collect();
        related.retain(|found| !known.contains(&found.id));
        related
    }

    fn degraded(&mut self, reason: String) {
        self.recalled.degraded.push(reason);
    }
}

impl Question {
    /// How many of the visible are loaded: ranking and repetition need something to choose from.
    fn loaded(&self) -> usize {
        self.items.saturating_mul(SPARE).max(30)
    }
}

/// Hints that one question may have.
const HINTS: usize = 32;

fn check(question: &Question) -> Result<(), AppError> {
    Invalid::check_count("hints", question.hints.len(), HINTS)?;
    for hint in &question.hints {
        Invalid::check_length("hints", hint, Limits::CLIENT_KEY)?;
    }
    if question.query.trim().is_empty() {
        return Err(Invalid::required("query"));
    }
    Invalid::check_length("query", &question.query, Limits::QUERY)?;
    Invalid::check_count("k", question.items, Limits::RECALL_ITEMS as usize)
}

/// Splits the time of one recall into stages.
struct Lap<'a> {
    app: &'a App,
    start: u64,
    last: u64,
}

impl<'a> Lap<'a> {
    fn start(app: &'a App) -> Self {
        let now = app.stopwatch.micros();
        Self {
            app,
            start: now,
            last: now,
        }
    }

    fn next(&mut self) -> u64 {
        let now = self.app.stopwatch.micros();
        let lap = now.saturating_sub(self.last);
        self.last = now;
        lap
    }

    fn total(&self) -> u64 {
        self.last.saturating_sub(self.start)
    }
}
