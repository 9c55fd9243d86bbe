//! Putting `skep hook` into the harnesses of this machine, and taking it out again.

pub(crate) mod change;
mod edit;
pub(crate) mod place;
pub(crate) mod plan;
mod receipt;
pub(crate) mod service;

pub(crate) use receipt::Receipt;
