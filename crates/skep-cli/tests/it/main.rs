//! The program as a person or a script runs it, against a daemon made for the test.

#[cfg(test)]
mod distilled;
#[cfg(test)]
mod elsewhere;
#[cfg(test)]
mod fake;
#[cfg(test)]
mod git;
#[cfg(test)]
mod hooks;
#[cfg(test)]
mod hostile_imports;
#[cfg(test)]
mod importing;
#[cfg(test)]
mod ledger;
#[cfg(test)]
mod login;
#[cfg(test)]
mod mcp;
#[cfg(test)]
#[path = "../../../skep-wire/tests/it/network.rs"]
mod network;
#[cfg(test)]
#[expect(dead_code, reason = "the proxy's own tests use the rest of it")]
#[path = "../../../skep-wire/tests/it/origin.rs"]
mod origin;
#[cfg(test)]
mod program;
#[cfg(test)]
mod questions;
#[cfg(test)]
#[path = "../../../skep-wire/tests/it/repository.rs"]
mod repository;
#[cfg(test)]
mod resume;
#[cfg(test)]
mod run;
#[cfg(test)]
#[expect(dead_code, reason = "the client's own tests use the rest of it")]
#[path = "../../../skep-client/tests/it/scripted.rs"]
mod scripted;
#[cfg(test)]
mod skills;
#[cfg(test)]
mod sources;
#[cfg(test)]
mod templates;
#[cfg(test)]
mod transcripts;
#[cfg(test)]
mod tree;
#[cfg(test)]
#[path = "../../../skep-wire/tests/it/values.rs"]
mod values;
#[cfg(test)]
mod vault;
#[cfg(test)]
mod verbs;
#[cfg(test)]
mod wiring;
