//! Programs of others that tests need: found, installed where they are missing, and run for as long as a
//! test does.

pub mod mcp;
pub mod postgres;
pub mod program;
