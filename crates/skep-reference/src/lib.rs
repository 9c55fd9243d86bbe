//! Secrets that are kept elsewhere: in Vault, in 1Password, in a file or a variable of the daemon's host.
//!
//! A [`Reference`] says where one is. The operator says which stores there are and whose references may
//! lead there ([`References`]): who names a reference is a tenant, and a tenant who could name any file or
//! variable of the host would have them all. A value is looked up whenever it is used, and kept by nobody
//! here in between.
#![warn(missing_docs, clippy::missing_errors_doc)]

mod connect;
mod error;
mod file;
mod remote;
mod sources;
mod vault;

pub use connect::Connect;
pub use error::Unresolved;
pub use file::Folder;
pub use remote::Token;
pub use skep_domain::Reference;
pub use sources::{Organizations, References, Source};
pub use vault::Server;
