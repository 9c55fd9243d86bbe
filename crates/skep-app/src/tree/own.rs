//! `/memories`: the files that whoever looks keeps for themselves, where they put them and as they wrote
//! them. What is known of each stands in the same memory's file in the other folders.

use std::collections::BTreeMap;

use skep_domain::{FilePath, Limits};
use skep_store::Memory;

use super::glob::Glob;
use super::path::OwnPath;
use super::search::{Find, Opened};
use super::text::day;
use super::walk::Walk;
use super::{Entry, Listing, NOWHERE, Node};
use crate::AppError;

/// What stands at a path.
pub(super) enum Own {
    File(FilePath, Box<Memory>),
    /// All that is below it, by path.
    Folder(FilePath, Vec<(FilePath, Memory)>),
}

impl Walk<'_> {
    /// What whoever looks keeps at a path.
    ///
    /// # Errors
    /// [`AppError::NotFound`] where there is nothing.
    pub(super) async fn own(&mut self, at: &OwnPath) -> Result<Own, AppError> {
        let owner = self.tx.principal().ok_or(NOWHERE)?;
        if !at.is_folder
            && let Some(file) = self.tx.get_file(owner, &at.path).await?
        {
            return Ok(Own::File(at.path.clone(), Box::new(file)));
        }
        let limit = Limits::FILES as u32;
        let files = self.tx.list_files(owner, &at.path, limit).await?;
        let mut files: Vec<(FilePath, Memory)> = files
            .into_iter()
            .filter_map(|file| Some((file.body.path.clone()?, file)))
            .collect();
        if files.is_empty() && !at.path.is_root() {
            return Err(NOWHERE);
        }
        files.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(Own::Folder(at.path.clone(), files))
    }

    /// Files of one's own by what they are.
    pub(super) async fn find_own(
        &mut self,
        at: &OwnPath,
        find: &Find,
    ) -> Result<Listing, AppError> {
        let glob = find.name.as_deref().map(Glob::new);
        let files = match self.own(at).await? {
            Own::File(path, file) => vec![(path, *file)],
            Own::Folder(_, files) => files,
        };
        let wording = self.wording;
        let fits = |(path, file): &(FilePath, Memory)| {
            glob.as_ref().is_none_or(|glob| glob.fits(path.name()))
                && find.kind.is_none_or(|kind| kind == file.kind)
                && (find.project.is_none() || find.project == file.project)
                && (find.day.as_ref()).is_none_or(|of| day(wording, file.validity.from) == *of)
        };
        let fitting: Vec<_> = files.into_iter().filter(fits).collect();
        let entries = fitting.into_iter().map(|(path, file)| entry(&path, file));
        Ok(page(entries.collect(), (find.from, find.limit)))
    }
}

impl Own {
    /// The entries of a folder, by name; of a file, the file.
    pub(super) fn listing(self, page_of: (Option<[u8; 16]>, u32)) -> Listing {
        let (at, files) = match self {
            Self::File(path, file) => return page(vec![entry(&path, *file)], page_of),
            Self::Folder(at, files) => (at, files),
        };
        let mut entries: BTreeMap<String, Entry> = BTreeMap::new();
        for (path, file) in files {
            let Some(below) = at.below(&path) else {
                continue;
            };
            let Some((name, _)) = below.split_once('/') else {
                entries.insert(below.to_owned(), entry(&path, file));
                continue;
            };
            let folder = entries.entry(name.to_owned()).or_insert_with(|| Entry {
                path: format!("{at}/{name}"),
                name: name.to_owned(),
                node: Node::Folder(Some(0)),
            });
            if let Node::Folder(Some(memories)) = &mut folder.node {
                *memories += 1;
            }
        }
        page(entries.into_values().collect(), page_of)
    }

    /// What a search looks through.
    pub(super) fn opened(self) -> Vec<Opened> {
        let files = match self {
            Self::File(path, file) => vec![(path, *file)],
            Self::Folder(_, files) => files,
        };
        let files = files.into_iter();
        files
            .map(|(path, file)| Opened {
                id: file.id,
                owner: file.owner,
                path: path.to_string(),
                text: file.body.text,
            })
            .collect()
    }
}

fn entry(path: &FilePath, file: Memory) -> Entry {
    let text = file.body.text.clone();
    Entry {
        name: path.name().to_owned(),
        path: path.to_string(),
        node: Node::File(Box::new(file), text),
    }
}

/// Where a page of what is counted goes on.
pub(super) fn place_after(count: usize) -> [u8; 16] {
    (count as u128).to_be_bytes()
}

/// How many a page goes on after.
pub(super) fn count_before(from: Option<[u8; 16]>) -> usize {
    from.map_or(0, |from| {
        usize::try_from(u128::from_be_bytes(from)).unwrap_or(usize::MAX)
    })
}

fn page(mut entries: Vec<Entry>, (from, limit): (Option<[u8; 16]>, u32)) -> Listing {
    let from = count_before(from);
    let until = from.saturating_add(limit as usize);
    let next = (until < entries.len()).then(|| place_after(until));
    entries.truncate(until);
    entries.drain(..from.min(entries.len()));
    Listing {
        entries,
        next,
        partial: false,
    }
}
