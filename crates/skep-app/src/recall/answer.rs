//! Step five: decide which of the loaded memories are answered, and make the answer.

use std::collections::HashMap;

use skep_domain::{DerivedBy, MemoryId, Timestamp};
use skep_index::Candidate;
use skep_memory::{Choice, Decision, Form, Outcome, PackLimits, Wording, decide, estimate_tokens};
use skep_store::Memory;

use super::{Answer, Question, Recalled};

/// Tokens around each item: id, kind, date.
const FRAME: u32 = 24;

/// The room that a question leaves.
pub(super) fn limits(question: &Question) -> PackLimits {
    PackLimits {
        tokens: question.tokens,
        items: question.items,
        floor: 0.0,
    }
}

pub(super) fn decide_and_fill(
    recalled: &mut Recalled,
    memories: Vec<Memory>,
    candidates: &[Candidate],
    question: &Question,
    at: Timestamp,
) -> (Vec<MemoryId>, Vec<Choice>, Decision) {
    let scores: HashMap<MemoryId, Candidate> = candidates
        .iter()
        .map(|candidate| (candidate.id, *candidate))
        .collect();
    let (mut loaded, choices): (Vec<_>, Vec<Choice>) = memories
        .into_iter()
        .filter_map(|memory| {
            let candidate = *scores.get(&memory.id)?;
            let choice = choice(&memory, candidate);
            Some((Some((memory, candidate)), choice))
        })
        .unzip();
    let ids = loaded.iter().flatten().map(|(memory, _)| memory.id);
    let ids: Vec<MemoryId> = ids.collect();
    let decision = decide(&choices, limits(question), at);
    for index in &decision.answered {
        let Some((mut memory, candidate)) = loaded[*index].take() else {
            continue;
        };
        let by_key = decision.each[*index].outcome == Outcome::Kept(Form::Key);
        if by_key {
            memory.body.text.clear();
        }
        recalled.items.push(Answer {
            memory,
            candidate,
            rank: decision.each[*index].rank,
            tokens: if by_key {
                choices[*index].key_tokens
            } else {
                choices[*index].tokens
            },
        });
    }
    recalled.cut = recalled.visible - recalled.items.len();
    (ids, choices, decision)
}

pub(super) fn choice(memory: &Memory, candidate: Candidate) -> Choice {
    Choice {
        relevance: candidate.fused,
        kind: memory.kind,
        trust: memory.trust,
        second_hand: memory.body.derived_by == DerivedBy::Recap,
        valid_from: memory.validity.from,
        tokens: FRAME + estimate_tokens(&memory.body.text),
        key_tokens: FRAME + estimate_tokens(&memory.body.key),
        wording: Wording::of(&memory.body.text),
    }
}
