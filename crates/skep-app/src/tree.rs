//! The memory mount: what a caller may read as a read-only tree of files.
//!
//! Nothing is kept of the tree. It follows from the memories that the caller may see at that moment, so what
//! is hidden has neither a name nor a part in a count: facts come by the statement that listings use, content
//! through the step that authorizes candidates in a recall.

mod glob;
mod name;
mod own;
mod path;
mod search;
mod text;
mod walk;

use skep_authz::{Authorized, rights::MemoryRead};
use skep_domain::{FilePath, Id, MemoryId};
use skep_store::Memory;

use crate::access::show_memory;
use crate::error::Invalid;
use crate::{App, AppError};
use own::{Own, count_before, place_after};
use path::{Folder, Place};
use text::{Counted, Overview, day, file, index};
use walk::{Census, Group, Walk};

pub use search::{Find, Grep, Grepped, Match};
pub use text::Wording;

/// One line of a folder.
#[derive(Debug)]
pub struct Entry {
    /// Its whole path.
    pub path: String,
    /// The last part of it.
    pub name: String,
    /// What it is.
    pub node: Node,
}

/// What stands at a path.
#[derive(Debug)]
pub enum Node {
    /// A folder, and how many memories are in it, where that was counted.
    Folder(Option<u64>),
    /// The index.
    Index,
    /// A memory, and its file.
    File(Box<Memory>, String),
}

/// A page of a folder.
#[derive(Debug)]
pub struct Listing {
    /// The entries.
    pub entries: Vec<Entry>,
    /// Where to go on, if there may be more.
    pub next: Option<[u8; 16]>,
    /// There are more memories than were counted: only the newest were.
    pub partial: bool,
}

/// A file as it is read.
#[derive(Debug)]
pub struct TreeFile {
    /// Its path.
    pub path: String,
    /// The memory, if it is one's.
    pub memory: Option<Memory>,
    /// What stands in it.
    pub text: String,
}

const NOWHERE: AppError = AppError::NotFound("file or folder that you may read");
/// Memories that the index shows the line of.
const NEWEST: usize = 20;
/// Folders that the index shows of a sort.
const SHOWN: usize = 30;

impl App {
    /// One page of a folder; of a file, the file.
    ///
    /// # Errors
    /// [`AppError::NotFound`] for a path where there is nothing that the caller may see.
    pub async fn list_tree(
        &self,
        authorized: Authorized<MemoryRead>,
        (path, wording): (&str, &dyn Wording),
        (from, limit): (Option<[u8; 16]>, u32),
    ) -> Result<Listing, AppError> {
        let place = place(path)?;
        let mut tx = self.store.begin(authorized).await?;
        let tx = &mut tx;
        let mut walk = Walk { tx, wording };
        match place {
            Place::Index => Ok(Listing::of(vec![index_entry()])),
            Place::File(folder, name) => {
                let memory = walk.memory_at(&folder, &name).await?.ok_or(NOWHERE)?;
                Ok(Listing::of(vec![entry(wording, &folder, memory)]))
            }
            Place::Own(at) => Ok(walk.own(&at).await?.listing((from, limit))),
            Place::Folder(Folder::Root) => Ok(Listing::of(top())),
            Place::Folder(folder) if folder.has_files() => {
                let selection = walk.select(&folder).await?.ok_or(NOWHERE)?;
                let from = from.map(MemoryId::from_bytes);
                let picked = walk.pick(&selection, from, limit as usize).await?;
                if picked.facts.is_empty() && picked.next.is_none() && from.is_none() {
                    return Err(NOWHERE);
                }
                let memories = walk.load(&picked.facts).await?;
                let entries = memories.into_iter();
                Ok(Listing {
                    entries: entries
                        .map(|memory| entry(wording, &folder, memory))
                        .collect(),
                    next: picked.next.map(Id::to_bytes),
                    partial: false,
                })
            }
            Place::Folder(folder) => {
                let census = walk.census(0).await?;
                Ok(folders(
                    &folder,
                    &census,
                    (count_before(from), limit as usize),
                ))
            }
        }
    }

    /// What stands in one file.
    ///
    /// # Errors
    /// [`AppError::NotFound`] for a path where there is nothing that the caller may see,
    /// [`AppError::Invalid`] for a folder.
    pub async fn read_tree(
        &self,
        authorized: Authorized<MemoryRead>,
        (path, wording): (&str, &dyn Wording),
    ) -> Result<TreeFile, AppError> {
        let place = place(path)?;
        let mut tx = self.store.begin(authorized).await?;
        let tx = &mut tx;
        let mut walk = Walk { tx, wording };
        match place {
            Place::File(folder, name) => {
                let memory = walk.memory_at(&folder, &name).await?.ok_or(NOWHERE)?;
                show_memory(&memory);
                Ok(TreeFile {
                    path: format!("{}/{name}", folder.path()),
                    text: file(wording, &memory),
                    memory: Some(memory),
                })
            }
            Place::Own(at) => match walk.own(&at).await? {
                Own::File(path, memory) => Ok(TreeFile {
                    path: path.to_string(),
                    text: memory.body.text.clone(),
                    memory: Some(*memory),
                }),
                Own::Folder(..) => Err(is_folder()),
            },
            Place::Index => Ok(TreeFile {
                path: "/index.md".into(),
                text: walk.index().await?,
                memory: None,
            }),
            Place::Folder(folder) => Err(match walk.search(Place::Folder(folder)).await? {
                Some(_) => is_folder(),
                None => NOWHERE,
            }),
        }
    }
}

