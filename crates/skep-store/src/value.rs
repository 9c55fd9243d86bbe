//! What callers give and get: plain values, opened and sealed by [`crate::Tx`].

mod answer;
mod capture;
mod exec;
mod skill;
mod source;
mod template;

use std::sync::Arc;

use skep_domain::{
    ConflictId, DerivedBy, FilePath, Harness, MemoryId, MemoryKind, MemoryState, OntologyAction,
    ParticipantId, PolicyGroupId, Principal, ProjectId, ProposalId, ProposalState, Resolution,
    SessionId, SessionState, SourceId, Timestamp, Trust, TurnId, TurnRole, Validity, Visibility,
};

mod participant;

pub use participant::{
    Card, Consent, Member, NewConsent, NewParticipant, Observation, Observed, Participant, Reach,
};

use crate::row::ModelTag;

pub use answer::{AnswerAsk, AnswerClaim, AnswerClaimed, KeptAnswer};
pub use capture::{Binding, Pause, PausedSession};
pub use exec::{ExecJob, ExecOutcome, NewExec};
pub use skill::{Decided, NewSkill, Skill, SkillFile};
pub use source::{NewChunk, NewSource, Source, SourceChanges, Validators};
pub use template::{
    Access, AccessDecision, NewAccess, NewTemplate, TemplateDecided, TemplateVersion,
};

/// A project and its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    /// Its id.
    pub id: ProjectId,
    /// Its name.
    pub name: String,
}

/// A session to keep.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// Id to use if it is new.
    pub id: SessionId,
    /// Which harness.
    pub harness: Harness,
    /// What the harness calls it; with the harness, unique in the workspace.
    pub external_id: String,
    /// What a person would call it.
    pub title: Option<String>,
    /// Working directory.
    pub cwd: Option<String>,
    /// The project, if known.
    pub project: Option<ProjectId>,
    /// Who may read it.
    pub visibility: Visibility,
    /// First and last turn known now, by the client's clock.
    pub span: (Timestamp, Timestamp),
    /// When we first heard of it.
    pub recorded_at: Timestamp,
}

/// A session as it is read.
#[derive(Clone, Debug)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// Which harness.
    pub harness: Harness,
    /// Who captured it.
    pub owner: Principal,
    /// What the harness calls it.
    pub external_id: String,
    /// What a person would call it.
    pub title: Option<String>,
    /// Working directory.
    pub cwd: Option<String>,
    /// The project, if known.
    pub project: Option<String>,
    /// Whether it still takes turns.
    pub state: SessionState,
    /// First and last turn, by the client's clock.
    pub span: (Timestamp, Timestamp),
    /// Turns kept.
    pub turns: u64,
    /// Memories that cite it.
    pub memories: u64,
}

/// Where on the conversation's tree a turn stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Branch {
    /// On the path to the last message.
    #[default]
    Main,
    /// Left behind; kept, never distilled.
    Abandoned,
    /// A subagent's.
    Sidechain,
}

/// A turn to keep. Its text is redacted already.
#[derive(Clone, Debug)]
pub struct NewTurn {
    /// Id to use if it is new.
    pub id: TurnId,
    /// The client's own id; unique in the session.
    pub client_event_id: String,
    /// What it is.
    pub role: TurnRole,
    /// Where on the tree it stands.
    pub branch: Branch,
    /// Who spoke or acted, if known.
    pub author: Option<ParticipantId>,
    /// The tool failed.
    pub is_error: bool,
    /// By the client's clock.
    pub at: Timestamp,
    /// By ours.
    pub recorded_at: Timestamp,
    /// What was said, done or printed.
    pub text: String,
    /// The tool, for calls and results.
    pub tool: Option<String>,
    /// Files it touches.
    pub paths: Vec<String>,
}

/// A turn as it is read.
#[derive(Clone, Debug)]
pub struct Turn {
    /// The session it belongs to.
    pub session: SessionId,
    /// Place in the session, from 0.
    pub ordinal: u64,
    /// The turn.
    pub turn: NewTurn,
}

/// A memory to keep. Its text is redacted already.
#[derive(Clone, Debug)]
pub struct NewMemory {
    /// Id to use if it is new.
    pub id: MemoryId,
    /// What sort of statement.
    pub kind: MemoryKind,
    /// Whose word it is.
    pub trust: Trust,
    /// Whether it takes part in recall.
    pub state: MemoryState,
    /// When it holds.
    pub validity: Validity,
    /// Who may read it.
    pub visibility: Visibility,
    /// The project, if known.
    pub project: Option<ProjectId>,
    /// The harness it came through.
    pub harness: Harness,
    /// The session it was distilled from.
    pub session: Option<SessionId>,
    /// The turns it was distilled from.
    pub turns: Vec<TurnId>,
    /// What counts for being the same statement.
    pub normal_form: String,
    /// What is sealed.
    pub body: MemoryBody,
    /// What it rests on beside `session`; whoever says it, if there is nothing.
    pub origins: Vec<Origin>,
    /// What it speaks about; statements with a topic in common may be compared. Kept as keyed
    /// digests only.
    pub topics: Vec<String>,
    /// Why it is in the state it is in: what speaks against a quarantined one. Kept, sealed, in the
    /// first entry of its history.
    pub reasons: Vec<String>,
}

