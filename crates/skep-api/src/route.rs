//! The route table: the only place that declares a route.
//!
//! The router, OpenAPI and the policy pages are built from it. A route without a row cannot be
//! mounted, and a row without a gate does not compile.

use skep_domain::{Limits, Permission, RateClass};

/// HTTP methods in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// Reads.
    Get,
    /// Writes, or reads whose question is too private for a URL.
    Post,
    /// Changes what is there.
    Patch,
    /// Puts something in its place.
    Put,
    /// Takes something away.
    Delete,
}

impl Method {
    /// As in the request line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Patch => "PATCH",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }
}

/// Who may call a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// Anyone, without a credential. Reviewed in a snapshot.
    Public,
    /// Whoever has a valid credential, about themselves alone.
    Oneself,
    /// A human who logged in, about themselves alone; no key and no token, whatever they allow.
    InPerson,
    /// Whoever runs the daemon: over its socket, or with the install token.
    Install,
    /// Whoever holds this permission.
    Permission(Permission),
    /// Whoever holds this permission and showed a second factor within the last five minutes.
    SteppedUp(Permission),
}

impl Gate {
    /// The permission that is asked for, if one is.
    #[must_use]
    pub const fn permission(self) -> Option<Permission> {
        match self {
            Self::Public | Self::Oneself | Self::InPerson | Self::Install => None,
            Self::Permission(permission) | Self::SteppedUp(permission) => Some(permission),
        }
    }
}

/// How large a request body may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyLimit {
    /// None is read.
    Empty,
    /// [`Limits::BODY`].
    Json,
    /// [`Limits::CAPTURE_BODY`].
    Batch,
    /// A call to a model, as its own clients send it: [`Limits::GATEWAY_BODY`].
    Model,
    /// A form as browsers and OAuth clients send it: [`Limits::FORM_BODY`].
    Form,
}

impl BodyLimit {
    /// In bytes.
    #[must_use]
    pub const fn bytes(self) -> usize {
        match self {
            Self::Empty => 0,
            Self::Json => Limits::BODY,
            Self::Batch => Limits::CAPTURE_BODY,
            Self::Model => Limits::GATEWAY_BODY,
            Self::Form => Limits::FORM_BODY,
        }
    }
}

/// The name under which a call is recorded; reads have none.
pub type Audit = Option<&'static str>;

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    /// Its name in code.
    pub id: RouteId,
    /// The method.
    pub method: Method,
    /// The path, parameters in braces.
    pub path: &'static str,
    /// Who may call it.
    pub gate: Gate,
    /// Which allowance it draws on.
    pub rate: RateClass,
    /// How large its body may be.
    pub body: BodyLimit,
    /// The audit action; a route that has one leaves an entry, and changes something unless it is a `GET`.
    pub audit: Audit,
    /// One line for the documentation.
    pub summary: &'static str,
}

impl Route {
    /// Whether it is a page for people or belongs to one, and no part of the interface for programs.
    #[must_use]
    pub fn is_page(&self) -> bool {
        const PAGES: [&str; 8] = [
            "/login",
            "/setup",
            "/invite",
            "/register",
            "/reset",
            "/account",
            "/logout",
            "/assets/",
        ];
        PAGES.iter().any(|page| self.path.starts_with(page))
    }

    /// Whether it speaks to the clients of model providers, in their dialects.
    #[must_use]
    pub fn is_gateway(&self) -> bool {
        self.path.starts_with("/v1/")
    }

    /// Whether somebody may call it who has to enrol a second factor before anything else: what leads
    /// to one, and what ends sessions.
    #[must_use]
    pub const fn is_for_enrolment(&self) -> bool {
        matches!(
            self.id,
            RouteId::Whoami
                | RouteId::AuthLogout
                | RouteId::BrowserList
                | RouteId::BrowserEnd
                | RouteId::FactorList
                | RouteId::TotpEnrol
                | RouteId::TotpConfirm
                | RouteId::PasskeyBegin
                | RouteId::PasskeyFinish
        )
    }

    /// Whether it changes anything.
    #[must_use]
    pub const fn mutates(&self) -> bool {
        self.audit.is_some() && !matches!(self.method, Method::Get)
    }
}

macro_rules! routes {
    ($($id:ident: $method:ident $path:literal, $gate:expr, $rate:ident, $body:ident, $audit:expr, $summary:literal;)*) => {
        /// Every route by name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum RouteId { $(#[doc = $summary] $id,)* }

        /// The table.
        pub const ROUTES: &[Route] = &[$(Route {
            id: RouteId::$id,
            method: Method::$method,
            path: $path,
            gate: $gate,
            rate: RateClass::$rate,
            body: BodyLimit::$body,
            audit: $audit,
            summary: $summary,
        },)*];

        impl RouteId {
            /// The row of this route.
            #[must_use]
            pub const fn row(self) -> &'static Route {
                &ROUTES[self as usize]
            }
        }
    };
}

const fn needs(permission: Permission) -> Gate {
    Gate::Permission(permission)
}

const fn stepped_up(permission: Permission) -> Gate {
    Gate::SteppedUp(permission)
}

