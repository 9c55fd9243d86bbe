//! An origin that is no other machine: what is said to it never leaves this process.

use crate::Wire;

/// Answers in an origin's place. Its name is resolved by nobody, and nothing is encrypted on the way.
pub trait Inside: Send + Sync {
    /// A connection to it.
    fn open(&self) -> Box<dyn Wire>;
}
