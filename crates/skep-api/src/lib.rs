//! Wire types, the route table, error codes, the text form of ids, OpenAPI.
//!
//! Wire types are not domain types: they are what HTTP carries, and are converted by hand. The few
//! domain values that a client needs to speak correctly (limits, closed lists) are re-exported.

pub mod access;
pub mod budget;
pub mod capture;
pub mod context;
pub mod directive;
pub mod error;
pub mod exec;
pub mod explain;
pub mod id;
pub mod inject;
pub mod issues;
pub mod job;
pub mod lease;
pub mod ledger;
pub mod limit;
pub mod memory;
pub mod oauth;
pub mod ontology;
pub mod openapi;
pub mod own_key;
pub mod page;
pub mod participant;
pub mod people;
pub mod posture;
pub mod provider;
pub mod recall;
pub mod removal;
pub mod review;
pub mod route;
pub mod session;
mod shows;
pub mod sink;
pub mod skill;
pub mod source;
pub mod sso;
pub mod system;
pub mod template;
mod time;
pub mod tree;
pub mod vault;

pub use error::{ErrorBody, ErrorCode, ErrorEnvelope, FieldError};
pub use route::{Audit, BodyLimit, Gate, Method, ROUTES, Route, RouteId};
pub use shows::Shows;
pub use skep_domain::{
    Harness, Limits, MemoryKind, Moment, ParticipantKind, SkillName, Tier, Timestamp, TurnRole,
    check_skill_path,
};
pub use time::Instant;
