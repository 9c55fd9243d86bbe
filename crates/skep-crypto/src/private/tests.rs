//! Private directories and files against everything that may lie in their place.

use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{CWD, FileType, Mode};
use tempfile::TempDir;

use super::{Others, PrivateDirectory, check_file, link_over, our_uid};
use crate::SeededRandom;

const NAME: &str = "record";
const MAX: usize = 64;

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn fresh() -> (TempDir, PrivateDirectory) {
    let root = tempfile::tempdir().unwrap();
    chmod(root.path(), 0o700);
    let directory = PrivateDirectory::open(root.path(), Others::MayNothing).unwrap();
    (root, directory)
}

fn name() -> &'static OsStr {
    OsStr::new(NAME)
}

fn put(directory: &PrivateDirectory, bytes: &[u8]) {
    let random = SeededRandom::new(7);
    directory.replace(name(), bytes, &random).unwrap();
}

fn text(directory: &PrivateDirectory) -> Option<String> {
    let read = directory.read(name(), MAX).unwrap();
    read.map(|bytes| String::from_utf8(bytes.to_vec()).unwrap())
}

#[test]
fn what_is_written_is_read_and_removed() {
    let (root, directory) = fresh();
    assert_eq!(text(&directory), None);
    let random = SeededRandom::new(1);
    assert!(directory.create(name(), b"one", &random).unwrap());
    assert!(!directory.create(name(), b"two", &random).unwrap());
    assert_eq!(text(&directory).unwrap(), "one");
    put(&directory, b"two");
    assert_eq!(text(&directory).unwrap(), "two");
    assert_eq!(directory.names(9).unwrap(), [NAME]);
    fs::write(root.path().join("record.0123.new"), "half").unwrap();
    assert_eq!(directory.names(9).unwrap(), [NAME]);
    directory.sweep().unwrap();
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
    assert!(directory.names(0).is_err());
    assert!(directory.remove(name()).unwrap());
    assert!(!directory.remove(name()).unwrap());
}

#[test]
fn a_file_that_is_too_long_is_told_by_one_byte() {
    let (_root, directory) = fresh();
    put(&directory, &[b'x'; MAX]);
    assert_eq!(directory.read(name(), MAX).unwrap().unwrap().len(), MAX);
    put(&directory, &vec![b'x'; 1 << 20]);
    assert_eq!(directory.read(name(), MAX).unwrap().unwrap().len(), MAX + 1);
}

#[test]
fn x05_what_is_made_is_ours_alone_under_any_umask() {
    let (root, directory) = fresh();
    let before = rustix::process::umask(Mode::empty());
    put(&directory, b"one");
    let inner = directory.make_inside("inner");
    rustix::process::umask(before);
    put(&inner.unwrap(), b"two");
    let mode = |path: &str| {
        fs::metadata(root.path().join(path))
            .unwrap()
            .permissions()
            .mode()
    };
    assert_eq!(mode(NAME) & 0o7777, 0o600);
    assert_eq!(mode("inner") & 0o7777, 0o700);
    assert_eq!(mode("inner/record") & 0o7777, 0o600);
}

