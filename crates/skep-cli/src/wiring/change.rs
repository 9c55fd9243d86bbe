//! A change of one file: shown as a diff, made in one step, and only if the file is still what was shown.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use similar::TextDiff;

/// A configuration is not larger than this.
const MOST: u64 = 4 << 20;

/// What a file is, and what it is to be; absent is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) path: PathBuf,
    pub(crate) before: Option<String>,
    pub(crate) after: Option<String>,
}

impl Change {
    pub(crate) fn is_none(&self) -> bool {
        self.before == self.after
    }

    /// As `diff -u` shows it.
    pub(crate) fn diff(&self) -> String {
        let (before, after) = (
            self.before.as_deref().unwrap_or_default(),
            self.after.as_deref().unwrap_or_default(),
        );
        let name = |there: bool| {
            if there {
                self.path.display().to_string()
            } else {
                "/dev/null".to_owned()
            }
        };
        TextDiff::from_lines(before, after)
            .unified_diff()
            .context_radius(2)
            .header(&name(self.before.is_some()), &name(self.after.is_some()))
            .to_string()
    }

    /// Makes it.
    pub(crate) fn apply(&self) -> io::Result<()> {
        if read(&self.path)? != self.before {
            return Err(io::Error::other("it was changed meanwhile: run this again"));
        }
        match &self.after {
            Some(text) => write(&self.path, text),
            None if self.before.is_some() => fs::remove_file(&self.path),
            None => Ok(()),
        }
    }
}

/// The text of a file, if there is one.
pub(crate) fn read(path: &Path) -> io::Result<Option<String>> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut text = String::new();
    file.take(MOST + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MOST {
        return Err(io::Error::other("it is larger than any configuration"));
    }
    Ok(Some(text))
}

/// Beside the old file, then in its place; through a link, so that the link stays, and with the old
/// file's mode.
pub(crate) fn write(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let target = match fs::canonicalize(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => path.to_owned(),
        other => other?,
    };
    let mode = match fs::metadata(&target) {
        Ok(facts) => facts.mode() & 0o7777,
        Err(_) => 0o600,
    };
    let mut name = target.file_name().unwrap_or_default().to_owned();
    name.push(format!(".skep-{}", std::process::id()));
    let beside = target.with_file_name(name);
    let written = (|| {
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&beside)?;
        file.write_all(text.as_bytes())?;
        file.set_permissions(fs::Permissions::from_mode(mode))?;
        file.sync_all()?;
        fs::rename(&beside, &target)
    })();
    if written.is_err() {
        drop(fs::remove_file(&beside));
    }
    written
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::{Change, read, write};

    #[test]
    fn a_file_keeps_its_link_and_its_mode() {
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("dotfiles"), folder.path().join("link"));
        fs::write(&real, "old").unwrap();
        fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
        symlink(&real, &link).unwrap();
        write(&link, "new").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&real).unwrap(), "new");
        let mode = fs::metadata(&real).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
        let fresh = folder.path().join("a/b/fresh");
        write(&fresh, "x").unwrap();
        let mode = fs::metadata(&fresh).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
    }

    #[test]
    fn what_was_not_shown_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("settings.json");
        let change = Change {
            path: path.clone(),
            before: None,
            after: Some("ours".into()),
        };
        fs::write(&path, "theirs").unwrap();
        assert!(change.apply().is_err());
        assert_eq!(read(&path).unwrap().as_deref(), Some("theirs"));
        fs::remove_file(&path).unwrap();
        change.apply().unwrap();
        assert_eq!(read(&path).unwrap().as_deref(), Some("ours"));
        let away = Change {
            before: change.after.clone(),
            after: None,
            ..change
        };
        away.apply().unwrap();
        assert_eq!(read(&path).unwrap(), None);
    }

    #[test]
    fn a_folder_or_a_huge_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        assert!(read(folder.path()).is_err());
        let large = folder.path().join("large");
        fs::write(&large, vec![b' '; (4 << 20) + 1]).unwrap();
        assert!(read(&large).is_err());
    }
}
