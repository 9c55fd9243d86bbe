//! The record of what was used: appended, each event once, and listed.

use std::collections::HashMap;

use skep_authz::rights::UsageRead;
use skep_crypto::Sealed;
use skep_domain::{CredentialId, Id, OrganizationId, Principal, Timestamp, UsageId, WorkspaceId};
use skep_ledger::{Log, UsageLine, id_text, leaf_hash};

use super::audit::{principal_line, unwritten};
use super::keys::USAGE_BODY;
use super::{DoorTx, OrgTx};
use crate::StoreError;
use crate::backend::PageOf;
use crate::row::{LogKey, UsageRow};

/// Something that was used, to be recorded.
#[derive(Clone, Debug)]
pub struct NewUsage {
    /// Its id. Whoever reports the same event twice gives the same one.
    pub id: UsageId,
    /// When.
    pub at: Timestamp,
    /// Where.
    pub workspace: Option<WorkspaceId>,
    /// Who.
    pub principal: Option<Principal>,
    /// With what.
    pub credential: Option<CredentialId>,
    /// The rest: a JSON object on one line, of at most 16 KiB, which stands in the entry as `usage`. Never
    /// content.
    pub facts: String,
}

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entered {
    /// It has this place now.
    New(u64),
    /// It had this place already.
    Known(u64),
}

/// What was used, as it was recorded.
#[derive(Clone, Debug)]
pub struct UsageEntry {
    /// Its id.
    pub id: UsageId,
    /// Its place in the record, from 1, without gaps.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// Where.
    pub workspace: Option<WorkspaceId>,
    /// Who.
    pub principal: Option<Principal>,
    /// With what.
    pub credential: Option<CredentialId>,
    /// The entry, byte for byte: a JSON object whose field `usage` is what was given as facts; `None` if it was
    /// erased.
    pub line: Option<String>,
}

impl DoorTx {
    /// Adds events to an organization's record of what was used, in order, within this transaction: they are
    /// there with all else that it does, or not at all. An event that is there already is not added again.
    ///
    /// # Errors
    /// [`StoreError::Refused`] for facts that cannot be an entry; else as any.
    pub async fn append_usage(
        &mut self,
        organization: OrganizationId,
        events: &[NewUsage],
    ) -> Result<Vec<Entered>, StoreError> {
        let ids = events.iter().map(|event| event.id).collect();
        let known = self.rows.known_usage(organization, ids).await?;
        let mut known: HashMap<UsageId, u64> = known.into_iter().collect();
        let key = LogKey::new(Some(organization), Log::Usage);
        let mut log = self.growing(key).await?;
        let (mut entered, mut rows) = (Vec::with_capacity(events.len()), Vec::new());
        for event in events {
            if let Some(seq) = known.get(&event.id) {
                entered.push(Entered::Known(*seq));
                continue;
            }
            let row = self.usage_row(organization, event, log.next())?;
            log.enter(row.leaf);
            known.insert(row.id, row.seq);
            entered.push(Entered::New(row.seq));
            rows.push(row);
        }
        if !rows.is_empty() {
            let (growth, due) = log.finish();
            let size = growth.head.size;
            self.rows.append_usage(organization, rows, growth).await?;
            self.sign_due(key, size, due).await?;
        }
        Ok(entered)
    }

    fn usage_row(
        &self,
        organization: OrganizationId,
        event: &NewUsage,
        seq: u64,
    ) -> Result<UsageRow, StoreError> {
        let mut row = UsageRow {
            id: event.id,
            seq,
            at: event.at,
            workspace: event.workspace,
            principal: event.principal,
            credential: event.credential,
            leaf: [0; 32],
            body: Sealed::from_bytes(Vec::new()),
        };
        let owner = organization.to_bytes();
        let line = head_of(owner, &row).to_line(&event.facts, &self.salt());
        let line = line.map_err(unwritten)?;
        row.leaf = leaf_hash(line.as_bytes());
        let place = (owner, event.id.to_bytes());
        row.body = self.keys.seal(USAGE_BODY, place, line.as_bytes());
        Ok(row)
    }
}

/// What the columns of a row say, as its line begins.
fn head_of(owner: [u8; 16], row: &UsageRow) -> UsageLine {
    UsageLine {
        seq: row.seq,
        log: Log::Usage,
        organization: id_text(owner),
        id: id_text(row.id.to_bytes()),
        at: row.at.as_micros(),
        workspace: row.workspace.map(Id::to_bytes).map(id_text),
        principal: row.principal.map(principal_line),
        credential: row.credential.map(Id::to_bytes).map(id_text),
    }
}

/// Whether the columns of a row say what its line says.
pub(super) fn says(line: &str, owner: [u8; 16], row: &UsageRow) -> bool {
    head_of(owner, row).begins(line)
}

impl OrgTx<UsageRead> {
    /// A page of what the organization used, newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_usage(&mut self, page: PageOf<u64>) -> Result<Vec<UsageEntry>, StoreError> {
        let organization = self.organization;
        let rows = self.door.rows.usage(organization, page).await?;
        let entries = rows.into_iter().map(|row| {
            let place = (organization.to_bytes(), row.id.to_bytes());
            let line = match row.body.as_bytes() {
                [] => None,
                _ => Some(self.door.keys.open_text(USAGE_BODY, place, &row.body)?),
            };
            Ok(UsageEntry {
                id: row.id,
                seq: row.seq,
                at: row.at,
                workspace: row.workspace,
                principal: row.principal,
                credential: row.credential,
                line,
            })
        });
        entries.collect()
    }
}
