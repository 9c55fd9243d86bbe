//! A sentence as a claim: what it is about, what it says of it, and what it takes back.

use std::collections::BTreeSet;

use super::lexis::{
    ADDITIONS, ATTRIBUTES, AUXILIARIES, CORRECTIONS, FILLERS, LIMITS, NEGATIONS, REASONS, SINGLE,
    VERBS,
};
use crate::normal::{normal_form, stem};

/// Stems of words, in order of the alphabet.
pub(super) type Words = BTreeSet<String>;

/// What the first sentence of a statement claims.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Claim {
    /// What it is about.
    pub(super) subject: Words,
    /// How the two hang together, with the preposition that belongs to the verb.
    pub(super) verb: String,
    /// What it says.
    pub(super) value: Words,
    /// Under which conditions, where.
    pub(super) limits: Words,
    /// It says that it is not so.
    pub(super) negated: bool,
    /// What it says is over.
    pub(super) retired: Words,
    /// It says that it corrects something.
    pub(super) corrects: bool,
    /// It says that it adds to something.
    adds: bool,
}

/// Words of a sentence that are read, at most.
const LENGTH: usize = 48;

impl Claim {
    /// Words of fact in the value: numbers, versions, paths.
    pub(super) fn marks(&self) -> Vec<&String> {
        self.value.iter().filter(|word| is_mark(word)).collect()
    }

    /// Whether it says what is used.
    pub(super) fn is_choice(&self) -> bool {
        matches!(self.verb.split(' ').next(), Some("use" | "prefer" | "run"))
    }

    pub(super) fn is_additive(&self) -> bool {
        self.adds
    }

    /// Whether what it is about can have one value only.
    pub(super) fn has_one_value(&self) -> bool {
        let verb = self.verb.split(' ').next().unwrap_or_default();
        match verb {
            "be" => {
                let named = |word: &String| ATTRIBUTES.iter().any(|noun| stem(noun) == word);
                self.subject.iter().any(named) || self.value.iter().all(|word| is_mark(word))
            }
            // With "for" or "as" the purpose is the subject, and has one means.
            "use" => self.verb.ends_with(" for"),
            "prefer" => true,
            _ => SINGLE.contains(&verb) && self.verb.contains(' ') || !self.marks().is_empty(),
        }
    }
}

/// Reads the first sentence.
pub(super) fn claim(text: &str) -> Claim {
    let normal = normal_form(first_sentence(text));
    let words: Vec<&str> = normal.split(' ').take(LENGTH).collect();
    let cut = words
        .iter()
        .position(|word| REASONS.contains(word))
        .filter(|at| *at > 2)
        .unwrap_or(words.len());
    let words = &words[..cut];
    let mut claim = Claim {
        negated: words.iter().any(|word| NEGATIONS.contains(word)),
        corrects: words.iter().any(|word| CORRECTIONS.contains(word)),
        adds: words.iter().any(|word| ADDITIONS.contains(word)),
        ..Claim::default()
    };
    let retirement = retirement(words);
    let plain: Vec<&str> = words
        .iter()
        .copied()
        .filter(|word| !is_passing(word))
        .collect();
    split(&mut claim, &plain);
    if let Some((retired, kept)) = retirement {
        claim.retired = retired;
        claim.negated = false;
        // What takes its place is the value; "no longer" has none.
        claim.value = kept;
        claim
            .subject
            .retain(|word| !claim.retired.contains(word) && !claim.value.contains(word));
    }
    claim
}

fn first_sentence(text: &str) -> &str {
    let line = text.trim().lines().next().unwrap_or_default();
    let ends = [". ", "; ", "! ", "? "];
    let end = ends.iter().filter_map(|end| line.find(end)).min();
    &line[..end.unwrap_or(line.len())]
}

/// Negations, corrections and additions are noted, and then in the way.
fn is_passing(word: &str) -> bool {
    NEGATIONS.contains(&word) || CORRECTIONS.contains(&word) || ADDITIONS.contains(&word)
}

fn class(word: &str) -> Option<&'static str> {
    let found = VERBS.iter().find(|(verb, _)| *verb == word);
    found.map(|(_, class)| *class)
}

/// Parts the words at their verb. Without one, or with nothing before it, the sentence is a rule:
/// what it is about is what its "for" names.
fn split(claim: &mut Claim, words: &[&str]) {
    let mut at = words.iter().position(|word| class(word).is_some());
    // "is stored in": the copula belongs to the verb that follows, if one does.
    while let Some(here) = at {
        let next = words.get(here + 1).copied().unwrap_or_default();
        let helps = AUXILIARIES.contains(&words[here]) || class(words[here]) == Some("be");
        if helps && class(next).is_some() {
            at = Some(here + 1);
        } else {
            break;
        }
    }
    let (before, verb, after) = match at {
        Some(at) => (
            &words[..at],
            class(words[at]).unwrap_or_default().to_owned(),
            &words[at + 1..],
        ),
        None => match words
            .iter()
            .position(|word| !FILLERS.contains(word) && !AUXILIARIES.contains(word))
        {
            Some(first) => (
                &words[..0],
                stem(words[first]).to_owned(),
                &words[first + 1..],
            ),
            None => return,
        },
    };
    claim.verb = verb;
    claim.subject = stems(before);
    predicate(claim, after);
}

