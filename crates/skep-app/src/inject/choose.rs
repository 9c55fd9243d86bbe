//! Which memories a moment calls for: what answers a prompt, or what a session of this project
//! should begin with.

use skep_authz::{Authorized, rights::MemoryRead};
use skep_domain::{DerivedBy, Limits, MemoryKind};
use skep_memory::{RankInput, Wording, cut_middle, estimate_tokens, mmr, rerank};
use skep_store::{Memory, MemoryFilter, PageOf};

use super::{Inject, Offer, Offers, START_ITEMS};
use crate::recall::{Answer, Question};
use crate::{App, AppError};

/// How sure a memory must be to be put before a prompt: below it, nothing is better than
/// something. It is what `cargo xtask bench quality` finds on its tune half (docs/quality.md).
pub const FLOOR: f32 = 0.13;

/// Asked of recall: some of it the model has already, or is of other projects.
const ASKED: usize = 20;
/// Tokens of a statement that is injected whole; of a longer one, the key line is.
const WHOLE: u32 = 400;
/// Newest memories looked at for a session's start.
const NEWEST: u32 = 200;
/// How much rank counts against not repeating what is said already (MMR's lambda).
const LAMBDA: f32 = 0.7;

/// What holds for long, or costs much when it is not known.
const DURABLE: [MemoryKind; 5] = [
    MemoryKind::Decision,
    MemoryKind::Convention,
    MemoryKind::Preference,
    MemoryKind::Gotcha,
    MemoryKind::Procedure,
];

impl App {
    /// What answers the prompt, above the floor, of this project or of none.
    pub(super) async fn relevant(
        &self,
        reading: Authorized<MemoryRead>,
        request: &Inject,
        project: Option<String>,
    ) -> Result<Offers, AppError> {
        let query = self.take_in(&request.prompt, Limits::QUERY).text;
        let words = query.split_whitespace().count();
        let question = Question {
            query: cut_middle(&query, Limits::QUERY).into_owned(),
            items: ASKED,
            tokens: ASKED as u32 * WHOLE,
            as_of: None,
            project: None,
            kinds: Vec::new(),
            hints: Vec::new(),
            deadline_ms: request.deadline_ms,
        };
        let asked = question.query.clone();
        let mut recalled = self.recall(reading, question).await?;
        self.judge_fresh(&asked, &mut recalled.items).await?;
        let here = |memory: &Memory| {
            project.is_none() || memory.project.is_none() || memory.project == project
        };
        let sure = recalled
            .items
            .into_iter()
            .filter(|answer| answer.candidate.confidence(words) >= FLOOR && here(&answer.memory));
        Ok(Offers {
            offers: sure.map(|answer| answered(answer, words)).collect(),
            degraded: recalled.degraded,
        })
    }

    /// Recent and durable key lines of the project; nothing where the project is not known.
    pub(super) async fn durable(
        &self,
        reading: Authorized<MemoryRead>,
        project: Option<String>,
    ) -> Result<Offers, AppError> {
        let mut tx = self.store.begin(reading).await?;
        let known = match project {
            Some(name) => tx.get_project(&name).await?,
            None => None,
        };
        let Some(project) = known else {
            return Ok(Offers::default());
        };
        let filter = MemoryFilter {
            project: Some(project),
            kinds: DURABLE.to_vec(),
            as_of: None,
        };
        let page = PageOf {
            limit: NEWEST,
            before: None,
        };
        let memories = tx.list_memories(&filter, page).await?;
        Ok(Offers {
            offers: self.varied(memories),
            degraded: Vec::new(),
        })
    }

    /// The best by age, kind and trust, not saying the same twice.
    fn varied(&self, memories: Vec<Memory>) -> Vec<Offer> {
        let inputs: Vec<RankInput> = memories
            .iter()
            .map(|memory| RankInput {
                relevance: 1.0,
                kind: memory.kind,
                trust: memory.trust,
                second_hand: memory.body.derived_by == DerivedBy::Recap,
                recorded_at: memory.validity.from,
            })
            .collect();
        let ranked = rerank(&inputs, self.store.now());
        let scores: Vec<f32> = ranked.iter().map(|ranked| ranked.score).collect();
        let wordings: Vec<Wording> = ranked
            .iter()
            .map(|ranked| Wording::of(&memories[ranked.index].body.key))
            .collect();
        let picked = mmr(&scores, LAMBDA, START_ITEMS * 2, |a, b| {
            wordings[a].similarity(&wordings[b])
        });
        let mut slots: Vec<Option<Memory>> = memories.into_iter().map(Some).collect();
        let offers = picked.into_iter().filter_map(|place| {
            let memory = slots[ranked[place].index].take()?;
            Some(Offer {
                text: memory.body.key.clone(),
                memory,
                scores: vec![("rank".into(), scores[place])],
            })
        });
        offers.collect()
    }
}

/// What is offered of an answer to a prompt of so many words.
fn answered(answer: Answer, words: usize) -> Offer {
    let body = &answer.memory.body;
    let whole = !body.text.is_empty() && estimate_tokens(&body.text) <= WHOLE;
    let text = if whole { &body.text } else { &body.key }.clone();
    let candidate = &answer.candidate;
    let scores = [
        ("confidence", candidate.confidence(words)),
        ("lexical", candidate.lexical),
        ("vector", candidate.vector),
        ("fused", candidate.fused),
        ("rank", answer.rank),
    ];
    Offer {
        text,
        scores: scores.map(|(name, value)| (name.to_owned(), value)).into(),
        memory: answer.memory,
    }
}
