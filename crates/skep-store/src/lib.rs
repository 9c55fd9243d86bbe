//! `Store`, `Tx<P>`, `ScopeKey` and the `Backend` port.
//!
//! To read or write anything: prove a right ([`skep_authz::Caller::authorize`]), give it to
//! [`Store::begin`], use the [`Tx`], [`Tx::commit`] it. [`Store`] has no data methods, a right opens
//! one transaction, and a read right has no methods that write.
//!
//! To add something that is stored: a row in [`row`], how it is read in `read`, a method in
//! [`backend::BackendTx`], a method on [`Tx`] that seals or opens it, a property in `skep-conformance`, and
//! then the backends.
#![warn(missing_docs, clippy::missing_errors_doc)]

mod access;
pub mod archive;
pub mod backend;
mod body;
pub mod column;
mod error;
mod injection;
mod keys;
mod read;
pub mod row;
mod scope;
mod snapshot;
mod store;
mod tx;
mod value;

pub use access::{
    Account, Agent, Announcement, AuditEntry, Credential, CredentialBody, Directive,
    DirectivePlace, DoorTx, Entered, ErasedEntries, Exported, Factor, Inclusion, Job, Line,
    LogHead, Minted, ModelCall, NewAgent, NewAudit, NewBearer, NewFactor, NewSecret, NewTicket,
    NewUsage, OrgTx, Organization, OrganizationMember, Outcome, Outgoing, Piece, PolicyGroup,
    Promotion, Renewal, Reservation, Revocation, Revoked, SelfTx, Sink, Ticket, UNSIGNED,
    Unerasable, UsageEntry, User, UserBody, WorkspaceSummary,
};
pub use backend::control::CredentialFilter;
pub use backend::{Committed, Heard, Hold, MemoryFilter, Mode, PageOf, Work};
pub use error::{OTHER_ROOT, StoreError};
pub use injection::{InjectedItem, Injection, InjectionBody, NewInjection};
pub use scope::{ControlKey, ScopeKey};
pub use store::{
    AuthenticateError, Claimed, Closing, MadeKey, NewCredential, NewWorkspace, NotGiven,
    OrganizationKeeper, OwnKey, Settled, Store, StoreParts, is_wrong_key,
};
pub use tx::{
    CanDeleteParticipant, DistilSession, Erased, ExecEnd, Removal, Root, SeesTemplates, Tx,
    Visible, Withdrawn, Writer,
};
pub use value::{
    Access, AccessDecision, AnswerAsk, AnswerClaim, AnswerClaimed, Binding, Branch, Card, Change,
    Conflict, Consent, Decided, ExecJob, ExecOutcome, Held, HistoryEntry, Kept, KeptAnswer, Member,
    Memory, MemoryBody, MemoryFacts, NewAccess, NewChunk, NewConsent, NewExec, NewMemory,
    NewParticipant, NewProposal, NewSession, NewSkill, NewSource, NewTemplate, NewTurn, NewVector,
    Observation, Observed, Origin, Participant, Pause, PausedSession, Project, Proposal, Reach,
    Session, Skill, SkillFile, Source, SourceChanges, TemplateDecided, TemplateVersion, Turn,
    Unembedded, Validators,
};
