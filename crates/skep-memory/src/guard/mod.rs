//! Scores a text before it is kept: does it speak to a model, does it hold personal data, secrets?
//!
//! Rules and a small linear model look at several views of the text: as it is, without disguise, and
//! what is encoded in it. It reduces what gets through and promises nothing: what a memory may do is
//! bounded by what its reader may do, never by this score.

mod features;
mod model;
mod personal;
mod rules;
mod views;

use skep_domain::Trust;

pub use features::{BUCKETS, features, sentences};
pub use model::Model;
pub use personal::{Personal, personal};

/// What was found in a text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Assessment {
    /// How much it looks like an instruction to a model, 0 to 1.
    pub score: f32,
    /// What speaks for that, in words for a reviewer, the weightiest first.
    pub reasons: Vec<String>,
    /// What personal data it holds: noted, never a reason to hold it back by itself.
    pub personal: Vec<Personal>,
    /// Whether it should wait until a human has looked at it.
    pub held: bool,
}

/// Bytes of a text that are looked at from its beginning, and from its end.
const LOOK: usize = 16 << 10;

/// Texts of one source that are looked at together.
pub const TOGETHER: usize = 8;

/// What a text must score to be held back. A human's own word must look worse than what a tool
/// printed: people do tell agents what to do.
#[must_use]
pub const fn bar(trust: Trust) -> f32 {
    match trust {
        Trust::External | Trust::Tool => 0.5,
        Trust::Agent => 0.6,
        Trust::User => 0.9,
    }
}

/// Assesses one text.
#[must_use]
pub fn assess(text: &str, trust: Trust) -> Assessment {
    assess_with(model::built_in(), text, trust)
}

/// Assesses one text with a model other than the built-in one.
#[must_use]
pub fn assess_with(model: &Model, text: &str, trust: Trust) -> Assessment {
    let text = crate::cut_middle(text, 2 * LOOK);
    let mut found: Vec<(f32, String)> = Vec::new();
    for view in views::of(&text) {
        for (rule, weight) in rules::find(&view.text) {
            found.push((weight, format!("{rule}{}", view.how)));
        }
        let probability = model.probability(&view.text);
        if probability >= model::TELLING {
            found.push((
                model::weight(probability),
                format!("reads like an instruction to a model{}", view.how),
            ));
        }
    }
    found.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    found.dedup_by(|a, b| a.1 == b.1);
    let score = joined(&found);
    Assessment {
        score,
        reasons: found.into_iter().map(|(_, reason)| reason).collect(),
        personal: personal(&text),
        held: score >= bar(trust),
    }
}

/// Assesses texts of one source that were learned close together, as if they were read in one go:
/// an instruction may come in parts that are harmless each. At most the last [`TOGETHER`] count.
#[must_use]
pub fn assess_together(texts: &[&str], trust: Trust) -> Assessment {
    let from = texts.len().saturating_sub(TOGETHER);
    let joined = texts[from..].join(" ");
    let mut whole = assess(&joined, trust);
    let parts = texts[from..].iter().map(|text| assess(text, trust).score);
    let worst = parts.fold(0.0, f32::max);
    // Long texts add up to some suspicion by themselves: only what the parts do not explain counts.
    if whole.score <= worst {
        whole.held = false;
    }
    whole
}

/// Independent signs: each leaves its part of the doubt that the others left. A reason that was
/// found in more than one view counts once.
fn joined(found: &[(f32, String)]) -> f32 {
    let mut seen: Vec<&str> = Vec::new();
    let mut doubt = 1.0;
    for (weight, reason) in found {
        let name = reason.split(" (").next().unwrap_or(reason);
        if !seen.contains(&name) {
            seen.push(name);
            doubt *= 1.0 - weight;
        }
    }
    1.0 - doubt
}

#[cfg(test)]
mod tests;
