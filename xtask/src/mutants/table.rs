//! The rows: what is broken on purpose, and which tests have to notice.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

/// Where the rows are.
const FOLDER: &str = "xtask/mutants";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    mutant: Vec<Mutant>,
}

/// One check, removed or reversed.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Mutant {
    /// The attack that it lets through, and what it does.
    pub(super) name: String,
    /// From the root, with `/`.
    pub(super) file: String,
    /// A text that stands there once. What is between « and » is replaced; all of it without them.
    pub(super) find: String,
    /// By this.
    #[serde(default)]
    pub(super) replace: String,
    /// Whose tests notice: the lowest crate that does.
    pub(super) package: String,
    /// Which of them, as nextest filters.
    pub(super) filter: String,
    /// Whether it needs a build of its own.
    #[serde(default)]
    pub(super) apart: bool,
    /// The file of the row, without its ending.
    #[serde(skip)]
    pub(super) table: String,
}

/// All rows, in the order of the files and their lines.
pub(super) fn read(root: &Path) -> Result<Vec<Mutant>> {
    let folder = root.join(FOLDER);
    let entries = fs::read_dir(&folder).with_context(|| FOLDER.to_owned())?;
    let mut paths = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()?;
    paths.retain(|path| path.extension().is_some_and(|end| end == "toml"));
    paths.sort();
    let mut rows = Vec::new();
    for path in paths {
        let text = fs::read_to_string(&path)?;
        let file: File = toml::from_str(&text).with_context(|| path.display().to_string())?;
        let table = path.file_stem().unwrap_or_default().to_string_lossy();
        let table = table.into_owned();
        rows.extend(file.mutant.into_iter().map(|row| Mutant {
            table: table.clone(),
            ..row
        }));
    }
    let mut names = BTreeSet::new();
    for row in &rows {
        let sound = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        ensure!(
            row.name.chars().all(sound) && names.insert(&row.name),
            "`{}`: a mutant has a name of its own, of small letters, digits and hyphens",
            row.name
        );
    }
    Ok(rows)
}
