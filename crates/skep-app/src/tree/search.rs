//! Looking for files: by what they are, and by what stands in them.
//!
//! `/days` and `/kinds` hold the same files as `/projects`: a search from the top shows each once, where it
//! stands by project.

use std::sync::Arc;

use regex::{Regex, RegexBuilder};
use skep_authz::{Authorized, rights::MemoryRead};
use skep_domain::{Id, MemoryId, MemoryKind, Principal};
use skep_store::{Memory, Piece};

use super::glob::Glob;
use super::own::{count_before, place_after};
use super::path::{Folder, Place, is_day};
use super::text::{Wording, day, file};
use super::walk::{Selection, Walk};
use super::{Entry, Listing, NOWHERE, entry, name, place, project_folder};
use crate::access::show;
use crate::error::Invalid;
use crate::{App, AppError, Stopwatch};

/// What to look for.
#[derive(Clone, Debug, Default)]
pub struct Find {
    /// Where to begin.
    pub path: String,
    /// Only files whose name fits, as shells write patterns.
    pub name: Option<String>,
    /// Only this kind.
    pub kind: Option<MemoryKind>,
    /// Only of this project, by its own name.
    pub project: Option<String>,
    /// Only of this day.
    pub day: Option<String>,
    /// Where to go on.
    pub from: Option<[u8; 16]>,
    /// Files at most.
    pub limit: u32,
}

/// A search through texts.
#[derive(Clone, Debug, Default)]
pub struct Grep {
    /// A regular expression, in the linear-time dialect.
    pub pattern: String,
    /// Where to look.
    pub path: String,
    /// Capitals are no difference.
    pub ignore_case: bool,
    /// Only the first line of each file.
    pub names_only: bool,
    /// Where to go on.
    pub from: Option<[u8; 16]>,
    /// Lines after which no more files are opened.
    pub limit: u32,
}

/// A line that fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// Of which file.
    pub path: String,
    /// Counted from one.
    pub line: u32,
    /// What stands there, the end of a long one left out.
    pub text: String,
}

/// What a search found.
#[derive(Debug, Default)]
pub struct Grepped {
    /// Lines that fit, the newest file first.
    pub matches: Vec<Match>,
    /// Files looked through.
    pub searched: u64,
    /// Where to go on, if there may be more.
    pub next: Option<[u8; 16]>,
    /// Memories of which a line fits, and whose they are.
    hits: Vec<(Principal, MemoryId)>,
}

/// Bytes of a pattern.
const PATTERN: usize = 1_024;
/// Bytes that a compiled pattern takes at most.
const COMPILED: usize = 256 << 10;
/// Files opened at once.
const BATCH: usize = 100;
/// Files that one call opens.
const OPENED: usize = 5_000;
/// Microseconds after which a call opens no more.
const PATIENCE: u64 = 2_000_000;
/// Bytes of a line that is shown.
const LINE: usize = 512;

/// Where a search stands, and what it is about.
pub(super) struct Search {
    /// In which folder a file is shown: the one asked for, or its own of that sort.
    view: Folder,
    selection: Selection,
    /// One file alone.
    only: Option<Memory>,
}

/// A file to look through.
pub(super) struct Opened {
    pub(super) id: MemoryId,
    pub(super) owner: Principal,
    pub(super) path: String,
    pub(super) text: String,
}

impl App {
    /// Files by what they are, the newest first.
    ///
    /// # Errors
    /// [`AppError::NotFound`] for a path where there is nothing that the caller may see.
    pub async fn find_in_tree(
        &self,
        authorized: Authorized<MemoryRead>,
        (find, wording): (&Find, &dyn Wording),
    ) -> Result<Listing, AppError> {
        check(find)?;
        let place = place(&find.path)?;
        let mut tx = self.store.begin(authorized).await?;
        let tx = &mut tx;
        let mut walk = Walk { tx, wording };
        if let Place::Own(at) = &place {
            return walk.find_own(at, find).await;
        }
        let Some(search) = walk.narrowed(place, find).await? else {
            return Ok(Listing::of(Vec::new()));
        };
        let glob = find.name.as_deref().map(Glob::new);
        let fits = |entry: &Entry| glob.as_ref().is_none_or(|glob| glob.fits(&entry.name));
        if let Some(memory) = search.only {
            let one = entry(wording, &search.view, memory);
            return Ok(Listing::of(Some(one).filter(fits).into_iter().collect()));
        }
        let wanted = find.limit as usize;
        let (mut found, mut from, mut opened) = (Vec::new(), find.from.map(Id::from_bytes), 0);
        loop {
            let picked = walk
                .pick(&search.selection, from, wanted.min(BATCH))
                .await?;
            from = picked.next;
            opened += picked.facts.len();
            for memory in walk.load(&picked.facts).await? {
                let id = memory.id;
                let entry = entry(wording, &shown_in(&search.view, wording, &memory), memory);
                if !fits(&entry) {
                    continue;
                }
                found.push(entry);
                if found.len() == wanted {
                    // What was picked beyond it, the next call picks again.
                    from = if picked.facts.last().is_some_and(|last| last.id == id) {
                        from
                    } else {
                        Some(id)
                    };
                    break;
                }
            }
            if from.is_none() || found.len() == wanted || opened >= OPENED {
                return Ok(Listing {
                    entries: found,
                    next: from.map(Id::to_bytes),
                    partial: false,
                });
            }
        }
    }

