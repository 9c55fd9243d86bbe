//! Claims that their own session takes back.

use super::cue::Cue;
use super::draft::Draft;
use super::passage::Sentence;
use super::sentence::content_words;
use skep_domain::{MemoryKind, Trust};
use std::collections::BTreeSet;

/// Which of `drafts` the sentences of a later message deny, ascending.
///
/// A person's word is taken back only by a person, that is by a newer statement; this is about
/// conclusions: a cause that was none, a fix that did not fix.
pub(super) fn taken_back(drafts: &[&Draft], turn: usize, passage: &[Sentence]) -> Vec<usize> {
    let mut fallen: Vec<usize> = Vec::new();
    for sentence in passage.iter().filter(|sentence| denies(sentence)) {
        let words: BTreeSet<String> = content_words(&sentence.text).into_iter().collect();
        let is_short = words.len() <= 3;
        let least = (words.len() / 4).max(2);
        // "That wasn't it" speaks of the claim before; otherwise of the one it shares words with.
        let target = drafts
            .iter()
            .enumerate()
            .filter(|(at, draft)| {
                can_fall(draft)
                    && !fallen.contains(at)
                    && draft.turns.iter().all(|source| *source < turn)
            })
            .map(|(at, draft)| (shared(&words, draft), draft.turns.iter().max().copied(), at))
            .filter(|(share, ..)| is_short || *share >= least)
            .max();
        fallen.extend(target.map(|(_, _, at)| at));
    }
    fallen.sort_unstable();
    fallen
}

fn denies(sentence: &Sentence) -> bool {
    sentence.cues.has(Cue::Retracts) && !sentence.cues.has(Cue::Asks)
}

fn can_fall(draft: &Draft) -> bool {
    draft.trust < Trust::User
        && matches!(
            draft.kind,
            MemoryKind::Gotcha | MemoryKind::Fact | MemoryKind::Reference | MemoryKind::Procedure
        )
}

fn shared(words: &BTreeSet<String>, draft: &Draft) -> usize {
    content_words(&draft.text)
        .into_iter()
        .collect::<BTreeSet<_>>()
        .intersection(words)
        .count()
}
