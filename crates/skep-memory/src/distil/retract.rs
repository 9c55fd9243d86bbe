//! Claims that their own session takes back.

use super::cue::Cue;
use super::draft::Draft;
use super::passage::Sentence;
use super::sentence::content_words;
use crate::turn::TurnView;
use skep_domain::{MemoryKind, Trust, TurnRole};
use std::collections::BTreeSet;

/// Which of `drafts` the sentences of a later message take back, ascending.
///
/// An agent takes back conclusions: a cause that was none, a fix that did not fix. A person also
/// takes back what was decided and done, and "scrap that" means all that came of the last request.
/// Rules and wishes stay until a newer one takes their place.
pub(super) fn taken_back(
    drafts: &[&Draft],
    turn: &TurnView<'_>,
    passage: &[Sentence],
) -> Vec<usize> {
    let by_person = turn.role == TurnRole::User;
    let mut fallen = BTreeSet::new();
    for sentence in passage.iter().filter(|sentence| denies(sentence)) {
        let words: BTreeSet<String> = content_words(&sentence.text).into_iter().collect();
        let standing: Vec<(usize, usize, usize)> = drafts
            .iter()
            .enumerate()
            .filter(|(at, draft)| {
                can_fall(draft, by_person)
                    && !fallen.contains(at)
                    && draft.turns.iter().all(|source| *source < turn.index)
            })
            .map(|(at, draft)| {
                let last = draft.turns.iter().max().copied().unwrap_or_default();
                (shared(&words, draft), last, at)
            })
            .collect();
        if by_person && sentence.cues.has(Cue::Reverts) {
            fallen.extend(reverted(drafts, &standing, &words));
            continue;
        }
        // "That wasn't it" speaks of the claim before; otherwise of the one it shares words with.
        let is_short = words.len() <= 3;
        let least = (words.len() / 4).max(2);
        let target = standing
            .iter()
            .filter(|(share, ..)| is_short || *share >= least)
            .max();
        fallen.extend(target.map(|(_, _, at)| *at));
    }
    fallen.into_iter().collect()
}

/// Whether a later message takes one claim back, whatever else it might mean. One that names nothing
/// ("that wasn't it") speaks of what was said just before: `is_near`.
pub(super) fn falls(
    draft: &Draft,
    turn: &TurnView<'_>,
    passage: &[Sentence],
    is_near: bool,
) -> bool {
    let by_person = turn.role == TurnRole::User;
    can_fall(draft, by_person)
        && passage
            .iter()
            .filter(|sentence| denies(sentence))
            .any(|sentence| {
                let words: BTreeSet<String> = content_words(&sentence.text).into_iter().collect();
                let least = if by_person && sentence.cues.has(Cue::Reverts) {
                    1
                } else {
                    (words.len() / 4).max(2)
                };
                (words.len() <= 3 && is_near) || shared(&words, draft) >= least
            })
}

/// What a person throws out: the claims that share a word with the order to do so, or else what
/// came last, and with either all that came of the same request.
fn reverted(
    drafts: &[&Draft],
    standing: &[(usize, usize, usize)],
    words: &BTreeSet<String>,
) -> Vec<usize> {
    let named = standing.iter().filter(|(share, ..)| *share >= 1).max();
    let is_short = words.len() <= 3;
    let last = standing.iter().max_by_key(|(_, last, _)| *last);
    let Some(target) = named.or_else(|| last.filter(|_| is_short)) else {
        return Vec::new();
    };
    let first_turn = drafts[target.2].turns.iter().min();
    standing
        .iter()
        .filter(|(.., at)| drafts[*at].turns.iter().min() == first_turn)
        .map(|(.., at)| *at)
        .collect()
}

fn denies(sentence: &Sentence) -> bool {
    sentence.cues.has_any(&[Cue::Retracts, Cue::Reverts]) && !sentence.cues.has(Cue::Asks)
}

fn can_fall(draft: &Draft, by_person: bool) -> bool {
    let is_conclusion = matches!(
        draft.kind,
        MemoryKind::Gotcha | MemoryKind::Fact | MemoryKind::Reference | MemoryKind::Procedure
    );
    let is_choice = draft.kind == MemoryKind::Decision;
    (by_person && (is_conclusion || is_choice)) || (is_conclusion && draft.trust < Trust::User)
}

fn shared(words: &BTreeSet<String>, draft: &Draft) -> usize {
    content_words(&draft.text)
        .into_iter()
        .collect::<BTreeSet<_>>()
        .intersection(words)
        .count()
}