routes! {
    Healthz: Get "/healthz", Gate::Public, None, Empty, None, "The process is alive.";
    Readyz: Get "/readyz", Gate::Public, None, Empty, None, "The daemon can answer: its store does, and it is not about to stop.";
    OpenApi: Get "/openapi.json", needs(Permission::SettingRead), Api, Empty, None, "This interface as OpenAPI 3.1.";
    SystemHealth: Get "/api/v1/system/health", needs(Permission::DiagnosticsRead), Api, Empty, None, "What runs, and what is not as it should be.";
    Setup: Post "/api/v1/setup", Gate::Public, Login, Json, Some("setup"), "Make the first administrator, with the token that the daemon printed.";
    SetupToken: Post "/api/v1/setup/token", Gate::Install, Api, Empty, Some("setup.token"), "A fresh setup token, shown once, while nobody can log in; the one before is void.";
    AuthLogin: Post "/api/v1/auth/login", Gate::Public, Login, Json, Some("auth.login"), "Log in with an address and a password.";
    AuthSecond: Post "/api/v1/auth/login/second", Gate::Public, Login, Json, Some("auth.second"), "Show a second factor, as the second step of a login.";
    AuthPasskey: Post "/api/v1/auth/passkey/begin", Gate::Public, Login, Json, Some("auth.passkey"), "Begin to log in with a passkey.";
    AuthPasskeyFinish: Post "/api/v1/auth/passkey/finish", Gate::Public, Login, Json, Some("auth.passkey"), "Log in with a passkey.";
    AuthInvite: Post "/api/v1/auth/invite", Gate::Public, Login, Json, Some("invite.accept"), "Accept an invitation.";
    AuthReset: Post "/api/v1/auth/reset", Gate::Public, Login, Json, Some("auth.reset"), "Ask for a letter, or choose a new password with what it says.";
    AuthRegister: Post "/api/v1/auth/register", Gate::Public, Login, Json, Some("auth.register"), "Ask for an account, where that is allowed; a letter with a code goes to the address.";
    AuthConfirm: Post "/api/v1/auth/register/confirm", Gate::Public, Login, Json, Some("auth.confirm"), "Make the account that a code waits for, and come in.";
    AuthLogout: Post "/api/v1/auth/logout", Gate::InPerson, Api, Empty, Some("auth.logout"), "End the session that asks.";
    BrowserList: Get "/api/v1/auth/sessions", Gate::InPerson, Api, Empty, None, "One's own browsers and logins.";
    BrowserEnd: Post "/api/v1/auth/sessions/{id}/end", Gate::InPerson, Api, Empty, Some("auth.session_end"), "End one of one's own sessions, at once.";
    PasswordChange: Post "/api/v1/auth/password", Gate::InPerson, Api, Json, Some("auth.password"), "Change one's own password; everything that proved one is void.";
    StepUp: Post "/api/v1/auth/step-up", Gate::InPerson, Api, Json, Some("auth.step_up"), "Show a second factor again.";
    StepUpPasskey: Post "/api/v1/auth/step-up/passkey", Gate::InPerson, Api, Empty, Some("auth.step_up"), "Begin to show a passkey again.";
    StepUpPasskeyFinish: Post "/api/v1/auth/step-up/passkey/finish", Gate::InPerson, Api, Json, Some("auth.step_up"), "Show a passkey again.";
    FactorList: Get "/api/v1/auth/mfa", Gate::InPerson, Api, Empty, None, "One's own second factors.";
    TotpEnrol: Post "/api/v1/auth/mfa/totp", Gate::InPerson, Api, Json, Some("mfa.enrol"), "A seed for an authenticator app, shown once.";
    TotpConfirm: Post "/api/v1/auth/mfa/totp/confirm", Gate::InPerson, Api, Json, Some("mfa.confirm"), "The first code of a seed, which makes it count.";
    RecoveryRenew: Post "/api/v1/auth/mfa/recovery", Gate::InPerson, Api, Empty, Some("mfa.recovery"), "Ten new recovery codes, shown once; the old ones are void.";
    FactorRemove: Post "/api/v1/auth/mfa/{id}/remove", Gate::InPerson, Api, Empty, Some("mfa.remove"), "Remove a second factor.";
    PasskeyBegin: Post "/api/v1/auth/mfa/passkey", Gate::InPerson, Api, Json, Some("mfa.enrol"), "Begin to enrol a passkey.";
    PasskeyFinish: Post "/api/v1/auth/mfa/passkey/finish", Gate::InPerson, Api, Json, Some("mfa.confirm"), "Keep a passkey that a browser made.";
    InviteCreate: Post "/api/v1/invites", needs(Permission::MemberManage), Api, Json, Some("invite.create"), "Invite somebody; the code is shown once, and mailed if mail is set up.";
    InviteList: Get "/api/v1/invites", needs(Permission::MemberManage), Api, Empty, None, "Invitations that are open.";
    InviteWithdraw: Post "/api/v1/invites/withdraw", needs(Permission::MemberManage), Api, Json, Some("invite.withdraw"), "Take an invitation back.";
    MemberList: Get "/api/v1/members", needs(Permission::MemberManage), Api, Empty, None, "The members of the organization, oldest first.";
    MemberEdit: Patch "/api/v1/members/{id}", needs(Permission::MemberManage), Api, Json, Some("member.edit"), "Give a member another role, suspend them, or let them act again.";
    MemberRemove: Post "/api/v1/members/{id}/remove", needs(Permission::MemberManage), Api, Empty, Some("member.remove"), "End a membership, and everything that proves the member here.";
    MemberReset: Post "/api/v1/members/{id}/reset", stepped_up(Permission::MemberManage), Api, Empty, Some("member.reset"), "A code with which a member chooses a new password, shown once.";
    SsoGet: Get "/api/v1/sso", needs(Permission::OrgManage), Api, Empty, None, "The issuer that the organization trusts, without its secret.";
    SsoSet: Post "/api/v1/sso", stepped_up(Permission::OrgManage), Api, Json, Some("sso.set"), "Trust an issuer: whom it lets in, and as what.";
    SsoTest: Post "/api/v1/sso/test", needs(Permission::OrgManage), Api, Empty, Some("sso.test"), "Ask the issuer for its configuration and its keys.";
    SsoRemove: Post "/api/v1/sso/remove", stepped_up(Permission::OrgManage), Api, Empty, Some("sso.remove"), "Trust no issuer any more; whoever it let in is out.";
    FactorRuleGet: Get "/api/v1/second-factor", needs(Permission::OrgManage), Api, Empty, None, "Whether the organization asks everybody for a second factor, and who has none.";
    FactorRuleSet: Post "/api/v1/second-factor", stepped_up(Permission::OrgManage), Api, Json, Some("mfa.rule"), "Ask every member for a second factor, or no longer.";
    Rotation: Get "/api/v1/system/keys", Gate::Install, Api, Empty, None, "Peppers and signing keys that count, and when those that were replaced are done with.";
    OwnKeyList: Get "/api/v1/system/keys/organizations", Gate::Install, Api, Empty, None, "The keys that organizations keep themselves: where, whether they are given, and what is under them.";
    OwnKeyEnclose: Post "/api/v1/system/keys/organizations/enclose", Gate::Install, Api, Json, Some("key.enclose"), "Put the keys of an organization's workspaces under one that it keeps itself, while everything is served.";
    OwnKeyChange: Post "/api/v1/system/keys/organizations/change", Gate::Install, Api, Json, Some("key.change"), "Put another key of an organization's own in force.";
    OwnKeyRelease: Post "/api/v1/system/keys/organizations/release", Gate::Install, Api, Json, Some("key.release"), "Take an organization's own key off again, while it is given.";
    RotatePepper: Post "/api/v1/system/keys/pepper", Gate::Install, Api, Empty, Some("key.rotate_pepper"), "Make new credentials under another pepper.";
    RotateVault: Post "/api/v1/system/keys/vault", Gate::Install, Api, Empty, Some("key.rotate_vault"), "Seal what this host's vault holds with another key, while it is used.";
    RotateSigning: Post "/api/v1/system/keys/signing", Gate::Install, Api, Empty, Some("key.rotate_signing"), "Sign access tokens with another key from now on.";
    Backup: Post "/api/v1/system/backup", Gate::Install, Export, Json, Some("backup"), "An archive of everything, or of one workspace, closed with a passphrase or a recovery key.";
    PageStyle: Get "/assets/skep.css", Gate::Public, None, Empty, None, "How pages look.";
    PagePasskey: Get "/assets/passkey.js", Gate::Public, None, Empty, None, "Passkeys in pages.";
    PageLogin: Get "/login", Gate::Public, None, Empty, None, "The page to log in with.";
    PageLoginSend: Post "/login", Gate::Public, Login, Form, Some("auth.login"), "Log in with a page.";
    PageSecondSend: Post "/login/second", Gate::Public, Login, Form, Some("auth.second"), "Show a second factor with a page.";
    PageSsoStart: Get "/login/sso", Gate::Public, Login, Empty, None, "The way to the issuer of an organization.";
    PageSsoAnswer: Get "/login/sso/callback/{organization}", Gate::Public, Login, Empty, None, "The way back; who comes in is recorded.";
    PageSetup: Get "/setup", Gate::Public, None, Empty, None, "The page to make the first administrator with.";
    PageSetupSend: Post "/setup", Gate::Public, Login, Form, Some("setup"), "Make the first administrator with a page.";
    PageInvite: Get "/invite", Gate::Public, None, Empty, None, "The page to accept an invitation with.";
    PageInviteSend: Post "/invite", Gate::Public, Login, Form, Some("invite.accept"), "Accept an invitation with a page.";
    PageReset: Get "/reset", Gate::Public, None, Empty, None, "The page to choose a new password with.";
    PageResetSend: Post "/reset", Gate::Public, Login, Form, Some("auth.reset"), "Choose a new password with a page.";
    PageRegister: Get "/register", Gate::Public, None, Empty, None, "The page to ask for an account with.";
    PageRegisterSend: Post "/register", Gate::Public, Login, Form, Some("auth.register"), "Ask for an account with a page.";
    PageConfirm: Get "/register/confirm", Gate::Public, None, Empty, None, "The page to enter the code of an account with.";
    PageConfirmSend: Post "/register/confirm", Gate::Public, Login, Form, Some("auth.confirm"), "Make an account with a page.";
    PageAccount: Get "/account", Gate::Public, None, Empty, None, "One's own page; the way to the login for who has no session.";
    PageAccountSend: Post "/account", Gate::Public, Api, Form, Some("account.change"), "Change something with one's own page; refused without a session.";
    PageLogoutSend: Post "/logout", Gate::Public, Api, Form, Some("auth.logout"), "Log out with a page.";
    SystemPosture: Get "/api/v1/system/posture", needs(Permission::DiagnosticsRead), Api, Empty, None, "Who is let in from where, what fails how, and what is weak.";
    LimitList: Get "/api/v1/limits", needs(Permission::SettingRead), Api, Empty, None, "How often the organization and its credentials may call.";
    LimitSet: Post "/api/v1/limits", stepped_up(Permission::OrgManage), Api, Json, Some("limit.set"), "Let the organization or its credentials call less often.";
    Capture: Post "/api/v1/capture", needs(Permission::SessionCapture), Capture, Batch, Some("session.capture"), "Keep a batch of turns of one session.";
    CaptureRules: Get "/api/v1/capture/rules", needs(Permission::SettingRead), Api, Empty, None, "What is kept out of capture.";
    CapturePause: Post "/api/v1/capture/pause", needs(Permission::SessionCapture), Api, Json, Some("capture.pause"), "Stop capture for a while, or one session for good.";
    CaptureResume: Post "/api/v1/capture/resume", needs(Permission::SessionCapture), Api, Json, Some("capture.resume"), "Let capture go on.";
    ProjectList: Get "/api/v1/projects", needs(Permission::SettingRead), Api, Empty, None, "The directories whose sessions are captured.";
    ProjectBind: Post "/api/v1/projects/bind", needs(Permission::SettingWrite), Api, Json, Some("project.bind"), "Capture the sessions of a directory, for a project.";
    ProjectUnbind: Post "/api/v1/projects/unbind", needs(Permission::SettingWrite), Api, Json, Some("project.unbind"), "Capture the sessions of a directory no more.";
    ImportCursor: Post "/api/v1/imports/cursor", needs(Permission::SessionCapture), Capture, Json, None, "How far an import of this source has come.";
    SessionList: Get "/api/v1/sessions", needs(Permission::SessionRead), Api, Empty, None, "Sessions, newest first.";
    SessionGet: Get "/api/v1/sessions/{id}", needs(Permission::SessionRead), Api, Empty, None, "One session.";
    SessionTurns: Get "/api/v1/sessions/{id}/turns", needs(Permission::SessionRead), Api, Empty, None, "Turns of a session, oldest first.";
    SessionEnd: Post "/api/v1/sessions/{id}/end", needs(Permission::SessionCapture), Capture, Empty, Some("session.end"), "End a session and distil what is left of it.";
    SourceCreate: Post "/api/v1/sources", needs(Permission::SourceManage), Api, Json, Some("source.add"), "Add a folder, file, page or issue export as a source.";
    SourceList: Get "/api/v1/sources", needs(Permission::SourceManage), Api, Empty, None, "Sources, newest first.";
    SourceGet: Get "/api/v1/sources/{id}", needs(Permission::SourceManage), Api, Empty, None, "One source.";
    SourceSync: Post "/api/v1/sources/{id}/sync", needs(Permission::SourceManage), Capture, Batch, Some("source.sync"), "Say what a source has, and bring what changed.";
    SourceFetch: Post "/api/v1/sources/{id}/fetch", needs(Permission::SourceManage), Capture, Json, Some("source.fetch"), "Fetch a page or an export of issues, and take in what changed.";
    SourcePurge: Post "/api/v1/sources/{id}/purge", needs(Permission::SourceManage), Api, Empty, Some("source.purge"), "Take a source away with everything made of it.";
    SessionCapture: Post "/api/v1/sessions/{id}/capture", needs(Permission::SessionCapture), Api, Json, Some("session.capture_switch"), "Opt a session out of capture, or in again.";
    SessionRecent: Get "/api/v1/sessions/{id}/recent", needs(Permission::SessionRead), Api, Empty, None, "The last of a session in so many tokens.";
    SessionMembers: Get "/api/v1/sessions/{id}/participants", needs(Permission::SessionRead), Api, Empty, None, "Who was in a session, from which turn to which.";
    SessionJoin: Post "/api/v1/sessions/{id}/participants", needs(Permission::SessionCapture), Api, Json, Some("session.join"), "Let a participant into a session.";
    SessionLeave: Post "/api/v1/sessions/{id}/leave", needs(Permission::SessionCapture), Api, Json, Some("session.leave"), "End a stay in a session.";
    ParticipantList: Get "/api/v1/participants", needs(Permission::SessionRead), Api, Empty, None, "Participants that the caller shares a session with, added, or is.";
    ParticipantAdd: Post "/api/v1/participants", needs(Permission::ParticipantSpeak), Api, Json, Some("participant.add"), "Name somebody who has no credential here.";
    ParticipantSelf: Post "/api/v1/participants/self", needs(Permission::ParticipantSelf), Api, Json, Some("participant.name"), "Say one's own name.";
    ParticipantGet: Get "/api/v1/participants/{id}", needs(Permission::SessionRead), Api, Empty, None, "One participant.";
    ParticipantCard: Get "/api/v1/participants/{id}/card", needs(Permission::MemoryRead), Api, Empty, None, "A short profile, with where each fact comes from.";
    ParticipantCardEdit: Post "/api/v1/participants/{id}/card", needs(Permission::ParticipantSelf), Api, Json, Some("participant.card"), "Say what stands on one's own card.";
    ParticipantMerge: Post "/api/v1/participants/{id}/merge", needs(Permission::MemberManage), Api, Json, Some("participant.merge"), "Say that two participants are one.";
    ParticipantUnmerge: Post "/api/v1/participants/{id}/unmerge", needs(Permission::MemberManage), Api, Empty, Some("participant.unmerge"), "Undo a merge.";
    ParticipantDelete: Post "/api/v1/participants/{id}/delete", needs(Permission::ParticipantSelf), Api, Empty, Some("participant.delete"), "Delete a participant with all that was observed about it.";
    ObservationList: Get "/api/v1/participants/{id}/observations", needs(Permission::MemoryRead), Api, Empty, None, "What others observed about a participant who agreed to that.";
    ObservationCreate: Post "/api/v1/participants/{id}/observations", needs(Permission::MemoryWrite), Api, Json, Some("observation.write"), "Keep an observation about a participant who agreed to that.";
    ConsentList: Get "/api/v1/consents", needs(Permission::SessionRead), Api, Empty, None, "The history of consent of a participant.";
    ConsentGive: Post "/api/v1/consents", needs(Permission::ParticipantSelf), Api, Json, Some("consent.give"), "Agree to be observed.";
    ConsentRevoke: Post "/api/v1/consents/revoke", needs(Permission::ParticipantSelf), Api, Json, Some("consent.revoke"), "Withdraw consent, at once.";
    SessionErase: Post "/api/v1/sessions/{id}/erase", needs(Permission::MemoryDelete), Api, Empty, Some("session.erase"), "Delete a session, its turns and what rests on it alone, without a trace.";
    MemoryCreate: Post "/api/v1/memories", needs(Permission::MemoryWrite), Api, Json, Some("memory.write"), "Remember a statement.";
    MemoryList: Get "/api/v1/memories", needs(Permission::MemoryRead), Api, Empty, None, "Memories, newest first.";
    MemoryGet: Get "/api/v1/memories/{id}", needs(Permission::MemoryRead), Api, Empty, None, "One memory.";
    MemoryEdit: Patch "/api/v1/memories/{id}", needs(Permission::MemoryWrite), Api, Json, Some("memory.edit"), "Put a new version in a memory's place.";
    MemoryHistory: Get "/api/v1/memories/{id}/history", needs(Permission::MemoryRead), Api, Empty, None, "Every version of a memory and what happened to it.";
    MemorySeen: Get "/api/v1/memories/{id}/seen", needs(Permission::MemoryRead), Api, Empty, None, "Who was shown a memory that is not theirs, newest first; for its owner, and for who may read the record.";
    MemoryForget: Post "/api/v1/memories/{id}/forget", needs(Permission::MemoryDelete), Api, Json, Some("memory.forget"), "Take a memory out of recall, with a reason.";
    MemoryErase: Post "/api/v1/memories/{id}/erase", needs(Permission::MemoryDelete), Api, Empty, Some("memory.erase"), "Delete a memory, its vector and its history without a trace.";
    Rewind: Post "/api/v1/rewind", needs(Permission::MemoryDelete), Api, Json, Some("memory.rewind"), "Take back a session or a source with all that came of it.";
    ConflictList: Get "/api/v1/conflicts", needs(Permission::MemoryRead), Api, Empty, None, "Pairs of memories of which at most one can be true, newest first.";
    ConflictResolve: Post "/api/v1/conflicts/{id}/resolve", needs(Permission::MemoryDelete), Api, Json, Some("conflict.resolve"), "Say which of two memories holds.";
    QuarantineList: Get "/api/v1/quarantine", needs(Permission::MemoryReview), Api, Empty, None, "Memories that wait for a human, newest first.";
    QuarantineAccept: Post "/api/v1/quarantine/{id}/accept", needs(Permission::MemoryReview), Api, Json, Some("quarantine.accept"), "Let a memory into recall.";
    QuarantineReject: Post "/api/v1/quarantine/{id}/reject", needs(Permission::MemoryReview), Api, Json, Some("quarantine.reject"), "Forget a memory that was held back.";
    TreeList: Post "/api/v1/tree/list", needs(Permission::MemoryRead), Api, Json, None, "A folder of the tree of memories; the root is `/`.";
    TreeFile: Post "/api/v1/tree/file", needs(Permission::MemoryRead), Api, Json, None, "A file of the tree of memories.";
    TreeFind: Post "/api/v1/tree/find", needs(Permission::MemoryRead), Api, Json, None, "Files of the tree by name, kind, project or day.";
    TreeGrep: Post "/api/v1/tree/grep", needs(Permission::MemoryRead), Api, Json, None, "Lines of the tree's files that fit a regular expression.";
    Recall: Post "/api/v1/recall", needs(Permission::MemoryRead), Api, Json, None, "The memories that answer a question.";
    ExplainRecall: Post "/api/v1/explain/recall", needs(Permission::MemoryRead), Api, Json, None, "Why a recall answered what it did, and whether it would again.";
    EntityList: Get "/api/v1/entities", needs(Permission::MemoryRead), Api, Empty, None, "Names that memories speak of, the most named first.";
    RelationList: Post "/api/v1/relations", needs(Permission::MemoryRead), Api, Json, None, "What is known of a name, and which names belong to it.";
    ProposalCreate: Post "/api/v1/ontology/proposals", needs(Permission::MemoryWrite), Api, Json, Some("ontology.propose"), "Propose that two names are one, or that one no longer counts.";
    ProposalList: Get "/api/v1/ontology/proposals", needs(Permission::OntologyWrite), Api, Empty, None, "Proposals about names, newest first.";
    ProposalAccept: Post "/api/v1/ontology/proposals/{id}/accept", needs(Permission::OntologyWrite), Api, Empty, Some("ontology.accept"), "Let a proposal about names hold.";
    ProposalReject: Post "/api/v1/ontology/proposals/{id}/reject", needs(Permission::OntologyWrite), Api, Empty, Some("ontology.reject"), "Turn a proposal about names down.";
    SkillCreate: Post "/api/v1/skills", needs(Permission::MemoryWrite), Api, Json, Some("skill.propose"), "Propose a version of a skill; it waits for a human.";
    SkillList: Get "/api/v1/skills", needs(Permission::SkillRead), Api, Empty, None, "Skills that were approved, newest first.";
    SkillReviewList: Get "/api/v1/skills/review", needs(Permission::SkillPublish), Api, Empty, None, "Versions of skills in any state, newest first.";
    SkillReviewGet: Get "/api/v1/skills/review/{id}", needs(Permission::SkillPublish), Api, Empty, None, "One version of a skill in whatever state, with its files and what was found in them.";
    SkillGet: Get "/api/v1/skills/{id}", needs(Permission::SkillRead), Api, Empty, None, "One approved skill, with its files and the signed approval.";
    SkillApprove: Post "/api/v1/skills/{id}/approve", stepped_up(Permission::SkillPublish), Api, Json, Some("skill.approve"), "Approve a version of a skill, signed; teammates get it from then on.";
    SkillReject: Post "/api/v1/skills/{id}/reject", needs(Permission::SkillPublish), Api, Json, Some("skill.reject"), "Turn a version of a skill down.";
    SkillWithdraw: Post "/api/v1/skills/{id}/withdraw", needs(Permission::SkillPublish), Api, Json, Some("skill.withdraw"), "Take an approval back; nobody gets the skill any more.";
    BudgetList: Get "/api/v1/budgets", needs(Permission::UsageRead), Api, Empty, None, "Budgets, and what they have counted.";
    BudgetSet: Post "/api/v1/budgets", needs(Permission::BudgetManage), Api, Json, Some("budget.set"), "Bound what some calls may cost in a period, or be told.";
    BudgetRemove: Delete "/api/v1/budgets/{id}", needs(Permission::BudgetManage), Api, Empty, Some("budget.remove"), "Remove a budget and what it counted.";
    BudgetExplain: Post "/api/v1/explain/budget", needs(Permission::UsageRead), Api, Json, None, "Whether a call would be allowed now, by which prices and budgets.";
    RateCardList: Get "/api/v1/rate-cards", needs(Permission::UsageRead), Api, Empty, None, "What tokens cost.";
    RateCardSet: Post "/api/v1/rate-cards", needs(Permission::BudgetManage), Api, Json, Some("rates.set"), "Say what tokens of some models cost from now on.";
    UsageList: Get "/api/v1/usage", needs(Permission::UsageRead), Api, Empty, None, "What calls of models came to, by day.";
    SecretList: Get "/api/v1/secrets", needs(Permission::SecretList), Api, Empty, None, "Which secrets there are, without their values.";
    SecretSet: Post "/api/v1/secrets", needs(Permission::SecretWrite), Api, Json, Some("secret.set"), "Set a secret; no interface returns its value.";
    SecretRemove: Post "/api/v1/secrets/remove", needs(Permission::SecretWrite), Api, Json, Some("secret.remove"), "Remove a secret.";
    TemplateCreate: Post "/api/v1/templates", needs(Permission::SecretWrite), Api, Json, Some("template.draft"), "Draft a way of using secrets; it waits for a human who is somebody else.";
    TemplateList: Get "/api/v1/templates", needs(Permission::SecretList), Api, Empty, None, "Templates that were approved, newest first; for who drafts or approves, those in other states too.";
    TemplateGet: Get "/api/v1/templates/{id}", needs(Permission::SecretList), Api, Empty, None, "One version of a template, beside the one in force.";
    TemplateApprove: Post "/api/v1/templates/{id}/approve", stepped_up(Permission::SecretApprove), Api, Json, Some("template.approve"), "Approve exactly what was read; it is in force from then on.";
    TemplateReject: Post "/api/v1/templates/{id}/reject", needs(Permission::SecretApprove), Api, Json, Some("template.reject"), "Turn a version of a template down.";
    TemplateWithdraw: Post "/api/v1/templates/{id}/withdraw", needs(Permission::SecretApprove), Api, Json, Some("template.withdraw"), "Take an approval back, and all grants with it, at once.";
    AccessList: Get "/api/v1/access", needs(Permission::SecretList), Api, Empty, None, "Requests for templates and grants, newest first: an agent's own, or for who approves all of them.";
    AccessAsk: Post "/api/v1/access", needs(Permission::SecretUse), Api, Json, Some("access.ask"), "Ask for a template, as an agent; a human decides.";
    AccessGive: Post "/api/v1/access/grant", stepped_up(Permission::SecretApprove), Api, Json, Some("access.grant"), "Grant a template to an agent, or to every one, unasked.";
    AccessGrant: Post "/api/v1/access/{id}/grant", stepped_up(Permission::SecretApprove), Api, Json, Some("access.grant"), "Grant what an agent asked for.";
    AccessRefuse: Post "/api/v1/access/{id}/refuse", needs(Permission::SecretApprove), Api, Json, Some("access.refuse"), "Turn a request for a template down.";
    AccessRevoke: Post "/api/v1/access/{id}/revoke", needs(Permission::SecretApprove), Api, Json, Some("access.revoke"), "Take a grant back, at once.";
    SettingList: Get "/api/v1/settings", needs(Permission::SettingRead), Api, Empty, None, "The settings that are kept in the vault.";
    SettingSet: Post "/api/v1/settings", needs(Permission::SettingWrite), Api, Json, Some("setting.set"), "Set a setting.";
    SettingRemove: Post "/api/v1/settings/remove", needs(Permission::SettingWrite), Api, Json, Some("setting.remove"), "Remove a setting.";
    ExecAsk: Post "/api/v1/exec", needs(Permission::SecretUse), Api, Json, Some("exec.ask"), "Ask for a run of an approved program with its secrets; it waits for its turn.";
    ExecList: Get "/api/v1/exec", needs(Permission::SecretUse), Api, Empty, None, "One's own runs, newest first; everybody's for who may approve templates.";
    ExecGet: Get "/api/v1/exec/{id}", needs(Permission::SecretUse), Api, Empty, None, "A run: how far it is, or how it ended and what it showed, redacted.";
    ExecCancel: Post "/api/v1/exec/{id}/cancel", needs(Permission::SecretUse), Api, Empty, Some("exec.cancel"), "End a run, and all that it has started.";
    LeaseBegin: Post "/api/v1/leases", needs(Permission::SecretUse), Api, Json, Some("lease.begin"), "Let a program use secrets that it never holds, through a proxy on this machine.";
    LeaseList: Get "/api/v1/leases", needs(Permission::SecretUse), Api, Empty, None, "One's own leases that are under way.";
    LeaseRenew: Post "/api/v1/leases/{id}/renew", needs(Permission::SecretUse), Api, Empty, Some("lease.renew"), "Say that the program of a lease still runs.";
    LeaseEnd: Post "/api/v1/leases/{id}/end", needs(Permission::SecretUse), Api, Empty, Some("lease.end"), "End a lease, at once.";
    Inject: Post "/api/v1/inject", needs(Permission::SessionCapture), Capture, Json, Some("memory.inject"), "What to put in front of a model now, recorded.";
    InjectionList: Get "/api/v1/injections", needs(Permission::MemoryRead), Api, Empty, None, "What was put in front of models, newest first.";
    SessionContext: Get "/api/v1/sessions/{id}/context", needs(Permission::MemoryRead), Api, Empty, None, "The exact bytes put in front of a session's model, newest first.";
    Whoami: Get "/api/v1/whoami", Gate::Oneself, Api, Empty, None, "Who the credential proves, and what they may do.";
    KeyCreate: Post "/api/v1/keys", stepped_up(Permission::TokenManage), Api, Json, Some("key.create"), "Make a key for an agent, a connector or a runner.";
    KeyList: Get "/api/v1/keys", needs(Permission::TokenManage), Api, Empty, None, "Keys of the organization, newest first.";
    KeyRevoke: Post "/api/v1/keys/{id}/revoke", stepped_up(Permission::TokenManage), Api, Empty, Some("key.revoke"), "Revoke anybody's credential in the organization, at once.";
    TokenCreate: Post "/api/v1/tokens", Gate::InPerson, Api, Json, Some("token.create"), "Make a personal access token for oneself.";
    TokenList: Get "/api/v1/tokens", Gate::InPerson, Api, Empty, None, "One's own tokens, newest first.";
    TokenRevoke: Post "/api/v1/tokens/{id}/revoke", Gate::InPerson, Api, Empty, Some("token.revoke"), "Revoke one of one's own credentials, at once.";
    AgentCreate: Post "/api/v1/agents", needs(Permission::MemberManage), Api, Json, Some("agent.create"), "Make an agent of the workspace.";
    AgentList: Get "/api/v1/agents", needs(Permission::SettingRead), Api, Empty, None, "Agents of the workspace, oldest first.";
    AgentEdit: Patch "/api/v1/agents/{id}", needs(Permission::MemberManage), Api, Json, Some("agent.edit"), "Let an agent read more or less, suspend it, or let it act again.";
    OrganizationList: Get "/api/v1/orgs", Gate::Oneself, Api, Empty, None, "The organizations that the caller belongs to.";
    OrganizationName: Patch "/api/v1/orgs", stepped_up(Permission::OrgManage), Api, Json, Some("org.name"), "Give the organization a name, or another.";
    OwnKeyGet: Get "/api/v1/orgs/key", needs(Permission::OrgManage), Api, Empty, None, "How the key stands that the organization keeps itself.";
    OwnKeyWithdraw: Post "/api/v1/orgs/key/withdraw", stepped_up(Permission::OrgManage), Api, Empty, Some("org.key_withdraw"), "Withdraw the key that the organization keeps itself: at once nothing of its workspaces can be read.";
    OwnKeyRestore: Post "/api/v1/orgs/key/restore", stepped_up(Permission::OrgManage), Api, Empty, Some("org.key_restore"), "Give it back: its workspaces open again, as soon as whoever keeps it gives it.";
    OrganizationStanding: Post "/api/v1/orgs/standing", Gate::Install, Api, Json, Some("org.standing"), "Suspend an organization, or let it act again.";
    WorkspaceList: Get "/api/v1/workspaces", needs(Permission::SettingRead), Api, Empty, None, "The workspaces of the organization.";
    WorkspaceCreate: Post "/api/v1/workspaces", needs(Permission::WorkspaceManage), Api, Json, Some("workspace.create"), "Make a workspace in the organization.";
    WorkspaceDelete: Delete "/api/v1/workspaces/{id}", stepped_up(Permission::WorkspaceManage), Api, Empty, Some("workspace.delete"), "Delete a workspace: at once it is found nowhere and nothing in it can be opened; a job erases the rest. Answers 202.";
    WorkspaceInventory: Post "/api/v1/workspaces/inventory", needs(Permission::WorkspaceManage), Api, Empty, Some("workspace.inventory"), "Count the rows of the caller's workspace by table, as a job. Answers 202.";
    JobList: Get "/api/v1/jobs", needs(Permission::AuditRead), Api, Empty, None, "The jobs of the organization, newest first.";
    JobGet: Get "/api/v1/jobs/{id}", needs(Permission::AuditRead), Api, Empty, None, "One job: how far it is and what it counted; of an erasure that is done, the receipt.";
    AuditList: Get "/api/v1/audit", needs(Permission::AuditRead), Api, Empty, None, "Who was allowed or refused what, newest first.";
    AuditAlerts: Get "/api/v1/audit/alerts", needs(Permission::AuditRead), Api, Empty, None, "Who was refused again and again, newest first.";
    AuditCheckpoints: Get "/api/v1/audit/checkpoints", needs(Permission::AuditRead), Api, Empty, None, "The signed heads of a log, newest first.";
    AuditProof: Get "/api/v1/audit/proof", needs(Permission::AuditRead), Api, Empty, None, "What proves that an entry is in a log, or that a log begins with what it was.";
    AuditExport: Get "/api/v1/audit/export", needs(Permission::AuditExport), Export, Empty, Some("audit.export"), "A whole log as lines of JSON that can be verified offline. That it was taken is recorded.";
    AuditErase: Post "/api/v1/audit/erase", stepped_up(Permission::AuditErase), Api, Json, Some("audit.erase"), "Erase entries of a log for good: their hashes stay, and with them every proof. For an owner in person.";
    SinkList: Get "/api/v1/sinks", needs(Permission::OrgManage), Api, Empty, None, "Where entries of the organization's logs are delivered to, and how each stands.";
    SinkSet: Post "/api/v1/sinks", stepped_up(Permission::OrgManage), Api, Json, Some("sink.set"), "Deliver entries of the organization's logs to a webhook. Takes the permission audit:export too. The key that messages are signed with is shown once.";
    SinkRemove: Post "/api/v1/sinks/remove", stepped_up(Permission::OrgManage), Api, Json, Some("sink.remove"), "Deliver nothing more to a sink, and forget how far it has come.";
    SinkKey: Post "/api/v1/sinks/key", stepped_up(Permission::OrgManage), Api, Json, Some("sink.key"), "Give a sink another key, shown once. For a day messages are signed with both. Takes the permission audit:export too.";
    SinkResume: Post "/api/v1/sinks/resume", needs(Permission::OrgManage), Api, Json, Some("sink.resume"), "Deliver to a sink again that was given up or is gone: it goes on where it stands. Takes the permission audit:export too.";
    SinkTest: Post "/api/v1/sinks/test", needs(Permission::OrgManage), Api, Json, Some("sink.test"), "Send a sink a message that says nothing, to see whether it arrives.";
    OAuthServerMetadata: Get "/.well-known/oauth-authorization-server", Gate::Public, None, Empty, None, "What the authorization server offers (RFC 8414).";
    OAuthResourceMetadata: Get "/.well-known/oauth-protected-resource", Gate::Public, None, Empty, None, "Which authorization server guards this resource (RFC 9728).";
    OAuthToolsMetadata: Get "/.well-known/oauth-protected-resource/mcp", Gate::Public, None, Empty, None, "Which authorization server guards the tools (RFC 9728).";
    OAuthKeys: Get "/.well-known/jwks.json", Gate::Public, None, Empty, None, "The public keys of access tokens.";
    OAuthDeviceStart: Post "/oauth/device_authorization", Gate::Public, Login, Form, None, "Begin the login of a device (RFC 8628).";
    OAuthDevicePage: Get "/oauth/device", Gate::Public, Oauth, Empty, None, "The page on which a human types a device's code.";
    OAuthDeviceDecide: Post "/oauth/device", Gate::Public, Login, Form, None, "Let a device in, or refuse it.";
    OAuthAuthorizePage: Get "/oauth/authorize", Gate::Public, Oauth, Empty, None, "The page on which a human lets a program in.";
    OAuthAuthorizeDecide: Post "/oauth/authorize", Gate::Public, Oauth, Form, None, "Let a program in, or refuse it.";
    OAuthToken: Post "/oauth/token", Gate::Public, Oauth, Form, None, "Tokens for a code, a device code or a refresh token.";
    OAuthRevoke: Post "/oauth/revoke", Gate::Public, Oauth, Form, None, "Revoke the login that a token belongs to (RFC 7009).";
    OAuthRegister: Post "/oauth/register", Gate::Public, Oauth, Json, None, "Register a public client (RFC 7591).";
    Mcp: Post "/mcp", Gate::Oneself, Api, Json, None, "Tools for agents: the Model Context Protocol over streamable HTTP, without sessions.";
    ChatCompletions: Post "/v1/chat/completions", needs(Permission::GatewayUse), Gateway, Model, None, "A model call in OpenAI's dialect, to the provider that the organization has for the model.";
    Messages: Post "/v1/messages", needs(Permission::GatewayUse), Gateway, Model, None, "A model call in Anthropic's dialect.";
    Responses: Post "/v1/responses", needs(Permission::GatewayUse), Gateway, Model, None, "A model call in the other form of OpenAI's dialect; nothing of it is kept by the provider.";
    Embeddings: Post "/v1/embeddings", needs(Permission::GatewayUse), Gateway, Model, None, "Vectors of texts, in OpenAI's dialect.";
    CountTokens: Post "/v1/messages/count_tokens", needs(Permission::GatewayUse), Gateway, Model, None, "How many tokens a model call in Anthropic's dialect would read; it costs nothing.";
    ModelList: Get "/v1/models", needs(Permission::GatewayUse), Gateway, Empty, None, "The models that may be called, in the dialect of whoever asks.";
    ProviderList: Get "/api/v1/providers", needs(Permission::GatewayConfigure), Api, Empty, None, "The providers of models that the organization has set, without their keys.";
    ProviderSet: Post "/api/v1/providers", needs(Permission::GatewayConfigure), Api, Json, Some("provider.set"), "Set a provider of models. A key goes to an address of one's own choice only with the permission secret:approve and a second factor.";
    DirectiveList: Get "/api/v1/directives", needs(Permission::SettingRead), Api, Empty, None, "The versions of a standing text that models are given, and which of them counted when.";
    DirectiveGet: Get "/api/v1/directives/version", needs(Permission::SettingRead), Api, Empty, None, "One version of a standing text; the one that counts if none is named.";
    DirectiveDraft: Post "/api/v1/directives", needs(Permission::GatewayConfigure), Api, Json, Some("directive.draft"), "Add a version of a standing text. It does nothing before it is promoted.";
    DirectivePromote: Post "/api/v1/directives/promote", stepped_up(Permission::WorkspaceManage), Api, Json, Some("directive.promote"), "Say which version counts from now on. For all workspaces only with the permission org:manage.";
    AgentContextList: Get "/api/v1/agent-contexts", needs(Permission::GatewayConfigure), Api, Empty, None, "What the model calls of the workspace's agents are given.";
    AgentContextSet: Post "/api/v1/agents/{id}/context", needs(Permission::GatewayConfigure), Api, Json, Some("agent.context"), "Say what the model calls of an agent are given: memories, the directive alone, or nothing.";
    ProviderRemove: Post "/api/v1/providers/remove", needs(Permission::GatewayConfigure), Api, Json, Some("provider.remove"), "Remove a provider of models.";
    Resolve: Post "/api/v1/resolve", needs(Permission::MemoryRead), Api, Json, None, "From a key line to the statement to the turns.";
}