impl Walk<'_> {
    /// What there is, how much, and the newest.
    async fn index(&mut self) -> Result<String, AppError> {
        let census = self.census(NEWEST).await?;
        let newest = self.load_ids(&census.newest).await?;
        newest.iter().for_each(show_memory);
        let newest = newest.iter().map(|memory| {
            let folder = Folder::Project(project_folder(memory));
            let name = name::file(&memory.body.key, &self.wording.memory(memory.id));
            [
                day(self.wording, memory.validity.from),
                memory.body.key.clone(),
                format!("{}/{name}", folder.path()),
                memory.kind.as_str().to_owned(),
            ]
        });
        Ok(index(&Overview {
            newest: newest.collect(),
            ..overview(&census)
        }))
    }

    /// The memory of a file, if the file stands in that folder under that name.
    async fn memory_at(&mut self, folder: &Folder, name: &str) -> Result<Option<Memory>, AppError> {
        let Some(id) = name::id_in(name).and_then(|id| self.wording.parse(id)) else {
            return Ok(None);
        };
        let memory = self.load_ids(&[id]).await?.pop();
        Ok(memory.filter(|memory| {
            let is_there = match folder {
                Folder::Kind(kind) => memory.kind == *kind,
                Folder::Day(wanted) => day(self.wording, memory.validity.from) == *wanted,
                Folder::Project(project) => project_folder(memory) == *project,
                Folder::Root | Folder::Projects | Folder::Days | Folder::Kinds => false,
            };
            is_there && name::file(&memory.body.key, &self.wording.memory(id)) == name
        }))
    }
}

impl Listing {
    fn of(entries: Vec<Entry>) -> Self {
        Self {
            entries,
            next: None,
            partial: false,
        }
    }
}

fn is_folder() -> AppError {
    Invalid::unknown("path", "this is a folder: list it")
}

fn place(path: &str) -> Result<Place, AppError> {
    Invalid::check_length("path", path, path::PATH)?;
    Place::parse(path).ok_or(NOWHERE)
}

/// The name of the folder of a memory's project.
fn project_folder(memory: &Memory) -> String {
    match (memory.project_id, &memory.project) {
        (Some(id), Some(project)) => name::folder(id, project),
        _ => name::WITHOUT.into(),
    }
}

fn entry(wording: &dyn Wording, folder: &Folder, memory: Memory) -> Entry {
    let name = name::file(&memory.body.key, &wording.memory(memory.id));
    let text = file(wording, &memory);
    Entry {
        path: format!("{}/{name}", folder.path()),
        name,
        node: Node::File(Box::new(memory), text),
    }
}

fn index_entry() -> Entry {
    Entry {
        path: "/index.md".into(),
        name: "index.md".into(),
        node: Node::Index,
    }
}

fn folder_entry(folder: &Folder, memories: Option<u64>) -> Entry {
    let path = folder.path();
    Entry {
        name: path.rsplit('/').next().unwrap_or_default().to_owned(),
        path,
        node: Node::Folder(memories),
    }
}

fn top() -> Vec<Entry> {
    let folders = [Folder::Projects, Folder::Days, Folder::Kinds];
    let mut entries = vec![index_entry()];
    entries.extend(folders.iter().map(|folder| folder_entry(folder, None)));
    entries.push(Entry {
        path: FilePath::ROOT.into(),
        name: FilePath::ROOT.trim_start_matches('/').into(),
        node: Node::Folder(None),
    });
    entries
}

/// A page of folders of one sort.
fn folders(of: &Folder, census: &Census, (from, limit): (usize, usize)) -> Listing {
    let all: Vec<Entry> = match of {
        Folder::Kinds => census
            .kinds
            .values()
            .map(|(kind, memories)| folder_entry(&Folder::Kind(*kind), Some(*memories)))
            .collect(),
        Folder::Days => grouped(&census.days, Folder::Day),
        _ => grouped(&census.projects, Folder::Project),
    };
    let until = from.saturating_add(limit);
    let next = (until < all.len()).then(|| place_after(until));
    Listing {
        entries: all.into_iter().skip(from).take(limit).collect(),
        next,
        partial: census.partial,
    }
}

fn grouped(groups: &[Group], folder: fn(String) -> Folder) -> Vec<Entry> {
    let entries = groups.iter();
    entries
        .map(|group| folder_entry(&folder(group.folder.clone()), Some(group.memories)))
        .collect()
}

fn overview(census: &Census) -> Overview {
    let counted = |groups: Vec<&Group>, above: &str| -> Vec<Counted> {
        let shown = groups.into_iter().take(SHOWN);
        shown
            .map(|group| Counted {
                name: group.name.clone(),
                path: format!("{above}/{}", group.folder),
                memories: group.memories,
            })
            .collect()
    };
    let mut projects: Vec<&Group> = census.projects.iter().collect();
    projects.sort_by_key(|group| std::cmp::Reverse(group.memories));
    let kinds = census.kinds.values().map(|(kind, memories)| Counted {
        name: kind.as_str().into(),
        path: Folder::Kind(*kind).path(),
        memories: *memories,
    });
    Overview {
        memories: census.memories,
        partial: census.partial,
        kinds: kinds.collect(),
        projects: (counted(projects, "/projects"), census.projects.len()),
        days: (
            counted(census.days.iter().collect(), "/days"),
            census.days.len(),
        ),
        newest: Vec::new(),
    }
}
