//! The record of decisions: appended, listed, never changed.

use skep_authz::rights::AuditRead;
use skep_domain::{AuditId, CredentialId, Id, OrganizationId, Principal, Timestamp, WorkspaceId};

use super::door::NOBODY;
use super::keys::AUDIT_BODY;
use super::{DoorTx, OrgTx};
use crate::StoreError;
use crate::backend::PageOf;
use crate::body::{BodyReader, BodyWriter};
use crate::row::AuditRow;

/// What was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// It was allowed.
    Allowed = 0,
    /// It was refused.
    Denied = 1,
}

/// A decision to record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NewAudit {
    /// When.
    pub at: Timestamp,
    /// Which action.
    pub action: String,
    /// What was decided.
    pub outcome: Outcome,
    /// Whose record it belongs to; nobody's before somebody is known.
    pub organization: Option<OrganizationId>,
    /// Where.
    pub workspace: Option<WorkspaceId>,
    /// With what.
    pub credential: Option<CredentialId>,
    /// Why it was refused, or what else there is to say. Never a secret, never content.
    pub reason: String,
    /// The request that asked.
    pub request: String,
    /// From where, for those not yet known.
    pub peer: Option<String>,
    /// What it was done to, by the id that the request named.
    pub target: Option<String>,
}

/// A decision that was recorded.
#[derive(Clone, Debug)]
pub struct AuditEntry {
    /// Its id.
    pub id: AuditId,
    /// Its place in the record.
    pub seq: u64,
    /// So many the same within a moment.
    pub times: u32,
    /// Who.
    pub principal: Option<Principal>,
    /// The decision.
    pub decision: NewAudit,
}

impl DoorTx {
    /// Adds decisions to the records they belong to, in order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn append_audit(
        &mut self,
        decisions: &[(NewAudit, Option<Principal>, u32)],
    ) -> Result<(), StoreError> {
        let mut places: Vec<(Option<OrganizationId>, u64)> = Vec::new();
        for (decision, principal, times) in decisions {
            let organization = decision.organization;
            let known = places.iter().position(|(held, _)| *held == organization);
            let at = if let Some(at) = known {
                at
            } else {
                let seq = self.rows.next_audit_seq(organization).await?;
                places.push((organization, seq));
                places.len() - 1
            };
            let seq = places[at].1;
            places[at].1 += 1;
            let row = self.audit_row(decision, *principal, *times, seq);
            self.rows.append_audit(organization, row).await?;
        }
        Ok(())
    }

    fn audit_row(
        &self,
        decision: &NewAudit,
        principal: Option<Principal>,
        times: u32,
        seq: u64,
    ) -> AuditRow {
        let id: AuditId = self.mint();
        let owner = decision.organization.map_or(NOBODY, Id::to_bytes);
        let body = BodyWriter::default()
            .text(&decision.reason)
            .text(&decision.request)
            .option(decision.peer.as_deref())
            .option(decision.target.as_deref())
            .finish();
        AuditRow {
            id,
            seq,
            at: decision.at,
            action: decision.action.clone(),
            outcome: decision.outcome as u8,
            times,
            workspace: decision.workspace,
            principal,
            credential: decision.credential,
            body: self.keys.seal(AUDIT_BODY, (owner, id.to_bytes()), &body),
        }
    }
}

impl OrgTx<AuditRead> {
    /// A page of the organization's record, newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_audit(&mut self, page: PageOf<u64>) -> Result<Vec<AuditEntry>, StoreError> {
        let organization = self.organization;
        let rows = self.door.rows.audit(organization, page).await?;
        rows.into_iter()
            .map(|row| self.open_audit(organization, row))
            .collect()
    }

    fn open_audit(
        &self,
        organization: OrganizationId,
        row: AuditRow,
    ) -> Result<AuditEntry, StoreError> {
        let at = (organization.to_bytes(), row.id.to_bytes());
        let plain = self.door.keys.open(AUDIT_BODY, at, &row.body)?;
        let mut reader = BodyReader(plain.expose());
        let decision = NewAudit {
            at: row.at,
            action: row.action,
            outcome: match row.outcome {
                0 => Outcome::Allowed,
                1 => Outcome::Denied,
                _ => return Err(StoreError::Damaged("an outcome in the record")),
            },
            organization: Some(organization),
            workspace: row.workspace,
            credential: row.credential,
            reason: reader.text()?,
            request: reader.text()?,
            peer: reader.option()?,
            target: if reader.is_empty() {
                None
            } else {
                reader.option()?
            },
        };
        reader.end()?;
        Ok(AuditEntry {
            id: row.id,
            seq: row.seq,
            times: row.times,
            principal: row.principal,
            decision,
        })
    }
}
