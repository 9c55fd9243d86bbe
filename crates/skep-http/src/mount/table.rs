//! Every row has a handler, every handler has a row, and the right that a handler takes is the permission of its
//! row, or this file does not compile.

use skep_api::{Gate, RouteId};
use skep_authz::{Authorized, Right, rights};

use super::Handler;
use crate::handlers::people as humans;
use crate::handlers::{
    access, agents, auth, backup, budgets, capture, contexts, directives, exec, explain, gateway,
    inject, jobs, keys, leases, ledger, limits as own_limits, mcp, members, memories, oauth,
    ontology, organizations, own, own_key, participants as people, posture, providers, recall,
    removal, review, rotation, sessions, sinks, skills, sources, sso, system, templates, tree,
    vault,
};
use crate::pages;

macro_rules! authorized {
    ($route:ident, $right:ty, $handler:path) => {{
        const {
            assert!(
                allows::<$right>(RouteId::$route),
                "the right of a handler is not the permission of its row"
            )
        };
        Handler::Known(|call| {
            Box::pin(async move {
                let authorized: Authorized<$right> = call.caller.authorize()?;
                $handler(authorized, call).await
            })
        })
    }};
}

/// A handler that takes no right, because its row asks for none.
macro_rules! known {
    ($route:ident, $handler:path) => {{
        const {
            assert!(
                matches!(
                    RouteId::$route.row().gate,
                    Gate::Oneself | Gate::InPerson | Gate::Install
                ),
                "the row of this handler asks for a permission"
            )
        };
        Handler::Known(|call| Box::pin($handler(call)))
    }};
}

/// A handler that anybody reaches.
macro_rules! public {
    ($route:ident, $handler:path) => {{
        const {
            assert!(
                matches!(RouteId::$route.row().gate, Gate::Public),
                "the row of this handler is not public"
            )
        };
        Handler::Public(|visit| Box::pin($handler(visit)))
    }};
}

