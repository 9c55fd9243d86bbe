//! Files stay short enough to be read in one sitting.

use std::fmt;

use super::TextFile;
use crate::problem::Problem;

/// No file is longer.
const MOST: usize = 800;
/// A file that passes this is worth a look.
const MANY: usize = 500;

pub(super) fn check(path: &str, text: &str) -> Vec<Problem> {
    let lines = text.lines().count();
    if lines <= MOST {
        return Vec::new();
    }
    let message = format!("{lines} lines, at most {MOST}: split it by what its parts are about");
    vec![Problem::new(path, "length", message)]
}

/// The lengths of all files, shortest first.
pub(super) struct Lengths(Vec<(usize, String)>);

impl Lengths {
    pub(super) fn of<'f>(files: impl IntoIterator<Item = &'f &'f TextFile>) -> Self {
        let mut lengths: Vec<_> = files
            .into_iter()
            .map(|file| (file.text.lines().count(), file.path.clone()))
            .collect();
        lengths.sort();
        Self(lengths)
    }

    pub(super) fn warnings(&self) -> impl Iterator<Item = String> {
        self.0
            .iter()
            .filter(|(lines, _)| (MANY + 1..=MOST).contains(lines))
            .map(|(lines, path)| format!("{path}: warning: {lines} lines, more than {MANY}"))
    }

    /// The length that `share` percent of the files do not pass (nearest rank).
    fn percentile(&self, share: usize) -> usize {
        let rank = (self.0.len() * share).div_ceil(100).max(1);
        self.0.get(rank - 1).map_or(0, |(lines, _)| *lines)
    }
}

impl fmt::Display for Lengths {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let longest = self.0.last().map_or("-", |(_, path)| path);
        write!(
            out,
            "{} files, median {}, 95th percentile {}, longest {} ({longest})",
            self.0.len(),
            self.percentile(50),
            self.percentile(95),
            self.percentile(100),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::{Lengths, check};

    #[test]
    fn the_801st_line_is_red() {
        assert!(check("a.rs", &"x\n".repeat(800)).is_empty());
        assert_eq!(check("a.rs", &"x\n".repeat(801)).len(), 1);
    }

    #[test]
    fn percentiles_are_nearest_rank() {
        let lengths = Lengths((1..=20).map(|lines| (lines * 30, String::new())).collect());
        let marks = [50, 95, 100].map(|share| lengths.percentile(share));
        assert_eq!(marks, [300, 570, 600]);
        assert_eq!(lengths.warnings().count(), 4);
        assert_eq!(Lengths(Vec::new()).percentile(50), 0);
    }
}
