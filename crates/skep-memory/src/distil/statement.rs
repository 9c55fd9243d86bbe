//! Which sentences are statements worth keeping, and of which kind.

use super::cue::Cue;
use super::entity::{entities, has_place};
use super::passage::{Section, Sentence};
use super::sentence::fold;
use skep_domain::MemoryKind;
use std::ops::Range;

/// Whose sentence it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Speaker {
    User,
    Assistant,
}

/// A statement, as the range of sentences that make it.
#[derive(Clone, Debug)]
pub(super) struct Judged {
    pub(super) kind: MemoryKind,
    pub(super) score: f32,
    pub(super) span: Range<usize>,
}

/// The statements of a message. Each sentence belongs to one at most.
pub(super) fn statements(speaker: Speaker, passage: &[Sentence]) -> Vec<Judged> {
    let mut found: Vec<Judged> = Vec::new();
    let mut free_from = 0;
    for at in 0..passage.len() {
        if at < free_from {
            continue;
        }
        let Some((kind, base)) = judge(speaker, &passage[at]) else {
            continue;
        };
        let span = with_neighbours(passage, at, free_from, kind);
        let score = weigh(passage, at, &span, base);
        if score >= super::draft::Draft::ADMISSION {
            free_from = span.end;
            found.push(Judged { kind, score, span });
        }
    }
    found
}

fn judge(speaker: Speaker, sentence: &Sentence) -> Option<(MemoryKind, f32)> {
    let cues = sentence.cues;
    if cues.has(Cue::Asks) || sentence.section == Section::Open || sentence.words < 2 {
        return None;
    }
    match speaker {
        Speaker::User => judge_user(sentence),
        Speaker::Assistant => judge_assistant(sentence),
    }
}

/// A person's word: rules and wishes first, because they are given once and hold for long.
fn judge_user(sentence: &Sentence) -> Option<(MemoryKind, f32)> {
    use MemoryKind::{Convention, Decision, Gotcha, Preference, Procedure, Reference};
    let cues = sentence.cues;
    let has = |cue| cues.has(cue);
    let is_sure = !has(Cue::Hedge);
    if has(Cue::Decided) && is_sure {
        return Some((Decision, 0.75));
    }
    if has(Cue::Choosing) && (is_sure || has(Cue::Rationale)) {
        return Some((
            Decision,
            if has(Cue::Replaced) || has(Cue::Rationale) {
                0.75
            } else {
                0.6
            },
        ));
    }
    if has(Cue::House) && (has(Cue::Rule) || is_sure) {
        return Some((
            Convention,
            if has(Cue::Rule) || has(Cue::Corrects) {
                0.8
            } else {
                0.65
            },
        ));
    }
    if has(Cue::Wants) {
        return Some((Preference, 0.75));
    }
    if has(Cue::Rule) && is_sure {
        let about_agent = [" me ", " my ", "ask ", "tell "]
            .iter()
            .any(|word| sentence.folded.contains(word));
        return Some((if about_agent { Preference } else { Convention }, 0.7));
    }
    if has(Cue::Corrects) && is_correction(sentence) {
        return Some((Preference, 0.65));
    }
    if has(Cue::Cause) && is_sure && cues.has_any(&[Cue::Rationale, Cue::Remedy, Cue::Warning]) {
        return Some((Gotcha, 0.65));
    }
    if has(Cue::HowTo) && sentence.folded.contains('`') {
        return Some((Procedure, 0.65));
    }
    if has(Cue::Place) && has_place(&sentence.text) && is_sure {
        return Some((Reference, 0.6));
    }
    if has(Cue::Warning) && is_sure && !entities(&sentence.text).is_empty() {
        return Some((Gotcha, 0.55));
    }
    None
}

/// "No, use X" corrects for good if it names something; "don't do that yet" does not.
fn is_correction(sentence: &Sentence) -> bool {
    let names = !entities(&sentence.text).is_empty();
    let swaps = sentence.cues.has(Cue::Replaced)
        || sentence.folded.contains(" not ") && sentence.folded.contains("use ");
    (names || swaps || sentence.words >= 3) && !sentence.cues.has(Cue::Momentary)
}

/// An agent's word: what it found out and chose, not what it is about to do.
fn judge_assistant(sentence: &Sentence) -> Option<(MemoryKind, f32)> {
    use MemoryKind::{Convention, Decision, Gotcha, Procedure, Reference};
    let cues = sentence.cues;
    let has = |cue| cues.has(cue);
    if cues.has_any(&[Cue::Hedge, Cue::Recommends, Cue::Conditional]) && !has(Cue::Remedy) {
        return None;
    }
    let explains = has(Cue::Rationale) || has(Cue::Remedy);
    if sentence.section == Section::Causes || has(Cue::Cause) {
        let base = if has(Cue::Cause) { 0.6 } else { 0.5 };
        return (!has(Cue::Chatter) || has(Cue::Cause)).then_some((Gotcha, base));
    }
    if has(Cue::Chatter) {
        return None;
    }
    if has(Cue::Decided) || sentence.section == Section::Decisions {
        return Some((
            Decision,
            if explains || has(Cue::Replaced) {
                0.65
            } else {
                0.5
            },
        ));
    }
    if has(Cue::Replaced) && has(Cue::Rationale) {
        return Some((Decision, 0.6));
    }
    if has(Cue::House) || (sentence.section == Section::Rules && has(Cue::Rule)) {
        return Some((Convention, 0.55));
    }
    if has(Cue::Warning) && !entities(&sentence.text).is_empty() {
        return Some((Gotcha, 0.5));
    }
    if has(Cue::HowTo) && sentence.folded.contains('`') {
        return Some((Procedure, 0.5));
    }
    if has(Cue::Place) && has_place(&sentence.text) {
        return Some((Reference, 0.5));
    }
    None
}

