//! Entries of the ledger that are erased, because somebody has the right that nothing says any more what they did.

use std::collections::BTreeSet;

use skep_authz::rights::AuditErase;
use skep_authz::{Authorized, Caller};
use skep_domain::Principal;
use skep_ledger::{ERASE, Log};
use skep_store::{ErasedEntries, OrgTx, Outcome, Unerasable};

use super::audit::Decision;
use crate::error::Rule;
use crate::{App, AppError, Invalid};

/// Entries that are erased at a time: each is looked at, and nobody writes the record meanwhile.
const AT_ONCE: usize = 200;
/// Bytes of the reason.
const REASON: usize = 1_000;

/// Entries of a log that are to be erased.
#[derive(Clone, Debug)]
pub struct EntriesToErase {
    /// Which log.
    pub log: Log,
    /// Their places.
    pub places: Vec<u64>,
    /// Why, as it is recorded. Never what the entries said.
    pub reason: String,
}

impl App {
    /// Erases entries of a log, all of them or none, in the transaction that records it; and says whether nothing
    /// of them is left in the store's files. Only an owner of the organization does, in person, or whoever runs the
    /// daemon.
    ///
    /// # Errors
    /// [`AppError::Invalid`] for places that cannot be erased, [`AppError::Forbidden`] for whoever is no owner.
    pub async fn erase_entries(
        &self,
        caller: &Caller,
        authorized: Authorized<AuditErase>,
        asked: EntriesToErase,
    ) -> Result<(ErasedEntries, bool), AppError> {
        caller.require_in_person()?;
        let places: BTreeSet<u64> = asked.places.iter().copied().collect();
        if places.is_empty() {
            return Err(Invalid::required("places"));
        }
        Invalid::check_count("places", asked.places.len(), AT_ONCE)?;
        if asked.reason.trim().is_empty() {
            return Err(Invalid::required("reason"));
        }
        Invalid::check_length("reason", &asked.reason, REASON)?;
        let mut tx = self.store.begin_org(authorized).await?;
        may_erase(&mut tx, caller).await?;
        let decision = Decision {
            reason: asked.reason,
            ..Decision::of(ERASE)
        };
        let decision = self.entry(decision, Some(caller), Outcome::Allowed);
        let done = tx.erase_entries(asked.log, &places, decision).await?;
        let done = done.map_err(|why| refused(asked.log, why))?;
        tx.commit().await?;
        Ok((done, self.store.scrub_installation().await))
    }
}

/// Only an owner: others who run an organization could hide from its owners what they did.
async fn may_erase(tx: &mut OrgTx<AuditErase>, caller: &Caller) -> Result<(), AppError> {
    let is_owner = match caller.principal() {
        _ if caller.kind().is_of_the_installation() => true,
        Principal::User(user) => tx.is_owner(user).await?,
        Principal::Agent(_) => false,
    };
    if is_owner {
        return Ok(());
    }
    Err(AppError::Forbidden(
        "only an owner erases entries of the ledger",
    ))
}

fn refused(log: Log, why: Unerasable) -> AppError {
    let message = match why {
        Unerasable::Unknown(place) => format!("the log {log} has no entry {place}"),
        Unerasable::OutsideTheTree(place) => {
            format!("entry {place} is from before there was a tree: no hash would stay of it")
        }
        Unerasable::SaysWhatWasErased(place) => {
            format!("entry {place} says what was erased, and stays")
        }
    };
    AppError::Invalid(Invalid {
        field: "places".into(),
        rule: Rule::Invalid,
        message: message + ": nothing was erased",
    })
}
