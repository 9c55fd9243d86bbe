//! Rate limits: one pure rule ([`skep_domain::gcra`]), counted in process or in a store that nodes share.
//!
//! Who is counted is known by a keyed fingerprint only ([`Subject`]), so no name and no id reaches
//! the shared store or takes room here, whatever its length and whatever it contains.
#![warn(missing_docs, clippy::missing_errors_doc)]

mod limiter;
mod limits;
mod local;
mod quotas;
mod shared;
mod subject;

pub use limiter::{Away, Limiter, State, Taken};
pub use limits::{Limits, in_force};
pub use local::Local;
pub use quotas::Quotas;
pub use shared::{Shared, SharedConfig, SharedError};
pub use subject::Subject;
