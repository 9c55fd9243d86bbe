//! What is to be written for a harness, and what to take it out again.

use std::io;
use std::path::Path;

use super::change::{Change, read};
use super::edit::{self, Entry};
use super::place::{Kind, Place, command, is_ours};
use super::receipt::{Kept, Receipt};
use crate::hook::opencode::PLUGIN;

/// What the plugin calls where nothing was put in.
const CALLS: &str = "const SKEP = \"skep\"";

/// A change for one harness, and what will be noted of it.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) change: Change,
    /// What undoes it; none once it is undone.
    pub(crate) kept: Option<Kept>,
}

/// What putting in would change; a step that changes nothing when all is as it should be. An error is a
/// reason to leave the file alone.
pub(crate) fn put_in(place: &Place, program: &Path, receipt: &Receipt) -> Result<Step, String> {
    let now = here(place)?;
    let kept = receipt.of(place.row.name);
    let noted = |before, after: &str, made, made_hooks| Kept {
        name: place.row.name.to_owned(),
        path: place.file.clone(),
        before,
        after: after.to_owned(),
        made,
        made_hooks,
    };
    let Kind::Entries(shape) = place.kind else {
        let after = plugin(program);
        if now.as_deref().is_some_and(|text| !is_plugin(text)) {
            return Err("a file of that name is there and is not ours".into());
        }
        return Ok(Step {
            kept: Some(noted(None, &after, Vec::new(), false)),
            change: change(place, now, Some(after)),
        });
    };
    let ours = |command: &str| is_ours(command, place.row.name);
    let text = now.as_deref().unwrap_or_default();
    let entries: Vec<Entry> = place
        .row
        .written()
        .map(|event| Entry {
            event: event.name,
            command: command(program, &place.row.arguments(event)),
            timeout: event.timeout,
            matcher: event.matcher,
        })
        .collect();
    let put = |text: &str| edit::with(text, shape, &entries, &ours).map_err(|why| why.to_string());
    if put(text)?.text == text {
        return Ok(Step {
            kept: kept.cloned(),
            change: change(place, now.clone(), now),
        });
    }
    // What it would be without us: as noted, unless somebody has written to it since.
    let before = match (&now, kept) {
        (Some(text), Some(kept)) if *text == kept.after => kept.before.clone(),
        (None, _) => None,
        (Some(text), kept) => {
            let (made, made_hooks) = made_by(kept);
            let bare = edit::without(text, made, made_hooks, &ours);
            Some(bare.map_err(|why| why.to_string())?)
        }
    };
    let edited = put(before.as_deref().unwrap_or_default())?;
    Ok(Step {
        kept: Some(noted(before, &edited.text, edited.made, edited.made_hooks)),
        change: change(place, now, Some(edited.text)),
    })
}

/// What was made for us in a file.
fn made_by(kept: Option<&Kept>) -> (&[String], bool) {
    kept.map_or((&[], false), |kept| (&kept.made, kept.made_hooks))
}

/// What taking out would change.
pub(crate) fn take_out(place: &Place, receipt: &Receipt) -> Result<Step, String> {
    let now = here(place)?;
    let kept = receipt.of(place.row.name);
    let after = match (&now, kept) {
        (None, _) => None,
        (Some(text), Some(kept)) if *text == kept.after => kept.before.clone(),
        (Some(text), kept) => left(place, text, kept)?,
    };
    Ok(Step {
        change: change(place, now, after),
        kept: None,
    })
}

/// What is left of a file that is not as we left it.
fn left(place: &Place, text: &str, kept: Option<&Kept>) -> Result<Option<String>, String> {
    if place.kind == Kind::Plugin {
        return Ok((!is_plugin(text)).then(|| text.to_owned()));
    }
    let ours = |command: &str| is_ours(command, place.row.name);
    let (made, made_hooks) = made_by(kept);
    let left = edit::without(text, made, made_hooks, &ours).map_err(|why| why.to_string())?;
    let was_none = kept.is_some_and(|kept| kept.before.is_none());
    Ok((!(was_none && edit::is_bare(&left))).then_some(left))
}

/// How many events of a harness call us.
pub(crate) fn wired(place: &Place) -> Result<usize, String> {
    let Some(text) = here(place)? else {
        return Ok(0);
    };
    if place.kind == Kind::Plugin {
        let all = place.row.written().count();
        return Ok(if is_plugin(&text) { all } else { 0 });
    }
    let ours = edit::ours(&text, &|command: &str| is_ours(command, place.row.name));
    ours.map(|events| events.len())
        .map_err(|why| why.to_string())
}

fn here(place: &Place) -> Result<Option<String>, String> {
    let why = |error: io::Error| match error.kind() {
        io::ErrorKind::InvalidData => "it is not text".to_owned(),
        _ => error.to_string(),
    };
    read(&place.file).map_err(why)
}

fn change(place: &Place, before: Option<String>, after: Option<String>) -> Change {
    Change {
        path: place.file.clone(),
        before,
        after,
    }
}

/// The plugin, with the path of the program that it calls.
fn plugin(program: &Path) -> String {
    let path = serde_json::Value::from(program.to_string_lossy());
    PLUGIN.replacen(CALLS, &format!("const SKEP = {path}"), 1)
}

/// Whether a plugin file is one that we wrote, of this version or another.
fn is_plugin(text: &str) -> bool {
    text.lines().next() == PLUGIN.lines().next()
}
