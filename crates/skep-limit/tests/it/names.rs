//! What reaches the server.

use skep_domain::{Quota, RateClass, Timestamp};
use skep_limit::{Limiter, Shared, Subject};
use skep_test_support::RedisServer;

use crate::agreement::{config, key};

#[tokio::test]
async fn t14_no_name_reaches_the_server_and_no_command_is_smuggled() {
    let redis = RedisServer::start();
    let shared = Shared::new(config(redis.url())).expect("a URL");
    assert!(shared.mend().await);
    let limiter = Limiter::shared(shared, 1);
    let watch = redis.watch();
    let long = vec![b'A'; 64 << 10];
    let hostile: [&[u8]; 7] = [
        b"canary\r\n*1\r\n$8\r\nFLUSHALL\r\n",
        b"canary*",
        b"canary:a",
        b"canary\0",
        b"canary%00",
        b"canary{x}",
        &long,
    ];
    let quota = Quota::new(3, 3_600);
    let mut left = Vec::new();
    for round in 0..2 {
        for name in hostile {
            let asked = [(Subject::Account(name), quota)];
            let taken = limiter
                .take(&key(), RateClass::Login, &asked, Timestamp::from_micros(0))
                .await;
            let taken = taken.expect("the store").expect("counted");
            left.push((round, taken.standing.remaining));
        }
    }
    assert_eq!(
        left.iter().filter(|one| **one == (0, 2)).count(),
        7,
        "{left:?}"
    );
    assert_eq!(
        left.iter().filter(|one| **one == (1, 1)).count(),
        7,
        "{left:?}"
    );
    let _ = redis.command("ECHO the-mark");
    let seen = watch.until("the-mark");
    assert!(seen.contains("EVALSHA"), "{seen}");
    for word in ["canary", "FLUSHALL", "AAAA", "login", "account"] {
        assert!(!seen.contains(word), "{word} in {seen}");
    }
    for line in seen.lines().filter(|line| line.contains("EVALSHA")) {
        assert!(line.len() < 300, "{line}");
    }
    let keys = redis.command("KEYS *");
    let names: Vec<&str> = keys
        .lines()
        .filter(|line| line.starts_with("skep"))
        .collect();
    // The probe of the connection may have run out by now.
    assert!((7..=8).contains(&names.len()), "{keys}");
    assert!(names.iter().all(|name| name.len() == 43), "{keys}");
}

#[tokio::test]
async fn s06_what_one_is_told_follows_from_ones_own_calls() {
    let limiter = Limiter::local();
    let quota = Quota::new(100, 60);
    let now = Timestamp::from_micros(0);
    let ask = |name: &'static [u8]| [(Subject::Credential(name), quota)];
    let mut alone = Vec::new();
    for _ in 0..10 {
        alone.push(
            limiter
                .take(&key(), RateClass::Api, &ask(b"quiet"), now)
                .await,
        );
    }
    let busy = Limiter::local();
    let mut beside = Vec::new();
    for _ in 0..10 {
        for _ in 0..50 {
            let _ = busy.take(&key(), RateClass::Api, &ask(b"loud"), now).await;
        }
        beside.push(busy.take(&key(), RateClass::Api, &ask(b"quiet"), now).await);
    }
    assert_eq!(alone, beside);
}

#[test]
fn a_url_holds_no_secret_and_says_which_kind_it_is() {
    for (url, fits) in [
        ("redis://127.0.0.1:6379/0", true),
        ("redis://127.0.0.1", true),
        ("unix:///run/redis.sock", true),
        ("redis://:secret@127.0.0.1", false),
        ("redis://me:secret@127.0.0.1", false),
        ("unix:///run/redis.sock?pass=secret", false),
        ("rediss://127.0.0.1", false),
        ("http://127.0.0.1", false),
        ("", false),
    ] {
        let made = Shared::new(config(url.into()));
        assert_eq!(made.is_ok(), fits, "{url}");
        if let Err(error) = made {
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }
}
