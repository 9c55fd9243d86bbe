//! Notices that a folder or a file changed, whatever way it is changed: what is noticed is only
//! *that* it did, and the whole of it is looked through again. So no queue can overflow, and an
//! editor that renames, replaces or writes in parts needs no special case.

mod quiet;

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use notify::event::{EventKind, ModifyKind};
use notify::{Config, Event, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::Notify;

pub(crate) use quiet::Quiet;

/// What a look at a place found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// It is there as before.
    Same,
    /// It is there, and was not, or is another one.
    Back,
    /// It is not there any more.
    Gone,
}

/// One place that is watched.
pub(crate) struct Place {
    path: PathBuf,
    is_folder: bool,
    marks: Arc<Marks>,
    /// Device and number of what is watched; none while there is nothing.
    identity: Option<(u64, u64)>,
    watcher: Option<RecommendedWatcher>,
    /// Why the system does not tell us of changes, if it does not.
    blind: Option<String>,
}

/// Set by the system's thread, cleared by ours.
struct Marks {
    changed: AtomicBool,
    /// What was watched went away, though something may be there again.
    lost: AtomicBool,
    bell: Arc<Notify>,
}

impl Place {
    /// A folder, or a file. `bell` rings when it may have changed.
    pub(crate) fn new(path: PathBuf, is_folder: bool, bell: Arc<Notify>) -> Self {
        Self {
            path,
            is_folder,
            marks: Arc::new(Marks {
                changed: AtomicBool::new(false),
                lost: AtomicBool::new(false),
                bell,
            }),
            identity: None,
            watcher: None,
            blind: None,
        }
    }

    /// Whether it may have changed since this was asked before.
    pub(crate) fn take_changed(&self) -> bool {
        self.marks.changed.swap(false, Ordering::AcqRel)
    }

    /// Why changes are not noticed at once, if they are not: it is looked through from time to time.
    pub(crate) fn blind(&self) -> Option<&str> {
        self.blind.as_deref()
    }

    /// Whether there is anything to look through now.
    pub(crate) fn is_there(&self) -> bool {
        self.anchor().exists()
    }

    /// Whether what is watched is still what is there; watches it if not. To be asked again and
    /// again: nobody tells that a folder came back.
    pub(crate) fn look(&mut self) -> Look {
        let anchor = self.anchor();
        let facts = fs::metadata(anchor).ok();
        let now = facts.map(|facts| (facts.dev(), facts.ino()));
        let lost = self.marks.lost.swap(false, Ordering::AcqRel);
        match now {
            None if self.identity.take().is_some() => {
                self.watcher = None;
                Look::Gone
            }
            None => Look::Same,
            Some(_) if now == self.identity && !lost => Look::Same,
            Some(_) => {
                self.watch();
                self.identity = now;
                Look::Back
            }
        }
    }

    /// A file is watched through its folder: editors put another file in its place.
    fn anchor(&self) -> &Path {
        match self.path.parent() {
            Some(parent) if !self.is_folder => parent,
            _ => &self.path,
        }
    }

    fn watch(&mut self) {
        let (marks, path, is_folder) = (Arc::clone(&self.marks), self.path.clone(), self.is_folder);
        let anchor = self.anchor().to_owned();
        let noticed = move |event: notify::Result<Event>| {
            let Ok(event) = event else {
                // Whatever was missed, it is all looked through again.
                return marks.changed();
            };
            if is_end_of(&anchor, &event) {
                marks.lost.store(true, Ordering::Release);
            }
            if matters(&path, is_folder, &event) {
                marks.changed();
            }
        };
        let mode = if self.is_folder {
            RecursiveMode::Recursive
        } else {
            RecursiveMode::NonRecursive
        };
        // A link could lead out, or round in circles; what it leads to is not read either.
        let config = Config::default().with_follow_symlinks(false);
        let watcher = RecommendedWatcher::new(noticed, config).and_then(|mut watcher| {
            watcher.watch(self.anchor(), mode)?;
            Ok(watcher)
        });
        self.blind = watcher.as_ref().err().map(why_blind);
        self.watcher = watcher.ok();
    }
}

impl Marks {
    fn changed(&self) {
        self.changed.store(true, Ordering::Release);
        self.bell.notify_one();
    }
}

fn why_blind(error: &notify::Error) -> String {
    match error.kind {
        notify::ErrorKind::MaxFilesWatch => {
            "the system watches no more folders: raise fs.inotify.max_user_watches".into()
        }
        _ => error.to_string(),
    }
}

/// Whether what is watched itself was removed or renamed: what is there afterwards is not watched.
fn is_end_of(anchor: &Path, event: &Event) -> bool {
    let ends = matches!(
        event.kind,
        EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_))
    );
    ends && event.paths.iter().any(|path| path == anchor)
}

/// Whether an event may be about something that is read. Reading is an event too, and would never
/// end.
fn matters(place: &Path, is_folder: bool, event: &Event) -> bool {
    if event.need_rescan() || event.paths.is_empty() {
        return true;
    }
    if matches!(event.kind, EventKind::Access(_)) {
        return false;
    }
    event.paths.iter().any(|path| {
        if !is_folder {
            return path == place;
        }
        let inside = path.strip_prefix(place).unwrap_or(path);
        !inside.components().any(is_hidden)
    })
}

fn is_hidden(part: Component<'_>) -> bool {
    matches!(part, Component::Normal(name) if name.as_encoded_bytes().starts_with(b"."))
}

#[cfg(test)]
mod tests;
