//! What can go wrong with storage, named for what the caller can do about it.

use skep_crypto::CryptoError;

use crate::Closing;

/// What a node is told that still has the root key of before.
pub const OTHER_ROOT: &str = "another root key was put in force meanwhile: bring it to this node, and start the \
                              daemon again (skepd key rotate-root --new-key-file)";

/// Every failure of the store. No variant carries content, SQL or a path inside the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Something with this identity is there already.
    #[error("{0} exists already")]
    Conflict(&'static str),
    /// The store cannot be reached or cannot write; trying again later may help.
    #[error("storage is not available: {0}")]
    Unavailable(String),
    /// The store is not in a state that this version may touch; nothing was changed.
    #[error("{0}")]
    Refused(String),
    /// There is no such workspace, or no longer: whoever asks has nothing to ask there.
    #[error("there is no such workspace")]
    Gone,
    /// The organization keeps a key of its own, and does not give it now: nothing of its workspaces opens.
    #[error("{0}")]
    Closed(Closing),
    /// The credential behind the transaction is bound to other projects, or to another harness.
    #[error("{0}")]
    OutOfBounds(&'static str),
    /// A row cannot be what was written: the file or a key was changed from outside.
    #[error("stored data is damaged: {0}")]
    Damaged(&'static str),
    /// Keys or sealed bytes do not fit.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}
