//! What a backend stores: clear columns for scoping, [`Sealed`] for all that a person would mind.
//!
//! A backend never sees content. What it sees is listed here, and nothing else crosses the port.

mod access;
mod answer;
mod capture;
mod directive;
mod exec;
mod factor;
mod job;
mod ledger;
mod meter;
mod model;
mod participant;
mod sink;
mod skill;
mod source;
mod template;

pub use access::{
    AgentRow, AuditRow, CredentialSummaryRow, NewCredentialRow, OrganizationMemberRow,
    OrganizationRow, PepperUse, PolicyGroupRow, ProofRow, Rotated, SECOND_FACTOR, TicketKind,
    TicketRow, UserRow, WorkspaceSummaryRow,
};
pub use directive::{DirectiveRow, PromotionRow};
pub use factor::{FactorChange, FactorRow};
pub use job::{EraseStep, JobAsk, JobEnd, JobFacts, JobLease, JobRow, NewJobRow};
pub use ledger::{AheadRow, CheckpointRow, Growth, HeadRow, LogKey, SeenRow, TileRow, UsageRow};
pub use meter::{
    BudgetRow, Counted, RateCardRow, ReservationRow, SpendChange, SpendRow, UsageDayRow, UsageSums,
    scope_columns, scope_of_columns,
};
pub use participant::{
    AboutRow, ConsentRow, MemberRow, NameRow, ObservationPage, ParticipantEventRow, ParticipantRow,
    StoredObservationRow,
};
pub use sink::{BehindRow, SinkKey, SinkRow, SinkState, SinkTurnRow};

pub use skep_ledger::{Hash, Log};

use skep_authz::CredentialKey;
use skep_crypto::{Sealed, WrappedKey};
use skep_domain::{
    ConflictId, CredentialId, Harness, InjectionId, MemoryId, MemoryKind, MemoryState, Moment,
    OriginKind, ParticipantId, PolicyGroupId, Principal, ProjectId, ProposalId, ProposalState,
    ReadPolicy, RemovalMode, Resolution, Role, SessionId, SessionState, Timestamp, Trust, TurnId,
    TurnRole, Validity, Visibility,
};

pub use answer::{AnswerClaimRow, AnswerRow};
pub use capture::{BindingRow, OutcomeCount, PauseRow};
pub use exec::{ExecChange, ExecRow};
pub use model::{
    ModelBudgetRow, ModelDayRow, ModelPassRow, ModelPassState, ModelQueueRow, ModelSpentRow,
};
pub use skill::SkillRow;
pub use source::{ChunkRow, SourceRow, SourceSummaryRow};
pub use template::{AccessRow, TemplateRow};

/// A keyed 16-byte digest of something that is looked up by equality and must not be read.
pub type Fingerprint = [u8; 16];

