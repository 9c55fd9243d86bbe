//! Append-only logs that anybody can check: a Merkle tree over entries (RFC 6962), signed checkpoints of its
//! head (C2SP `tlog-checkpoint`), proofs, exports, and the verifier that says which entry is bad.
//!
//! Pure, and without any key: who signs hands in a signature, and who stores hands in hashes. It depends on none
//! of our crates, so that a verifier shares no code with what it checks but this.
#![warn(missing_docs, clippy::missing_errors_doc)]

mod checkpoint;
mod export;
mod line;
mod log;
mod note;
mod path;
mod places;
mod proof;
mod tree;
mod verify;

pub use checkpoint::{Checkpoint, origin};
pub use export::{
    FORMAT, Header, checkpoint_of, checkpoint_record, damaged_record, entry_record, erased_record,
};
pub use line::{
    AuditLine, LineError, Outcome, PrincipalLine, SALT, UsageLine, digits, id_text, text_id,
};
pub use log::Log;
pub use note::{NOTE, NoteError, VerifierKey};
pub use path::{Node, complete, consistency_path, inclusion_path};
pub use places::{ERASE, parse_places, places_text};
pub use proof::{NotProved, verify_consistency, verify_inclusion};
pub use tree::{EMPTY_ROOT, Frontier, Hash, join, leaf_hash, node_hash, perfect};
pub use verify::{Finding, Problem, RECORD, Verified, Verifier, VerifyError, verify};