type Plant = (&'static str, fn(&Path));

/// What somebody may put into the place of a file.
const PLANTS: [Plant; 8] = [
    ("symbolic link", |path| {
        let real = path.with_extension("real");
        fs::write(&real, "planted").unwrap();
        chmod(&real, 0o600);
        symlink(real, path).unwrap();
    }),
    ("dangling link", |path| symlink("nowhere", path).unwrap()),
    ("hard link", |path| {
        let real = path.with_extension("real");
        fs::write(&real, "planted").unwrap();
        chmod(&real, 0o600);
        fs::hard_link(real, path).unwrap();
    }),
    ("FIFO", |path| {
        rustix::fs::mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    }),
    ("socket", |path| {
        drop(std::os::unix::net::UnixListener::bind(path).unwrap());
        chmod(path, 0o600);
    }),
    ("directory", |path| {
        fs::create_dir(path).unwrap();
        chmod(path, 0o700);
    }),
    ("0644", |path| {
        fs::write(path, "planted").unwrap();
        chmod(path, 0o644);
    }),
    ("0620", |path| {
        fs::write(path, "planted").unwrap();
        chmod(path, 0o620);
    }),
];

#[test]
fn x05_what_was_planted_is_neither_read_nor_written() {
    for (plant, lay) in PLANTS {
        let (root, directory) = fresh();
        let path = root.path().join(NAME);
        lay(&path);
        let before = fs::read_dir(root.path()).unwrap().count();
        let random = SeededRandom::new(2);
        let read = directory.read(name(), MAX);
        assert!(read.is_err(), "{plant} was read");
        let error = read.err().unwrap().to_string();
        assert!(
            error.contains(NAME) && !error.contains("planted"),
            "{error}"
        );
        let replaced = directory.replace(name(), b"mine", &random);
        assert!(replaced.is_err(), "{plant} was replaced");
        let created = directory.create(name(), b"mine", &random);
        assert!(!created.unwrap_or(false), "{plant} was written over");
        assert_eq!(
            fs::read_dir(root.path()).unwrap().count(),
            before,
            "{plant}: something was left"
        );
        if let Ok(text) = fs::read_to_string(path.with_extension("real")) {
            assert_eq!(text, "planted", "{plant} was followed");
        }
    }
}

#[test]
fn x05_directories_of_others_are_refused() {
    for mode in [0o777, 0o770, 0o1777, 0o702, 0o750, 0o701, 0o710] {
        let (root, directory) = fresh();
        directory.make_inside("inner").unwrap();
        let inner = root.path().join("inner");
        chmod(&inner, mode);
        assert!(directory.inside("inner").is_err(), "{mode:o}");
        assert!(directory.make_inside("inner").is_err(), "{mode:o}");
        assert!(PrivateDirectory::open(&inner, Others::MayNothing).is_err());
        let looked_at = PrivateDirectory::open(&inner, Others::MayLook);
        assert_eq!(looked_at.is_ok(), mode & 0o022 == 0, "{mode:o}");
        fs::remove_dir(&inner).unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        chmod(elsewhere.path(), 0o700);
        symlink(elsewhere.path(), &inner).unwrap();
        assert!(directory.inside("inner").is_err(), "a link was followed");
        assert!(directory.make_inside("inner").is_err());
        fs::remove_file(&inner).unwrap();
        fs::write(&inner, "").unwrap();
        assert!(directory.make_inside("inner").is_err(), "a file was taken");
    }
}

#[test]
fn x05_another_owner_is_refused() {
    let (root, directory) = fresh();
    put(&directory, b"one");
    let path = root.path().join(NAME);
    let mut file = rustix::fs::stat(&path).unwrap();
    check_file(&path, &file).unwrap();
    file.st_uid = our_uid() + 1;
    assert!(check_file(&path, &file).is_err());
    // With the rights to do so, by a real change of owner.
    if our_uid() == 0 {
        std::os::unix::fs::chown(&path, Some(4711), None).unwrap();
        assert!(directory.read(name(), MAX).is_err());
        assert!(
            directory
                .replace(name(), b"two", &SeededRandom::new(3))
                .is_err()
        );
        std::os::unix::fs::chown(root.path(), Some(4711), None).unwrap();
        assert!(PrivateDirectory::open(root.path(), Others::MayNothing).is_err());
        assert!(PrivateDirectory::open(root.path(), Others::MayLook).is_err());
    }
}

/// Somebody exchanges the file for links, pipes and files of others as fast as they can while it is
/// read and written: what is read was written here, and what the links lead to stays as it was.
#[test]
fn x05_a_race_of_ten_thousand_tries_is_lost() {
    let (root, directory) = fresh();
    let elsewhere = tempfile::tempdir().unwrap();
    let foreign = elsewhere.path().join("foreign");
    fs::write(&foreign, "foreign").unwrap();
    chmod(&foreign, 0o600);
    let (path, side) = (root.path().join(NAME), root.path().join("side"));
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut turn = 0_u32;
            while !stop.load(Ordering::Relaxed) {
                turn += 1;
                match turn % 4 {
                    0 => symlink(&foreign, &side).unwrap(),
                    1 => fs::hard_link(&foreign, &side).unwrap(),
                    2 => rustix::fs::mknodat(CWD, &side, FileType::Fifo, Mode::RUSR, 0).unwrap(),
                    _ => {
                        fs::write(&side, "foreign").unwrap();
                        chmod(&side, 0o666);
                    }
                }
                fs::rename(&side, &path).unwrap();
                std::thread::yield_now();
                let _ = fs::remove_file(&path);
            }
        });
        let random = SeededRandom::new(4);
        let mut seen = [0_u32; 2];
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let mut tries = 0_u32;
            while tries < 10_000 || seen.contains(&0) && tries < 1_000_000 {
                tries += 1;
                let _ = directory.replace(name(), b"mine", &random);
                match directory.read(name(), MAX) {
                    Ok(Some(bytes)) => {
                        assert_eq!(*bytes, b"mine");
                        seen[0] += 1;
                    }
                    Ok(None) => {}
                    Err(_) => seen[1] += 1,
                }
            }
        }));
        stop.store(true, Ordering::Relaxed);
        outcome.unwrap();
        assert!(
            seen.iter().all(|count| *count > 0),
            "both were seen: {seen:?}"
        );
    });
    assert_eq!(fs::read_to_string(&foreign).unwrap(), "foreign");
}

/// Whoever reads while another thread writes gets one of what was written, whole, each time.
#[test]
fn no_read_fails_while_the_file_is_replaced() {
    let (_root, directory) = fresh();
    put(&directory, b"mine");
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| (0..200).for_each(|_| put(&directory, b"mine")));
        while !writing.is_finished() {
            assert_eq!(text(&directory).as_deref(), Some("mine"));
        }
    });
}

#[test]
fn a_filesystem_without_exclusive_rename_is_served_by_a_link() {
    let (root, directory) = fresh();
    put(&directory, b"one");
    link_over(&directory.handle, name(), OsStr::new("moved")).unwrap();
    assert_eq!(
        fs::read_to_string(root.path().join("moved")).unwrap(),
        "one"
    );
    put(&directory, b"two");
    assert!(
        link_over(&directory.handle, name(), OsStr::new("moved")).is_err(),
        "no replacing"
    );
}