    /// Lines of files that fit a regular expression.
    ///
    /// # Errors
    /// [`AppError::NotFound`] for a path where there is nothing that the caller may see,
    /// [`AppError::Invalid`] for a pattern that is none or is too large.
    pub async fn grep_tree(
        &self,
        authorized: Authorized<MemoryRead>,
        asked: (&Grep, &dyn Wording),
    ) -> Result<Grepped, AppError> {
        let found = self.look_through(authorized, asked).await?;
        for (owner, id) in &found.hits {
            show(*owner, Piece::Memory(*id));
        }
        Ok(found)
    }

    async fn look_through(
        &self,
        authorized: Authorized<MemoryRead>,
        (grep, wording): (&Grep, &dyn Wording),
    ) -> Result<Grepped, AppError> {
        let pattern = compiled(grep)?;
        let place = place(&grep.path)?;
        let mut tx = self.store.begin(authorized).await?;
        let tx = &mut tx;
        let mut walk = Walk { tx, wording };
        let mut looking = Looking {
            pattern,
            names_only: grep.names_only,
            limit: grep.limit as usize,
            stopwatch: Arc::clone(&self.stopwatch),
            begun: self.stopwatch.micros(),
            found: Grepped::default(),
            last: None,
            enough: false,
        };
        if let Place::Own(at) = &place {
            let files = walk.own(at).await?.opened();
            return looking.through_own(files, grep.from).await;
        }
        if place == Place::Index {
            let text = walk.index().await?;
            looking = looking.index(&text);
            return Ok(looking.found);
        }
        let search = walk.search(place).await?.ok_or(NOWHERE)?;
        if let Some(memory) = search.only {
            let opened = opened(wording, &search.view, &memory);
            return Ok(looking.through(vec![opened]).await?.found);
        }
        let mut from = grep.from.map(Id::from_bytes);
        loop {
            let picked = walk.pick(&search.selection, from, BATCH).await?;
            let memories = walk.load(&picked.facts).await?;
            let files = memories.iter().map(|memory| {
                let folder = shown_in(&search.view, wording, memory);
                opened(wording, &folder, memory)
            });
            looking = looking.through(files.collect()).await?;
            from = picked.next;
            if looking.enough {
                let at_end = looking.last == picked.facts.last().map(|facts| facts.id);
                from = if at_end { from } else { looking.last };
            }
            let is_done = looking.enough || looking.found.searched >= OPENED as u64;
            if from.is_none() || is_done {
                looking.found.next = from.map(Id::to_bytes);
                return Ok(looking.found);
            }
        }
    }
}

/// A search through texts under way. It goes off the runtime with each batch, since a pattern may be slow.
struct Looking {
    pattern: Regex,
    names_only: bool,
    limit: usize,
    stopwatch: Arc<dyn Stopwatch>,
    begun: u64,
    found: Grepped,
    /// The last file that was looked through.
    last: Option<MemoryId>,
    /// Enough was found, or it took long enough.
    enough: bool,
}

impl Looking {
    async fn through(mut self, files: Vec<Opened>) -> Result<Self, AppError> {
        let look = move || {
            for file in files {
                let late = self.stopwatch.micros().saturating_sub(self.begun) >= PATIENCE;
                // One file is looked through in any case, so that whoever goes on comes to an end.
                if self.found.matches.len() >= self.limit || (late && self.found.searched > 0) {
                    self.enough = true;
                    break;
                }
                let before = self.found.matches.len();
                self.lines(&file.path, &file.text);
                if self.found.matches.len() > before {
                    self.found.hits.push((file.owner, file.id));
                }
                self.last = Some(file.id);
            }
            self.enough |= self.found.matches.len() >= self.limit;
            self
        };
        tokio::task::spawn_blocking(look)
            .await
            .map_err(|_| AppError::Internal("searching ended early"))
    }

    /// All of one's own files from a place on; they are few, and go on by their number.
    async fn through_own(
        mut self,
        files: Vec<Opened>,
        from: Option<[u8; 16]>,
    ) -> Result<Grepped, AppError> {
        let from = count_before(from);
        let files: Vec<Opened> = files.into_iter().skip(from).collect();
        let count = files.len() as u64;
        self = self.through(files).await?;
        if self.found.searched < count {
            let done = from.saturating_add(self.found.searched as usize);
            self.found.next = Some(place_after(done));
        }
        Ok(self.found)
    }

    fn index(mut self, text: &str) -> Self {
        self.lines("/index.md", text);
        self
    }

