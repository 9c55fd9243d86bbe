//! Which events count, and what is noticed of a folder that goes and comes. What the system tells is
//! waited for, never slept for.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use notify::event::{AccessKind, CreateKind, Flag, ModifyKind, RemoveKind, RenameMode};
use notify::{Event, EventKind};
use tokio::sync::Notify;
use tokio::time::timeout;

use super::{Look, Place, is_end_of, matters};

#[test]
fn events_count_when_they_may_be_about_what_is_read() {
    let root = Path::new("/v");
    let event = |kind, path: &str| Event::new(kind).add_path(PathBuf::from(path));
    let written = EventKind::Modify(ModifyKind::Any);
    for (event, counts) in [
        (event(written, "/v/a.md"), true),
        (event(EventKind::Create(CreateKind::Folder), "/v/new"), true),
        (
            event(EventKind::Remove(RemoveKind::File), "/v/d/a.md"),
            true,
        ),
        (event(EventKind::Any, "/v"), true),
        (event(EventKind::Access(AccessKind::Any), "/v/a.md"), false),
        (event(written, "/v/.obsidian/workspace.json"), false),
        (event(written, "/v/d/.a.md.swp"), false),
        // Renamed from a hidden name to a plain one, as editors do.
        (
            event(
                EventKind::Modify(ModifyKind::Name(RenameMode::Both)),
                "/v/.tmp",
            )
            .add_path("/v/a.md".into()),
            true,
        ),
        (Event::new(EventKind::Other).set_flag(Flag::Rescan), true),
        (
            event(EventKind::Access(AccessKind::Any), "/v/.x").set_flag(Flag::Rescan),
            true,
        ),
    ] {
        assert_eq!(matters(root, true, &event), counts, "{event:?}");
    }
    let file = Path::new("/v/a.md");
    assert!(matters(file, false, &event(written, "/v/a.md")));
    assert!(!matters(file, false, &event(written, "/v/b.md")));
    assert!(is_end_of(
        root,
        &event(EventKind::Remove(RemoveKind::Any), "/v")
    ));
    assert!(!is_end_of(
        root,
        &event(EventKind::Remove(RemoveKind::Any), "/v/a.md")
    ));
}

struct Watched {
    root: tempfile::TempDir,
    bell: Arc<Notify>,
    place: Place,
}

impl Watched {
    fn new(is_folder: bool) -> Self {
        let root = tempfile::tempdir().unwrap();
        let bell = Arc::new(Notify::new());
        let path = root.path().join("v");
        fs::create_dir(&path).unwrap();
        let path = if is_folder { path } else { path.join("a.md") };
        let place = Place::new(path, is_folder, Arc::clone(&bell));
        Self { root, bell, place }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.root.path().join("v").join(name)
    }

    async fn notices(&self) {
        let late = timeout(Duration::from_secs(20), self.noticed()).await;
        late.unwrap();
    }

    async fn noticed(&self) {
        while !self.place.take_changed() {
            self.bell.notified().await;
        }
    }
}

#[tokio::test]
async fn whatever_way_an_editor_saves_is_noticed() {
    for is_folder in [true, false] {
        let mut watched = Watched::new(is_folder);
        assert_eq!(watched.place.look(), Look::Back);
        assert_eq!(watched.place.look(), Look::Same);
        let (note, other) = (watched.at("a.md"), watched.at(".a.md.tmp"));
        fs::write(&note, "one").unwrap();
        watched.notices().await;
        // Beside it and over it; away and anew; in place.
        fs::write(&other, "two").unwrap();
        fs::rename(&other, &note).unwrap();
        watched.notices().await;
        fs::rename(&note, watched.at(".a.md~")).unwrap();
        fs::write(&note, "three").unwrap();
        watched.notices().await;
        fs::remove_file(&note).unwrap();
        watched.notices().await;
    }
    let mut watched = Watched::new(true);
    watched.place.look();
    fs::create_dir_all(watched.at("d/e")).unwrap();
    watched.notices().await;
    // The system is told to watch a new folder only after it told of it. What is saved in between is
    // found when the place is looked through; what is saved after that is noticed.
    let saved_again = async {
        loop {
            fs::write(watched.at("d/e/a.md"), "deep").unwrap();
            let brief = Duration::from_millis(100);
            if timeout(brief, watched.noticed()).await.is_ok() {
                break;
            }
        }
    };
    let late = timeout(Duration::from_secs(20), saved_again).await;
    late.unwrap();
}

/// Numbers of the files and folders that this process has the system watch.
#[cfg(target_os = "linux")]
fn watched_numbers() -> Vec<u64> {
    let files = fs::read_dir("/proc/self/fdinfo").unwrap();
    let texts = files.filter_map(|file| fs::read_to_string(file.ok()?.path()).ok());
    let texts: Vec<String> = texts.collect();
    let lines = texts.iter().flat_map(|text| text.lines());
    let numbers = lines.filter_map(|line| {
        let number = line.strip_prefix("inotify ")?.split("ino:").nth(1)?;
        u64::from_str_radix(number.split(' ').next()?, 16).ok()
    });
    numbers.collect()
}

#[cfg(target_os = "linux")]
#[test]
fn n12_no_link_leads_the_watch_out_of_its_folder() {
    use std::os::unix::fs::{MetadataExt, symlink};

    let mut watched = Watched::new(true);
    let outside = watched.root.path().join("outside");
    fs::create_dir_all(outside.join("deep")).unwrap();
    fs::create_dir(watched.at("inside")).unwrap();
    symlink(&outside, watched.at("out")).unwrap();
    symlink(watched.root.path(), watched.at("round")).unwrap();
    watched.place.look();
    let numbers = watched_numbers();
    let is_watched = |path: &Path| numbers.contains(&fs::metadata(path).unwrap().ino());
    assert!(is_watched(&watched.at("inside")));
    assert!(!is_watched(&outside) && !is_watched(&outside.join("deep")));
    assert!(!is_watched(watched.root.path()));
}

#[tokio::test]
async fn a_folder_that_went_is_watched_again_when_it_is_back() {
    let mut watched = Watched::new(true);
    assert_eq!(watched.place.look(), Look::Back);
    let folder = watched.at("");
    fs::remove_dir_all(&folder).unwrap();
    assert_eq!(watched.place.look(), Look::Gone);
    assert_eq!(watched.place.look(), Look::Same, "said once");
    fs::create_dir(&folder).unwrap();
    assert_eq!(watched.place.look(), Look::Back);
    while watched.place.take_changed() {}
    fs::write(watched.at("a.md"), "again").unwrap();
    watched.notices().await;
    // Another folder in its place between two looks, perhaps under the same number.
    fs::rename(&folder, watched.root.path().join("old")).unwrap();
    watched.notices().await;
    fs::create_dir(&folder).unwrap();
    assert_eq!(watched.place.look(), Look::Back);
}
