//! Walks over what a caller may see: facts first, newest first, then the content of those that are wanted,
//! through the step that authorizes candidates in a recall.

use std::collections::{BTreeMap, HashMap};

use skep_authz::rights::MemoryRead;
use skep_domain::{MemoryId, MemoryKind, ProjectId};
use skep_store::{Memory, MemoryFacts, MemoryFilter, PageOf, Tx};

use super::name;
use super::path::Folder;
use super::text::{Wording, day};
use crate::AppError;

/// Facts of one statement.
const PAGE: u32 = 2_000;
/// Facts that one call looks through.
pub(super) const SCANNED: usize = 200_000;

/// Which memories a folder has.
#[derive(Clone, Debug, Default)]
pub(super) struct Selection {
    pub(super) filter: MemoryFilter,
    /// Only those of no project.
    pub(super) without_project: bool,
    /// Only those of this day.
    pub(super) day: Option<String>,
}

/// Some of a folder, and the last memory that was looked at, when there may be more.
pub(super) struct Picked {
    pub(super) facts: Vec<MemoryFacts>,
    pub(super) next: Option<MemoryId>,
}

/// What there is of one sort.
#[derive(Clone, Debug)]
pub(super) struct Group {
    /// The name of its folder.
    pub(super) folder: String,
    /// What it is called.
    pub(super) name: String,
    pub(super) memories: u64,
}

/// All that the caller may see, by what it is sorted by.
#[derive(Default)]
pub(super) struct Census {
    pub(super) memories: u64,
    /// There is more than was counted.
    pub(super) partial: bool,
    pub(super) kinds: BTreeMap<u8, (MemoryKind, u64)>,
    /// By folder.
    pub(super) projects: Vec<Group>,
    /// The newest first.
    pub(super) days: Vec<Group>,
    pub(super) newest: Vec<MemoryId>,
}

/// Of one caller, in one view of the rows.
pub(super) struct Walk<'a> {
    pub(super) tx: &'a mut Tx<MemoryRead>,
    pub(super) wording: &'a dyn Wording,
}

