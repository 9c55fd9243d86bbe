//! Sealed records on the daemon's host: secrets, which are used and never read, and settings.
//!
//! They are in no store: a dump of the database holds none. A record is one file (0600, in a
//! directory 0700), sealed under a key of its place and class, which follows from keys that are
//! wrapped under the root key and the machine. What a record lets be done with it is a type
//! ([`Class`]): the values of one class are returned, those of the other are released to the daemon
//! itself and to nobody else.
#![warn(missing_docs, clippy::missing_errors_doc)]

mod class;
mod error;
mod hex;
mod keys;
mod lent;
mod own;
mod place;
mod record;
mod rotate;
pub mod template;
mod vault;

pub use class::{Class, Returned, Secret, Setting};
pub use error::VaultError;
pub use lent::Enclosing;
pub use own::Kept;
pub use place::Scope;
pub use record::Listed;
pub use rotate::Rotation;
pub use vault::{Held, Listing, Valued, Vault, Wanted};