/// What a memory rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A session that says it.
    Session(SessionId),
    /// A source that says it.
    Source(SourceId),
    /// A memory that it was derived from: its trust is at most that one's.
    Memory(MemoryId),
}

/// The content of a memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemoryBody {
    /// One keyword-dense line.
    pub key: String,
    /// The statement.
    pub text: String,
    /// Files, symbols, commands, errors it speaks of.
    pub entities: Vec<String>,
    /// The clients' own ids of its turns: commit ids, message uuids.
    pub references: Vec<String>,
    /// What made it.
    pub derived_by: DerivedBy,
    /// Where it stands among its owner's files, if it is one.
    pub path: Option<FilePath>,
}

/// A memory as it is read.
#[derive(Clone, Debug)]
pub struct Memory {
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
    pub project_id: Option<ProjectId>,
    /// The project's name, if known.
    pub project: Option<String>,
    /// The harness it came through.
    pub harness: Harness,
    /// The session it was distilled from.
    pub session: Option<SessionId>,
    /// The turns it was distilled from.
    pub turns: Vec<TurnId>,
    /// The content.
    pub body: MemoryBody,
}

/// What is known of a memory without what it says.
#[derive(Clone, Debug)]
pub struct MemoryFacts {
    /// Its id.
    pub id: MemoryId,
    /// What sort of statement.
    pub kind: MemoryKind,
    /// Since when it holds in the world.
    pub valid_from: Timestamp,
    /// The project and its name, if known.
    pub project: Option<(ProjectId, Arc<str>)>,
}

/// Two memories of which at most one can be true.
#[derive(Clone, Debug)]
pub struct Conflict {
    /// Its id.
    pub id: ConflictId,
    /// The one that holds from earlier on.
    pub older: Memory,
    /// The other.
    pub newer: Memory,
    /// When it was noticed.
    pub found_at: Timestamp,
    /// How and when it was resolved, if it was.
    pub resolved: Option<(Resolution, Timestamp)>,
}

/// A memory that waits for a human.
#[derive(Clone, Debug)]
pub struct Held {
    /// The memory.
    pub memory: Memory,
    /// What speaks against it.
    pub reasons: Vec<String>,
}

/// One entry of a memory's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryEntry {
    /// When.
    pub at: Timestamp,
    /// Who; `None` for the daemon itself.
    pub actor: Option<Principal>,
    /// Became what.
    pub state: MemoryState,
    /// Why.
    pub reasons: Vec<String>,
}

/// Whether a memory was new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It was, and is stored.
    New(MemoryId),
    /// This one said the same already; nothing was written.
    Known(MemoryId),
}

/// What the index is told about one memory.
#[derive(Debug)]
pub struct Change {
    /// The write it belongs to.
    pub seq: u64,
    /// Which memory.
    pub id: MemoryId,
    /// What sort of statement.
    pub kind: MemoryKind,
    /// Whether it takes part in recall.
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
    /// The content.
    pub body: MemoryBody,
    /// The vector and the tag of the model that made it.
    pub vector: Option<(ModelTag, Vec<u8>)>,
}

/// A memory that waits for a vector.
#[derive(Debug)]
pub struct Unembedded {
    /// Which memory.
    pub id: MemoryId,
    /// The content.
    pub body: MemoryBody,
}

/// A vector to keep.
#[derive(Debug)]
pub struct NewVector {
    /// Of which memory.
    pub id: MemoryId,
    /// Numbers in the vector.
    pub dim: u16,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// A proposal about names, to keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewProposal {
    /// Its id.
    pub id: ProposalId,
    /// What it asks for.
    pub action: OntologyAction,
    /// The name it is about.
    pub name: String,
    /// The name that it is one with, or is called now; none to archive it.
    pub other: Option<String>,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

/// A proposal as it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// What is proposed.
    pub proposal: NewProposal,
    /// How far it has come.
    pub state: ProposalState,
    /// Who made it.
    pub proposer: Principal,
    /// Who decided it, and when.
    pub decided: Option<(Principal, Timestamp)>,
}
