//! Reads what `git log -z --name-status` prints in [`FORMAT`].
//!
//! Everything is separated by NUL, which no message and no path can hold. A commit is an empty
//! piece, its fields, an empty piece, then status and path in turn until the next empty piece.

use std::io::{self, Read};

use crate::import::lines::Pieces;

/// Id, parents, author time, message.
pub(super) const FORMAT: &str = "--format=tformat:%x00%H%x00%P%x00%at%x00%B%x00";
/// Bytes of a message, or a path, that are read.
pub(super) const MESSAGE_MAX: usize = 256 << 10;
/// Paths of a commit that are kept.
const PATHS: usize = 200;

/// One commit.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Commit {
    pub(super) id: String,
    pub(super) parents: usize,
    /// Seconds since the epoch, by the author's clock.
    pub(super) author_seconds: i64,
    message: Vec<u8>,
    /// The message was longer than is read.
    pub(super) is_cut: bool,
    pub(super) paths: Vec<String>,
}

impl Commit {
    /// Whether its header made no sense.
    pub(super) fn is_damaged(&self) -> bool {
        self.id.len() < 40 || !self.id.bytes().all(|byte| byte.is_ascii_hexdigit())
    }

    /// Subject, an empty line, body; and whether it was UTF-8.
    pub(super) fn text(&self) -> (String, bool) {
        let text = String::from_utf8_lossy(&self.message);
        let was_utf8 = matches!(text, std::borrow::Cow::Borrowed(_));
        (text.trim().to_owned(), was_utf8)
    }

    /// A merge whose message adds nothing to the commits it merges.
    pub(super) fn says_only_that_it_merges(&self, text: &str) -> bool {
        let has_body = text
            .split_once('\n')
            .is_some_and(|(_, body)| !body.trim().is_empty());
        self.parents > 1 && !has_body
    }
}

/// The commits of a log.
pub(super) struct Commits<R> {
    pieces: Pieces<R>,
    /// The empty piece before the next commit was read.
    begun: bool,
}

impl<R: Read> Commits<R> {
    pub(super) fn new(source: R) -> Self {
        Self {
            pieces: Pieces::new(source, 0, MESSAGE_MAX),
            begun: false,
        }
    }

    /// The next commit; `None` at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<Commit>> {
        if !self.begun && self.pieces.next()?.is_none() {
            return Ok(None);
        }
        self.begun = false;
        let mut commit = Commit::default();
        let Some(id) = self.text()? else {
            return Ok(None);
        };
        commit.id = id;
        commit.parents = self.text()?.unwrap_or_default().split_whitespace().count();
        commit.author_seconds = self.text()?.unwrap_or_default().parse().unwrap_or_default();
        if let Some(piece) = self.pieces.next()? {
            commit.message = piece.bytes.to_vec();
            commit.is_cut = piece.is_cut();
        }
        self.pieces.next()?;
        self.files(&mut commit)?;
        Ok(Some(commit))
    }

    fn files(&mut self, commit: &mut Commit) -> io::Result<()> {
        // A status, unless it is the empty piece that begins the next commit.
        while let Some(status) = self.text()? {
            if status.is_empty() {
                self.begun = true;
                break;
            }
            let path = self.text()?.unwrap_or_default();
            if commit.paths.len() < PATHS {
                commit.paths.push(path);
            }
        }
        Ok(())
    }

    fn text(&mut self) -> io::Result<Option<String>> {
        let piece = self.pieces.next()?;
        Ok(piece.map(|piece| {
            String::from_utf8_lossy(piece.bytes)
                .trim_start_matches('\n')
                .to_owned()
        }))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, proptest};

    use super::Commits;

    fn read(bytes: &[u8]) -> Vec<super::Commit> {
        let mut commits = Commits::new(bytes);
        std::iter::from_fn(|| commits.next().unwrap()).collect()
    }

    #[test]
    fn commits_with_and_without_files_are_told_apart() {
        let id = "a".repeat(40);
        let log = format!(
            "\0{id}\0\0 12\0one\n\nbody\n\0\0\nA\0a file\0M\0b\0\0{id}\0p q\x0013\0Merge x\0\0\0{id}\0p\x0014\0\0\0"
        )
        .replace(" 12", "12");
        let commits = read(log.as_bytes());
        assert_eq!(commits.len(), 3);
        assert_eq!(commits[0].text(), ("one\n\nbody".into(), true));
        assert_eq!(
            (commits[0].author_seconds, &commits[0].paths[..]),
            (12, &["a file".into(), "b".into()][..])
        );
        assert!(commits[1].says_only_that_it_merges("Merge x"));
        assert!(!commits[1].says_only_that_it_merges("Merge x\n\nbecause"));
        assert_eq!((commits[2].author_seconds, commits[2].parents), (14, 1));
        assert!(commits.iter().all(|commit| !commit.is_damaged()));
    }

    proptest! {
        #[test]
        fn n13_any_bytes_end(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(read(&bytes).len() <= bytes.len() + 1);
        }
    }
}
