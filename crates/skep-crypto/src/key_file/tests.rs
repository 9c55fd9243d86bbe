//! The root key file against everything that may lie in its place.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{CWD, FileType, Mode};
use tempfile::TempDir;

use super::FileRootKey;
use crate::{CryptoError, RootKeyProvider, SeededRandom};

/// A private directory and a provider for `root.key` in it.
fn fresh() -> (TempDir, FileRootKey) {
    let dir = tempfile::tempdir().unwrap();
    chmod(dir.path(), 0o700);
    let provider = FileRootKey::new(dir.path().join("root.key"));
    (dir, provider)
}

fn created() -> (TempDir, FileRootKey, [u8; 32]) {
    let (dir, provider) = fresh();
    let key = *provider.create(&SeededRandom::new(1)).unwrap().bytes();
    (dir, provider, key)
}

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn names(dir: &TempDir) -> Vec<String> {
    let entries = fs::read_dir(dir.path()).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[test]
fn a_created_key_loads_again_and_there_was_none_before() {
    let (dir, provider) = fresh();
    assert!(provider.load().unwrap().is_none());
    let key = provider.create(&SeededRandom::new(1)).unwrap();
    assert_eq!(provider.load().unwrap().unwrap().bytes(), key.bytes());
    assert_eq!(names(&dir), ["root.key"], "nothing is left beside it");
}

#[test]
fn x05_a_created_file_is_ours_alone_under_any_umask() {
    let before = rustix::process::umask(Mode::empty());
    let (_dir, provider, _) = created();
    rustix::process::umask(before);
    let mode = fs::metadata(provider.file.path())
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o7777, 0o600);
}

#[test]
fn x05_creating_never_replaces_or_follows() {
    type Plant = fn(&Path);
    let plants: [(&str, Plant); 4] = [
        ("file", |path| fs::write(path, "kept").unwrap()),
        ("dangling link", |path| symlink("nowhere", path).unwrap()),
        ("directory", |path| fs::create_dir(path).unwrap()),
        ("FIFO", |path| {
            rustix::fs::mknodat(CWD, path, FileType::Fifo, Mode::RUSR, 0).unwrap();
        }),
    ];
    for (name, plant) in plants {
        let (dir, provider) = fresh();
        plant(provider.file.path());
        let refused = provider.create(&SeededRandom::new(1));
        assert!(
            matches!(refused, Err(CryptoError::KeyFile { .. })),
            "{name}"
        );
        assert_eq!(
            names(&dir),
            ["root.key"],
            "{name}: nothing is left beside it"
        );
        if name == "file" {
            assert_eq!(fs::read_to_string(provider.file.path()).unwrap(), "kept");
        }
    }
}

/// Each attack spoils a good file at the path it is given.
#[test]
fn x05_an_unsafe_file_is_refused() {
    type Attack = fn(&Path);
    let attacks: [(&str, &str, Attack); 12] = [
        ("symlink", "symbolic link", |path| {
            fs::rename(path, path.with_extension("real")).unwrap();
            symlink(path.with_extension("real"), path).unwrap();
        }),
        ("FIFO", "regular file", |path| {
            fs::remove_file(path).unwrap();
            rustix::fs::mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        }),
        ("directory", "regular file", |path| {
            fs::remove_file(path).unwrap();
            fs::create_dir(path).unwrap();
        }),
        ("hard link", "hard link", |path| {
            fs::hard_link(path, path.with_extension("copy")).unwrap();
        }),
        ("0644", "chmod 600", |path| chmod(path, 0o644)),
        ("0640", "chmod 600", |path| chmod(path, 0o640)),
        ("0610", "chmod 600", |path| chmod(path, 0o610)),
        ("0602", "chmod 600", |path| chmod(path, 0o602)),
        ("dir 0777", "chmod 700", |path| {
            chmod(path.parent().unwrap(), 0o777);
        }),
        ("dir 0770", "chmod 700", |path| {
            chmod(path.parent().unwrap(), 0o770);
        }),
        ("dir 1777", "chmod 700", |path| {
            chmod(path.parent().unwrap(), 0o1777);
        }),
        ("dir 0702", "chmod 700", |path| {
            chmod(path.parent().unwrap(), 0o702);
        }),
    ];
    for (name, advice, attack) in attacks {
        let (_dir, provider, _) = created();
        attack(provider.file.path());
        let error = provider
            .load()
            .err()
            .unwrap_or_else(|| panic!("{name} was accepted"));
        assert!(
            matches!(error, CryptoError::KeyFile { .. }),
            "{name}: {error}"
        );
        assert!(error.to_string().contains(advice), "{name}: {error}");
        let parent = provider.file.path().parent().unwrap().display().to_string();
        assert!(error.to_string().contains(&parent), "{name}: {error}");
    }
}

