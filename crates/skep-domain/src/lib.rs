//! Ids, values, roles, permissions, policies and state machines; no IO, no serde, no async.
//!
//! Everything here is a plain value that any crate may hold. Rights are *described* here
//! ([`Permission`], [`Role`], [`ReadingRing`]) and *granted* in `skep-authz`.
#![warn(missing_docs, clippy::missing_errors_doc)]

mod access;
mod address;
mod budget;
mod capture;
mod exec;
mod file;
pub mod gcra;
mod id;
mod job;
mod limits;
mod lockout;
mod memory;
mod name;
mod ontology;
mod participant;
mod password;
mod permission;
mod rate;
mod reference;
mod ring;
mod session;
mod skill;
mod source;
mod template;
mod time;
mod vault;

pub use access::{
    BOUND_PROJECTS, Bindings, CredentialKind, FactorKind, OrganizationRole, ProjectBounds, Standing,
};
pub use address::normal_address;
pub use budget::{BudgetPeriod, BudgetScope, ModelPattern, ModelPatternError};
pub use capture::{CaptureOrigin, TurnOutcome};
pub use exec::ExecState;
pub use file::{FilePath, FilePathError};
pub use id::{
    AccessId, AgentId, AuditId, BudgetId, ConflictId, CredentialId, DirectiveId, ExecId, FactorId,
    Id, IdKind, InjectionId, JobId, LeaseId, MemoryId, OrganizationId, ParticipantId, ProjectId,
    ProposalId, RecallId, SessionId, SkillId, SourceId, TemplateId, TurnId, UsageId, UserId,
    WorkspaceId,
};
pub use job::{JobKind, JobState};
pub use limits::Limits;
pub use lockout::{Attempt, Lockout};
pub use memory::{
    DerivedBy, MemoryKind, MemoryState, OriginKind, RemovalMode, Resolution, Tier, Trust, Validity,
};
pub use name::{Name, NameError};
pub use ontology::{OntologyAction, ProposalState};
pub use participant::{ParticipantKind, Window};
pub use password::{PasswordError, PasswordRules};
pub use permission::{Permission, PermissionSet, Role, UnknownPermission};
pub use rate::{Quota, RateClass, RateKey, RateRule, WhenAway};
pub use reference::{Reference, ReferenceError, ReferenceKind};
pub use ring::{PolicyGroupId, Principal, ReadPolicy, Reader, ReadingRing, RingFacts, Visibility};
pub use session::{Harness, Moment, SessionState, TurnRole};
pub use skill::{SkillName, SkillNameError, SkillPathError, SkillState, check_skill_path};
pub use source::SourceKind;
pub use template::{AccessState, TemplateState};
pub use time::{Clock, Timestamp};
pub use vault::{ReadPosture, RecordClass, RecordName, RecordNameError};
