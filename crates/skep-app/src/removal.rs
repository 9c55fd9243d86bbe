//! Erasing without a trace, and taking back a session or a source with all that came of it.

use skep_authz::{Authorized, Denied, rights::MemoryDelete};
use skep_domain::{Limits, MemoryId, Permission, RemovalMode, SessionId, SourceId, Timestamp};
use skep_store::{Memory, MemoryFilter, Removal, Root, Withdrawn};

use crate::error::Invalid;
use crate::review::REASON;
use crate::upkeep::{Tenant, maintain, survey};
use crate::{App, AppError};

/// What is left of what was erased.
#[derive(Clone, Copy, Debug)]
pub struct Erased {
    /// When.
    pub at: Timestamp,
    /// Whether the bytes are gone from the files already; if not, somebody still read what was
    /// there before, and upkeep sees to it.
    pub scrubbed: bool,
    /// Versions, for a memory: itself, and what it was edited from and to.
    pub versions: u64,
    /// What came of it, for a session.
    pub withdrawn: Withdrawn,
}

/// What to take back.
#[derive(Clone, Debug)]
pub enum Target {
    /// A session.
    Session(SessionId),
    /// A source of documents.
    Source(SourceId),
    /// All sessions that an import brought, by the name of the import's source.
    Import(String),
}

/// How to take it back.
#[derive(Clone, Debug)]
pub struct Rewind {
    /// What.
    pub target: Target,
    /// Whether the memories are erased and not only forgotten.
    pub erase: bool,
    /// Only say what would go.
    pub dry_run: bool,
    /// Why.
    pub reason: String,
}

/// What was, or would be, taken back.
#[derive(Debug, Default)]
pub struct Rewound {
    /// Sessions and sources.
    pub roots: u64,
    /// Counts of memories.
    pub withdrawn: Withdrawn,
    /// Some of the memories that go, for a look.
    pub sample: Vec<Memory>,
}

/// Memories per transaction: short enough that writers hardly wait.
const BATCH: u32 = 100;
/// Turns per transaction.
const TURNS: u32 = 500;
/// Memories shown by a dry run.
const SAMPLE: usize = 20;
/// Memories counted by a dry run.
const COUNTED: u32 = 10_000;
/// Tries to cut the log off while somebody reads.
const TRIES: usize = 3;

