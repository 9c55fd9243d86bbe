//! Entries whose line is erased: the hash stays, and with it every proof. What was erased, and why, is an entry of
//! the record of decisions, added in the same transaction; nothing erases that one.

use std::collections::BTreeSet;

use skep_authz::rights::AuditErase;
use skep_domain::{OrganizationRole, UserId};
use skep_ledger::{ERASE, Log, places_text};

use super::OrgTx;
use super::audit::NewAudit;
use crate::StoreError;
use crate::row::LogKey;

const NOT_ALL: StoreError = StoreError::Damaged("entries that are to be erased and are not there");

/// What became of entries that were to be erased.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ErasedEntries {
    /// The place of the entry that says so, in the record of decisions.
    pub entry: u64,
    /// The places of those that were erased now.
    pub erased: Vec<u64>,
    /// The places of those that had been erased before.
    pub already: Vec<u64>,
}

/// Why nothing was erased: an entry that cannot be, by its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unerasable {
    /// There is none.
    Unknown(u64),
    /// It is from before there was a tree: nothing would stay of it.
    OutsideTheTree(u64),
    /// It says what was erased.
    SaysWhatWasErased(u64),
}

/// What is known of an entry at a place.
enum Found {
    There,
    Erased,
}

impl OrgTx<AuditErase> {
    /// Whether somebody is an owner of the organization.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn is_owner(&mut self, user: UserId) -> Result<bool, StoreError> {
        let member = self.door.rows.member(self.organization, user).await?;
        Ok(member.is_some_and(|member| member.role == OrganizationRole::Owner))
    }

    /// Erases entries of a log, all of them or none, and records it: `decision` says who and why, and is given the
    /// log and the places. A checkpoint stands for all that is erased, signed before it if there was none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn erase_entries(
        &mut self,
        log: Log,
        places: &BTreeSet<u64>,
        decision: NewAudit,
    ) -> Result<Result<ErasedEntries, Unerasable>, StoreError> {
        let mut done = ErasedEntries::default();
        for place in places {
            match self.found(log, *place).await? {
                Ok(Found::There) => done.erased.push(*place),
                Ok(Found::Erased) => done.already.push(*place),
                Err(why) => return Ok(Err(why)),
            }
        }
        let key = LogKey::new(Some(self.organization), log);
        self.door.sign_ledger(key).await?;
        done.entry = self.record(log, places, decision).await?;
        if !done.erased.is_empty() {
            let wanted = done.erased.clone();
            let erased = self.door.rows.erase_entries(key, wanted).await?;
            if erased != done.erased.len() as u64 {
                return Err(NOT_ALL);
            }
        }
        Ok(Ok(done))
    }

    /// Adds the entry that says so, and gives its place.
    async fn record(
        &mut self,
        log: Log,
        places: &BTreeSet<u64>,
        decision: NewAudit,
    ) -> Result<u64, StoreError> {
        let organization = Some(self.organization);
        let key = LogKey::new(organization, Log::Audit);
        let place = self.door.growing(key).await?.next();
        let decision = NewAudit {
            action: ERASE.to_owned(),
            organization,
            target: Some(places_text(log, places)),
            ..decision
        };
        let said = (decision, self.principal, 1);
        self.door.append_audit(&[said]).await?;
        Ok(place)
    }

    async fn found(
        &mut self,
        log: Log,
        place: u64,
    ) -> Result<Result<Found, Unerasable>, StoreError> {
        // No row is that far, and no database has such a number.
        if i64::try_from(place).is_err() {
            return Ok(Err(Unerasable::Unknown(place)));
        }
        let organization = self.organization;
        let rows = &mut self.door.rows;
        let found = match log {
            Log::Audit => {
                let rows = rows.audit_from(Some(organization), place, 1).await?;
                let row = rows.into_iter().find(|row| row.seq == place);
                row.map(|row| (row.leaf.is_some(), row.action == ERASE, row.body))
            }
            Log::Usage => {
                let rows = rows.usage_from(organization, place, 1).await?;
                let row = rows.into_iter().find(|row| row.seq == place);
                row.map(|row| (true, false, row.body))
            }
        };
        Ok(match found {
            None => Err(Unerasable::Unknown(place)),
            Some((false, ..)) => Err(Unerasable::OutsideTheTree(place)),
            Some((_, true, _)) => Err(Unerasable::SaysWhatWasErased(place)),
            Some((.., body)) if body.as_bytes().is_empty() => Ok(Found::Erased),
            Some(_) => Ok(Found::There),
        })
    }
}
