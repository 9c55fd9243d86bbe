//! The port to the installation's own tables: one transaction, and a trait for each area.

mod audit;
mod credential;
mod directive;
mod factor;
mod job;
mod key;
mod ledger;
mod meter;
mod setting;
mod sink;
mod tenant;
mod ticket;
mod user;

pub use audit::AuditRows;
pub use credential::{CredentialFilter, CredentialRows};
pub use directive::DirectiveRows;
pub use factor::FactorRows;
pub use job::JobRows;
pub use key::{KeyRows, WrappedRow};
pub use ledger::LedgerRows;
pub use meter::MeterRows;
pub use setting::SettingRows;
pub use sink::SinkRows;
pub use tenant::TenantRows;
pub use ticket::TicketRows;
pub use user::UserRows;

use async_trait::async_trait;

use crate::StoreError;
use crate::access::Announcement;

/// A transaction on the installation's own tables. Dropped without `commit`, it leaves nothing;
/// after an error, or when a call was given up half-way, nothing is left but to drop it.
#[async_trait]
pub trait ControlTx:
    Send
    + TenantRows
    + UserRows
    + CredentialRows
    + TicketRows
    + AuditRows
    + LedgerRows
    + SettingRows
    + FactorRows
    + JobRows
    + KeyRows
    + MeterRows
    + SinkRows
    + DirectiveRows
{
    /// Has other nodes told of this when it is durable, and not before; nobody where there are none.
    async fn announce(&mut self, what: &[Announcement]) -> Result<(), StoreError> {
        let _ = what;
        Ok(())
    }

    /// Makes everything durable.
    async fn commit(self: Box<Self>) -> Result<(), StoreError>;
}
