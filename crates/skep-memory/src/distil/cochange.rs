//! Which files change together, counted over a whole history in bounded memory.

use super::draft::Draft;
use super::sentence::fold;
use super::trivial::is_trivial_subject;
use crate::turn::{CommitAuthor, CommitView, FileChange, FileStatus};
use skep_domain::{MemoryKind, Timestamp, Trust};
use std::collections::{BTreeMap, HashMap};

/// Counts pairs of files over commits.
///
/// Exact until more than `pairs` pairs are alive; then the counts of all are lowered by their median,
/// which frees half of the room (after Misra and Gries, 1982). A count is therefore never too high:
/// the result errs towards silence. Files beyond four times `pairs` are not seen.
#[derive(Debug)]
pub struct CoChange {
    capacity: usize,
    commits: u32,
    files: HashMap<String, FileCount>,
    names: Vec<String>,
    pairs: BTreeMap<(u32, u32), PairCount>,
}

#[derive(Debug)]
struct FileCount {
    id: u32,
    commits: u32,
    /// Whether it was there after the newest commit that touched it.
    alive: bool,
    last: Timestamp,
}

#[derive(Clone, Copy, Debug)]
struct PairCount {
    commits: u32,
    last: Timestamp,
    turn: usize,
}

impl CoChange {
    /// Commits that touch more files say nothing about any two of them.
    pub const FILES_MAX: usize = 30;
    /// Commits in which both files changed, at least.
    pub const SUPPORT: u32 = 3;
    /// Share of the commits of one file that the other one shared, at least.
    pub const CONFIDENCE: f32 = 0.6;

    /// Room for `pairs` pairs, and for four times as many files.
    #[must_use]
    pub fn new(pairs: usize) -> Self {
        Self {
            capacity: pairs.max(16),
            commits: 0,
            files: HashMap::new(),
            names: Vec::new(),
            pairs: BTreeMap::new(),
        }
    }

    /// Counts one commit, in any order of time.
    ///
    /// Merges, releases, sweeping commits, programs' commits and files that nobody writes are left
    /// out. Read the history with renames off: a file that moved away is then seen to be deleted.
    pub fn observe(&mut self, commit: &CommitView<'_>) {
        let is_idle = commit.parents > 1
            || commit.files.len() > Self::FILES_MAX
            || commit.author == CommitAuthor::Bot
            || is_trivial_subject(&fold(commit.subject));
        if is_idle {
            return;
        }
        self.commits = self.commits.saturating_add(1);
        let mut ids: Vec<u32> = Vec::with_capacity(commit.files.len());
        for file in commit.files.iter().filter(|file| is_written(&file.path)) {
            if let Some(id) = self.touch(file, commit.at) {
                ids.push(id);
            }
        }
        ids.sort_unstable();
        ids.dedup();
        for (at, &a) in ids.iter().enumerate() {
            for &b in &ids[at + 1..] {
                let pair = self.pairs.entry((a, b)).or_insert(PairCount {
                    commits: 0,
                    last: commit.at,
                    turn: commit.index,
                });
                pair.commits += 1;
                if commit.at >= pair.last {
                    pair.last = commit.at;
                    pair.turn = commit.index;
                }
            }
        }
        self.shrink();
    }

    fn touch(&mut self, change: &FileChange, at: Timestamp) -> Option<u32> {
        let alive = change.status != FileStatus::Deleted;
        if let Some(file) = self.files.get_mut(&change.path) {
            file.commits += 1;
            if at >= file.last {
                file.alive = alive;
                file.last = at;
            }
            return Some(file.id);
        }
        if self.files.len() >= self.capacity.saturating_mul(4) {
            return None;
        }
        let id = self.names.len() as u32;
        self.names.push(change.path.clone());
        self.files.insert(
            change.path.clone(),
            FileCount {
                id,
                commits: 1,
                alive,
                last: at,
            },
        );
        Some(id)
    }

    fn shrink(&mut self) {
        if self.pairs.len() <= self.capacity {
            return;
        }
        let mut counts: Vec<u32> = self.pairs.values().map(|pair| pair.commits).collect();
        let middle = counts.len() / 2;
        let (_, &mut median, _) = counts.select_nth_unstable(middle);
        for pair in self.pairs.values_mut() {
            pair.commits = pair.commits.saturating_sub(median);
        }
        self.pairs.retain(|_, pair| pair.commits > 0);
    }

