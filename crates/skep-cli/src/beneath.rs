//! Opens a file below a folder without following a link on the way: what was a file when a folder was looked
//! through may be a link by the time it is read.

use std::fs::File;
use std::io;
use std::path::{Component, Path};

use rustix::fs::{CWD, Mode, OFlags, openat};

/// A regular file at a relative path. It is opened without waiting: a pipe would never answer.
pub(crate) fn open(root: &Path, inside: &Path) -> io::Result<File> {
    let folder = OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mut here = openat(CWD, root, folder, Mode::empty())?;
    let mut names = inside.components().peekable();
    while let Some(Component::Normal(name)) = names.next() {
        let is_last = names.peek().is_none();
        let flags = if is_last {
            OFlags::NONBLOCK | OFlags::CLOEXEC
        } else {
            folder
        };
        here = openat(&here, name, flags | OFlags::NOFOLLOW, Mode::empty())?;
        if is_last {
            let file = File::from(here);
            return if file.metadata()?.is_file() {
                Ok(file)
            } else {
                Err(io::Error::other("not a regular file"))
            };
        }
    }
    Err(io::Error::other("not a path below its folder"))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Read;
    use std::os::unix::fs::symlink;
    use std::path::Path;
    use std::process::Command;

    use super::open;

    #[test]
    fn n12_no_link_is_followed_below_a_folder() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        fs::create_dir_all(at("in/a")).unwrap();
        fs::write(at("secret"), "secret").unwrap();
        fs::write(at("in/a/b"), "mine").unwrap();
        symlink(at("secret"), at("in/link")).unwrap();
        symlink(root.path(), at("in/up")).unwrap();
        assert!(
            Command::new("mkfifo")
                .arg(at("in/pipe"))
                .status()
                .unwrap()
                .success()
        );
        let read = |name: &str| {
            let mut text = String::new();
            open(&at("in"), Path::new(name))?.read_to_string(&mut text)?;
            std::io::Result::Ok(text)
        };
        assert_eq!(read("a/b").unwrap(), "mine");
        for name in [
            "link",
            "up/secret",
            "pipe",
            "a",
            "nothing",
            "",
            "..",
            "../secret",
            "/etc/passwd",
        ] {
            assert!(read(name).is_err(), "{name:?}");
        }
        // The folder itself may be reached by a link: that is its owner's choice.
        symlink(at("in"), at("home")).unwrap();
        assert!(open(&at("home"), Path::new("a/b")).is_ok());
    }
}
