//! What is remembered and for how long, by a clock that the test turns.

use skep_domain::{Id, OrganizationId, PermissionSet, Timestamp};

use super::Cache;
use crate::vouch::{self, tests::said};

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

const PRINT: [u8; 32] = [7; 32];

/// A cache that heard news at 1000 ms and was given an answer that was asked for then.
fn filled() -> Cache {
    let cache = Cache::default();
    cache.heard(at(1_000), false);
    let caller = vouch::caller(&said()).unwrap();
    cache.put(PRINT, cache.asked(at(1_000)), &caller);
    cache
}

#[test]
fn f02_an_answer_counts_for_a_second_from_its_question_and_while_news_come() {
    for (heard, asked, counts, why) in [
        (1_000, 1_000, true, "at once"),
        (1_000, 1_999, true, "almost a second"),
        (1_999, 2_000, false, "a second old, news or not"),
        (1_999, 900, false, "the clock went back"),
        (5_000, 5_000, false, "old"),
    ] {
        let cache = filled();
        cache.heard(at(heard), false);
        assert_eq!(cache.get(&PRINT, at(asked)).is_some(), counts, "{why}");
    }
    let cache = Cache::default();
    cache.heard(at(500), false);
    let caller = vouch::caller(&said()).unwrap();
    cache.put(PRINT, cache.asked(at(1_000)), &caller);
    assert!(cache.get(&PRINT, at(1_499)).is_some());
    assert!(
        cache.get(&PRINT, at(1_500)).is_none(),
        "no news for a second"
    );
    assert!(
        cache.get(&[8; 32], at(1_000)).is_none(),
        "another credential"
    );
    assert_ne!(caller.organization(), OrganizationId::from_bytes([0; 16]));
    assert_ne!(caller.permissions(), PermissionSet::EMPTY);
}

#[test]
fn f02_news_of_a_revocation_and_silence_forget_everything() {
    let cache = filled();
    cache.heard(at(1_001), true);
    assert!(cache.get(&PRINT, at(1_002)).is_none());
    let cache = filled();
    cache.deaf();
    assert!(cache.get(&PRINT, at(1_001)).is_none());
    cache.heard(at(1_001), false);
    assert!(cache.get(&PRINT, at(1_002)).is_none(), "forgotten for good");
    let cache = filled();
    cache.remove(&PRINT);
    assert!(cache.get(&PRINT, at(1_001)).is_none());
}

#[test]
fn f02_an_answer_that_a_revocation_overtook_is_not_kept() {
    let caller = vouch::caller(&said()).unwrap();
    let overtaken: [fn(&Cache); 2] = [|cache| cache.heard(at(1_001), true), Cache::deaf];
    for overtake in overtaken {
        let cache = Cache::default();
        cache.heard(at(1_000), false);
        let asked = cache.asked(at(1_000));
        overtake(&cache);
        cache.heard(at(1_002), false);
        cache.put(PRINT, asked, &caller);
        assert!(cache.get(&PRINT, at(1_003)).is_none());
    }
    let deaf = Cache::default();
    deaf.put(PRINT, deaf.asked(at(1_000)), &caller);
    deaf.heard(at(1_001), false);
    assert!(
        deaf.get(&PRINT, at(1_002)).is_none(),
        "nothing is kept without news"
    );
}

#[test]
fn a_credential_that_ends_meanwhile_is_not_remembered_beyond() {
    let cache = Cache::default();
    cache.heard(at(1_000), false);
    let mut ends = said();
    ends.expires_at = Some(1_200);
    let caller = vouch::caller(&ends).unwrap();
    cache.put(PRINT, cache.asked(at(1_000)), &caller);
    assert!(cache.get(&PRINT, at(1_199)).is_some());
    assert!(cache.get(&PRINT, at(1_200)).is_none());
}

#[test]
fn it_is_bounded() {
    let cache = filled();
    let caller = vouch::caller(&said()).unwrap();
    for n in 0..20_000u32 {
        let mut print = [0; 32];
        print[..4].copy_from_slice(&n.to_be_bytes());
        cache.put(print, cache.asked(at(1_000)), &caller);
    }
    assert!(cache.held().answers.len() <= super::HELD);
}
