//! Which sentences are statements worth keeping, and of which kind.

use super::admission::{Features, Refused};
use super::cue::Cue;
use super::entity::{entities, has_place};
use super::passage::{Section, Sentence};
use super::phrase::{self, begins};
use super::sentence::fold;
use skep_domain::MemoryKind;
use std::collections::BTreeSet;
use std::ops::Range;

/// Whose sentence it is, and in what sort of message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Speaker {
    /// A person writes.
    User,
    /// A person hands over a document: a task, a specification, the text of a command.
    Document,
    /// An agent speaks.
    Assistant,
    /// A harness sums up.
    Summary,
}

/// A statement, as the range of sentences that make it.
#[derive(Clone, Debug)]
pub(super) struct Judged {
    pub(super) kind: MemoryKind,
    pub(super) score: f32,
    pub(super) span: Range<usize>,
}

/// The statements of a message, and the candidates that are none. Each sentence belongs to one at most.
pub(super) fn statements(speaker: Speaker, passage: &[Sentence]) -> (Vec<Judged>, Vec<Refused>) {
    let mut found: Vec<Judged> = Vec::new();
    let mut refused = Vec::new();
    let is_person = matches!(speaker, Speaker::User | Speaker::Document);
    let mut free_from = 0;
    let last_block = passage.last().map_or(0, |sentence| sentence.block);
    for at in 0..passage.len() {
        // Of a document only the lines around it are a person's own.
        let block = passage[at].block;
        let is_edge = block <= 1 || (block == last_block && !passage[at].is_item);
        let is_inside = speaker == Speaker::Document && !is_edge;
        if at < free_from || is_inside {
            continue;
        }
        let Some((kind, base)) = judge(speaker, &passage[at]) else {
            continue;
        };
        let span = with_neighbours(passage, at, free_from, kind);
        let features = Features {
            cue: base,
            is_person,
            ..features(passage, at, &span)
        };
        let (score, why) = features.weigh();
        if score >= super::draft::Draft::ADMISSION {
            free_from = span.end;
            found.push(Judged { kind, score, span });
        } else {
            refused.push(Refused::new(score, why, kind, &passage[at].text));
        }
    }
    (found, refused)
}

fn judge(speaker: Speaker, sentence: &Sentence) -> Option<(MemoryKind, f32)> {
    let is_whole = !sentence.text.ends_with([':', ',', '…']) && !sentence.text.ends_with("...");
    let is_fit = is_whole && sentence.section != Section::Open && sentence.words >= 2;
    if sentence.cues.has(Cue::Asks) || !is_fit {
        return None;
    }
    match speaker {
        Speaker::User | Speaker::Document => judge_user(sentence),
        Speaker::Assistant | Speaker::Summary => judge_assistant(sentence, speaker),
    }
}

