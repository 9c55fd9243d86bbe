//! What is shown of a log to whoever checks it: checkpoints, proofs, and entries with their hashes.

use skep_authz::rights::{AuditExport, AuditRead};
use skep_domain::Id;
use skep_ledger::{
    AuditLine, ERASE, Hash, Log, Outcome, consistency_path, id_text, inclusion_path, leaf_hash,
};

use super::audit::principal_line;
use super::keys::{AUDIT_BODY, USAGE_BODY};
use super::ledger::{Inclusion, LogHead};
use super::{DoorTx, OrgTx};
use crate::StoreError;
use crate::backend::PageOf;
use crate::row::{AuditRow, CheckpointRow, LogKey, UsageRow};

/// An entry as it is exported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exported {
    /// Its place.
    pub seq: u64,
    /// Its hash, as it is stored.
    pub leaf: Hash,
    /// What is there of it.
    pub line: Line,
}

/// What is there of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// The line, byte for byte.
    Whole(String),
    /// It was erased; its hash stays.
    Erased,
    /// It does not open, or its columns do not say what it says: somebody changed the row.
    Damaged,
}

impl OrgTx<AuditRead> {
    /// A log as it is now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn log_head(&mut self, log: Log) -> Result<LogHead, StoreError> {
        let key = LogKey::new(Some(self.organization), log);
        self.door.log_head(key).await
    }

    /// A page of a log's checkpoints, newest first; `before` is a size.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_checkpoints(
        &mut self,
        log: Log,
        page: PageOf<u64>,
    ) -> Result<Vec<CheckpointRow>, StoreError> {
        let key = LogKey::new(Some(self.organization), log);
        self.door.rows.checkpoints(key, page).await
    }

    /// What proves that the entry at a place is in the tree of so many entries; `None` if it is not, or there is
    /// no such tree yet.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn prove_inclusion(
        &mut self,
        log: Log,
        seq: u64,
        size: u64,
    ) -> Result<Option<Inclusion>, StoreError> {
        let key = LogKey::new(Some(self.organization), log);
        let head = self.door.log_head(key).await?;
        let path = (seq.checked_sub(head.first))
            .filter(|_| size <= head.size)
            .and_then(|index| Some((index, inclusion_path(index, size)?)));
        let Some((index, path)) = path else {
            return Ok(None);
        };
        let leaf = self.door.rows.ledger_leaves(key, seq..seq + 1).await?;
        let leaf = *leaf.first().ok_or(StoreError::Damaged("an entry's hash"))?;
        let proof = self.door.hashes(key, head.first, &path).await?;
        Ok(Some(Inclusion {
            leaf,
            index,
            size,
            proof,
        }))
    }

    /// What proves that the tree of so many entries begins with that of so many; `None` if there are not so many.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn prove_consistency(
        &mut self,
        log: Log,
        old: u64,
        size: u64,
    ) -> Result<Option<Vec<Hash>>, StoreError> {
        let key = LogKey::new(Some(self.organization), log);
        let head = self.door.log_head(key).await?;
        match consistency_path(old, size).filter(|_| size <= head.size) {
            Some(path) => self.door.hashes(key, head.first, &path).await.map(Some),
            None => Ok(None),
        }
    }
}

impl OrgTx<AuditExport> {
    /// A log as it is now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn log_head(&mut self, log: Log) -> Result<LogHead, StoreError> {
        let key = LogKey::new(Some(self.organization), log);
        self.door.log_head(key).await
    }

    /// Entries of a log from a place on, in order; none from before there was a tree.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn export_entries(
        &mut self,
        log: Log,
        seq: u64,
        limit: u32,
    ) -> Result<Vec<Exported>, StoreError> {
        let key = LogKey::new(Some(self.organization), log);
        let told = self.door.list_outgoing(key, seq, limit).await?;
        Ok(told.into_iter().map(|one| one.entry).collect())
    }

    /// The last checkpoint.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn last_checkpoint(&mut self, log: Log) -> Result<Option<CheckpointRow>, StoreError> {
        let key = LogKey::new(Some(self.organization), log);
        let last = PageOf {
            limit: 1,
            before: None,
        };
        Ok(self.door.rows.checkpoints(key, last).await?.pop())
    }

    /// Checkpoints of sizes from this one on, in order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn checkpoints_from(
        &mut self,
        log: Log,
        size: u64,
        limit: u32,
    ) -> Result<Vec<CheckpointRow>, StoreError> {
        let key = LogKey::new(Some(self.organization), log);
        self.door.rows.checkpoints_from(key, size, limit).await
    }
}

impl DoorTx {
    pub(super) fn exported_audit(&self, owner: [u8; 16], row: &AuditRow) -> Option<Exported> {
        let leaf = row.leaf?;
        let place = (owner, row.id.to_bytes());
        // What says what was erased is never erased itself.
        let line = if row.body.as_bytes().is_empty() && row.action != ERASE {
            Line::Erased
        } else {
            let line = self.keys.open_text(AUDIT_BODY, place, &row.body).ok();
            let line = line.filter(|line| leaf_hash(line.as_bytes()) == leaf);
            let line = line.filter(|line| says_audit(line, owner, row));
            line.map_or(Line::Damaged, Line::Whole)
        };
        let seq = row.seq;
        Some(Exported { seq, leaf, line })
    }

    pub(super) fn exported_usage(&self, owner: [u8; 16], row: &UsageRow) -> Exported {
        let place = (owner, row.id.to_bytes());
        let line = if row.body.as_bytes().is_empty() {
            Line::Erased
        } else {
            let line = self.keys.open_text(USAGE_BODY, place, &row.body).ok();
            let line = line.filter(|line| leaf_hash(line.as_bytes()) == row.leaf);
            let line = line.filter(|line| super::usage::says(line, owner, row));
            line.map_or(Line::Damaged, Line::Whole)
        };
        Exported {
            seq: row.seq,
            leaf: row.leaf,
            line,
        }
    }
}

/// Whether the columns of a row say what its line says.
fn says_audit(line: &str, owner: [u8; 16], row: &AuditRow) -> bool {
    let Ok(line) = AuditLine::parse(line) else {
        return false;
    };
    let outcome = match line.outcome {
        Outcome::Allowed => super::Outcome::Allowed,
        Outcome::Denied => super::Outcome::Denied,
    };
    line.seq == row.seq
        && line.organization == id_text(owner)
        && line.id == id_text(row.id.to_bytes())
        && line.at == row.at.as_micros()
        && line.action == row.action
        && outcome as u8 == row.outcome
        && line.times == row.times
        && line.workspace == row.workspace.map(Id::to_bytes).map(id_text)
        && line.principal == row.principal.map(principal_line)
        && line.credential == row.credential.map(Id::to_bytes).map(id_text)
}
