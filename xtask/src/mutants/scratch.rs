//! The copy of the checkout that is broken, and its target directory: `mutants` in that of the
//! checkout. Files that are as they should be are not written, so that little is built again.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::tree;

/// The copy.
pub(super) struct Scratch {
    root: PathBuf,
    pub(super) tree: PathBuf,
    pub(super) target: PathBuf,
}

impl Scratch {
    pub(super) fn new(root: &Path) -> Result<Self> {
        let metadata = cargo_metadata::MetadataCommand::new()
            .no_deps()
            .exec()
            .context("reading cargo metadata")?;
        let place = metadata.target_directory.join("mutants");
        Ok(Self {
            root: root.to_owned(),
            tree: place.join("tree").into_std_path_buf(),
            target: place.join("target").into_std_path_buf(),
        })
    }

    /// Makes the copy what the checkout is, but for these files.
    pub(super) fn lay(&self, woven: &BTreeMap<String, String>) -> Result<()> {
        let files = tree::files(&self.root)?;
        for path in &files {
            let wanted = match woven.get(path) {
                Some(text) => text.clone().into_bytes(),
                None => fs::read(self.root.join(path)).with_context(|| path.clone())?,
            };
            let copy = self.tree.join(path);
            if fs::read(&copy).is_ok_and(|held| held == wanted) {
                continue;
            }
            if let Some(folder) = copy.parent() {
                fs::create_dir_all(folder)?;
            }
            fs::write(&copy, wanted).with_context(|| copy.display().to_string())?;
        }
        let wanted: BTreeSet<PathBuf> = files.iter().map(|path| self.tree.join(path)).collect();
        remove_others(&self.tree, &wanted)
    }
}

fn remove_others(folder: &Path, wanted: &BTreeSet<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove_others(&entry.path(), wanted)?;
        } else if !wanted.contains(&entry.path()) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
