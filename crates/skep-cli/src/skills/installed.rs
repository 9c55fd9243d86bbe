//! Skills in a folder of a harness: which are ours, whether they are still what was approved, and changing
//! them in one step.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};
use skep_api::skill::SkillFile;
use skep_api::{Limits, SkillName};
use skep_client::{Approval, ApprovalKey};

use crate::beneath;

/// Beside the files of a skill that we put there: what was approved, signed.
const PROVENANCE: &str = ".skep.json";
/// It is read up to this many bytes.
const MOST: u64 = 128 << 10;
/// What is being made is called so before the skill's name, so that what a kill left behind is known.
const NEW: &str = ".skep-new-";
/// What was moved aside.
const OLD: &str = ".skep-old-";

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
    look(&folder.join(name), name, keys)
}

fn look(place: &Path, name: &str, keys: &[ApprovalKey]) -> io::Result<Found> {
    match fs::symlink_metadata(place) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(error) => return Err(error),
        Ok(facts) if !facts.is_dir() => return Ok(Found::Foreign),
        Ok(_) => {}
    }
    let Some(envelope) = provenance(place) else {
        return Ok(Found::Foreign);
    };
    let Some(approval) = keys.iter().find_map(|key| key.verify(&envelope).ok()) else {
        return Ok(Found::Foreign);
    };
    if approval.skill != name {
        return Ok(Found::Foreign);
    }
    let approval = Box::new(approval);
    let files = files(place)?;
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

/// What lies in a folder for skills, while nobody else who pulls works there.
pub(crate) struct Shelf<'a> {
    folder: &'a Path,
    keys: &'a [ApprovalKey],
    _turn: fs::File,
}

impl<'a> Shelf<'a> {
    /// Waits for whoever else pulls into this folder, from whatever home, and clears up what a kill left.
    pub(crate) fn open(folder: &'a Path, keys: &'a [ApprovalKey]) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let turn = fs::File::open(folder)?;
        flock(&turn, FlockOperation::LockExclusive)?;
        tidy(folder)?;
        Ok(Self {
            folder,
            keys,
            _turn: turn,
        })
    }

    /// Puts a skill in the place of what was found there; `false` if that is another thing by now, which
    /// stays. A kill leaves the old one or the new one, or for a moment none, and never half of one.
    pub(crate) fn put(
        &self,
        (name, was): (&str, &Found),
        files: &[SkillFile],
        envelope: &str,
    ) -> io::Result<bool> {
        let new = beside(self.folder, NEW, name);
        let put = write_all(&new, files, envelope).and_then(|()| self.exchange(name, was, &new));
        if !matches!(put, Ok(true)) {
            drop(fs::remove_dir_all(&new));
        }
        put
    }

    fn exchange(&self, name: &str, was: &Found, new: &Path) -> io::Result<bool> {
        let Some(old) = self.moved(name, was)? else {
            return Ok(false);
        };
        if let Err(error) = fs::rename(new, self.folder.join(name)) {
            if *was != Found::Nothing {
                fs::rename(&old, self.folder.join(name))?;
            }
            return Err(error);
        }
        fs::File::open(self.folder)?.sync_all()?;
        if *was != Found::Nothing {
            fs::remove_dir_all(&old)?;
        }
        Ok(true)
    }

    /// Takes a skill of ours away; `false` if it is another thing by now.
    pub(crate) fn take_out(&self, name: &str, was: &Found) -> io::Result<bool> {
        let Some(old) = self.moved(name, was)? else {
            return Ok(false);
        };
        fs::remove_dir_all(old)?;
        Ok(true)
    }

    /// Moves what lies there aside and looks at it again: what somebody wrote there between the look and
    /// the move goes back. `None` if so.
    fn moved(&self, name: &str, was: &Found) -> io::Result<Option<PathBuf>> {
        let (place, old) = (self.folder.join(name), beside(self.folder, OLD, name));
        match fs::rename(&place, &old) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            other => other?,
        }
        if look(&old, name, self.keys)? == *was {
            return Ok(Some(old));
        }
        if old.symlink_metadata().is_ok() {
            fs::rename(&old, &place)?;
        }
        Ok(None)
    }
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