impl App {
    /// Deletes a memory with its vector, history and index, and every version that it was edited
    /// from or to. Only ids and the time are left.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn erase_memory(
        &self,
        authorized: Authorized<MemoryDelete>,
        id: MemoryId,
    ) -> Result<Erased, AppError> {
        let tenant = (authorized.organization(), authorized.workspace());
        let at = self.store.now();
        let mut tx = self.store.begin(authorized).await?;
        let versions = tx.erase(id, at).await?;
        if versions == 0 {
            return Err(AppError::NotFound("memory"));
        }
        tx.commit().await?;
        Ok(Erased {
            at,
            scrubbed: self.clear_traces(tenant).await?,
            versions,
            withdrawn: Withdrawn::default(),
        })
    }

    /// Deletes a session: its turns, and every memory that rests on it alone.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn erase_session(
        &self,
        authorized: Authorized<MemoryDelete>,
        id: SessionId,
    ) -> Result<Erased, AppError> {
        let tenant = (authorized.organization(), authorized.workspace());
        let at = self.store.now();
        let removal = Removal {
            root: Root::Session(id),
            mode: RemovalMode::EraseAll,
            reason: "the session was erased".into(),
        };
        let mut tx = self.store.begin(authorized).await?;
        tx.get_session(id)
            .await?
            .ok_or(AppError::NotFound("session"))?;
        tx.put_removal(&removal, at).await?;
        tx.commit().await?;
        let withdrawn = self.carry_out(tenant, &removal).await?;
        Ok(Erased {
            at,
            scrubbed: self.clear_traces(tenant).await?,
            versions: 0,
            withdrawn,
        })
    }

    /// Takes back what came of a session or a source. Derived memories go with it, what rests on
    /// something else too stays, what was replaced comes back. Doing it twice changes nothing more.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; [`AppError::Denied`] for an agent.
    pub async fn rewind(
        &self,
        authorized: Authorized<MemoryDelete>,
        rewind: Rewind,
    ) -> Result<Rewound, AppError> {
        if authorized.agent().is_some() {
            return Err(Denied::MissingPermission(Permission::MemoryDelete).into());
        }
        Invalid::check_length("reason", &rewind.reason, REASON)?;
        if let Target::Import(source) = &rewind.target {
            Invalid::check_length("source", source, Limits::QUERY)?;
        }
        let tenant = (authorized.organization(), authorized.workspace());
        let reason = self.take_in_line(&rewind.reason);
        let mut tx = self.store.begin(authorized).await?;
        let roots = roots(&mut tx, &rewind.target).await?;
        let mut rewound = Rewound {
            roots: roots.len() as u64,
            ..Rewound::default()
        };
        if rewind.dry_run {
            for root in roots {
                preview(&mut tx, root, &mut rewound).await?;
            }
            return Ok(rewound);
        }
        let mode = if rewind.erase {
            RemovalMode::Erase
        } else {
            RemovalMode::Forget
        };
        let removals: Vec<Removal> = roots
            .into_iter()
            .map(|root| Removal {
                root,
                mode,
                reason: reason.clone(),
            })
            .collect();
        for removal in &removals {
            tx.put_removal(removal, self.store.now()).await?;
        }
        tx.commit().await?;
        for removal in &removals {
            rewound.withdrawn += self.carry_out(tenant, removal).await?;
        }
        if rewind.erase {
            self.clear_traces(tenant).await?;
        }
        self.dirty.mark(tenant);
        Ok(rewound)
    }

    /// Finishes what a kill left half done.
    pub(crate) async fn finish_removals(&self, tenant: Tenant) -> Result<(), AppError> {
        let mut tx = self.store.begin(survey(tenant)).await?;
        let open = tx.list_removals(BATCH).await?;
        let unscrubbed = tx.is_unscrubbed().await?;
        drop(tx);
        let more = !open.is_empty();
        for removal in &open {
            self.carry_out(tenant, removal).await?;
        }
        if more || unscrubbed {
            self.clear_traces(tenant).await?;
        }
        Ok(())
    }

    /// In bounded batches, each durable; the last one notes that it is done.
    pub(crate) async fn carry_out(
        &self,
        tenant: Tenant,
        removal: &Removal,
    ) -> Result<Withdrawn, AppError> {
        let mut total = Withdrawn::default();
        loop {
            let mut tx = self.store.begin(maintain(tenant)).await?;
            let done = tx.take_back(removal, self.store.now(), BATCH).await?;
            total += done;
            if done.removed + done.kept > 0 {
                tx.commit().await?;
                continue;
            }
            if let Root::Session(id) = removal.root {
                if removal.mode == RemovalMode::EraseAll {
                    if tx.erase_turns(id, TURNS).await? > 0 {
                        tx.commit().await?;
                        continue;
                    }
                    tx.erase_session(id, self.store.now()).await?;
                } else if let Some(state) = tx.get_distil_state(id).await? {
                    tx.set_distilled(id, state.to).await?;
                }
            }
            tx.finish_removal(removal.root, self.store.now()).await?;
            tx.commit().await?;
            return Ok(total);
        }
    }

    /// Out of the index in memory, its snapshot, and the database's log.
    pub(crate) async fn clear_traces(&self, tenant: Tenant) -> Result<bool, AppError> {
        self.hot.refresh(tenant).await?;
        self.store.drop_snapshot(survey(tenant)).await?;
        for _ in 0..TRIES {
            if self.store.scrub(survey(tenant)).await? {
                let mut tx = self.store.begin(maintain(tenant)).await?;
                tx.mark_scrubbed().await?;
                tx.commit().await?;
                return Ok(true);
            }
        }
        self.dirty.mark(tenant);
        Ok(false)
    }
}

async fn roots(
    tx: &mut skep_store::Tx<MemoryDelete>,
    target: &Target,
) -> Result<Vec<Root>, AppError> {
    match target {
        Target::Session(id) => {
            tx.get_session(*id)
                .await?
                .ok_or(AppError::NotFound("session"))?;
            Ok(vec![Root::Session(*id)])
        }
        Target::Source(id) => {
            tx.get_source(*id)
                .await?
                .ok_or(AppError::NotFound("source"))?;
            Ok(vec![Root::Source(*id)])
        }
        Target::Import(source) => {
            let sessions = tx.list_sessions_of(source).await?;
            if sessions.is_empty() {
                return Err(AppError::NotFound("source of an import"));
            }
            Ok(sessions.into_iter().map(Root::Session).collect())
        }
    }
}

async fn preview(
    tx: &mut skep_store::Tx<MemoryDelete>,
    root: Root,
    rewound: &mut Rewound,
) -> Result<(), AppError> {
    let (ids, kept) = tx.preview_removal(root, COUNTED).await?;
    rewound.withdrawn.removed += ids.len() as u64;
    rewound.withdrawn.kept += kept;
    let left = SAMPLE.saturating_sub(rewound.sample.len());
    let filter = MemoryFilter::default();
    let mut visible = tx.authorize(&ids, &filter).await?;
    visible.truncate(left);
    rewound.sample.extend(tx.load(&visible).await?);
    Ok(())
}
