//! The installation's own rows, opened: who may enter, and what was decided.
//!
//! Three ways in, each with no more than it needs: [`OrgTx`] for whoever holds a right in an
//! organization, confined to it; [`SelfTx`] for a known caller and what is theirs alone; [`DoorTx`]
//! for those not yet known, which `clippy.toml` bans outside the doors of `skep-app`.

mod approver;
mod audit;
mod credential;
mod directive;
mod door;
mod erased;
mod factor;
mod job;
mod keys;
mod ledger;
mod login;
mod meter;
mod news;
mod org;
mod own;
mod proved;
mod seen;
mod setting;
mod sink;
mod tenant;
mod ticket;
mod usage;
mod user;

pub use audit::{AuditEntry, NewAudit, Outcome};
pub use credential::{Credential, CredentialBody, Minted, NewBearer, NewSecret};
pub use directive::{Directive, DirectivePlace, Promotion};
pub use door::DoorTx;
pub use erased::{ErasedEntries, Unerasable};
pub use factor::{Account, Factor, NewFactor};
pub use job::Job;
pub(crate) use keys::{ControlKeys, JOB_NOTE};
pub use ledger::{Inclusion, LogHead, UNSIGNED};
pub use login::Renewal;
pub use meter::{ModelCall, Reservation};
pub(crate) use news::Crier;
pub use news::{Announcement, Revocation, Revoked};
pub use org::OrgTx;
pub use own::SelfTx;
pub use proved::{Exported, Line};
pub use seen::Piece;
pub(crate) use setting::setting_place;
pub use sink::{Outgoing, Sink};
pub use tenant::{Agent, NewAgent, Organization, PolicyGroup, WorkspaceSummary};
pub use ticket::{NewTicket, Ticket};
pub use usage::{Entered, NewUsage, UsageEntry};
pub use user::{OrganizationMember, User, UserBody};
