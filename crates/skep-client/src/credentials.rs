//! The credentials file: a login's refresh token and the key it is bound to, for its owner alone.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::PathBuf;

use rustix::fs::{FlockOperation, OFlags, flock};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::Home;
use crate::proof::ProofKey;

/// What is kept of a login. No access token: that stays in memory.
pub struct Credentials {
    /// The server.
    pub issuer: String,
    pub(crate) refresh: Zeroizing<String>,
    pub(crate) key: ProofKey,
}

#[derive(Deserialize, Serialize)]
struct Kept {
    issuer: String,
    refresh_token: String,
    proof_key: String,
}

/// Held while a login is renewed: two programs that renew at once would end it.
pub(crate) struct Turn(#[expect(dead_code, reason = "the lock goes when this does")] File);

const MAX_BYTES: u64 = 4_096;

impl Credentials {
    /// Reads the file; `None` when there is none.
    ///
    /// # Errors
    /// When it is no file of ours that only we can read, or holds no login.
    pub fn read(home: &Home) -> io::Result<Option<Self>> {
        let file = match open(home, OpenOptions::new().read(true)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other?,
        };
        let facts = file.metadata()?;
        let own = facts.uid() == rustix::process::geteuid().as_raw();
        if !facts.is_file() || !own || facts.mode() & 0o077 != 0 {
            return Err(refused(
                "others could have read or planted it: delete it, and log in again",
            ));
        }
        let mut text = Zeroizing::new(String::new());
        file.take(MAX_BYTES).read_to_string(&mut text)?;
        let kept: Kept =
            serde_json::from_str(&text).map_err(|_| refused("it holds no login: log in again"))?;
        let key = ProofKey::parse(&kept.proof_key);
        Ok(Some(Self {
            issuer: kept.issuer,
            refresh: Zeroizing::new(kept.refresh_token),
            key: key.ok_or_else(|| refused("it holds no key: log in again"))?,
        }))
    }

    /// Writes the file beside the old one and puts it in its place in one step.
    pub(crate) fn write(&self, home: &Home) -> io::Result<()> {
        let kept = Kept {
            issuer: self.issuer.clone(),
            refresh_token: self.refresh.as_str().to_owned(),
            proof_key: self.key.text().as_str().to_owned(),
        };
        let text = Zeroizing::new(serde_json::to_vec(&kept)?);
        let beside = home.path().join("credentials.json.new");
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
        file.write_all(&text)?;
        file.sync_all()?;
        std::fs::rename(&beside, path(home))?;
        File::open(home.path())?.sync_all()
    }

    /// Deletes the file; `false` when there was none.
    ///
    /// # Errors
    /// When it cannot be deleted.
    pub fn delete(home: &Home) -> io::Result<bool> {
        match std::fs::remove_file(path(home)) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
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

fn open(home: &Home, options: &mut OpenOptions) -> io::Result<File> {
    options.custom_flags(no_follow()).open(path(home))
}

fn no_follow() -> i32 {
    (OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC)
        .bits()
        .cast_signed()
}

fn path(home: &Home) -> PathBuf {
    home.path().join("credentials.json")
}

fn refused(why: &str) -> io::Error {
    io::Error::other(format!("credentials.json: {why}"))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    use zeroize::Zeroizing;

    use super::Credentials;
    use crate::Home;
    use crate::proof::ProofKey;

    #[test]
    fn x05_credentials_are_their_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::new(folder.path()).unwrap();
        let file = folder.path().join("credentials.json");
        assert!(Credentials::read(&home).unwrap().is_none());
        let kept = Credentials {
            issuer: "http://127.0.0.1:3850".into(),
            refresh: Zeroizing::new("skep_rt_x".into()),
            key: ProofKey::generate().unwrap(),
        };
        // What lies in the way is replaced, not written through.
        let elsewhere = folder.path().join("elsewhere");
        fs::write(&elsewhere, "old").unwrap();
        symlink(&elsewhere, &file).unwrap();
        assert!(Credentials::read(&home).is_err(), "a link is not followed");
        kept.write(&home).unwrap();
        assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "old");
        let facts = fs::symlink_metadata(&file).unwrap();
        assert_eq!((facts.mode() & 0o7777, facts.is_file()), (0o600, true));
        let read = Credentials::read(&home).unwrap().unwrap();
        assert_eq!(read.refresh.as_str(), "skep_rt_x");
        assert_eq!(read.key.text(), kept.key.text());
        for mode in [0o640, 0o604, 0o660] {
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            assert!(Credentials::read(&home).is_err(), "{mode:o}");
        }
        assert!(Credentials::delete(&home).unwrap());
        assert!(!Credentials::delete(&home).unwrap());
    }
}
