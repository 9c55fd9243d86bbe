//! What goes over the wire, and what a client makes of the answers.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use skep_api::budget::{ExplainBudgetRequest, SetBudgetRequest, SetRateCardRequest, UsageQuery};
use skep_api::exec::ExecRequest;
use skep_api::explain::ExplainRequest;
use skep_api::inject::InjectRequest;
use skep_api::lease::LeaseRequest;
use skep_api::ledger::{CheckpointQuery, EraseEntriesRequest, LogQuery, ProofQuery};
use skep_api::memory::{EditRequest, ForgetRequest, MemoryQuery, RememberRequest, ResolveRequest};
use skep_api::ontology::{EntityQuery, ProposalQuery, ProposalRequest};
use skep_api::own_key::OwnKeyRequest;
use skep_api::page::PageQuery;
use skep_api::participant as people;
use skep_api::people as humans;
use skep_api::recall::RecallRequest;
use skep_api::removal::RewindRequest;
use skep_api::review::{ResolveConflictRequest, ReviewRequest};
use skep_api::sink::{SetSinkRequest, SinkRequest};
use skep_api::skill::{ApprovalRequest, SkillQuery, SkillRequest};
use skep_api::source::{AddSourceRequest, FetchRequest, SyncRequest};
use skep_api::system::BackupRequest;
use skep_api::{
    ErrorCode, Gate, ROUTES, Route, RouteId, access, capture, context, directive, provider,
    template, tree, vault,
};
use skep_client::{Client, ClientError, Endpoint, Home, Origin};
use tempfile::TempDir;

use crate::scripted::{Received, Reply, Script, serve_tcp, serve_unix};

type Log = Arc<Mutex<Vec<Received>>>;

fn recording(log: &Log, answer: impl Fn(&Received) -> Reply + Send + Sync + 'static) -> Script {
    let log = log.clone();
    Arc::new(move |received| {
        log.lock().unwrap().push(received.clone());
        answer(received)
    })
}

async fn over_socket(script: Script) -> (TempDir, Client) {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("skepd.sock");
    serve_unix(&path, script);
    let client = Client::connect(&Endpoint::Unix(path)).await.unwrap();
    (home, client)
}