#[expect(clippy::too_many_lines, reason = "one arm for each row of the table")]
pub(super) fn handler(route: RouteId) -> Handler {
    match route {
        RouteId::Healthz => public!(Healthz, system::probe),
        RouteId::Readyz => public!(Readyz, system::ready),
        RouteId::OAuthServerMetadata => public!(OAuthServerMetadata, oauth::server_metadata),
        RouteId::OAuthResourceMetadata => public!(OAuthResourceMetadata, oauth::resource_metadata),
        RouteId::OAuthToolsMetadata => public!(OAuthToolsMetadata, oauth::tools_metadata),
        RouteId::OAuthKeys => public!(OAuthKeys, oauth::jwks),
        RouteId::OAuthDeviceStart => public!(OAuthDeviceStart, oauth::start_device),
        RouteId::OAuthDevicePage => public!(OAuthDevicePage, oauth::device),
        RouteId::OAuthDeviceDecide => public!(OAuthDeviceDecide, oauth::device_submit),
        RouteId::OAuthAuthorizePage => public!(OAuthAuthorizePage, oauth::authorize),
        RouteId::OAuthAuthorizeDecide => public!(OAuthAuthorizeDecide, oauth::authorize_submit),
        RouteId::OAuthToken => public!(OAuthToken, oauth::token),
        RouteId::OAuthRevoke => public!(OAuthRevoke, oauth::revoke),
        RouteId::OAuthRegister => public!(OAuthRegister, oauth::register),
        RouteId::Whoami => known!(Whoami, access::whoami),
        RouteId::KeyCreate => authorized!(KeyCreate, rights::TokenManage, keys::create),
        RouteId::KeyList => authorized!(KeyList, rights::TokenManage, keys::list),
        RouteId::KeyRevoke => authorized!(KeyRevoke, rights::TokenManage, keys::revoke),
        RouteId::TokenCreate => known!(TokenCreate, keys::create_token),
        RouteId::TokenList => known!(TokenList, keys::list_tokens),
        RouteId::TokenRevoke => known!(TokenRevoke, keys::revoke_token),
        RouteId::AgentCreate => authorized!(AgentCreate, rights::MemberManage, agents::create),
        RouteId::AgentList => authorized!(AgentList, rights::SettingRead, agents::list),
        RouteId::AgentEdit => authorized!(AgentEdit, rights::MemberManage, agents::edit),
        RouteId::OrganizationList => known!(OrganizationList, organizations::list),
        RouteId::OrganizationName => {
            authorized!(OrganizationName, rights::OrgManage, organizations::name)
        }
        RouteId::OwnKeyGet => authorized!(OwnKeyGet, rights::OrgManage, own_key::get),
        RouteId::OwnKeyWithdraw => {
            authorized!(OwnKeyWithdraw, rights::OrgManage, own_key::withdraw)
        }
        RouteId::OwnKeyRestore => authorized!(OwnKeyRestore, rights::OrgManage, own_key::restore),
        RouteId::OwnKeyList => known!(OwnKeyList, own_key::list),
        RouteId::OwnKeyEnclose => known!(OwnKeyEnclose, own_key::enclose),
        RouteId::OwnKeyChange => known!(OwnKeyChange, own_key::replace),
        RouteId::OwnKeyRelease => known!(OwnKeyRelease, own_key::release),
        RouteId::OrganizationStanding => known!(OrganizationStanding, organizations::standing),
        RouteId::WorkspaceList => {
            authorized!(
                WorkspaceList,
                rights::SettingRead,
                organizations::workspaces
            )
        }
        RouteId::WorkspaceCreate => authorized!(
            WorkspaceCreate,
            rights::WorkspaceManage,
            organizations::create_workspace
        ),
        RouteId::WorkspaceDelete => authorized!(
            WorkspaceDelete,
            rights::WorkspaceManage,
            jobs::delete_workspace
        ),
        RouteId::WorkspaceInventory => {
            authorized!(WorkspaceInventory, rights::WorkspaceManage, jobs::inventory)
        }
        RouteId::JobList => authorized!(JobList, rights::AuditRead, jobs::list),
        RouteId::JobGet => authorized!(JobGet, rights::AuditRead, jobs::get),
        RouteId::AuditAlerts => authorized!(AuditAlerts, rights::AuditRead, access::alerts),
        RouteId::AuditList => authorized!(AuditList, rights::AuditRead, access::audit),
        RouteId::AuditCheckpoints => {
            authorized!(AuditCheckpoints, rights::AuditRead, ledger::checkpoints)
        }
        RouteId::AuditProof => authorized!(AuditProof, rights::AuditRead, ledger::proof),
        RouteId::AuditErase => authorized!(AuditErase, rights::AuditErase, ledger::erase),
        RouteId::AuditExport => authorized!(AuditExport, rights::AuditExport, ledger::export),
        RouteId::OpenApi => authorized!(OpenApi, rights::SettingRead, system::openapi),
        RouteId::SystemHealth => authorized!(SystemHealth, rights::DiagnosticsRead, system::health),
        RouteId::Setup => public!(Setup, auth::set_up),
        RouteId::SetupToken => known!(SetupToken, own::setup_token),
        RouteId::AuthLogin => public!(AuthLogin, auth::log_in),
        RouteId::AuthSecond => public!(AuthSecond, auth::second),
        RouteId::AuthPasskey => public!(AuthPasskey, auth::begin_passkey),
        RouteId::AuthPasskeyFinish => public!(AuthPasskeyFinish, auth::finish_passkey),
        RouteId::AuthInvite => public!(AuthInvite, auth::accept),
        RouteId::AuthReset => public!(AuthReset, auth::reset),
        RouteId::AuthRegister => public!(AuthRegister, auth::register),
        RouteId::AuthConfirm => public!(AuthConfirm, auth::confirm),
        RouteId::AuthLogout => known!(AuthLogout, own::log_out),
        RouteId::BrowserList => known!(BrowserList, own::browsers),
        RouteId::BrowserEnd => known!(BrowserEnd, own::end_browser),
        RouteId::PasswordChange => known!(PasswordChange, own::password),
        RouteId::StepUp => known!(StepUp, own::step_up),
        RouteId::StepUpPasskey => known!(StepUpPasskey, own::begin_step_up),
        RouteId::StepUpPasskeyFinish => known!(StepUpPasskeyFinish, own::finish_step_up),
        RouteId::FactorList => known!(FactorList, own::factors),
        RouteId::TotpEnrol => known!(TotpEnrol, own::enrol_totp),
        RouteId::TotpConfirm => known!(TotpConfirm, own::confirm_totp),
        RouteId::RecoveryRenew => known!(RecoveryRenew, own::recovery),
        RouteId::FactorRemove => known!(FactorRemove, own::remove_factor),
        RouteId::PasskeyBegin => known!(PasskeyBegin, own::begin_passkey),
        RouteId::PasskeyFinish => known!(PasskeyFinish, own::finish_passkey),
        RouteId::InviteCreate => authorized!(InviteCreate, rights::MemberManage, humans::invite),
        RouteId::InviteList => authorized!(InviteList, rights::MemberManage, humans::invites),
        RouteId::InviteWithdraw => {
            authorized!(InviteWithdraw, rights::MemberManage, humans::withdraw)
        }
        RouteId::MemberList => authorized!(MemberList, rights::MemberManage, humans::list),
        RouteId::MemberEdit => authorized!(MemberEdit, rights::MemberManage, humans::edit),
        RouteId::MemberRemove => authorized!(MemberRemove, rights::MemberManage, humans::remove),
        RouteId::MemberReset => authorized!(MemberReset, rights::MemberManage, humans::reset),
        RouteId::SsoGet => authorized!(SsoGet, rights::OrgManage, sso::get),
        RouteId::SsoSet => authorized!(SsoSet, rights::OrgManage, sso::set),
        RouteId::SsoTest => authorized!(SsoTest, rights::OrgManage, sso::test),
        RouteId::SsoRemove => authorized!(SsoRemove, rights::OrgManage, sso::remove),
        RouteId::PageSsoStart => public!(PageSsoStart, pages::begin_sso),
        RouteId::PageSsoAnswer => public!(PageSsoAnswer, pages::finish_sso),
        RouteId::FactorRuleGet => {
            authorized!(FactorRuleGet, rights::OrgManage, organizations::factor_rule)
        }
        RouteId::FactorRuleSet => authorized!(
            FactorRuleSet,
            rights::OrgManage,
            organizations::set_factor_rule
        ),
        RouteId::Rotation => known!(Rotation, rotation::get),
        RouteId::RotatePepper => known!(RotatePepper, rotation::pepper),
        RouteId::RotateVault => known!(RotateVault, rotation::vault),
        RouteId::RotateSigning => known!(RotateSigning, rotation::signing),
        RouteId::Backup => known!(Backup, backup::begin),
        RouteId::PageStyle => public!(PageStyle, pages::style),
        RouteId::PagePasskey => public!(PagePasskey, pages::passkey_script),
        RouteId::PageLogin => public!(PageLogin, pages::login),
        RouteId::PageLoginSend => public!(PageLoginSend, pages::log_in),
        RouteId::PageSecondSend => public!(PageSecondSend, pages::second),
        RouteId::PageSetup => public!(PageSetup, pages::setup),
        RouteId::PageSetupSend => public!(PageSetupSend, pages::send_setup),
        RouteId::PageInvite => public!(PageInvite, pages::invite),
        RouteId::PageInviteSend => public!(PageInviteSend, pages::send_invite),
        RouteId::PageReset => public!(PageReset, pages::reset),
        RouteId::PageResetSend => public!(PageResetSend, pages::send_reset),
        RouteId::PageRegister => public!(PageRegister, pages::register),
        RouteId::PageRegisterSend => public!(PageRegisterSend, pages::send_register),
        RouteId::PageConfirm => public!(PageConfirm, pages::confirm),
        RouteId::PageConfirmSend => public!(PageConfirmSend, pages::send_confirm),
        RouteId::PageAccount => public!(PageAccount, pages::account),
        RouteId::PageAccountSend => public!(PageAccountSend, pages::change),
        RouteId::PageLogoutSend => public!(PageLogoutSend, pages::log_out),
        RouteId::SystemPosture => {
            authorized!(SystemPosture, rights::DiagnosticsRead, posture::posture)
        }
        RouteId::BudgetList => authorized!(BudgetList, rights::UsageRead, budgets::list),
        RouteId::BudgetSet => authorized!(BudgetSet, rights::BudgetManage, budgets::set),
        RouteId::BudgetRemove => authorized!(BudgetRemove, rights::BudgetManage, budgets::remove),
        RouteId::BudgetExplain => authorized!(BudgetExplain, rights::UsageRead, budgets::explain),
        RouteId::RateCardList => authorized!(RateCardList, rights::UsageRead, budgets::rates),
        RouteId::RateCardSet => authorized!(RateCardSet, rights::BudgetManage, budgets::set_rate),
        RouteId::UsageList => authorized!(UsageList, rights::UsageRead, budgets::usage),
        RouteId::LimitList => authorized!(LimitList, rights::SettingRead, own_limits::list),
        RouteId::ChatCompletions => {
            authorized!(ChatCompletions, rights::GatewayUse, gateway::chat)
        }
        RouteId::Messages => authorized!(Messages, rights::GatewayUse, gateway::messages),
        RouteId::Responses => authorized!(Responses, rights::GatewayUse, gateway::responses),
        RouteId::Embeddings => authorized!(Embeddings, rights::GatewayUse, gateway::embeddings),
        RouteId::CountTokens => {
            authorized!(CountTokens, rights::GatewayUse, gateway::count_tokens)
        }
        RouteId::ModelList => authorized!(ModelList, rights::GatewayUse, gateway::models),
        RouteId::ProviderList => {
            authorized!(ProviderList, rights::GatewayConfigure, providers::list)
        }
        RouteId::ProviderSet => {
            authorized!(ProviderSet, rights::GatewayConfigure, providers::set)
        }
        RouteId::DirectiveList => authorized!(DirectiveList, rights::SettingRead, directives::list),
        RouteId::DirectiveGet => authorized!(DirectiveGet, rights::SettingRead, directives::get),
        RouteId::DirectiveDraft => {
            authorized!(DirectiveDraft, rights::GatewayConfigure, directives::draft)
        }
        RouteId::DirectivePromote => {
            authorized!(
                DirectivePromote,
                rights::WorkspaceManage,
                directives::promote
            )
        }
        RouteId::AgentContextList => {
            authorized!(AgentContextList, rights::GatewayConfigure, contexts::list)
        }
        RouteId::AgentContextSet => {
            authorized!(AgentContextSet, rights::GatewayConfigure, contexts::set)
        }
        RouteId::ProviderRemove => {
            authorized!(ProviderRemove, rights::GatewayConfigure, providers::remove)
        }
        RouteId::SinkList => authorized!(SinkList, rights::OrgManage, sinks::list),
        RouteId::SinkSet => authorized!(SinkSet, rights::OrgManage, sinks::set),
        RouteId::SinkRemove => authorized!(SinkRemove, rights::OrgManage, sinks::remove),
        RouteId::SinkKey => authorized!(SinkKey, rights::OrgManage, sinks::renew_key),
        RouteId::SinkResume => authorized!(SinkResume, rights::OrgManage, sinks::resume),
        RouteId::SinkTest => authorized!(SinkTest, rights::OrgManage, sinks::test),
        RouteId::LimitSet => authorized!(LimitSet, rights::OrgManage, own_limits::set),
        RouteId::Capture => authorized!(Capture, rights::SessionCapture, capture::capture),
        RouteId::SourceCreate => authorized!(SourceCreate, rights::SourceManage, sources::add),
        RouteId::SourceList => authorized!(SourceList, rights::SourceManage, sources::list),
        RouteId::SourceGet => authorized!(SourceGet, rights::SourceManage, sources::get),
        RouteId::SourceSync => authorized!(SourceSync, rights::SourceManage, sources::sync),
        RouteId::SourceFetch => authorized!(SourceFetch, rights::SourceManage, sources::fetch),
        RouteId::SourcePurge => authorized!(SourcePurge, rights::SourceManage, sources::purge),
        RouteId::CaptureRules => authorized!(CaptureRules, rights::SettingRead, capture::rules),
        RouteId::CapturePause => authorized!(CapturePause, rights::SessionCapture, capture::pause),
        RouteId::CaptureResume => {
            authorized!(CaptureResume, rights::SessionCapture, capture::resume)
        }
        RouteId::ProjectList => authorized!(ProjectList, rights::SettingRead, capture::bindings),
        RouteId::ProjectBind => authorized!(ProjectBind, rights::SettingWrite, capture::bind),
        RouteId::ProjectUnbind => authorized!(ProjectUnbind, rights::SettingWrite, capture::unbind),
        RouteId::SessionCapture => {
            authorized!(SessionCapture, rights::SessionCapture, capture::session)
        }
        RouteId::ImportCursor => authorized!(ImportCursor, rights::SessionCapture, capture::cursor),
        RouteId::SessionList => authorized!(SessionList, rights::SessionRead, sessions::list),
        RouteId::SessionGet => authorized!(SessionGet, rights::SessionRead, sessions::get),
        RouteId::SessionTurns => authorized!(SessionTurns, rights::SessionRead, sessions::turns),
        RouteId::SessionEnd => authorized!(SessionEnd, rights::SessionCapture, sessions::end),
        RouteId::SessionRecent => authorized!(SessionRecent, rights::SessionRead, members::recent),
        RouteId::SessionMembers => authorized!(SessionMembers, rights::SessionRead, members::list),
        RouteId::SessionJoin => authorized!(SessionJoin, rights::SessionCapture, members::join),
        RouteId::SessionLeave => authorized!(SessionLeave, rights::SessionCapture, members::leave),
        RouteId::ParticipantList => {
            authorized!(ParticipantList, rights::SessionRead, people::list)
        }
        RouteId::ParticipantAdd => {
            authorized!(ParticipantAdd, rights::ParticipantSpeak, people::add)
        }
        RouteId::ParticipantSelf => {
            authorized!(ParticipantSelf, rights::ParticipantSelf, people::name_self)
        }
        RouteId::ParticipantGet => {
            authorized!(ParticipantGet, rights::SessionRead, people::get)
        }
        RouteId::ParticipantCard => {
            authorized!(ParticipantCard, rights::MemoryRead, people::card)
        }
        RouteId::ParticipantCardEdit => {
            authorized!(
                ParticipantCardEdit,
                rights::ParticipantSelf,
                people::edit_card
            )
        }
        RouteId::ParticipantMerge => {
            authorized!(ParticipantMerge, rights::MemberManage, people::merge)
        }
        RouteId::ParticipantUnmerge => {
            authorized!(ParticipantUnmerge, rights::MemberManage, people::unmerge)
        }
        RouteId::ParticipantDelete => {
            authorized!(ParticipantDelete, rights::ParticipantSelf, people::delete)
        }
        RouteId::ObservationList => {
            authorized!(ObservationList, rights::MemoryRead, people::observations)
        }
        RouteId::ObservationCreate => {
            authorized!(ObservationCreate, rights::MemoryWrite, people::observe)
        }
        RouteId::ConsentList => {
            authorized!(ConsentList, rights::SessionRead, people::consents)
        }
        RouteId::ConsentGive => {
            authorized!(ConsentGive, rights::ParticipantSelf, people::give)
        }
        RouteId::ConsentRevoke => {
            authorized!(ConsentRevoke, rights::ParticipantSelf, people::revoke)
        }
        RouteId::MemoryCreate => authorized!(MemoryCreate, rights::MemoryWrite, memories::create),
        RouteId::MemoryList => authorized!(MemoryList, rights::MemoryRead, memories::list),
        RouteId::MemoryGet => authorized!(MemoryGet, rights::MemoryRead, memories::get),
        RouteId::MemoryEdit => authorized!(MemoryEdit, rights::MemoryWrite, memories::edit),
        RouteId::SessionErase => {
            authorized!(SessionErase, rights::MemoryDelete, removal::erase_session)
        }
        RouteId::MemoryErase => {
            authorized!(MemoryErase, rights::MemoryDelete, removal::erase_memory)
        }
        RouteId::Rewind => authorized!(Rewind, rights::MemoryDelete, removal::rewind),
        RouteId::MemoryHistory => authorized!(MemoryHistory, rights::MemoryRead, review::history),
        RouteId::MemorySeen => authorized!(MemorySeen, rights::MemoryRead, access::seen),
        RouteId::ConflictList => authorized!(ConflictList, rights::MemoryRead, review::conflicts),
        RouteId::ConflictResolve => {
            authorized!(ConflictResolve, rights::MemoryDelete, review::resolve)
        }
        RouteId::QuarantineList => {
            authorized!(QuarantineList, rights::MemoryReview, review::quarantine)
        }
        RouteId::QuarantineAccept => {
            authorized!(QuarantineAccept, rights::MemoryReview, review::accept)
        }
        RouteId::QuarantineReject => {
            authorized!(QuarantineReject, rights::MemoryReview, review::reject)
        }
        RouteId::MemoryForget => authorized!(MemoryForget, rights::MemoryDelete, memories::forget),
        RouteId::Recall => authorized!(Recall, rights::MemoryRead, recall::recall),
        RouteId::ExplainRecall => authorized!(ExplainRecall, rights::MemoryRead, explain::recall),
        RouteId::EntityList => authorized!(EntityList, rights::MemoryRead, ontology::entities),
        RouteId::RelationList => authorized!(RelationList, rights::MemoryRead, ontology::relations),
        RouteId::ProposalCreate => {
            authorized!(ProposalCreate, rights::MemoryWrite, ontology::propose)
        }
        RouteId::ProposalList => authorized!(ProposalList, rights::OntologyWrite, ontology::list),
        RouteId::ProposalAccept => {
            authorized!(ProposalAccept, rights::OntologyWrite, ontology::accept)
        }
        RouteId::ProposalReject => {
            authorized!(ProposalReject, rights::OntologyWrite, ontology::reject)
        }
        RouteId::ExecAsk => authorized!(ExecAsk, rights::SecretUse, exec::ask),
        RouteId::ExecList => authorized!(ExecList, rights::SecretUse, exec::list),
        RouteId::ExecGet => authorized!(ExecGet, rights::SecretUse, exec::get),
        RouteId::ExecCancel => authorized!(ExecCancel, rights::SecretUse, exec::cancel),
        RouteId::SkillCreate => authorized!(SkillCreate, rights::MemoryWrite, skills::propose),
        RouteId::SkillList => authorized!(SkillList, rights::SkillRead, skills::list),
        RouteId::SkillGet => authorized!(SkillGet, rights::SkillRead, skills::get),
        RouteId::SkillReviewList => {
            authorized!(SkillReviewList, rights::SkillPublish, skills::review_list)
        }
        RouteId::SkillReviewGet => {
            authorized!(SkillReviewGet, rights::SkillPublish, skills::review_get)
        }
        RouteId::SkillApprove => authorized!(SkillApprove, rights::SkillPublish, skills::approve),
        RouteId::SkillReject => authorized!(SkillReject, rights::SkillPublish, skills::reject),
        RouteId::SkillWithdraw => {
            authorized!(SkillWithdraw, rights::SkillPublish, skills::withdraw)
        }
        RouteId::TreeList => authorized!(TreeList, rights::MemoryRead, tree::list),
        RouteId::TreeFile => authorized!(TreeFile, rights::MemoryRead, tree::file),
        RouteId::TreeFind => authorized!(TreeFind, rights::MemoryRead, tree::find),
        RouteId::TreeGrep => authorized!(TreeGrep, rights::MemoryRead, tree::grep),
        RouteId::TemplateCreate => {
            authorized!(TemplateCreate, rights::SecretWrite, templates::draft)
        }
        RouteId::TemplateList => authorized!(TemplateList, rights::SecretList, templates::list),
        RouteId::TemplateGet => authorized!(TemplateGet, rights::SecretList, templates::get),
        RouteId::TemplateApprove => {
            authorized!(TemplateApprove, rights::SecretApprove, templates::approve)
        }
        RouteId::TemplateReject => {
            authorized!(TemplateReject, rights::SecretApprove, templates::reject)
        }
        RouteId::TemplateWithdraw => {
            authorized!(TemplateWithdraw, rights::SecretApprove, templates::withdraw)
        }
        RouteId::AccessList => authorized!(AccessList, rights::SecretList, templates::list_access),
        RouteId::AccessAsk => authorized!(AccessAsk, rights::SecretUse, templates::ask),
        RouteId::AccessGive => authorized!(AccessGive, rights::SecretApprove, templates::give),
        RouteId::AccessGrant => authorized!(AccessGrant, rights::SecretApprove, templates::grant),
        RouteId::AccessRefuse => {
            authorized!(AccessRefuse, rights::SecretApprove, templates::refuse)
        }
        RouteId::AccessRevoke => {
            authorized!(AccessRevoke, rights::SecretApprove, templates::revoke)
        }
        RouteId::SecretList => authorized!(SecretList, rights::SecretList, vault::list_secrets),
        RouteId::SecretSet => authorized!(SecretSet, rights::SecretWrite, vault::set_secret),
        RouteId::SecretRemove => {
            authorized!(SecretRemove, rights::SecretWrite, vault::remove_secret)
        }
        RouteId::SettingList => authorized!(SettingList, rights::SettingRead, vault::list_settings),
        RouteId::SettingSet => authorized!(SettingSet, rights::SettingWrite, vault::set_setting),
        RouteId::SettingRemove => {
            authorized!(SettingRemove, rights::SettingWrite, vault::remove_setting)
        }
        RouteId::LeaseBegin => authorized!(LeaseBegin, rights::SecretUse, leases::begin),
        RouteId::LeaseList => authorized!(LeaseList, rights::SecretUse, leases::list),
        RouteId::LeaseRenew => authorized!(LeaseRenew, rights::SecretUse, leases::renew),
        RouteId::LeaseEnd => authorized!(LeaseEnd, rights::SecretUse, leases::end),
        RouteId::Inject => authorized!(Inject, rights::SessionCapture, inject::inject),
        RouteId::InjectionList => authorized!(InjectionList, rights::MemoryRead, inject::list),
        RouteId::SessionContext => authorized!(SessionContext, rights::MemoryRead, inject::context),
        RouteId::Mcp => known!(Mcp, mcp::serve),
        RouteId::Resolve => authorized!(Resolve, rights::MemoryRead, memories::resolve),
    }
}

/// Whether right `P` is exactly what the row asks for.
const fn allows<P: Right>(route: RouteId) -> bool {
    match (route.row().gate.permission(), P::PERMISSION) {
        (Some(asked), Some(given)) => asked as u8 == given as u8,
        _ => false,
    }
}
