//! The port that a backend implements. Every method takes a [`ScopeKey`], which only this crate can
//! make, so that holding a backend buys nothing.

mod answer;
mod archive;
mod capture;
mod conflict;
pub mod control;
mod distil;
mod exec;
mod index;
mod injection;
mod job;
mod model;
mod ontology;
mod participant;
mod removal;
mod review;
mod ring;
mod shared;
mod skill;
mod source;
mod template;
mod time;

pub use answer::AnswerRows;
pub use archive::{ArchiveRows, Area, Fill, Part, Walk};
pub use participant::{ParticipantRows, ReachRow};

use std::pin::Pin;

use async_trait::async_trait;
use skep_crypto::Sealed;
use skep_domain::{
    MemoryId, MemoryKind, OrganizationId, Principal, ProjectId, ReadPolicy, ReadingRing, SessionId,
    SessionState, Timestamp, TurnId, WorkspaceId,
};

use crate::StoreError;
use crate::row::{
    ChangeRow, CountsRow, CredentialRow, DistilRow, Fingerprint, HistoryRow, InstanceRow,
    MemoryFactsRow, MemoryRow, ModelTag, ProjectRow, SessionRow, SessionSummaryRow,
    StoredMemoryRow, StoredTurnRow, TurnRow, UnembeddedRow, VectorRow, WorkspaceRow,
};
use crate::scope::{ControlKey, ScopeKey};

// The port's own words: a backend that depended on the crate that grants rights could ask it for some.
pub use conflict::ConflictRows;
pub use control::ControlTx;
pub use distil::DistilRows;
pub use index::{IndexRows, Walked};
pub use injection::InjectionRows;
pub use job::JobQueue;
pub use model::ModelRows;
pub use ontology::OntologyRows;
pub use removal::RemovalRows;
pub use review::ReviewRows;
pub use ring::RingValues;
pub use shared::{Heard, Hold, Shared, Work};
pub use skep_authz::{CredentialFacts, CredentialKey, Proof, RoleSource, StoredCredential};
pub use time::TimeRows;

pub use capture::CaptureRows;
pub use exec::ExecRows;
pub use skill::SkillRows;
pub use source::SourceRows;
pub use template::{AccessRows, TemplateRows};

/// What a transaction may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A consistent view, from its first statement on; never waits for a writer.
    Read,
    /// One at a time per workspace; durable when `commit` returns.
    Write,
    /// For counts of what calls of models cost and nothing else. It does not wait for the disk: what was committed
    /// outlives this program, however it ends, and may be lost when the machine does.
    Swift,
}

impl Mode {
    /// Whether it changes anything.
    #[must_use]
    pub const fn writes(self) -> bool {
        !matches!(self, Self::Read)
    }
}

/// Which memories a listing or an authorization may return, beside the ring.
#[derive(Clone, Debug, Default)]
pub struct MemoryFilter {
    /// Only this project.
    pub project: Option<ProjectId>,
    /// Only these kinds; all if empty.
    pub kinds: Vec<MemoryKind>,
    /// What held then in both times, though it may be superseded since, but never what is
    /// quarantined or forgotten; the present, and only recallable states, if `None`.
    pub as_of: Option<Timestamp>,
}

/// A page of rows in descending order of id.
#[derive(Clone, Copy, Debug)]
pub struct PageOf<I> {
    /// Rows wanted.
    pub limit: u32,
    /// Only rows whose id is less.
    pub before: Option<I>,
}

impl<I> PageOf<I> {
    /// One row more, to know whether there are more than are wanted.
    #[must_use]
    pub fn and_one(self) -> Self {
        Self {
            limit: self.limit.saturating_add(1),
            ..self
        }
    }
}

/// Work that is many statements, and waits for hardly anything else.
pub type Many = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What a commit left behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The workspace's `seq` now; every writing commit adds one.
    pub seq: u64,
}

