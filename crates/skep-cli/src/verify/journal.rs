//! What a run has to take away again, on disk while it is under way: so that there is one at a time, and that the
//! next one takes away what a killed one has left, and nothing that is somebody else's.

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::failure::Failure;

/// The file in the home.
const NAME: &str = "verify-secrets.json";
/// No journal is larger.
const MOST: u64 = 64 << 10;

/// What is planted, by the daemon and the workspace that it is planted in.
pub(super) struct Journal {
    file: File,
    held: Held,
}

/// As it is written down.
#[derive(Default, Serialize, Deserialize)]
#[serde(transparent)]
struct Held(BTreeMap<String, Vec<String>>);

impl Journal {
    /// The journal of this home, for one run at a time.
    pub(super) fn open(home: &Path) -> Result<Self, Failure> {
        std::fs::create_dir_all(home).map_err(|error| Failure::from(error).at(home))?;
        let path = home.join(NAME);
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(false);
        let no_follow = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
        options
            .mode(0o600)
            .custom_flags(i32::try_from(no_follow.bits()).unwrap_or(0));
        let file = options.open(&path);
        let mut file = file.map_err(|error| Failure::from(error).at(&path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let message = "another skep verify secrets is under way";
                return Err(Failure::new("UNDER_WAY", message).hint("wait until it has ended"));
            }
            Err(TryLockError::Error(error)) => return Err(Failure::from(error).at(&path)),
        }
        let mut text = String::new();
        let read = (&mut file).take(MOST).read_to_string(&mut text);
        read.map_err(|error| Failure::from(error).at(&path))?;
        // One that was cut off by a kill says no less than one that is gone.
        let held = serde_json::from_str(&text).unwrap_or_default();
        Ok(Self { file, held })
    }

    /// The templates that a run has left there with its canary, if one was killed.
    pub(super) fn left(&self, place: &str) -> Option<Vec<String>> {
        self.held.0.get(place).cloned()
    }

    /// Written before it is so.
    pub(super) fn note(&mut self, place: &str, templates: &[String]) -> Result<(), Failure> {
        self.held.0.insert(place.to_owned(), templates.to_vec());
        self.write()
    }

    /// Nothing is left there.
    pub(super) fn forget(&mut self, place: &str) -> Result<(), Failure> {
        self.held.0.remove(place);
        self.write()
    }

    fn write(&mut self) -> Result<(), Failure> {
        let text = serde_json::to_vec(&self.held)
            .map_err(|_| Failure::new("INTERNAL", "the journal is no JSON"))?;
        self.file.rewind()?;
        self.file.write_all(&text)?;
        self.file.set_len(text.len() as u64)?;
        self.file.sync_all()?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Journal;

    #[test]
    fn one_run_at_a_time_and_what_one_has_left_is_known_to_the_next() {
        let home = tempfile::tempdir().unwrap();
        let mut first = Journal::open(home.path()).unwrap();
        assert_eq!(first.left("here"), None);
        first.note("here", &["tpl_1".to_owned()]).unwrap();
        first.note("there", &[]).unwrap();
        let Err(second) = Journal::open(home.path()) else {
            panic!("two at once");
        };
        assert_eq!(second.code(), "UNDER_WAY");
        // As a kill does it.
        drop(first);
        let mut next = Journal::open(home.path()).unwrap();
        assert_eq!(next.left("here"), Some(vec!["tpl_1".to_owned()]));
        next.forget("here").unwrap();
        drop(next);
        let last = Journal::open(home.path()).unwrap();
        assert_eq!(
            (last.left("here"), last.left("there")),
            (None, Some(vec![]))
        );
    }
}
