//! Signed tokens: those we issue, the proofs that come with them, and what other issuers say.
//!
//! Pure: bytes, a time and keys in, a verdict out. Nothing here opens a file or a connection, so
//! no header of a token can make us fetch or read anything. [`jws`](self) is the one module that
//! names a JWT crate; before it, every token is read by rules stricter than that crate's (ADR 0007).
//!
//! - [`KeyRing`] issues and verifies access tokens: one algorithm, fixed by the key.
//! - [`VerifiedToken`] exists only for a token whose binding was proved too.
//! - [`Prover`] checks proofs of possession (RFC 9449); [`Replay`] remembers them.
//! - [`ForeignKeys`] verify the ID tokens of a single sign-on provider.
#![warn(missing_docs, clippy::missing_errors_doc)]

mod claims;
mod dpop;
mod error;
mod id_token;
mod jws;
mod key;
mod key_ring;
mod nonce;
mod provider;
mod replay;
mod strict;
mod target;
mod token;

pub use dpop::{NonceRule, Proof, ProofRequest, Prover, VerifiedProof};
pub use error::JoseError;
pub use id_token::{ForeignKeys, IdTokenExpect, VerifiedIdToken};
pub use key::{Algorithm, Thumbprint, VerifyingKey};
pub use key_ring::{KeyLife, KeyRing, RingKey};
pub use nonce::Nonces;
pub use replay::{LocalReplay, Replay, ReplayAway, Spent};
pub use token::{
    Confirmation, Expect, Grant, Issued, LEEWAY_SECONDS, MAX_TOKEN_BYTES, SignedToken,
    TOKEN_LIFE_SECONDS, VerifiedToken,
};
