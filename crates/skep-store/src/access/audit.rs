//! The record of decisions: appended, listed, and erased ([`super::erased`]), never changed. Each entry is one line of JSON, sealed, whose hash is a
//! leaf of the organization's tree ([`skep_ledger`]).

use skep_authz::rights::AuditRead;
use skep_domain::{AuditId, CredentialId, Id, OrganizationId, Principal, Timestamp, WorkspaceId};
use skep_ledger::{AuditLine, Hash, LineError, Log, PrincipalLine, id_text, leaf_hash};

use super::door::NOBODY;
use super::keys::AUDIT_BODY;
use super::ledger::Growing;
use super::seen::Piece;
use super::{DoorTx, OrgTx};
use crate::StoreError;
use crate::backend::PageOf;
use crate::body::BodyReader;
use crate::row::{AuditRow, LogKey};

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
    /// What of others' content was shown.
    pub shown: Vec<Piece>,
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
    /// The decision; of one that was erased only when, what it was and how it ended.
    pub decision: NewAudit,
    /// Whether it was erased.
    pub is_erased: bool,
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
        let mut records: Vec<(Option<OrganizationId>, Growing, Vec<AuditRow>)> = Vec::new();
        let mut seen = Vec::new();
        for (decision, principal, times) in decisions {
            let organization = decision.organization;
            let known = records.iter().position(|(held, ..)| *held == organization);
            let at = if let Some(at) = known {
                at
            } else {
                let log = self.growing(LogKey::new(organization, Log::Audit)).await?;
                records.push((organization, log, Vec::new()));
                records.len() - 1
            };
            let (_, log, rows) = &mut records[at];
            let (row, leaf) = self.audit_row(decision, *principal, *times, log.next())?;
            seen.extend(
                decision
                    .shown
                    .iter()
                    .map(|one| (organization, one.to_bytes(), row.seq)),
            );
            log.enter(leaf);
            rows.push(row);
        }
        for (organization, log, rows) in records {
            let key = LogKey::new(organization, Log::Audit);
            let (growth, due) = log.finish();
            let size = growth.head.size;
            self.rows.append_audit(organization, rows, growth).await?;
            self.sign_due(key, size, due).await?;
        }
        self.put_seen(seen).await
    }

    fn audit_row(
        &self,
        decision: &NewAudit,
        principal: Option<Principal>,
        times: u32,
        seq: u64,
    ) -> Result<(AuditRow, Hash), StoreError> {
        let id: AuditId = self.mint();
        let owner = decision.organization.map_or(NOBODY, Id::to_bytes);
        let line = AuditLine {
            seq,
            log: Log::Audit,
            organization: id_text(owner),
            id: id_text(id.to_bytes()),
            at: decision.at.as_micros(),
            action: decision.action.clone(),
            outcome: match decision.outcome {
                Outcome::Allowed => skep_ledger::Outcome::Allowed,
                Outcome::Denied => skep_ledger::Outcome::Denied,
            },
            times,
            workspace: decision.workspace.map(Id::to_bytes).map(id_text),
            principal: principal.map(principal_line),
            credential: decision.credential.map(Id::to_bytes).map(id_text),
            reason: decision.reason.clone(),
            request: decision.request.clone(),
            peer: decision.peer.clone(),
            target: decision.target.clone(),
            shown: decision.shown.iter().map(|one| one.to_text()).collect(),
            salt: self.salt(),
        };
        let line = line.to_line().map_err(unwritten)?;
        let leaf = leaf_hash(line.as_bytes());
        let row = AuditRow {
            id,
            seq,
            at: decision.at,
            action: decision.action.clone(),
            outcome: decision.outcome as u8,
            times,
            workspace: decision.workspace,
            principal,
            credential: decision.credential,
            leaf: Some(leaf),
            body: self
                .keys
                .seal(AUDIT_BODY, (owner, id.to_bytes()), line.as_bytes()),
        };
        Ok((row, leaf))
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
            .map(|row| self.door.open_audit(organization, row))
            .collect()
    }

    /// A page of the alerts in the organization's record, newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_alerts(&mut self, page: PageOf<u64>) -> Result<Vec<AuditEntry>, StoreError> {
        let organization = self.organization;
        let rows = self.door.rows.alerts(organization, page).await?;
        rows.into_iter()
            .map(|row| self.door.open_audit(organization, row))
            .collect()
    }
}

impl DoorTx {
    pub(super) fn open_audit(
        &self,
        organization: OrganizationId,
        row: AuditRow,
    ) -> Result<AuditEntry, StoreError> {
        let at = (organization.to_bytes(), row.id.to_bytes());
        let is_erased = row.leaf.is_some() && row.body.as_bytes().is_empty();
        let said = if is_erased {
            Said::default()
        } else if row.leaf.is_some() {
            Said::of_line(&self.keys.open_text(AUDIT_BODY, at, &row.body)?)?
        } else {
            Said::of_body(self.keys.open(AUDIT_BODY, at, &row.body)?.expose())?
        };
        Ok(AuditEntry {
            id: row.id,
            seq: row.seq,
            times: row.times,
            principal: row.principal,
            decision: NewAudit {
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
                reason: said.reason,
                request: said.request,
                peer: said.peer,
                target: said.target,
                shown: said.shown,
            },
            is_erased,
        })
    }
}

/// What stands in no column of its own.
#[derive(Default)]
struct Said {
    reason: String,
    request: String,
    peer: Option<String>,
    target: Option<String>,
    shown: Vec<Piece>,
}

impl Said {
    fn of_line(line: &str) -> Result<Self, StoreError> {
        let line = AuditLine::parse(line).map_err(|error| StoreError::Damaged(error.0))?;
        Ok(Self {
            reason: line.reason,
            request: line.request,
            peer: line.peer,
            target: line.target,
            shown: line
                .shown
                .iter()
                .filter_map(|one| Piece::parse(one))
                .collect(),
        })
    }

    /// Of an entry from before there was a tree.
    fn of_body(body: &[u8]) -> Result<Self, StoreError> {
        let mut reader = BodyReader(body);
        let said = Self {
            reason: reader.text()?,
            request: reader.text()?,
            peer: reader.option()?,
            target: if reader.is_empty() {
                None
            } else {
                reader.option()?
            },
            shown: Vec::new(),
        };
        reader.end()?;
        Ok(said)
    }
}

/// Who acted, as a line has it.
pub(super) fn principal_line(principal: Principal) -> PrincipalLine {
    let (kind, id) = match principal {
        Principal::User(id) => ("user", id.to_bytes()),
        Principal::Agent(id) => ("agent", id.to_bytes()),
    };
    PrincipalLine {
        kind: kind.to_owned(),
        id: id_text(id),
    }
}

/// For whoever gave what no line can hold.
pub(super) fn unwritten(error: LineError) -> StoreError {
    StoreError::Refused(error.0.to_owned())
}