/// Clears up what a kill left behind: what was moved aside goes back where nothing took its place, and what
/// was being made goes. Only names that we make are ours.
fn tidy(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let file_name = entry.file_name();
        let file_name = file_name.to_string_lossy();
        let of = |before: &str| {
            let name = file_name.strip_prefix(before)?;
            SkillName::parse(name).ok()
        };
        let place = of(OLD).map(|name| folder.join(name.as_str()));
        match place {
            Some(place) if place.symlink_metadata().is_err() => fs::rename(entry.path(), place)?,
            None if of(NEW).is_none() => {}
            _ if entry.file_type()?.is_dir() => fs::remove_dir_all(entry.path())?,
            _ => {}
        }
    }
    Ok(())
}

fn beside(folder: &Path, what: &str, name: &str) -> PathBuf {
    folder.join(format!("{what}{name}"))
}

fn provenance(place: &Path) -> Option<String> {
    // One that is not there, a link, or something that is no file: not as we leave it.
    let file = beneath::open(place, Path::new(PROVENANCE)).ok()?;
    let mut text = String::new();
    file.take(MOST).read_to_string(&mut text).ok()?;
    let read: Option<Provenance> = serde_json::from_str(&text).ok();
    read.map(|read| read.approval)
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
                let mut text = String::new();
                let file = beneath::open(place, Path::new(&path))?;
                let read = file
                    .take(Limits::SKILL_BYTES as u64 + 1)
                    .read_to_string(&mut text);
                if read.is_err() {
                    return Ok(None);
                }
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

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use skep_api::skill::SkillFile;

    use super::{Found, Shelf, what_is};

    #[test]
    fn m07_what_came_between_the_look_and_the_change_stays() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        let files = [SkillFile {
            path: "SKILL.md".into(),
            text: "new".into(),
        }];
        let shelf = Shelf::open(root.path(), &[]).unwrap();
        fs::create_dir(at("release")).unwrap();
        fs::write(at("release/SKILL.md"), "mine").unwrap();
        assert!(
            !shelf
                .put(("release", &Found::Nothing), &files, "{}")
                .unwrap()
        );
        symlink("/etc", at("review")).unwrap();
        assert!(
            !shelf
                .put(("review", &Found::Nothing), &files, "{}")
                .unwrap()
        );
        assert!(!shelf.take_out("absent", &Found::Foreign).unwrap());
        assert_eq!(fs::read_to_string(at("release/SKILL.md")).unwrap(), "mine");
        assert!(fs::symlink_metadata(at("review")).unwrap().is_symlink());
        assert!(
            shelf
                .put(("triage", &Found::Nothing), &files, "{}")
                .unwrap()
        );
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 3);
        assert_eq!(fs::read_to_string(at("triage/SKILL.md")).unwrap(), "new");
    }

    #[test]
    fn m07_only_what_a_pull_left_behind_is_cleared_up() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        for name in [
            ".skep-old-release",
            ".skep-old-review",
            "review",
            ".skep-new-release",
            ".skep-notes",
            ".skep-old-My Notes",
            ".skep-new-",
        ] {
            fs::create_dir(at(name)).unwrap();
            fs::write(at(name).join("x"), name).unwrap();
        }
        symlink("/etc", at(".skep-new-triage")).unwrap();
        drop(Shelf::open(root.path(), &[]).unwrap());
        // What was moved aside when the kill came goes back, unless something has its place.
        assert_eq!(
            fs::read_to_string(at("release/x")).unwrap(),
            ".skep-old-release"
        );
        assert_eq!(fs::read_to_string(at("review/x")).unwrap(), "review");
        let mut left: Vec<String> = fs::read_dir(root.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        let ours = [
            ".skep-new-",
            ".skep-new-triage",
            ".skep-notes",
            ".skep-old-My Notes",
            "release",
            "review",
        ];
        assert_eq!(left, ours);
    }

    #[test]
    fn m07_a_provenance_that_is_no_file_is_nobodys_and_does_not_wait() {
        let root = tempfile::tempdir().unwrap();
        let place = root.path().join("release");
        fs::create_dir(&place).unwrap();
        let pipe = std::process::Command::new("mkfifo")
            .arg(place.join(".skep.json"))
            .status();
        assert!(pipe.unwrap().success());
        assert_eq!(
            what_is(root.path(), "release", &[]).unwrap(),
            Found::Foreign
        );
    }
}