impl Walk<'_> {
    /// Which memories a folder has; `None` for a project that the caller sees nothing of.
    pub(super) async fn select(&mut self, folder: &Folder) -> Result<Option<Selection>, AppError> {
        let mut selection = Selection::default();
        match folder {
            Folder::Kind(kind) => selection.filter.kinds = vec![*kind],
            Folder::Day(day) => selection.day = Some(day.clone()),
            Folder::Project(name) if name == name::WITHOUT => selection.without_project = true,
            Folder::Project(name) => match self.project(name).await? {
                Some(id) => selection.filter.project = Some(id),
                None => return Ok(None),
            },
            Folder::Root | Folder::Projects | Folder::Days | Folder::Kinds => {}
        }
        Ok(Some(selection))
    }

    /// The project of a folder.
    async fn project(&mut self, folder: &str) -> Result<Option<ProjectId>, AppError> {
        if name::is_plain(folder) {
            return Ok(self.tx.get_project(folder).await?);
        }
        let (mut before, mut seen) = (None, 0);
        while seen < SCANNED {
            let page = PageOf {
                limit: PAGE,
                before,
            };
            let facts = self
                .tx
                .list_memory_facts(&MemoryFilter::default(), page)
                .await?;
            let mut projects = facts.iter().filter_map(|facts| facts.project.as_ref());
            if let Some((id, _)) = projects.find(|(id, name)| name::folder(*id, name) == folder) {
                return Ok(Some(*id));
            }
            let Some(last) = facts.last() else { break };
            before = Some(last.id);
            seen += facts.len();
        }
        Ok(None)
    }

    /// Up to so many of a selection, from a place on.
    pub(super) async fn pick(
        &mut self,
        selection: &Selection,
        mut before: Option<MemoryId>,
        wanted: usize,
    ) -> Result<Picked, AppError> {
        let mut fitting = Fitting::of(selection, self.wording);
        let (mut found, mut seen) = (Vec::new(), 0);
        loop {
            let limit = if fitting.is_all() {
                (wanted + 1).min(PAGE as usize) as u32
            } else {
                PAGE
            };
            let page = PageOf { limit, before };
            let facts = self.tx.list_memory_facts(&selection.filter, page).await?;
            let is_last = facts.len() < limit as usize;
            seen += facts.len();
            for facts in facts {
                if found.len() == wanted {
                    // One more is there, which the next call begins with.
                    return Ok(Picked {
                        facts: found,
                        next: before,
                    });
                }
                before = Some(facts.id);
                if fitting.has(&facts) {
                    found.push(facts);
                }
            }
            if is_last || seen >= SCANNED {
                return Ok(Picked {
                    facts: found,
                    next: before.filter(|_| !is_last),
                });
            }
        }
    }

    /// What the picked ones say, if the caller may see them.
    pub(super) async fn load(&mut self, facts: &[MemoryFacts]) -> Result<Vec<Memory>, AppError> {
        let ids: Vec<MemoryId> = facts.iter().map(|facts| facts.id).collect();
        self.load_ids(&ids).await
    }

    pub(super) async fn load_ids(&mut self, ids: &[MemoryId]) -> Result<Vec<Memory>, AppError> {
        let visible = self.tx.authorize(ids, &MemoryFilter::default()).await?;
        Ok(self.tx.load(&visible).await?)
    }

    /// Counts everything, and notes the newest so many.
    pub(super) async fn census(&mut self, newest: usize) -> Result<Census, AppError> {
        let mut census = Census::default();
        let mut projects: HashMap<Option<ProjectId>, Group> = HashMap::new();
        let mut days: HashMap<i64, Group> = HashMap::new();
        let (mut before, mut seen) = (None, 0);
        loop {
            let page = PageOf {
                limit: PAGE,
                before,
            };
            let facts = self
                .tx
                .list_memory_facts(&MemoryFilter::default(), page)
                .await?;
            seen += facts.len();
            for facts in &facts {
                self.count(facts, &mut census, &mut projects, &mut days);
                if census.newest.len() < newest {
                    census.newest.push(facts.id);
                }
            }
            before = facts.last().map(|last| last.id);
            if facts.len() < PAGE as usize {
                break;
            }
            if seen >= SCANNED {
                census.partial = true;
                break;
            }
        }
        census.projects = projects.into_values().collect();
        census.projects.sort_by(|a, b| a.folder.cmp(&b.folder));
        let mut days: Vec<(i64, Group)> = days.into_iter().collect();
        days.sort_by_key(|(day, _)| std::cmp::Reverse(*day));
        census.days = days.into_iter().map(|(_, group)| group).collect();
        Ok(census)
    }

    fn count(
        &self,
        facts: &MemoryFacts,
        census: &mut Census,
        projects: &mut HashMap<Option<ProjectId>, Group>,
        days: &mut HashMap<i64, Group>,
    ) {
        census.memories += 1;
        let kind = census.kinds.entry(facts.kind.code());
        kind.or_insert((facts.kind, 0)).1 += 1;
        let project = facts.project.as_ref();
        let group = projects
            .entry(project.map(|(id, _)| *id))
            .or_insert_with(|| match project {
                Some((id, name)) => Group::new(name::folder(*id, name), name.to_string()),
                None => Group::new(name::WITHOUT.into(), "no project".into()),
            });
        group.memories += 1;
        let group = days.entry(day_number(facts)).or_insert_with(|| {
            let day = day(self.wording, facts.valid_from);
            Group::new(day.clone(), day)
        });
        group.memories += 1;
    }
}

impl Group {
    fn new(folder: String, name: String) -> Self {
        Self {
            folder,
            name,
            memories: 0,
        }
    }
}

/// What the database is not asked about a selection.
struct Fitting<'a> {
    selection: &'a Selection,
    wording: &'a dyn Wording,
    /// What was found of days: there are few, and many memories.
    days: HashMap<i64, bool>,
}

impl<'a> Fitting<'a> {
    fn of(selection: &'a Selection, wording: &'a dyn Wording) -> Self {
        Self {
            selection,
            wording,
            days: HashMap::new(),
        }
    }

    fn is_all(&self) -> bool {
        !self.selection.without_project && self.selection.day.is_none()
    }

    fn has(&mut self, facts: &MemoryFacts) -> bool {
        if self.selection.without_project && facts.project.is_some() {
            return false;
        }
        let Some(wanted) = &self.selection.day else {
            return true;
        };
        let wording = self.wording;
        *self
            .days
            .entry(day_number(facts))
            .or_insert_with(|| day(wording, facts.valid_from) == *wanted)
    }
}

/// Whole days since 1970, in UTC.
fn day_number(facts: &MemoryFacts) -> i64 {
    facts.valid_from.as_micros().div_euclid(86_400_000_000)
}
