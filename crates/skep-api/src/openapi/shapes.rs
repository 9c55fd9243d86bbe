//! What each route takes and gives.

use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value};

use crate::RouteId;
use crate::page::{Page, PageQuery};
use crate::{
    access, budget, capture, context, directive, exec, explain, inject, job, lease, ledger, limit,
    memory, oauth, ontology, own_key, participant, people, posture, provider, recall, removal,
    review, session, sink, skill, source, sso, system, template, tree, vault,
};

/// References into `components/schemas`.
pub(super) struct Shape {
    pub(super) query: Option<Value>,
    pub(super) body: Option<Value>,
    pub(super) answer: Value,
}

/// JSON that the route's own text describes, or that another standard does.
type AnyObject = Map<String, Value>;
type Html = String;
/// Which tools are shown.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "its schema alone is used")]
struct McpQuery {
    /// `standard` (if absent), `full` or `search`.
    profile: Option<String>,
}

/// Bytes; the text form is only for the schema.
type Archive = String;
/// JSON, a line for each record.
type Lines = String;

/// The reference to the schema of a type, which is added to the document.
pub(super) fn schema<T: JsonSchema>(schemas: &mut SchemaGenerator) -> Value {
    schemas.subschema_for::<T>().to_value()
}

macro_rules! shapes {
    ($($($id:ident)|+: $(query $query:ty,)? $(body $body:ty,)? answer $answer:ty;)*) => {
        pub(super) fn shape(id: RouteId, schemas: &mut SchemaGenerator) -> Shape {
            match id {
                $($(RouteId::$id)|+ => Shape {
                    query: None$(.or(Some(schema::<$query>(schemas))))?,
                    body: None$(.or(Some(schema::<$body>(schemas))))?,
                    answer: schema::<$answer>(schemas),
                },)*
            }
        }
    };
}

