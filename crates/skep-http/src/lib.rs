//! The HTTP edge: extract, call `app`, convert.
//!
//! A request passes, in this order: the guard (who may even speak to a loopback port), the router
//! built from the route table, the gate (rate limits, credential, permission, body limit, JSON form), and one
//! handler, which gets the right it needs as its first argument. Handlers are mounted where one
//! whose right is not the one in the table does not compile.

mod call;
mod convert;
mod dialect;
mod elsewhere;
mod error;
mod form;
mod gate;
mod guard;
mod handlers;
mod json;
mod limits;
mod listen;
mod marks;
mod mode;
mod mount;
mod pages;
mod peer;
mod place;
mod record;
mod request_id;
mod scope;
mod session;
mod site;
mod visit;

pub use listen::{Listeners, Serving};
pub use mode::{Mode, Trust};
pub use mount::{Edge, router};
pub use peer::Peer;
pub use site::Site;
pub use skep_limit::Limits;
