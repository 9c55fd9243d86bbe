//! A transaction with one right in one workspace: seals what goes in, opens what comes out.

mod answer;
mod capture;
mod distil;
mod exec;
mod file;
mod index;
mod injection;
mod lineage;
mod model;
mod ontology;
mod participant;
mod read;
mod removal;
mod review;
mod skill;
mod source;
mod template;
mod time;
mod upkeep;
mod write;

pub use exec::ExecEnd;
pub use lineage::Writer;
pub use participant::{CanDeleteParticipant, Erased};
pub use removal::{Removal, Root, Withdrawn};
pub use template::SeesTemplates;
pub use upkeep::DistilSession;

use std::marker::PhantomData;
use std::sync::Arc;

use skep_authz::{Authorized, Right};
use skep_domain::{Harness, Id, MemoryId, Principal, ProjectId, ReadingRing, WorkspaceId};

use crate::StoreError;
use crate::backend::{BackendTx, Committed};
use crate::keys::WorkspaceKeys;
use crate::scope::ScopeKey;

/// A transaction that was opened with right `P`. Dropped without [`Tx::commit`], it leaves nothing.
///
/// What it can do follows from `P`: reading needs [`skep_authz::CanRead`], writing
/// [`skep_authz::CanWrite`], and rows behind everybody's ring only show to
/// [`skep_authz::Upkeep`].
pub struct Tx<P: Right> {
    scope: ScopeKey,
    principal: Option<Principal>,
    ring: ReadingRing,
    harness: Option<Harness>,
    keys: Arc<WorkspaceKeys>,
    backend: Box<dyn BackendTx>,
    right: PhantomData<fn() -> P>,
}

/// An id that the authorization step let through, for this workspace. Content loads take nothing
/// else, so a candidate that was not authorized cannot be loaded.
#[derive(Debug)]
pub struct Visible<I: Id> {
    id: I,
    workspace: WorkspaceId,
}

impl<I: Id> Visible<I> {
    /// The id.
    #[must_use]
    pub fn id(&self) -> I {
        self.id
    }
}

impl<P: Right> Tx<P> {
    pub(crate) fn new(
        authorized: Authorized<P>,
        scope: ScopeKey,
        keys: Arc<WorkspaceKeys>,
        backend: Box<dyn BackendTx>,
    ) -> Self {
        let (principal, ring) = (authorized.principal(), authorized.ring());
        let harness = authorized.bindings().harness;
        drop(authorized);
        Self {
            scope,
            principal,
            ring,
            harness,
            keys,
            backend,
            right: PhantomData,
        }
    }

    /// Who acts; `None` for upkeep.
    #[must_use]
    pub fn principal(&self) -> Option<Principal> {
        self.principal
    }

    /// The workspace's `seq` as this transaction sees it.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn seq(&mut self) -> Result<u64, StoreError> {
        self.backend.seq(&self.scope).await
    }

    /// Ends the transaction; what it wrote is durable when this returns.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]: nothing, or everything, was written; idempotent writes may be
    /// tried again.
    pub async fn commit(self) -> Result<Committed, StoreError> {
        self.backend.commit(&self.scope).await
    }

    /// Whether what is about to be written lies in the projects that the credential is bound to.
    fn check_project(&self, project: Option<ProjectId>) -> Result<(), StoreError> {
        if self.ring.projects().allow(project) {
            Ok(())
        } else {
            Err(StoreError::OutOfBounds(
                "the key is bound to other projects: name one of those that it is for",
            ))
        }
    }

    fn visible(&self, id: MemoryId) -> Visible<MemoryId> {
        Visible {
            id,
            workspace: self.scope.workspace(),
        }
    }
}

impl<P: Right> std::fmt::Debug for Tx<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tx")
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}
