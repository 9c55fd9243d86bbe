//! What can go wrong with keys and sealed data, named for what the caller can do about it.

use std::io;
use std::path::PathBuf;

/// Every failure of this crate. No variant carries a secret, a key or content.
#[derive(Debug, thiserror::Error)]
pub enum CryptoError {
    /// The bytes were changed, cut, or moved to another row: restore them from a copy.
    #[error("sealed data is damaged or was moved from where it was written")]
    Damaged,
    /// The key is sound but not the one this was wrapped under: find the right root key.
    #[error("wrong key: this was wrapped under another root key, instance or machine")]
    WrongKey,
    /// The organization's own key is needed too, and is not at hand.
    #[error("closed: the key of the organization is needed to open this")]
    Closed,
    /// A bearer credential that we did not mint. One variant for every reason, on purpose.
    #[error("the credential is not valid")]
    BadCredential,
    /// A signature that does not belong to the message and the key.
    #[error("the signature is not valid")]
    BadSignature,
    /// Bytes of the named thing that this version cannot read.
    #[error("{what} is not in a form this version reads")]
    Malformed {
        /// The kind of thing, for example "password hash".
        what: &'static str,
    },
    /// The root key file is unsafe or unusable as it stands; `advice` says what to do.
    #[error("root key file {path:?}: {advice}")]
    KeyFile {
        /// The file refused. Never its content.
        path: PathBuf,
        /// What is wrong and what to do.
        advice: &'static str,
    },
    /// The root key could not be had from where it is kept; the text says what to do, and holds no key.
    #[error("{0}")]
    RootKey(String),
    /// The operating system refused an operation on the root key file.
    #[error("root key file {path:?}: {source}")]
    KeyFileIo {
        /// The file asked for.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}