shapes! {
    Healthz | Readyz: answer system::Probe;
    OpenApi: answer AnyObject;
    Mcp: query McpQuery, body AnyObject, answer AnyObject;
    SystemHealth: answer system::Health;
    Setup: body people::SetupRequest, answer people::LoginResponse;
    FactorRuleGet: answer people::FactorRule;
    FactorRuleSet: body people::FactorRuleRequest, answer people::FactorRule;
    SsoGet: answer sso::Sso;
    SsoSet: body sso::SetSsoRequest, answer sso::Sso;
    SsoTest: answer sso::SsoReport;
    SsoRemove: answer people::Done;
    OwnKeyGet | OwnKeyWithdraw | OwnKeyRestore: answer own_key::OwnKey;
    OwnKeyList: answer own_key::OwnKeys;
    OwnKeyEnclose | OwnKeyChange | OwnKeyRelease: body own_key::OwnKeyRequest, answer own_key::OwnKey;
    Rotation | RotatePepper | RotateSigning | RotateVault: answer system::Rotation;
    Backup: body system::BackupRequest, answer Archive;
    SetupToken: answer people::ResetToken;
    AuthLogin: body people::LoginRequest, answer people::LoginResponse;
    AuthSecond: body people::SecondRequest, answer people::LoginResponse;
    AuthPasskey: body people::BeginPasskeyRequest, answer people::Ceremony;
    AuthPasskeyFinish: body people::FinishPasskeyRequest, answer people::LoginResponse;
    AuthInvite: body people::AcceptRequest, answer people::LoginResponse;
    AuthReset: body people::ResetRequest, answer people::Done;
    AuthRegister: body people::RegisterRequest, answer people::Done;
    AuthConfirm: body people::ConfirmRequest, answer people::LoginResponse;
    AuthLogout: answer people::Done;
    BrowserList: answer people::Browsers;
    BrowserEnd: answer people::Done;
    PasswordChange: body people::PasswordRequest, answer people::Done;
    StepUp: body people::CodeRequest, answer people::FactorResponse;
    StepUpPasskey: answer people::Ceremony;
    StepUpPasskeyFinish: body people::FinishPasskeyRequest, answer people::FactorResponse;
    FactorList: answer people::Factors;
    TotpEnrol: body people::AgainRequest, answer people::TotpEnrolment;
    TotpConfirm: body people::CodeRequest, answer people::FactorResponse;
    RecoveryRenew: answer people::FactorResponse;
    FactorRemove: answer people::Done;
    PasskeyBegin: body people::AgainRequest, answer people::Ceremony;
    PasskeyFinish: body people::FinishPasskeyRequest, answer people::FactorResponse;
    InviteCreate: body people::InviteRequest, answer people::Invited;
    InviteList: answer people::Invites;
    InviteWithdraw: body people::WithdrawRequest, answer people::Done;
    MemberList: query PageQuery, answer Page<people::Member>;
    MemberEdit: body people::MemberRequest, answer people::Done;
    MemberRemove: answer people::Done;
    MemberReset: answer people::ResetToken;
    SystemPosture: answer posture::Posture;
    BudgetList: answer budget::Budgets;
    BudgetSet: body budget::SetBudgetRequest, answer budget::Budget;
    BudgetRemove: answer people::Done;
    BudgetExplain: body budget::ExplainBudgetRequest, answer budget::BudgetExplanation;
    RateCardList: query budget::RateCardQuery, answer budget::RateCards;
    RateCardSet: body budget::SetRateCardRequest, answer budget::RateCard;
    UsageList: query budget::UsageQuery, answer budget::UsageDays;
    LimitList: answer limit::RateLimits;
    LimitSet: body limit::SetLimitRequest, answer limit::RateLimits;
    Capture: body capture::CaptureRequest, answer capture::CaptureResponse;
    CaptureRules: answer capture::RulesResponse;
    CapturePause: body capture::PauseRequest, answer capture::PausesResponse;
    CaptureResume: body capture::ResumeRequest, answer capture::PausesResponse;
    ProjectList: answer capture::BindingsResponse;
    ProjectBind: body capture::Binding, answer capture::Binding;
    ProjectUnbind: body capture::UnbindRequest, answer capture::UnbindResponse;
    ImportCursor: body capture::CursorRequest, answer capture::CursorResponse;
    SessionList: query PageQuery, answer Page<session::Session>;
    SessionGet: answer session::Session;
    SessionTurns: query PageQuery, answer Page<session::Turn>;
    SessionEnd: answer session::EndResponse;
    SourceCreate: body source::AddSourceRequest, answer source::Source;
    SourceList: query PageQuery, answer Page<source::Source>;
    SourceGet: answer source::Source;
    SourceSync: body source::SyncRequest, answer source::SyncResponse;
    SourceFetch: body source::FetchRequest, answer source::FetchResponse;
    SourcePurge: answer source::PurgeResponse;
    SessionCapture: body capture::SessionCaptureRequest, answer AnyObject;
    SessionRecent: query participant::RecentQuery, answer participant::Recent;
    SessionMembers: answer participant::Members;
    SessionJoin: body participant::JoinRequest, answer participant::Members;
    SessionLeave: body participant::LeaveRequest, answer participant::Members;
    ParticipantList: query participant::ParticipantQuery, answer Page<participant::Participant>;
    ParticipantAdd: body participant::AddParticipantRequest, answer participant::Participant;
    ParticipantSelf: body participant::NameSelfRequest, answer participant::Participant;
    ParticipantGet: answer participant::Participant;
    ParticipantCard: answer participant::Card;
    ParticipantCardEdit: body participant::CardRequest, answer participant::Participant;
    ParticipantMerge: body participant::MergeRequest, answer participant::Participant;
    ParticipantUnmerge: answer participant::Participant;
    ParticipantDelete: answer participant::DeleteResponse;
    ObservationList: query participant::ObservationQuery, answer Page<participant::Observation>;
    ObservationCreate: body participant::ObserveRequest, answer participant::ObserveResponse;
    ConsentList: query participant::ConsentQuery, answer participant::Consents;
    ConsentGive | ConsentRevoke: body participant::ConsentRequest, answer participant::Consents;
    SessionErase: answer removal::Erased;
    MemoryCreate: body memory::RememberRequest, answer memory::RememberResponse;
    MemoryList: query memory::MemoryQuery, answer Page<memory::Memory>;
    MemoryGet: answer memory::Memory;
    MemoryEdit: body memory::EditRequest, answer memory::RememberResponse;
    MemoryHistory: answer review::History;
    AuditAlerts: query PageQuery, answer Page<access::AuditEntry>;
    MemorySeen: query PageQuery, answer Page<access::AuditEntry>;
    MemoryForget: body memory::ForgetRequest, answer memory::Memory;
    MemoryErase: answer removal::Erased;
    Rewind: body removal::RewindRequest, answer removal::RewindResponse;
    ConflictList: query PageQuery, answer Page<review::Conflict>;
    ConflictResolve: body review::ResolveConflictRequest, answer review::Conflict;
    QuarantineList: query PageQuery, answer Page<review::Held>;
    QuarantineAccept | QuarantineReject: body review::ReviewRequest, answer memory::Memory;
    TreeList: body tree::ListRequest, answer tree::Listing;
    TreeFile: body tree::FileRequest, answer tree::File;
    TreeFind: body tree::FindRequest, answer tree::Listing;
    TreeGrep: body tree::GrepRequest, answer tree::GrepResponse;
    Recall: body recall::RecallRequest, answer recall::RecallResponse;
    ExplainRecall: body explain::ExplainRequest, answer explain::Explanation;
    EntityList: query ontology::EntityQuery, answer ontology::EntityList;
    RelationList: body ontology::RelationRequest, answer ontology::RelationResponse;
    ProposalCreate: body ontology::ProposalRequest, answer ontology::Proposal;
    ProposalList: query ontology::ProposalQuery, answer Page<ontology::Proposal>;
    ProposalAccept | ProposalReject: answer ontology::Decision;
    ExecAsk: body exec::ExecRequest, answer exec::Exec;
    ExecList: query PageQuery, answer Page<exec::Exec>;
    ExecGet: query exec::ExecQuery, answer exec::Exec;
    ExecCancel: answer exec::Exec;
    SkillCreate: body skill::SkillRequest, answer skill::Skill;
    SkillList: query PageQuery, answer Page<skill::Skill>;
    SkillReviewList: query skill::SkillQuery, answer Page<skill::Skill>;
    SkillReviewGet | SkillGet: answer skill::SkillFolder;
    SkillApprove: body skill::ApprovalRequest, answer skill::Skill;
    SkillReject | SkillWithdraw: body skill::SkillReason, answer skill::Skill;
    TemplateCreate: body template::TemplateText, answer template::Template;
    TemplateList: query template::TemplateQuery, answer Page<template::Template>;
    TemplateGet: answer template::TemplateShown;
    TemplateApprove: body template::ApproveTemplateRequest, answer template::Template;
    TemplateReject | TemplateWithdraw: body template::TemplateReason, answer template::Template;
    AccessList: query PageQuery, answer Page<template::Access>;
    AccessAsk: body template::AskAccessRequest, answer template::Access;
    AccessGive: body template::GiveAccessRequest, answer template::Access;
    AccessGrant: body template::GrantAccessRequest, answer template::Access;
    AccessRefuse | AccessRevoke: body template::TemplateReason, answer template::Access;
    SecretList: query vault::RecordQuery, answer vault::Secrets;
    SecretSet: body vault::SetSecretRequest, answer vault::Secret;
    SettingList: query vault::RecordQuery, answer vault::SettingsList;
    SettingSet: body vault::SetSettingRequest, answer vault::Setting;
    SecretRemove | SettingRemove: body vault::RemoveRecordRequest, answer vault::RemovedRecord;
    LeaseBegin: body lease::LeaseRequest, answer lease::BegunLease;
    LeaseList: answer lease::Leases;
    LeaseRenew: answer lease::RenewedLease;
    LeaseEnd: answer lease::EndedLease;
    Inject: body inject::InjectRequest, answer inject::InjectResponse;
    InjectionList | SessionContext: query PageQuery, answer Page<inject::Injection>;
    Whoami: answer access::Whoami;
    KeyCreate: body access::CreateKeyRequest, answer access::CreatedKey;
    KeyList: query PageQuery, answer Page<access::Key>;
    KeyRevoke: answer access::Revoked;
    TokenCreate: body access::CreateTokenRequest, answer access::CreatedKey;
    TokenList: query PageQuery, answer Page<access::Key>;
    TokenRevoke: answer access::Revoked;
    AgentCreate: body access::CreateAgentRequest, answer access::Agent;
    AgentList: query PageQuery, answer Page<access::Agent>;
    AgentEdit: body access::EditAgentRequest, answer access::Agent;
    OrganizationList: answer access::Organizations;
    OrganizationName: body access::NameRequest, answer access::Organization;
    OrganizationStanding: body access::StandingRequest, answer access::Organization;
    WorkspaceList: answer access::Workspaces;
    WorkspaceCreate: body access::NameRequest, answer access::Workspace;
    WorkspaceDelete | WorkspaceInventory: answer job::Accepted;
    JobList: query PageQuery, answer Page<job::Job>;
    JobGet: answer job::Job;
    AuditList: query PageQuery, answer Page<access::AuditEntry>;
    AuditCheckpoints: query ledger::CheckpointQuery, answer ledger::Checkpoints;
    AuditProof: query ledger::ProofQuery, answer ledger::Proof;
    AuditExport: query ledger::LogQuery, answer Lines;
    AuditErase: body ledger::EraseEntriesRequest, answer ledger::ErasedEntries;
    SinkList: answer sink::Sinks;
    SinkSet: body sink::SetSinkRequest, answer sink::SinkSet;
    SinkRemove: body sink::SinkRequest, answer sink::SinkRemoved;
    SinkKey: body sink::SinkRequest, answer sink::SinkSet;
    SinkResume: body sink::SinkRequest, answer sink::Sink;
    SinkTest: body sink::SinkRequest, answer sink::SinkTested;
    OAuthServerMetadata: answer oauth::ServerMetadata;
    OAuthResourceMetadata | OAuthToolsMetadata: answer oauth::ResourceMetadata;
    OAuthKeys: answer AnyObject;
    OAuthDeviceStart: body oauth::DeviceAuthorizationForm, answer oauth::DeviceAuthorization;
    OAuthDevicePage: answer Html;
    OAuthDeviceDecide: body AnyObject, answer Html;
    OAuthAuthorizePage: answer Html;
    OAuthAuthorizeDecide: body AnyObject, answer Html;
    OAuthToken: body oauth::TokenForm, answer oauth::TokenResponse;
    OAuthRevoke: body oauth::RevokeForm, answer AnyObject;
    OAuthRegister: body oauth::RegistrationRequest, answer oauth::RegistrationResponse;
    ChatCompletions | Messages | Responses | Embeddings | CountTokens: body AnyObject, answer AnyObject;
    ModelList: answer AnyObject;
    ProviderList: answer provider::Providers;
    ProviderSet: body provider::SetProviderRequest, answer provider::Provider;
    DirectiveList: query directive::DirectivesQuery, answer directive::Directives;
    DirectiveGet: query directive::DirectiveQuery, answer directive::Directive;
    DirectiveDraft: body directive::DraftDirectiveRequest, answer directive::Directive;
    DirectivePromote: body directive::PromoteDirectiveRequest, answer directive::PromotedDirective;
    AgentContextList: answer context::AgentContexts;
    AgentContextSet: body context::SetAgentContextRequest, answer context::AgentContext;
    ProviderRemove: body provider::RemoveProviderRequest, answer provider::RemovedProvider;
    Resolve: body memory::ResolveRequest, answer memory::ResolveResponse;
    PageStyle | PagePasskey | PageLogin | PageLoginSend | PageSsoStart | PageSsoAnswer | PageSecondSend | PageSetup | PageSetupSend |
        PageInvite | PageInviteSend | PageReset | PageResetSend | PageAccount | PageRegister | PageRegisterSend | PageConfirm | PageConfirmSend | PageAccountSend |
        PageLogoutSend: answer Html;
}
