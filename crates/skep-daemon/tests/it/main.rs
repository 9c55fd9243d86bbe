//! The real daemon process: what it refuses to start with, how it stops, and what it leaves.

#[cfg(test)]
mod asking;
#[cfg(test)]
#[expect(dead_code, reason = "its own tests use the rest of it")]
#[path = "../../../skep-telemetry/tests/it/collector.rs"]
mod collector;
#[cfg(test)]
mod database;
#[cfg(test)]
mod delivered;
#[cfg(test)]
mod erasing;
#[cfg(test)]
mod exec;
#[cfg(test)]
mod full_log;
#[cfg(test)]
mod heard;
#[cfg(test)]
mod home;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod ledger;
#[cfg(test)]
mod link;
#[cfg(test)]
mod metered;
#[cfg(test)]
mod moving;
#[cfg(test)]
mod nodes;
#[cfg(test)]
mod organization;
#[cfg(test)]
#[expect(dead_code, reason = "the proxy's own tests use the rest of it")]
#[path = "../../../skep-wire/tests/it/origin.rs"]
mod origin;
#[cfg(test)]
mod refusals;
#[cfg(test)]
#[path = "../../../skep-wire/tests/it/repository.rs"]
mod repository;
#[cfg(test)]
mod restoring;
#[cfg(test)]
mod rotating;
#[cfg(test)]
mod rows;
#[cfg(test)]
mod running;
#[cfg(test)]
mod telemetry;
#[cfg(test)]
#[path = "../../../skep-wire/tests/it/values.rs"]
mod values;
#[cfg(test)]
mod verify;
#[cfg(test)]
mod wire;
