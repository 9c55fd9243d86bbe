//! In process, in the script and in an implementation by others: the same decisions.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::FakeRelativeClock;
use governor::{Quota as Reference, RateLimiter};
use proptest::prelude::{Strategy, any};
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use skep_crypto::MacKey;
use skep_domain::gcra::Weight;
use skep_domain::{Quota, RateClass, Timestamp};
use skep_limit::{Limiter, Shared, SharedConfig, Subject};
use skep_test_support::RedisServer;

pub(crate) fn config(url: String) -> SharedConfig {
    SharedConfig {
        url,
        user: None,
        password: None,
        patience: Duration::from_secs(5),
    }
}

pub(crate) fn key() -> MacKey {
    MacKey::from_bytes(&[7; 32])
}

/// A fixed start, well past the epoch, as of today's clocks.
const START: i64 = 1_800_000_000_000_000;

/// Quotas whose interval is a whole number of microseconds, as the reference rounds otherwise, and
/// long enough that the server drops no key while a case runs.
fn quota() -> impl Strategy<Value = (u32, u32)> {
    let counts = proptest::sample::select(vec![1, 2, 3, 5, 10, 100, 1_200]);
    (
        counts,
        proptest::sample::select(vec![600u32, 900, 3_600, 86_400]),
    )
}

#[tokio::test]
async fn in_process_the_script_and_a_reference_decide_alike() {
    let redis = RedisServer::start();
    let shared = Shared::new(config(redis.url())).expect("a URL");
    assert!(shared.mend().await);
    let there = Limiter::shared(shared, 1);
    let here = Limiter::local();
    let steps = proptest::collection::vec((0i64..2_000_000_000, any::<bool>()), 1..60);
    let mut runner = TestRunner::new(Config::default());
    let (mut allowed, mut refused) = (0, 0);
    for case in 0u32..64 {
        let ((count, seconds), steps) = (quota(), &steps)
            .new_tree(&mut runner)
            .expect("a case")
            .current();
        let quota = Quota::new(count, seconds);
        let interval = Duration::from_micros(u64::from(seconds) * 1_000_000 / u64::from(count));
        let clock = FakeRelativeClock::default();
        let reference = Reference::with_period(interval)
            .expect("a period")
            .allow_burst(NonZeroU32::new(count).expect("at least one"));
        let reference = RateLimiter::direct_with_clock(reference, clock.clone());
        let mut now = START;
        for (step, hurry) in steps {
            // Many calls at one instant, and some that wait for about an interval.
            let step = if hurry {
                0
            } else {
                step % (3 * interval.as_micros() as i64)
            };
            now += step;
            clock.advance(Duration::from_micros(step as u64));
            let name = case.to_be_bytes();
            let asked = [(Subject::Credential(&name), quota)];
            let at = Timestamp::from_micros(now);
            let ours = here.take(&key(), RateClass::Api, &asked, at).await;
            let theirs = there
                .take_at(&key(), RateClass::Api, &asked, (at, true), Weight::ONE)
                .await;
            assert_eq!(ours, theirs, "{quota} at {now}");
            let ours = ours.expect("in process").expect("counted");
            assert_eq!(ours.allowed, reference.check().is_ok(), "{quota} at {now}");
            *(if ours.allowed {
                &mut allowed
            } else {
                &mut refused
            }) += 1;
        }
    }
    assert!(allowed > 300 && refused > 100, "{allowed} and {refused}");
    assert_eq!(there.state().alone, 0, "every decision was the script's");
}

