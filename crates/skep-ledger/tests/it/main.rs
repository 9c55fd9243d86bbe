//! The ledger as somebody outside of it sees it.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests report by panicking"
)]

mod bench;
mod export;
mod tree;