#[test]
fn x05_damaged_content_is_refused_without_being_shown() {
    let (_dir, provider, _) = created();
    let good = fs::read(provider.file.path()).unwrap();
    assert_eq!(good.len(), 56);
    let mut table: Vec<Vec<u8>> = (0..good.len()).map(|len| good[..len].to_vec()).collect();
    table.push([good.as_slice(), b"\n"].concat());
    table.push([good.as_slice(), good.as_slice()].concat());
    table.push(vec![b'A'; 1 << 20]);
    table.push(b"skep-root-1 \n".to_vec());
    table.push(b"skep-root-1 AAAA\n".to_vec());
    table.push(good.replace_first(b"skep-root-1", b"skep-root-2"));
    table.push(good.replace_first(&good[12..13], b"*"));
    for content in table {
        fs::write(provider.file.path(), &content).unwrap();
        let error = provider
            .load()
            .err()
            .unwrap_or_else(|| panic!("{} bytes", content.len()));
        assert!(matches!(error, CryptoError::KeyFile { .. }), "{error}");
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains(std::str::from_utf8(&good[12..20]).unwrap()));
    }
    fs::write(provider.file.path(), &good).unwrap();
    provider.load().unwrap().unwrap();
}

/// A thread exchanges the file for a link to another key as fast as it can; whatever loads must
/// be the key that lay there as a file of its own.
#[test]
fn x05_a_swap_during_open_never_yields_the_linked_key() {
    let (dir, provider, key) = created();
    let (elsewhere, foreign) = fresh();
    let foreign_key = *foreign.create(&SeededRandom::new(2)).unwrap().bytes();
    assert_ne!(key, foreign_key);
    let (file, link) = (dir.path().join("file"), dir.path().join("link"));
    let stop = AtomicBool::new(false);
    let content = fs::read(provider.file.path()).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                symlink(elsewhere.path().join("root.key"), &link).unwrap();
                fs::rename(&link, provider.file.path()).unwrap();
                fs::write(&file, &content).unwrap();
                chmod(&file, 0o600);
                fs::rename(&file, provider.file.path()).unwrap();
            }
        });
        let mut outcomes = [0_u32; 2];
        for _ in 0..10_000 {
            match provider.load() {
                Ok(loaded) => {
                    outcomes[0] += 1;
                    if loaded.unwrap().bytes() != &key {
                        stop.store(true, Ordering::Relaxed);
                        panic!("the linked key was loaded");
                    }
                }
                Err(_) => outcomes[1] += 1,
            }
        }
        stop.store(true, Ordering::Relaxed);
        assert!(
            outcomes.iter().all(|count| *count > 0),
            "both sides were seen: {outcomes:?}"
        );
    });
}

#[test]
fn a_missing_directory_is_an_error_not_an_absent_key() {
    let (dir, _) = fresh();
    let provider = FileRootKey::new(dir.path().join("gone").join("root.key"));
    assert!(matches!(
        provider.load(),
        Err(CryptoError::KeyFileIo { .. })
    ));
    assert!(matches!(
        FileRootKey::new("/").load(),
        Err(CryptoError::KeyFile { .. })
    ));
}

trait ReplaceFirst {
    fn replace_first(&self, from: &[u8], to: &[u8]) -> Vec<u8>;
}

impl ReplaceFirst for Vec<u8> {
    fn replace_first(&self, from: &[u8], to: &[u8]) -> Vec<u8> {
        let at = self
            .windows(from.len())
            .position(|window| window == from)
            .unwrap();
        [&self[..at], to, &self[at + from.len()..]].concat()
    }
}
