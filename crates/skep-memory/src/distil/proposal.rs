//! What a model proposes to keep, judged: it must be about what it cites, say no more than that, and
//! be worth keeping by the same measure as what rules find.

use super::admission::{Features, Why};
use super::cue::Cue;
use super::draft::Draft;
use super::entity::entities;
use super::key::key_line;
use super::passage::{Sentence, read};
use super::retract::falls;
use super::sentence::is_stop;
use super::statement::{features, only_reports};
use super::window::Shown;
use crate::clean::clean;
use crate::normal::{normal_form, says_not, stem};
use crate::redact::Redactor;
use crate::turn::TurnView;
use skep_domain::{MemoryKind, Trust, TurnRole};
use std::collections::BTreeSet;

/// One statement of a model's answer.
#[derive(Clone, Copy, Debug)]
pub struct Proposal<'a> {
    /// The name of a kind.
    pub kind: &'a str,
    /// What is to be kept.
    pub statement: &'a str,
    /// The numbers of the turns that say it.
    pub turns: &'a [u64],
}

/// Why a proposal is not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotKept {
    /// Not one of [`PROPOSED_KINDS`]; nothing that a model writes is a procedure.
    Kind,
    /// Too short or too long, or more than one paragraph.
    Length,
    /// It cites nothing, too much, or a turn that was not shown.
    NoSuchTurn,
    /// It holds what looks like a secret.
    Secret,
    /// What it names does not stand in what it cites, or too few of its words do.
    NotGrounded,
    /// It speaks to whoever reads it, who may be a model.
    Addressed,
    /// It denies what it cites says, or says what that denies.
    TurnedAround,
    /// What it cites asks or guesses, or it does so itself.
    Guess,
    /// The admission score is too low.
    Trivial(Why),
    /// The session itself takes it back.
    TakenBack,
}

/// The kinds that a model may propose.
pub const PROPOSED_KINDS: &[MemoryKind] = &[
    MemoryKind::Fact,
    MemoryKind::Decision,
    MemoryKind::Convention,
    MemoryKind::Preference,
    MemoryKind::Gotcha,
    MemoryKind::Reference,
];

/// Characters of a statement at most.
pub const STATEMENT_CHARS: usize = 400;
/// And at least.
const STATEMENT_MIN: usize = 12;
/// Turns that a statement may cite.
const CITED_MAX: usize = 8;
/// The share of a statement's words that must stand in the turns it cites.
const GROUNDED: f32 = 0.6;
/// From this share on, one sentence is what the statement was made of.
const FROM_ONE: f32 = 0.6;

/// That a model picked it out says little: as much as a sentence that merely explains.
const PICKED: f32 = 0.46;
/// A person's own words need no names to be worth keeping.
const PICKED_OF_A_PERSON: f32 = 0.52;

/// Judges a proposal about `shown` turns. `most`: how far anything made of them is trusted.
///
/// # Errors
/// [`NotKept`].
pub fn judge_proposal(
    proposal: &Proposal<'_>,
    shown: &[Shown],
    most: Trust,
    redactor: &Redactor,
) -> Result<Draft, NotKept> {
    let kind = MemoryKind::parse(proposal.kind)
        .filter(|kind| PROPOSED_KINDS.contains(kind))
        .ok_or(NotKept::Kind)?;
    let statement = clean(proposal.statement);
    let statement = statement.trim();
    let chars = statement.chars().count();
    if !(STATEMENT_MIN..=STATEMENT_CHARS).contains(&chars) || statement.contains('\n') {
        return Err(NotKept::Length);
    }
    let cited = cited(proposal.turns, shown)?;
    if !redactor.redact(statement).found.is_empty() {
        return Err(NotKept::Secret);
    }
    if is_addressed(statement) {
        return Err(NotKept::Addressed);
    }
    let told = read(statement);
    if told.iter().any(is_talk) {
        return Err(NotKept::Guess);
    }
    check_grounds(statement, &cited)?;
    draft(kind, statement, &told, &cited, most)
}

/// Whether what was said after a claim takes it back. `between`: what was said between the claim and
/// `later`, as far as it is known; a "that wasn't it" only speaks of a claim that is near.
#[must_use]
pub fn takes_back(draft: &Draft, between: Option<&[TurnView<'_>]>, later: &[TurnView<'_>]) -> bool {
    let is_request = |turn: &&TurnView<'_>| turn.role == TurnRole::User;
    let mut requests = between.map_or(usize::MAX, |turns| turns.iter().filter(is_request).count());
    for turn in later {
        requests = requests.saturating_add(usize::from(is_request(&turn)));
        let is_speech = matches!(turn.role, TurnRole::User | TurnRole::Assistant);
        if is_speech && falls(draft, turn, &read(turn.text), requests <= 1) {
            return true;
        }
    }
    false
}

impl NotKept {
    /// The reason as a word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Kind => "kind",
            Self::Length => "length",
            Self::NoSuchTurn => "no-such-turn",
            Self::Secret => "secret",
            Self::NotGrounded => "not-grounded",
            Self::Addressed => "addressed",
            Self::TurnedAround => "turned-around",
            Self::Guess => "guess",
            Self::Trivial(_) => "trivial",
            Self::TakenBack => "taken-back",
        }
    }
}

/// A statement about a project speaks to nobody. One that a model was talked into does.
fn is_addressed(statement: &str) -> bool {
    let normal = format!(" {} ", normal_form(statement));
    ADDRESSES
        .split('|')
        .any(|address| normal.contains(&format!(" {address} ")))
}

const ADDRESSES: &str = "you|your|yours|yourself|you're|you'll|assistant|assistants|the reader|the model|the ai|this memory|\
this note|this statement|this transcript|system prompt|du|dich|dir|dein|deine|vous|votre|vos|usted|ustedes";

