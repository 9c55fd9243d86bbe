//! Validating: what whoami says over HTTP, and one refusal for whatever is wrong.

use serde_json::Value;
use skep_crypto::BearerKind;
use skep_domain::{AgentId, OrganizationRole, Permission, PermissionSet, Principal, Role};
use skep_grpc::protocol::ValidateAgentRequest;
use skep_store::Mode;
use skep_test_support::{Newcomer, Request};
use tonic::Code;

use crate::house::{House, Oddity, bounded, told};

#[tokio::test(flavor = "multi_thread")]
async fn what_it_says_is_what_whoami_says() {
    let house = House::start().await;
    let narrow = PermissionSet::of(&[Permission::MemoryRead, Permission::TaskRead]);
    let end = skep_domain::Timestamp::from_millis(1_800_000_000_000);
    let mut passes = vec![
        house
            .daemon
            .admit(house.home(), bounded(Role::Operator, narrow, Some(end)))
            .await,
    ];
    for role in Role::ALL {
        passes.push(house.pass(*role).await);
    }
    for pass in passes {
        let said = house.validate(&pass.token).await.unwrap();
        let request = Request::new("GET", "/api/v1/whoami").bearer(&pass.token);
        let who = request.send(house.daemon.address).await.unwrap().json();
        for (name, value) in [
            ("credential", &said.credential),
            ("credential_kind", &said.kind),
            ("organization", &said.organization),
            ("workspace", &said.workspace),
            ("principal", &said.principal),
            ("role", &said.role),
        ] {
            assert_eq!(who[name], Value::from(value.as_str()), "{name}");
        }
        let names = PermissionSet::from_bits(said.permissions).unwrap();
        let names: Vec<Value> = names.iter().map(|one| one.as_str().into()).collect();
        assert_eq!(who["permissions"], Value::from(names));
        assert_eq!(who["expires_at"].is_null(), said.expires_at.is_none());
        assert!(said.expires_at.is_none_or(|at| at == 1_800_000_000_000));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a02_every_credential_that_proves_nobody_gets_one_and_the_same_refusal() {
    let house = House::start().await;
    let good = house.pass(Role::Admin).await;
    let gone = house.pass(Role::Admin).await;
    house.daemon.revoke(&house.daemon.a, gone.credential).await;
    let past = skep_domain::Timestamp::from_millis(1);
    let ended = bounded(Role::Admin, Role::Admin.permissions(), Some(past));
    let ended = house.daemon.admit(house.home(), ended).await;
    let altered = format!("{}A", &good.token[..good.token.len() - 1]);
    let altered = if altered == good.token {
        format!("{altered}B")
    } else {
        altered
    };
    let refresh = house.stepped_up(&house.daemon.a, BearerKind::Refresh).await;
    let long = format!("{}{}", good.token, "A".repeat(161));
    let jwt = format!(
        "{}.{}.{}",
        "e".repeat(2_000),
        "y".repeat(2_000),
        "J".repeat(97)
    );
    let install = house.daemon.a.token("owner");
    let cases = [
        ("nothing", String::new()),
        ("nonsense", "nonsense".into()),
        ("another alphabet", "schlüssel".into()),
        ("altered", altered),
        ("revoked", gone.token),
        ("ended", ended.token),
        ("more than 160 bytes", long),
        ("a JWT of more than 4 KiB", jwt),
        ("a JWT that is none", "a.b.c".into()),
        ("what proves a machine", install),
        ("a refresh token", refresh),
    ];
    for (name, token) in cases {
        let refused = house.validate(&token).await.expect_err(name);
        assert_eq!(
            told(&refused),
            (Code::Unauthenticated, "INVALID_CREDENTIAL"),
            "{name}"
        );
        assert_eq!(refused.message(), "The credential is not valid.", "{name}");
        assert_eq!(refused.metadata().get("dpop-nonce"), None, "{name}");
    }
    assert!(house.validate(&good.token).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_suspended_are_told_so_and_an_agent_is_itself_alone() {
    let house = House::start().await;
    let owner = house.daemon.a.caller(&house.daemon.store, "owner").await;
    let make = |name: &'static str| {
        let right = owner.authorize().unwrap();
        let app = &house.daemon.app;
        async move {
            app.create_agent(right, name, &skep_app::Policy::Isolated)
                .await
                .unwrap()
                .id
        }
    };
    let (one, other) = (make("one").await, make("other").await);
    let pass = house.daemon.admit_agent(house.home(), one).await;
    let said = house.validate(&pass.token).await.unwrap();
    let mut client = house.client();
    let mut ask = async |agent: String, token: &str| {
        let token = token.to_owned();
        let answer = client
            .validate_agent(ValidateAgentRequest { token, agent })
            .await;
        answer.map(tonic::Response::into_inner)
    };
    assert_eq!(
        ask(said.principal.clone(), &pass.token).await.unwrap(),
        said
    );
    let other = house.daemon.admit_agent(house.home(), other).await;
    let human = house.pass(Role::Admin).await;
    let refused = (Code::Unauthenticated, "INVALID_CREDENTIAL");
    for (agent, token) in [
        (said.principal.clone(), &other.token),
        (said.principal.clone(), &human.token),
        (
            house.validate(&human.token).await.unwrap().principal,
            &human.token,
        ),
        ("agt_nonsense".into(), &pass.token),
        (String::new(), &pass.token),
        (foreign(&house).await, &pass.token),
    ] {
        assert_eq!(told(&ask(agent, token).await.unwrap_err()), refused);
    }
    suspend(&house, one).await;
    let refused = house.validate(&pass.token).await.unwrap_err();
    assert_eq!(told(&refused), (Code::PermissionDenied, "AGENT_SUSPENDED"));
}

/// The id of an agent of the other tenant.
async fn foreign(house: &House) -> String {
    let b = (house.daemon.b.organization, house.daemon.b.workspace);
    let owner = house.daemon.b.caller(&house.daemon.store, "owner").await;
    let right = owner.authorize().unwrap();
    let made = house
        .daemon
        .app
        .create_agent(right, "theirs", &skep_app::Policy::Shared)
        .await;
    let pass = house.daemon.admit_agent(b, made.unwrap().id).await;
    house.validate(&pass.token).await.unwrap().principal
}

async fn suspend(house: &House, agent: AgentId) {
    let owner = house.daemon.a.caller(&house.daemon.store, "owner").await;
    let edit = skep_app::AgentEdit {
        standing: Some(skep_domain::Standing::Suspended),
        ..skep_app::AgentEdit::default()
    };
    let right = owner.authorize().unwrap();
    house
        .daemon
        .app
        .edit_agent(right, agent, edit)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_without_a_role_and_one_removed_prove_nobody() {
    let house = House::start().await;
    let lost = Newcomer {
        organization: OrganizationRole::Member,
        workspace: None,
        ..Newcomer::with(Role::Readonly)
    };
    let lost = house.daemon.admit(house.home(), lost).await;
    let pass = house.pass(Role::Operator).await;
    assert!(house.validate(&pass.token).await.is_ok());
    let Principal::User(user) = pass.principal else {
        unreachable!("a human");
    };
    strike(&house, user).await;
    for token in [lost.token, pass.token] {
        let refused = house.validate(&token).await.unwrap_err();
        assert_eq!(
            told(&refused),
            (Code::Unauthenticated, "INVALID_CREDENTIAL")
        );
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "takes a role away as an administrator does"
)]
async fn strike(house: &House, user: skep_domain::UserId) {
    let mut door = house.daemon.store.begin_door(Mode::Write).await.unwrap();
    door.set_workspace_role(house.home(), user, None)
        .await
        .unwrap();
    door.commit().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn t12_asking_about_a_credential_counts_as_its_own_call() {
    let quotas = vec![("api_credential", "3/h")];
    let house = House::with(Oddity {
        quotas,
        ..Oddity::default()
    })
    .await;
    let (one, other) = (
        house.pass(Role::Readonly).await,
        house.pass(Role::Readonly).await,
    );
    for _ in 0..3 {
        assert!(house.validate(&one.token).await.is_ok());
    }
    let refused = house.validate(&one.token).await.unwrap_err();
    assert_eq!(told(&refused), (Code::ResourceExhausted, "RATE_LIMITED"));
    let wait = refused
        .metadata()
        .get("retry-after-ms")
        .unwrap()
        .to_str()
        .unwrap();
    assert!(
        (1..=1_200_000).contains(&wait.parse::<u64>().unwrap()),
        "{wait}"
    );
    assert!(
        house.validate(&other.token).await.is_ok(),
        "each has its own"
    );
}
