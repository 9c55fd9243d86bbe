//! What can go wrong, named for what the caller can do about it.

/// Why bytes were not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IndexError {
    /// A snapshot of another format, analyser or embedding model: load from the rows instead.
    #[error("the snapshot was made by another version: {0}")]
    Outdated(&'static str),
    /// Bytes that no version writes: load from the rows instead, and look at the storage.
    #[error("damaged bytes: {0}")]
    Damaged(&'static str),
}
