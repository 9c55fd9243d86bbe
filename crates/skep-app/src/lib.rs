//! Use cases: capture, memory, recall, upkeep; no HTTP.
//!
//! Every use case takes the [`skep_authz::Authorized`] right that it needs, so that an edge which
//! forgets to authenticate has nothing to pass.

mod access;
mod backup;
mod capture;
mod closing;
mod directives;
mod edge;
mod error;
mod exec;
mod files;
mod gateway;
mod guard;
mod hot;
mod inject;
mod intake;
mod jobs;
mod leases;
mod marks;
mod memories;
mod meter;
mod model;
mod names;
mod nodes;
mod participants;
mod readiness;
mod recall;
mod relating;
mod removal;
mod review;
mod sessions;
mod sinks;
mod skills;
mod sources;
mod status;
mod templates;
mod throttle;
mod tree;
mod upkeep;
mod vault;

use std::sync::Arc;

use skep_crypto::PasswordCost;
use skep_domain::Timestamp;
use skep_index::Embedder;
use skep_memory::Redactor;
use skep_store::Store;
use skep_store::row::ModelTag;

pub use access::{
    Accepted, AgentEdit, AgentView, Asked, AuditDesk, AuditPage, AuthorizeRefusal,
    AuthorizeRequest, Browser, Ceremony, CheckpointPage, Client, Created, Credentials, Decision,
    DeviceGrant, DeviceReview, DeviceStart, Elsewhere, EntriesToErase, FactorView, FirstAdmin,
    Home, InviteView, Invited, IssuerCalls, KeyChange, KeyKind, KeyPage, LedgerDesk, LogExport,
    LoggedIn, LoginStep, MailDesk, MemberChange, MemberView, NewInvite, NewKey, NewReset, NewToken,
    NewTotp, Newcomer, OAuthCode, OAuthError, OrganizationView, OwnKeyView, OwnQuotas,
    PeopleSettings, Policy, Proved, RecoveryCodes, Registration, Resource, Revocations,
    RotationView, SecondFactor, SessionView, Shown, ShownError, SsoAnswer, SsoChange, SsoEnd,
    SsoReport, SsoStart, SsoView, ToProve, TokenRequest, Tokens, Whose, WorkspaceView, answering,
    passkey, show, show_memory, showing,
};
pub use access::{AlertSettings, FOREIGN, Reads, WitnessHook};
pub use skep_ledger::{Log, digits};

