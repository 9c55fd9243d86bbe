//! What stands between a text and memory: every new memory is scored, and waits for a human when it
//! looks like an instruction to a model.

use std::borrow::Cow;

use skep_domain::{DerivedBy, MemoryState, Trust};
use skep_memory::guard::{Assessment, TOGETHER, assess, assess_together};
use skep_store::NewMemory;

/// Reasons kept for the reviewer.
const REASONS: usize = 8;

/// Holds a memory back if what it says speaks for that, or its line, where that is not of the text.
pub(crate) fn guarded(mut new: NewMemory) -> NewMemory {
    let trust = doubted(&new);
    // The name of a file is read before what is in it.
    let text = match &new.body.path {
        Some(path) => Cow::Owned(format!(
            "{}\n{}",
            path.as_str().replace('/', " "),
            new.body.text
        )),
        None => Cow::Borrowed(&new.body.text),
    };
    let found = assess(&text, trust);
    hold(&mut new, found, None);
    if !new.body.text.contains(&new.body.key) {
        let found = assess(&new.body.key, trust);
        hold(&mut new, found, Some("in its line"));
    }
    new
}

/// Holds a memory back for what is shown beside its text where others chose that too: its project, where it
/// was before.
pub(crate) fn guarded_beside(mut new: NewMemory, project: Option<&str>) -> NewMemory {
    let references = new.body.references.iter().map(String::as_str);
    let beside: Vec<&str> = project.into_iter().chain(references).collect();
    let beside = beside.join("\n");
    for window in windows(&beside).filter(|_| !beside.is_empty()) {
        let found = assess(window, doubted(&new));
        hold(&mut new, found, Some("beside its text"));
    }
    new
}

/// Bytes that are scored at once of what may be longer than the scorer looks.
const WINDOW: usize = 8 << 10;

/// Pieces that overlap by half, so that no border hides what stands on both sides of it, and no middle is
/// passed over.
pub(crate) fn windows(text: &str) -> impl Iterator<Item = &str> {
    let count = text.len().div_ceil(WINDOW / 2).max(1);
    (0..count).map(move |at| {
        let start = text.floor_char_boundary(at * WINDOW / 2);
        let end = text.floor_char_boundary((at * WINDOW / 2 + WINDOW).min(text.len()));
        &text[start..end]
    })
}

/// Whose word a text is scored as. A model may have been talked into writing it by anything it read.
fn doubted(new: &NewMemory) -> Trust {
    if new.body.derived_by == DerivedBy::Model {
        Trust::External
    } else {
        new.trust
    }
}

/// The same for memories of one source in the order they were learned: an instruction may come in
/// parts that are harmless each. A human's own statements are not read together.
pub(crate) fn guarded_all(news: Vec<NewMemory>) -> Vec<NewMemory> {
    let mut news: Vec<NewMemory> = news.into_iter().map(guarded).collect();
    let parts: Vec<usize> = (0..news.len())
        .filter(|at| news[*at].trust < Trust::User)
        .collect();
    // Half a window at a time, so that no border hides what stands on both sides of it.
    for start in (0..parts.len()).step_by(TOGETHER / 2) {
        let window = &parts[start..parts.len().min(start + TOGETHER)];
        let texts: Vec<&str> = window
            .iter()
            .map(|at| news[*at].body.text.as_str())
            .collect();
        let trust = window.iter().map(|at| doubted(&news[*at])).min();
        let found = assess_together(&texts, trust.unwrap_or(Trust::External));
        if texts.len() > 1 && found.held {
            for at in window {
                hold(
                    &mut news[*at],
                    found.clone(),
                    Some("together with others of its source"),
                );
            }
        }
    }
    news
}

fn hold(new: &mut NewMemory, found: Assessment, how: Option<&str>) {
    if !found.held || new.state != MemoryState::Active {
        return;
    }
    new.state = MemoryState::Quarantined;
    new.reasons = how.map(str::to_owned).into_iter().collect();
    new.reasons.extend(found.reasons);
    let mut kinds: Vec<&str> = found.personal.iter().map(|place| place.kind).collect();
    kinds.dedup();
    if !kinds.is_empty() {
        new.reasons
            .push(format!("holds personal data: {}", kinds.join(", ")));
    }
    new.reasons.truncate(REASONS);
}
