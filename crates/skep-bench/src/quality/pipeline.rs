//! The whole way of a recall, as `POST /recall` goes it: sealed rows, the index brought up to date,
//! authorization, ranking, packing.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use anyhow::Result;
use skep_app::{Answer, Question as Asked};
use skep_authz::rights;
use skep_domain::{Harness, MemoryId, MemoryState, SessionId, Timestamp, Validity, Visibility};
use skep_index::Embedder;
use skep_memory::normal_form;
use skep_store::{Kept, NewMemory, NewSession};

use super::dataset::{Corpus, Memory};
use super::metrics::{DEPTH, Scores, scores};
use crate::fixture::Fixture;

/// As many tokens as no answer of [`DEPTH`] items takes.
const ROOM: u32 = 1_000_000;
/// Memories written in one transaction.
const BATCH: usize = 500;

/// A workspace that holds a corpus.
pub(super) struct Pipeline {
    fixture: Fixture,
    /// Where in the corpus each stored memory is; of those that say the same, the first.
    places: HashMap<MemoryId, usize>,
    /// The place that stands for a place whose statement was there already.
    first: Vec<usize>,
}

impl Pipeline {
    /// Stores and embeds the memories of a corpus.
    pub(super) async fn of(memories: &[Memory], embedder: Arc<dyn Embedder>) -> Result<Self> {
        let mut pipeline = Self {
            fixture: Fixture::with(embedder).await?,
            places: HashMap::new(),
            first: Vec::new(),
        };
        let mut sessions = BTreeMap::new();
        for batch in memories.chunks(BATCH) {
            pipeline.put(batch, &mut sessions).await?;
        }
        let tenant = &pipeline.fixture.tenant;
        let workspace = (tenant.organization, tenant.workspace);
        pipeline.fixture.app.tend(workspace).await?;
        Ok(pipeline)
    }

    async fn put(
        &mut self,
        batch: &[Memory],
        sessions: &mut BTreeMap<u64, SessionId>,
    ) -> Result<()> {
        let store = &self.fixture.store;
        let mut tx = store
            .begin(self.fixture.may::<rights::MemoryWrite>()?)
            .await?;
        for memory in batch {
            if let Some(thread) = memory.thread
                && !sessions.contains_key(&thread)
            {
                let new = session(store.mint(), thread, memory.at);
                sessions.insert(thread, tx.put_session(&new).await?);
            }
            let said_in = memory.thread.and_then(|thread| sessions.get(&thread));
            let place = self.first.len();
            let stored = stored(memory, store.mint(), said_in.copied());
            let first = match tx.put_memory(stored).await? {
                Kept::New(id) => *self.places.entry(id).or_insert(place),
                Kept::Known(id) => self.places.get(&id).copied().unwrap_or(place),
            };
            self.first.push(first);
        }
        tx.commit().await?;
        Ok(())
    }

    /// Up to `items` answers that take up to `tokens`.
    pub(super) async fn ask(&self, query: &str, items: usize, tokens: u32) -> Result<Vec<Answer>> {
        let question = Asked {
            query: query.to_owned(),
            items,
            tokens,
            as_of: None,
            project: None,
            kinds: Vec::new(),
            hints: Vec::new(),
            deadline_ms: 600_000,
        };
        let right = self.fixture.may::<rights::MemoryRead>()?;
        Ok(self.fixture.app.recall(right, question).await?.items)
    }

    /// Where in the corpus an answer is.
    pub(super) fn place(&self, answer: &Answer) -> Option<usize> {
        self.places.get(&answer.memory.id).copied()
    }

    /// Whether a stored memory is one of those places, or says what one of them says.
    pub(super) fn is_one(&self, place: usize, answers: &BTreeSet<usize>) -> bool {
        answers.iter().any(|&answer| self.first[answer] == place)
    }
}

/// Asks every question of every corpus.
pub(super) async fn run(corpora: &[Corpus], embedder: &Arc<dyn Embedder>) -> Result<Vec<Scores>> {
    let mut all = Vec::new();
    for corpus in corpora {
        let pipeline = Pipeline::of(&corpus.memories, Arc::clone(embedder)).await?;
        for question in &corpus.questions {
            let answers = pipeline.ask(&question.text, DEPTH, ROOM).await?;
            let found: Vec<usize> = answers.iter().filter_map(|a| pipeline.place(a)).collect();
            let wanted = question.answers.iter().map(|&place| pipeline.first[place]);
            all.push(scores(&found, &wanted.collect()));
        }
    }
    Ok(all)
}

fn session(id: SessionId, thread: u64, at: Timestamp) -> NewSession {
    NewSession {
        id,
        harness: Harness::Other,
        external_id: thread.to_string(),
        title: None,
        cwd: None,
        project: None,
        visibility: Visibility::Workspace,
        span: (at, at),
        recorded_at: at,
    }
}

fn stored(memory: &Memory, id: MemoryId, session: Option<SessionId>) -> NewMemory {
    NewMemory {
        id,
        kind: memory.kind,
        trust: memory.trust,
        state: MemoryState::Active,
        validity: Validity::open(memory.at, memory.at),
        visibility: Visibility::Workspace,
        project: None,
        harness: Harness::Other,
        session,
        turns: Vec::new(),
        origins: Vec::new(),
        reasons: Vec::new(),
        topics: Vec::new(),
        normal_form: normal_form(&memory.body.text),
        body: memory.body.clone(),
    }
}
