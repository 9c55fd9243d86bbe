//! Small files of the home that are their owner's alone: read with care, replaced in one step.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};

use rustix::fs::{FlockOperation, OFlags, flock};
use zeroize::Zeroizing;

use crate::Home;

/// One such file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Private {
    pub(crate) name: &'static str,
    pub(crate) max_bytes: u64,
}

/// Held while logins change: two programs that renew one at once would end it.
pub(crate) struct Turn(#[expect(dead_code, reason = "the lock goes when this does")] File);

impl Private {
    /// What it holds; `None` when there is none.
    pub(crate) fn read(self, home: &Home) -> io::Result<Option<Zeroizing<String>>> {
        let mut options = OpenOptions::new();
        options.read(true).custom_flags(no_follow());
        let file = match options.open(home.path().join(self.name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other?,
        };
        let facts = file.metadata()?;
        let own = facts.uid() == rustix::process::geteuid().as_raw();
        if !facts.is_file() || !own || facts.mode() & 0o077 != 0 {
            return Err(self.refused("others could have read or planted it: delete it"));
        }
        if facts.len() > self.max_bytes {
            return Err(self.refused("it is larger than what we write: delete it"));
        }
        let mut text = Zeroizing::new(String::new());
        file.take(self.max_bytes).read_to_string(&mut text)?;
        Ok(Some(text))
    }

    /// Writes the file beside the old one and puts it in its place in one step.
    pub(crate) fn write(self, home: &Home, text: &[u8]) -> io::Result<()> {
        let beside = home.path().join(format!("{}.new", self.name));
        match std::fs::remove_file(&beside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .custom_flags(no_follow())
            .open(&beside)?;
        file.write_all(text)?;
        file.sync_all()?;
        std::fs::rename(&beside, home.path().join(self.name))?;
        File::open(home.path())?.sync_all()
    }

    /// `false` when there was none.
    pub(crate) fn delete(self, home: &Home) -> io::Result<bool> {
        match std::fs::remove_file(home.path().join(self.name)) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn refused(self, why: &str) -> io::Error {
        io::Error::other(format!("{}: {why}", self.name))
    }
}

impl Turn {
    pub(crate) fn wait(home: &Home) -> io::Result<Self> {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .custom_flags(no_follow())
            .open(home.path().join("credentials.lock"))?;
        flock(&file, FlockOperation::LockExclusive)?;
        Ok(Self(file))
    }
}

fn no_follow() -> i32 {
    (OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC)
        .bits()
        .cast_signed()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    use super::Private;
    use crate::Home;

    #[test]
    fn x05_what_is_kept_is_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::new(folder.path()).unwrap();
        let kept = Private {
            name: "kept.json",
            max_bytes: 64,
        };
        let file = folder.path().join(kept.name);
        assert!(kept.read(&home).unwrap().is_none());
        // What lies in the way is replaced, not written through.
        let elsewhere = folder.path().join("elsewhere");
        fs::write(&elsewhere, "old").unwrap();
        symlink(&elsewhere, &file).unwrap();
        assert!(kept.read(&home).is_err(), "a link is not followed");
        kept.write(&home, b"new").unwrap();
        assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "old");
        let facts = fs::symlink_metadata(&file).unwrap();
        assert_eq!((facts.mode() & 0o7777, facts.is_file()), (0o600, true));
        assert_eq!(kept.read(&home).unwrap().unwrap().as_str(), "new");
        for mode in [0o640, 0o604, 0o660] {
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            assert!(kept.read(&home).is_err(), "{mode:o}");
        }
        kept.write(&home, &[b' '; 65]).unwrap();
        assert!(kept.read(&home).is_err(), "too large");
        assert!(kept.delete(&home).unwrap());
        assert!(!kept.delete(&home).unwrap());
    }
}
