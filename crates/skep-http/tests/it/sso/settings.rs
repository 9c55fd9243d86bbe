//! Choosing an issuer: who may, what is kept, what is shown, what ends with it.

use serde_json::{Value, json};
use skep_app::{AppError, SsoChange};
use skep_domain::{OrganizationRole, Role};
use skep_test_support::{Newcomer, Reply, Request};

use super::{SECRET, Stage, session};
use crate::canary;

type Bend = fn(&mut SsoChange);

async fn owner(stage: &Stage, method: &str, path: &str, body: Option<&Value>) -> Reply {
    let request = Request::new(method, path).bearer(&stage.daemon.a.token("owner"));
    let request = match body {
        Some(body) => request.json(body),
        None => request.header("Content-Length", "0"),
    };
    stage.send(request).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a12_the_secret_of_the_client_is_shown_and_written_nowhere() {
    let stage = Stage::new().await;
    assert!(session(&stage.sign_in(|_| {}).await).is_some());
    let mut shown = owner(&stage, "GET", "/api/v1/sso", None).await;
    assert_eq!(shown.json()["has_secret"], true);
    let mut seen = format!("{}{}", shown.head, shown.text());
    shown = owner(&stage, "POST", "/api/v1/sso/test", None).await;
    assert_eq!(
        (shown.status, &shown.json()["keys"]),
        (200, &json!(1)),
        "{}",
        shown.text()
    );
    seen.push_str(&shown.text());
    let record = stage.daemon.record(&stage.daemon.a.token("owner")).await;
    seen.push_str(&json!(record).to_string());
    assert!(!seen.contains(SECRET));
    let kept = canary::grep(&stage.daemon.data(), &[SECRET]);
    assert_eq!(kept, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a12_a_secret_stays_with_the_issuer_that_it_was_for() {
    let stage = Stage::new().await;
    let right = async || stage.right(&stage.daemon.a).await;
    let without = |bend: Bend| {
        let mut change = SsoChange {
            secret: None,
            ..stage.change()
        };
        bend(&mut change);
        change
    };
    let app = &stage.daemon.app;
    let kept = app.set_sso(right().await, without(|_| {})).await.unwrap();
    assert!(kept.has_secret, "the same issuer, the same client");
    let other = without(|change| change.client = "other".into());
    assert!(!app.set_sso(right().await, other).await.unwrap().has_secret);
    app.set_sso(right().await, stage.change()).await.unwrap();
    let other = without(|change| change.issuer = "https://login.example".into());
    assert!(!app.set_sso(right().await, other).await.unwrap().has_secret);
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_an_organization_lets_in_and_as_what() {
    let stage = Stage::new().await;
    let cases: &[(&str, Bend, Bend2, bool)] = &[
        ("by domain", |_| {}, |_| {}, true),
        (
            "by a claim",
            by_claim,
            |claims| claims["groups"] = json!("skep"),
            true,
        ),
        (
            "by a claim in a list",
            by_claim,
            |claims| claims["groups"] = json!(["a", "skep"]),
            true,
        ),
        ("without the claim", by_claim, |_| {}, false),
        (
            "by part of a claim",
            by_claim,
            |claims| claims["groups"] = json!("skep-admins"),
            false,
        ),
        (
            "by an object",
            by_claim,
            |claims| claims["groups"] = json!({ "skep": true }),
            false,
        ),
        ("by one of both", by_both, |_| {}, false),
        ("by the other of both", by_both, foreign_with_claim, false),
        (
            "by both",
            by_both,
            |claims| claims["groups"] = json!("skep"),
            true,
        ),
        (
            "switched off",
            |change| change.enabled = false,
            |_| {},
            false,
        ),
    ];
    for (at, (what, bend, claims_of, good)) in cases.iter().enumerate() {
        let right = stage.right(&stage.daemon.a).await;
        stage
            .daemon
            .app
            .set_sso(right, stage.change())
            .await
            .unwrap();
        let begun = stage.begin().await;
        let mut change = stage.change();
        bend(&mut change);
        let right = stage.right(&stage.daemon.a).await;
        stage.daemon.app.set_sso(right, change).await.unwrap();
        let mut claims = stage.claims(&begun);
        claims["sub"] = json!(format!("s-{at}"));
        claims_of(&mut claims);
        stage.give(&claims);
        let reply = stage.answer(&begun, "").await;
        assert_eq!(
            session(&reply).is_some(),
            *good,
            "{what}: {}",
            stage.why().await
        );
    }
}

type Bend2 = fn(&mut Value);

fn by_claim(change: &mut SsoChange) {
    change.domains = Vec::new();
    change.claim = Some(("groups".into(), "skep".into()));
}

fn by_both(change: &mut SsoChange) {
    change.claim = Some(("groups".into(), "skep".into()));
}

fn foreign_with_claim(claims: &mut Value) {
    claims["email"] = json!("maria@evil.example");
    claims["groups"] = json!("skep");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_trusted_is_refused_when_it_is_chosen() {
    let stage = Stage::new().await;
    let cases: &[(&str, Bend)] = &[
        ("nobody in particular", |change| change.domains = Vec::new()),
        ("plain http", |change| {
            change.issuer = "http://login.example".into();
        }),
        ("no URL", |change| change.issuer = "login.example".into()),
        ("a query", |change| {
            change.issuer = "https://login.example/?a=b".into();
        }),
        ("a fragment", |change| {
            change.issuer = "https://login.example/#a".into();
        }),
        ("a user", |change| {
            change.issuer = "https://me@login.example".into();
        }),
        ("no client", |change| change.client = String::new()),
        ("a line end", |change| change.client = "a\nb".into()),
        ("an owner", |change| change.role = OrganizationRole::Owner),
        ("an address for a domain", |change| {
            change.domains = vec!["a@hive.example".into()];
        }),
        ("a wildcard", |change| {
            change.domains = vec!["*.hive.example".into()];
        }),
        ("a top domain", |change| {
            change.domains = vec!["example".into()];
        }),
        ("everything", |change| change.domains = vec![String::new()]),
        ("many", |change| {
            change.domains = vec!["hive.example".into(); 51];
        }),
        ("an unverified address", |change| {
            change.claim = Some(("email".into(), "maria@hive.example".into()));
        }),
    ];
    for (what, bend) in cases {
        let mut change = stage.change();
        bend(&mut change);
        let right = stage.right(&stage.daemon.a).await;
        let refused = stage.daemon.app.set_sso(right, change).await;
        assert!(
            matches!(refused, Err(AppError::Invalid(_))),
            "{what}: {refused:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_of_an_issuers_word_ends_with_it() {
    let stage = Stage::new().await;
    let set = async |change| {
        let right = stage.right(&stage.daemon.a).await;
        stage.daemon.app.set_sso(right, change).await.unwrap();
    };
    let counts = async |cookie: &str| stage.get("/api/v1/whoami", cookie).await.status == 200;
    let come_in = async || session(&stage.sign_in(|_| {}).await).unwrap();
    let inside = come_in().await;
    set(SsoChange {
        domains: vec!["hive.example".into(), "b.example".into()],
        ..stage.change()
    })
    .await;
    assert!(counts(&inside).await, "the same issuer, one domain more");
    set(SsoChange {
        enabled: false,
        ..stage.change()
    })
    .await;
    assert!(!counts(&inside).await, "switched off");
    set(stage.change()).await;
    let inside = come_in().await;
    set(SsoChange {
        client: "other".into(),
        ..stage.change()
    })
    .await;
    assert!(!counts(&inside).await, "another client");
    set(stage.change()).await;
    let inside = come_in().await;
    // Nobody else is out by it.
    let own = stage.daemon.admit(
        (stage.daemon.a.organization, stage.daemon.a.workspace),
        Newcomer::with(Role::Operator),
    );
    let own = own.await.token;
    assert_eq!(
        owner(&stage, "POST", "/api/v1/sso/remove", None)
            .await
            .status,
        200
    );
    assert!(!counts(&inside).await, "removed");
    let still = stage
        .send(Request::new("GET", "/api/v1/whoami").bearer(&own))
        .await;
    assert_eq!(still.status, 200);
    assert_eq!(owner(&stage, "GET", "/api/v1/sso", None).await.status, 404);
    let gone = stage
        .send(Request::new("GET", "/login/sso?organization=alpha"))
        .await;
    assert_eq!(gone.status, 404);
}