pub use backup::BackupOrder;
pub use capture::{Capture, CaptureSettings, CaptureState, Captured, Cursor, SpoolReport, TurnIn};
pub use closing::KeyDesk;
pub use directives::{DirectiveList, DirectiveView, name as directive_place_name};
pub use edge::{Cursors, IdTags};
pub use error::{AppError, Invalid, Rule};
pub use exec::{AskExec, ExecDesk, ExecHost, ExecPage, ExecSeen, ExecSettings, ExecState};
pub use gateway::{
    AgentContext, AgentContextView, AnswerDesk, AnswerFacts, Answered, CallCost, CallSeen,
    CallWatch, ContextAsked, ContextTold, Dialect, ExchangeDesk, Format, GatewayCall, GatewayFault,
    GatewaySettings, KeepingIn, MemoryMode, ModelStream, PASSED_HEADERS, ProviderKind,
    ProviderView, Relayed, SetProvider, WholeAnswer,
};
pub use hot::{HotStats, indexed_text};
pub use inject::{CallRights, FLOOR, IdText, Inject, Injected, InjectionPage, Timer, WallTimer};
pub use jobs::{JobPage, Worker};
pub use leases::{
    BeginLease, BegunLease, LeaseDesk, LeaseText, LeaseView, LeasedSecret, Proxy, wire_authority,
};
pub use marks::Marked;
pub use memories::{Edit, ListMemories, Page, Remember, Remembered, Resolved};
pub use meter::{
    CallOutcome, Ending, Measured, MeterDesk, ModelCall, NewRateCard, Refusal as BudgetRefusal,
    Reserved, Settled, Standing as BudgetStanding, Verdict as BudgetVerdict,
};
pub use model::{ModelPass, ModelPort, ModelSettings, ModelState, NoAnswer};
pub use names::{Connection, NameSeen, NameTold, Propose};
pub use nodes::Nodes;
pub use participants::{
    CardEdit, CardFact, CardView, ListObservations, ObservationPageOf, Observe, Observed,
    ParticipantPage, Recent, Say, Start, Summary, Whom,
};
pub use readiness::Readiness;
pub use recall::{
    Answer, Explain, Explained, Explanation, Fate, Question, Recalled, Refusal, Replay, Scope,
    Timing, Trace,
};
pub use removal::{Erased, Rewind, Rewound, Target};
pub use review::{ConflictPage, HeldPage, History, Version};
pub use sessions::{Ended, SessionPage, TurnPage};
pub use sinks::{
    FileSink, HookKey, SetSink, SinkDesk, SinkSet, SinkSettings, SinkTested, SinkView, Wanted,
    is_sink_name,
};
pub use skep_egress::EgressError;
pub use skep_exec::{GRADE as REDACTION_GRADE, Runner, UNCOVERED as REDACTION_UNCOVERED};
pub use skep_llm::{Cost, Price};
pub use skep_memory::TextForm;
pub use skep_memory::{
    CutReason, DenyRules, Drop as DropPart, Edge, Form, NameKind, Outcome, ToolRule,
};
pub use skep_reference::References;
pub use skep_store::archive::Backup;
pub use skep_store::row::{RateCardRow, UsageDayRow};
pub use skep_store::{
    Access, AuditEntry, Binding, Branch, Closing, Conflict, Consent, Credential,
    Erased as ErasedParticipant, ExecJob, ExecOutcome, Held, HistoryEntry, InjectedItem, Injection,
    Job, Member, Memory, Observation, Observed as Seen, Organization, Outcome as AuditOutcome,
    OwnKey, PageOf, Participant, Pause, PausedSession, Piece, Proposal, Revocation, Revoked,
    Session, Skill, SkillFile, TemplateVersion, Turn,
};
pub use skep_store::{Directive, DirectivePlace, Promotion, Source};
pub use skep_vault::template;
pub use skep_vault::{Listed as RecordListed, Scope as RecordScope, Vault};
pub use skills::{Approval, Approved, ProposeSkill, SkillPage, SkillWhole};
pub use sources::{
    AddSource, Document, Fetch, Fetched, Fetching, Found, ReadExport, SourcePage, SourceSync,
    Statement, Synced,
};
pub use status::Status;
pub use templates::{
    AccessPage, ApproveTemplate, AskAccess, GrantAccess, Lasting, Reviewer, TemplatePage,
    TemplateSeen, TemplateWhole, Usable, WireParts,
};
pub use tree::{Entry, Find, Grep, Grepped, Listing, Match, Node, TreeFile, Wording};
pub use upkeep::Upkeep;
pub use vault::{GivenSecret, RecordAt, Records, SettingHeld, VaultDesk};

/// What may be set.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Bytes that all indexes in memory may take together.
    pub index_budget: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            index_budget: 2 << 30,
        }
    }
}