/// The one row that makes a set of files an installation.
#[derive(Clone, Debug)]
pub struct InstanceRow {
    /// Random, clear; salts the key-encryption key.
    pub id: [u8; 16],
    /// The instance secret, wrapped.
    pub secret: WrappedKey,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A workspace as the control data knows it.
#[derive(Clone, Debug)]
pub struct WorkspaceRow {
    /// Its data key, wrapped. Erasing a workspace begins with forgetting this.
    pub key: WrappedKey,
    /// Of its name's skeleton: unique in the organization.
    pub fingerprint: Option<Fingerprint>,
    /// Its name, sealed under that key.
    pub name: Sealed,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A credential of the installation itself and its principal, as they are put in.
#[derive(Clone, Debug)]
pub struct CredentialRow {
    /// The row.
    pub id: CredentialId,
    /// What it is found by.
    pub key: CredentialKey,
    /// Whom it proves.
    pub principal: Principal,
    /// With which role.
    pub role: Role,
    /// Reading what, for agents.
    pub policy: ReadPolicy,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A project: a sealed name found by its fingerprint.
#[derive(Clone, Debug)]
pub struct ProjectRow {
    /// Its id.
    pub id: ProjectId,
    /// Of the name.
    pub fingerprint: Fingerprint,
    /// The name.
    pub name: Sealed,
}

/// A session.
#[derive(Clone, Debug)]
pub struct SessionRow {
    /// Its id.
    pub id: SessionId,
    /// Which harness.
    pub harness: Harness,
    /// Of harness and external id: unique in the workspace.
    pub fingerprint: Fingerprint,
    /// The project, if known.
    pub project: Option<ProjectId>,
    /// Who captured it.
    pub owner: Principal,
    /// Their policy group then.
    pub owner_group: Option<PolicyGroupId>,
    /// Who may read it.
    pub visibility: Visibility,
    /// Whether it still takes turns.
    pub state: SessionState,
    /// First turn, by the client's clock.
    pub started_at: Timestamp,
    /// Last turn, by the client's clock.
    pub last_at: Timestamp,
    /// When we first heard of it.
    pub recorded_at: Timestamp,
    /// External id, title, working directory.
    pub body: Sealed,
}

/// A session with what was counted about it.
#[derive(Clone, Debug)]
pub struct SessionSummaryRow {
    /// The session.
    pub session: SessionRow,
    /// Sealed name of its project.
    pub project_name: Option<Sealed>,
    /// Turns kept.
    pub turns: u64,
    /// Memories that cite it.
    pub memories: u64,
}

/// A turn.
#[derive(Clone, Debug)]
pub struct TurnRow {
    /// Its id.
    pub id: TurnId,
    /// Of the client's event id: unique in the session.
    pub fingerprint: Fingerprint,
    /// What it is.
    pub role: TurnRole,
    /// 0 main, 1 abandoned, 2 sidechain.
    pub branch: u8,
    /// Who spoke or acted; `None` for turns kept before that was known, and for the deleted.
    pub author: Option<ParticipantId>,
    /// The tool failed.
    pub is_error: bool,
    /// By the client's clock.
    pub at: Timestamp,
    /// By ours.
    pub recorded_at: Timestamp,
    /// Event id, text, tool, paths.
    pub body: Sealed,
}

/// A turn as it is read back.
#[derive(Clone, Debug)]
pub struct StoredTurnRow {
    /// The session it belongs to.
    pub session: SessionId,
    /// Place in the session, from 0.
    pub ordinal: u64,
    /// The turn.
    pub turn: TurnRow,
}

/// A memory.
#[derive(Clone, Debug)]
pub struct MemoryRow {
    /// Its id.
    pub id: MemoryId,
    /// What sort of statement.
    pub kind: MemoryKind,
    /// Whose word it is.
    pub trust: Trust,
    /// Whether it takes part in recall.
    pub state: MemoryState,
    /// When it holds.
    pub validity: Validity,
    /// Who made it.
    pub owner: Principal,
    /// Their policy group then.
    pub owner_group: Option<PolicyGroupId>,
    /// Who may read it.
    pub visibility: Visibility,
    /// The project, if known.
    pub project: Option<ProjectId>,
    /// The harness it came through.
    pub harness: Harness,
    /// The session it was distilled from.
    pub session: Option<SessionId>,
    /// Of owner ring and normal form: the same statement twice is one memory.
    pub fingerprint: Fingerprint,
    /// Key line, text, entities, references.
    pub body: Sealed,
    /// The turns it was distilled from.
    pub turns: Vec<TurnId>,
}

/// A memory as it is read back.
#[derive(Clone, Debug)]
pub struct StoredMemoryRow {
    /// The memory.
    pub memory: MemoryRow,
    /// Sealed name of its project.
    pub project_name: Option<Sealed>,
}

/// What is known of a memory without what it says.
#[derive(Clone, Debug)]
pub struct MemoryFactsRow {
    /// Identifies the memory.
    pub id: MemoryId,
    /// What sort of statement.
    pub kind: MemoryKind,
    /// Since when it holds in the world.
    pub valid_from: Timestamp,
    /// Its project.
    pub project: Option<ProjectId>,
    /// Sealed name of its project.
    pub project_name: Option<Sealed>,
}

/// A change to tell the index of.
#[derive(Clone, Debug)]
pub struct ChangeRow {
    /// The write it belongs to.
    pub seq: u64,
    /// Which memory.
    pub id: MemoryId,
    /// What sort of statement.
    pub kind: MemoryKind,
    /// Whether it takes part in recall; quarantined while a consent it rests on is missing.
    pub state: MemoryState,
    /// When we learned it.
    pub recorded_at: Timestamp,
    /// Since when it holds in the world.
    pub valid_from: Timestamp,
    /// The session it was distilled from.
    pub session: Option<SessionId>,
    /// Who made it, and who may read it: memories of one session are near each other only for the
    /// same readers.
    pub readers: (Principal, Visibility),
    /// The project, if known.
    pub project: Option<ProjectId>,
    /// Key line, text, entities, references.
    pub body: Sealed,
    /// The vector and the tag of the model that made it.
    pub vector: Option<(ModelTag, Sealed)>,
}

/// Names the embedding model of a vector: 8 bytes of its id's digest.
pub type ModelTag = [u8; 8];

/// A memory that has no vector of the current model.
#[derive(Clone, Debug)]
pub struct UnembeddedRow {
    /// Which memory.
    pub id: MemoryId,
    /// Key line, text, entities, references.
    pub body: Sealed,
}

/// A vector to keep.
#[derive(Clone, Debug)]
pub struct VectorRow {
    /// Of which memory.
    pub id: MemoryId,
    /// Made by which model.
    pub model: ModelTag,
    /// Numbers in the vector.
    pub dim: u16,
    /// The numbers.
    pub vector: Sealed,
}

/// What a memory rests on, beside its own row.
#[derive(Clone, Debug, Default)]
pub struct TraceRow {
    /// Of what it speaks about.
    pub topics: Vec<Fingerprint>,
    /// What it rests on.
    pub origins: Vec<OriginRow>,
    /// The first entry of its history, if there is something to say.
    pub first: Option<HistoryRow>,
}

/// One thing that a memory rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OriginRow {
    /// What sort of thing.
    pub kind: OriginKind,
    /// Its id.
    pub origin: [u8; 16],
    /// How far it is trusted.
    pub trust: Trust,
}

/// A session or a source that is taken back with what came of it.
#[derive(Clone, Debug)]
pub struct RemovalRow {
    /// What sort of origin.
    pub kind: OriginKind,
    /// Its id.
    pub origin: [u8; 16],
    /// How thoroughly.
    pub mode: RemovalMode,
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// By whom.
    pub actor: Option<Principal>,
    /// Why.
    pub reason: Sealed,
    /// When all was done.
    pub done_at: Option<Timestamp>,
}

/// A memory that rests on some origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RestingRow {
    /// Which memory.
    pub id: MemoryId,
    /// Whether it rests on something else that is enough by itself.
    pub stands: bool,
}

/// Two memories of which at most one can be true.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConflictRow {
    /// Its id.
    pub id: ConflictId,
    /// The one that holds from earlier on.
    pub older: MemoryId,
    /// The other.
    pub newer: MemoryId,
    /// When it was noticed.
    pub found_at: Timestamp,
    /// How and when it was resolved, if it was.
    pub resolved: Option<(Resolution, Timestamp)>,
}

