//! Claims that their own session takes back.

use super::cue::Cue;
use super::draft::Draft;
use super::passage::Sentence;
use super::sentence::content_words;
use skep_domain::{MemoryKind, Trust};
use std::collections::BTreeSet;

/// Removes from `drafts` what the sentences of a later message deny.
///
/// A person's word is taken back only by a person, that is by a newer statement; this is about
/// conclusions: a cause that was none, a fix that did not fix.
pub(super) fn taken_back(drafts: &mut Vec<Draft>, turn: usize, passage: &[Sentence]) {
    for sentence in passage.iter().filter(|sentence| denies(sentence)) {
        let words: BTreeSet<String> = content_words(&sentence.text).into_iter().collect();
        let is_short = words.len() <= 3;
        // "That wasn't it" speaks of the claim before; otherwise of the one it shares words with.
        let target = drafts
            .iter()
            .enumerate()
            .filter(|(_, draft)| can_fall(draft) && draft.turns.iter().all(|source| *source < turn))
            .map(|(at, draft)| (shared(&words, draft), draft.turns.iter().max().copied(), at))
            .filter(|(share, ..)| is_short || *share >= 2)
            .max();
        if let Some((_, _, at)) = target {
            drafts.remove(at);
        }
    }
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