    fn lines(&mut self, path: &str, text: &str) {
        self.found.searched += 1;
        for (line, text) in (1..).zip(text.lines()) {
            if !self.pattern.is_match(text) {
                continue;
            }
            self.found.matches.push(Match {
                path: path.to_owned(),
                line,
                text: shown(text),
            });
            if self.names_only {
                return;
            }
        }
    }
}

impl Walk<'_> {
    /// What a path is about; `None` where there is nothing that the caller may see.
    pub(super) async fn search(&mut self, place: Place) -> Result<Option<Search>, AppError> {
        let (folder, only) = match place {
            Place::Index | Place::Own(_) => return Ok(None),
            Place::Folder(folder) => (folder, None),
            Place::File(folder, name) => {
                let Some(memory) = self.memory_at(&folder, &name).await? else {
                    return Ok(None);
                };
                (folder, Some(memory))
            }
        };
        let Some(selection) = self.select(&folder).await? else {
            return Ok(None);
        };
        if folder.has_files() && only.is_none() && self.is_empty(&selection).await? {
            return Ok(None);
        }
        Ok(Some(Search {
            view: folder,
            selection,
            only,
        }))
    }

    /// Whether the caller sees nothing of a folder: then it is not there.
    async fn is_empty(&mut self, selection: &Selection) -> Result<bool, AppError> {
        let picked = self.pick(selection, None, 1).await?;
        Ok(picked.facts.is_empty() && picked.next.is_none())
    }

    /// A search with what else it asks for; `None` if nothing can be both.
    async fn narrowed(&mut self, place: Place, find: &Find) -> Result<Option<Search>, AppError> {
        let mut search = self.search(place).await?.ok_or(NOWHERE)?;
        let selection = &mut search.selection;
        if let Some(kind) = find.kind {
            if !selection.filter.kinds.is_empty() && selection.filter.kinds != [kind] {
                return Ok(None);
            }
            selection.filter.kinds = vec![kind];
        }
        if let Some(day) = &find.day {
            if selection.day.as_ref().is_some_and(|of| of != day) {
                return Ok(None);
            }
            selection.day = Some(day.clone());
        }
        if let Some(project) = &find.project {
            let Some(project) = self.tx.get_project(project).await? else {
                return Ok(None);
            };
            let of = &mut selection.filter.project;
            if selection.without_project || of.is_some_and(|of| of != project) {
                return Ok(None);
            }
            *of = Some(project);
        }
        let wording = self.wording;
        let fits = |memory: &Memory| {
            let filter = &search.selection.filter;
            (filter.kinds.is_empty() || filter.kinds.contains(&memory.kind))
                && (filter.project.is_none() || filter.project == memory.project_id)
                && (find.day.as_ref()).is_none_or(|of| day(wording, memory.validity.from) == *of)
        };
        let is_it = search.only.as_ref().is_none_or(fits);
        Ok(is_it.then_some(search))
    }
}

/// The folder under which a search shows a file.
fn shown_in(view: &Folder, wording: &dyn Wording, memory: &Memory) -> Folder {
    match view {
        Folder::Root | Folder::Projects => Folder::Project(project_folder(memory)),
        Folder::Days => Folder::Day(day(wording, memory.validity.from)),
        Folder::Kinds => Folder::Kind(memory.kind),
        one => one.clone(),
    }
}

fn opened(wording: &dyn Wording, folder: &Folder, memory: &Memory) -> Opened {
    let name = name::file(&memory.body.key, &wording.memory(memory.id));
    Opened {
        id: memory.id,
        owner: memory.owner,
        path: format!("{}/{name}", folder.path()),
        text: file(wording, memory),
    }
}

fn shown(line: &str) -> String {
    if line.len() <= LINE {
        return line.to_owned();
    }
    format!("{} …", &line[..line.floor_char_boundary(LINE)])
}

fn compiled(grep: &Grep) -> Result<Regex, AppError> {
    if grep.pattern.is_empty() {
        return Err(Invalid::required("pattern"));
    }
    Invalid::check_length("pattern", &grep.pattern, PATTERN)?;
    RegexBuilder::new(&grep.pattern)
        .case_insensitive(grep.ignore_case)
        .size_limit(COMPILED)
        .dfa_size_limit(COMPILED)
        .nest_limit(50)
        .build()
        .map_err(|error| {
            let why = error.to_string();
            let why = why.lines().last().unwrap_or_default();
            let why = why.strip_prefix("error: ").unwrap_or(why);
            let message = format!("the pattern is no regular expression that is taken: {why}");
            Invalid::unknown("pattern", &message)
        })
}

fn check(find: &Find) -> Result<(), AppError> {
    let name = find.name.as_deref().unwrap_or_default();
    Invalid::check_length("name", name, PATTERN)?;
    let project = find.project.as_deref().unwrap_or_default();
    Invalid::check_length("project", project, skep_domain::Limits::QUERY)?;
    match &find.day {
        Some(day) if !is_day(day) => Err(Invalid::unknown("day", "a day is as 2026-11-22")),
        _ => Ok(()),
    }
}
