//! What waits for a human: quarantined memories, and conflicts between memories.

use skep_authz::{
    Authorized, Denied,
    rights::{MemoryDelete, MemoryRead, MemoryReview},
};
use skep_domain::{ConflictId, Limits, MemoryId, Permission, Resolution};
use skep_store::{Conflict, Held, HistoryEntry, Memory, PageOf, StoreError};

use crate::error::Invalid;
use crate::{App, AppError, files};

/// A page of what is held back.
#[derive(Debug)]
pub struct HeldPage {
    /// Newest first.
    pub items: Vec<Held>,
    /// Whether there may be more.
    pub more: bool,
}

/// A page of conflicts.
#[derive(Debug)]
pub struct ConflictPage {
    /// Newest first.
    pub items: Vec<Conflict>,
    /// Id of the last one looked at, if there may be more.
    pub next: Option<ConflictId>,
}

/// One version of a memory and what happened to it.
#[derive(Debug)]
pub struct Version {
    /// The memory.
    pub memory: Memory,
    /// Oldest entry first.
    pub entries: Vec<HistoryEntry>,
    /// What took its place.
    pub successor: Option<MemoryId>,
}

/// Every version of a memory.
#[derive(Debug)]
pub struct History {
    /// Oldest first.
    pub versions: Vec<Version>,
    /// How many of them are this one memory, edited: they are erased together.
    pub edits: u64,
}

/// Versions of one memory that are counted.
const EDITS: usize = 1_000;
/// Bytes of a reason.
pub(crate) const REASON: usize = 1_024;
const SETTLED: &str = "a human settled a conflict";

impl App {
    /// Memories in quarantine with what speaks against them, newest first.
    ///
    /// # Errors
    /// [`AppError`].
    pub async fn list_quarantine(
        &self,
        authorized: Authorized<MemoryReview>,
        page: PageOf<MemoryId>,
    ) -> Result<HeldPage, AppError> {
        let mut tx = self.store.begin(authorized).await?;
        let items = tx.list_quarantined(page).await?;
        let more = items.len() == page.limit as usize;
        Ok(HeldPage { items, more })
    }

    /// Lets a memory out of quarantine, into recall or into oblivion. No agent may, whatever its
    /// role allows.
    ///
    /// # Errors
    /// [`AppError::Denied`] for an agent; [`AppError::NotFound`] when none waits under this id;
    /// [`AppError::Conflict`] when an active memory says the same, or a file stands where this one would.
    pub async fn review(
        &self,
        authorized: Authorized<MemoryReview>,
        id: MemoryId,
        accepted: bool,
        reason: Option<&str>,
    ) -> Result<Memory, AppError> {
        if authorized.agent().is_some() {
            return Err(Denied::MissingPermission(Permission::MemoryReview).into());
        }
        let reason = reason.unwrap_or(if accepted { "accepted" } else { "rejected" });
        Invalid::check_length("reason", reason, REASON)?;
        let reason = self.take_in_line(reason);
        let tenant = (authorized.organization(), authorized.workspace());
        let mut tx = self.store.begin(authorized).await?;
        let released = tx.review(id, accepted, &reason, self.store.now()).await;
        let released = match released {
            Err(StoreError::Conflict(_)) => {
                return Err(AppError::Conflict(
                    "an active memory says the same already: reject this one",
                ));
            }
            other => other?,
        };
        if !released {
            return Err(AppError::NotFound("memory in quarantine"));
        }
        let memory = tx.get_memory(id).await?;
        let memory = memory.ok_or(AppError::NotFound("memory"))?;
        if let (true, Some((owner, path))) = (accepted, files::place_of(&memory)) {
            // Where it stood, another may stand by now.
            let limit = Limits::FILES as u32 + 1;
            let there = tx.list_files(owner, &files::root()?, limit).await?;
            files::check_free(&there, path, Some(id))?;
        }
        tx.commit().await?;
        self.dirty.mark(tenant);
        Ok(memory)
    }

    /// Open conflicts, newest first.
    ///
    /// # Errors
    /// [`AppError`].
    pub async fn list_conflicts(
        &self,
        authorized: Authorized<MemoryRead>,
        page: PageOf<ConflictId>,
    ) -> Result<ConflictPage, AppError> {
        let mut tx = self.store.begin(authorized).await?;
        let items = tx.list_conflicts(page).await?;
        let full = items.len() == page.limit as usize;
        let next = items.last().filter(|_| full).map(|last| last.id);
        Ok(ConflictPage { items, next })
    }

    /// Says which of two memories holds.
    ///
    /// # Errors
    /// [`AppError::Denied`] for an agent; [`AppError::NotFound`]; [`AppError::Conflict`] when it is
    /// resolved already.
    pub async fn resolve_conflict(
        &self,
        authorized: Authorized<MemoryDelete>,
        id: ConflictId,
        resolution: Resolution,
    ) -> Result<Conflict, AppError> {
        if authorized.agent().is_some() {
            return Err(Denied::MissingPermission(Permission::MemoryDelete).into());
        }
        let tenant = (authorized.organization(), authorized.workspace());
        let at = self.store.now();
        let mut tx = self.store.begin(authorized).await?;
        let conflict = tx.get_conflict(id).await?;
        let conflict = conflict.ok_or(AppError::NotFound("conflict"))?;
        if !tx.settle_conflict(id, resolution, at).await? {
            return Err(AppError::Conflict("this conflict is resolved already"));
        }
        let (older, newer) = (conflict.older.id, conflict.newer.id);
        match resolution {
            Resolution::KeepBoth => {}
            Resolution::KeepOlder => {
                tx.forget(newer, SETTLED, at).await?;
            }
            Resolution::KeepNewer => {
                let writer = tx.writer()?;
                let pair = (older, newer);
                // A human's decision counts for more than whose words they were.
                if !tx.supersede(&writer, pair, SETTLED, at).await? {
                    tx.forget(older, SETTLED, at).await?;
                }
            }
            Resolution::ForgetBoth => {
                tx.forget(older, SETTLED, at).await?;
                tx.forget(newer, SETTLED, at).await?;
            }
        }
        let settled = tx.get_conflict(id).await?;
        let settled = settled.ok_or(AppError::NotFound("conflict"))?;
        tx.commit().await?;
        self.dirty.mark(tenant);
        Ok(settled)
    }

    /// A memory with every version that came before and after it, oldest first, and what happened
    /// to each.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn memory_history(
        &self,
        authorized: Authorized<MemoryRead>,
        id: MemoryId,
    ) -> Result<History, AppError> {
        let mut tx = self.store.begin(authorized).await?;
        tx.get_memory(id)
            .await?
            .ok_or(AppError::NotFound("memory"))?;
        let links = tx.list_versions(id).await?;
        let ends = links.iter().flat_map(|(older, newer)| [*older, *newer]);
        let ids: std::collections::BTreeSet<MemoryId> = ends.chain([id]).collect();
        let mut versions = Vec::with_capacity(ids.len());
        for version in ids {
            let Some(memory) = tx.get_memory(version).await? else {
                continue;
            };
            let successor = links.iter().find(|(older, _)| *older == version);
            versions.push(Version {
                entries: tx.list_history(version).await?,
                successor: successor.map(|(_, newer)| *newer),
                memory,
            });
        }
        versions.sort_by_key(|version| (version.memory.validity.from, version.memory.id));
        let edits = 1 + tx.list_edits(id, EDITS).await?.len() as u64;
        Ok(History { versions, edits })
    }
}
