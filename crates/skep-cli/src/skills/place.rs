//! Where harnesses look for skills. Claude Code has a folder of its own; the others read the one that the
//! open standard has for all of them.

use std::path::PathBuf;

use crate::args::Places;
use crate::environment::Environment;
use crate::failure::Failure;
use crate::wiring::place;

/// A folder of skills.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) folder: PathBuf,
    /// Who reads it.
    pub(crate) harnesses: Vec<String>,
}

/// The folders that were asked for.
pub(crate) fn places(wanted: &Places, environment: &Environment) -> Result<Vec<Place>, Failure> {
    if let Some(folder) = &wanted.dir {
        return Ok(vec![Place {
            folder: folder.clone(),
            harnesses: Vec::new(),
        }]);
    }
    let named = if wanted.harness.is_empty() {
        place::all(environment)
            .iter()
            .filter(|place| place.is_here)
            .map(|place| place.row.name.to_owned())
            .collect()
    } else {
        wanted.harness.clone()
    };
    let mut places: Vec<Place> = Vec::new();
    for harness in named {
        let folder = folder(&harness, environment)
            .ok_or_else(|| Failure::usage("HOME is not set: name a folder with --dir"))?;
        match places.iter_mut().find(|place| place.folder == folder) {
            Some(place) => place.harnesses.push(harness),
            None => places.push(Place {
                folder,
                harnesses: vec![harness],
            }),
        }
    }
    if places.is_empty() {
        let hint = "name one with --harness, or a folder with --dir";
        return Err(Failure::new("NO_HARNESS", "no harness was found on this machine").hint(hint));
    }
    Ok(places)
}

fn folder(harness: &str, environment: &Environment) -> Option<PathBuf> {
    let home = environment.user_home.as_ref();
    match (harness, &environment.claude_home) {
        ("claude", Some(claude)) => Some(claude.join("skills")),
        ("claude", None) => Some(home?.join(".claude/skills")),
        _ => Some(home?.join(".agents/skills")),
    }
}
