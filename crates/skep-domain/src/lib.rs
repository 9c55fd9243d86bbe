//! Ids, values, roles, permissions, policies and state machines; no IO, no serde, no async.
