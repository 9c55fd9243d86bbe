//! Keys made, listed and revoked over gRPC: by whom HTTP lets, recorded as HTTP records it.

use skep_crypto::BearerKind;
use skep_domain::{Permission, PermissionSet, Role};
use skep_grpc::protocol::{
    CreateTokenRequest, CreateTokenResponse, ListTokensRequest, RevokeTokenRequest,
};
use tonic::{Code, Request, Response, Status};

use crate::house::{Client, House, Oddity, of, told};

fn wanted(label: &str) -> CreateTokenRequest {
    CreateTokenRequest {
        label: label.into(),
        ..CreateTokenRequest::default()
    }
}

async fn create(
    client: &mut Client,
    request: Request<CreateTokenRequest>,
) -> Result<CreateTokenResponse, Status> {
    client.create_token(request).await.map(Response::into_inner)
}

#[tokio::test(flavor = "multi_thread")]
async fn a12_only_an_administrator_with_a_fresh_second_factor_makes_and_revokes() {
    let house = House::start().await;
    let mut client = house.client();
    let boss = house.stepped_up(&house.daemon.a, BearerKind::ApiKey).await;
    let stale = house.pass(Role::Admin).await.token;
    let denied = |status: &Status| {
        let (code, told) = told(status);
        (code, told.to_owned())
    };
    let kept = create(&mut client, of(&boss, wanted("kept")))
        .await
        .unwrap();
    let id = kept.token.clone().unwrap().id;
    let nobody = create(&mut client, Request::new(wanted("x")))
        .await
        .unwrap_err();
    assert_eq!(
        denied(&nobody),
        (Code::Unauthenticated, "MISSING_CREDENTIAL".into())
    );
    let mut cases = vec![(stale, Code::PermissionDenied, "STEP_UP_REQUIRED")];
    for role in [Role::Operator, Role::Agent, Role::Readonly] {
        let token = house.pass(role).await.token;
        cases.push((token, Code::PermissionDenied, "PERMISSION_DENIED"));
    }
    let install = house.daemon.a.token("owner");
    cases.push((install, Code::Unauthenticated, "INVALID_CREDENTIAL"));
    for (token, code, told) in cases {
        let refused = create(&mut client, of(&token, wanted("x")))
            .await
            .unwrap_err();
        assert_eq!(denied(&refused), (code, told.into()), "create");
        let request = RevokeTokenRequest { id: id.clone() };
        let refused = client.revoke_token(of(&token, request)).await.unwrap_err();
        assert_eq!(denied(&refused), (code, told.into()), "revoke");
    }
    assert!(
        house.validate(&kept.secret).await.is_ok(),
        "nothing was revoked"
    );
    let request = RevokeTokenRequest { id: id.clone() };
    client
        .revoke_token(of(&boss, request.clone()))
        .await
        .unwrap();
    let refused = house.validate(&kept.secret).await.unwrap_err();
    assert_eq!(denied(&refused).1, "INVALID_CREDENTIAL");
    let again = client.revoke_token(of(&boss, request)).await.unwrap_err();
    assert_eq!(denied(&again), (Code::NotFound, "NOT_FOUND".into()));
    let record = house
        .daemon
        .record_whole(&house.daemon.a.token("owner"))
        .await;
    let of = |action: &str, outcome: &str, reason: &str| {
        let found = record.iter().filter(|entry| {
            entry["action"] == action
                && entry["outcome"] == outcome
                && entry["reason"].as_str().unwrap_or_default() == reason
        });
        found
            .map(|entry| entry["times"].as_u64().unwrap())
            .sum::<u64>()
    };
    // The same names as over HTTP, before anything is made, and each refusal of somebody known.
    assert_eq!(of("key.create", "allowed", ""), 1);
    assert_eq!(of("key.revoke", "allowed", ""), 2);
    assert_eq!(of("key.create", "denied", "STEP_UP_REQUIRED"), 1);
    assert_eq!(of("key.revoke", "denied", "PERMISSION_DENIED"), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn t01_ids_of_another_organization_are_refused_as_invented_ones_are() {
    let house = House::start().await;
    let mut client = house.client();
    let ours = house.stepped_up(&house.daemon.a, BearerKind::ApiKey).await;
    let theirs = house.stepped_up(&house.daemon.b, BearerKind::ApiKey).await;
    let said = house.validate(&theirs).await.unwrap();
    let invented = format!("{}{}", &said.credential[..30], "000000");
    let mut told_of = Vec::new();
    for id in [said.credential.clone(), invented] {
        let refused = client
            .revoke_token(of(&ours, RevokeTokenRequest { id: id.clone() }))
            .await;
        let refused = refused.unwrap_err();
        told_of.push((refused.code(), refused.message().to_owned()));
        let cursor = ListTokensRequest {
            limit: 1,
            cursor: id,
        };
        let refused = client.list_tokens(of(&ours, cursor)).await.unwrap_err();
        assert_eq!(
            told(&refused),
            (Code::PermissionDenied, "PERMISSION_DENIED")
        );
    }
    assert_eq!(told_of[0], told_of[1]);
    assert_eq!(told_of[0].0, Code::PermissionDenied);
    assert!(house.validate(&theirs).await.is_ok());
    let page = client
        .list_tokens(of(&ours, ListTokensRequest::default()))
        .await;
    let page = page.unwrap().into_inner();
    assert!(page.items.iter().all(|item| item.id != said.credential));
    for (name, value) in [
        ("x-skep-organization", said.organization.as_str()),
        ("x-skep-workspace", "ws_nonsense"),
    ] {
        let mut request = of(&ours, ListTokensRequest::default());
        request.metadata_mut().insert(name, value.parse().unwrap());
        let refused = client.list_tokens(request).await.unwrap_err();
        assert_eq!(
            told(&refused),
            (Code::PermissionDenied, "ORG_MISMATCH"),
            "{name}"
        );
    }
    let own = house.validate(&ours).await.unwrap();
    let mut request = of(&ours, ListTokensRequest::default());
    let named = own.organization.parse().unwrap();
    request.metadata_mut().insert("x-skep-organization", named);
    assert!(client.list_tokens(request).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn l09_a_set_with_an_unknown_bit_is_refused_whole_and_nobody_hands_on_more_than_they_have() {
    let house = House::start().await;
    let mut client = house.client();
    let boss = house.stepped_up(&house.daemon.a, BearerKind::ApiKey).await;
    let run = PermissionSet::of(&[Permission::MemoryRead]);
    let cases = [
        (1 << 63, Err(Code::InvalidArgument)),
        (run.bits() | 1 << 56, Err(Code::InvalidArgument)),
        (u64::MAX, Err(Code::InvalidArgument)),
        (1 << 5, Err(Code::InvalidArgument)),
        (run.bits(), Ok(run.bits())),
        (0, Ok(0)),
    ];
    for (bits, expected) in cases {
        let request = CreateTokenRequest {
            permissions: Some(bits),
            ..wanted("bits")
        };
        let made = create(&mut client, of(&boss, request)).await;
        match (made, expected) {
            (Ok(made), Ok(bits)) => {
                let said = house.validate(&made.secret).await.unwrap();
                assert_eq!(said.permissions, bits);
                assert_eq!(made.token.unwrap().permissions, Some(bits));
            }
            (Err(refused), Err(code)) => assert_eq!(refused.code(), code, "{bits:#x}"),
            (made, _) => panic!("{bits:#x}: {made:?}"),
        }
    }
    let bad = [
        CreateTokenRequest {
            label: "x".repeat(257),
            ..wanted("")
        },
        CreateTokenRequest {
            harness: "emacs".into(),
            ..wanted("x")
        },
        CreateTokenRequest {
            agent: "agt_x".into(),
            ..wanted("x")
        },
        CreateTokenRequest {
            expires_at: Some(1),
            ..wanted("x")
        },
        CreateTokenRequest {
            expires_at: Some(i64::MAX),
            ..wanted("x")
        },
        CreateTokenRequest {
            projects: vec!["p".into(); 13],
            ..wanted("x")
        },
    ];
    for request in bad {
        let refused = create(&mut client, of(&boss, request.clone())).await;
        let refused = refused.expect_err(&format!("{request:?}"));
        assert_eq!(
            told(&refused),
            (Code::InvalidArgument, "VALIDATION_ERROR"),
            "{request:?}"
        );
    }
    for limit in [201, u32::MAX] {
        let request = ListTokensRequest {
            limit,
            ..ListTokensRequest::default()
        };
        let refused = client.list_tokens(of(&boss, request)).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_meet_every_key_once_and_show_no_secret() {
    let house = House::start().await;
    let mut client = house.client();
    let boss = house.stepped_up(&house.daemon.a, BearerKind::ApiKey).await;
    let mut made = Vec::new();
    for n in 0..5 {
        let label = format!("key {n}");
        house.daemon.clock.advance_seconds(1);
        made.push(
            create(&mut client, of(&boss, wanted(&label)))
                .await
                .unwrap(),
        );
    }
    let (mut met, mut cursor) = (Vec::new(), String::new());
    loop {
        let request = ListTokensRequest { limit: 2, cursor };
        let page = client
            .list_tokens(of(&boss, request))
            .await
            .unwrap()
            .into_inner();
        assert!(page.items.len() <= 2);
        for key in &made {
            assert!(
                !format!("{page:?}").contains(&key.secret),
                "a secret is listed"
            );
        }
        met.extend(page.items);
        cursor = page.next;
        if cursor.is_empty() {
            break;
        }
    }
    let labels: Vec<&str> = met.iter().map(|item| item.label.as_str()).collect();
    assert_eq!(labels, ["key 4", "key 3", "key 2", "key 1", "key 0", ""]);
}

#[tokio::test(flavor = "multi_thread")]
async fn n04_what_proves_the_installation_counts_where_its_mode_says_so_and_validates_nowhere() {
    let install = |house: &House| house.daemon.a.token("owner");
    let trusting = House::with(Oddity {
        trusts_installation: true,
        ..Oddity::default()
    })
    .await;
    let made = create(
        &mut trusting.client(),
        of(&install(&trusting), wanted("local")),
    )
    .await;
    assert!(made.is_ok(), "{made:?}");
    let strict = House::start().await;
    for house in [trusting, strict] {
        let refused = house.validate(&install(&house)).await.unwrap_err();
        assert_eq!(
            told(&refused),
            (Code::Unauthenticated, "INVALID_CREDENTIAL")
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_credentials_are_none() {
    let house = House::start().await;
    let boss = house.stepped_up(&house.daemon.a, BearerKind::ApiKey).await;
    let mut request = of(&boss, ListTokensRequest::default());
    let second = format!("Bearer {boss}").parse().unwrap();
    request.metadata_mut().append("authorization", second);
    let refused = house.client().list_tokens(request).await.unwrap_err();
    assert_eq!(
        told(&refused),
        (Code::Unauthenticated, "INVALID_CREDENTIAL")
    );
    for scheme in ["Basic", "bearer:", "DPoP"] {
        let mut request = Request::new(ListTokensRequest::default());
        let header = format!("{scheme} {boss}").parse().unwrap();
        request.metadata_mut().insert("authorization", header);
        let refused = house.client().list_tokens(request).await.unwrap_err();
        assert_eq!(
            told(&refused),
            (Code::Unauthenticated, "INVALID_CREDENTIAL"),
            "{scheme}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn l03_a_key_whose_making_cannot_be_recorded_is_not_made() {
    let house = House::start().await;
    let mut client = house.client();
    let boss = house.stepped_up(&house.daemon.a, BearerKind::ApiKey).await;
    let held = house.daemon.hold_the_record().await;
    let refused = create(&mut client, of(&boss, wanted("unrecorded")))
        .await
        .unwrap_err();
    assert_eq!(told(&refused), (Code::Unavailable, "AUDIT_UNAVAILABLE"));
    drop(held);
    let page = client
        .list_tokens(of(&boss, ListTokensRequest::default()))
        .await;
    let page = page.unwrap().into_inner();
    assert!(page.items.iter().all(|item| item.label != "unrecorded"));
}
