//! What can be wrong with a token, named for what the caller can do about it.

/// Every refusal of this crate. Reasons are for the audit; nothing of the token is in them, and
/// none of them may be told to whoever sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JoseError {
    /// The token or proof does not count; `0` says why, for the audit.
    #[error("refused: {0}")]
    Refused(&'static str),
    /// The proof must carry a nonce of ours: answer with a fresh one.
    #[error("a nonce of this server is needed")]
    NonceNeeded,
    /// Whether the proof was used before cannot be known now.
    #[error("the memory of used proofs is away")]
    ReplayAway,
    /// A key, or a set of keys, that nothing may be verified with.
    #[error("unusable key: {0}")]
    Key(&'static str),
}