/// The value, up to the first limit; the preposition next to the verb belongs to the verb.
fn predicate(claim: &mut Claim, words: &[&str]) {
    let mut rest = words;
    if let Some((first, others)) = words.split_first()
        && LIMITS.contains(first)
    {
        claim.verb = format!("{} {first}", claim.verb);
        rest = others;
    }
    let end = rest
        .iter()
        .position(|word| LIMITS.contains(word))
        .unwrap_or(rest.len());
    claim.value = stems(&rest[..end]);
    let (limit, limits) = rest[end..]
        .split_first()
        .map_or(("", &rest[..0]), |(limit, limits)| (*limit, limits));
    match (limit, claim.subject.is_empty()) {
        ("for" | "as", true) => {
            claim.subject = stems(limits);
            claim.verb = format!("{} for", claim.verb);
        }
        ("over" | "to" | "than", true) if claim.verb == "prefer" => {
            claim.subject = stems(limits);
            claim.subject.extend(claim.value.iter().cloned());
        }
        ("in" | "on" | "at" | "when", true) if claim.verb == "use" => {
            claim.subject = stems(limits);
            claim.verb = "use for".into();
        }
        ("", _) => {}
        _ => {
            claim.limits = stems(limits)
                .into_iter()
                .chain([limit.to_owned()])
                .collect();
        }
    }
}

fn stems(words: &[&str]) -> Words {
    let carries = |word: &&&str| {
        !FILLERS.contains(*word) && !AUXILIARIES.contains(*word) && !LIMITS.contains(*word)
    };
    words
        .iter()
        .filter(carries)
        .map(|word| word.strip_suffix("'s").unwrap_or(word))
        .filter(|word| !word.is_empty())
        .map(|word| stem(word).to_owned())
        .collect()
}

/// What a sentence says is over, and what is in its place.
fn retirement(words: &[&str]) -> Option<(Words, Words)> {
    let find = |word: &str| words.iter().position(|other| *other == word);
    let upto = |from: usize, ends: &[&str]| {
        let end = words[from..]
            .iter()
            .position(|word| ends.contains(word))
            .map_or(words.len(), |end| from + end);
        stems(&words[from..end])
    };
    let limits = [LIMITS, &["and"]].concat();
    if let Some(at) = words
        .windows(2)
        .position(|pair| matches!(pair, ["instead", "of"] | ["rather", "than"]))
    {
        let value = words[..at]
            .iter()
            .position(|word| class(word).is_some())
            .map_or(0, |verb| verb + 1);
        return Some((
            upto(at + 2, &limits),
            upto(value.min(at), &["instead", "rather", "for", "in", "on"]),
        ));
    }
    let moves = ["switched", "moved", "migrated", "switch", "changed"];
    if words.iter().any(|word| moves.contains(word))
        && let (Some(from), Some(to)) = (find("from"), find("to"))
    {
        return Some((upto(from + 1, &limits), upto(to + 1, &limits)));
    }
    if let Some(at) = find("replaced") {
        return match find("with").or_else(|| find("by")) {
            Some(with) if with > at + 1 => Some((upto(at + 1, &limits), upto(with + 1, &limits))),
            // "A was replaced by B".
            Some(with) => Some((stems_before(words, at), upto(with + 1, &limits))),
            None => None,
        };
    }
    let over = words
        .windows(2)
        .position(|pair| matches!(pair, ["no", "longer"]))
        .map(|at| at + 2)
        .or_else(|| find("stopped").map(|at| at + 1))
        .or_else(|| find("dropped").map(|at| at + 1))
        .or_else(|| find("retired").map(|at| at + 1));
    let from = over?;
    let skipped = words.get(from).is_some_and(|word| class(word).is_some());
    let retired = upto(from + usize::from(skipped), &limits);
    (!retired.is_empty()).then(|| (retired, Words::new()))
}

fn stems_before(words: &[&str], at: usize) -> Words {
    let plain: Vec<&str> = words[..at]
        .iter()
        .copied()
        .filter(|word| class(word).is_none())
        .collect();
    stems(&plain)
}

/// Whether a word is a fact by itself.
fn is_mark(word: &str) -> bool {
    word.contains(|c: char| c.is_ascii_digit() || "/=<>._".contains(c))
}
