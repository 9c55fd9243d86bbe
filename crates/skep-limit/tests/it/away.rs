//! F01: a server that is gone, slow, full or holds something else.

use std::time::{Duration, Instant};

use skep_domain::{Quota, RateClass, Timestamp};
use skep_limit::{Away, Limiter, Shared, SharedConfig, Subject};
use skep_test_support::RedisServer;

use crate::agreement::{config, key};

const PATIENCE: Duration = Duration::from_millis(200);

async fn limiter(redis: &RedisServer, nodes: u32) -> Limiter {
    let shared = Shared::new(SharedConfig {
        patience: PATIENCE,
        ..config(redis.url())
    });
    let shared = shared.expect("a URL");
    assert!(shared.mend().await);
    Limiter::shared(shared, nodes)
}

async fn take(limiter: &Limiter, class: RateClass, name: &[u8]) -> Result<bool, Away> {
    let asked = [(Subject::Credential(name), Quota::new(10, 3_600))];
    let taken = limiter
        .take(&key(), class, &asked, Timestamp::from_micros(0))
        .await;
    taken.map(|taken| taken.is_some_and(|taken| taken.allowed))
}

#[expect(clippy::disallowed_methods, reason = "what waiting costs is wall time")]
fn clock() -> Instant {
    Instant::now()
}

#[tokio::test]
async fn f01_a_paused_server_costs_one_wait_and_then_nothing() {
    let redis = RedisServer::start();
    let limiter = limiter(&redis, 5).await;
    assert_eq!(take(&limiter, RateClass::Api, b"a").await, Ok(true));
    redis.pause();
    let start = clock();
    let mut passed = 0;
    for _ in 0..1_000 {
        passed += u32::from(take(&limiter, RateClass::Api, b"a").await.expect("open"));
    }
    let took = start.elapsed();
    assert!(took >= PATIENCE && took < PATIENCE * 5, "{took:?}");
    assert_eq!(passed, 2, "10 divided by five nodes");
    let state = limiter.state();
    assert_eq!((state.outages, state.alone), (1, 1_000));
    assert_eq!(state.shared.as_ref().map(|shared| shared.1), Some(false));
    let shared = limiter.store().expect("a store");
    assert!(!shared.mend().await, "it does not answer yet");
    assert_eq!(limiter.state().outages, 1, "one outage, told of once");
    redis.resume();
    assert!(shared.mend().await);
    assert_eq!(take(&limiter, RateClass::Api, b"b").await, Ok(true));
    assert_eq!(limiter.state().alone, 1_000, "counted there again");
}

#[tokio::test]
async fn f01_closed_classes_are_refused_and_open_ones_counted_here() {
    let mut redis = RedisServer::start();
    let limiter = limiter(&redis, 1).await;
    redis.kill();
    for class in RateClass::ALL {
        let open = matches!(
            class,
            RateClass::Api
                | RateClass::Capture
                | RateClass::Gateway
                | RateClass::Tokens
                | RateClass::Oauth
        );
        let expected = if open { Ok(true) } else { Err(Away) };
        assert_eq!(take(&limiter, class, b"a").await, expected, "{class:?}");
    }
    let state = limiter.state();
    assert_eq!((state.outages, state.alone, state.refused), (1, 5, 4));
}

#[tokio::test]
async fn f01_a_full_or_read_only_server_is_away_too() {
    let redis = RedisServer::start();
    let limiter = limiter(&redis, 1).await;
    let cases = [
        ("CONFIG SET maxmemory 1", "CONFIG SET maxmemory 0"),
        ("REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE"),
    ];
    for (at, (breaks, mends)) in (1..).zip(cases) {
        assert!(redis.command(breaks).starts_with("+OK"));
        assert_eq!(take(&limiter, RateClass::Login, b"a").await, Err(Away));
        assert_eq!(take(&limiter, RateClass::Api, b"a").await, Ok(true));
        let shared = limiter.store().expect("a store");
        assert!(!shared.mend().await, "a ping would be answered: {breaks}");
        assert_eq!(limiter.state().outages, at);
        assert!(redis.command(mends).starts_with("+OK"));
        assert!(shared.mend().await, "{mends}");
        assert_eq!(take(&limiter, RateClass::Login, b"b").await, Ok(true));
    }
}

#[tokio::test]
async fn f01_something_else_under_a_key_is_replaced() {
    let redis = RedisServer::start();
    let limiter = limiter(&redis, 1).await;
    for value in ["RPUSH", "SET", "HSET", "SETNAN"] {
        assert_eq!(
            take(&limiter, RateClass::Login, value.as_bytes()).await,
            Ok(true)
        );
    }
    let keys = redis.command("KEYS skep:limit:*");
    let names = keys.lines().filter(|line| line.starts_with("skep"));
    for (at, name) in names.enumerate() {
        let _ = redis.command(&format!("DEL {name}"));
        let wrong = match at % 4 {
            0 => format!("RPUSH {name} x"),
            1 => format!("SET {name} nonsense"),
            2 => format!("HSET {name} a b"),
            _ => format!("SET {name} nan"),
        };
        assert!(!redis.command(&wrong).starts_with('-'));
    }
    for value in ["RPUSH", "SET", "HSET", "SETNAN"] {
        for call in 0..11 {
            let taken = take(&limiter, RateClass::Login, value.as_bytes()).await;
            assert_eq!(taken, Ok(call < 10), "{value} {call}");
        }
    }
    assert_eq!(limiter.state().outages, 0);
}

#[tokio::test]
async fn a_password_is_sent_and_a_wrong_one_is_an_outage() {
    let redis = RedisServer::start_with(&["--requirepass", "hush"]);
    for (password, works) in [("hush", true), ("loud", false)] {
        let shared = Shared::new(SharedConfig {
            password: Some(password.into()),
            ..config(redis.url())
        });
        assert_eq!(shared.expect("a URL").mend().await, works);
    }
}