/// A person's word: rules and wishes first, because they are given once and hold for long.
///
/// What asks for work to be done now, and what complains about work done, is no statement.
fn judge_user(sentence: &Sentence) -> Option<(MemoryKind, f32)> {
    use MemoryKind::{Convention, Decision, Preference};
    let cues = sentence.cues;
    let has = |cue| cues.has(cue);
    let is_sure = !has(Cue::Hedge);
    let is_task = has(Cue::Tasks);
    let is_rule = has(Cue::Rule) && is_sure && (!is_task || is_standing(sentence));
    if has(Cue::Remember) && sentence.words >= 3 {
        let about_person = phrase::has(&sentence.folded, " i | my | me ");
        return Some((if about_person { Preference } else { Convention }, 0.85));
    }
    let is_reproach = has(Cue::Complains)
        || begins(
            &sentence.folded,
            "you |(|this should|that should|means |in this display|in this view|now that |can we |if we ",
        )
        || sentence.folded.contains("[image");
    if is_reproach
        && !begins(
            without_opener(&sentence.folded),
            "always |never |don't |do not ",
        )
    {
        return None;
    }
    if has(Cue::Decided) && is_sure && !is_task {
        return Some((Decision, 0.75));
    }
    if has(Cue::Choosing) && (is_sure || has(Cue::Rationale)) {
        let is_reasoned = has(Cue::Replaced) || has(Cue::Rationale);
        return Some((Decision, if is_reasoned { 0.75 } else { 0.6 }));
    }
    if has(Cue::House) && is_sure && !is_task {
        let is_strict = has(Cue::Rule) || has(Cue::Corrects);
        return Some((Convention, if is_strict { 0.8 } else { 0.65 }));
    }
    if has(Cue::Wants) && (!is_task || has(Cue::Rule)) {
        return Some((Preference, 0.75));
    }
    if is_rule {
        let words = [" me ", " my ", " me.", "ask ", "tell "];
        let about_agent = words.iter().any(|word| sentence.folded.contains(word));
        return Some((
            if about_agent { Preference } else { Convention },
            rule_base(sentence),
        ));
    }
    if has(Cue::Corrects) && is_correction(sentence) {
        let base = if has(Cue::Replaced) || sentence.folded.contains(" not ") {
            0.68
        } else {
            0.62
        };
        return Some((Preference, base));
    }
    if is_task {
        None
    } else {
        judge_account(sentence)
    }
}

/// A person's account of how things are.
fn judge_account(sentence: &Sentence) -> Option<(MemoryKind, f32)> {
    let cues = sentence.cues;
    let has = |cue| cues.has(cue);
    if has(Cue::Hedge) {
        return None;
    }
    let explains = cues.has_any(&[Cue::Rationale, Cue::Remedy, Cue::Warning]);
    if has(Cue::Cause)
        && (explains || phrase::has(&sentence.folded, "comes from|caused by|root cause"))
    {
        return Some((MemoryKind::Gotcha, 0.62));
    }
    if has(Cue::HowTo) && sentence.folded.contains('`') {
        return Some((MemoryKind::Procedure, 0.65));
    }
    let is_short = sentence.words <= 25;
    if has(Cue::Place) && has_place(&sentence.text) && is_short && !has(Cue::Momentary) {
        return Some((MemoryKind::Reference, 0.58));
    }
    if has(Cue::Warning) && !entities(&sentence.text).is_empty() {
        return Some((MemoryKind::Gotcha, 0.55));
    }
    None
}

/// A rule in so many words: it will hold tomorrow too.
fn is_standing(sentence: &Sentence) -> bool {
    let text = without_opener(&sentence.folded);
    let opens = begins(
        text,
        "always|never|from now on|going forward|don't ever|do not ever|as a rule|under no",
    );
    let says = phrase::has(
        &sentence.folded,
        ", always|niemals|auf keinen fall|immer nur|immer auf|immer mit|jamais|toujours|siempre|nunca|from now on|going forward|as a rule|by convention|our convention|without exception|must never|must always|should never|should always|told you to never|told you to always|we never want|we always want|never use|always use|never commit|never push",
    );
    (opens || says) && sentence.words <= 30
}

/// How surely a rule is one: in so many words, for all of a kind, or in passing.
fn rule_base(sentence: &Sentence) -> f32 {
    let text = without_opener(&sentence.folded);
    let is_universal = begins(text, "every |each |all |no |any |only ");
    let is_terse = sentence.words <= 14 && phrase::has(text, "never|always");
    match (is_standing(sentence), is_universal, is_terse) {
        (true, ..) => 0.72,
        (_, true, _) => 0.6,
        (_, _, true) => 0.54,
        _ => 0.48,
    }
}

/// "No, use X" corrects for good if it names something; "don't do that yet" does not.
fn is_correction(sentence: &Sentence) -> bool {
    let names = !entities(&sentence.text).is_empty();
    let swaps = sentence.cues.has(Cue::Replaced)
        || sentence.folded.contains(" not ") && sentence.folded.contains("use ");
    let is_long = sentence.words > 30;
    (names || swaps || sentence.words >= 3) && !is_long && !sentence.cues.has(Cue::Momentary)
}