/// The sentence before, where the subject stands there; those after that go on with reason or remedy.
fn with_neighbours(
    passage: &[Sentence],
    at: usize,
    free_from: usize,
    kind: MemoryKind,
) -> Range<usize> {
    let block = passage[at].block;
    let mut start = at;
    if at > free_from && passage[at].cues.has(Cue::Deictic) {
        let before = &passage[at - 1];
        if before.block == block && !before.cues.has_any(&[Cue::Asks, Cue::Hedge, Cue::Chatter]) {
            start = at - 1;
        }
    }
    let mut end = at + 1;
    while let Some(next) = passage.get(end) {
        let goes_on = next.cues.has(Cue::Continues)
            || kind == MemoryKind::Gotcha && next.cues.has(Cue::Remedy)
            || kind == MemoryKind::Decision && next.cues.has(Cue::Rationale);
        let is_fit = !next.cues.has_any(&[Cue::Asks, Cue::Hedge, Cue::Chatter]);
        if next.block != block || !goes_on || !is_fit || end - start >= 4 {
            break;
        }
        end += 1;
    }
    start..end
}

fn weigh(passage: &[Sentence], at: usize, span: &Range<usize>, base: f32) -> f32 {
    let sentence = &passage[at];
    let whole: Vec<&Sentence> = passage[span.clone()].iter().collect();
    let names: usize = whole.iter().map(|part| entities(&part.text).len()).sum();
    let words: usize = whole.iter().map(|part| part.words).sum();
    let any = |cue| whole.iter().any(|part| part.cues.has(cue));
    let mut score = base + 0.04 * names.min(4) as f32;
    if any(Cue::Rationale) {
        score += 0.06;
    }
    if any(Cue::Remedy) {
        score += 0.06;
    }
    if sentence.cues.has(Cue::Deictic) && span.start == at {
        score -= if names > 0 { 0.1 } else { 0.2 };
    }
    if sentence.cues.has(Cue::Momentary) {
        score -= 0.2;
    }
    if words < 4 {
        score -= 0.1;
    }
    if words > 60 {
        score -= 0.1;
    }
    score
}

/// The text of a statement: its sentences, without the address and the filler in front.
pub(super) fn render(passage: &[Sentence], span: &Range<usize>) -> String {
    let parts: Vec<&str> = passage[span.clone()]
        .iter()
        .map(|part| part.text.as_str())
        .collect();
    let text = parts.join(" ");
    let text = without_opener(&text);
    let mut chars = text.chars();
    let is_code = text.starts_with(['`', '/', '.', '~']);
    match chars.next() {
        Some(first) if first.is_lowercase() && !is_code && is_plain_word(text) => {
            first.to_uppercase().chain(chars).collect()
        }
        _ => text.to_owned(),
    }
}

/// A first word that is an ordinary one may be written with a capital; a name may not.
fn is_plain_word(text: &str) -> bool {
    let word = text.split_whitespace().next().unwrap_or_default();
    word.trim_end_matches([',', ':', '.'])
        .chars()
        .all(|c| c.is_alphabetic() || c == '\'')
        && !word.chars().skip(1).any(char::is_uppercase)
}

const OPENERS: &[&str] = &[
    "ok",
    "okay",
    "great",
    "good",
    "perfect",
    "nice",
    "sure",
    "right",
    "alright",
    "yes",
    "yep",
    "no",
    "nope",
    "nah",
    "hmm",
    "well",
    "so",
    "and",
    "but",
    "also",
    "actually",
    "please",
    "thanks",
    "thank you",
    "hey",
    "hi",
    "wait",
    "wrong",
    "found it",
    "got it",
    "excellent",
    "interesting",
    "ah",
    "oh",
    "aha",
    "done",
    "agreed",
];

/// `Ok, so actually use tabs.` says `use tabs.`
pub(super) fn without_opener(text: &str) -> &str {
    let mut rest = text.trim();
    for _ in 0..4 {
        let folded = fold(&rest[..rest.floor_char_boundary(16)]);
        let opener = OPENERS.iter().find(|opener| {
            folded
                .strip_prefix(**opener)
                .is_some_and(|after| after.starts_with([',', '.', '!', ':', ';', ' ', '-']))
        });
        let Some(opener) = opener else { break };
        let after = &rest[opener.len()..];
        let is_apart = after.starts_with([',', '.', '!', ':', ';', '-']);
        // `No tests may …` and `Right margin …` begin with a word, not with an opener.
        let is_filler = matches!(
            *opener,
            "ok" | "okay" | "so" | "and" | "but" | "also" | "actually" | "please" | "hmm"
        );
        if !is_apart && !is_filler {
            break;
        }
        rest = after.trim_start_matches([',', '.', '!', ':', ';', ' ', '-', '—']);
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::without_opener;

    #[test]
    fn openers_go_and_words_stay() {
        for (text, expected) in [
            ("No, don't use npm.", "don't use npm."),
            ("ok so actually, use tabs", "use tabs"),
            ("No test may sleep.", "No test may sleep."),
            ("Perfect! Right: keep it.", "keep it."),
            ("Note that it fails", "Note that it fails"),
        ] {
            assert_eq!(without_opener(text), expected);
        }
    }
}