/// A storage system.
#[async_trait]
pub trait Backend: ArchiveRows + JobQueue + Send + Sync + 'static {
    /// Its name in status output.
    fn name(&self) -> &'static str;

    /// What other processes on the same rows need of it; `None` where one has them alone.
    fn shared(&self) -> Option<&dyn Shared> {
        None
    }

    /// Does many statements in the way that costs least here. If the caller goes away, they are done or left as it
    /// suits.
    async fn at_once(&self, work: Many) -> Result<(), StoreError> {
        work.await;
        Ok(())
    }

    /// Has what [`Mode::Swift`] committed so far outlive the machine, beside whoever writes meanwhile.
    async fn sync(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Whether it answers at all, whatever waits for it.
    async fn reach(&self, key: &ControlKey) -> Result<(), StoreError> {
        self.instance(key).await.map(|_| ())
    }

    /// The installation, if one was made.
    async fn instance(&self, key: &ControlKey) -> Result<Option<InstanceRow>, StoreError>;

    /// Makes the installation. A second one is [`StoreError::Conflict`].
    async fn put_instance(&self, key: &ControlKey, row: InstanceRow) -> Result<(), StoreError>;

    /// Makes an organization's workspace with its first credentials, in one step. One that exists
    /// is [`StoreError::Conflict`].
    async fn put_workspace(
        &self,
        scope: &ScopeKey,
        row: WorkspaceRow,
        credentials: Vec<CredentialRow>,
    ) -> Result<(), StoreError>;

    /// The control row of a workspace.
    async fn workspace(&self, scope: &ScopeKey) -> Result<Option<WorkspaceRow>, StoreError>;

    /// Every workspace, for the daemon's upkeep.
    async fn workspaces(
        &self,
        key: &ControlKey,
    ) -> Result<Vec<(OrganizationId, WorkspaceId)>, StoreError>;

    /// Puts one install token in the place of all that a workspace has, for the same principal.
    async fn replace_install_token(
        &self,
        scope: &ScopeKey,
        new: CredentialKey,
    ) -> Result<(), StoreError>;

    /// The one unscoped read: whose credential is this?
    async fn credential(&self, key: &CredentialKey)
    -> Result<Option<StoredCredential>, StoreError>;

    /// Opens a transaction on the installation's own tables.
    async fn begin_control(
        &self,
        key: &ControlKey,
        mode: Mode,
    ) -> Result<Box<dyn ControlTx>, StoreError>;

    /// The read policies of a principal of the workspace, one for each credential that says so.
    async fn policies(
        &self,
        scope: &ScopeKey,
        principal: Principal,
    ) -> Result<Vec<ReadPolicy>, StoreError>;

    /// Keeps a sealed snapshot of the workspace's index beside its rows, in the place of the last
    /// one, atomically. It is a cache: losing it loses nothing.
    async fn put_snapshot(&self, scope: &ScopeKey, snapshot: Sealed) -> Result<(), StoreError>;

    /// The last snapshot, if there is one.
    async fn snapshot(&self, scope: &ScopeKey) -> Result<Option<Sealed>, StoreError>;

    /// Removes the last snapshot, if there is one.
    async fn drop_snapshot(&self, scope: &ScopeKey) -> Result<(), StoreError>;

    /// Sees to it that no byte of a deleted row is left in the workspace's files; `false` when
    /// somebody still reads what was there before, and it has to be tried again.
    async fn scrub(&self, scope: &ScopeKey) -> Result<bool, StoreError>;

    /// The same of the installation's own rows, for a store that is files of ours.
    async fn scrub_installation(&self, _: &ControlKey) -> Result<bool, StoreError> {
        Ok(true)
    }

    /// Opens a transaction on one workspace. [`StoreError::Gone`] when there is none under this
    /// organization, or no longer: it is asked every time.
    async fn begin(&self, scope: &ScopeKey, mode: Mode) -> Result<Box<dyn BackendTx>, StoreError>;
}