#[cfg(test)]
mod tests {
    use super::{Gate, Method, ROUTES};
    use skep_domain::RateClass;

    /// Doors at which secrets of few bits, or somebody's account, can be guessed at.
    #[test]
    fn f02_what_can_be_guessed_at_is_counted_as_a_login() {
        for route in ROUTES.iter().filter(|route| route.gate == Gate::Public) {
            let guessed = route.path.starts_with("/api/v1/auth")
                || route.path.starts_with("/login")
                || ["/setup", "/invite", "/reset"].contains(&route.path)
                || ["/api/v1/setup", "/oauth/device"].contains(&route.path);
            if guessed && route.method != Method::Get {
                assert_eq!(route.rate, RateClass::Login, "{}", route.path);
            }
        }
    }

    #[test]
    fn rows_stand_where_their_name_says_and_repeat_nothing() {
        for (at, route) in ROUTES.iter().enumerate() {
            assert_eq!(route.id as usize, at);
            assert_eq!(route.id.row().path, route.path);
        }
        let mut keys: Vec<_> = ROUTES
            .iter()
            .map(|route| (route.path, route.method.as_str()))
            .collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), ROUTES.len());
    }

    #[test]
    fn the_public_list_is_short_and_reviewed() {
        let public: Vec<_> = ROUTES
            .iter()
            .filter(|route| route.gate == Gate::Public)
            .map(|route| route.path)
            .collect();
        insta::assert_debug_snapshot!(public, @r#"
        [
            "/healthz",
            "/readyz",
            "/api/v1/setup",
            "/api/v1/auth/login",
            "/api/v1/auth/login/second",
            "/api/v1/auth/passkey/begin",
            "/api/v1/auth/passkey/finish",
            "/api/v1/auth/invite",
            "/api/v1/auth/reset",
            "/api/v1/auth/register",
            "/api/v1/auth/register/confirm",
            "/assets/skep.css",
            "/assets/passkey.js",
            "/login",
            "/login",
            "/login/second",
            "/login/sso",
            "/login/sso/callback/{organization}",
            "/setup",
            "/setup",
            "/invite",
            "/invite",
            "/reset",
            "/reset",
            "/register",
            "/register",
            "/register/confirm",
            "/register/confirm",
            "/account",
            "/account",
            "/logout",
            "/.well-known/oauth-authorization-server",
            "/.well-known/oauth-protected-resource",
            "/.well-known/oauth-protected-resource/mcp",
            "/.well-known/jwks.json",
            "/oauth/device_authorization",
            "/oauth/device",
            "/oauth/device",
            "/oauth/authorize",
            "/oauth/authorize",
            "/oauth/token",
            "/oauth/revoke",
            "/oauth/register",
        ]
        "#);
    }
}
