//! `Store`, `Tx<P>`, `ScopeKey` and the `Backend` port.

pub mod backend;
mod error;
pub mod row;
mod scope;

pub use error::StoreError;
pub use scope::{ControlKey, ScopeKey};