fn cited<'a>(numbers: &[u64], shown: &'a [Shown]) -> Result<Vec<&'a Shown>, NotKept> {
    let wanted: BTreeSet<u64> = numbers.iter().copied().collect();
    if wanted.is_empty() || numbers.len() > CITED_MAX {
        return Err(NotKept::NoSuchTurn);
    }
    let find = |number: &u64| shown.iter().find(|turn| u64::from(turn.number) == *number);
    let found: Option<Vec<&Shown>> = wanted.iter().map(find).collect();
    found.ok_or(NotKept::NoSuchTurn)
}

fn is_talk(sentence: &Sentence) -> bool {
    (sentence.cues).has_any(&[Cue::Asks, Cue::Hedge])
}

fn check_grounds(statement: &str, cited: &[&Shown]) -> Result<(), NotKept> {
    let said: Vec<String> = cited.iter().map(|turn| turn.text.to_lowercase()).collect();
    let is_there = |mark: &String| said.iter().any(|text| holds(text, mark));
    let words = words(statement);
    let known: BTreeSet<String> = cited
        .iter()
        .flat_map(|turn| self::words(&turn.text))
        .collect();
    if !marks(statement).iter().all(is_there) || share(&words, &known) < GROUNDED {
        return Err(NotKept::NotGrounded);
    }
    let negated = says_not(statement);
    let sentences: Vec<Sentence> = cited.iter().flat_map(|turn| read(&turn.text)).collect();
    let shares = sentences
        .iter()
        .map(|sentence| (share(&words, &self::words(&sentence.text)), sentence));
    let best = shares
        .filter(|(share, _)| *share >= FROM_ONE)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    match best {
        Some((_, sentence)) if is_talk(sentence) => Err(NotKept::Guess),
        Some((_, sentence)) if says_not(&sentence.text) != negated => Err(NotKept::TurnedAround),
        None if negated && !sentences.iter().any(|part| says_not(&part.text)) => {
            Err(NotKept::TurnedAround)
        }
        _ => Ok(()),
    }
}

/// Stems of the words that carry meaning.
fn words(text: &str) -> BTreeSet<String> {
    let normal = normal_form(text);
    let words = normal.split([' ', '/', '_', '-', '.', ':']);
    words
        .filter(|word| word.chars().count() > 1 && !is_stop(word))
        .map(|word| stem(word).to_owned())
        .collect()
}

fn share(words: &BTreeSet<String>, known: &BTreeSet<String>) -> f32 {
    if words.is_empty() {
        return 0.0;
    }
    words.intersection(known).count() as f32 / words.len() as f32
}

/// What must stand in the source as it is: numbers, names, code. In lower case.
fn marks(statement: &str) -> Vec<String> {
    let mut marks = Vec::new();
    for (at, span) in statement.split('`').enumerate() {
        if at % 2 == 1 {
            marks.push(span.trim().to_lowercase());
            continue;
        }
        let mut begins = at == 0;
        for token in span.split_whitespace() {
            let word = token.trim_matches(|c: char| !c.is_alphanumeric() && c != '/' && c != '_');
            let word = word.strip_suffix("'s").unwrap_or(word);
            if is_mark(word, begins) {
                marks.push(word.to_lowercase());
            }
            begins = token.ends_with(['.', '!', '?', ':']);
        }
    }
    marks.retain(|mark| !mark.is_empty());
    marks
}

fn is_mark(word: &str, begins: bool) -> bool {
    let inner = word.get(1..).unwrap_or_default();
    let is_name = word.chars().next().is_some_and(char::is_uppercase) && !begins && word != "I";
    is_name
        || word.contains(|c: char| c.is_ascii_digit() || "_/\\@#=".contains(c))
        || inner.contains(['.', ':'])
        || inner.chars().any(char::is_uppercase)
}

/// Whether a text holds a name as a word of its own. Both in lower case.
fn holds(text: &str, mark: &str) -> bool {
    let is_apart = |c: Option<char>| !c.is_some_and(char::is_alphanumeric);
    let stands = |mark: &str| {
        text.match_indices(mark).any(|(at, _)| {
            is_apart(text[..at].chars().next_back())
                && is_apart(text[at + mark.len()..].chars().next())
        })
    };
    stands(mark)
        || mark
            .strip_suffix('s')
            .is_some_and(|one| one.len() > 1 && stands(one))
}

fn draft(
    kind: MemoryKind,
    statement: &str,
    told: &[Sentence],
    cited: &[&Shown],
    most: Trust,
) -> Result<Draft, NotKept> {
    if told.is_empty() || told.iter().any(|part| part.cues.has(Cue::Chatter)) {
        return Err(NotKept::Trivial(Why::WeakCue));
    }
    let is_person = cited.iter().all(|turn| turn.by_person);
    if !is_person && told.iter().all(only_reports) {
        return Err(NotKept::Trivial(Why::Passing));
    }
    let features = Features {
        cue: if is_person {
            PICKED_OF_A_PERSON
        } else {
            PICKED
        },
        is_person,
        ..features(told, 0, &(0..told.len()))
    };
    let (score, why) = features.weigh();
    if score < Draft::ADMISSION {
        return Err(NotKept::Trivial(why));
    }
    let names = entities(statement);
    let draft = Draft {
        kind,
        key: key_line(statement, &names, None),
        text: statement.to_owned(),
        trust: most,
        valid_from: cited.iter().map(|turn| turn.at).max().unwrap_or_default(),
        turns: cited.iter().map(|turn| turn.index).collect(),
        entities: names,
        score,
    };
    Ok(draft.bounded())
}

#[cfg(test)]
mod tests;