/// The application: everything that a request or a job needs.
pub struct App {
    store: Arc<Store>,
    embedder: Arc<dyn Embedder>,
    model: ModelTag,
    redactor: Arc<Redactor>,
    capturing: CaptureSettings,
    losses: capture::Losses,
    hot: Arc<hot::Hot>,
    dirty: upkeep::Dirty,
    looked: readiness::Looked,
    looks: participants::Looks,
    fetching: Fetching,
    fetches: sources::Fetches,
    model_pass: Option<model::Desk>,
    desk: access::Desk,
    reads: Reads,
    alerts: AlertSettings,
    verified: access::Remembered,
    oauth: access::OAuth,
    people: PeopleSettings,
    hashing: access::Hashing,
    outbox: access::Outbox,
    jobs: jobs::Jobs,
    meter: meter::Meter,
    sinks: sinks::Sinks,
    issuers: access::Issuers,
    own_limits: access::OwnLimits,
    tokens: gateway::tokens::Tokens,
    elsewhere: Option<Arc<dyn Elsewhere>>,
    vault: Option<Arc<Vault>>,
    references: References,
    exec: Option<exec::Exec>,
    vault_bell: tokio::sync::Notify,
    leases: Option<leases::Leases>,
    gateway: gateway::Gateway,
    exchanges: gateway::Exchanges,
    standings: directives::Standings,
    stopwatch: Arc<dyn Stopwatch>,
    started_at: Timestamp,
}

/// Measures durations for answers that say where time went. Apart from the wall clock, so that a
/// changed clock cannot make a duration negative, and tests can make it stand still.
pub trait Stopwatch: Send + Sync {
    /// Microseconds since some fixed moment.
    fn micros(&self) -> u64;
}

impl App {
    /// Puts the parts together.
    #[must_use]
    pub fn new(
        store: Arc<Store>,
        embedder: Arc<dyn Embedder>,
        stopwatch: Arc<dyn Stopwatch>,
        settings: Settings,
    ) -> Self {
        let model = upkeep::model_tag(embedder.model_id());
        let hashing = access::Hashing::new(PasswordCost::default(), [store.nonce(), store.nonce()]);
        let started_at = store.now();
        let oauth = access::OAuth::new(&store, started_at);
        let hot = Arc::new(hot::Hot::new(
            Arc::clone(&store),
            Arc::clone(&embedder),
            model,
            settings.index_budget,
        ));
        Self {
            store,
            embedder,
            model,
            redactor: Arc::new(Redactor::new()),
            capturing: CaptureSettings::default(),
            losses: capture::Losses::default(),
            hot,
            dirty: upkeep::Dirty::default(),
            looked: readiness::Looked::default(),
            looks: participants::looks(),
            fetching: Fetching::default(),
            fetches: sources::fetches(),
            model_pass: None,
            desk: access::Desk::default(),
            reads: Reads::default(),
            alerts: AlertSettings::default(),
            verified: access::Remembered::default(),
            oauth,
            people: PeopleSettings::default(),
            hashing,
            outbox: access::Outbox::default(),
            jobs: jobs::Jobs::default(),
            meter: meter::Meter::default(),
            sinks: sinks::Sinks::new(SinkSettings::default()),
            issuers: access::Issuers::default(),
            own_limits: access::OwnLimits::default(),
            tokens: gateway::tokens::Tokens::default(),
            elsewhere: None,
            vault: None,
            references: References::default(),
            exec: None,
            vault_bell: tokio::sync::Notify::new(),
            leases: None,
            gateway: gateway::Gateway::new(GatewaySettings::default()),
            exchanges: gateway::Exchanges::default(),
            standings: directives::Standings::default(),
            stopwatch,
            started_at,
        }
    }

    /// Lets people in by these settings.
    #[must_use]
    pub fn with_people(mut self, settings: PeopleSettings) -> Self {
        let seeds = [self.store.nonce(), self.store.nonce()];
        self.hashing = access::Hashing::new(settings.cost, seeds);
        self.people = settings;
        self
    }

    /// Captures by these settings.
    #[must_use]
    pub fn with_capture(mut self, settings: CaptureSettings) -> Self {
        self.capturing = settings;
        self
    }
}

impl App {
    /// Fetches pages from there.
    #[must_use]
    pub fn with_fetching(mut self, fetching: Fetching) -> Self {
        self.fetching = fetching;
        self
    }
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App")
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}
