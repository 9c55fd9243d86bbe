//! Keys that follow each other without a token failing in between.

use std::collections::{BTreeMap, BTreeSet};

use skep_crypto::{InstanceSecret, Plain, SeededRandom};
use skep_domain::Timestamp;
use skep_jose::{Confirmation, KeyRing, RingKey};

use crate::forge::{EXPECT, NOW, at, encode, grant};

const DAY: i64 = 24 * 3600;

fn kids(ring: &KeyRing, now: Timestamp) -> Vec<String> {
    let document = ring.jwks(now);
    let keys = document["keys"].as_array().unwrap().iter();
    keys.map(|key| key["kid"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn no_token_fails_while_keys_follow_each_other() {
    let random = SeededRandom::new(3);
    let seeds = InstanceSecret::generate(&random).keys().signing;
    let grant = grant(Confirmation::Bearer);
    let mut outstanding: Vec<(String, Timestamp)> = Vec::new();
    let mut first_seen = BTreeMap::<String, i64>::new();
    let mut signers = BTreeSet::new();
    // The hour around each change of keys, in minutes; turns begin on multiples of thirty days.
    let first = NOW / (30 * DAY) + 1;
    let minutes = (0..4)
        .flat_map(|turn| (-30..30).map(move |minute| (first + turn) * 30 * DAY + minute * 60));
    for now in minutes {
        let ring = KeyRing::around(at(now), (0, at(0)), |turn| seeds.get(turn));
        let live = kids(&ring, at(now));
        assert!(
            live.len() == 2 || live.len() == 3,
            "an old key goes in the end"
        );
        for kid in &live {
            first_seen.entry(kid.clone()).or_insert(now);
        }
        let token = ring.issue(&grant, &EXPECT, at(now), &random).unwrap();
        let text = token.token.expose().clone();
        let header = text.split('.').next().unwrap().to_owned();
        let kid = live.into_iter().find(|kid| {
            let expected = format!(r#"{{"typ":"at+jwt","alg":"EdDSA","kid":"{kid}"}}"#);
            encode(expected.as_bytes()) == header
        });
        let kid = kid.expect("a token is signed by a key that is published");
        let known = now - first_seen[&kid];
        assert!(
            signers.len() < 2 || known > 1_800,
            "published before it signs: {known}"
        );
        signers.insert(kid);
        outstanding.push((text, token.expires_at));
        outstanding.retain(|(text, until)| {
            let verdict = ring.verify(text, &EXPECT, at(now));
            let alive = now < until.as_micros() / 1_000_000 + 30;
            assert_eq!(verdict.is_ok(), alive);
            alive
        });
    }
    assert_eq!(signers.len(), 5, "one in thirty days");
}

#[test]
fn an_old_key_verifies_until_its_last_token_has_ended_and_not_longer() {
    let random = SeededRandom::new(4);
    let turn = at(NOW);
    let ring = KeyRing::new([
        RingKey::from_seed(&Plain::new([1; 32]), at(NOW - 1_000)),
        RingKey::from_seed(&Plain::new([2; 32]), turn),
    ]);
    let before = Timestamp::from_micros(turn.as_micros() - 1);
    let last = ring.issue(&grant(Confirmation::Bearer), &EXPECT, before, &random);
    let last = last.unwrap();
    let token = last.token.expose();
    for (offset, lives) in [(0, true), (629, true), (631, false), (DAY, false)] {
        let now = at(NOW + offset);
        assert_eq!(
            kids(&ring, now).len(),
            if lives { 2 } else { 1 },
            "{offset}"
        );
        assert_eq!(
            ring.verify(token, &EXPECT, now).is_ok(),
            offset < 629,
            "{offset}"
        );
    }
}

#[test]
fn a_ring_without_a_key_issues_and_verifies_nothing() {
    let random = SeededRandom::new(5);
    let now = at(NOW);
    let grant = grant(Confirmation::Bearer);
    let waiting = RingKey::from_seed(&Plain::new([1; 32]), at(NOW + 1));
    for ring in [KeyRing::new([]), KeyRing::new([waiting])] {
        assert!(ring.issue(&grant, &EXPECT, now, &random).is_err());
    }
    assert_eq!(kids(&KeyRing::new([]), now).len(), 0);
}

#[test]
fn the_document_holds_public_halves_only() {
    let now = at(NOW);
    let ring = KeyRing::new([RingKey::from_seed(&Plain::new([7; 32]), now)]);
    insta::assert_snapshot!(
        serde_json::to_string_pretty(&sorted(serde_json::to_value(ring.jwks(now)).unwrap()))
            .unwrap()
    );
}

/// The same, by name: in which order a map keeps its keys depends on what else is built beside.
fn sorted(value: serde_json::Value) -> serde_json::Value {
    use serde_json::Value;
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.into_iter().collect();
            fields.sort_by(|a, b| a.0.cmp(&b.0));
            let fields = fields.into_iter();
            Value::Object(fields.map(|(key, value)| (key, sorted(value))).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        other => other,
    }
}

/// Keys that are changed at once, at any moment around a change by the date: who signs is another from
/// that moment on, and no token fails before its end.
#[test]
fn no_token_fails_when_keys_are_changed_at_once() {
    let random = SeededRandom::new(5);
    let seeds = InstanceSecret::generate(&random).keys().signing;
    let grant = grant(Confirmation::Bearer);
    let begin = (NOW / (30 * DAY) + 1) * 30 * DAY;
    for changed in [-3_600, -300, -1, 0, 1, 300, 3_600] {
        let changed = begin + changed;
        let mut outstanding: Vec<(String, i64)> = Vec::new();
        for now in (begin - 4_500..begin + 4_500).step_by(150) {
            let generation = if now < changed {
                (0, at(0))
            } else {
                (1, at(changed))
            };
            let ring = KeyRing::around(at(now), generation, |number| seeds.get(number));
            let token = ring.issue(&grant, &EXPECT, at(now), &random).unwrap();
            let until = token.expires_at.as_micros() / 1_000_000;
            outstanding.push((token.token.expose().clone(), until));
            outstanding.retain(|(text, until)| {
                let alive = now < until + 30;
                let verdict = ring.verify(text, &EXPECT, at(now)).is_ok();
                assert_eq!(
                    verdict,
                    alive,
                    "changed {} at {}",
                    changed - begin,
                    now - begin
                );
                alive
            });
            let lives = ring.overview(at(now));
            assert_eq!(
                lives.iter().filter(|life| life.signs).count(),
                1,
                "{lives:?}"
            );
            assert_eq!(lives.len(), kids(&ring, at(now)).len());
        }
        // A day later nothing is left of the generation before.
        let later = at(begin + DAY);
        let ring = KeyRing::around(later, (1, at(changed)), |number| seeds.get(number));
        let old = KeyRing::around(later, (0, at(0)), |number| seeds.get(number));
        let old: BTreeSet<String> = kids(&old, later).into_iter().collect();
        assert!(kids(&ring, later).iter().all(|kid| !old.contains(kid)));
    }
}