#[tokio::test]
async fn several_allowances_are_taken_from_together_or_not_at_all_in_both() {
    let redis = RedisServer::start();
    let shared = Shared::new(config(redis.socket_url())).expect("a URL");
    assert!(shared.mend().await);
    let there = Limiter::shared(shared, 1);
    let here = Limiter::local();
    let (wide, narrow) = (Quota::new(10, 3_600), Quota::new(2, 3_600));
    let now = Timestamp::from_micros(START);
    let mut seen = Vec::new();
    for name in [&b"a"[..], b"a", b"a", b"b", b"b", b"b"] {
        let asked = [
            (Subject::Account(b"all"), wide),
            (Subject::Credential(name), narrow),
        ];
        let ours = here.take(&key(), RateClass::Api, &asked, now).await;
        assert_eq!(
            ours,
            there
                .take_at(&key(), RateClass::Api, &asked, (now, true), Weight::ONE)
                .await
        );
        seen.push(ours.expect("in process").expect("counted").allowed);
    }
    assert_eq!(seen, [true, true, false, true, true, false]);
    let rest = [(Subject::Account(b"all"), wide)];
    let ours = here.take(&key(), RateClass::Api, &rest, now).await;
    assert_eq!(
        ours,
        there
            .take_at(&key(), RateClass::Api, &rest, (now, true), Weight::ONE)
            .await
    );
    let left = ours
        .expect("in process")
        .expect("counted")
        .standing
        .remaining;
    assert_eq!(
        left, 5,
        "four passed and this one; the refused took nothing"
    );
}

/// L08: a race at the limit lets through exactly so many, whichever node asks.
#[tokio::test(flavor = "multi_thread")]
async fn l08_two_nodes_at_once_let_exactly_the_quota_through() {
    let redis = RedisServer::start();
    let mut nodes = Vec::new();
    for _ in 0..2 {
        let shared = Shared::new(config(redis.url())).expect("a URL");
        assert!(shared.mend().await);
        nodes.push(std::sync::Arc::new(Limiter::shared(shared, 2)));
    }
    let quota = Quota::new(100, 86_400);
    let mut calls = tokio::task::JoinSet::new();
    for call in 0..200 {
        let node = std::sync::Arc::clone(&nodes[call % 2]);
        calls.spawn(async move {
            let asked = [(Subject::Credential(b"one"), quota)];
            let now = Timestamp::from_micros(0);
            let taken = node.take(&key(), RateClass::Api, &asked, now).await;
            taken.expect("the store").expect("counted").allowed
        });
    }
    let passed = calls.join_all().await;
    assert_eq!(passed.iter().filter(|allowed| **allowed).count(), 100);
}

/// A weight as calls have it: asked for, or spent, or given back.
fn weight() -> impl Strategy<Value = Weight> {
    proptest::prop_oneof![
        (1u64..150).prop_map(Weight::asked),
        (-150i64..300).prop_map(Weight::spent),
    ]
}

#[tokio::test]
async fn what_weighs_more_than_a_call_is_taken_alike_in_both() {
    let redis = RedisServer::start();
    let shared = Shared::new(config(redis.url())).expect("a URL");
    assert!(shared.mend().await);
    let there = Limiter::shared(shared, 1);
    let here = Limiter::local();
    let quota = Quota::new(100, 3_600);
    let interval = 36_000_000;
    let steps = proptest::collection::vec((0i64..60, weight()), 1..80);
    let mut runner = TestRunner::new(Config::default());
    let (mut refused, mut spent) = (0, 0);
    for case in 0u32..48 {
        let steps = steps.new_tree(&mut runner).expect("a case").current();
        let name = case.to_be_bytes();
        let asked = [(Subject::Credential(&name), quota)];
        let (mut now, mut missing) = (START, 0i64);
        for (step, weight) in steps {
            now += step * interval;
            missing = (missing - step).max(0);
            let at = (Timestamp::from_micros(now), true);
            let (key, class) = (key(), RateClass::Tokens);
            let ours = here.take_at(&key, class, &asked, at, weight).await;
            let theirs = there.take_at(&key, class, &asked, at, weight).await;
            assert_eq!(ours, theirs, "{weight:?} at {now}");
            let ours = ours.expect("in process").expect("counted");
            // The same in whole units.
            let units = weight.units.clamp(-100, 100);
            assert_eq!(ours.allowed, weight.is_spent || missing + units <= 100);
            if ours.allowed {
                missing = (missing + units).clamp(0, 100);
            } else {
                let wait = (missing + units - 100) * interval;
                assert_eq!(ours.standing.next_in, wait, "until it fits");
            }
            assert_eq!(i64::from(ours.standing.remaining), 100 - missing);
            refused += u32::from(!ours.allowed);
            spent += u32::from(weight.is_spent);
        }
    }
    assert!(refused > 100 && spent > 100, "{refused} and {spent}");
    assert_eq!(there.state().alone, 0, "every decision was the script's");
}
