//! What is to be written for a harness, and what to take it out again.

use std::io;
use std::path::Path;

use super::change::{Change, read};
use super::edit::{self, EditError, Edited, Entry};
use super::place::{Kind, Place, command, is_ours};
use super::receipt::{Kept, Receipt};
use super::server::Form;
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
    let kept = receipt.of(place.name);
    let noted = |before, after: &str, made, made_hooks| Kept {
        name: place.name.to_owned(),
        path: place.file.clone(),
        before,
        after: after.to_owned(),
        made,
        made_hooks,
    };
    if place.kind == Kind::Plugin {
        let after = plugin(program);
        if now.as_deref().is_some_and(|text| !is_plugin(text)) {
            return Err("a file of that name is there and is not ours".into());
        }
        return Ok(Step {
            kept: Some(noted(None, &after, Vec::new(), false)),
            change: change(place, now, Some(after)),
        });
    }
    let text = now.as_deref().unwrap_or_default();
    let put = |text: &str| put(place, program, text).map_err(|why| why.to_string());
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
            let bare = without(place, text, kept);
            Some(bare.map_err(|why| why.to_string())?)
        }
    };
    let edited = put(before.as_deref().unwrap_or_default())?;
    Ok(Step {
        kept: Some(noted(before, &edited.text, edited.made, edited.made_hooks)),
        change: change(place, now, Some(edited.text)),
    })
}

/// A text with everything of ours for a place.
fn put(place: &Place, program: &Path, text: &str) -> Result<Edited, EditError> {
    let mut edited = match place.kind {
        Kind::Entries(shape) => {
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
            let ours = |command: &str| is_ours(command, place.row.name);
            edit::with(text, shape, &entries, &ours)?
        }
        Kind::Servers(_) | Kind::Plugin => Edited {
            text: text.to_owned(),
            made: Vec::new(),
            made_hooks: false,
        },
    };
    if let Some(form) = form(place) {
        let (with, was_made) = form.with(&edited.text, program)?;
        edited.text = with;
        edited.made.extend(was_made.then(|| form.key().to_owned()));
    }
    Ok(edited)
}

/// A text without anything of ours.
fn without(place: &Place, text: &str, kept: Option<&Kept>) -> Result<String, EditError> {
    let (made, made_hooks) = made_by(kept);
    let mut left = text.to_owned();
    if let Kind::Entries(_) = place.kind {
        let ours = |command: &str| is_ours(command, place.row.name);
        left = edit::without(text, made, made_hooks, &ours)?;
    }
    if let Some(form) = form(place) {
        let was_made = made.iter().any(|made| made == form.key());
        left = form.without(&left, was_made)?;
    }
    Ok(left)
}

/// Where a server of tools stands in a file, if one does.
fn form(place: &Place) -> Option<Form> {
    match place.kind {
        Kind::Servers(form) => Some(form),
        Kind::Entries(_) | Kind::Plugin => place.also,
    }
}

/// What was made for us in a file.
fn made_by(kept: Option<&Kept>) -> (&[String], bool) {
    kept.map_or((&[], false), |kept| (&kept.made, kept.made_hooks))
}

/// What taking out would change.
pub(crate) fn take_out(place: &Place, receipt: &Receipt) -> Result<Step, String> {
    let now = here(place)?;
    let kept = receipt.of(place.name);
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
    let left = without(place, text, kept).map_err(|why| why.to_string())?;
    let was_none = kept.is_some_and(|kept| kept.before.is_none());
    let is_bare = match place.kind {
        Kind::Servers(form) => form.is_bare(&left),
        Kind::Entries(_) | Kind::Plugin => edit::is_bare(&left),
    };
    Ok((!(was_none && is_bare)).then_some(left))
}

/// How many events of a harness call us; one for a server that it starts.
pub(crate) fn wired(place: &Place) -> Result<usize, String> {
    let Some(text) = here(place)? else {
        return Ok(0);
    };
    if place.kind == Kind::Plugin {
        let all = place.row.written().count();
        return Ok(if is_plugin(&text) { all } else { 0 });
    }
    if let Kind::Servers(form) = place.kind {
        return form
            .is_in(&text)
            .map(usize::from)
            .map_err(|why| why.to_string());
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