/// One entry of a memory's history.
#[derive(Clone, Debug)]
pub struct HistoryRow {
    /// When.
    pub at: Timestamp,
    /// Who; `None` for the daemon itself.
    pub actor: Option<Principal>,
    /// Became what.
    pub state: MemoryState,
    /// Why, as sealed sentences.
    pub reason: Sealed,
}

/// What was put in front of a model.
#[derive(Clone, Debug)]
pub struct InjectionRow {
    /// Its id.
    pub id: InjectionId,
    /// Into which session.
    pub session: SessionId,
    /// When.
    pub at: Timestamp,
    /// On which occasion.
    pub moment: Moment,
    /// The memories in it, in order.
    pub memories: Vec<MemoryId>,
    /// The exact bytes, what was asked, the scores.
    pub body: Sealed,
}

/// An injection as it is read back.
#[derive(Clone, Debug)]
pub struct StoredInjectionRow {
    /// The injection.
    pub injection: InjectionRow,
    /// Place among the session's, from 0.
    pub ordinal: u64,
}

/// What distilling still has to do in a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DistilRow {
    /// Which session.
    pub session: SessionId,
    /// First ordinal not yet distilled.
    pub from: u64,
    /// One past the last ordinal kept.
    pub to: u64,
    /// Whether the session has ended, so that the last exchange is complete.
    pub ended: bool,
}

/// Counts of a workspace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CountsRow {
    /// Sessions kept.
    pub sessions: u64,
    /// Turns kept.
    pub turns: u64,
    /// Memories that take part in recall.
    pub memories: u64,
    /// Of those, the ones without a vector of the current model.
    pub awaiting_vector: u64,
    /// Turns not yet distilled.
    pub awaiting_distil: u64,
}

/// A proposal about names.
#[derive(Clone, Debug)]
pub struct ProposalRow {
    /// Its id.
    pub id: ProposalId,
    /// How far it has come.
    pub state: ProposalState,
    /// Who made it.
    pub proposer: Principal,
    /// When.
    pub at: Timestamp,
    /// Who decided it, and when.
    pub decided: Option<(Principal, Timestamp)>,
    /// What it asks for, of which names, and why.
    pub body: Sealed,
}
