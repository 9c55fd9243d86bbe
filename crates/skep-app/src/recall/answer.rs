//! Step five: order by relevance, recency and trust, drop repetitions, fill the token budget.

use std::collections::HashMap;

use skep_domain::{MemoryId, Timestamp};
use skep_index::Candidate;
use skep_memory::{
    Form, PackItem, PackLimits, RankInput, Wording, estimate_tokens, mmr, pack, rerank,
};
use skep_store::Memory;

use super::{Answer, Question, Recalled};

/// How much relevance counts against not repeating what is said already (MMR's lambda).
const LAMBDA: f32 = 0.85;
/// Tokens around each item: id, kind, date.
const FRAME: u32 = 24;

pub(super) fn rank_and_pack(
    recalled: &mut Recalled,
    memories: Vec<Memory>,
    candidates: &[Candidate],
    question: &Question,
    at: Timestamp,
) {
    let scores: HashMap<MemoryId, Candidate> = candidates
        .iter()
        .map(|candidate| (candidate.id, *candidate))
        .collect();
    let mut answers: Vec<Answer> = memories
        .into_iter()
        .filter_map(|memory| answer(memory, &scores))
        .collect();
    rank(&mut answers, at);
    let picked = pick(&answers, question.items);
    let items: Vec<PackItem> = picked
        .iter()
        .map(|index| PackItem {
            score: answers[*index].rank,
            tokens: answers[*index].tokens,
            key_tokens: Some(FRAME + estimate_tokens(&answers[*index].memory.body.key)),
        })
        .collect();
    let filled = pack(
        &items,
        PackLimits {
            tokens: question.tokens,
            items: question.items,
            floor: 0.0,
        },
    );
    let mut slots: Vec<Option<Answer>> = answers.into_iter().map(Some).collect();
    for (place, form) in filled.kept {
        let Some(mut answer) = slots[picked[place]].take() else {
            continue;
        };
        if form == Form::Key {
            answer.memory.body.text.clear();
            answer.tokens = FRAME + estimate_tokens(&answer.memory.body.key);
        }
        recalled.items.push(answer);
    }
    recalled.cut = recalled.visible - recalled.items.len();
}

fn answer(memory: Memory, scores: &HashMap<MemoryId, Candidate>) -> Option<Answer> {
    let candidate = *scores.get(&memory.id)?;
    let tokens = FRAME + estimate_tokens(&memory.body.text);
    Some(Answer {
        memory,
        candidate,
        rank: candidate.fused,
        tokens,
    })
}

fn rank(answers: &mut Vec<Answer>, at: Timestamp) {
    let inputs: Vec<RankInput> = answers
        .iter()
        .map(|answer| RankInput {
            relevance: answer.candidate.fused,
            kind: answer.memory.kind,
            trust: answer.memory.trust,
            // When it became true: an import learns all of a history in one afternoon.
            recorded_at: answer.memory.validity.from,
        })
        .collect();
    let mut slots: Vec<Option<Answer>> = answers.drain(..).map(Some).collect();
    for ranked in rerank(&inputs, at) {
        if let Some(mut answer) = slots[ranked.index].take() {
            answer.rank = ranked.score;
            answers.push(answer);
        }
    }
}

/// Indexes of the answers to offer, repetitions pushed back.
fn pick(answers: &[Answer], items: usize) -> Vec<usize> {
    let scores: Vec<f32> = answers.iter().map(|answer| answer.rank).collect();
    let wordings: Vec<Wording> = answers
        .iter()
        .map(|answer| Wording::of(&answer.memory.body.text))
        .collect();
    mmr(&scores, LAMBDA, items, |a, b| {
        wordings[a].similarity(&wordings[b])
    })
}
