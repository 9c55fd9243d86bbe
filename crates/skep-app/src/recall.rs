//! Recall in five steps: search gives ids, the channels are fused, the store authorizes, only then
//! is content loaded, ranked and packed.

mod answer;

use std::sync::Arc;

use skep_authz::{Authorized, rights::MemoryRead};
use skep_domain::{
    Limits, MemoryId, MemoryKind, OrganizationId, ProjectId, Timestamp, WorkspaceId,
};
use skep_index::{Candidate, Query};
use skep_store::{Memory, MemoryFilter, Tx};

use crate::error::Invalid;
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
    /// Milliseconds after which to stop waiting for the index.
    pub deadline_ms: u32,
}

/// The answer.
#[derive(Debug, Default)]
pub struct Recalled {
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

/// Loaded for each item wanted, so that ranking and repetition have something to choose from.
const SPARE: usize = 3;

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
        let tenant = (authorized.organization(), authorized.workspace());
        let mut lap = Lap::start(self);
        let mut recalled = Recalled::default();
        let mut tx = self.store.begin(authorized).await?;
        let project = match &question.project {
            None => None,
            Some(name) => match tx.get_project(name).await? {
                Some(project) => Some(project),
                // A project that nobody has written to holds nothing.
                None => return Ok(recalled),
            },
        };
        let vector = self.embedder.embed(&question.query);
        recalled.timing.embed = lap.next();
        let candidates = self
            .candidates(
                tenant,
                &mut tx,
                &question,
                project,
                vector,
                &mut recalled,
                &mut lap,
            )
            .await?;
        let filter = MemoryFilter {
            project,
            kinds: question.kinds.clone(),
            as_of: question.as_of,
        };
        let ids: Vec<MemoryId> = candidates.iter().map(|candidate| candidate.id).collect();
        let mut visible = tx.authorize(&ids, &filter).await?;
        recalled.timing.authorize = lap.next();
        recalled.visible = visible.len();
        visible.truncate(question.items.saturating_mul(SPARE).max(30));
        let memories = tx.load(&visible).await?;
        recalled.timing.load = lap.next();
        let at = question.as_of.unwrap_or_else(|| self.store.now());
        answer::decide_and_fill(&mut recalled, memories, &candidates, &question, at);
        recalled.timing.rank = lap.next();
        recalled.timing.total = lap.total();
        Ok(recalled)
    }

    /// Steps one and two: ids from every channel, fused. No content is read.
    #[expect(
        clippy::too_many_arguments,
        reason = "the steps of one recall share its state"
    )]
    async fn candidates(
        &self,
        tenant: (OrganizationId, WorkspaceId),
        tx: &mut Tx<MemoryRead>,
        question: &Question,
        project: Option<ProjectId>,
        vector: Vec<f32>,
        recalled: &mut Recalled,
        lap: &mut Lap<'_>,
    ) -> Result<Vec<Candidate>, AppError> {
        let seq = tx.seq().await?;
        let deadline = std::time::Duration::from_millis(question.deadline_ms.into());
        let Ok(held) = tokio::time::timeout(deadline, self.hot.at_least(tenant, seq)).await else {
            // Whoever loads it must not depend on anybody waiting.
            self.dirty.mark(tenant);
            recalled
                .degraded
                .push("the index is still loading: ask again in a moment".into());
            return Ok(Vec::new());
        };
        let index = Arc::clone(&held?.index).read_owned().await;
        recalled.timing.catch_up = lap.next();
        if index.missing_vectors() > 0 {
            recalled.degraded.push(format!(
                "{} memories wait for their vector: they are found by words only",
                index.missing_vectors()
            ));
        }
        let text = question.query.clone();
        let candidates = tokio::task::spawn_blocking(move || {
            let query = Query {
                text: &text,
                vector: Some(&vector),
                project,
                limit: Limits::RECALL_CANDIDATES,
            };
            index.search(&query)
        })
        .await
        .map_err(|_| AppError::Internal("searching ended early"))?;
        recalled.timing.search = lap.next();
        Ok(candidates)
    }
}

fn check(question: &Question) -> Result<(), AppError> {
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