/// An agent's word: what it found out and chose, not what it is about to do.
fn judge_assistant(sentence: &Sentence, speaker: Speaker) -> Option<(MemoryKind, f32)> {
    use MemoryKind::{Convention, Decision, Gotcha};
    let cues = sentence.cues;
    let has = |cue| cues.has(cue);
    let is_doubted = cues.has_any(&[Cue::Hedge, Cue::Recommends, Cue::Conditional]);
    if is_doubted && !has(Cue::Remedy) || begins(&sentence.folded, OTHERS) {
        return None;
    }
    let explains = has(Cue::Rationale) || has(Cue::Remedy);
    let is_cause = has(Cue::Cause)
        || (has(Cue::Remedy) && has(Cue::Rationale))
        || (sentence.section == Section::Causes && explains);
    if is_cause && !only_reports(sentence) {
        let names = !entities(&sentence.text).is_empty();
        let is_said = phrase::has(
            &sentence.folded,
            "because|root cause is|root cause was|root cause:|turn",
        );
        let is_talk = has(Cue::Chatter) && !is_said || sentence.folded.contains("is clear");
        let is_telling =
            sentence.words >= 4 && !is_talk && (names || explains || sentence.words >= 8);
        let base = if has(Cue::Cause) { 0.56 } else { 0.5 };
        return is_telling.then_some((Gotcha, base));
    }
    if has(Cue::Chatter) {
        return None;
    }
    let is_own = begins(&sentence.folded, CHOICES) || phrase::has(&sentence.folded, OWN_CHOICES);
    let chose = has(Cue::Decided) || (has(Cue::Replaced) && has(Cue::Rationale) && is_own);
    let listed = sentence.section == Section::Decisions && begins(&sentence.folded, CHOICES);
    if chose
        || (sentence.section == Section::Decisions && (explains || has(Cue::Replaced)))
        || listed
    {
        return Some((
            Decision,
            if explains || has(Cue::Replaced) {
                0.62
            } else {
                0.5
            },
        ));
    }
    if has(Cue::House) || (sentence.section == Section::Rules && has(Cue::Rule)) {
        return Some((Convention, 0.52));
    }
    if speaker == Speaker::Summary || has(Cue::Momentary) || only_reports(sentence) {
        return None;
    }
    judge_finding(sentence)
}

/// Words of others, and labels over things that are no statements.
const OTHERS: &str = "you |user |the user |user:|\"|'|user asked|user feedback|status:|result:|results:|file:|files:|before:|\
after:|old:|new:|current:|currently|example|test:|tests:|expected:|actual:|section |task |step |phase |line |next |note to self|i see |since we |the test |why important|why:|why it|why critical|all changes|my fix";
const CHOICES: &str =
    "use |used |using |chose |keep |kept |store |adopt|switch|prefer|single |separate ";

const OWN_CHOICES: &str = " i use| i chose| i kept| i switched| i replaced| i moved| i went| i opted| i put | i made |i used|we use|we chose|we kept|i avoided| is used ";

fn judge_finding(sentence: &Sentence) -> Option<(MemoryKind, f32)> {
    let has = |cue| sentence.cues.has(cue);
    if has(Cue::Warning) && !entities(&sentence.text).is_empty() {
        return Some((MemoryKind::Gotcha, 0.5));
    }
    if has(Cue::HowTo) && sentence.folded.contains('`') {
        return Some((MemoryKind::Procedure, 0.5));
    }
    let is_state = phrase::has(
        &sentence.folded,
        "running|not found|doesn't exist|does not exist|showing|deleted|should now|but i |but my |used to |supposed to",
    );
    let is_place = has(Cue::Place) && has_place(&sentence.text) && !is_state && sentence.words >= 3;
    is_place.then_some((MemoryKind::Reference, 0.48))
}

