//! Directories and files that are not ours alone.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use skep_domain::{Id, WorkspaceId};
use skep_store::StoreError;

use super::{Directory, Found, Place};

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn refusal<T: std::fmt::Debug>(outcome: Result<T, StoreError>) -> String {
    match outcome {
        Err(StoreError::Refused(text)) => text,
        other => panic!("not refused: {other:?}"),
    }
}

fn fresh() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("home").join("data");
    (dir, path)
}

fn workspace() -> Place {
    Place::Workspace(WorkspaceId::from_bytes([0xA7; 16]))
}

#[test]
fn made_directories_and_files_are_ours_alone_whatever_the_umask() {
    let (_dir, path) = fresh();
    let directory = Directory::open(&path).unwrap();
    assert_eq!(mode(&path), 0o700);
    assert_eq!(mode(&path.join("ws")), 0o700);
    assert_eq!(directory.look(Place::Control).unwrap(), Found::Nothing);
    directory.build(Place::Control, |_| Ok(())).unwrap();
    directory.build(workspace(), |_| Ok(())).unwrap();
    assert_eq!(mode(&path.join("control.db")), 0o600);
    let name = format!("ws/{}.db", "a7".repeat(16));
    assert_eq!(mode(&path.join(name)), 0o600);
    assert_eq!(directory.look(workspace()).unwrap(), Found::File);
}

#[test]
fn a_directory_that_others_can_write_is_refused_with_the_remedy() {
    for bits in [0o720, 0o702, 0o777, 0o1777] {
        let (_dir, path) = fresh();
        drop(Directory::open(&path).unwrap());
        set_mode(&path, bits);
        let text = refusal(Directory::open(&path));
        assert!(
            text.contains(&format!("chmod 700 {}", path.display())),
            "{text}"
        );
        set_mode(&path, 0o700);
        set_mode(&path.join("ws"), bits);
        let text = refusal(Directory::open(&path));
        assert!(text.contains("chmod 700") && text.contains("/ws"), "{text}");
    }
}

#[test]
fn a_directory_that_others_can_only_read_will_do() {
    let (_dir, path) = fresh();
    drop(Directory::open(&path).unwrap());
    set_mode(&path, 0o755);
    Directory::open(&path).unwrap();
}

#[test]
fn a_file_with_a_second_way_in_is_refused() {
    let (_dir, path) = fresh();
    let directory = Directory::open(&path).unwrap();
    let control = path.join("control.db");
    let elsewhere = path.join("elsewhere.db");

    directory.build(Place::Control, |_| Ok(())).unwrap();
    set_mode(&control, 0o640);
    let text = refusal(directory.look(Place::Control));
    assert!(text.contains("chmod -R go-rwx"), "{text}");

    set_mode(&control, 0o600);
    fs::hard_link(&control, &elsewhere).unwrap();
    assert!(refusal(directory.look(Place::Control)).contains("hard link"));

    fs::remove_file(&control).unwrap();
    symlink(&elsewhere, &control).unwrap();
    assert!(refusal(directory.look(Place::Control)).contains("not a regular file"));

    fs::remove_file(&control).unwrap();
    fs::create_dir(&control).unwrap();
    assert!(refusal(directory.look(Place::Control)).contains("not a regular file"));
}

#[test]
fn the_workspaces_may_not_be_a_link_to_elsewhere() {
    let (dir, path) = fresh();
    drop(Directory::open(&path).unwrap());
    fs::remove_dir(path.join("ws")).unwrap();
    symlink(dir.path(), path.join("ws")).unwrap();
    assert!(refusal(Directory::open(&path)).contains("is not a directory"));
}

#[test]
fn a_file_in_the_directorys_place_is_refused() {
    let (dir, _) = fresh();
    let path = dir.path().join("data");
    fs::write(&path, b"").unwrap();
    assert!(refusal(Directory::open(&path)).contains("is not a directory"));
}

#[test]
fn a_replaced_file_is_whole_private_and_forgets_a_leftover() {
    let (_dir, path) = fresh();
    let directory = Directory::open(&path).unwrap();
    let place = Place::Snapshot(WorkspaceId::from_bytes([1; 16]));
    assert_eq!(directory.read(place).unwrap(), None);
    directory.replace(place, b"first").unwrap();
    let name = path.join(format!("ws/{}.index", "01".repeat(16)));
    fs::write(name.with_extension("index.new"), b"left over").unwrap();
    directory.replace(place, b"second").unwrap();
    assert_eq!(
        directory.read(place).unwrap().as_deref(),
        Some(&b"second"[..])
    );
    assert_eq!(mode(&name), 0o600);
    assert!(!name.with_extension("index.new").exists());
}

#[test]
fn f05_a_database_has_its_name_only_when_it_is_whole() {
    let (_dir, path) = fresh();
    let directory = Directory::open(&path).unwrap();
    let failed = directory.build(Place::Control, |fresh| {
        assert_eq!(mode(fresh), 0o600);
        fs::write(fresh, b"half").unwrap();
        fs::write(fresh.with_extension("new-wal"), b"half").unwrap();
        Err(StoreError::Unavailable("interrupted".into()))
    });
    assert!(failed.is_err());
    assert_eq!(directory.look(Place::Control).unwrap(), Found::Nothing);
    let built = directory.build(Place::Control, |fresh| {
        assert_eq!(fs::read(fresh).unwrap(), b"", "nothing of the half is left");
        assert!(!fresh.with_extension("new-wal").exists());
        Ok(())
    });
    built.unwrap();
    assert_eq!(directory.look(Place::Control).unwrap(), Found::File);
}
