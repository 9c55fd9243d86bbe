//! Under which names a statement can be found by those that may repeat, replace or contradict it.

use super::claim::{Words, claim};
use crate::normal::Wording;

/// Of one statement, at most.
const TOPICS: usize = 8;

/// What a statement speaks about, as names that equal statements share.
///
/// What it is about; what it says is in use or over; and three sketches of its wording, of which
/// near copies share one (two least hashes each: at nine words of ten in common, 99 times of 100).
/// Whoever stores them keeps keyed digests only.
#[must_use]
pub fn topics(text: &str) -> Vec<String> {
    let claim = claim(text);
    let mut all = Vec::new();
    let mut name = |prefix: &str, words: &Words| {
        if !words.is_empty() {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            all.push(format!("{prefix}:{}", words.join(" ")));
        }
    };
    name("about", &claim.subject);
    name("says", &claim.value);
    name("says", &claim.retired);
    for sketch in Wording::of(text).sketches() {
        all.push(format!("wording:{sketch:016x}"));
    }
    all.sort_unstable();
    all.dedup();
    all.truncate(TOPICS);
    all
}
