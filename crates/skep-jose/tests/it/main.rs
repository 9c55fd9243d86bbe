//! Attacks on tokens and proofs, through the public face of the crate.
#![cfg(test)]

mod bytes;
mod forge;
mod headers;
mod id_tokens;
mod kinds;
mod offline;
mod proofs;
mod rotation;
mod times;
