//! Floods of tokens: what we did not mint costs a MAC, and what has to be stretched waits in a short
//! queue or is told to come back.

use std::sync::Arc;
use std::time::{Duration, Instant};

use skep_app::{App, AppError, NewToken};
use skep_authz::Caller;
use skep_crypto::{Bearer, BearerKind, Random, SeededRandom};
use skep_domain::Timestamp;
use skep_test_support::Visitor;

use crate::world::World;

struct Flooded {
    world: World,
    app: Arc<App>,
    caller: Caller,
}

impl Flooded {
    async fn new() -> Self {
        let world = World::new().await;
        let app = Arc::new(world.start());
        let visitor = Visitor::of(&world.store, &world.a).await.unwrap();
        let cookie = visitor.cookie.split_once('=').unwrap().1;
        let caller = app.authenticate_browser(cookie.as_bytes()).await.unwrap();
        Self { world, app, caller }
    }

    async fn token(&self) -> String {
        let end = self.world.store.now().as_micros() + 3_600_000_000;
        let new = NewToken {
            label: "a script".into(),
            permissions: None,
            expires_at: Timestamp::from_micros(end),
        };
        let made = self.app.create_token(&self.caller, new).await.unwrap();
        made.secret.expose().clone()
    }

    async fn show(&self, token: &str) -> Result<Caller, AppError> {
        let header = format!("Bearer {token}");
        self.app.authenticate_header(Some(header.as_bytes())).await
    }
}

#[tokio::test(flavor = "multi_thread")]
#[expect(
    clippy::disallowed_methods,
    reason = "what a flood costs is measured in real time"
)]
async fn a20_two_thousand_bogus_tokens_are_refused_without_a_slow_hash() {
    let flooded = Flooded::new().await;
    let good = flooded.token().await;
    flooded.show(&good).await.unwrap();
    let began = Instant::now();
    for n in 0..2_000_usize {
        // Of the right form, its check wrong; every tenth the true one with another last character.
        let mut bogus = good.clone().into_bytes();
        let at = if n % 10 == 0 { bogus.len() - 1 } else { 40 };
        bogus[at] = if bogus[at] == b'A' { b'Q' } else { b'A' };
        let bogus = String::from_utf8(bogus).unwrap();
        assert!(matches!(
            flooded.show(&bogus).await,
            Err(AppError::Denied(_))
        ));
    }
    // Stretched, they would take minutes.
    assert!(began.elapsed() < Duration::from_secs(10));
    flooded.show(&good).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
#[expect(
    clippy::disallowed_methods,
    reason = "what a flood costs is measured in real time"
)]
async fn a20_a_token_that_passed_is_not_stretched_again() {
    let flooded = Flooded::new().await;
    let good = flooded.token().await;
    flooded.show(&good).await.unwrap();
    let began = Instant::now();
    for _ in 0..1_000 {
        flooded.show(&good).await.unwrap();
    }
    assert!(began.elapsed() < Duration::from_secs(10));
}

/// As if somebody had the key that mints: secrets of a row that is there, each to be stretched.
#[tokio::test(flavor = "multi_thread")]
async fn a20_of_three_hundred_to_be_stretched_at_once_most_are_told_to_come_back() {
    let flooded = Flooded::new().await;
    let good = flooded.token().await;
    let keys = flooded.world.store.instance_keys();
    let id = Bearer::parse(good.as_bytes(), &keys.credential)
        .unwrap()
        .id();
    let random = SeededRandom::new(20);
    let random: &dyn Random = &random;
    let kind = BearerKind::PersonalAccess;
    let minted = (0..300).map(|_| Bearer::mint(kind, id, &keys.credential, random).1);
    let minted: Vec<String> = minted.map(|text| text.expose().clone()).collect();
    let mut tries = tokio::task::JoinSet::new();
    for text in minted {
        let app = Arc::clone(&flooded.app);
        tries.spawn(async move {
            let header = format!("Bearer {text}");
            app.authenticate_header(Some(header.as_bytes())).await
        });
    }
    let (mut refused, mut crowded) = (0, 0);
    while let Some(outcome) = tries.join_next().await {
        match outcome.unwrap() {
            Err(AppError::Denied(_)) => refused += 1,
            Err(AppError::Overloaded(_)) => crowded += 1,
            Err(other) => panic!("{other}"),
            Ok(_) => panic!("nobody minted that"),
        }
    }
    assert!(crowded > 0, "{refused} were stretched");
    flooded.show(&good).await.unwrap();
}