/// A transaction on one workspace. Dropped without `commit`, it leaves nothing; after an error, or
/// when a call was given up half-way, nothing is left but to drop it.
#[async_trait]
pub trait BackendTx:
    Send
    + TimeRows
    + ReviewRows
    + OntologyRows
    + IndexRows
    + CaptureRows
    + SourceRows
    + SkillRows
    + TemplateRows
    + AccessRows
    + ExecRows
    + AnswerRows
    + InjectionRows
    + ParticipantRows
    + ConflictRows
    + RemovalRows
    + DistilRows
    + ModelRows
{
    /// The workspace's `seq` as this transaction sees it.
    async fn seq(&mut self, scope: &ScopeKey) -> Result<u64, StoreError>;

    /// Finds a project by fingerprint, or makes it.
    async fn put_project(
        &mut self,
        scope: &ScopeKey,
        row: ProjectRow,
    ) -> Result<ProjectId, StoreError>;
    /// Finds a project by fingerprint.
    async fn project(
        &mut self,
        scope: &ScopeKey,
        fingerprint: Fingerprint,
    ) -> Result<Option<ProjectId>, StoreError>;

    /// Finds a session by fingerprint (and then widens its times, and opens it again), or makes it.
    async fn put_session(
        &mut self,
        scope: &ScopeKey,
        row: SessionRow,
    ) -> Result<SessionId, StoreError>;
    /// Sets a session's state.
    async fn set_session_state(
        &mut self,
        scope: &ScopeKey,
        id: SessionId,
        state: SessionState,
    ) -> Result<(), StoreError>;
    /// Appends turns in order; says for each whether it was new. A turn whose fingerprint the
    /// session already has is left alone.
    async fn append_turns(
        &mut self,
        scope: &ScopeKey,
        session: SessionId,
        rows: Vec<TurnRow>,
    ) -> Result<Vec<bool>, StoreError>;
    /// Sessions that the ring allows, newest first.
    async fn sessions(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        page: PageOf<SessionId>,
    ) -> Result<Vec<SessionSummaryRow>, StoreError>;
    /// One session, if the ring allows it.
    async fn session(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        id: SessionId,
    ) -> Result<Option<SessionSummaryRow>, StoreError>;
    /// Turns of a session that the ring allows, in order, from an ordinal on.
    async fn turns(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        session: SessionId,
        from: u64,
        limit: u32,
    ) -> Result<Vec<StoredTurnRow>, StoreError>;
    /// Turns by id, of sessions that the ring allows.
    async fn turns_by_id(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        ids: &[TurnId],
    ) -> Result<Vec<StoredTurnRow>, StoreError>;

    /// The position of an import, by the fingerprint of its source.
    async fn cursor(
        &mut self,
        scope: &ScopeKey,
        source: Fingerprint,
    ) -> Result<Option<Sealed>, StoreError>;
    /// Keeps the position of an import.
    async fn put_cursor(
        &mut self,
        scope: &ScopeKey,
        source: Fingerprint,
        position: Sealed,
    ) -> Result<(), StoreError>;

    /// Keeps a memory. If its fingerprint is there already in a recallable state, nothing is
    /// written and the id of that one comes back; so too for a quarantined one whose fingerprint
    /// is quarantined or was forgotten.
    async fn put_memory(
        &mut self,
        scope: &ScopeKey,
        row: MemoryRow,
    ) -> Result<Option<MemoryId>, StoreError>;
    /// Which of these the ring and the filter allow. Order and duplicates are the caller's.
    async fn visible(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        filter: &MemoryFilter,
        ids: &[MemoryId],
    ) -> Result<Vec<MemoryId>, StoreError>;
    /// Memories by id, if the ring allows them, in any state, in the order asked for.
    async fn memories_by_id(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        ids: &[MemoryId],
    ) -> Result<Vec<StoredMemoryRow>, StoreError>;
    /// Memories that the ring and the filter allow, newest first.
    async fn memories(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        filter: &MemoryFilter,
        page: PageOf<MemoryId>,
    ) -> Result<Vec<StoredMemoryRow>, StoreError>;
    /// The same without what they say, which reads no column that holds content.
    async fn memory_facts(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        filter: &MemoryFilter,
        page: PageOf<MemoryId>,
    ) -> Result<Vec<MemoryFactsRow>, StoreError>;
    /// Moves a memory that the ring allows to a state, with an entry in its history. `None` when
    /// there is no such memory, `Some(false)` when it was in that state already.
    async fn set_memory_state(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        id: MemoryId,
        entry: HistoryRow,
    ) -> Result<Option<bool>, StoreError>;

    /// Changes after `(seq, id)`, in that order; `(seq, None)` is after all of that `seq`.
    async fn changes(
        &mut self,
        scope: &ScopeKey,
        after: (u64, Option<MemoryId>),
        limit: u32,
    ) -> Result<Vec<ChangeRow>, StoreError>;
    /// Recallable memories without a vector of this model.
    async fn unembedded(
        &mut self,
        scope: &ScopeKey,
        model: ModelTag,
        limit: u32,
    ) -> Result<Vec<UnembeddedRow>, StoreError>;
    /// Keeps vectors, replacing those of other models.
    async fn put_vectors(
        &mut self,
        scope: &ScopeKey,
        rows: Vec<VectorRow>,
    ) -> Result<(), StoreError>;

    /// Sessions with turns not yet distilled.
    async fn undistilled(
        &mut self,
        scope: &ScopeKey,
        limit: u32,
    ) -> Result<Vec<DistilRow>, StoreError>;
    /// The distilling state of one session.
    async fn distil_state(
        &mut self,
        scope: &ScopeKey,
        session: SessionId,
    ) -> Result<Option<DistilRow>, StoreError>;
    /// Turns of a session from an ordinal on, for the daemon's upkeep.
    async fn turns_to_distil(
        &mut self,
        scope: &ScopeKey,
        session: SessionId,
        from: u64,
        limit: u32,
    ) -> Result<Vec<StoredTurnRow>, StoreError>;
    /// The session itself, for the daemon's upkeep.
    async fn session_to_distil(
        &mut self,
        scope: &ScopeKey,
        session: SessionId,
    ) -> Result<Option<SessionRow>, StoreError>;
    /// Notes that a session is distilled up to an ordinal.
    async fn set_distilled(
        &mut self,
        scope: &ScopeKey,
        session: SessionId,
        to: u64,
    ) -> Result<(), StoreError>;

    /// Counts of the workspace; vectors are counted against this model.
    async fn counts(&mut self, scope: &ScopeKey, model: ModelTag) -> Result<CountsRow, StoreError>;

    /// Makes everything durable. A transaction that wrote adds one to `seq`.
    async fn commit(self: Box<Self>, scope: &ScopeKey) -> Result<Committed, StoreError>;
}
