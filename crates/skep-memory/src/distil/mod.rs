//! Turns and commits into memories, by rule: the same input gives the same drafts.

mod cochange;
mod commit;
mod draft;
mod session;

pub use cochange::CoChange;
pub use commit::distil_commit;
pub use draft::Draft;
pub use session::{distil_exchange, distil_session, split_exchanges};
