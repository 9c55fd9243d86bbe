//! Authentication results and policy as pure functions; the sole mint of [`Authorized`].
//!
//! The way in has three doors, each a type that only this crate can make:
//!
//! 1. [`Presented`]: a credential whose form is right (a socket peer of the right user, a token
//!    that we could have minted). It can be looked up, nothing else.
//! 2. [`Caller`]: a presented credential that holds against the stored row it belongs to.
//! 3. [`Authorized<P>`]: a caller who holds right `P`, once, for one transaction.
//!
//! Types stop mistakes, lints and review stop shortcuts, nothing here stops malice inside the
//! process: [`StoredCredential::from_row`] is public because a backend must call it, and is banned
//! everywhere else by `clippy.toml`.
#![warn(missing_docs, clippy::missing_errors_doc)]

mod authorized;
mod caller;
mod check;
mod presented;
mod right;
mod stored;
mod vouched;

pub use authorized::Authorized;
pub use caller::{Caller, Denied};
pub use check::{Checked, Mark, SlowCheck, authenticate, resume};
pub use presented::{CredentialKey, Presented};
pub use right::{CanRead, CanWrite, Maintain, Right, Survey, Upkeep, rights};
pub use stored::{CredentialFacts, Proof, RoleSource, StoredCredential};
pub use vouched::{Vouched, VouchedTag};

use skep_domain::{OrganizationId, WorkspaceId};

/// The right to work on one workspace for the daemon itself: embedding, distilling.
///
/// It sees every row of the workspace and must never serve a caller; banned by `clippy.toml`
/// outside the places that do upkeep, each with its reason.
pub fn upkeep(organization: OrganizationId, workspace: WorkspaceId) -> Authorized<Maintain> {
    Authorized::upkeep(organization, workspace)
}

/// The right to look over one workspace for the daemon itself: indexing, counting. As guarded as
/// [`upkeep`].
pub fn survey(organization: OrganizationId, workspace: WorkspaceId) -> Authorized<Survey> {
    Authorized::upkeep(organization, workspace)
}
