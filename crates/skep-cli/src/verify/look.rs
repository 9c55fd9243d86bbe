//! Files that somebody else may have put there: opened without waiting, read to a bound.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use rustix::fs::{Mode, OFlags};

/// Opens a regular file, and neither a link nor anything that would make whoever opens it wait.
pub(super) fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::other("it is no file"))
    }
}

/// What a small file holds, as far as anybody has left one.
pub(super) fn held(path: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Ok(file) = open(path) {
        let _as_far_as_it_goes = file.take(4_096).read_to_end(&mut bytes);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{held, open};

    #[test]
    fn x05_a_pipe_or_a_link_that_somebody_made_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("file"), "left").unwrap();
        assert_eq!(held(&at("file")), b"left");
        std::os::unix::fs::symlink(at("file"), at("link")).unwrap();
        let made = std::process::Command::new("mkfifo")
            .arg(at("pipe"))
            .status();
        assert!(made.unwrap().success());
        for name in ["link", "pipe", ".", "nothing"] {
            assert!(open(&at(name)).is_err(), "{name}");
            assert_eq!(held(&at(name)), b"", "{name}");
        }
    }
}