    /// The pairs that hold, strongest first, at most `limit`.
    #[must_use]
    pub fn drafts(&self, limit: usize) -> Vec<Draft> {
        let mut by_id: Vec<(u32, bool)> = vec![(0, false); self.names.len()];
        for file in self.files.values() {
            by_id[file.id as usize] = (file.commits, file.alive);
        }
        let mut rows: Vec<(f32, u32, Draft)> = self
            .pairs
            .iter()
            .filter_map(|(&(a, b), pair)| self.draft(a, b, pair, &by_id))
            .collect();
        rows.sort_by(|x, y| {
            y.1.cmp(&x.1)
                .then(y.0.total_cmp(&x.0))
                .then_with(|| x.2.text.cmp(&y.2.text))
        });
        rows.into_iter()
            .take(limit)
            .map(|(_, _, draft)| draft)
            .collect()
    }

    fn draft(
        &self,
        a: u32,
        b: u32,
        pair: &PairCount,
        files: &[(u32, bool)],
    ) -> Option<(f32, u32, Draft)> {
        let ((a_count, a_alive), (b_count, b_alive)) = (files[a as usize], files[b as usize]);
        // Read from the file that changes less: when it changes, the other one usually does.
        let (x, y) = (&self.names[a as usize], &self.names[b as usize]);
        let is_first = (a_count, x) <= (b_count, y);
        let (first, second, of) = if is_first {
            (x, y, a_count)
        } else {
            (y, x, b_count)
        };
        let confidence = pair.commits as f32 / of as f32;
        let usual = a_count.max(b_count) as f32 / self.commits.max(1) as f32;
        // A file that changes with everything says nothing about this one.
        let is_surprising = confidence >= 2.5 * usual || self.commits < 30;
        let holds = pair.commits >= Self::SUPPORT && confidence >= Self::CONFIDENCE;
        if !(a_alive && b_alive && holds && is_surprising) || is_evident(first, second) {
            return None;
        }
        let count = pair.commits;
        let draft = Draft {
            kind: MemoryKind::Fact,
            key: format!("{first} + {second}: change together ({count} of {of} commits)"),
            text: format!("{first} and {second} change together ({count} of {of} commits)."),
            trust: Trust::Tool,
            valid_from: pair.last,
            turns: vec![pair.turn],
            entities: vec![first.clone(), second.clone()],
            score: (0.3 + 0.3 * confidence + 0.04 * count.min(10) as f32).min(1.0),
        };
        Some((confidence, count, draft.bounded()))
    }
}

/// Lock files, snapshots, changelogs and generated files follow others without telling anything.
pub(super) fn is_written(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    let extension = name.rsplit('.').next().unwrap_or_default();
    let lock = matches!(extension, "lock" | "lockb")
        || matches!(
            name.as_str(),
            "go.sum" | "npm-shrinkwrap.json" | "package-lock.json" | "pnpm-lock.yaml"
        );
    let generated = matches!(extension, "snap" | "map")
        || name.contains(".min.")
        || name.starts_with("changelog")
        || name.starts_with("changes.")
        || path.split('/').any(|part| {
            matches!(
                part,
                "node_modules" | "vendor" | "dist" | "__snapshots__" | "target"
            )
        });
    !lock && !generated
}

/// A file and its own test, header or module root belong together for everybody to see.
fn is_evident(a: &str, b: &str) -> bool {
    let stem = |path: &str| {
        let name = path.rsplit('/').next().unwrap_or(path);
        let stem = name.split('.').next().unwrap_or(name).to_ascii_lowercase();
        stem.trim_end_matches("_test")
            .trim_end_matches("_tests")
            .trim_start_matches("test_")
            .to_owned()
    };
    let root = |path: &str| {
        matches!(
            stem(path).as_str(),
            "mod" | "lib" | "main" | "index" | "__init__"
        )
    };
    let parent = |path: &str| {
        path.rsplit_once('/')
            .map_or(String::new(), |(dir, _)| dir.to_owned())
    };
    stem(a) == stem(b) && !root(a) || (root(a) != root(b) && parent(a) == parent(b))
}

#[cfg(test)]
mod tests;
