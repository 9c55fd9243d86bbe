//! What a statement does to an earlier one: repeats it, takes its place, or contradicts it.
//!
//! By rule and without a model: [`topics`] finds the few statements worth comparing, [`relation`]
//! compares two. A rule that is not sure says [`Relation::Unrelated`], because a memory that wrongly
//! takes another's place hides something true, and one that is left beside it hides nothing.

mod claim;
mod lexis;
mod topic;

pub use topic::topics;

use claim::{Claim, claim};
use skep_domain::{Timestamp, Trust};

use crate::normal::{NEAR_DUPLICATE, Wording};

/// What is compared of a memory.
#[derive(Clone, Copy, Debug)]
pub struct Statement<'a> {
    /// What it says.
    pub text: &'a str,
    /// Whose word it is.
    pub trust: Trust,
    /// Since when it holds.
    pub valid_from: Timestamp,
}

/// What the newer of two statements does to the older.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Relation {
    /// Nothing that a rule can see.
    Unrelated,
    /// It says the same.
    Duplicate,
    /// It says otherwise about the same thing, later, on no weaker word.
    Supersedes,
    /// It says otherwise about the same thing, and which one holds is for a human to say.
    Contradicts,
}

/// Seconds by which a statement has to be later to be the newer one for certain: what one breath
/// says both ways is a contradiction.
pub const CLEARLY_NEWER_SECONDS: u64 = 1;

/// Compares two statements about the same project. `older` holds from no later than `newer`.
///
/// A weaker word never takes a stronger one's place: a page that says "we no longer use this" makes
/// a contradiction for a human to look at, nothing else.
#[must_use]
pub fn relation(older: &Statement<'_>, newer: &Statement<'_>) -> Relation {
    if Wording::of(older.text).similarity(&Wording::of(newer.text)) >= NEAR_DUPLICATE {
        return Relation::Duplicate;
    }
    if !opposes(&claim(older.text), &claim(newer.text)) {
        return Relation::Unrelated;
    }
    let later = newer.valid_from.seconds_since(older.valid_from) >= CLEARLY_NEWER_SECONDS;
    if newer.trust > older.trust || (newer.trust == older.trust && later) {
        Relation::Supersedes
    } else {
        Relation::Contradicts
    }
}

/// How much of two subjects must be the same for them to be one.
const SAME_SUBJECT: f32 = 0.75;
/// How much of what is denied must be what was said.
const SAME_VALUE: f32 = 0.6;
/// How much two values may share and still differ.
const OTHER_VALUE: f32 = 0.5;

fn opposes(older: &Claim, newer: &Claim) -> bool {
    retires(older, newer)
        || denies(older, newer)
        || (!older.negated && !newer.negated && gives_another_value(older, newer))
}

/// "We no longer use A", "B instead of A", "switched from A to B".
fn retires(older: &Claim, newer: &Claim) -> bool {
    if older.negated || newer.retired.is_empty() || !older.retired.is_empty() {
        return false;
    }
    let names_it = newer.retired.is_subset(&older.value);
    // What else the newer one says it is about has to be there in the older one.
    let about: Vec<&String> = newer.subject.iter().collect();
    let same_thing = about
        .iter()
        .all(|word| older.subject.contains(*word) || older.value.contains(*word));
    let room = older.value.len() <= newer.retired.len() + 2;
    names_it && same_thing && room && (older.is_choice() || !about.is_empty())
}

/// The same words about the same thing, once with and once without a "not".
fn denies(older: &Claim, newer: &Claim) -> bool {
    older.negated != newer.negated
        && older.verb == newer.verb
        && older.limits == newer.limits
        && (older.subject == newer.subject || alike(&older.subject, &newer.subject) >= SAME_SUBJECT)
        && !older.value.is_empty()
        && alike(&older.value, &newer.value) >= SAME_VALUE
}

/// The same thing, the same attribute, another value.
fn gives_another_value(older: &Claim, newer: &Claim) -> bool {
    let same = !older.subject.is_empty()
        && alike(&older.subject, &newer.subject) >= SAME_SUBJECT
        && older.verb == newer.verb
        && older.limits == newer.limits;
    let other = !older.value.is_empty()
        && !newer.value.is_empty()
        && (older.marks() != newer.marks() || alike(&older.value, &newer.value) <= OTHER_VALUE);
    let additive = older.is_additive() || newer.is_additive();
    same && other
        && !additive
        && (newer.corrects || (older.has_one_value() && newer.has_one_value()))
}

fn alike(a: &claim::Words, b: &claim::Words) -> f32 {
    let shared = a.intersection(b).count();
    let all = a.len() + b.len() - shared;
    if all == 0 {
        return 0.0;
    }
    shared as f32 / all as f32
}
