//! Moving what is stored: a backup into an archive, a restore from one, and from one backend to another.
//!
//! Rows go over as they are, sealed under the keys of their workspaces and bound to their ids. What changes is
//! what those keys are wrapped under: in an archive the archive's own key, elsewhere the key that follows
//! from the root key there. The installation keeps its id and its secret, so that ids, credentials and logins
//! go on being good.

mod backup;
mod copy;
mod filter;
mod format;
mod party;
mod restore;
mod root;
mod single;
mod statement;
pub mod tables;
mod value;
mod verify;

pub use backup::{Backup, Contents};
pub use copy::{Copied, Step, copy};
pub use format::Archive;
pub use party::{Installation, Party, Vacant};
pub use restore::{Restored, Summary, restore};
pub use root::Changed;
pub use single::{Chosen, Erasures, Into, SingleRestored, restore_workspace};
pub use statement::{Dialect, Named};
pub use tables::{Column, Kind, Table};
pub use value::{Row, Value};
pub use verify::{Opened, open_all};