fn refusal(code: &str) -> String {
    format!(r#"{{"error":{{"code":"{code}","message":"no","request_id":"r-1"}}}}"#)
}

/// What puts models in the picture, and what changes a memory after it is kept.
async fn call_skills(client: &mut Client) {
    let (request, query) = (SkillRequest::default(), SkillQuery::default());
    let refused = [
        client.propose_skill(&request).await.is_err(),
        client.skills(&PageQuery::default()).await.is_err(),
        client.skill("ID").await.is_err(),
        client.skills_to_review(&query).await.is_err(),
        client.skill_to_review("ID").await.is_err(),
        client
            .approve_skill("ID", &ApprovalRequest::default())
            .await
            .is_err(),
        client.reject_skill("ID", "x".into()).await.is_err(),
        client.withdraw_skill("ID", "x".into()).await.is_err(),
    ];
    assert!(refused.iter().all(|refused| *refused));
}

async fn call_reviewers(client: &mut Client) {
    let page = PageQuery::default();
    let review = ReviewRequest::default();
    let refused = [
        client
            .list_tree(&tree::ListRequest::default())
            .await
            .is_err(),
        client
            .tree_file(&tree::FileRequest::default())
            .await
            .is_err(),
        client
            .find_in_tree(&tree::FindRequest::default())
            .await
            .is_err(),
        client
            .grep_tree(&tree::GrepRequest::default())
            .await
            .is_err(),
        client.inject(&InjectRequest::default()).await.is_err(),
        client.injections(&page).await.is_err(),
        client.session_context("ID", &page).await.is_err(),
        client.edit("ID", &EditRequest::default()).await.is_err(),
        client.memory_history("ID").await.is_err(),
        client.who_saw("ID", &page).await.is_err(),
        client.erase_memory("ID").await.is_err(),
        client.erase_session("ID").await.is_err(),
        client.rewind(&RewindRequest::default()).await.is_err(),
        client.conflicts(&page).await.is_err(),
        client
            .resolve_conflict("ID", &ResolveConflictRequest::default())
            .await
            .is_err(),
        client.quarantine(&page).await.is_err(),
        client.accept("ID", &review).await.is_err(),
        client.reject("ID", &review).await.is_err(),
    ];
    assert!(refused.iter().all(|refused| *refused));
}

/// Every method, once: the server sees exactly the rows of the table.
#[expect(clippy::too_many_lines, reason = "one table of every method")]
#[tokio::test]
async fn each_method_calls_its_own_row_of_the_table() {
    let log = Log::default();
    let script = recording(&log, |_| Reply::Json(404, refusal("NOT_FOUND")));
    let (_home, mut client) = over_socket(script).await;
    let page = PageQuery::default();
    let session = capture::SessionRef {
        harness: "cli".into(),
        external_id: "x".into(),
        title: None,
        project: None,
        cwd: None,
    };
    let batch = capture::CaptureRequest {
        session,
        turns: Vec::new(),
        cursor: None,
        origin: capture::Origin::Live,
        spool: None,
        ended: false,
    };
    let add = AddSourceRequest {
        kind: "folder".into(),
        location: "/w".into(),
        title: None,
        trust: None,
        visibility: None,
        project: None,
    };
    let binding = capture::Binding {
        directory: "/w".into(),
        project: "w".into(),
    };
    let unbind = capture::UnbindRequest {
        directory: "/w".into(),
    };
    let source = capture::CursorRequest { source: "s".into() };
    let resolve = ResolveRequest {
        id: "mem_1".into(),
        tier: None,
    };
    // Boxed: a test's stack does not hold the states of all calls at once.
    let of_money = Box::pin(each_of_money(&mut client)).await;
    let refused = [
        of_money,
        client.healthz().await.is_err(),
        client.readyz().await.is_err(),
        client.open_api().await.is_err(),
        client.health().await.is_err(),
        client.posture().await.is_err(),
        client.limits().await.is_err(),
        client
            .set_limit(&skep_api::limit::SetLimitRequest {
                name: "api_credential".into(),
                quota: None,
            })
            .await
            .is_err(),
        client
            .back_up(&BackupRequest::default(), |_| Ok(()))
            .await
            .is_err(),
        client.rotation().await.is_err(),
        client.rotate_pepper().await.is_err(),
        client.rotate_signing().await.is_err(),
        client.rotate_vault().await.is_err(),
        client.own_key().await.is_err(),
        client.withdraw_key().await.is_err(),
        client.restore_key().await.is_err(),
        client.own_keys().await.is_err(),
        client.enclose_key(&OwnKeyRequest::default()).await.is_err(),
        client.change_key(&OwnKeyRequest::default()).await.is_err(),
        client.release_key(&OwnKeyRequest::default()).await.is_err(),
        client.factor_rule().await.is_err(),
        client
            .set_factor_rule(&skep_api::people::FactorRuleRequest::default())
            .await
            .is_err(),
        client.sso().await.is_err(),
        client
            .set_sso(&skep_api::sso::SetSsoRequest::default())
            .await
            .is_err(),
        client.test_sso().await.is_err(),
        client.remove_sso().await.is_err(),
        client.capture(&batch).await.is_err(),
        client.import_cursor(&source).await.is_err(),
        client.add_source(&add).await.is_err(),
        client.sources(&page).await.is_err(),
        client.source("ID").await.is_err(),
        client
            .sync_source("ID", &SyncRequest::default())
            .await
            .is_err(),
        client
            .fetch_source("ID", &FetchRequest::default())
            .await
            .is_err(),
        client.purge_source("ID").await.is_err(),
        client.capture_rules().await.is_err(),
        client
            .pause(&capture::PauseRequest::default())
            .await
            .is_err(),
        client
            .resume(&capture::ResumeRequest::default())
            .await
            .is_err(),
        client
            .switch_session("ID", &capture::SessionCaptureRequest { off: true })
            .await
            .is_err(),
        client.bindings().await.is_err(),
        client.bind(&binding).await.is_err(),
        client.unbind(&unbind).await.is_err(),
        client.sessions(&page).await.is_err(),
        client.session("ID").await.is_err(),
        client.session_turns("ID", &page).await.is_err(),
        client.end_session("ID").await.is_err(),
        client.remember(&RememberRequest::default()).await.is_err(),
        client.memories(&MemoryQuery::default()).await.is_err(),
        client.memory("ID").await.is_err(),
        client
            .forget("ID", &ForgetRequest::default())
            .await
            .is_err(),
        client.recall(&RecallRequest::default()).await.is_err(),
        client
            .explain_recall(&ExplainRequest::default())
            .await
            .is_err(),
        client.resolve(&resolve).await.is_err(),
        client.entities(&EntityQuery::default()).await.is_err(),
        client.relations("x".into()).await.is_err(),
        client.propose(&ProposalRequest::default()).await.is_err(),
        client.proposals(&ProposalQuery::default()).await.is_err(),
        client.decide_proposal("ID", true).await.is_err(),
        client.decide_proposal("ID", false).await.is_err(),
    ];
    assert!(refused.iter().all(|refused| *refused));
    Box::pin(call_access(&mut client)).await;
    Box::pin(call_ledger(&mut client)).await;
    Box::pin(call_people(&mut client)).await;
    Box::pin(call_humans(&mut client)).await;
    Box::pin(call_reviewers(&mut client)).await;
    Box::pin(call_skills(&mut client)).await;
    Box::pin(call_templates(&mut client)).await;
    Box::pin(call_exec(&mut client)).await;
    Box::pin(call_vault(&mut client)).await;
    Box::pin(call_gateway(&mut client)).await;
    let log = log.lock().unwrap();
    let mut called: Vec<_> = log
        .iter()
        .map(|seen| format!("{} {}", seen.method, seen.target))
        .collect();
    called.sort();
    // Doors are for browsers and for clients of others; what of them `skep` knocks at has tests of its own.
    // Agents knock at `/mcp` and at models with clients of their own.
    let spoken = |row: &&Route| {
        row.id != RouteId::Mcp
            && !row.is_gateway()
            && (row.gate != Gate::Public || matches!(row.id, RouteId::Healthz | RouteId::Readyz))
    };
    let mut table: Vec<_> = ROUTES.iter().filter(spoken).map(called_as).collect();
    table.sort();
    assert_eq!(called, table);
    for seen in log.iter() {
        let called = format!("{} {}", seen.method, seen.target);
        let row = ROUTES.iter().find(|row| called_as(row) == called).unwrap();
        assert_eq!(seen.body.is_empty(), row.body.bytes() == 0, "{}", row.path);
        assert_eq!(seen.header("host"), Some("localhost"));
        assert_eq!(seen.header("authorization"), None);
    }
}

/// The methods of logins, second factors, members and invitations, each once.
async fn call_humans(client: &mut Client) {
    let (code, again) = (
        humans::CodeRequest::default(),
        humans::AgainRequest::default(),
    );
    let finish = humans::FinishPasskeyRequest::default();
    let password = humans::PasswordRequest::default();
    let withdraw = humans::WithdrawRequest::default();
    let member = humans::MemberRequest::default();
    let refused = [
        client.setup_token().await.is_err(),
        client.log_out().await.is_err(),
        client.browsers().await.is_err(),
        client.end_browser("ID").await.is_err(),
        client.change_password(&password).await.is_err(),
        client.step_up(&code).await.is_err(),
        client.begin_step_up().await.is_err(),
        client.finish_step_up(&finish).await.is_err(),
        client.factors().await.is_err(),
        client.enrol_totp(&again).await.is_err(),
        client.confirm_totp(&code).await.is_err(),
        client.renew_recovery_codes().await.is_err(),
        client.remove_factor("ID").await.is_err(),
        client.begin_passkey(&again).await.is_err(),
        client.finish_passkey(&finish).await.is_err(),
        client
            .invite(&humans::InviteRequest::default())
            .await
            .is_err(),
        client.invites().await.is_err(),
        client.withdraw_invite(&withdraw).await.is_err(),
        client.list_members(&PageQuery::default()).await.is_err(),
        client.edit_member("ID", &member).await.is_err(),
        client.remove_member("ID").await.is_err(),
        client.reset_member("ID").await.is_err(),
    ];
    assert!(refused.iter().all(|refused| *refused));
}

/// The methods of keys, agents and organizations, each once.
async fn call_access(client: &mut Client) {
    let page = PageQuery::default();
    let token = access::CreateTokenRequest {
        label: "x".into(),
        permissions: None,
        expires_at: skep_api::Instant(skep_api::Timestamp::from_micros(0)),
    };
    let agent = access::CreateAgentRequest::default();
    let edit = access::EditAgentRequest::default();
    let name = access::NameRequest::default();
    let standing = access::StandingRequest::default();
    let refused = [
        client.whoami().await.is_err(),
        client
            .create_key(&access::CreateKeyRequest::default())
            .await
            .is_err(),
        client.keys(&page).await.is_err(),
        client.revoke_key("ID").await.is_err(),
        client.create_token(&token).await.is_err(),
        client.tokens(&page).await.is_err(),
        client.revoke_token("ID").await.is_err(),
        client.create_agent(&agent).await.is_err(),
        client.agents(&page).await.is_err(),
        client.edit_agent("ID", &edit).await.is_err(),
        client.organizations().await.is_err(),
        client.name_organization(&name).await.is_err(),
        client.set_organization_standing(&standing).await.is_err(),
        client.workspaces().await.is_err(),
        client.create_workspace(&name).await.is_err(),
        client.delete_workspace("ID").await.is_err(),
        client.take_inventory().await.is_err(),
        client.jobs(&page).await.is_err(),
        client.job("ID").await.is_err(),
        client.audit(&page).await.is_err(),
        client.audit_alerts(&page).await.is_err(),
    ];
    assert!(refused.iter().all(|refused| *refused));
}

/// The methods of the ledger, each once.
async fn call_ledger(client: &mut Client) {
    let refused = [
        client
            .checkpoints(&CheckpointQuery::default())
            .await
            .is_err(),
        client.proof(&ProofQuery::default()).await.is_err(),
        client
            .erase_entries(&EraseEntriesRequest::default())
            .await
            .is_err(),
        client
            .export_log(&LogQuery::default(), |_| Ok(()))
            .await
            .is_err(),
    ];
    assert!(refused.iter().all(|refused| *refused));
}

/// The methods of participants, each once.
#[expect(clippy::too_many_lines, reason = "one line for each row of the table")]
async fn call_people(client: &mut Client) {
    let refused = [
        client
            .participants(&people::ParticipantQuery::default())
            .await
            .is_err(),
        client
            .add_participant(&people::AddParticipantRequest::default())
            .await
            .is_err(),
        client
            .name_self(&people::NameSelfRequest::default())
            .await
            .is_err(),
        client.participant("ID").await.is_err(),
        client.card("ID").await.is_err(),
        client
            .edit_card("ID", &people::CardRequest::default())
            .await
            .is_err(),
        client
            .merge_participant("ID", &people::MergeRequest::default())
            .await
            .is_err(),
        client.unmerge_participant("ID").await.is_err(),
        client.delete_participant("ID").await.is_err(),
        client
            .observe("ID", &people::ObserveRequest::default())
            .await
            .is_err(),
        client
            .observations("ID", &people::ObservationQuery::default())
            .await
            .is_err(),
        client
            .consents(&people::ConsentQuery::default())
            .await
            .is_err(),
        client
            .give_consent(&people::ConsentRequest::default())
            .await
            .is_err(),
        client
            .revoke_consent(&people::ConsentRequest::default())
            .await
            .is_err(),
        client.members("ID").await.is_err(),
        client
            .join_session("ID", &people::JoinRequest::default())
            .await
            .is_err(),
        client
            .leave_session("ID", &people::LeaveRequest::default())
            .await
            .is_err(),
        client
            .recent("ID", &people::RecentQuery::default())
            .await
            .is_err(),
    ];
    assert!(refused.iter().all(|refused| *refused));
}

/// The methods of templates and access, each once.
async fn call_templates(client: &mut Client) {
    let approval = template::ApproveTemplateRequest::default();
    let (asked, given) = (
        template::AskAccessRequest::default(),
        template::GiveAccessRequest::default(),
    );
    let failed = [
        client
            .draft_template(&template::TemplateText::default())
            .await
            .is_err(),
        client
            .templates(&template::TemplateQuery::default())
            .await
            .is_err(),
        client.template("ID").await.is_err(),
        client.approve_template("ID", &approval).await.is_err(),
        client.reject_template("ID", "x".into()).await.is_err(),
        client.withdraw_template("ID", "x".into()).await.is_err(),
        client.access(&PageQuery::default()).await.is_err(),
        client.ask_access(&asked).await.is_err(),
        client.give_access(&given).await.is_err(),
        client.grant_access("ID", None).await.is_err(),
        client.refuse_access("ID", "x".into()).await.is_err(),
        client.revoke_access("ID", "x".into()).await.is_err(),
    ];
    assert_eq!(failed, [true; 12]);
}

/// The methods of runs, each once.
async fn call_exec(client: &mut Client) {
    let failed = [
        client.ask_exec(&ExecRequest::default()).await.is_err(),
        client.execs(&PageQuery::default()).await.is_err(),
        client.exec("ID", 0).await.is_err(),
        client.cancel_exec("ID").await.is_err(),
    ];
    assert_eq!(failed, [true; 4]);
}

/// The methods of the vault, each once.
async fn call_vault(client: &mut Client) {
    let (query, removed, sink) = (
        vault::RecordQuery::default(),
        vault::RemoveRecordRequest::default(),
        SinkRequest::default(),
    );
    let refused = [
        client.begin_lease(&LeaseRequest::default()).await.is_err(),
        client.leases().await.is_err(),
        client.renew_lease("ID").await.is_err(),
        client.end_lease("ID").await.is_err(),
        client.secrets(&query).await.is_err(),
        client
            .set_secret(&vault::SetSecretRequest::default())
            .await
            .is_err(),
        client.remove_secret(&removed).await.is_err(),
        client.settings(&query).await.is_err(),
        client
            .set_setting(&vault::SetSettingRequest::default())
            .await
            .is_err(),
        client.remove_setting(&removed).await.is_err(),
        client.sinks().await.is_err(),
        client.set_sink(&SetSinkRequest::default()).await.is_err(),
        client.remove_sink(&sink).await.is_err(),
        client.renew_sink_key(&sink).await.is_err(),
        client.resume_sink(&sink).await.is_err(),
        client.test_sink(&sink).await.is_err(),
    ];
    assert!(refused.iter().all(|refused| *refused));
}

/// The methods of the gateway's settings, each once.
async fn call_gateway(client: &mut Client) {
    let refused = [
        client.providers().await.is_err(),
        client.agent_contexts().await.is_err(),
        client
            .directives(&directive::DirectivesQuery::default())
            .await
            .is_err(),
        client
            .directive(&directive::DirectiveQuery::default())
            .await
            .is_err(),
        client
            .draft_directive(&directive::DraftDirectiveRequest::default())
            .await
            .is_err(),
        client
            .promote_directive(&directive::PromoteDirectiveRequest::default())
            .await
            .is_err(),
        client
            .set_agent_context("ID", &context::SetAgentContextRequest::default())
            .await
            .is_err(),
        client
            .set_provider(&provider::SetProviderRequest::default())
            .await
            .is_err(),
        client
            .remove_provider(&provider::RemoveProviderRequest::default())
            .await
            .is_err(),
    ];
    assert!(refused.iter().all(|refused| *refused));
}

/// A row as a client calls it.
fn called_as(row: &Route) -> String {
    format!("{} {}", row.method.as_str(), row.path.replace("{id}", "ID"))
}

#[tokio::test]
async fn over_tcp_the_token_is_shown_and_the_host_is_the_address() {
    let log = Log::default();
    let address = serve_tcp(recording(&log, |_| {
        Reply::Json(200, r#"{"status":"ok"}"#.into())
    }));
    let root = tempfile::tempdir().unwrap();
    let home = Home::new(root.path()).unwrap();
    let token = format!("skep_it_{}", "A".repeat(43));
    fs::write(home.install_token(), &token).unwrap();
    fs::set_permissions(home.install_token(), Permissions::from_mode(0o600)).unwrap();
    let origin = Origin::parse(&format!("http://{address}")).unwrap();
    let endpoint = Endpoint::install(&home, origin).unwrap();
    let mut client = Client::connect(&endpoint).await.unwrap();
    assert_eq!(client.readyz().await.unwrap().status, "ok");
    let log = log.lock().unwrap();
    assert_eq!(log[0].header("host"), Some(address.to_string().as_str()));
    assert_eq!(
        log[0].header("authorization"),
        Some(&*format!("Bearer {token}"))
    );
    let elsewhere = Origin::parse("https://192.0.2.1:3850").unwrap();
    assert!(Endpoint::install(&home, elsewhere).is_err());
}

#[tokio::test]
async fn a_refusal_is_the_daemons_own_words() {
    let script: Script = Arc::new(|_| Reply::Json(403, refusal("PERMISSION_DENIED")));
    let (_home, mut client) = over_socket(script).await;
    let error = client.memory("mem_x").await.unwrap_err();
    assert_eq!(error.code(), Some(ErrorCode::PermissionDenied));
    assert_eq!(error.request_id(), Some("r-1"));
    assert_eq!(error.to_string(), "no");
}

#[tokio::test]
async fn whoever_is_not_the_daemon_is_called_so() {
    let answers: [&[u8]; 5] = [
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
        b"HTTP/1.1 502 Bad\r\nContent-Length: 4\r\n\r\nnope",
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nshort",
        b"",
    ];
    for answer in answers {
        let script: Script = Arc::new(move |_| Reply::Raw(answer.to_vec()));
        let (_home, mut client) = over_socket(script).await;
        let error = client.readyz().await.unwrap_err();
        let named = matches!(error, ClientError::Protocol { .. } | ClientError::Io { .. });
        assert!(named, "{error:?}");
    }
    let nowhere = Endpoint::Unix("/nonexistent/skepd.sock".into());
    let error = Client::connect(&nowhere).await.err().unwrap();
    assert!(
        matches!(error, ClientError::Unreachable { .. }),
        "{error:?}"
    );
}

#[tokio::test]
async fn m10_an_endless_answer_is_cut_off() {
    let script: Script = Arc::new(|_| {
        let mut answer = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
        answer.resize(answer.len() + (64 << 20) + 1, b' ');
        Reply::Raw(answer)
    });
    let (_home, mut client) = over_socket(script).await;
    let error = client.readyz().await.unwrap_err();
    assert!(
        error.to_string().contains("larger than 64 MiB"),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_connection_closed_between_requests_is_made_anew() {
    let log = Log::default();
    let script = recording(&log, |_| {
        Reply::ThenHangUp(200, r#"{"status":"ok"}"#.into())
    });
    let (_home, mut client) = over_socket(script).await;
    for _ in 0..5 {
        assert_eq!(client.readyz().await.unwrap().status, "ok");
    }
    assert_eq!(log.lock().unwrap().len(), 5);
}

#[tokio::test]
async fn what_may_have_changed_something_is_not_sent_twice() {
    let count = Arc::new(AtomicUsize::new(0));
    let counter = count.clone();
    let script: Script = Arc::new(move |received| {
        if received.method == "GET" {
            return Reply::Json(200, r#"{"status":"ok"}"#.into());
        }
        counter.fetch_add(1, Ordering::SeqCst);
        Reply::Raw(Vec::new())
    });
    let (_home, mut client) = over_socket(script).await;
    client.readyz().await.unwrap();
    let error = client.remember(&RememberRequest::default()).await;
    assert!(matches!(error, Err(ClientError::Io { .. })), "{error:?}");
    assert_eq!(count.load(Ordering::SeqCst), 1);
}

fn set_budget() -> SetBudgetRequest {
    SetBudgetRequest {
        scope: "organization".into(),
        of: None,
        period: "month".into(),
        kind: "hard".into(),
        limit: "20.00".into(),
    }
}

fn explain_budget() -> ExplainBudgetRequest {
    ExplainBudgetRequest {
        model: "mock/echo".into(),
        input: 1,
        output: 1,
    }
}

fn set_rate_card() -> SetRateCardRequest {
    SetRateCardRequest {
        models: "mock/*".into(),
        input: "1.00".into(),
        output: "2.00".into(),
        cache_read: None,
        cache_write: None,
        reasoning: None,
    }
}

/// Whether each method about what calls cost was refused.
async fn each_of_money(client: &mut Client) -> bool {
    let refused = [
        client.budgets().await.is_err(),
        client.set_budget(&set_budget()).await.is_err(),
        client.remove_budget("ID").await.is_err(),
        client.explain_budget(&explain_budget()).await.is_err(),
        client.rate_cards(None).await.is_err(),
        client.set_rate_card(&set_rate_card()).await.is_err(),
        client.usage(&UsageQuery::default()).await.is_err(),
    ];
    refused.into_iter().all(|refused| refused)
}
