//! Skills in a folder of a harness: which are ours, whether they are still what was approved, and changing
//! them in one step.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use skep_api::skill::SkillFile;
use skep_api::{Limits, SkillName};
use skep_client::{Approval, ApprovalKey};

/// Beside the files of a skill that we put there: what was approved, signed.
const PROVENANCE: &str = ".skep.json";
/// It is read up to this many bytes.
const MOST: u64 = 128 << 10;
/// What we work in begins with this, so that what a kill left behind is known.
const BESIDE: &str = ".skep-";

/// What lies where a skill belongs.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// Nothing.
    Nothing,
    /// Somebody else's.
    Foreign,
    /// What was approved, to the byte.
    Whole(Box<Approval>),
    /// Ours, and changed since.
    Changed(Box<Approval>),
}

#[derive(Serialize, Deserialize)]
struct Provenance {
    /// For people who wonder where it comes from.
    note: String,
    approval: String,
}

/// Looks at one; ours is what one of the keys signed.
pub(crate) fn what_is(folder: &Path, name: &str, keys: &[ApprovalKey]) -> io::Result<Found> {
    let place = folder.join(name);
    match fs::symlink_metadata(&place) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(error) => return Err(error),
        Ok(facts) if !facts.is_dir() => return Ok(Found::Foreign),
        Ok(_) => {}
    }
    let Some(envelope) = provenance(&place)? else {
        return Ok(Found::Foreign);
    };
    let Some(approval) = keys.iter().find_map(|key| key.verify(&envelope).ok()) else {
        return Ok(Found::Foreign);
    };
    if approval.skill != name {
        return Ok(Found::Foreign);
    }
    let approval = Box::new(approval);
    let files = files(&place)?;
    Ok(match files {
        Some(files) if approval.check(&files).is_ok() => Found::Whole(approval),
        _ => Found::Changed(approval),
    })
}

/// The names of skills in a folder that could be ours.
pub(crate) fn there(folder: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if SkillName::parse(&name).is_ok() && folder.join(&name).join(PROVENANCE).is_file() {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// Puts a skill there, in the place of ours if there is one: a kill leaves the old one or the new one, or
/// for a moment none, and never half of one.
pub(crate) fn put(
    folder: &Path,
    name: &str,
    files: &[SkillFile],
    envelope: &str,
) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    tidy(folder)?;
    let (new, old) = (beside(folder, name, "new"), beside(folder, name, "old"));
    let made = write_all(&new, files, envelope);
    if made.is_err() {
        drop(fs::remove_dir_all(&new));
        return made;
    }
    let place = folder.join(name);
    let moved = match fs::rename(&place, &old) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => false,
        other => {
            other?;
            true
        }
    };
    if let Err(error) = fs::rename(&new, &place) {
        if moved {
            fs::rename(&old, &place)?;
        }
        drop(fs::remove_dir_all(&new));
        return Err(error);
    }
    fs::File::open(folder)?.sync_all()?;
    if moved {
        fs::remove_dir_all(&old)?;
    }
    Ok(())
}

/// Takes a skill of ours away.
pub(crate) fn take_out(folder: &Path, name: &str) -> io::Result<()> {
    tidy(folder)?;
    let old = beside(folder, name, "old");
    fs::rename(folder.join(name), &old)?;
    fs::remove_dir_all(&old)
}

fn write_all(new: &Path, files: &[SkillFile], envelope: &str) -> io::Result<()> {
    let provenance = Provenance {
        note: "Pulled by skep; `skep skill installed` checks it against what was approved.".into(),
        approval: envelope.into(),
    };
    let provenance = serde_json::to_string_pretty(&provenance)?;
    let told = [(PROVENANCE, provenance.as_str())];
    let files = files
        .iter()
        .map(|file| (file.path.as_str(), file.text.as_str()));
    for (path, text) in files.chain(told) {
        let path = new.join(path);
        if let Some(parent) = path.parent() {
            DirBuilder::new()
                .recursive(true)
                .mode(0o755)
                .create(parent)?;
        }
        // Never executable: who runs a script of a skill says so by running it.
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o644)
            .open(path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
    }
    Ok(())
}

/// Removes what a kill left behind.
fn tidy(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry
            .file_name()
            .as_encoded_bytes()
            .starts_with(BESIDE.as_bytes())
            && entry.file_type()?.is_dir()
        {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

fn beside(folder: &Path, name: &str, what: &str) -> PathBuf {
    folder.join(format!("{BESIDE}{what}-{name}"))
}

fn provenance(place: &Path) -> io::Result<Option<String>> {
    let file = match fs::File::open(place.join(PROVENANCE)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    let mut text = String::new();
    if file.take(MOST).read_to_string(&mut text).is_err() {
        return Ok(None);
    }
    let read: Option<Provenance> = serde_json::from_str(&text).ok();
    Ok(read.map(|read| read.approval))
}

/// The files of a skill but for the provenance; none if there is something among them that is no text file.
fn files(place: &Path) -> io::Result<Option<Vec<SkillFile>>> {
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    let mut folders = vec![String::new()];
    let mut bytes = 0;
    while let Some(below) = folders.pop() {
        for entry in fs::read_dir(place.join(&below))? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else {
                return Ok(None);
            };
            let path = format!("{below}{name}");
            let kind = entry.file_type()?;
            if kind.is_dir() {
                folders.push(format!("{path}/"));
            } else if path != PROVENANCE {
                bytes += entry.metadata()?.len();
                if !kind.is_file()
                    || bytes > Limits::SKILL_BYTES as u64
                    || found.len() == Limits::SKILL_FILES
                {
                    return Ok(None);
                }
                let Ok(text) = String::from_utf8(fs::read(entry.path())?) else {
                    return Ok(None);
                };
                found.insert(path, text);
            }
            if folders.len() > Limits::SKILL_FILES {
                return Ok(None);
            }
        }
    }
    let file = |(path, text)| SkillFile { path, text };
    Ok(Some(found.into_iter().map(file).collect()))
}