/// "Fixed all references": work that was done, which the outcome tells better.
pub(super) fn only_reports(sentence: &Sentence) -> bool {
    const DONE: &str = "added|built |reverted|i reverted|fixed all|fixed the|created|updated|implemented|generated|removed|moved|verified|confirmed|found |\
changed|renamed|made |wrote|replaced|refactored|tested|checked|marked|committed|pushed|restored|cleaned|improved|enhanced|\
integrated|enabled|ensured|detected|identified|debugged|investigated|discovered|completed|successfully|i've |i have |i added|i updated|i created|i moved|referenced";
    let explains = sentence.cues.has(Cue::Rationale)
        || phrase::has(
            &sentence.folded,
            "root cause|because|turned out|turns out|caused by|due to",
        );
    begins(without_opener(&sentence.folded), DONE) && !explains
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

/// Sentences that tell what follows from what, with names, and are neither guesses nor reports.
pub(super) fn explanations(passage: &[Sentence], spent: &BTreeSet<String>) -> Vec<Judged> {
    const TALK: &[Cue] = &[
        Cue::Asks,
        Cue::Hedge,
        Cue::Retracts,
        Cue::Recommends,
        Cue::Conditional,
        Cue::Chatter,
    ];
    let tells = |sentence: &Sentence| {
        sentence.cues.has(Cue::Explains)
            && !sentence.cues.has_any(TALK)
            && !only_reports(sentence)
            && !sentence.text.ends_with(':')
            && sentence.words >= 6
            && sentence.section != Section::Open
            && !spent.contains(&sentence.text)
    };
    let mut found = Vec::new();
    for at in (0..passage.len()).filter(|at| tells(&passage[*at])) {
        let span = at..at + 1;
        let features = Features {
            cue: EXPLANATION,
            ..features(passage, at, &span)
        };
        let (score, _) = features.weigh();
        if features.names > 0 && score >= super::draft::Draft::ADMISSION {
            let kind = MemoryKind::Gotcha;
            found.push(Judged { kind, score, span });
        }
    }
    found
}

/// Nobody said that it is the cause; what it names and why must speak for it.
const EXPLANATION: f32 = 0.46;

pub(super) fn features(passage: &[Sentence], at: usize, span: &Range<usize>) -> Features {
    let sentence = &passage[at];
    let whole = &passage[span.clone()];
    let any = |cue| whole.iter().any(|part| part.cues.has(cue));
    Features {
        names: whole.iter().map(|part| entities(&part.text).len()).sum(),
        words: whole.iter().map(|part| part.words).sum(),
        has_number: whole
            .iter()
            .any(|part| part.text.bytes().any(|byte| byte.is_ascii_digit())),
        is_reasoned: any(Cue::Rationale),
        is_remedied: any(Cue::Remedy),
        is_momentary: sentence.cues.has(Cue::Momentary),
        is_detached: sentence.cues.has(Cue::Deictic) && span.start == at,
        ..Features::default()
    }
}

/// The text of a statement: its sentences, without the address and the filler in front.
pub(super) fn render(passage: &[Sentence], span: &Range<usize>) -> String {
    let parts: Vec<&str> = passage[span.clone()]
        .iter()
        .map(|part| part.text.as_str())
        .collect();
    capital(without_opener(&parts.join(" ")))
}

/// The text with a capital in front, if it begins with an ordinary word; a name keeps its spelling.
pub(super) fn capital(text: &str) -> String {
    let word = text.split_whitespace().next().unwrap_or_default();
    let is_word = word
        .trim_end_matches([',', ':', '.', '?', '!'])
        .chars()
        .all(|c| c.is_alphabetic() || c == '\'')
        && !word.chars().skip(1).any(char::is_uppercase);
    let mut chars = text.chars();
    match chars.next() {
        Some(first) if is_word && first.is_lowercase() => {
            first.to_uppercase().chain(chars).collect()
        }
        _ => text.to_owned(),
    }
}

const OPENERS: &[&str] = &[
    "one more thing",
    "for context",
    "for the record",
    "fyi",
    "btw",
    "wichtig",
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
